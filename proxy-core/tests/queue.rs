//! A limit of connections to each upstream: who finds none free waits in turn, for a while, in a
//! queue that has an end.

mod support;

use std::io::{self, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use proxy_core::{
    Action, ConnectError, ConnectionHandler, Destination, Dialing, DirectConnector, Exchange,
    ForwardHandler, Limits, NoLog, Reason, UpstreamConnector,
};
use support::{Answer, Client, Origin, PATIENCE, Slow, Stage};

const SHORT: Duration = Duration::from_millis(100);
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn is_busy(answer: &Answer) {
    assert_eq!((answer.status, answer.field("retry-after")), (503, Some("1")));
    assert!(answer.text().contains("reason: upstream_busy\n"), "{}", answer.text());
}

#[test]
fn who_came_first_is_served_first_on_the_connection_that_becomes_idle() {
    let slow = Slow::new();
    let stage = Stage::limited(1, 10, PATIENCE);
    let mut first = slow.asks(&stage, "/0");
    assert_eq!(slow.next(), "/0");
    let mut waiting: Vec<Client> =
        (1..=4).map(|number| slow.queues(&stage, &format!("/{number}"))).collect();
    slow.answer(OK);
    assert_eq!(first.answer().status, 200);
    assert!(!stage.closed().as_record().upstream_reused);
    for (number, client) in waiting.iter_mut().enumerate() {
        assert_eq!(slow.next(), format!("/{}", number + 1));
        slow.answer(OK);
        assert_eq!(client.answer().status, 200);
        let record = stage.closed();
        let record = record.as_record();
        assert!(record.upstream_reused);
        assert_eq!((record.attempts, record.resolve), (1, None));
        assert!(record.wait.is_some());
    }
    assert_eq!(slow.origin.visits(), 1);
    stage.survives();
}

#[test]
fn a_full_queue_is_told_at_once_and_other_upstreams_have_their_own() {
    let slow = Slow::new();
    let stage = Stage::limited(1, 1, PATIENCE);
    let mut first = slow.asks(&stage, "/0");
    slow.next();
    let mut second = slow.queues(&stage, "/1");
    let mut third = slow.asks(&stage, "/2");
    is_busy(&third.answer());
    assert_eq!(stage.outcome(), (Some(503), Some(Reason::UpstreamBusy)));
    let other = Origin::always(OK);
    assert_eq!(third.send(other.get("/")).answer().status, 200, "on the same connection");
    slow.answer(OK);
    slow.answer(OK);
    assert_eq!((first.answer().status, second.answer().status), (200, 200));
}

#[test]
fn nobody_waits_where_nobody_may() {
    let slow = Slow::new();
    let stage = Stage::limited(1, 0, PATIENCE);
    let mut first = slow.asks(&stage, "/0");
    slow.next();
    is_busy(&slow.asks(&stage, "/1").answer());
    slow.answer(OK);
    assert_eq!(first.answer().status, 200);
    slow.answer(OK);
    assert_eq!(slow.asks(&stage, "/2").answer().status, 200);
    assert_eq!(slow.origin.visits(), 1);
}

#[test]
fn a_wait_has_an_end() {
    let slow = Slow::new();
    let stage = Stage::limited(1, 10, SHORT);
    let mut first = slow.asks(&stage, "/0");
    slow.next();
    let mut second = slow.asks(&stage, "/1");
    is_busy(&second.answer());
    let record = stage.closed();
    let record = record.as_record();
    assert_eq!((record.status, record.reason), (Some(503), Some(Reason::UpstreamBusy)));
    assert!(record.wait.unwrap() >= SHORT);
    slow.answer(OK);
    assert_eq!(first.answer().status, 200);
    // Who has gone is not waited for, and who was answered can ask again.
    slow.answer(OK);
    assert_eq!(second.send(slow.origin.get("/2")).answer().status, 200);
    assert_eq!(slow.next(), "/2");
}

#[test]
fn a_client_that_goes_away_while_it_waits_leaves_the_queue() {
    let slow = Slow::new();
    let stage = Stage::limited(1, 1, PATIENCE);
    let mut first = slow.asks(&stage, "/0");
    slow.next();
    let gone = slow.queues(&stage, "/gone");
    gone.reset();
    assert_eq!(stage.outcome(), (None, Some(Reason::ClientClosed)));
    let mut third = slow.queues(&stage, "/1");
    slow.answer(OK);
    assert_eq!(first.answer().status, 200);
    assert_eq!(slow.next(), "/1", "nothing was sent for the one that has gone");
    slow.answer(OK);
    assert_eq!(third.answer().status, 200);
}

#[test]
fn a_shutdown_lets_those_who_wait_have_their_turn() {
    let slow = Slow::new();
    let mut stage = Stage::limited(1, 10, PATIENCE);
    let mut first = slow.asks(&stage, "/0");
    slow.next();
    let mut second = slow.queues(&stage, "/1");
    let handle = stage.take_handle();
    let stopping = thread::spawn(move || handle.shutdown(PATIENCE));
    slow.answer(OK);
    assert_eq!(first.answer().status, 200);
    slow.answer(OK);
    assert_eq!(second.answer().status, 200);
    let report = stopping.join().unwrap();
    assert_eq!((report.drained, report.cut), (2, 0));
}

#[test]
fn a_shutdown_cuts_those_who_wait_too_long() {
    let slow = Slow::new();
    let mut stage = Stage::limited(1, 10, PATIENCE);
    let _first = slow.asks(&stage, "/0");
    slow.next();
    let mut second = slow.queues(&stage, "/1");
    let report = stage.take_handle().shutdown(SHORT);
    assert_eq!((report.drained, report.cut), (0, 2));
    assert!(second.rest().is_err(), "reset");
    let records = stage.finish();
    assert!(records.iter().all(|it| it.as_record().reason == Some(Reason::ShutDown)));
    assert_eq!(records.len(), 2);
}

#[test]
fn a_tunnel_that_is_cut_before_the_exchanges_makes_room_for_them() {
    let slow = Slow::new();
    let mut stage = Stage::limited(1, 10, PATIENCE);
    let mut tunnel = stage.client();
    tunnel.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", slow.origin.address));
    tunnel.head();
    let mut waiting = slow.queues(&stage, "/1");
    let handle = stage.take_handle();
    let stopping = thread::spawn(move || handle.shutdown_tunnels(PATIENCE, SHORT));
    slow.answer(OK);
    assert_eq!(waiting.answer().status, 200);
    let report = stopping.join().unwrap();
    assert_eq!((report.drained, report.cut), (1, 1));
}

/// Holds the loop up with each request for `/hold`, until it is told to go on.
struct Holding(Sender<()>, Receiver<()>);

impl ConnectionHandler for Holding {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        if exchange.request().target().ends_with("/hold") {
            self.0.send(()).unwrap();
            self.1.recv_timeout(PATIENCE).expect("it is told");
        }
        ForwardHandler.request(exchange)
    }
}

