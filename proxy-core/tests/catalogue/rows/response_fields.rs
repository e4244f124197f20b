//! Field lines of responses.

use super::table::{Responses, ok, ok_relayed};
use super::{End, ResponseRow, Then};

const EMPTY: &[u8] = b"Content-Length: 0\r\n";

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<ResponseRow> {
    let mut rows = Responses::of("response: fields");
    for (name, source, lines) in [
        ("bare LF behind it", "RFC 9112 §2.2; llhttp", &b"A: b\nC: d\r\n"[..]),
        ("bare CR in the value", "RFC 9112 §2.2; llhttp", b"A: b\rC: d\r\n"),
        ("bare CR behind the colon", "RFC 9112 §2.2; llhttp", b"A:\rC: d\r\n"),
        ("CR twice", "RFC 9112 §2.2", b"A: b\r\r\n"),
        ("CRLF then LF", "RFC 9112 §2.2", b"A: b\r\n\nC: d\r\n"),
        ("CR before the empty line", "RFC 9112 §2.2", b"A: b\r\n\r"),
        ("NUL in the value", "RFC 9110 §5.5", b"A: b\0c\r\n"),
        ("NUL in the name", "RFC 9110 §5.1", b"A\0: b\r\n"),
        ("a control byte in the value", "RFC 9110 §5.5", b"A: \x01\r\n"),
        ("DEL in the value", "RFC 9110 §5.5", b"A: \x7f\r\n"),
        ("folded", "RFC 9112 §5.2: refused with 502, as it may be; llhttp", b"A: b\r\n c\r\n"),
        ("folded with a tab", "RFC 9112 §5.2", b"A: b\r\n\tc\r\n"),
        ("folded to nothing", "RFC 9112 §5.2", b"A: b\r\n \r\n"),
        ("folded before the value", "RFC 9112 §5.2", b"A:\r\n b\r\n"),
        ("white space before the first field", "RFC 9112 §2.2", b" A: b\r\n"),
        ("a space before the colon", "RFC 9112 §5.1: must not go on; llhttp", b"A : b\r\n"),
        ("a tab before the colon", "RFC 9112 §5.1", b"A\t: b\r\n"),
        ("a space in the name", "RFC 9110 §5.1; llhttp", b"Two Words: b\r\n"),
        ("no colon", "RFC 9112 §5", b"A b\r\n"),
        ("no name", "RFC 9110 §5.1", b": b\r\n"),
        ("bytes beyond ASCII in the name", "RFC 9110 §5.1", b"caf\xc3\xa9: b\r\n"),
        ("a delimiter in the name", "RFC 9110 §5.1", b"A(b): c\r\n"),
        ("a status line for a field", "RFC 9112 §5", b"HTTP/1.1 200 OK\r\n"),
        ("a space before the colon of Content-Length", "RFC 9112 §5.1", b"Content-Length : 5\r\n"),
        ("a space before the colon of Transfer-Encoding", "RFC 9112 §5.1", b"Transfer-Encoding : chunked\r\n"),
        ("a folded Transfer-Encoding", "RFC 9112 §5.2; llhttp", b"Transfer-Encoding:\r\n chunked\r\n"),
    ] {
        rows.refuse("bad_response", &[(name, source, &ok(&[lines, EMPTY].concat(), b""))]);
    }
    rows.refuse("bad_response", &[("bare LF for the empty line", "RFC 9112 §2.2", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n")]);
    for (name, source, lines) in [
        ("200 fields", "bounded", "A: b\r\n".repeat(200)),
        ("300 fields", "bounded", "A: b\r\n".repeat(300)),
        ("a value of 40,000 bytes", "bounded", format!("A: {}\r\n", "v".repeat(40_000))),
    ] {
        rows.refuse("response_head_too_large", &[(name, source, &ok(lines.as_bytes(), b""))]);
    }
    for (name, source, lines, got) in [
        ("no white space behind the colon", "RFC 9112 §5.1", &b"A:b\r\n"[..], &b"A: b\r\n"[..]),
        ("white space around the value", "RFC 9112 §5.1; llhttp", b"A: \t b \t\r\n", b"A: b\r\n"),
        ("no value", "RFC 9110 §5.5", b"A:\r\n", b"A: \r\n"),
        ("bytes beyond ASCII in the value", "RFC 9110 §5.5: old servers send them", b"A: caf\xe9\r\n", b"A: caf\xe9\r\n"),
        ("an underscore in the name", "RFC 9110 §5.1; llhttp", b"a_b: c\r\n", b"a_b: c\r\n"),
        ("two cookies", "RFC 6265 §3: not to be joined", b"Set-Cookie: a=b\r\nSet-Cookie: c=d\r\n", b"Set-Cookie: a=b\r\nSet-Cookie: c=d\r\n"),
        ("a field that Connection names", "RFC 9110 §7.6.1", b"Connection: X-Foo\r\nX-Foo: a\r\n", b""),
        ("Date that Connection names", "RFC 9110 §7.6.1, §6.6.1: stays", b"Connection: Date\r\n", b""),
        ("Connection: keep-alive", "RFC 9112 §9.3; llhttp", b"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n", b""),
        ("Proxy-Connection", "RFC 9112 §C.2.2; llhttp", b"Proxy-Connection: close\r\n", b""),
        ("Proxy-Authenticate", "RFC 9110 §11.7.1", b"Proxy-Authenticate: Basic realm=\"a\"\r\n", b""),
        ("WWW-Authenticate", "RFC 9110 §11.6.1", b"WWW-Authenticate: Basic realm=\"a\"\r\n", b"WWW-Authenticate: Basic realm=\"a\"\r\n"),
        ("TE and Trailer", "RFC 9110 §6.6.2", b"TE: trailers\r\nTrailer: Digest\r\n", b""),
        ("Upgrade", "RFC 9110 §7.8; llhttp", b"Connection: Upgrade\r\nUpgrade: h2c\r\n", b""),
        ("Via of others", "RFC 9110 §7.6.3", b"Via: 1.0 b\r\n", b"Via: 1.0 b\r\n"),
        ("Host", "RFC 9110 §7.2: means nothing here", b"Host: b.example\r\n", b""),
    ] {
        let (sent, got) = (ok(&[lines, EMPTY].concat(), b""), ok_relayed(&[got, EMPTY].concat(), b""));
        rows.relay(&Then::Stays, End::Kept, &[(name, source, &sent, &got)]);
    }
    for (name, source, lines) in [
        ("Connection: close", "RFC 9112 §9.6", &b"Connection: close\r\n"[..]),
        ("close beside others", "RFC 9112 §9.6", b"Connection: X-Foo, CLOSE\r\nX-Foo: a\r\n"),
    ] {
        let (sent, got) = (ok(&[lines, EMPTY].concat(), b""), ok_relayed(EMPTY, b""));
        rows.relay(&Then::Stays, End::Dropped, &[(name, source, &sent, &got)]);
    }
    rows.done()
}
