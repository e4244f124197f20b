//! A panic in the code that serves a connection costs that connection, and nothing else: the loop
//! goes on, and so do its other connections. What a handler or connector leaves behind may panic
//! where nobody expects it, in a `drop` or a `fmt`, and when it is in nobody's service any more: then
//! it costs nothing at all.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::{error, fmt, io, panic};

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, bounded};
use proxy_core::{
    Action, Admission, Client as Peer, ConnectError, ConnectionHandler, Destination, Dialing,
    Event, Exchange, ForwardHandler, Inventory, Reason, Response, UpstreamConnector,
};
use support::{Client, Origin, PATIENCE, Slow, Stage, until};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Panics when it is dropped, unless that would end the process.
struct Bomb(&'static [u8]);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "on purpose");
    }
}

impl AsRef<[u8]> for Bomb {
    fn as_ref(&self) -> &[u8] {
        self.0
    }
}

/// Leaves bombs behind with some requests.
struct LeavesBombs;

impl ConnectionHandler for LeavesBombs {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        if exchange.request().method() == "CONNECT" {
            exchange.extensions().insert(Bomb(b""));
        }
        let path = exchange.request().path().to_owned();
        match &*path {
            "/kept" => {
                exchange.extensions().insert(Bomb(b""));
                ForwardHandler.request(exchange)
            }
            "/answer" => {
                Action::Respond(Response::new(200).with_body(Bytes::from_owner(Bomb(b"boom"))))
            }
            _ => ForwardHandler.request(exchange),
        }
    }
}

/// One of several clients of one loop is hit: its connection ends, with one record, and the others
/// are served, those that were there before and new ones.
fn costs_one_connection(stage: Stage, request: &str, recorded: (Option<u16>, Option<Reason>)) {
    let origin = Origin::always(OK);
    let mut before = stage.client();
    assert_eq!(before.send(origin.get("/")).answer().text(), "ok");
    stage.outcome();
    for _ in 0..3 {
        let mut hit = stage.client();
        hit.send(request);
        // Whether a part of an answer had left already is a matter of where it happened.
        let _ = hit.rest();
        assert_eq!(stage.outcome(), recorded);
    }
    assert_eq!(before.send(origin.get("/")).answer().text(), "ok");
    stage.outcome();
    stage.survives();
}

#[test]
fn what_a_handler_keeps_panics_when_the_exchange_has_been_recorded() {
    let origin = Origin::always(OK);
    let stage = Stage::with(|builder| builder.handler(LeavesBombs));
    let mut client = stage.client();
    // All was done, and nothing is unknown: it does not even cost the connection.
    for path in ["/kept", "/kept", "/"] {
        assert_eq!(client.send(origin.get(path)).answer().text(), "ok");
        assert_eq!(stage.outcome(), (Some(200), None));
    }
    stage.survives();
}

#[test]
fn what_a_handler_keeps_panics_when_the_exchange_becomes_a_tunnel() {
    let stage = Stage::with(|builder| builder.handler(LeavesBombs));
    let origin = Origin::always(OK);
    let mut tunnel = stage.client();
    tunnel.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address)).head();
    assert_eq!(tunnel.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").answer().text(), "ok");
    tunnel.end().expect_end();
    assert_eq!(stage.record().as_record().event, Event::Open);
    assert_eq!(stage.outcome(), (Some(200), None));
    until(&stage, |all| all.seats == 0 && all.busy_upstreams == 0);
    stage.survives();
}

#[test]
fn what_a_handler_answers_panics_when_it_has_been_sent() {
    let origin = Origin::always(OK);
    let stage = Stage::with(|builder| builder.handler(LeavesBombs));
    let recorded = (Some(200), Some(Reason::InternalError));
    costs_one_connection(stage, &origin.get("/answer"), recorded);
}

/// Cannot be shown.
#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("on purpose")
    }
}

impl error::Error for Unspeakable {}

/// Fails for one name with an error that cannot be shown.
struct Fails;

impl UpstreamConnector for Fails {
    fn fast(&self, to: &Destination<'_>) -> Option<Result<Dialing, ConnectError>> {
        match to.host() {
            "unspeakable.test" => {
                let source = io::Error::other(Unspeakable);
                Some(Err(ConnectError::new(Reason::ConnectFailed).with_source(source)))
            }
            host => {
                let address = format!("{host}:{}", to.port()).parse().unwrap();
                Some(Ok(Dialing::addresses([address])))
            }
        }
    }

    fn plan(&self, _: &Destination<'_>) -> Result<Dialing, ConnectError> {
        unreachable!("fast() always knows")
    }
}

/// Wants to hear everything, so that errors are shown.
struct Listens;

impl log::Log for Listens {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, _: &log::Record<'_>) {}

    fn flush(&self) {}
}

