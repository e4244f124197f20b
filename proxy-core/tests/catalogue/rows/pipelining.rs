//! What stands behind a request: the next one, decided on its own, or nothing at all.

use super::table::{
    Requests, chunked, chunked_sent_on, forwarded, get, get_sent_on, post, post_sent_on,
};
use super::{After, Outcome, Reached, RequestRow};

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<RequestRow> {
    let mut rows = Requests::of("pipelining and refusals");
    let (first, first_on) = (get(b"N: 1\r\n"), get_sent_on(b"N: 1\r\n"));
    let (second, second_on) = (get(b"N: 2\r\n"), get_sent_on(b"N: 2\r\n"));
    let mut pipelined = |name: &str, source, sent: &[&[u8]], got: &[&[u8]], answers: &[u16], reason, after| {
        let got = match got.concat() {
            got if got.is_empty() => Reached::Nothing,
            got => Reached::Exactly(got),
        };
        rows.row(name, source, &sent.concat(), Outcome { origin: got, answers: answers.to_vec(), reason, after });
    };
    pipelined("two requests", "RFC 9112 §9.3.2; llhttp, Http11Probe", &[&first, &second], &[&first_on, &second_on], &[200, 200], None, After::Open);
    pipelined("an empty line between two", "RFC 9112 §2.2; llhttp", &[&first, b"\r\n", &second], &[&first_on, &second_on], &[200, 200], None, After::Open);
    pipelined("a body between two", "RFC 9112 §6.3; llhttp", &[&post(b"Content-Length: 5\r\n", b"hello"), &second], &[&post_sent_on(b"Content-Length: 5\r\n", b"hello"), &second_on], &[200, 200], None, After::Open);
    pipelined("no body, and a request behind it", "RFC 9112 §6.3; HTTP Garden", &[&post(b"Content-Length: 0\r\n", b""), &post(b"Content-Length: 34\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nid: 2\r\n\r\n")], &[&post_sent_on(b"Content-Length: 0\r\n", b""), &post_sent_on(b"Content-Length: 34\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nid: 2\r\n\r\n")], &[200, 200], None, After::Open);
    pipelined("chunks between two", "RFC 9112 §7.1; llhttp", &[&chunked(b"1\r\na\r\n0\r\n\r\n"), &second], &[&chunked_sent_on(b"1\r\na\r\n0\r\n\r\n"), &second_on], &[200, 200], None, After::Open);
    pipelined("a body and a line end that old browsers added", "RFC 9112 §2.2", &[&post(b"Content-Length: 1\r\n", b"a\r\n"), &second], &[&post_sent_on(b"Content-Length: 1\r\n", b"a"), &second_on], &[200, 200], None, After::Open);
    pipelined("fields of one do not go into the next", "RFC 9112 §9.3.2", &[&get(b"Authorization: a\r\nCookie: b\r\nConnection: X\r\n"), &get(b"X: c\r\n")], &[&get_sent_on(b"Authorization: a\r\nCookie: b\r\n"), &get_sent_on(b"X: c\r\n")], &[200, 200], None, After::Open);
    pipelined("ten requests", "RFC 9112 §9.3.2", &[&first[..]; 10], &[&first_on[..]; 10], &[200; 10], None, After::Open);
    pipelined("nonsense behind a request", "RFC 9112 §9.3.2; HTTP Garden", &[&first, b"Invalid\r\n\r\n"], &[&first_on], &[200, 400], Some("bad_request_line"), After::Closed);
    pipelined("nonsense, then a good one", "RFC 9112 §9.3.2; ATS", &[&first, &get(b"X : y\r\n"), &second], &[&first_on], &[200, 400], Some("bad_request_field"), After::Closed);
    pipelined("an ambiguous length behind a request", "RFC 9112 §6.3; ATS", &[&first, &post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello"), &second], &[&first_on], &[200, 400], Some("bad_request_length"), After::Closed);
    pipelined("a body longer than its length", "RFC 9112 §6.3; Http11Probe", &[&post(b"Content-Length: 5\r\n", b"hello world\r\n\r\n")], &[&post_sent_on(b"Content-Length: 5\r\n", b"hello")], &[200, 400], Some("bad_request_line"), After::Closed);
    pipelined("a NUL behind the chunks", "RFC 9112 §7.1; HTTP Garden", &[&chunked(b"0\r\n\r\n"), b"\0\r\n\r\n"], &[&chunked_sent_on(b"0\r\n\r\n")], &[200, 400], Some("bad_request_line"), After::Closed);
    pipelined("a request behind close", "RFC 9112 §9.6; HAProxy, HTTP Garden", &[&get(b"Connection: close\r\n"), &second], &[&get_sent_on(b"")], &[200], None, After::Closed);
    pipelined("nonsense behind close", "RFC 9112 §9.6; HAProxy", &[&get(b"Connection: close\r\n"), b"txs is not sent\r\n\r\n"], &[&get_sent_on(b"")], &[200], None, After::Closed);
    pipelined("a request behind HTTP/1.0", "RFC 9112 §9.3", &[b"GET http://{origin}/ HTTP/1.0\r\n\r\n", &second], &[b"GET / HTTP/1.1\r\nHost: {origin}\r\nVia: 1.0 PROXY\r\n\r\n"], &[200], None, After::Closed);

    // Answered here, and not closed: what is left of the request is read and thrown away.
    let to_us = |lines: &str, body: &[u8]| [format!("POST / HTTP/1.1\r\nHost: {{origin}}\r\n{lines}\r\n").as_bytes(), body].concat();
    pipelined("a request behind one that is answered here", "RFC 9112 §9.3.2", &[&to_us("", b""), &second], &[&second_on], &[400, 200], None, After::Open);
    pipelined("its body looks like a request", "RFC 9112 §6.3", &[&to_us("Content-Length: 34\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nid: 2\r\n\r\n"), &second], &[&second_on], &[400, 200], None, After::Open);
    pipelined("its chunked body looks like a request", "RFC 9112 §7.1", &[&to_us("Transfer-Encoding: chunked\r\n", b"13\r\nGET /x HTTP/1.1\r\n\r\n\r\n0\r\n\r\n"), &second], &[], &[400], Some("not_a_proxy_request"), After::Closed);
    pipelined("its chunked body is malformed", "RFC 9112 §7.1", &[&to_us("Transfer-Encoding: chunked\r\n", b"x\r\n\r\n"), &second], &[], &[400], Some("not_a_proxy_request"), After::Closed);
    pipelined("its body is longer than is thrown away", "RFC 9112 §9.6: bounded", &[&to_us("Content-Length: 1000000\r\n", b"hello"), &second], &[], &[400], Some("not_a_proxy_request"), After::Closed);
    pipelined("it expects to be told to go on, and nobody knows whether its body came", "RFC 9110 §10.1.1; http-request-smuggler", &[&to_us("Expect: 100-continue\r\nContent-Length: 5\r\n", b""), &second], &[], &[400], Some("not_a_proxy_request"), After::Closed);
    pipelined("it asks for WebSocket, and speaks at once", "RFC 6455 §4.1", &[b"GET / HTTP/1.1\r\nHost: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", &second], &[], &[400], Some("not_a_proxy_request"), After::Closed);
    pipelined("a tunnel that cannot be, and a request in it", "RFC 9110 §9.3.6", &[b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: {origin}\r\n\r\n", &second], &[], &[502], Some("connect_refused"), After::Closed);
    pipelined("an upstream that is not there, and a body that looks like a request", "RFC 9112 §6.3", &[b"POST http://127.0.0.1:1/ HTTP/1.1\r\nHost: {origin}\r\nContent-Length: 34\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nid: 2\r\n\r\n", &second], &[&second_on], &[502, 200], None, After::Open);
    pipelined("an upstream that is not there, and a body that may come", "RFC 9110 §10.1.1", &[b"POST http://127.0.0.1:1/ HTTP/1.1\r\nHost: {origin}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", &second], &[], &[502], Some("connect_refused"), After::Closed);
    pipelined("TRACE that ends here, and a request", "RFC 9110 §7.6.2", &[b"TRACE http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nMax-Forwards: 0\r\n\r\n", &second], &[&second_on], &[200, 200], None, After::Open);
    let whole = Outcome { after: After::Closed, ..forwarded(&first_on) };
    rows.row("the end comes behind a request", "RFC 9112 §9.6: it is answered", &first, whole).ends = true;
    let whole = Outcome { after: After::Closed, ..forwarded(&chunked_sent_on(b"1\r\na\r\n0\r\n\r\n")) };
    rows.row("the end comes behind a body", "RFC 9112 §9.6: it is answered", &chunked(b"1\r\na\r\n0\r\n\r\n"), whole).ends = true;
    rows.done()
}
