//! A limit of connections to each upstream: which connections count, and for how long.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proxy_core::{Limits, Reason};
use support::{Client, Nobody, Origin, PATIENCE, Slow, Stage};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn a_crowd_shares_the_connections_there_may_be() {
    const CONNECTIONS: usize = 3;
    const CLIENTS: usize = 40;
    const REQUESTS: usize = 5;
    let (at_once, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, peak) = (Arc::clone(&at_once), Arc::clone(&most));
    let origin = Origin::new(move |visit| {
        peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        while visit.head().is_some() {
            visit.send(OK);
        }
        now.fetch_sub(1, Ordering::SeqCst);
    });
    let stage = Stage::limited(CONNECTIONS, CLIENTS, PATIENCE);
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| stage.client()).collect();
    for _ in 0..REQUESTS {
        for client in &mut clients {
            client.send(origin.get("/"));
        }
        for client in &mut clients {
            assert_eq!(client.answer().text(), "ok");
        }
    }
    assert_eq!(most.load(Ordering::SeqCst), CONNECTIONS);
    assert_eq!(origin.visits(), CONNECTIONS, "connections are handed on, not closed");
    let records = stage.finish();
    assert_eq!(records.len(), CLIENTS * REQUESTS);
}

#[test]
fn the_limit_is_divided_among_the_loops() {
    let mut limits = Limits::default();
    limits.connections_per_upstream = 4;
    let slow = Slow::new();
    let stage = Stage::with(|builder| builder.limits(limits).event_loops(2));
    // Connections go to the loop that has the fewest: four to each.
    let mut clients: Vec<Client> =
        (0..8).map(|number| slow.asks(&stage, &format!("/{number}"))).collect();
    for _ in 0..4 {
        slow.next();
    }
    assert_eq!(slow.origin.visits(), 4);
    for _ in 0..8 {
        slow.answer(OK);
    }
    assert!(clients.iter_mut().all(|client| client.answer().status == 200));
    assert_eq!(slow.origin.visits(), 4);
}

#[test]
fn a_place_is_free_again_when_the_upstream_has_closed() {
    let closing = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    // In the one case after its answer, in the other instead of one.
    for (ending, status) in [(closing, 200), ("", 502)] {
        let slow = Slow::new();
        let stage = Stage::limited(1, 10, PATIENCE);
        let mut first = slow.asks(&stage, "/0");
        slow.next();
        let mut second = slow.queues(&stage, "/1");
        slow.answer(ending);
        assert_eq!(first.answer().status, status);
        assert_eq!(slow.next(), "/1");
        slow.answer(OK);
        assert_eq!(second.answer().status, 200);
        assert_eq!(slow.origin.visits(), 2);
    }
}

#[test]
fn a_place_is_free_again_when_a_connection_was_refused() {
    let nobody = Nobody::listens();
    let stage = Stage::limited(1, 0, PATIENCE);
    let mut client = stage.client();
    for _ in 0..3 {
        client.send(format!("GET http://{}/ HTTP/1.1\r\nHost: x\r\n\r\n", nobody.address));
        assert_eq!(client.answer().status, 502);
        assert_eq!(stage.outcome(), (Some(502), Some(Reason::ConnectRefused)));
    }
    stage.survives();
}

#[test]
fn a_place_is_free_again_when_an_idle_connection_was_closed() {
    let (closed, is_closed) = crossbeam_channel::unbounded();
    let origin = Origin::new(move |visit| {
        visit.tell_when_closed(&closed);
        visit.head();
        visit.send(OK);
    });
    let stage = Stage::limited(1, 0, PATIENCE);
    // What cannot be repeated is not sent on a connection that may be closed: it needs another.
    for _ in 0..3 {
        let mut client = stage.client();
        let url = origin.url("/");
        client.send(format!("POST {url} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(client.answer().status, 200);
        is_closed.recv_timeout(PATIENCE).expect("the origin closes");
        stage.settle();
    }
    assert_eq!(origin.visits(), 3);
}

#[test]
fn a_place_is_free_again_when_its_client_has_gone() {
    let slow = Slow::new();
    let stage = Stage::limited(1, 10, PATIENCE);
    let first = slow.asks(&stage, "/0");
    slow.next();
    let mut second = slow.queues(&stage, "/1");
    first.reset();
    assert_eq!(stage.outcome(), (None, Some(Reason::ClientClosed)));
    assert_eq!(slow.next(), "/1");
    // The first answer goes to a connection that is no longer there.
    slow.answer(OK);
    slow.answer(OK);
    assert_eq!(second.answer().status, 200);
}

#[test]
fn tunnels_count_and_need_connections_of_their_own() {
    let slow = Slow::new();
    let stage = Stage::limited(1, 10, PATIENCE);
    let connect = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", slow.origin.address);
    // An idle connection gives way to a tunnel ...
    slow.answer(OK);
    assert_eq!(slow.asks(&stage, "/0").answer().status, 200);
    assert_eq!(slow.next(), "/0");
    let mut tunnel = stage.client();
    tunnel.send(&connect);
    assert_eq!(tunnel.head(), "HTTP/1.1 200 Connection established");
    // ... requests wait until the tunnel ends ...
    let mut waiting = slow.queues(&stage, "/1");
    let mut second_tunnel = stage.client();
    second_tunnel.send(&connect);
    stage.settle();
    waiting.expect_silence();
    tunnel.end().expect_end();
    assert_eq!(slow.next(), "/1");
    // ... and a tunnel is not given the connection that becomes idle, but the room it leaves.
    slow.answer(OK);
    assert_eq!(waiting.answer().status, 200);
    assert_eq!(second_tunnel.head(), "HTTP/1.1 200 Connection established");
    second_tunnel.end().expect_end();
    assert_eq!(slow.origin.visits(), 4);
}

#[test]
fn a_request_that_is_sent_again_keeps_its_place() {
    // Each connection is closed with the second request on it.
    let origin = Origin::new(|visit| {
        visit.head();
        visit.send(OK);
        visit.head();
    });
    let stage = Stage::limited(1, 0, PATIENCE);
    let mut client = stage.client();
    for reused in [false, true, true] {
        assert_eq!(client.send(origin.get("/")).answer().status, 200);
        assert_eq!(stage.closed().as_record().attempts, 1 + u32::from(reused));
    }
}
