//! Tunnels, by `CONNECT` and by `Upgrade`: what goes in comes back from the far end.

use std::time::Duration;

use crate::content::Content;
use crate::exchange::answered;
use crate::ledger::Expected;
use crate::record::AGENT;
use crate::stage::Actor;
use crate::wire::Wire;

/// How a tunnel is used.
struct Use {
    /// How often something goes there and back.
    times: u64,
    /// How much at most.
    most: u64,
    pause: Duration,
}

/// A tunnel for some messages.
pub(crate) fn tunnel(actor: &mut Actor) {
    let times = actor.chance.below(20);
    connect(actor, &Use { times, most: 200_000, pause: Duration::ZERO });
}

/// A tunnel for half a minute.
pub(crate) fn long(actor: &mut Actor) {
    connect(actor, &Use { times: 100, most: 500, pause: Duration::from_millis(300) });
}

fn connect(actor: &mut Actor, usage: &Use) {
    let Some(mut visit) = actor.visit() else { return };
    let expected = Expected::plain(200).tunnel();
    let number = actor.stage.ledger.begin(actor.name, "CONNECT", visit.wire.from, expected);
    let echo = actor.stage.echo;
    let head =
        format!("CONNECT {echo} HTTP/1.1\r\nHost: {echo}\r\nUser-Agent: {AGENT}{number}\r\n\r\n");
    let seen = through(actor, &mut visit.wire, number, &head, 200, usage);
    actor.stage.ledger.settle(number, &seen);
}

/// A WebSocket, as far as a proxy can tell.
pub(crate) fn websocket(actor: &mut Actor) {
    let Some(mut visit) = actor.visit() else { return };
    let expected = Expected::plain(101).tunnel();
    let number = actor.stage.ledger.begin(actor.name, "websocket", visit.wire.from, expected);
    let origin = actor.stage.origin;
    let head = format!(
        "GET http://{origin}/{number}/upgrade/0 HTTP/1.1\r\nHost: {origin}\r\n\
         User-Agent: {AGENT}{number}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let times = actor.chance.below(30);
    let usage = Use { times, most: 20_000, pause: Duration::from_millis(20) };
    let seen = through(actor, &mut visit.wire, number, &head, 101, &usage);
    actor.stage.ledger.settle(number, &seen);
}

fn through(
    actor: &mut Actor,
    wire: &mut Wire,
    number: u64,
    head: &str,
    status: u16,
    usage: &Use,
) -> Result<(), String> {
    let in_it = |error| format!("in the tunnel: {error}");
    wire.send(head.as_bytes()).map_err(|error| format!("while it sent: {error}"))?;
    let head = answered(wire)?;
    if head.status() != Some(status) {
        return Err(format!("instead of {status}: {head:?}"));
    }
    let (mut there, mut back) = (Content::of(number), Content::of(number));
    for _ in 0..usage.times {
        let mut message = vec![0; actor.chance.size(usage.most) as usize];
        there.fill(&mut message);
        wire.send(&message).map_err(in_it)?;
        let length = message.len() as u64;
        wire.exactly(length, &mut |piece| {
            let checked = back.check(piece);
            checked.map_err(|at| std::io::Error::other(format!("wrong at {at}")))
        })
        .map_err(in_it)?;
        if !actor.stage.pause(usage.pause) {
            break;
        }
    }
    let bytes = back.position();
    actor.stage.ledger.amend(number, |expected| *expected = expected.bytes(bytes, bytes));
    // Its end comes back as well.
    wire.finish().map_err(in_it)?;
    wire.ends()
}
