//! Interim responses, and the switch to another protocol.

use super::table::{DATE, Responses, get, ok, ok_relayed};
use super::{End, Received, ResponseRow, Then};

const FINAL: &[u8] = b"Content-Length: 2\r\n";

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<ResponseRow> {
    let mut rows = Responses::of("response: interim and 101");
    let (last, last_on) = (ok(FINAL, b"ok"), ok_relayed(FINAL, b"ok"));
    for (name, source, interim, got) in [
        ("100", "RFC 9110 §15.2.1; HAProxy, llhttp", &b"HTTP/1.1 100 Continue\r\n\r\n"[..], &b"HTTP/1.1 100 Continue\r\nVia: 1.1 PROXY\r\n\r\n"[..]),
        ("100 twice", "RFC 9110 §15.2", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\nVia: 1.1 PROXY\r\n\r\nHTTP/1.1 100 Continue\r\nVia: 1.1 PROXY\r\n\r\n"),
        ("100 with a length of 0", "RFC 9110 §8.6: dropped", b"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 100 Continue\r\nVia: 1.1 PROXY\r\n\r\n"),
        ("102 and 103", "RFC 8297 §2; llhttp, nginx-tests", b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n", b"HTTP/1.1 102 Processing\r\nVia: 1.1 PROXY\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\nVia: 1.1 PROXY\r\n\r\n"),
        ("one that nobody knows", "RFC 9110 §15.2: passed on", b"HTTP/1.1 199 Odd\r\n\r\n", b"HTTP/1.1 199 Odd\r\nVia: 1.1 PROXY\r\n\r\n"),
        ("Set-Cookie in it", "RFC 9110 §15.2", b"HTTP/1.1 103 Early Hints\r\nSet-Cookie: a=b\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nSet-Cookie: a=b\r\nVia: 1.1 PROXY\r\n\r\n"),
        ("hop-by-hop fields in it", "RFC 9110 §7.6.1", b"HTTP/1.1 103 Early Hints\r\nConnection: X\r\nX: y\r\nKeep-Alive: a\r\nUpgrade: h2c\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nVia: 1.1 PROXY\r\n\r\n"),
    ] {
        let (sent, got) = ([interim, &last].concat(), [got, &last_on].concat());
        rows.relay(&Then::Stays, End::Kept, &[(name, source, &sent, &got)]);
    }
    let hundreds = |count: usize| b"HTTP/1.1 100 Continue\r\n\r\n".repeat(count);
    let hundreds_on = |count: usize| b"HTTP/1.1 100 Continue\r\nVia: 1.1 PROXY\r\n\r\n".repeat(count);
    rows.relay(&Then::Stays, End::Kept, &[("sixteen", "bounded", &[&hundreds(16)[..], &last].concat(), &[&hundreds_on(16)[..], &last_on].concat())]);
    for (name, source, sent, reason) in [
        ("with a length", "RFC 9110 §8.6: some would read the final response as its content", &b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n"[..], "bad_response_length"),
        ("with content", "RFC 9110 §8.6", b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello", "bad_response_length"),
        ("with chunked", "RFC 9112 §6.1", b"HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n", "bad_response_length"),
        ("malformed", "RFC 9112 §4", b"HTTP/1.1 100\rContinue\r\n\r\n", "bad_response"),
        ("with chunked and Content-Length", "RFC 9112 §6.1", b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "bad_response_length"),
        ("101 that nobody asked for", "RFC 9110 §7.8; llhttp", b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "unexpected_upgrade"),
        ("101 to h2c", "RFC 9110 §7.8", b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "unexpected_upgrade"),
        ("101 to nothing", "RFC 9110 §7.8", b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "unexpected_upgrade"),
        ("101 with a body", "RFC 9110 §7.8; llhttp", b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 4\r\n\r\nbody", "unexpected_upgrade"),
    ] {
        rows.refuse(reason, &[(name, source, &[sent, &last].concat())]);
    }
    let asks = get(b"Connection: Upgrade\r\nUpgrade: websocket\r\n");
    for (name, source, lines) in [
        ("101 to another protocol than asked for", "RFC 9110 §7.8; HAProxy", &b"Connection: Upgrade\r\nUpgrade: h2c\r\n"[..]),
        ("101 to two protocols", "RFC 9110 §7.8", b"Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n"),
        ("101 that names none", "RFC 6455 §4.2.2; HAProxy", b"Connection: Upgrade\r\n"),
        ("101 without Connection", "RFC 6455 §4.2.2", b"Upgrade: websocket\r\n"),
    ] {
        let sent = [b"HTTP/1.1 101 Switching Protocols\r\n", lines, b"\r\n"].concat();
        rows.row(name, source, &sent, Then::Stays, Received::Refused(502, "unexpected_upgrade")).request = asks.clone();
    }
    let sent = [b"HTTP/1.0 101 Switching Protocols\r\n", DATE, b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"].concat();
    rows.row("101 in HTTP/1.0", "RFC 9110 §7.8", &sent, Then::Stays, Received::Refused(502, "unexpected_upgrade")).request = asks.clone();
    let sent = [b"HTTP/1.1 101 Switching Protocols\r\n", DATE, b"Upgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n\x81\x02hi"].concat();
    let got = [b"HTTP/1.1 101 Switching Protocols\r\n", DATE, b"Sec-WebSocket-Accept: x\r\nVia: 1.1 PROXY\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi"].concat();
    rows.row("101 that was asked for", "RFC 6455 §4.2.2; HAProxy", &sent, Then::Ends, Received::Relayed(got, End::Closed)).request = asks.clone();
    rows.row("an ordinary answer to who asked for WebSocket", "RFC 9110 §7.8; HAProxy", &last, Then::Stays, Received::Relayed(last_on.clone(), End::Kept)).request = asks;
    let old = b"GET http://{origin}/ HTTP/1.0\r\n\r\n".to_vec();
    let got = [b"HTTP/1.1 200 OK\r\n", DATE, FINAL, b"Via: 1.1 PROXY\r\nConnection: close\r\n\r\nok"].concat();
    rows.row("100 to HTTP/1.0", "RFC 9110 §15.2: must not be sent; Http11Probe", &[b"HTTP/1.1 100 Continue\r\n\r\n", &last[..]].concat(), Then::Stays, Received::Relayed(got.clone(), End::Closed)).request = old.clone();
    let got = [b"HTTP/1.1 200 OK\r\n", DATE, b"Via: 1.1 PROXY\r\nConnection: close\r\n\r\nhello"].concat();
    rows.row("chunked to HTTP/1.0", "RFC 9112 §6.1: decoded", &ok(b"Transfer-Encoding: chunked\r\n", b"5;a\r\nhello\r\n0\r\nA: b\r\n\r\n"), Then::Stays, Received::Relayed(got, End::Closed)).request = old.clone();
    let got = [b"HTTP/1.1 200 OK\r\n", DATE, b"Via: 1.1 PROXY\r\nConnection: close\r\n\r\nhello"].concat();
    rows.row("malformed chunks to HTTP/1.0", "RFC 9112 §8: only a reset can tell", &ok(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\nx\r\n"), Then::Stays, Received::Spoilt(got, "bad_response_body")).request = old;
    rows.done()
}
