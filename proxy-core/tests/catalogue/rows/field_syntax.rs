//! Field lines: names, colons, white space, folding, control bytes.

use super::RequestRow;
use super::table::{Requests, forwarded, get, get_sent_on, refused};

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<RequestRow> {
    let mut rows = Requests::of("field syntax");
    rows.refuse_lines(
        400,
        "bad_request_field",
        &[
            ("bare LF behind it", "RFC 9112 §2.2; CVE-2019-16785", b"A: b\nC: d\r\n"),
            ("bare CR in the value", "RFC 9112 §2.2; CVE-2023-30589", b"A: b\rC: d\r\n"),
            ("bare CR behind the colon", "RFC 9112 §2.2; llhttp", b"A:\rC: d\r\n"),
            ("bare LF behind the colon", "RFC 9112 §2.2; CVE-2022-35256", b"A:\nC: d\r\n"),
            ("two LFs behind the colon", "RFC 9112 §2.2; HTTP Garden", b"A:\n\nGET / HTTP/1.1\r\n"),
            ("two CRs before the LF", "RFC 9112 §2.2; http-request-smuggler", b"A: b\r\r\nC: d\r\n"),
            ("two CRs in the value", "RFC 9112 §2.2; http-request-smuggler", b"A: b\r\rC: d\r\n"),
            ("LF then CRLF", "RFC 9112 §2.2; http-request-smuggler", b"A: b\n\r\nC: d\r\n"),
            ("CRLF then LF", "RFC 9112 §2.2; http-request-smuggler", b"A: b\r\n\nC: d\r\n"),
            ("two LFs", "RFC 9112 §2.2; http-request-smuggler", b"A: b\n\nC: d\r\n"),
            ("NUL between CR and LF", "RFC 9112 §2.2; http-request-smuggler", b"A: b\r\0\nC: d\r\n"),
            ("NUL in the value", "RFC 9110 §5.5; HTTP Garden, Http11Probe", b"A: b\0c\r\n"),
            ("NUL behind the value", "RFC 9110 §5.5; HTTP Garden", b"A: b\0\r\n"),
            ("NUL before the value", "RFC 9110 §5.5", b"A: \0b\r\n"),
            ("NUL and CR in the value", "RFC 9110 §5.5; HTTP Garden", b"A: v\0\ralue\r\n"),
            ("NUL in the name", "RFC 9110 §5.1; HTTP Garden", b"A\0: b\r\n"),
            ("a line of NUL", "RFC 9110 §5.1; HTTP Garden", b"A: b\r\nc\0\r\n"),
            ("folded with a space", "RFC 9112 §5.2; Http11Probe, llhttp", b"A: b\r\n c\r\n"),
            ("folded with a tab", "RFC 9112 §5.2", b"A: b\r\n\tc\r\n"),
            ("folded, behind a bare LF", "RFC 9112 §5.2; llhttp", b"A: b\n c\r\n"),
            ("folded before the value", "RFC 9112 §5.2", b"A:\r\n b\r\n"),
            ("folded to a field", "RFC 9112 §5.2; http-request-smuggler", b"A: b\r\n Content-Length: 5\r\n"),
            ("folded to nothing", "RFC 9112 §5.2; http-request-smuggler", b"A: b\r\n \r\nC: d\r\n"),
            ("folded at the end", "RFC 9112 §5.2; ATS, http-request-smuggler", b"A: b\r\n \r\n"),
            ("folded twice", "RFC 9112 §5.2; http-request-smuggler", b"A: b\r\n \r\n c\r\n"),
            ("folded in the name", "RFC 9112 §5.2; llhttp, HTTP Garden", b"Na\r\nme: b\r\n"),
            ("folded before the colon", "RFC 9112 §5.2; llhttp", b"Name\r\n : b\r\n"),
            ("folded with a vertical tab", "RFC 9112 §5.2; http-request-smuggler", b"A: b\r\n\x0bC: d\r\n"),
            ("white space before the first field", "RFC 9112 §2.2; Http11Probe, llhttp", b" A: b\r\n"),
            ("a space before the colon", "RFC 9112 §5.1; CVE-2019-16276, CVE-2019-16869", b"A : b\r\n"),
            ("a tab before the colon", "RFC 9112 §5.1; HTTP Garden", b"A\t: b\r\n"),
            ("many spaces before the colon", "RFC 9112 §5.1", b"A    : b\r\n"),
            ("a vertical tab before the colon", "RFC 9112 §5.1", b"A\x0b: b\r\n"),
            ("no colon", "RFC 9112 §5; CVE-2019-20444", b"A b\r\n"),
            ("a name alone", "RFC 9112 §5; http-request-smuggler", b"Nil\r\n"),
            ("no colon, then a bare LF in it", "RFC 9112 §5; HTTP Garden", b"Te\nst: test\r\n"),
            ("no name", "RFC 9110 §5.1; CVE-2023-25725", b": b\r\n"),
            ("neither name nor value", "RFC 9110 §5.1; HTTP Garden", b":\r\nI: am cut off\r\n"),
            ("a colon and a space", "RFC 9110 §5.1", b": \r\n"),
            ("a space in the name", "RFC 9110 §5.1; http-request-smuggler", b"Content Length: 5\r\n"),
            ("a tab in the name", "RFC 9110 §5.1; Http11Probe", b"Content\tLength: 5\r\n"),
            ("a word between name and colon", "RFC 9110 §5.1; http-request-smuggler", b"Content-Length x: 5\r\n"),
            ("a name in quotes", "RFC 9110 §5.1", b"\"A\": b\r\n"),
            ("a request for a field", "RFC 9112 §5", b"GET / HTTP/1.1\r\n"),
            ("an escape sequence in the value", "RFC 9110 §5.5", b"A: \x1b[2J\r\n"),
            ("a backspace in the value", "RFC 9110 §5.5", b"A: b\x08c\r\n"),
            ("a vertical tab in the value", "RFC 9110 §5.5", b"A: b\x0bc\r\n"),
            ("a form feed before the value", "RFC 9110 §5.5", b"A:\x0cb\r\n"),
            ("0x01 alone in the value", "RFC 9110 §5.5; llhttp", b"A: \x01\r\n"),
            ("DEL in the value", "RFC 9110 §5.5", b"A: b\x7f\r\n"),
            ("white space and a CR", "RFC 9112 §2.2", b"A: b \r \r\n"),
        ],
    );
    rows.refuse(
        400,
        "bad_request_field",
        &[
            ("CR before the empty line", "RFC 9112 §2.2; llhttp, HTTP Garden", b"GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\r\n\r\n"),
            ("CR and a byte for the empty line", "RFC 9112 §2.2; llhttp, HTTP Garden", b"GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\rZGET /evil: HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("bare LF for the empty line", "RFC 9112 §2.2", b"GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\n"),
            ("bare LFs at the end", "RFC 9112 §2.2; Http11Probe", b"GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\n\n"),
            ("white space in the empty line", "RFC 9112 §2.2; ATS", b"GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n \r\n\r\n"),
            ("a tab in the empty line", "RFC 9112 §2.2", b"GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\t\r\n\r\n"),
            ("0x85 in the empty line", "RFC 9112 §2.2", b"GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\x85\r\n\r\n"),
        ],
    );
    for byte in (0..=0xff_u8).filter(|&byte| !b":!#$%&'*+-.^_`|~".contains(&byte) && !byte.is_ascii_alphanumeric()) {
        let sent = get(&[b"Na", &[byte][..], b"me: b\r\n"].concat());
        rows.row(&format!("0x{byte:02x} in a name"), "RFC 9110 §5.1; HTTP Garden", &sent, refused(400, "bad_request_field"));
        if !byte.is_ascii_graphic() {
            let sent = get(&[&[b'N'; 70][..], &[byte], b": b\r\n"].concat());
            rows.row(&format!("0x{byte:02x} behind a long name"), "RFC 9110 §5.1; HTTP Garden", &sent, refused(400, "bad_request_field"));
        }
    }
    for byte in (0..0x20_u8).chain([0x7f]).filter(|&byte| byte != b'\t') {
        let sent = get(&[b"A: ", &[b'v'; 70][..], &[byte], &[b'v'; 70], b"\r\n"].concat());
        rows.row(&format!("0x{byte:02x} in a long value"), "RFC 9110 §5.5; Http11Probe", &sent, refused(400, "bad_request_field"));
    }
    rows.forward_lines(&[
        ("no white space behind the colon", "RFC 9112 §5.1", b"A:b\r\n", b"A: b\r\n"),
        ("much white space around the value", "RFC 9112 §5.1", b"A:\t \t b \t\r\n", b"A: b\r\n"),
        ("white space in the value", "RFC 9110 §5.5; llhttp", b"A: b \t c\r\n", b"A: b \t c\r\n"),
        ("no value", "RFC 9110 §5.5", b"A:\r\n", b"A: \r\n"),
        ("white space for a value", "RFC 9110 §5.5", b"A: \t \r\n", b"A: \r\n"),
        ("colons in the value", "RFC 9110 §5.5", b"A::b:c:\r\n", b"A: :b:c:\r\n"),
        ("a name of all that a token may hold", "RFC 9110 §5.6.2", b"!#$%&'*+-.^_`|~09azAZ: b\r\n", b"!#$%&'*+-.^_`|~09azAZ: b\r\n"),
        ("a name of digits", "RFC 9110 §5.1", b"0: b\r\n", b"0: b\r\n"),
        ("a name of one underscore", "RFC 9110 §5.1; llhttp", b"_: b\r\n", b"_: b\r\n"),
        ("bytes beyond ASCII in the value", "RFC 9110 §5.5: obs-text; llhttp", b"A: caf\xc3\xa9 \xff\r\n", b"A: caf\xc3\xa9 \xff\r\n"),
        ("0xa0 and 0x85 around the value", "RFC 9110 §5.5: no white space; HTTP Garden", b"A: \x85admin\xa0\r\n", b"A: \x85admin\xa0\r\n"),
        ("a field twice", "RFC 9110 §5.3: in order", b"A: 1\r\nB: 2\r\na: 3\r\n", b"A: 1\r\nB: 2\r\na: 3\r\n"),
        ("a browser's fields", "RFC 9110", b"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html,*/*;q=0.8\r\nAccept-Encoding: gzip, deflate\r\nCookie: a=\"b\"; c={d}\r\nUpgrade-Insecure-Requests: 1\r\n", b"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html,*/*;q=0.8\r\nAccept-Encoding: gzip, deflate\r\nCookie: a=\"b\"; c={d}\r\nUpgrade-Insecure-Requests: 1\r\n"),
        ("Proxy, which CGI programs take for a setting", "CVE-2016-5385", b"Proxy: http://b.example/\r\nA: b\r\n", b"A: b\r\n"),
    ]);
    let many = |count: usize| "A: b\r\n".repeat(count).into_bytes();
    rows.row("127 fields beside Host", "RFC 6585 §5; Http11Probe", &get(&many(127)), forwarded(&get_sent_on(&many(127))));
    rows.row("128 fields beside Host", "RFC 6585 §5; Http11Probe", &get(&many(128)), refused(431, "too_many_request_fields"));
    rows.row("2,000 fields", "RFC 6585 §5; http-request-smuggler", &get(&many(2000)), refused(431, "too_many_request_fields"));
    let large = [b"A: ", &[b'v'; 40_000][..], b"\r\n"].concat();
    rows.row("a value of 40,000 bytes", "RFC 6585 §5; Http11Probe", &get(&large), refused(431, "request_head_too_large"));
    let large = [&[b'n'; 40_000][..], b": b\r\n"].concat();
    rows.row("a name of 40,000 bytes", "RFC 6585 §5; Http11Probe", &get(&large), refused(431, "request_head_too_large"));
    let padded = [b"A: ", &[b'v'; 8000][..], b"\r\n"].concat();
    rows.row("a value of 8,000 bytes", "http-request-smuggler", &get(&padded), forwarded(&get_sent_on(&padded)));
    rows.done()
}
