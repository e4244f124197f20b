//! `Host`: one, a host, and second to the target.

use super::RequestRow;
use super::table::{Requests, forwarded, refused};

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<RequestRow> {
    let mut rows = Requests::of("host");
    for (name, source, lines) in [
        ("none", "RFC 9112 §3.2; Http11Probe, h1spec", ""),
        ("none, but others", "RFC 9112 §3.2", "X-Host: {origin}\r\n"),
        ("two that are equal", "RFC 9112 §3.2; Http11Probe", "Host: {origin}\r\nHost: {origin}\r\n"),
        ("two that differ", "RFC 9112 §3.2; Http11Probe", "Host: {origin}\r\nHost: b.example\r\n"),
        ("two, the right one last", "RFC 9112 §3.2; HAProxy", "Host: b.example\r\nHost: {origin}\r\n"),
        ("two in different case", "RFC 9112 §3.2", "Host: {origin}\r\nhOST: {origin}\r\n"),
        ("two, one empty", "RFC 9112 §3.2", "Host:\r\nHost: {origin}\r\n"),
        ("two with others between", "RFC 9112 §3.2", "Host: {origin}\r\nA: b\r\nHost: {origin}\r\n"),
        ("empty", "RFC 9112 §3.2: the target has an authority; Http11Probe", "Host:\r\n"),
        ("white space alone", "RFC 9112 §3.2", "Host: \t \r\n"),
        ("a list", "RFC 9112 §3.2; Http11Probe", "Host: {origin}, b.example\r\n"),
        ("a list of one", "RFC 9112 §3.2", "Host: {origin},\r\n"),
        ("two words", "RFC 9112 §3.2", "Host: {origin} b.example\r\n"),
        ("two words, by a tab", "RFC 9112 §3.2", "Host: {origin}\tb.example\r\n"),
        ("a user", "RFC 9110 §7.2; Http11Probe", "Host: user@{origin}\r\n"),
        ("a scheme", "RFC 9110 §7.2", "Host: http://{origin}\r\n"),
        ("a path", "RFC 9110 §7.2; Http11Probe", "Host: {origin}/\r\n"),
        ("a query", "RFC 9110 §7.2", "Host: {origin}?a\r\n"),
        ("a fragment", "RFC 9110 §7.2; HAProxy", "Host: {origin}#a\r\n"),
        ("an empty port", "RFC 9110 §7.2; HAProxy", "Host: a.example:\r\n"),
        ("port 0", "RFC 9110 §7.2", "Host: a.example:0\r\n"),
        ("port 65536", "RFC 9110 §7.2", "Host: a.example:65536\r\n"),
        ("a port that is a word", "RFC 9110 §7.2", "Host: a.example:http\r\n"),
        ("four ports", "RFC 9110 §7.2; ATS", "Host: a.example:8080:9090:1234\r\n"),
        ("a port without a host", "RFC 9110 §7.2; HAProxy", "Host: :80\r\n"),
        ("a backslash", "RFC 9110 §7.2", "Host: a.example\\b\r\n"),
        ("percent-encoding", "RFC 9110 §7.2", "Host: a%2eexample\r\n"),
        ("a semicolon", "RFC 9110 §7.2", "Host: a.example;b\r\n"),
        ("quotes", "RFC 9110 §7.2", "Host: \"a.example\"\r\n"),
        ("an asterisk", "RFC 9110 §7.2", "Host: *\r\n"),
        ("an IPv6 address without brackets", "RFC 9110 §7.2", "Host: ::1\r\n"),
        ("an open bracket", "RFC 9110 §7.2", "Host: [::1\r\n"),
        ("bytes beyond ASCII", "RFC 9110 §7.2; HTTP Garden", "Host: caf\u{e9}.example\r\n"),
    ] {
        let sent = format!("GET http://{{origin}}/ HTTP/1.1\r\n{lines}\r\n");
        rows.row(name, source, sent.as_bytes(), refused(400, "bad_host"));
    }
    rows.refuse(
        400,
        "bad_host",
        &[
            ("0xff around it", "RFC 9110 §7.2; HTTP Garden", b"GET http://{origin}/ HTTP/1.1\r\nHost: \xff{origin}\xff\r\n\r\n"),
            ("0xa0 behind it", "RFC 9110 §7.2; HTTP Garden", b"GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\xa0\r\n\r\n"),
            ("two in HTTP/1.0", "RFC 9112 §3.2", b"GET http://{origin}/ HTTP/1.0\r\nHost: {origin}\r\nHost: {origin}\r\n\r\n"),
            ("a list in HTTP/1.0", "RFC 9112 §3.2", b"GET http://{origin}/ HTTP/1.0\r\nHost: {origin}, b.example\r\n\r\n"),
            ("none with CONNECT", "RFC 9112 §3.2", b"CONNECT {origin} HTTP/1.1\r\n\r\n"),
            ("two with CONNECT", "RFC 9112 §3.2; HAProxy", b"CONNECT {origin} HTTP/1.1\r\nHost: {origin}\r\nHost: {origin}\r\n\r\n"),
            ("none with OPTIONS *", "RFC 9112 §3.2; HAProxy", b"OPTIONS * HTTP/1.1\r\n\r\n"),
        ],
    );
    rows.refuse(
        400,
        "bad_request_field",
        &[
            ("a space before the colon", "RFC 9112 §5.1; ATS", b"GET http://{origin}/ HTTP/1.1\r\nHost : {origin}\r\n\r\n"),
            ("NUL in it", "RFC 9110 §5.5; HTTP Garden", b"GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\0.b.example\r\n\r\n"),
            ("folded", "RFC 9112 §5.2", b"GET http://{origin}/ HTTP/1.1\r\nHost:\r\n {origin}\r\n\r\n"),
            ("white space before it", "RFC 9112 §2.2; http-request-smuggler", b"GET http://{origin}/ HTTP/1.1\r\n Host: {origin}\r\n\r\n"),
        ],
    );
    for (name, source, line) in [
        ("another host than the target's", "RFC 9112 §3.2.2: the target's counts; Http11Probe", "Host: b.example"),
        ("another port than the target's", "RFC 9112 §3.2.2; HAProxy", "Host: 127.0.0.1:1"),
        ("no white space before it", "RFC 9112 §5.1", "Host:{origin}"),
        ("much white space around it", "RFC 9112 §5.1; Http11Probe", "Host: \t  {origin} \t "),
        ("its name in lower case", "RFC 9110 §5.1", "host: {origin}"),
        ("an underscore", "RFC 9110 §7.2; llhttp", "Host: a_b.example"),
        ("an IPv6 address", "RFC 9110 §7.2", "Host: [::1]:80"),
    ] {
        let sent = format!("GET http://{{origin}}/ HTTP/1.1\r\n{line}\r\n\r\n");
        let got = "GET / HTTP/1.1\r\nHost: {origin}\r\nVia: 1.1 PROXY\r\n\r\n";
        rows.row(name, source, sent.as_bytes(), forwarded(got.as_bytes()));
    }
    rows.forward(&[
        ("not the first field", "RFC 9110 §7.2: written first", b"GET http://{origin}/ HTTP/1.1\r\nA: b\r\nHost: {origin}\r\n\r\n", b"GET / HTTP/1.1\r\nHost: {origin}\r\nA: b\r\nVia: 1.1 PROXY\r\n\r\n"),
        ("cannot be named away", "RFC 9110 §7.6.1; HTTP Garden", b"GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nConnection: Host, keep-alive, Host\r\nConnection: Host\r\nA: b\r\n\r\n", b"GET / HTTP/1.1\r\nHost: {origin}\r\nA: b\r\nVia: 1.1 PROXY\r\n\r\n"),
    ]);
    rows.done()
}
