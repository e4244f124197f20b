//! Clients that ask, and are answered.

use std::time::Duration;

use crate::exchange::Ask;
use crate::stage::Actor;

/// Many requests on one connection, of every kind.
pub(crate) fn keep_alive(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    for _ in 0..10 + actor.chance.below(50) {
        let ask = Ask::small(&mut actor.chance);
        let pause = Duration::from_millis(actor.chance.below(90));
        if ask.whole(actor, &mut visit.wire) != Some(true) || !actor.stage.pause(pause) {
            return;
        }
    }
}

/// One request on each connection.
pub(crate) fn short(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    let ask = Ask::small(&mut actor.chance).last();
    ask.whole(actor, &mut visit.wire);
}

/// One request by a listener that comes and goes. Whoever was let in is served; only a connection
/// that the kernel completed at the moment of the close may be reset, without a record.
pub(crate) fn side_door(actor: &mut Actor) {
    let Some(mut visit) = actor.visit_by_the_side_door() else { return };
    let wire = &mut visit.wire;
    let ask = Ask::download(actor.chance.size(20_000), "length").last();
    let number = ask.begin(actor, wire);
    let mut seen = ask.send(actor, wire, number).and_then(|()| ask.receive(wire, number)).map(drop);
    let ledger = &actor.stage.ledger;
    if seen.as_ref().is_err_and(|why| is_turned_away(why)) {
        ledger.amend(number, |expected| *expected = expected.never());
        seen = Ok(());
    }
    ledger.settle(number, &seen);
}

/// Whether the connection was reset before anything of an answer came.
fn is_turned_away(why: &str) -> bool {
    let is_early = why.starts_with("instead of an answer: ") || why.starts_with("while it sent: ");
    is_early && (why.contains("reset by peer") || why.contains("Broken pipe"))
}

/// Several requests at once; the answers come in their order, and each is the right one.
pub(crate) fn pipelining(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    let wire = &mut visit.wire;
    for _ in 0..1 + actor.chance.below(4) {
        let mut sent = Vec::new();
        let mut asked = Vec::new();
        for _ in 0..2 + actor.chance.below(8) {
            let framing = actor.chance.one(&["length", "chunked"]);
            let ask = Ask::download(actor.chance.size(8_000), framing);
            let number = ask.begin(actor, wire);
            sent.extend_from_slice(ask.head(actor, number).as_bytes());
            asked.push((ask, number));
        }
        let mut seen = wire.send(&sent).map_err(|error| format!("while it sent: {error}"));
        let mut is_kept = true;
        for (ask, number) in asked {
            // Where one goes wrong, it does so for all behind it.
            if seen.is_ok() {
                seen = if is_kept {
                    ask.receive(wire, number).map(|kept| is_kept = kept)
                } else {
                    Err("the connection was closed before it".into())
                };
            }
            actor.stage.ledger.settle(number, &seen);
        }
        if seen.is_err() || !is_kept {
            return;
        }
    }
}

/// Content of various sizes.
pub(crate) fn uploads(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    for _ in 0..1 + actor.chance.below(3) {
        let ask = Ask::upload(actor.chance.size(2 << 20), &mut actor.chance);
        if ask.whole(actor, &mut visit.wire) != Some(true) {
            return;
        }
    }
}

/// Content of various sizes, whose end is told in all three ways.
pub(crate) fn downloads(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    for _ in 0..1 + actor.chance.below(3) {
        let framing = actor.chance.one(&["length", "chunked", "close"]);
        let ask = Ask::download(actor.chance.size(4 << 20), framing);
        if ask.whole(actor, &mut visit.wire) != Some(true) {
            return;
        }
    }
}

/// An origin that answers and then leaves without a word: the next request must not suffer.
pub(crate) fn left(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    for _ in 0..2 + actor.chance.below(4) {
        let what = actor.chance.one(&["leave", "down"]);
        let ask = Ask::download(actor.chance.size(2_000), "length").doing(what);
        let ask = ask.of_the_leaving();
        if ask.whole(actor, &mut visit.wire) != Some(true) {
            return;
        }
    }
}
