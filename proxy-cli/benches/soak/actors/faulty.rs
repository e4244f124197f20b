//! Clients of origins that go wrong.

use std::net::SocketAddr;

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
