//! Clients of origins that go wrong.

use std::net::SocketAddr;

use crate::echo;
use crate::exchange::answered;
use crate::fault::FAULTS;
use crate::ledger::Expected;
use crate::record::AGENT;
use crate::stage::Actor;
use crate::wire::{Framing, Wire};

/// Asks an origin that goes wrong in one of all ways, or that is not there.
pub(crate) fn ask(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    let wire = &mut visit.wire;
    let which = actor.chance.below(FAULTS.len() as u64 + 1) as usize;
    let ledger = &actor.stage.ledger;
    let (status, number, to) = match FAULTS.get(which) {
        Some(fault) => {
            let expected = fault.expected();
            let number = ledger.begin(actor.name, fault.name, wire.from, expected);
            (fault.status, number, actor.stage.origin)
        }
        None => {
            let expected = Expected::ending(Some(502), &["connect_refused"]);
            let number = ledger.begin(actor.name, "is not there", wire.from, expected);
            (502, number, actor.stage.nobody)
        }
    };
    let seen = told(wire, number, which, to, status);
    ledger.settle(number, &seen);
}

/// Whether the client is told: by the status, or by a cut where that was too late.
fn told(
    wire: &mut Wire,
    number: u64,
    which: usize,
    to: SocketAddr,
    status: u16,
) -> Result<(), String> {
    let request = format!(
        "GET http://{to}/{number}/fault/{which} HTTP/1.1\r\nHost: {to}\r\n\
         User-Agent: {AGENT}{number}\r\nConnection: close\r\n\r\n"
    );
    wire.send(request.as_bytes()).map_err(|error| format!("while it sent: {error}"))?;
    let mut head = answered(wire)?;
    while head.status().is_some_and(|interim| interim < 200) {
        head = answered(wire)?;
    }
    if head.status() != Some(status) {
        return Err(format!("instead of {status}: {head:?}"));
    }
    let body = wire.body(head.framing(Framing::Close), &mut |_| Ok(()));
    match (status, body) {
        (200, Ok(())) => Err("what was cut looks whole".into()),
        (200, Err(_)) | (_, Ok(())) => Ok(()),
        (_, Err(error)) => Err(format!("in the page: {error}")),
    }
}

/// What an origin does to content that it is sent, and what the log must say of it.
const UPLOADS: [Upload; 2] = [
    // The answer is passed on, and counts.
    ("early", 300_000, 200, &[""]),
    ("quit", 300_000, 502, &["upstream_closed"]),
];

/// It does not read: this is more than all buffers on the way can take.
const DEAF: Upload = ("deaf", 32 << 20, 504, &["upstream_write_timeout"]);

type Upload = (&'static str, u64, u16, &'static [&'static str]);

/// Sends content to an origin that does not want all of it. The client may be cut off while it
/// sends, and then need not see the answer: what counts is the record.
pub(crate) fn upload(actor: &mut Actor) {
    let kind = actor.chance.one(&UPLOADS);
    send(actor, kind);
}

/// The same, to an origin that reads nothing.
pub(crate) fn deaf(actor: &mut Actor) {
    send(actor, DEAF);
}

fn send(actor: &mut Actor, (what, size, status, reasons): Upload) {
    let Some(mut visit) = actor.visit() else { return };
    let wire = &mut visit.wire;
    let ledger = &actor.stage.ledger;
    let expected = Expected::ending(Some(status), reasons);
    let number = ledger.begin(actor.name, what, wire.from, expected);
    let origin = actor.stage.origin;
    let head = format!(
        "POST http://{origin}/{number}/{what}/0 HTTP/1.1\r\nHost: {origin}\r\n\
         User-Agent: {AGENT}{number}\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
    );
    let piece = [b'x'; 50_000];
    let mut sent = wire.send(head.as_bytes());
    for _ in 0..size.div_ceil(piece.len() as u64) {
        sent = sent.and_then(|()| wire.send(&piece));
    }
    let seen = match answered(wire) {
        Ok(head) if head.status() != Some(status) => Err(format!("instead of {status}: {head:?}")),
        Ok(_) => Ok(()),
        Err(_) if sent.is_err() => Ok(()),
        Err(why) => Err(why),
    };
    wire.rest();
    ledger.settle(number, &seen);
}

/// Asks for a tunnel to where nobody is, or to somebody who breaks it off.
pub(crate) fn tunnel(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    let wire = &mut visit.wire;
    let is_refused = actor.chance.below(2) == 0;
    let (to, status, expected) = match is_refused {
        true => (actor.stage.nobody, 502, Expected::ending(Some(502), &["connect_refused"])),
        false => {
            let expected = Expected::ending(Some(200), &["tunnel_reset"]).tunnel();
            (actor.stage.echo, 200, expected)
        }
    };
    let ledger = &actor.stage.ledger;
    let number = ledger.begin(actor.name, "CONNECT", wire.from, expected);
    let head =
        format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\nUser-Agent: {AGENT}{number}\r\n\r\n");
    let sent = wire.send(head.as_bytes()).map_err(|error| format!("while it sent: {error}"));
    let mut seen = sent.and_then(|()| super::slow::told(answered(wire), status));
    if seen.is_ok() && !is_refused {
        let sent = wire.send(echo::BREAK_OFF);
        seen = match sent.and_then(|()| wire.some(&mut |_| Ok(()))) {
            Ok(_) => Err("a reset looks like an end".into()),
            Err(_) => Ok(()),
        };
    }
    ledger.settle(number, &seen);
}
