//! Clients that go away at every moment, with and without a word.

use std::io;

use crate::exchange::{Ask, answered};
use crate::ledger::Expected;
use crate::record::AGENT;
use crate::stage::{Actor, Visit};

type Moment = fn(&mut Actor, Visit) -> io::Result<()>;

/// When a client goes away.
const MOMENTS: [Moment; 8] = [
    at_once,
    in_the_head,
    ending_in_the_head,
    waiting,
    in_its_content,
    in_the_answer,
    between_requests,
    in_a_tunnel,
];

/// Goes away at one of them.
pub(crate) fn leave(actor: &mut Actor) {
    let moment = actor.chance.one(&MOMENTS);
    leave_at(actor, moment);
}

/// Ends its side and is gone while the origin thinks.
pub(crate) fn quietly(actor: &mut Actor) {
    leave_at(actor, ending_while_waiting);
}

fn leave_at(actor: &mut Actor, moment: Moment) {
    let Some(visit) = actor.visit() else { return };
    if let Err(error) = moment(actor, visit) {
        actor.stage.ledger.trouble(format!("{} could not send: {error}", actor.name));
    }
}

fn at_once(_: &mut Actor, visit: Visit) -> io::Result<()> {
    visit.reset();
    Ok(())
}

/// Nobody knows whether the proxy has read it before the reset.
fn in_the_head(actor: &mut Actor, mut visit: Visit) -> io::Result<()> {
    let expected = Expected::ending(None, &["client_closed", "request_incomplete"]);
    let expected = expected.by_address().perhaps();
    let ledger = &actor.stage.ledger;
    let number = ledger.begin(actor.name, "resets in the head", visit.wire.from, expected);
    let sent = visit.wire.send(b"GET http://127.0.0.1/ HT");
    visit.reset();
    ledger.settle(number, &Ok(()));
    sent
}

fn ending_in_the_head(actor: &mut Actor, mut visit: Visit) -> io::Result<()> {
    let expected = Expected::ending(Some(400), &["request_incomplete"]).by_address();
    let wire = &mut visit.wire;
    let ledger = &actor.stage.ledger;
    let number = ledger.begin(actor.name, "ends in the head", wire.from, expected);
    wire.send(b"GET http://127.0.0.1/ HT")?;
    wire.finish()?;
    ledger.settle(number, &super::slow::told(answered(wire), 400));
    Ok(())
}

/// While the origin thinks.
fn waiting(actor: &mut Actor, mut visit: Visit) -> io::Result<()> {
    let ask = Ask::download(0, "length").doing("hold");
    let number = ask.begin(actor, &visit.wire);
    visit.wire.send(ask.head(actor, number).as_bytes())?;
    gone(actor, visit, number, None);
    Ok(())
}

/// The end of its side alone does not say that it is gone, so this may be told later.
fn ending_while_waiting(actor: &mut Actor, mut visit: Visit) -> io::Result<()> {
    let ask = Ask::download(0, "length").doing("hold");
    let number = ask.begin(actor, &visit.wire);
    let stage = &actor.stage;
    stage.ledger.amend(number, |expected| {
        *expected = Expected::ending(None, &["client_closed", "response_head_timeout"]);
    });
    visit.wire.send(ask.head(actor, number).as_bytes())?;
    let came = stage.witness.held(number);
    drop(visit);
    stage.ledger.settle(number, &came.and_then(|()| stage.witness.gone(number)));
    Ok(())
}

fn in_its_content(actor: &mut Actor, mut visit: Visit) -> io::Result<()> {
    let expected = Expected::ending(None, &["client_closed"]);
    let ledger = &actor.stage.ledger;
    let number = ledger.begin(actor.name, "resets in its content", visit.wire.from, expected);
    let origin = actor.stage.origin;
    let head = format!(
        "POST http://{origin}/{number}/hold/0 HTTP/1.1\r\nHost: {origin}\r\n\
         User-Agent: {AGENT}{number}\r\nContent-Length: 90000\r\n\r\nhalf"
    );
    visit.wire.send(head.as_bytes())?;
    gone(actor, visit, number, None);
    Ok(())
}

/// Once the origin has the request, resets, and waits until the origin has seen that, too.
fn gone(actor: &Actor, visit: Visit, number: u64, status: Option<u16>) {
    let stage = &actor.stage;
    stage.ledger.amend(number, |expected| *expected = Expected::ending(status, &["client_closed"]));
    let came = stage.witness.held(number);
    visit.reset();
    let seen = came.and_then(|()| stage.witness.gone(number));
    stage.ledger.settle(number, &seen);
}

fn in_the_answer(actor: &mut Actor, mut visit: Visit) -> io::Result<()> {
    let ask = Ask::download(0, "length").doing("half");
    let number = ask.begin(actor, &visit.wire);
    actor.stage.ledger.amend(number, |expected| {
        *expected = Expected::ending(Some(200), &["client_closed"]);
    });
    visit.wire.send(ask.head(actor, number).as_bytes())?;
    let seen = answered(&mut visit.wire).map(drop);
    visit.reset();
    actor.stage.ledger.settle(number, &seen);
    Ok(())
}

/// There is no request that this could be about.
fn between_requests(actor: &mut Actor, mut visit: Visit) -> io::Result<()> {
    Ask::small(&mut actor.chance).whole(actor, &mut visit.wire);
    visit.reset();
    Ok(())
}

fn in_a_tunnel(actor: &mut Actor, mut visit: Visit) -> io::Result<()> {
    let expected = Expected::ending(Some(200), &["tunnel_reset", "client_closed"]).tunnel();
    let ledger = &actor.stage.ledger;
    let number = ledger.begin(actor.name, "resets in a tunnel", visit.wire.from, expected);
    let echo = actor.stage.echo;
    let head =
        format!("CONNECT {echo} HTTP/1.1\r\nHost: {echo}\r\nUser-Agent: {AGENT}{number}\r\n\r\n");
    visit.wire.send(head.as_bytes())?;
    let mut seen = answered(&mut visit.wire).map(drop);
    if seen.is_ok() {
        visit.wire.send(b"hello")?;
        let came = visit.wire.exactly(5, &mut |_| Ok(()));
        seen = came.map_err(|error| format!("in the tunnel: {error}"));
    }
    visit.reset();
    ledger.settle(number, &seen);
    Ok(())
}
