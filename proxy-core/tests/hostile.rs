//! Clients that are out to hold up the others, or to be understood in two ways.

mod support;

use std::time::Duration;

use proxy_core::http1::TargetForm;
use proxy_core::{Action, ConnectionHandler, Exchange, ForwardHandler, Reason, Timeouts};
use support::{Origin, Stage};

/// Opens no tunnels.
struct NoTunnels;

impl ConnectionHandler for NoTunnels {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        match exchange.request().form() {
            TargetForm::Authority => Action::Reject(Reason::Denied),
            _ => ForwardHandler.request(exchange),
        }
    }
}

#[test]
fn what_comes_behind_a_refused_connect_is_not_read_as_a_request() {
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let stage = Stage::with(|builder| builder.handler(NoTunnels));
    let mut client = stage.client();
    let host = origin.address;
    client.send(format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n{}", origin.get("/")));
    assert_eq!(client.answer().status, 403);
    client.expect_end();
    assert_eq!(stage.outcome(), (Some(403), Some(Reason::Denied)));
    assert_eq!((origin.visits(), stage.finish().len()), (0, 0));
}

#[test]
fn a_body_in_thousands_of_tiny_odd_chunks_arrives_gathered() {
    const CHUNKS: usize = 20_000;
    let (sender, received) = crossbeam_channel::bounded(1);
    let origin = Origin::new(move |visit| {
        visit.head();
        sender.send(visit.chunks()).unwrap();
        visit.send("HTTP/1.1 204 No Content\r\n\r\n");
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    let url = origin.url("/");
    client.send(format!("POST {url} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"));
    client.send("01;a=b\r\nx\r\n".repeat(CHUNKS)).send("0\r\n\r\n");
    assert_eq!(client.answer().status, 204);
    assert_eq!(received.recv().unwrap(), vec![b'x'; CHUNKS]);
    let record = stage.closed();
    assert_eq!(record.as_record().bytes_in, CHUNKS as u64);
}

#[test]
fn never_is_a_time_that_can_be_set() {
    let mut timeouts = Timeouts::default();
    for timeout in [
        &mut timeouts.request_head,
        &mut timeouts.keep_alive,
        &mut timeouts.resolve,
        &mut timeouts.connect,
        &mut timeouts.response_head,
        &mut timeouts.body_idle,
        &mut timeouts.upstream_idle,
        &mut timeouts.tunnel_idle,
    ] {
        *timeout = Duration::MAX;
    }
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let mut stage = Stage::with(|builder| builder.timeouts(timeouts));
    let mut client = stage.client();
    for _ in 0..2 {
        assert_eq!(client.send(origin.get("/")).answer().status, 204);
    }
    client.end().expect_end();
    assert_eq!(stage.take_handle().shutdown(Duration::MAX).cut, 0);
}
