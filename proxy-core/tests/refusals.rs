//! What a forward proxy refuses: bytes that were not understood are never forwarded, and
//! their sender is told what was wrong.

mod support;

use proxy_core::Limits;
use support::{Answer, Origin, Stage};

const PIPELINED: &str = "GET http://127.0.0.1:1/never HTTP/1.1\r\nHost: x\r\n\r\n";

/// Sends bytes that are no request, with a good one behind them: there is one answer, and then
/// the connection ends, since nobody knows where the good one begins.
fn refused(stage: &Stage, bytes: &[u8]) -> Answer {
    let mut client = stage.client();
    client.send([bytes, PIPELINED.as_bytes()].concat());
    let answer = client.answer();
    let sent = bytes.escape_ascii();
    assert_eq!(answer.field("connection"), Some("close"), "{sent}");
    client.expect_end();
    answer
}

/// Sends each of the requests, and expects the status and the reason beside it.
fn all_refused(stage: Stage, cases: &[(&str, u16, &str)]) {
    let mut answered = Vec::new();
    for (bytes, status, reason) in cases {
        let answer = refused(&stage, bytes.as_bytes());
        assert_eq!(answer.status, *status, "{bytes:?}");
        assert!(
            answer.text().contains(&format!("\nreason: {reason}\n")),
            "{bytes:?}: {}",
            answer.text()
        );
        answered.push(answer.body.len());
    }
    for ((_, status, reason), length) in cases.iter().zip(answered) {
        stage.logs(&format!("- {status} {reason}"), 0, length);
    }
    stage.survives();
}

#[test]
fn a_malformed_request_line_is_refused() {
    all_refused(
        Stage::forward(),
        &[
            ("GET\r\nHost: a\r\n\r\n", 400, "bad_request_line"),
            ("GET http://a/\r\nHost: a\r\n\r\n", 400, "bad_request_line"),
            ("GET  http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request_line"),
            ("GET http://a/  HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request_line"),
            ("GET http://a/ HTTP/1.1 \r\nHost: a\r\n\r\n", 400, "bad_request_line"),
            ("GET\thttp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request_line"),
            (" GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request_line"),
            ("G(T http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request_line"),
            ("GET http://a/ http/1.1\r\nHost: a\r\n\r\n", 400, "bad_request_line"),
            ("GET http://a/ HTTP/1.1\nHost: a\n\n", 400, "bad_request_line"),
            ("\nGET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request_line"),
            ("GET http://a/ HTTP/1.1\rHost: a\r\n\r\n", 400, "bad_request_line"),
            ("GET http://a/\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request_line"),
            ("GET http://a/ HTTP/2.0\r\nHost: a\r\n\r\n", 505, "unsupported_version"),
            ("GET http://a/ HTTP/1.2\r\nHost: a\r\n\r\n", 505, "unsupported_version"),
            ("GET http://a/ HTTP/0.9\r\nHost: a\r\n\r\n", 505, "unsupported_version"),
        ],
    );
}

#[test]
fn an_unknown_expectation_is_refused() {
    let get = "GET http://a/ HTTP/1.1\r\nHost: a\r\n";
    for expected in ["200-ok", "100-continue, 200-ok"] {
        let request = format!("{get}Expect: {expected}\r\n\r\n");
        all_refused(Stage::forward(), &[(&request, 417, "unknown_expectation")]);
    }
}

#[test]
fn a_malformed_target_is_refused() {
    all_refused(
        Stage::forward(),
        &[
            ("GET http://a/#fragment HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_target"),
            ("GET http://user:secret@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_target"),
            ("GET http:///path HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_target"),
            ("GET http://a:99999/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_target"),
            ("GET http://a:/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_target"),
            ("GET http://[::1/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_target"),
            ("GET http://a%41/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_target"),
            ("GET http:/a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_target"),
            ("GET path HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_target"),
            ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_target"),
            ("GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_target"),
            ("CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_target"),
            ("CONNECT http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_target"),
            ("CONNECT a:0 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_target"),
        ],
    );
}

#[test]
fn a_missing_repeated_or_malformed_host_is_refused() {
    all_refused(
        Stage::forward(),
        &[
            ("GET http://a/ HTTP/1.1\r\n\r\n", 400, "bad_host"),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "bad_host"),
            ("GET http://a/ HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, "bad_host"),
            ("GET http://a/ HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, "bad_host"),
            ("GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "bad_host"),
            ("GET http://a/ HTTP/1.1\r\nHost: user@a\r\n\r\n", 400, "bad_host"),
            ("GET http://a/ HTTP/1.1\r\nHost: http://a\r\n\r\n", 400, "bad_host"),
        ],
    );
}

#[test]
fn a_malformed_field_is_refused() {
    all_refused(
        Stage::forward(),
        &[
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\nX y: z\r\n\r\n", 400, "bad_request_field"),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\nX : z\r\n\r\n", 400, "bad_request_field"),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400, "bad_request_field"),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\n: z\r\n\r\n", 400, "bad_request_field"),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", 400, "bad_request_field"),
            ("GET http://a/ HTTP/1.1\r\n Host: a\r\n\r\n", 400, "bad_request_field"),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\nX: y\nZ: z\r\n\r\n", 400, "bad_request_field"),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\nX: y\rZ: z\r\n\r\n", 400, "bad_request_field"),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 400, "bad_request_field"),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\nX: \x1b[1m\r\n\r\n", 400, "bad_request_field"),
            (
                "TRACE http://a/ HTTP/1.1\r\nHost: a\r\nMax-Forwards: -1\r\n\r\n",
                400,
                "bad_request_field",
            ),
        ],
    );
}

