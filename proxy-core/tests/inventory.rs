//! What a proxy says it holds is what it holds, and nothing when everybody has gone.

mod support;

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use proxy_core::{Action, ConnectionHandler, Exchange, ForwardHandler, Inventory, Response};
use support::{Origin, PATIENCE, Slow, Stage, until};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// What there is, but for entries of timers and records, whose number is a matter of time.
fn held(stage: &Stage) -> Inventory {
    let mut inventory = stage.handle().inventory(PATIENCE);
    (inventory.timers, inventory.unsent_records) = (0, 0);
    inventory
}

#[test]
fn connections_are_counted_by_what_they_do() {
    let stage = Stage::limited(8, 8, PATIENCE);
    let empty = held(&stage);
    assert!(empty.is_empty());
    assert_eq!((empty.loops, empty.missing_loops), (1, 0));

    let idle = stage.client();
    until(&stage, |all| all.idle_clients == 1);
    assert_eq!(held(&stage).seats, 1);

    let slow = Slow::new();
    let mut busy = slow.asks(&stage, "/");
    slow.next();
    let mut half = stage.client();
    half.send("GET http://a.test/ HT");
    let all = until(&stage, |all| all.busy_clients == 2);
    assert_eq!((all.seats, all.idle_clients, all.busy_upstreams, all.places), (3, 1, 1, 1));
    assert_eq!((all.buffers, all.buffered_bytes), (1, "GET http://a.test/ HT".len()));

    let origin = Origin::new(|visit| _ = visit.rest());
    let mut tunnel = stage.client();
    tunnel.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address)).head();
    let all = until(&stage, |all| all.tunnels == 1);
    assert_eq!((all.seats, all.busy_upstreams, all.places), (4, 2, 2));

    slow.answer(OK);
    assert_eq!(busy.answer().text(), "ok");
    let all = until(&stage, |all| all.idle_upstreams == 1);
    assert_eq!((all.idle_clients, all.busy_clients, all.busy_upstreams), (2, 1, 1));
    assert_eq!(all.places, 2, "an idle connection keeps its place");

    drop((idle, half, busy));
    tunnel.end().expect_end();
    let all = until(&stage, |all| all.seats == 0);
    assert_eq!((all.idle_upstreams, all.places, all.busy_upstreams), (1, 1, 0));
    assert!(!all.is_empty(), "an upstream is kept");
}

#[test]
fn requests_that_wait_are_counted_and_so_are_clients_that_leave() {
    let stage = Stage::limited(1, 8, PATIENCE);
    let slow = Slow::new();
    let mut first = slow.asks(&stage, "/1");
    slow.next();
    let mut second = slow.queues(&stage, "/2");
    let all = until(&stage, |all| all.waiting == 1);
    assert_eq!((all.places, all.busy_clients, all.busy_upstreams), (1, 2, 1));
    slow.answer(OK);
    slow.answer(OK);
    assert_eq!((first.answer().text(), second.answer().text()), ("ok", "ok"));
    drop((first, second));
    assert_eq!(until(&stage, |all| all.seats == 0).waiting, 0);

    let mut refused = stage.client();
    assert_eq!(refused.send("nonsense\r\n\r\n").answer().status, 400);
    until(&stage, |all| all.leaving_clients == 1);
    drop(refused);
    until(&stage, |all| all.seats == 0);
}

/// Holds its loop up, or hands the connection over, until it is let go.
struct Holding(Sender<()>, Receiver<()>);

impl ConnectionHandler for Holding {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        match exchange.request().host() {
            "taken.test" => {
                let let_go = self.1.clone();
                Action::take_over(move |_, _| _ = let_go.recv())
            }
            "held.test" => {
                self.0.send(()).unwrap();
                let _ = self.1.recv_timeout(PATIENCE);
                Action::Respond(Response::new(204))
            }
            _ => ForwardHandler.request(exchange),
        }
    }
}

#[test]
fn a_connection_that_was_taken_over_is_counted_and_so_is_its_job() {
    let (arrived, _arrivals) = bounded(1);
    let (let_go, hold) = bounded::<()>(0);
    let stage = Stage::with(|builder| builder.handler(Holding(arrived, hold)));
    let mut client = stage.client();
    client.send("GET http://taken.test/ HTTP/1.1\r\nHost: taken.test\r\n\r\n");
    let all = until(&stage, |all| all.taken_over == 1);
    assert_eq!((all.seats, all.jobs, all.busy_clients, all.busy_upstreams), (1, 1, 0, 0));
    drop(let_go);
    client.expect_end();
    until(&stage, Inventory::is_empty);
}

#[test]
fn a_loop_that_is_held_up_is_missing_and_not_waited_for() {
    let (arrived, arrivals) = bounded(1);
    let (let_go, hold) = bounded::<()>(0);
    let stage = Stage::with(|builder| builder.handler(Holding(arrived, hold)).event_loops(2));
    let mut client = stage.client();
    client.send("GET http://held.test/ HTTP/1.1\r\nHost: held.test\r\n\r\n");
    arrivals.recv_timeout(PATIENCE).unwrap();
    // More often than there are places for questions: none is lost, and none blocks.
    for _ in 0..20 {
        let all = stage.handle().inventory(Duration::from_millis(1));
        assert!(all.missing_loops >= 1 && !all.is_empty(), "{all:?}");
        assert_eq!((all.seats, all.busy_clients), (1, 0));
    }
    drop(let_go);
    assert_eq!(client.answer().status, 204);
    drop(client);
    let all = until(&stage, Inventory::is_empty);
    assert_eq!((all.loops, all.missing_loops), (2, 0));
}
