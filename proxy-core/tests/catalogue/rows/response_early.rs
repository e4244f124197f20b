//! Answers that come before the request has ended: what is left of it is no request, and where
//! the next would begin is not known, on either side.

use super::table::{DATE, Responses, ok};
use super::{End, Received, ResponseRow, Then};

const FIVE: &[u8] = b"Content-Length: 5\r\n";
const REST: &[u8] = b"GET http://{origin}/smuggled HTTP/1.1\r\nHost: {origin}\r\n\r\n";

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<ResponseRow> {
    let mut rows = Responses::of("response: before the request has ended");
    let close = b"Via: 1.1 PROXY\r\nConnection: close\r\n\r\n";
    for (name, source, lines, body) in [
        ("nothing of the body has come", "RFC 9112 §9.3; HAProxy", "Content-Length: 1000\r\n", &b""[..]),
        ("a part of the body has come", "RFC 9112 §9.3; nginx-tests", "Content-Length: 1000\r\n", b"hello"),
        ("the body looks like a request", "RFC 9112 §6.3; http-request-smuggler", "Content-Length: 1000\r\n", REST),
        ("one byte of the body is missing", "RFC 9112 §6.3", "Content-Length: 6\r\n", b"hello"),
        ("nothing of the chunks has come", "RFC 9112 §7.1", "Transfer-Encoding: chunked\r\n", b""),
        ("a part of the chunks has come", "RFC 9112 §7.1", "Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n"),
        ("a chunk looks like a request", "RFC 9112 §7.1", "Transfer-Encoding: chunked\r\n", &[b"fff\r\n", REST].concat()),
        ("all but the end has come", "RFC 9112 §7.1", "Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n"),
        ("the client waits to be told to go on", "RFC 9110 §10.1.1: its body may come or not", "Expect: 100-continue\r\nContent-Length: 5\r\n", b""),
    ] {
        let request = [format!("POST http://{{origin}}/ HTTP/1.1\r\nHost: {{origin}}\r\n{lines}\r\n").as_bytes(), body].concat();
        let whole = [b"HTTP/1.1 200 OK\r\n", DATE, FIVE, close, b"hello"].concat();
        rows.row(name, source, &ok(FIVE, b"hello"), Then::Early, Received::Relayed(whole, End::Closed)).request = request.clone();
        let refused = [b"HTTP/1.1 401 Unauthorized\r\n", DATE, b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"].concat();
        let relayed = [b"HTTP/1.1 401 Unauthorized\r\n", DATE, b"Transfer-Encoding: chunked\r\n", close, b"0\r\n\r\n"].concat();
        rows.row(&format!("{name}, refused"), source, &refused, Then::Early, Received::Relayed(relayed, End::Closed)).request = request;
    }
    rows.done()
}
