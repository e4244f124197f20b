//! What happens at limits that no other file is about.

mod support;

use proxy_core::{Limits, Reason};
use support::{Client, Origin, Stage};

fn limited(set: impl FnOnce(&mut Limits)) -> Stage {
    let mut limits = Limits::default();
    set(&mut limits);
    Stage::with(|builder| builder.limits(limits))
}

#[test]
fn a_body_that_is_announced_as_too_long_goes_nowhere() {
    let stage = limited(|limits| limits.request_body = 10);
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let post = |length: usize| {
        let (url, body) = (origin.url("/"), "x".repeat(length));
        format!("POST {url} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    let mut client = stage.client();
    assert_eq!(client.send(post(10)).answer().status, 204);
    assert_eq!(stage.outcome(), (Some(204), None));
    assert_eq!(client.send(post(11)).answer().status, 413);
    client.expect_end();
    assert_eq!(stage.outcome(), (Some(413), Some(Reason::RequestBodyTooLarge)));
    assert_eq!(origin.visits(), 1);
}

#[test]
fn a_chunked_body_is_stopped_where_it_becomes_too_long() {
    let stage = limited(|limits| limits.request_body = 10);
    let origin = Origin::new(|visit| {
        visit.head();
        let _ = visit.rest();
    });
    let mut client = stage.client();
    let url = origin.url("/");
    client.send(format!("POST {url} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"));
    client.send("a\r\n0123456789\r\n").send("1\r\nx\r\n");
    assert_eq!(client.answer().status, 413);
    client.expect_end();
    assert_eq!(stage.outcome(), (Some(413), Some(Reason::RequestBodyTooLarge)));
}

#[test]
fn a_client_with_too_many_connections_is_told_and_gets_one_back_when_one_ends() {
    let stage = limited(|limits| limits.connections_per_client = 2);
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let mut first = stage.client();
    assert_eq!(first.send(origin.get("/")).answer().status, 204);
    let mut second = stage.client();
    assert_eq!(second.send(origin.get("/")).answer().status, 204);

    let mut third = stage.client();
    assert_eq!(third.answer().status, 503, "before it has asked for anything");
    third.expect_end();

    first.end().expect_end();
    let answered = (0..support::PATIENCE.as_millis())
        .any(|_| stage.client().send(origin.get("/")).answer().status == 204);
    assert!(answered, "the place of the first is free again");
    assert!(stage.finish().iter().any(|record| {
        record.as_record().reason == Some(Reason::TooManyConnections)
            && record.as_record().status == Some(503)
    }));
}

#[test]
fn a_client_is_the_same_one_in_the_ipv6_form_of_its_address() {
    const MAPPED: &str = "[::ffff:127.0.0.1]:0";
    if std::net::TcpListener::bind(MAPPED).is_err() {
        return; // not every system has IPv6
    }
    let mut limits = Limits::default();
    limits.connections_per_client = 1;
    let stage = Stage::with(|builder| builder.limits(limits).listen(MAPPED));
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let mut first = stage.client();
    assert_eq!(first.send(origin.get("/")).answer().status, 204);
    let mut second = Client::connect(stage.handle().local_addrs()[1]);
    assert_eq!(second.answer().status, 503);
}

#[test]
fn a_small_buffer_carries_a_large_body_piece_by_piece() {
    let stage = limited(|limits| limits.buffer_bytes = 1024);
    let body: Vec<u8> = (0..1_000_000_u32).map(|number| (number % 251) as u8).collect();
    let origin = Origin::new(|visit| {
        let (_, body) = visit.request().unwrap();
        visit.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()));
        visit.send(body);
    });
    let mut client = stage.client();
    let (url, length) = (origin.url("/"), body.len());
    client.send(format!("POST {url} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n"));
    client.send(&body);
    assert!(client.answer().body == body);
}

#[test]
fn a_full_inbox_makes_the_acceptor_wait_and_loses_nobody() {
    let stage = limited(|limits| limits.loop_inbox = 1);
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let mut clients: Vec<_> = (0..100).map(|_| stage.client()).collect();
    for client in &mut clients {
        client.send(origin.get("/"));
    }
    assert!(clients.iter_mut().all(|client| client.answer().status == 204));
}
