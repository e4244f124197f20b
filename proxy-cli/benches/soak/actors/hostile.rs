//! Clients that send what nobody should: the rows of the library's catalogue that are refused,
//! attempts at smuggling among them. What gets to the origin of it is the origin's to tell.

use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use crate::content::Content;
use crate::exchange::answered;
use crate::ledger::Expected;
use crate::rows::{self, After, RequestRow};
use crate::search::placed;
use crate::stage::Actor;

/// Rows that end with one refusal, which is one record.
static ROWS: LazyLock<Vec<RequestRow>> = LazyLock::new(|| {
    let is_refused = |row: &RequestRow| {
        let outcome = &row.outcome;
        let is_error = outcome.answers.first().is_some_and(|status| *status >= 400);
        outcome.answers.len() == 1
            && is_error
            && outcome.reason.is_some()
            && outcome.after == After::Closed
    };
    rows::requests().into_iter().filter(is_refused).collect()
});

/// Sends a row, or nothing but noise.
pub(crate) fn attack(actor: &mut Actor) {
    match actor.chance.below(10) {
        0 => noise(actor),
        _ => row(actor),
    }
}

/// Sends bytes that mean nothing, and ends. Whatever they look like, they are one bad request.
fn noise(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    let wire = &mut visit.wire;
    let expected = Expected::ending(None, &[]).by_address();
    let number = actor.stage.ledger.begin(actor.name, "noise", wire.from, expected);
    let mut bytes = vec![0; 1 + actor.chance.size(4_000) as usize];
    Content::of(number).fill(&mut bytes);
    // Not an empty line, which would not be a request yet.
    bytes[0] |= 0x80;
    // It may have been refused before it was whole.
    let _ = wire.send(&bytes).and_then(|()| wire.finish());
    let seen = answered(wire).and_then(|head| {
        wire.rest();
        match head.status() {
            Some(400..) => Ok(()),
            _ => Err(format!("instead of a refusal: {head:?}")),
        }
    });
    actor.stage.ledger.settle(number, &seen);
}

/// Sends a row, whole or in pieces.
fn row(actor: &mut Actor) {
    let row = &ROWS[actor.chance.below(ROWS.len() as u64) as usize];
    let Some(mut visit) = actor.visit() else { return };
    let wire = &mut visit.wire;
    let status = row.outcome.answers[0];
    // One word, which lives as long as the table does.
    let reason: &'static [&'static str] = std::slice::from_ref(
        row.outcome.reason.as_ref().expect("rows without a reason were left out"),
    );
    let expected = Expected::ending(Some(status), reason).by_address();
    let what = format!("{} / {}", row.class, row.name);
    let number = actor.stage.ledger.begin(actor.name, what, wire.from, expected);
    let sent = placed(&row.sent, &actor.stage.origin.to_string());
    let pieces = 1 + actor.chance.below(4) as usize;
    for piece in sent.chunks(sent.len().div_ceil(pieces).max(1)) {
        // It may have been refused before it was whole.
        if wire.send(piece).is_err() {
            break;
        }
        thread::sleep(Duration::from_millis(actor.chance.below(4)));
    }
    if row.ends {
        // The same.
        let _ = wire.finish();
    }
    let seen = answered(wire).and_then(|head| {
        wire.rest();
        match head.status() {
            Some(it) if it == status => Ok(()),
            _ => Err(format!("instead of {status}: {head:?}")),
        }
    });
    actor.stage.ledger.settle(number, &seen);
}