#[test]
fn what_a_connector_fails_with_panics_while_the_request_is_under_way() {
    log::set_logger(&Listens).unwrap();
    log::set_max_level(log::LevelFilter::Debug);
    let stage = Stage::with(|builder| builder.connector(Fails));
    let request = "GET http://unspeakable.test/ HTTP/1.1\r\nHost: unspeakable.test\r\n\r\n";
    // Nothing is left of the request but that there was one.
    costs_one_connection(stage, request, (None, Some(Reason::InternalError)));
}

#[test]
fn a_tunnel_of_the_same_loop_goes_on() {
    let stage = Stage::with(|builder| builder.handler(LeavesBombs));
    let origin = Origin::always(OK);
    let mut tunnel = stage.client();
    tunnel.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address));
    tunnel.head();
    let asks = |tunnel: &mut Client| {
        tunnel.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").answer().text().to_owned()
    };
    assert_eq!(asks(&mut tunnel), "ok");
    let _ = stage.client().send(origin.get("/answer")).rest();
    assert_eq!(asks(&mut tunnel), "ok");
}

/// Forwards, and owns what panics when it is dropped.
struct OwnsABomb {
    _bomb: Bomb,
}

impl ConnectionHandler for OwnsABomb {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        ForwardHandler.request(exchange)
    }
}

#[test]
fn a_handler_panics_that_goes_with_the_last_request_that_it_has_begun() {
    let mut stage = Stage::with(|builder| builder.handler(OwnsABomb { _bomb: Bomb(b"") }));
    let slow = Slow::new();
    let mut client = slow.asks(&stage, "/");
    slow.next();
    stage.reload(|builder| builder.handler(ForwardHandler));
    slow.answer(OK);
    assert_eq!(client.answer().text(), "ok");
    assert_eq!(stage.outcome(), (Some(200), None));
    // It is gone, and its client is served by the next one.
    assert_eq!(client.send(Origin::always(OK).get("/")).answer().text(), "ok");
    assert_eq!(stage.outcome(), (Some(200), None));
    stage.survives();
}

#[test]
fn a_handler_panics_that_goes_with_the_last_connection_that_it_serves() {
    let mut stage = Stage::with(|builder| builder.handler(OwnsABomb { _bomb: Bomb(b"") }));
    let slow = Slow::new();
    let client = slow.asks(&stage, "/");
    slow.next();
    stage.reload(|builder| builder.handler(ForwardHandler));
    client.reset();
    assert_eq!(stage.outcome(), (None, Some(Reason::ClientClosed)));
    until(&stage, Inventory::is_empty);
    stage.survives();
}

/// Decides late, when it may, for something that panics when it is dropped.
struct DecidesLate(Sender<()>, Receiver<()>);

impl ConnectionHandler for DecidesLate {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        if exchange.request().host() != "late.test" {
            return ForwardHandler.request(exchange);
        }
        let (asked, may_decide) = (self.0.clone(), self.1.clone());
        exchange.defer(move |_, _| {
            asked.send(()).unwrap();
            let _ = may_decide.recv_timeout(PATIENCE);
            Action::Respond(Response::new(200).with_body(Bytes::from_owner(Bomb(b"boom"))))
        })
    }
}

#[test]
fn a_decision_panics_that_nobody_waits_for_any_more() {
    let (tell, asked) = bounded(1);
    let (decide, may_decide) = bounded::<()>(0);
    let stage = Stage::with(|builder| builder.handler(DecidesLate(tell, may_decide)));
    let mut client = stage.client();
    client.send("GET http://late.test/ HTTP/1.1\r\nHost: late.test\r\n\r\n");
    asked.recv_timeout(PATIENCE).unwrap();
    client.reset();
    assert_eq!(stage.outcome(), (None, Some(Reason::ClientClosed)));
    drop(decide);
    until(&stage, Inventory::is_empty);
    stage.survives();
}

/// Panics with something that panics when it is dropped: over every second client, and over some
/// requests.
#[derive(Default)]
struct ThrowsBombs(AtomicUsize);

impl ConnectionHandler for ThrowsBombs {
    fn connected(&self, _: &Peer) -> Admission {
        match self.0.fetch_add(1, Ordering::Relaxed) % 2 {
            0 => panic::panic_any(Bomb(b"")),
            _ => Admission::Accept,
        }
    }

    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        if exchange.request().path() == "/thrown" {
            panic::panic_any(Bomb(b""));
        }
        ForwardHandler.request(exchange)
    }
}

#[test]
fn what_a_handler_throws_panics_when_it_has_been_caught() {
    let origin = Origin::always(OK);
    let stage = Stage::with(|builder| builder.handler(ThrowsBombs::default()));
    for _ in 0..3 {
        stage.client().expect_end();
        let mut client = stage.client();
        assert_eq!(client.send(origin.get("/thrown")).answer().status, 500);
        assert_eq!(stage.outcome(), (Some(500), Some(Reason::HandlerFailed)));
        assert_eq!(client.send(origin.get("/")).answer().text(), "ok");
        assert_eq!(stage.outcome(), (Some(200), None));
    }
    assert_eq!(stage.finish(), []);
}
