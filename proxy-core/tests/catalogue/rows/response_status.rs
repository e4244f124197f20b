//! Status lines.

use super::table::{DATE, Responses};
use super::{End, ResponseRow, Then};

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<ResponseRow> {
    let mut rows = Responses::of("response: status line");
    rows.refuse(
        "bad_response",
        &[
            ("bare LF behind it", "RFC 9112 §2.2; llhttp", b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"),
            ("bare LF everywhere", "RFC 9112 §2.2; llhttp", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
            ("bare CR behind it", "RFC 9112 §2.2; llhttp", b"HTTP/1.1 200 OK\rContent-Length: 0\r\n\r\n"),
            ("CR twice behind it", "RFC 9112 §2.2; llhttp", b"HTTP/1.1 200 OK\r\r\nContent-Length: 0\r\n\r\n"),
            ("an empty line before it", "RFC 9112 §2.2: for requests only; llhttp", b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("LF before it", "RFC 9112 §2.2", b"\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("a space before it", "RFC 9112 §4", b" HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("two spaces before the status", "RFC 9112 §4; llhttp", b"HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("a tab before the status", "RFC 9112 §4; llhttp", b"HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("a tab behind the status", "RFC 9112 §4", b"HTTP/1.1 200\tOK\r\nContent-Length: 0\r\n\r\n"),
            ("one digit", "RFC 9112 §4; llhttp", b"HTTP/1.1 2 OK\r\nContent-Length: 0\r\n\r\n"),
            ("two digits", "RFC 9112 §4", b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
            ("four digits", "RFC 9112 §4", b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
            ("a letter in the status", "RFC 9112 §4", b"HTTP/1.1 20x OK\r\nContent-Length: 0\r\n\r\n"),
            ("a sign in the status", "RFC 9112 §4", b"HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n"),
            ("a negative status", "RFC 9112 §4", b"HTTP/1.1 -200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("status 000", "RFC 9110 §15", b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n"),
            ("status 099", "RFC 9110 §15", b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"),
            ("no status", "RFC 9112 §4", b"HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n"),
            ("a version alone", "RFC 9112 §4; llhttp", b"HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
            ("NUL in the reason", "RFC 9112 §4", b"HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n"),
            ("a control byte in the reason", "RFC 9112 §4", b"HTTP/1.1 200 O\x1bK\r\nContent-Length: 0\r\n\r\n"),
            ("bare CR in the reason", "RFC 9112 §2.2", b"HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n"),
            ("a version in lower case", "RFC 9112 §2.3", b"http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("HTTP/0.9 in so many words", "RFC 9112 §2.3; llhttp", b"HTTP/0.9 200 OK\r\n\r\nhello"),
            ("HTTP/1.2", "RFC 9112 §2.3", b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("HTTP/2.0", "RFC 9112 §2.3", b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("HTTP/5.6", "RFC 9112 §2.3; llhttp", b"HTTP/5.6 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("two major digits", "RFC 9112 §2.3; llhttp", b"HTTP/01.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("two minor digits", "RFC 9112 §2.3; llhttp", b"HTTP/1.10 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("no minor digit", "RFC 9112 §2.3", b"HTTP/1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("no version", "RFC 9112 §2.3; llhttp", b"HTTP 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("ICY", "RFC 9112 §2.3; llhttp", b"ICY 200 OK\r\nContent-Type: audio/mpeg\r\n\r\nxx"),
            ("RTSP", "RFC 9112 §2.3; llhttp", b"RTSP/1.1 200 OK\r\n\r\n"),
            ("HTTPS for HTTP", "RFC 9112 §2.3", b"HTTPS/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("HTTP/0.9: a body and no head", "RFC 1945 §6", b"<html>hello</html>\r\n\r\n"),
            ("a request", "RFC 9112 §2.1", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("a chunk", "RFC 9112 §2.1", b"5\r\nhello\r\n0\r\n\r\n"),
            ("a TLS alert", "RFC 8446 §6", b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n"),
        ],
    );
    for (name, source, line, got) in [
        ("a reason of several words", "RFC 9112 §4", &b"200 all is well"[..], &b"200 all is well"[..]),
        ("an empty reason behind its space", "RFC 9112 §4; llhttp", b"200 ", b"200 "),
        ("no reason and no space", "RFC 9112 §4: mended; llhttp", b"200", b"200 "),
        ("a reason beyond ASCII", "RFC 9112 §4: obs-text; llhttp", b"200 Ori\xc3\xabnt\xe9", b"200 Ori\xc3\xabnt\xe9"),
        ("a tab in the reason", "RFC 9112 §4", b"200 a\tb", b"200 a\tb"),
        ("spaces before the reason", "RFC 9112 §4: a part of it; llhttp", b"200  OK", b"200  OK"),
        ("a status nobody knows", "RFC 9110 §15: by its class", b"299 Fine", b"299 Fine"),
        ("a class nobody knows", "RFC 9110 §15: like 5xx", b"999 Odd", b"999 Odd"),
        ("600", "RFC 9110 §15", b"600 Odd", b"600 Odd"),
    ] {
        let sent = [b"HTTP/1.1 ", line, b"\r\n", DATE, b"Content-Length: 2\r\n\r\nok"].concat();
        let got = [b"HTTP/1.1 ", got, b"\r\n", DATE, b"Content-Length: 2\r\nVia: 1.1 PROXY\r\n\r\nok"].concat();
        rows.relay(&Then::Stays, End::Kept, &[(name, source, &sent, &got)]);
    }
    rows.done()
}