/// Has somebody wait in vain at another proxy, for so long.
fn somebody_waits_in_vain_for(wait: Duration) {
    let slow = Slow::new();
    let stage = Stage::limited(1, 1, wait);
    let _first = slow.asks(&stage, "/0");
    slow.next();
    is_busy(&slow.asks(&stage, "/1").answer());
}

/// A connector that makes the first who asks for `bad.test` wait until it is told to go on, and
/// then has no way for anybody.
struct NoWay(Receiver<()>, AtomicUsize);

impl UpstreamConnector for NoWay {
    fn fast(&self, destination: &Destination<'_>) -> Option<Result<Dialing, ConnectError>> {
        if destination.host() != "bad.test" {
            return DirectConnector::default().fast(destination);
        }
        let asked_before = self.1.fetch_add(1, Ordering::SeqCst) > 0;
        asked_before.then(|| Err(ConnectError::new(Reason::ConnectFailed)))
    }

    fn plan(&self, _: &Destination<'_>) -> Result<Dialing, ConnectError> {
        self.0.recv_timeout(PATIENCE).expect("it is told");
        Err(ConnectError::new(Reason::ConnectFailed))
    }
}

#[test]
fn what_becomes_free_as_a_wait_ends_is_not_for_the_clients_next_request_to_somebody_else() {
    let (slow, other) = (Slow::new(), Slow::new());
    let (held, holds) = crossbeam_channel::unbounded();
    let (go_on, told) = crossbeam_channel::unbounded();
    let mut limits = Limits::default();
    limits.connections_per_upstream = 1;
    let timeouts = support::timeouts(|timeouts| timeouts.upstream_wait = SHORT);
    let handler = Holding(held, told);
    let stage = Stage::with(|it| it.limits(limits).timeouts(timeouts).handler(handler));
    let mut first = slow.asks(&stage, "/0");
    slow.next();
    let _occupant = other.asks(&stage, "/other/0");
    other.next();
    let mut client = stage.client();
    client.send(slow.origin.get("/1") + &other.origin.get("/other/1"));
    // While the loop is held up, a connection becomes idle and the wait for it ends: it finds
    // both in the same turn.
    let mut holding = stage.client();
    holding.send(Origin::always(OK).get("/hold"));
    holds.recv_timeout(PATIENCE).unwrap();
    slow.answer(OK);
    slow.has_answered();
    // A longer wait that began later is over: so is the client's.
    somebody_waits_in_vain_for(3 * SHORT);
    go_on.send(()).unwrap();
    assert_eq!((first.answer().status, holding.answer().status), (200, 200));
    is_busy(&client.answer());
    is_busy(&client.answer());
    assert!(slow.is_unasked(), "nothing of it went to the other upstream");
}

#[test]
fn a_queue_in_which_everybody_fails_and_comes_again_holds_up_nobody_else() {
    let (go_on, told) = crossbeam_channel::bounded(0);
    let mut limits = Limits::default();
    limits.connections_per_upstream = 1;
    let stage = Stage::with(|builder| {
        builder.limits(limits).connector(NoWay(told, AtomicUsize::new(0))).logger(NoLog)
    });
    let bad = "GET http://bad.test/ HTTP/1.1\r\nHost: bad.test\r\n\r\n";
    let mut first = stage.client();
    first.send(bad);
    stage.settle();
    // Two clients take turns in the queue, and have more requests than will ever be served.
    let endless: Vec<_> = (0..2)
        .map(|_| {
            let client = stage.client();
            let [mut writer, mut reader] = [0; 2].map(|_| client.stream().try_clone().unwrap());
            let block = bad.repeat(1000);
            let write = thread::spawn(move || while writer.write_all(block.as_bytes()).is_ok() {});
            let read = thread::spawn(move || drop(io::copy(&mut reader, &mut io::sink())));
            (client, write, read)
        })
        .collect();
    stage.settle();
    go_on.send(()).unwrap();
    assert_eq!(first.answer().status, 502);
    let origin = Origin::always(OK);
    for _ in 0..10 {
        assert_eq!(stage.client().send(origin.get("/")).answer().status, 200);
    }
    for (client, write, read) in endless {
        client.stream().shutdown(Shutdown::Both).unwrap();
        write.join().unwrap();
        read.join().unwrap();
    }
}
