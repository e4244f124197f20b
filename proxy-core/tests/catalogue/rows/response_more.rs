//! Bytes too few and too many: responses that are cut, and those with something behind them.

use super::table::{DATE, Responses, ok, ok_relayed};
use super::{End, Received, ResponseRow, Then};

const FIVE: &[u8] = b"Content-Length: 5\r\n";
const EXTRA: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX: poison\r\n\r\npoison";

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<ResponseRow> {
    let mut rows = Responses::of("response: too short");
    for (name, source, sent) in [
        ("nothing", "RFC 9112 §8; nginx-tests", &b""[..]),
        ("a part of the status line", "RFC 9112 §8; nginx-tests", b"HTTP/1.1 2"),
        ("a status line", "RFC 9112 §8; HAProxy", b"HTTP/1.1 200 OK\r\n"),
        ("a part of a field", "RFC 9112 §8; HAProxy", b"HTTP/1.1 200 OK\r\nContent-Le"),
        ("all but the empty line", "RFC 9112 §8; HAProxy", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"),
        ("all but a half of the empty line", "RFC 9112 §8", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r"),
    ] {
        rows.row(name, source, sent, Then::Ends, Received::Refused(502, "upstream_closed"));
    }
    rows.relay(&Then::Ends, End::Closed, &[
        ("a head and no body", "RFC 9112 §8; HAProxy, nginx-tests", &ok(FIVE, b""), &ok_relayed(FIVE, b"")),
        ("a part of the body", "RFC 9112 §8; HAProxy, nginx-tests", &ok(FIVE, b"hell"), &ok_relayed(FIVE, b"hell")),
        ("a part of a body of 2^63 - 1", "RFC 9112 §8", &ok(b"Content-Length: 9223372036854775807\r\n", b"hell"), &ok_relayed(b"Content-Length: 9223372036854775807\r\n", b"hell")),
    ]);
    let short = rows.done();

    let mut rows = Responses::of("response: bytes beyond, idle connections");
    let five = ok_relayed(FIVE, b"hello");
    for (name, source, extra) in [
        ("another response", "RFC 9112 §9.2; nginx-tests", EXTRA),
        ("one byte", "RFC 9112 §9.2; nginx-tests", b"!"),
        ("a line end", "RFC 9112 §2.2: for requests only", b"\r\n"),
        ("NUL", "RFC 9112 §9.2", b"\0"),
        ("nonsense", "RFC 9112 §9.2", b"more than was announced"),
        ("half a response", "RFC 9112 §9.2", b"HTTP/1.1 200 OK\r\nContent-Le"),
        ("an interim response", "RFC 9110 §15.2", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        let sent = ok(FIVE, &[b"hello", extra].concat());
        rows.relay(&Then::Stays, End::Dropped, &[(&format!("{name} behind Content-Length"), source, &sent, &five)]);
        let sent = ok(b"Transfer-Encoding: chunked\r\n", &[b"5\r\nhello\r\n0\r\n\r\n", extra].concat());
        let got = ok_relayed(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n");
        rows.relay(&Then::Stays, End::Dropped, &[(&format!("{name} behind chunks"), source, &sent, &got)]);
        let sent = [b"HTTP/1.1 204 No Content\r\n", DATE, b"\r\n", extra].concat();
        let got = [b"HTTP/1.1 204 No Content\r\n", DATE, b"Via: 1.1 PROXY\r\n\r\n"].concat();
        rows.relay(&Then::Stays, End::Dropped, &[(&format!("{name} behind 204"), source, &sent, &got)]);
        let sent = [b"HTTP/1.1 304 Not Modified\r\n", DATE, b"\r\n", extra].concat();
        let got = [b"HTTP/1.1 304 Not Modified\r\n", DATE, b"Via: 1.1 PROXY\r\n\r\n"].concat();
        rows.relay(&Then::Stays, End::Dropped, &[(&format!("{name} behind 304"), source, &sent, &got)]);
        let received = Received::Relayed(ok_relayed(FIVE, b""), End::Dropped);
        rows.row(&format!("{name} behind the answer to HEAD"), source, &ok(FIVE, extra), Then::Stays, received).request =
            b"HEAD http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n".to_vec();
        rows.relay(&Then::Adds(extra), End::Dropped, &[(&format!("{name} later, on the idle connection"), "RFC 9112 §9.2: an answer to nothing", &ok(FIVE, b"hello"), &five)]);
    }
    [short, rows.done()].concat()
}
