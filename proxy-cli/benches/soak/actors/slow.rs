//! Those who take their time, and those who take too much of it.

use std::thread;
use std::time::Duration;

use crate::exchange::{Ask, answered};
use crate::ledger::Expected;
use crate::record::AGENT;
use crate::stage::Actor;
use crate::wire::Head;

/// A receive buffer that is soon full.
const SMALL: Option<usize> = Some(16 * 1024);

/// A client that ends its side behind its request, and still gets its answer.
pub(crate) fn half_closing(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    let wire = &mut visit.wire;
    let ask = Ask::small(&mut actor.chance).last();
    let number = ask.begin(actor, wire);
    let seen = ask.send(actor, wire, number).and_then(|()| {
        wire.finish().map_err(|error| format!("when it ended: {error}"))?;
        ask.receive(wire, number).map(drop)
    });
    actor.stage.ledger.settle(number, &seen);
}

/// A head that comes byte by byte.
pub(crate) fn dripping_head(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    let wire = &mut visit.wire;
    let ask = Ask::download(1_000, "length");
    let number = ask.begin(actor, wire);
    let head = ask.head(actor, number);
    let mut seen = Ok(true);
    for byte in head.as_bytes() {
        thread::sleep(Duration::from_millis(10));
        if let Err(error) = wire.send(&[*byte]) {
            seen = Err(format!("while it sent: {error}"));
            break;
        }
    }
    let seen = seen.and_then(|_| ask.receive(wire, number)).map(drop);
    actor.stage.ledger.settle(number, &seen);
}

/// A client that reads more slowly than the origin sends.
pub(crate) fn reader(actor: &mut Actor) {
    let Some(mut visit) = actor.visit_taking(SMALL) else { return };
    let wire = &mut visit.wire;
    let framing = actor.chance.one(&["length", "chunked"]);
    let ask = Ask::download((2 << 20) + actor.chance.below(4 << 20), framing);
    let number = ask.begin(actor, wire);
    let mut pause = || thread::sleep(Duration::from_millis(3));
    let seen = ask
        .send(actor, wire, number)
        .and_then(|()| ask.receive_slowly(wire, number, &mut pause).map(drop));
    actor.stage.ledger.settle(number, &seen);
}

/// A client whose content comes in a trickle.
pub(crate) fn writer(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    let wire = &mut visit.wire;
    let ask = Ask::upload(3_000, &mut actor.chance).last();
    let number = ask.begin(actor, wire);
    let seen = ask
        .send_slowly(actor, wire, number, (100, Duration::from_millis(50)))
        .and_then(|()| ask.receive(wire, number).map(drop));
    actor.stage.ledger.settle(number, &seen);
}

/// An origin whose content comes in a trickle.
pub(crate) fn origin(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    let framing = actor.chance.one(&["length", "chunked"]);
    let ask = Ask::download(1_000 + actor.chance.below(20_000), framing).doing("drip");
    ask.whole(actor, &mut visit.wire);
}

/// A head that stops.
pub(crate) fn endless_head(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    let wire = &mut visit.wire;
    let expected = Expected::ending(Some(408), &["request_head_timeout"]).by_address();
    let number = actor.stage.ledger.begin(actor.name, "half a head", wire.from, expected);
    let seen = wire
        .send(b"GET http://")
        .map_err(|error| format!("while it sent: {error}"))
        .and_then(|()| told(answered(wire), 408));
    wire.rest();
    actor.stage.ledger.settle(number, &seen);
}

/// Content that stops.
pub(crate) fn stalled_upload(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    let wire = &mut visit.wire;
    let expected = Expected::ending(Some(408), &["request_body_timeout"]);
    let number = actor.stage.ledger.begin(actor.name, "half an upload", wire.from, expected);
    let origin = actor.stage.origin;
    let head = format!(
        "POST http://{origin}/{number}/up/9/length HTTP/1.1\r\nHost: {origin}\r\n\
         User-Agent: {AGENT}{number}\r\nContent-Length: 9\r\n\r\nhalf"
    );
    let seen = wire
        .send(head.as_bytes())
        .map_err(|error| format!("while it sent: {error}"))
        .and_then(|()| told(answered(wire), 408));
    wire.rest();
    actor.stage.ledger.settle(number, &seen);
}

/// A client that asks for a lot and reads none of it. The origin tells when it is cut off.
pub(crate) fn stopped_reader(actor: &mut Actor) {
    let Some(mut visit) = actor.visit_taking(SMALL) else { return };
    let wire = &mut visit.wire;
    let ask = Ask::download(64 << 20, "length").doing("flood").last();
    let number = ask.begin(actor, wire);
    actor.stage.ledger.amend(number, |expected| {
        *expected = Expected::ending(Some(200), &["client_write_timeout"]);
    });
    let seen = ask
        .send(actor, wire, number)
        .and_then(|()| actor.stage.witness.gone(number))
        .and_then(|()| match wire.rest() {
            all if all > ask.size => Err("it got all that it did not read".into()),
            _ => Ok(()),
        });
    actor.stage.ledger.settle(number, &seen);
}

/// A client that says nothing at all is let go without a word, and without a record.
pub(crate) fn silent(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    if actor.chance.below(2) == 0 && visit.wire.send(b"\r\n\r\n").is_err() {
        actor.stage.ledger.trouble("a silent client could not send empty lines".into());
    }
    if let Err(what) = visit.wire.ends() {
        actor.stage.ledger.trouble(format!("a silent client saw {what}"));
    }
}

/// Whether the client was told so.
pub(crate) fn told(answer: Result<Head, String>, status: u16) -> Result<(), String> {
    let head = answer?;
    match head.status() == Some(status) {
        true => Ok(()),
        false => Err(format!("instead of {status}: {head:?}")),
    }
}