#[test]
fn an_ambiguous_length_is_refused() {
    all_refused(
        Stage::forward(),
        &[
            (
                "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
                400,
                "bad_request_length",
            ),
            (
                "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n",
                400,
                "bad_request_length",
            ),
            (
                "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n",
                400,
                "bad_request_length",
            ),
            (
                "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
                400,
                "bad_request_length",
            ),
            (
                "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\n",
                400,
                "bad_request_length",
            ),
            (
                "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                400,
                "bad_request_length",
            ),
            (
                "POST http://a/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
                400,
                "bad_request_length",
            ),
            (
                "POST http://a/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
                400,
                "bad_request_length",
            ),
            (
                "POST http://a/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n",
                400,
                "bad_request_field",
            ),
            (
                "POST http://a/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                501,
                "unknown_transfer_coding",
            ),
            (
                "POST http://a/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
                501,
                "unknown_transfer_coding",
            ),
            (
                "TRACE http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
                400,
                "bad_request_length",
            ),
            (
                "CONNECT a:80 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
                400,
                "bad_request_length",
            ),
        ],
    );
}

#[test]
fn what_is_over_a_limit_is_refused() {
    let mut limits = Limits::default();
    limits.head_bytes = 1000;
    limits.fields = 4;
    limits.target_bytes = 100;
    let x = "x".repeat(1000);
    all_refused(
        Stage::with(|builder| builder.limits(limits)),
        &[
            (&format!("GET http://a/{x} HTTP/1.1\r\nHost: a\r\n\r\n"), 414, "target_too_long"),
            (
                &format!("GET http://a/{} HTTP/1.1\r\nHost: a\r\n\r\n", &x[..92]),
                414,
                "target_too_long",
            ),
            (
                &format!("GET http://a/ HTTP/1.1\r\nHost: a\r\nX: {x}\r\n\r\n"),
                431,
                "request_head_too_large",
            ),
            (
                &format!("GET http://a/ HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: x\r\n".repeat(4)),
                431,
                "too_many_request_fields",
            ),
        ],
    );
}

#[test]
fn a_head_up_to_the_limits_is_served() {
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let url = origin.url("/");
    let mut limits = Limits::default();
    limits.head_bytes = 1000;
    limits.fields = 4;
    limits.target_bytes = url.len() + 9;
    let stage = Stage::with(|builder| builder.limits(limits));
    let head = format!("GET {url}123456789 HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: 2\r\nX: ");
    let filler = "x".repeat(1000 - head.len() - 4);
    assert_eq!(stage.client().send(format!("{head}{filler}\r\n\r\n")).answer().status, 204);
    stage.logs("GET 204 -", 0, 0);
    stage.survives();
}

#[test]
fn who_takes_the_proxy_for_a_web_server_is_told_how_to_use_it() {
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let stage = Stage::forward();
    let mut client = stage.client();
    // It is never routed by Host: its sender did not mean a proxy.
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: 5\r\n\r\nhello",
        origin.address
    ));
    let answer = client.answer();
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("curl -x http://"), "{}", answer.text());
    assert!(answer.text().contains("\nreason: not_a_proxy_request\n"));
    stage.logs("POST 400 not_a_proxy_request", 5, answer.body.len());
    assert_eq!(origin.visits(), 0);
    // The request was understood, so the connection goes on behind its body.
    assert_eq!(client.send(origin.get("/")).answer().status, 204);
    stage.logs("GET 204 -", 0, 0);
    stage.survives();
}

#[test]
fn other_protocols_are_told_what_is_spoken_here() {
    let stage = Stage::forward();
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x01\x02";
    let answer = refused(&stage, hello);
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("TLS handshake"), "{}", answer.text());
    stage.logs("- 400 tls_to_plain_port", 0, answer.body.len());

    let answer =
        refused(&stage, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00");
    assert_eq!(answer.status, 505);
    assert!(answer.text().contains("HTTP/2 preface"), "{}", answer.text());
    stage.logs("- 505 http2_to_plain_port", 0, answer.body.len());
    stage.survives();
}

#[test]
fn https_without_a_tunnel_is_told_to_use_one() {
    let stage = Stage::forward();
    let mut client = stage.client();
    for target in
        ["https://a.example/", "HTTPS://a.example:443/x", "ftp://a.example/", "ws://a.example/"]
    {
        client.send(format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n"));
        let answer = client.answer();
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("CONNECT"), "{}", answer.text());
        stage.logs("GET 400 unsupported_scheme", 0, answer.body.len());
    }
    stage.survives();
}

#[test]
fn a_head_request_is_refused_without_a_body() {
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 400 "));
    stage.logs("HEAD 400 not_a_proxy_request", 0, 0);
    // What follows is the next answer.
    assert_eq!(client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").answer().status, 200);
    stage.logs("OPTIONS 200 -", 0, 0);
    stage.survives();
}

#[test]
fn empty_lines_before_a_request_are_ignored() {
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let stage = Stage::forward();
    let mut client = stage.client();
    for _ in 0..2 {
        client.send(format!("\r\n\r\n{}", origin.get("/")));
        assert_eq!(client.answer().status, 204);
        stage.logs("GET 204 -", 0, 0);
    }
    stage.survives();
}
