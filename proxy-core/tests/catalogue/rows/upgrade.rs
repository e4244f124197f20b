//! `Upgrade`, and tunnels.

use super::table::{Requests, forwarded, get, get_sent_on, post, post_sent_on};
use super::{After, Outcome, Reached, RequestRow};

const KEY: &[u8] = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<RequestRow> {
    let mut rows = Requests::of("upgrade and tunnels");
    let asked = [KEY, b"Via: 1.1 PROXY\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"].concat();
    let asked = [b"GET / HTTP/1.1\r\nHost: {origin}\r\n", &asked[..]].concat();
    for (name, source, lines) in [
        ("WebSocket", "RFC 6455 §4.1; HAProxy", "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
        ("WebSocket, as browsers ask", "RFC 6455 §4.1", "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"),
        ("WebSocket, with Connection twice", "RFC 9110 §5.3", "Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"),
    ] {
        // Whoever has asked for another protocol must wait for the answer (RFC 6455 §4.1).
        let outcome = Outcome { after: After::OpenIfAlone, ..forwarded(&asked) };
        rows.row(name, source, &get(&[lines.as_bytes(), KEY].concat()), outcome);
    }
    rows.forward_lines(&[
        ("not named by Connection", "RFC 9110 §7.8; Http11Probe", b"Upgrade: websocket\r\nA: b\r\n", b"A: b\r\n"),
        ("named by Connection, yet not there", "RFC 9110 §7.8", b"Connection: upgrade\r\nA: b\r\n", b"A: b\r\n"),
        ("to nothing", "RFC 9110 §7.8", b"Connection: upgrade\r\nUpgrade:\r\n", b""),
        ("to h2c", "RFC 9110 §7.8; HAProxy", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n", b""),
        ("to h2c, its settings not named", "RFC 7540 §3.2.1", b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n", b""),
        ("to h2c and WebSocket", "RFC 9110 §7.8", b"Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n", b""),
        ("to WebSocket and h2c, in two lines", "RFC 9110 §7.8", b"Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n", b""),
        ("to WebSocket twice", "RFC 9110 §7.8", b"Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n", b""),
        ("to WebSocket with a version", "RFC 9110 §7.8", b"Connection: Upgrade\r\nUpgrade: websocket/13\r\n", b""),
        ("to TLS", "RFC 2817 §3.1", b"Connection: Upgrade\r\nUpgrade: TLS/1.2, HTTP/1.1\r\n", b""),
        ("to HTTP/2.0", "RFC 9110 §7.8", b"Connection: Upgrade\r\nUpgrade: HTTP/2.0\r\n", b""),
        ("to another one", "RFC 9110 §7.8; Http11Probe", b"Connection: Upgrade\r\nUpgrade: foo\r\n", b""),
    ]);
    rows.forward(&[
        ("WebSocket with a body", "RFC 6455 §4.1; llhttp", &post(b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n", b"a"), &post_sent_on(b"Content-Length: 1\r\n", b"a")),
        ("WebSocket with POST and no body", "RFC 6455 §4.1; Http11Probe", &post(b"Connection: Upgrade\r\nUpgrade: websocket\r\n", b""), &post_sent_on(b"", b"")),
        ("WebSocket with a chunked body", "RFC 6455 §4.1", &[&get(b"Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n")[..], b"0\r\n\r\n"].concat(), &[&get_sent_on(b"Transfer-Encoding: chunked\r\n")[..], b"0\r\n\r\n"].concat()),
    ]);
    let outcome = Outcome { after: After::Closed, ..forwarded(b"GET / HTTP/1.1\r\nHost: {origin}\r\nVia: 1.0 PROXY\r\n\r\n") };
    rows.row("WebSocket in HTTP/1.0", "RFC 9110 §7.8: to be ignored; Http11Probe", b"GET http://{origin}/ HTTP/1.0\r\nHost: {origin}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", outcome);

    let tunnel = |got: &[u8], answers: Vec<u16>| Outcome {
        origin: Reached::Exactly(got.to_vec()),
        answers,
        reason: None,
        after: After::Tunnel,
    };
    let inside = b"GET /inside HTTP/1.0\r\nX : \x01\r\n\r\n";
    let early = [b"CONNECT {origin} HTTP/1.1\r\nHost: {origin}\r\n\r\n", &inside[..]].concat();
    rows.row("a tunnel and what it carries", "RFC 9110 §9.3.6", &early, tunnel(inside, vec![200, 200]));
    let fields = [b"CONNECT {origin} HTTP/1.1\r\nHost: b.example\r\nProxy-Authorization: Basic a\r\nContent-Length: 0\r\n\r\n", &inside[..]].concat();
    rows.row("a tunnel asked for with fields", "RFC 9110 §9.3.6: none of them goes through", &fields, tunnel(inside, vec![200, 200]));
    let old = [b"CONNECT {origin} HTTP/1.0\r\n\r\n", &inside[..]].concat();
    rows.row("a tunnel in HTTP/1.0", "RFC 9110 §9.3.6", &old, tunnel(inside, vec![200, 200]));
    rows.done()
}
