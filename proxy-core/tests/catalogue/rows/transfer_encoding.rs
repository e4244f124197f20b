//! `Transfer-Encoding` in requests: `chunked`, or nothing.

use super::RequestRow;
use super::table::{Requests, SMUGGLED, post, post_sent_on, refused};

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<RequestRow> {
    let mut rows = Requests::of("transfer-encoding");
    rows.refuse_framing(
        400,
        "bad_request_length",
        &[
            ("with Content-Length", "RFC 9112 §6.3; CVE-2019-20445, Http11Probe", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
            ("with Content-Length behind it", "RFC 9112 §6.3; Http11Probe", b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
            ("with Content-Length: 0", "RFC 9112 §6.3", b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
            ("with Content-Length, which Connection names", "RFC 9112 §6.3; http-request-smuggler", b"Connection: Content-Length\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
            ("with Content-Length, Connection names this", "RFC 9112 §6.3; http-request-smuggler", b"Connection: Transfer-Encoding\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
            ("with Content-Length and close", "RFC 9112 §6.3; Http11Probe", b"Connection: close\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
            ("identity with Content-Length", "RFC 9112 §6.3; llhttp", b"Content-Length: 1\r\nTransfer-Encoding: identity\r\n"),
            ("another one with Content-Length", "RFC 9112 §6.3; HTTP Garden", b"Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n"),
            ("nonsense with Content-Length", "RFC 9112 §6.3; HTTP Garden", b"Transfer-Encoding: ,chunked\r\nContent-Length: 5\r\n"),
            ("empty with Content-Length", "RFC 9112 §6.3; llhttp", b"Content-Length: 1\r\nTransfer-Encoding:\r\n"),
            ("twice", "RFC 9112 §6.1; HTTP Garden, Http11Probe", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            ("twice, with identity first", "RFC 9112 §6.1; CVE-2024-6827", b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"),
            ("twice, with identity last", "RFC 9112 §6.1; CVE-2022-32215", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
            ("twice, with another first", "RFC 9112 §6.1; smuggler", b"Transfer-Encoding: cow\r\nTransfer-Encoding: chunked\r\n"),
            ("twice, with an empty first", "RFC 9112 §6.1", b"Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n"),
            ("twice, with an empty last", "RFC 9112 §6.1", b"Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n"),
            ("chunked twice in a list", "RFC 9112 §6.1; HAProxy, Http11Probe", b"Transfer-Encoding: chunked, chunked\r\n"),
            ("chunked before another", "RFC 9112 §6.1; HAProxy, llhttp, Http11Probe", b"Transfer-Encoding: chunked, gzip\r\n"),
            ("chunked before and behind another", "RFC 9112 §6.1; HAProxy", b"Transfer-Encoding: chunked, gzip, chunked\r\n"),
            ("chunked before identity", "RFC 9112 §6.1; smuggler", b"Transfer-Encoding: chunked, identity\r\n"),
            ("no value", "RFC 9112 §6.1; Http11Probe", b"Transfer-Encoding:\r\n"),
            ("white space for a value", "RFC 9112 §6.1", b"Transfer-Encoding: \t\r\n"),
            ("a comma before it", "RFC 9112 §6.1: empty members are no coding; HTTP Garden, Http11Probe", b"Transfer-Encoding: ,chunked\r\n"),
            ("a comma behind it", "RFC 9112 §6.1; Http11Probe", b"Transfer-Encoding: chunked,\r\n"),
            ("a comma alone", "RFC 9112 §6.1", b"Transfer-Encoding: ,\r\n"),
            ("two commas", "RFC 9112 §6.1", b"Transfer-Encoding: gzip,,chunked\r\n"),
            ("a parameter", "RFC 9112 §7: chunked has none; Http11Probe", b"Transfer-Encoding: chunked;a=b\r\n"),
            ("a weight", "RFC 9112 §7: that is TE's", b"Transfer-Encoding: chunked;q=1\r\n"),
            ("a semicolon behind it", "RFC 9112 §7", b"Transfer-Encoding: chunked;\r\n"),
            ("two words", "RFC 9112 §6.1; CVE-2022-1705, smuggler", b"Transfer-Encoding: cow chunked bar\r\n"),
            ("words by a tab", "RFC 9112 §6.1", b"Transfer-Encoding: gzip\tchunked\r\n"),
            ("double quotes", "RFC 9112 §6.1; smuggler", b"Transfer-Encoding: \"chunked\"\r\n"),
            ("a colon before it", "RFC 9112 §6.1", b"Transfer-Encoding: :chunked\r\n"),
            ("brackets", "RFC 9112 §6.1", b"Transfer-Encoding: (chunked)\r\n"),
            ("other letters in it", "RFC 9112 §6.1; smuggler", b"Transfer-Encoding: ch\x96nked\r\n"),
            ("0xa0 around it", "RFC 9112 §6.1; HTTP Garden", b"Transfer-Encoding: \xa0chunked\xa0\r\n"),
            ("0xff around it", "RFC 9112 §6.1; HTTP Garden", b"Transfer-Encoding: \xffchunked\xff\r\n"),
            ("0xff for the white space", "RFC 9112 §6.1; smuggler", b"Transfer-Encoding:\xffchunked\r\n"),
            ("U+2003 around it", "RFC 9112 §6.1; http-request-smuggler", b"Transfer-Encoding:\xe2\x80\x83chunked\r\n"),
            ("an underscore in the name", "CGI does not tell it from a hyphen; Http11Probe", b"Transfer_Encoding: chunked\r\n"),
            ("an underscore in the name, with Content-Length", "Http11Probe, smuggler", b"Content-Length: 5\r\nTransfer_Encoding: chunked\r\n"),
            ("a full stop in the name", "old CGI servers make every other byte one", b"Transfer.Encoding: chunked\r\n"),
            ("an asterisk in the name", "old CGI servers make every other byte one", b"Transfer*Encoding: chunked\r\n"),
        ],
    );
    rows.refuse_framing(
        501,
        "unknown_transfer_coding",
        &[
            ("gzip before chunked", "RFC 9112 §6.1; HAProxy, h1spec", b"Transfer-Encoding: gzip, chunked\r\n"),
            ("deflate before chunked, without white space", "RFC 9112 §6.1; llhttp", b"Transfer-Encoding: deflate,chunked\r\n"),
            ("gzip", "RFC 9112 §6.1; HAProxy", b"Transfer-Encoding: gzip\r\n"),
            ("identity", "RFC 9112 §6.1: gone since RFC 7230; Http11Probe", b"Transfer-Encoding: identity\r\n"),
            ("identity before chunked", "RFC 9112 §6.1; smuggler", b"Transfer-Encoding: identity, chunked\r\n"),
            ("another word", "RFC 9112 §6.1; ATS, llhttp", b"Transfer-Encoding: pigeons\r\n"),
            ("another word before chunked", "RFC 9112 §6.1; smuggler", b"Transfer-Encoding: cow, chunked\r\n"),
            ("xchunked", "RFC 9112 §6.1; Http11Probe", b"Transfer-Encoding: xchunked\r\n"),
            ("chunk", "RFC 9112 §6.1; smuggler", b"Transfer-Encoding: chunk\r\n"),
            ("chunkedchunked", "RFC 9112 §6.1; llhttp", b"Transfer-Encoding: chunkedchunked\r\n"),
            ("chunked-", "RFC 9112 §6.1", b"Transfer-Encoding: chunked-\r\n"),
            ("single quotes, which a token may hold", "RFC 9112 §6.1; smuggler", b"Transfer-Encoding: 'chunked'\r\n"),
            ("a full stop behind it", "RFC 9112 §6.1", b"Transfer-Encoding: chunked.\r\n"),
        ],
    );
    rows.refuse_framing(
        400,
        "bad_request_field",
        &[
            ("a space before the colon", "RFC 9112 §5.1; Http11Probe, smuggler", b"Transfer-Encoding : chunked\r\n"),
            ("a tab before the colon", "RFC 9112 §5.1; smuggler", b"Transfer-Encoding\t:\tchunked\r\n"),
            ("a space in the name", "RFC 9110 §5.1; smuggler", b"Transfer Encoding: chunked\r\n"),
            ("a space in the name, none behind the colon", "RFC 9110 §5.1; smuggler", b"Transfer Encoding:chunked\r\n"),
            ("a word between name and colon", "RFC 9110 §5.1; http-request-smuggler", b"Transfer-Encoding x: chunked\r\n"),
            ("a backslash for the hyphen", "RFC 9110 §5.1; http-request-smuggler", b"Transfer\\Encoding: chunked\r\n"),
            ("a soft hyphen for the hyphen", "RFC 9110 §5.1; http-request-smuggler", b"Transfer\xadEncoding: chunked\r\n"),
            ("a soft hyphen before the colon", "RFC 9110 §5.1; http-request-smuggler", b"Transfer-Encoding\xad: chunked\r\n"),
            ("0x85 before the colon", "RFC 9110 §5.1; http-request-smuggler", b"Transfer-Encoding\x85: chunked\r\n"),
            ("0xa0 before the colon", "RFC 9110 §5.1; http-request-smuggler", b"Transfer-Encoding\xa0: chunked\r\n"),
            ("other letters in the name", "RFC 9110 §5.1; smuggler", b"Transf\x82r-Encoding: chunked\r\n"),
            ("a CR in the name", "RFC 9110 §5.1; smuggler", b"Tra\rnsfer-Encoding: chunked\r\n"),
            ("a CR behind the value", "RFC 9112 §2.2; smuggler", b"Transfer-Encoding: chunked\r\r\n"),
            ("NUL in the value", "RFC 9110 §5.5; Http11Probe", b"Transfer-Encoding: chu\0nked\r\n"),
            ("NUL behind the value", "RFC 9110 §5.5", b"Transfer-Encoding: chunked\0\r\n"),
            ("a vertical tab before the value", "RFC 9110 §5.5; CVE-2019-18277, Http11Probe", b"Transfer-Encoding: \x0bchunked\r\n"),
            ("a form feed before the value", "RFC 9110 §5.5; Http11Probe", b"Transfer-Encoding:\x0cchunked\r\n"),
            ("a backspace before the value", "RFC 9110 §5.5; ATS", b"Transfer-Encoding: \x08chunked\r\n"),
            ("folded", "RFC 9112 §5.2; CVE-2022-32213, Http11Probe", b"Transfer-Encoding:\r\n chunked\r\n"),
            ("folded with a bare LF", "RFC 9112 §5.2; smuggler", b"Transfer-Encoding:\n chunked\r\n"),
            ("folded twice", "RFC 9112 §5.2; http-request-smuggler", b"Transfer-Encoding:\r\n \r\n chunked\r\n"),
            ("folded before the colon", "RFC 9112 §5.2; http-request-smuggler", b"Transfer-Encoding\n : chunked\r\n"),
            ("folded behind the value", "RFC 9112 §5.2; http-request-smuggler", b"Transfer-Encoding: chunked\r\n\t\r\n"),
            ("folded behind the value to another", "RFC 9112 §5.2; llhttp", b"Transfer-Encoding: chunked\r\n abc\r\n"),
            ("a vertical tab in a line of its own", "RFC 9112 §5.2; http-request-smuggler", b"Transfer-Encoding: chunked\n\x0b\r\n"),
            ("a space in front", "RFC 9112 §5.2; http-request-smuggler", b"Foo: bar\r\n Transfer-Encoding: chunked\r\n"),
            ("a tab in front", "RFC 9112 §5.2; http-request-smuggler", b"Foo: bar\r\n\tTransfer-Encoding: chunked\r\n"),
            ("a CR in front", "RFC 9112 §2.2; http-request-smuggler", b"Foo: bar\r\n\rTransfer-Encoding: chunked\r\n"),
            ("behind a bare CR", "RFC 9112 §2.2; CVE-2022-32214, smuggler", b"Foo: bar\rTransfer-Encoding: chunked\r\n"),
            ("behind a bare LF", "RFC 9112 §2.2; llhttp, smuggler", b"x:x\nTransfer-Encoding: chunked\r\n"),
            ("its name over two lines", "RFC 9112 §5.2; HTTP Garden", b"Transfer-\r\nEncoding: chunked\r\nContent-Length: 5\r\n"),
            ("a space for the colon", "RFC 9112 §5", b"Transfer-Encoding chunked\r\n"),
        ],
    );
    rows.refuse(
        400,
        "bad_request_length",
        &[
            ("in HTTP/1.0", "RFC 9112 §6.1; HAProxy, Http11Probe", b"POST http://{origin}/ HTTP/1.0\r\nHost: {origin}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            ("in HTTP/1.0 with keep-alive", "RFC 9112 §6.1", b"POST http://{origin}/ HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            ("in HTTP/1.0 with Content-Length", "RFC 9112 §6.1", b"POST http://{origin}/ HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            ("another one in HTTP/1.0", "RFC 9112 §6.1", b"POST http://{origin}/ HTTP/1.0\r\nTransfer-Encoding: gzip\r\n\r\n"),
        ],
    );
    for (name, source, lines, got, sent, body) in [
        ("chunked", "RFC 9112 §7.1; llhttp", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        ("no content", "RFC 9112 §7.1; HAProxy, Http11Probe", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "0\r\n\r\n"),
        ("in mixed case", "RFC 9112 §7; smuggler, Http11Probe", "TrAnSFer-EnCODinG: cHuNkeD\r\n", "TrAnSFer-EnCODinG: chunked\r\n", "0\r\n\r\n", "0\r\n\r\n"),
        ("in capitals", "RFC 9112 §7; smuggler", "TRANSFER-ENCODING: CHUNKED\r\n", "TRANSFER-ENCODING: chunked\r\n", "0\r\n\r\n", "0\r\n\r\n"),
        ("a tab for the space", "RFC 9112 §5.1; smuggler, Http11Probe", "Transfer-Encoding:\tchunked\r\n", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "0\r\n\r\n"),
        ("white space behind it", "RFC 9112 §5.1; smuggler, Http11Probe", "Transfer-Encoding: chunked \t\r\n", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "0\r\n\r\n"),
        ("no white space", "RFC 9112 §5.1; http-request-smuggler", "Transfer-Encoding:chunked\r\n", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "0\r\n\r\n"),
        ("cannot be named away", "RFC 9110 §7.6.1; http-request-smuggler", "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "0\r\n\r\n"),
        ("a content coding of that name", "RFC 9110 §8.4; smuggler", "Content-Encoding: chunked\r\nContent-Length: 5\r\n", "Content-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n", "0\r\n\r\n"),
        ("a name with something before it", "RFC 9110 §5.1", "X-Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "X-Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n", "0\r\n\r\n"),
    ] {
        let sent = post(lines.as_bytes(), sent.as_bytes());
        rows.forward(&[(name, source, &sent, &post_sent_on(got.as_bytes(), body.as_bytes()))]);
    }
    // The bytes that smuggler puts at each of its places, and what they are taken for here:
    // white space is allowed between the colon and the value and behind it, and nowhere else.
    let bytes = [0x01_u8, 0x04, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1f, 0x20, 0x7f, 0x85, 0xa0, 0xff];
    for byte in bytes {
        let b = [byte];
        for (place, line) in [
            ("before the name", [&b, &b"Transfer-Encoding: chunked\r\n"[..]].concat()),
            ("behind the name", [b"Transfer-Encoding", &b[..], b": chunked\r\n"].concat()),
            ("before and behind the name", [&b, &b"Transfer-Encoding"[..], &b, b": chunked\r\n"].concat()),
            ("behind the name and the colon", [b"Transfer-Encoding", &b[..], b":", &b, b"chunked\r\n"].concat()),
            ("behind the name and the value", [b"Transfer-Encoding", &b[..], b": chunked", &b, b"\r\n"].concat()),
            ("between two fields for a line end", [b"X: X", &b[..], b"Transfer-Encoding: chunked\r\n"].concat()),
            ("behind a bare CR", [b"X: X\r", &b[..], b"Transfer-Encoding: chunked\r\n"].concat()),
            ("before a bare LF", [b"X: X", &b[..], b"\nTransfer-Encoding: chunked\r\n"].concat()),
        ] {
            // Here it ends a line, or is a part of a value.
            let as_it_should_be = matches!((place, byte), ("behind a bare CR", b'\n') | ("before a bare LF", b'\r'));
            let in_a_value = place == "between two fields for a line end" && matches!(byte, b'\t' | b' ' | 0x80..);
            if !as_it_should_be && !in_a_value {
                rows.row(&format!("0x{byte:02x} {place}"), "RFC 9112 §5; smuggler", &post(&line, SMUGGLED), refused(400, "bad_request_field"));
            }
        }
        for (place, line) in [
            ("behind the colon", [b"Transfer-Encoding:", &b[..], b"chunked\r\n"].concat()),
            ("behind the value", [b"Transfer-Encoding: chunked", &b[..], b"\r\n"].concat()),
            ("around the value", [b"Transfer-Encoding:", &b[..], b"chunked", &b, b"\r\n"].concat()),
        ] {
            let (name, source) = (format!("0x{byte:02x} {place}"), "RFC 9112 §5.1; smuggler");
            match byte {
                b'\t' | b' ' => rows.forward(&[(&name, source, &post(&line, b"0\r\n\r\n"), &post_sent_on(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"))]),
                0x80.. => rows.refuse_framing(400, "bad_request_length", &[(&name, source, &line)]),
                _ => rows.refuse_framing(400, "bad_request_field", &[(&name, source, &line)]),
            }
        }
    }
    rows.done()
}
