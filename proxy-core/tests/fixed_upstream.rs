//! A proxy in front of one upstream: whatever is asked for, that is where it goes.

mod support;

use proxy_core::{Authority, FixedUpstreamHandler};
use support::{Origin, Stage};

const EMPTY: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[test]
fn a_request_goes_to_the_upstream_with_the_host_the_client_named() {
    let (origin, seen) = Origin::observed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let stage = Stage::in_front_of(&origin);
    let answer = stage
        .client()
        .send("GET /a?b HTTP/1.1\r\nAccept: */*\r\nhost: Shop.Example:8443\r\nConnection: keep-alive\r\n\r\n")
        .answer();
    assert_eq!(answer.text(), "hi");
    let expected = "GET /a?b HTTP/1.1\r\nHost: Shop.Example:8443\r\nAccept: */*\r\nVia: 1.1 PROXY";
    assert_eq!(seen.recv().unwrap(), expected);
    let record = stage.closed();
    let record = record.as_record();
    assert_eq!((record.method, record.target, record.host), ("GET", "/a?b", "Shop.Example"));
    assert_eq!((record.status, record.reason, record.bytes_out), (Some(200), None, 2));
    assert_eq!(record.upstream, Some(origin.address));
    assert_eq!(stage.finish(), []);
}

#[test]
fn the_absolute_form_goes_there_too() {
    let (origin, seen) = Origin::observed(EMPTY);
    let stage = Stage::in_front_of(&origin);
    let mut client = stage.client();
    client.send("GET http://elsewhere.example/x HTTP/1.1\r\nHost: ignored.example\r\n\r\n");
    assert_eq!(client.answer().status, 204);
    assert_eq!(
        seen.recv().unwrap(),
        "GET /x HTTP/1.1\r\nHost: elsewhere.example\r\nVia: 1.1 PROXY"
    );
    stage.logs("GET 204 -", 0, 0);

    client.send("GET https://elsewhere.example/x HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.status, 421);
    stage.logs("GET 421 misdirected", 0, answer.body.len());
    assert!(seen.is_empty());
    assert_eq!(stage.finish(), []);
}

#[test]
fn options_of_the_server_is_a_question_to_the_upstream() {
    let (origin, seen) = Origin::observed(EMPTY);
    let stage = Stage::in_front_of(&origin);
    let mut client = stage.client();
    for target in ["*", "http://a.example"] {
        client.send(format!("OPTIONS {target} HTTP/1.1\r\nHost: a.example\r\n\r\n"));
        assert_eq!(client.answer().status, 204);
        assert_eq!(seen.recv().unwrap(), "OPTIONS * HTTP/1.1\r\nHost: a.example\r\nVia: 1.1 PROXY");
        stage.logs("OPTIONS 204 -", 0, 0);
    }
    client.send("OPTIONS * HTTP/1.1\r\nHost: a.example\r\nMax-Forwards: 0\r\n\r\n");
    assert_eq!(client.answer().status, 200);
    stage.logs("OPTIONS 200 -", 0, 0);
    assert!(seen.is_empty());
    assert_eq!(stage.finish(), []);
}

#[test]
fn connect_is_refused() {
    let origin = Origin::always(EMPTY);
    let stage = Stage::in_front_of(&origin);
    let mut client = stage.client();
    client.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address));
    let answer = client.answer();
    assert_eq!(answer.status, 501);
    assert!(answer.text().contains("\nreason: connect_not_allowed\n"));
    stage.logs("CONNECT 501 connect_not_allowed", 0, answer.body.len());
    assert_eq!(origin.visits(), 0);
    // What comes behind it was meant for a tunnel.
    client.expect_end();
    assert_eq!(stage.finish(), []);
}

#[test]
fn an_old_client_may_name_no_host() {
    let (origin, seen) = Origin::observed(EMPTY);
    let stage = Stage::in_front_of(&origin);
    let mut client = stage.client();
    client.send("GET /old HTTP/1.0\r\n\r\n");
    assert_eq!(client.answer().field("connection"), Some("close"));
    client.expect_end();
    // RFC 9112 §3.2: a 1.1 request has one, so it is named for the client.
    let expected = format!("GET /old HTTP/1.1\r\nHost: {}\r\nVia: 1.0 PROXY", origin.address);
    assert_eq!(seen.recv().unwrap(), expected);
    stage.logs("GET 204 -", 0, 0);
    assert_eq!(stage.finish(), []);
}

#[test]
fn whoever_asks_for_whatever_host_shares_the_connections_to_the_upstream() {
    let origin = Origin::always(EMPTY);
    let stage = Stage::in_front_of(&origin);
    for host in ["a.example", "b.example", "c.example:81"] {
        let mut client = stage.client();
        client.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(client.answer().status, 204);
        stage.logs("GET 204 -", 0, 0);
    }
    assert_eq!(origin.visits(), 1);
    assert_eq!(stage.finish(), []);
}

#[test]
fn the_upstream_may_be_a_name() {
    let (origin, seen) = Origin::observed(EMPTY);
    let upstream = Authority::new("localhost", origin.address.port()).unwrap();
    let stage = Stage::with(|builder| builder.handler(FixedUpstreamHandler::new(upstream)));
    let mut client = stage.client();
    client.send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    assert_eq!(client.answer().status, 204);
    assert_eq!(seen.recv().unwrap(), "GET / HTTP/1.1\r\nHost: a.example\r\nVia: 1.1 PROXY");
    stage.logs("GET 204 -", 0, 0);
    assert_eq!(stage.finish(), []);
}

#[test]
fn a_chain_that_leads_back_here_is_noticed() {
    // Two proxies in front of each other: the second learns of the first when it runs.
    let first = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = first.local_addr().unwrap().to_string().parse().unwrap();
    let second = Stage::with(|builder| builder.handler(FixedUpstreamHandler::new(upstream)));
    let upstream = second.address.to_string().parse().unwrap();
    let listener = proxy_core::TcpListener::from(first);
    let stage = Stage::with(|builder| {
        builder.listener(listener).handler(FixedUpstreamHandler::new(upstream))
    });
    let mut client = stage.client();
    client.send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.status, 508);
    let length = answer.body.len();
    stage.logs("GET 508 loop_detected", 0, length);
    second.logs("GET 508 -", 0, length);
    stage.logs("GET 508 -", 0, length);
    assert_eq!((second.finish(), stage.finish()), (vec![], vec![]));
}
