//! A panic in the code that serves a connection costs that connection, and nothing else: the loop
//! goes on, and so do its other connections. What a handler or connector leaves behind may panic
//! where nobody expects it, in a `drop` or a `fmt`.

mod support;

use std::{error, fmt, io};

use bytes::Bytes;
use proxy_core::{
    Action, ConnectError, ConnectionHandler, Destination, Dialing, Exchange, ForwardHandler,
    Reason, Response, UpstreamConnector,
};
use support::{Client, Origin, Stage};

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
    costs_one_connection(stage, &origin.get("/kept"), (Some(200), None));
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

#[test]
fn what_a_connector_fails_with_panics_while_the_request_is_under_way() {
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
