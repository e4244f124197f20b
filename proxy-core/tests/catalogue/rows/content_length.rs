//! `Content-Length` in requests: one, of digits.

use super::RequestRow;
use super::table::{Requests, SMUGGLED, post, post_sent_on, refused};

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<RequestRow> {
    let mut rows = Requests::of("content-length");
    rows.refuse_framing(
        400,
        "bad_request_length",
        &[
            ("a plus sign", "RFC 9110 §8.6; HTTP Garden, CVE-2023-47627", b"Content-Length: +5\r\n"),
            ("a minus sign", "RFC 9110 §8.6; Http11Probe", b"Content-Length: -5\r\n"),
            ("minus zero", "RFC 9110 §8.6; Http11Probe", b"Content-Length: -0\r\n"),
            ("minus 48", "RFC 9110 §8.6; HTTP Garden", b"Content-Length: -48\r\n"),
            ("hexadecimal", "RFC 9110 §8.6; HTTP Garden", b"Content-Length: 0x10\r\n"),
            ("hexadecimal without its prefix", "RFC 9110 §8.6", b"Content-Length: a\r\n"),
            ("octal with its prefix", "RFC 9110 §8.6; Http11Probe", b"Content-Length: 0o5\r\n"),
            ("binary", "RFC 9110 §8.6", b"Content-Length: 0b101\r\n"),
            ("an underscore", "RFC 9110 §8.6; HTTP Garden", b"Content-Length: 1_0\r\n"),
            ("a sign and an underscore", "RFC 9110 §8.6; HTTP Garden", b"Content-Length: +1_0\r\n"),
            ("an exponent", "RFC 9110 §8.6; http-request-smuggler", b"Content-Length: 5e0\r\n"),
            ("a fraction", "RFC 9110 §8.6; http-request-smuggler", b"Content-Length: 5.0\r\n"),
            ("a longest valid prefix", "RFC 9110 §8.6; HTTP Garden", b"Content-Length: 1Z\r\n"),
            ("a word", "RFC 9110 §8.6; Http11Probe", b"Content-Length: many\r\n"),
            ("no value", "RFC 9110 §8.6; HTTP Garden", b"Content-Length:\r\n"),
            ("white space for a value", "RFC 9110 §8.6; HTTP Garden", b"Content-Length: \t\r\n"),
            ("no value, then one", "RFC 9110 §8.6; HTTP Garden", b"Content-Length: \r\nContent-Length: 5\r\n"),
            ("a space inside", "RFC 9110 §8.6; llhttp, Http11Probe", b"Content-Length: 4 2\r\n"),
            ("zero, a space and more", "RFC 9110 §8.6; http-request-smuggler", b"Content-Length: 0 5\r\n"),
            ("a tab inside", "RFC 9110 §8.6", b"Content-Length: 4\t2\r\n"),
            ("quotes", "RFC 9110 §8.6", b"Content-Length: \"5\"\r\n"),
            ("a parameter", "RFC 9110 §8.6", b"Content-Length: 5;a=b\r\n"),
            ("a comma before it", "RFC 9110 §8.6", b"Content-Length: ,5\r\n"),
            ("a comma behind it", "RFC 9110 §8.6", b"Content-Length: 5,\r\n"),
            ("a comma alone", "RFC 9110 §8.6", b"Content-Length: ,\r\n"),
            ("a list of equals", "RFC 9110 §8.6: may be refused; Http11Probe", b"Content-Length: 5, 5\r\n"),
            ("a list of equals, spaced", "RFC 9110 §8.6", b"Content-Length: 5 , 5\r\n"),
            ("a list of three equals", "RFC 9110 §8.6; Http11Probe", b"Content-Length: 5, 5, 5\r\n"),
            ("a list that differs", "RFC 9112 §6.3; http-request-smuggler", b"Content-Length: 0, 5\r\n"),
            ("a list that differs, zero last", "RFC 9112 §6.3; http-request-smuggler", b"Content-Length: 5, 0\r\n"),
            ("twice, equal", "RFC 9110 §8.6: may be refused; Http11Probe", b"Content-Length: 5\r\nContent-Length: 5\r\n"),
            ("twice, equal in value", "RFC 9110 §8.6", b"Content-Length: 5\r\nContent-Length: 05\r\n"),
            ("twice, the first counts for some", "RFC 9112 §6.3; CVE-2019-16792", b"Content-Length: 5\r\nContent-Length: 0\r\n"),
            ("twice, the last counts for some", "RFC 9112 §6.3; HTTP Garden", b"Content-Length: 0\r\nContent-Length: 5\r\n"),
            ("twice, in different case", "RFC 9112 §6.3", b"Content-Length: 5\r\ncontent-length: 0\r\n"),
            ("twice, far apart", "RFC 9112 §6.3", b"Content-Length: 5\r\nA: b\r\nC: d\r\nContent-Length: 6\r\n"),
            ("twice, one malformed", "RFC 9112 §6.3", b"Content-Length: 5\r\nContent-Length: x\r\n"),
            ("2^63", "RFC 9110 §8.6", b"Content-Length: 9223372036854775808\r\n"),
            ("2^64", "RFC 9110 §8.6; llhttp, Http11Probe", b"Content-Length: 18446744073709551616\r\n"),
            ("2^64 + 5", "RFC 9110 §8.6", b"Content-Length: 18446744073709551621\r\n"),
            ("sixty digits", "RFC 9110 §8.6; llhttp", b"Content-Length: 111111111111111111111111111111111111111111111111111111111111\r\n"),
            ("other digits than ASCII's", "RFC 9110 §8.6", b"Content-Length: \xd9\xa5\r\n"),
            ("0xa0 behind it", "RFC 9110 §8.6; HTTP Garden", b"Content-Length: 5\xa0\r\n"),
            ("0x85 before it", "RFC 9110 §8.6; HTTP Garden", b"Content-Length: \x855\r\n"),
            ("an underscore in the name", "CGI does not tell it from a hyphen; Http11Probe", b"Content_Length: 5\r\n"),
            ("an underscore in the name, beside the right one", "Http11Probe", b"Content-Length: 5\r\nContent_Length: 0\r\n"),
            ("a full stop in the name", "old CGI servers make every other byte one", b"Content.Length: 5\r\n"),
            ("a tilde in the name", "old CGI servers make every other byte one", b"content~length: 5\r\n"),
        ],
    );
    rows.refuse_framing(
        400,
        "bad_request_field",
        &[
            ("a space before the colon", "RFC 9112 §5.1; CVE-2019-18678, CVE-2023-40518", b"Content-Length : 5\r\n"),
            ("a tab before the colon", "RFC 9112 §5.1", b"Content-Length\t: 5\r\n"),
            ("0x85 before the colon", "RFC 9110 §5.1; HTTP Garden", b"Content-Length\x85: 5\r\n"),
            ("0xa0 before the colon", "RFC 9110 §5.1; HTTP Garden", b"Content-Length\xa0: 5\r\n"),
            ("a soft hyphen for the hyphen", "RFC 9110 §5.1; http-request-smuggler", b"Content\xadLength: 5\r\n"),
            ("a CR for the hyphen", "RFC 9110 §5.1; llhttp", b"Content\rLength: 5\r\n"),
            ("a backslash for the hyphen", "RFC 9110 §5.1; http-request-smuggler", b"Content\\Length: 5\r\n"),
            ("a space for the colon", "RFC 9112 §5; HTTP Garden", b"Content-Length 5\r\n"),
            ("a space in front", "RFC 9112 §5.2; http-request-smuggler", b" Content-Length: 5\r\n"),
            ("a tab in front", "RFC 9112 §2.2; HTTP Garden", b"\tContent-Length: 5\r\n"),
            ("a form feed before the value", "RFC 9110 §5.5; ATS", b"Content-Length:\x0c5\r\n"),
            ("a vertical tab behind the value", "RFC 9110 §5.5", b"Content-Length: 5\x0b\r\n"),
            ("NUL behind the value", "RFC 9110 §5.5", b"Content-Length: 5\0\r\n"),
            ("folded", "RFC 9112 §5.2", b"Content-Length:\r\n 5\r\n"),
            ("folded behind the value", "RFC 9112 §5.2", b"Content-Length: 5\r\n 0\r\n"),
            ("behind a bare CR", "RFC 9112 §2.2; http-request-smuggler", b"A: b\rContent-Length: 5\r\n"),
            ("behind a bare LF", "RFC 9112 §2.2; http-request-smuggler", b"A: b\nContent-Length: 5\r\n"),
            ("behind a field that is none", "RFC 9112 §5; http-request-smuggler", b"X-Invalid Y: \r\nContent-Length: 5\r\n"),
        ],
    );
    for (name, source, lines, got, body) in [
        ("zero", "RFC 9110 §8.6; h1spec", "Content-Length: 0\r\n", "Content-Length: 0\r\n", ""),
        ("many zeros", "RFC 9110 §8.6; llhttp, Http11Probe", "Content-Length: 0000000000000000000000000\r\n", "Content-Length: 0\r\n", ""),
        ("zeros before it", "RFC 9110 §8.6: decimal, whatever strtol thinks; HTTP Garden", "Content-Length: 010\r\n", "Content-Length: 10\r\n", "0123456789"),
        ("many zeros before it", "RFC 9110 §8.6; http-request-smuggler", "Content-Length: 00000000000000000000000000005\r\n", "Content-Length: 5\r\n", "hello"),
        ("no white space before it", "RFC 9112 §5.1", "Content-Length:5\r\n", "Content-Length: 5\r\n", "hello"),
        ("white space around it", "RFC 9112 §5.1; llhttp, Http11Probe", "Content-Length: \t 5 \t\r\n", "Content-Length: 5\r\n", "hello"),
        ("its name in capitals", "RFC 9110 §5.1", "CONTENT-LENGTH: 5\r\n", "CONTENT-LENGTH: 5\r\n", "hello"),
        ("fields behind it", "llhttp", "Content-Length: 1\r\nA: b\r\nC: d\r\n", "Content-Length: 1\r\nA: b\r\nC: d\r\n", "a"),
        ("cannot be named away", "RFC 9110 §7.6.1; http-request-smuggler", "Connection: Content-Length\r\nContent-Length: 5\r\n", "Content-Length: 5\r\n", "hello"),
        ("a body that looks like a request", "RFC 9112 §6.3; Http11Probe", "Content-Length: 18\r\n", "Content-Length: 18\r\n", "GET /x HTTP/1.1\r\n\n"),
        ("a body that looks like chunks", "RFC 9112 §6.3", "Content-Length: 5\r\n", "Content-Length: 5\r\n", "0\r\n\r\n"),
        ("a longer name", "RFC 9110 §5.1; llhttp", "Content-Length-X: 5\r\nContent-Length: 1\r\n", "Content-Length-X: 5\r\nContent-Length: 1\r\n", "a"),
        ("a name with something before it", "RFC 9110 §5.1", "X-Content-Length: 5\r\nContent-Length: 1\r\n", "X-Content-Length: 5\r\nContent-Length: 1\r\n", "a"),
    ] {
        let body = body.as_bytes();
        let (sent, got) = (post(lines.as_bytes(), body), post_sent_on(got.as_bytes(), body));
        rows.forward(&[(name, source, &sent, &got)]);
    }
    for byte in [0x01_u8, 0x04, 0x08, 0x0a, 0x0b, 0x0c, 0x0d, 0x1f, 0x7f] {
        for (place, line) in [
            ("before the value", [b"Content-Length: ", &[byte][..], b"5\r\n"].concat()),
            ("behind the value", [b"Content-Length: 5", &[byte][..], b"\r\n"].concat()),
            ("in the name", [b"Content-Len", &[byte][..], b"gth: 5\r\n"].concat()),
        ] {
            rows.row(&format!("0x{byte:02x} {place}"), "RFC 9110 §5.5; smuggler", &post(&line, SMUGGLED), refused(400, "bad_request_field"));
        }
    }
    rows.done()
}
