//! Methods, and what is particular to one of them or to HTTP/1.0.

use super::table::{Requests, answered, forwarded, refused};
use super::{After, Outcome, RequestRow};

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<RequestRow> {
    let mut rows = Requests::of("methods and versions");
    for (method, source) in [
        ("GET", "RFC 9110 §9.3.1"),
        ("HEAD", "RFC 9110 §9.3.2"),
        ("POST", "RFC 9110 §9.3.3"),
        ("PUT", "RFC 9110 §9.3.4"),
        ("DELETE", "RFC 9110 §9.3.5"),
        ("OPTIONS", "RFC 9110 §9.3.7"),
        ("TRACE", "RFC 9110 §9.3.8"),
        ("PATCH", "RFC 5789; llhttp"),
        ("PROPFIND", "RFC 4918"),
        ("REPORT", "RFC 3253; llhttp"),
        ("M-SEARCH", "UPnP; llhttp"),
        ("PURGE", "llhttp"),
        ("LINK", "RFC 2068; llhttp"),
        ("QUERY", "llhttp"),
        ("ANNOUNCE", "llhttp"),
        ("MKCOLA", "RFC 9110 §9.1; llhttp"),
        ("get", "RFC 9110 §9.1: methods have case; Http11Probe, ATS"),
        ("Get", "RFC 9110 §9.1"),
        ("patch", "RFC 9110 §9.1: browsers send it for fetch()"),
        ("PRI", "RFC 9113 §3.4: only with its target and version"),
        ("HTTP", "RFC 9110 §9.1: a token"),
        ("X", "RFC 9110 §9.1"),
        ("!#$%&'*+-.^_`|~0", "RFC 9110 §5.6.2: all that a token may hold; HTTP Garden"),
    ] {
        let sent = format!("{method} http://{{origin}}/ HTTP/1.1\r\nHost: {{origin}}\r\n\r\n");
        let got = format!("{method} / HTTP/1.1\r\nHost: {{origin}}\r\nVia: 1.1 PROXY\r\n\r\n");
        rows.row(method, source, sent.as_bytes(), forwarded(got.as_bytes()));
    }
    rows.refuse(
        400,
        "bad_request_line",
        &[
            ("no method", "RFC 9112 §3", b" http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("a method of delimiters", "RFC 9110 §9.1; HTTP Garden", b"G=\":<>(e),[T];?\" http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("a method in quotes", "RFC 9110 §9.1", b"\"GET\" http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("a slash in the method", "RFC 9110 §9.1", b"GET/ http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("a method of other letters", "RFC 9110 §9.1", b"G\xc3\x8bT http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("head, which some take for HEAD", "RFC 9110 §9.1: whether its answer has a body is in doubt", b"head http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("Head", "RFC 9110 §9.1", b"Head http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("connect, which some take for CONNECT", "RFC 9110 §9.1: whether a tunnel begins is in doubt", b"connect http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("Connect, in authority-form", "RFC 9110 §9.1; llhttp", b"Connect {origin} HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("trace, which some take for TRACE", "RFC 9110 §9.1: whether it may have a body is in doubt", b"trace http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
        ],
    );
    let long = |length: usize| {
        let method = "A".repeat(length);
        format!("{method} http://{{origin}}/ HTTP/1.1\r\nHost: {{origin}}\r\n\r\n").into_bytes()
    };
    let got = format!("{} / HTTP/1.1\r\nHost: {{origin}}\r\nVia: 1.1 PROXY\r\n\r\n", "A".repeat(32));
    rows.row("a method of 32 letters", "RFC 9110 §9.1", &long(32), forwarded(got.as_bytes()));
    rows.row("a method of 33 letters", "RFC 9110 §9.1: the longest registered has 17", &long(33), refused(400, "bad_request_line"));
    rows.row("a method of 10,000 letters", "RFC 9112 §3; Http11Probe", &long(10_000), refused(400, "bad_request_line"));
    rows.refuse(
        400,
        "bad_request_length",
        &[
            ("TRACE with a body", "RFC 9110 §9.3.8; ATS, Http11Probe", b"TRACE http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nContent-Length: 2\r\n\r\nok"),
            ("TRACE with a chunked body", "RFC 9110 §9.3.8; ATS", b"TRACE http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            ("CONNECT with a body", "RFC 9110 §9.3.6; llhttp", b"CONNECT {origin} HTTP/1.1\r\nHost: {origin}\r\nContent-Length: 10\r\n\r\nblarfcicle"),
            ("CONNECT with a chunked body", "RFC 9110 §9.3.6", b"CONNECT {origin} HTTP/1.1\r\nHost: {origin}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ],
    );
    rows.refuse(
        400,
        "bad_request_field",
        &[
            ("Max-Forwards below zero", "RFC 9110 §7.6.2", b"TRACE http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nMax-Forwards: -1\r\n\r\n"),
            ("Max-Forwards of no number", "RFC 9110 §7.6.2", b"OPTIONS http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nMax-Forwards: many\r\n\r\n"),
            ("Max-Forwards without a value", "RFC 9110 §7.6.2", b"OPTIONS http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nMax-Forwards:\r\n\r\n"),
            ("Max-Forwards twice", "RFC 9110 §7.6.2, §5.3", b"TRACE http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nMax-Forwards: 5\r\nMax-Forwards: 0\r\n\r\n"),
            ("Max-Forwards as a list", "RFC 9110 §7.6.2", b"TRACE http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nMax-Forwards: 5, 0\r\n\r\n"),
        ],
    );
    rows.forward(&[
        ("Max-Forwards is counted", "RFC 9110 §7.6.2", b"TRACE http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nMax-Forwards: 007\r\n\r\n", b"TRACE / HTTP/1.1\r\nHost: {origin}\r\nMax-Forwards: 6\r\nVia: 1.1 PROXY\r\n\r\n"),
        ("Max-Forwards with another method", "RFC 9110 §7.6.2", b"GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nMax-Forwards: 0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: {origin}\r\nMax-Forwards: 0\r\nVia: 1.1 PROXY\r\n\r\n"),
        ("Max-Forwards cannot be named away", "RFC 9110 §7.6.1, §7.6.2", b"OPTIONS http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nConnection: Max-Forwards\r\nMax-Forwards: 2\r\n\r\n", b"OPTIONS / HTTP/1.1\r\nHost: {origin}\r\nMax-Forwards: 1\r\nVia: 1.1 PROXY\r\n\r\n"),
        ("OPTIONS of a whole server", "RFC 9112 §3.2.4", b"OPTIONS http://{origin} HTTP/1.1\r\nHost: {origin}\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: {origin}\r\nVia: 1.1 PROXY\r\n\r\n"),
        ("TRACE that says it has no body", "RFC 9110 §9.3.8", b"TRACE http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nContent-Length: 0\r\n\r\n", b"TRACE / HTTP/1.1\r\nHost: {origin}\r\nContent-Length: 0\r\nVia: 1.1 PROXY\r\n\r\n"),
        ("GET with a body", "RFC 9110 §9.3.1; HAProxy, Http11Probe", b"GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nContent-Length: 4\r\n\r\nbody", b"GET / HTTP/1.1\r\nHost: {origin}\r\nContent-Length: 4\r\nVia: 1.1 PROXY\r\n\r\nbody"),
        ("HEAD with a body", "RFC 9110 §9.3.2; HAProxy, Http11Probe", b"HEAD http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nContent-Length: 4\r\n\r\nbody", b"HEAD / HTTP/1.1\r\nHost: {origin}\r\nContent-Length: 4\r\nVia: 1.1 PROXY\r\n\r\nbody"),
        ("DELETE with a chunked body", "RFC 9110 §9.3.5", b"DELETE http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", b"DELETE / HTTP/1.1\r\nHost: {origin}\r\nTransfer-Encoding: chunked\r\nVia: 1.1 PROXY\r\n\r\n1\r\na\r\n0\r\n\r\n"),
        ("OPTIONS with a body", "RFC 9110 §9.3.7; Http11Probe", b"OPTIONS http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nContent-Length: 1\r\n\r\n*", b"OPTIONS / HTTP/1.1\r\nHost: {origin}\r\nContent-Length: 1\r\nVia: 1.1 PROXY\r\n\r\n*"),
        ("POST without any length", "RFC 9112 §6.3; Http11Probe", b"POST http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n", b"POST / HTTP/1.1\r\nHost: {origin}\r\nVia: 1.1 PROXY\r\n\r\n"),
    ]);
    for (name, source, sent, got) in [
        ("HTTP/1.0", "RFC 9110 §2.5: sent on as 1.1", "GET http://{origin}/ HTTP/1.0\r\nHost: {origin}\r\n\r\n", "GET / HTTP/1.1\r\nHost: {origin}\r\nVia: 1.0 PROXY\r\n\r\n"),
        ("HTTP/1.0 without Host", "RFC 9112 §3.2; Http11Probe", "GET http://{origin}/ HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: {origin}\r\nVia: 1.0 PROXY\r\n\r\n"),
        ("HTTP/1.0 with keep-alive", "RFC 9112 §C.2.2; llhttp", "GET http://{origin}/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / HTTP/1.1\r\nHost: {origin}\r\nVia: 1.0 PROXY\r\n\r\n"),
        ("HTTP/1.0 with Proxy-Connection", "RFC 9112 §C.2.2", "GET http://{origin}/ HTTP/1.0\r\nProxy-Connection: Keep-Alive\r\n\r\n", "GET / HTTP/1.1\r\nHost: {origin}\r\nVia: 1.0 PROXY\r\n\r\n"),
        ("HTTP/1.0 with a body", "RFC 9112 §6.3", "POST http://{origin}/ HTTP/1.0\r\nContent-Length: 2\r\n\r\nok", "POST / HTTP/1.1\r\nHost: {origin}\r\nContent-Length: 2\r\nVia: 1.0 PROXY\r\n\r\nok"),
        ("HTTP/1.0 that expects to be told to go on", "RFC 9110 §10.1.1: to be ignored", "POST http://{origin}/ HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok", "POST / HTTP/1.1\r\nHost: {origin}\r\nContent-Length: 2\r\nVia: 1.0 PROXY\r\n\r\nok"),
        ("HTTP/1.0 with TE", "RFC 9110 §10.1.4", "GET http://{origin}/ HTTP/1.0\r\nTE: trailers\r\nConnection: TE\r\n\r\n", "GET / HTTP/1.1\r\nHost: {origin}\r\nVia: 1.0 PROXY\r\n\r\n"),
    ] {
        let outcome = Outcome { after: After::Closed, ..forwarded(got.as_bytes()) };
        rows.row(name, source, sent.as_bytes(), outcome);
    }
    rows.row("OPTIONS *", "RFC 9110 §9.3.7: the proxy itself is meant", b"OPTIONS * HTTP/1.1\r\nHost: {origin}\r\n\r\n", answered(200, None));
    rows.row("TRACE that may go no further", "RFC 9110 §7.6.2", b"TRACE http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nMax-Forwards: 0\r\nCookie: secret\r\n\r\n", answered(200, None));
    rows.row("OPTIONS that may go no further", "RFC 9110 §7.6.2", b"OPTIONS http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nMax-Forwards: 0\r\n\r\n", answered(200, None));
    rows.done()
}
