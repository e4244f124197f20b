//! What becomes of an upstream connection when its response is complete.

use std::time::Duration;

use super::Cx;
use super::client::Session;
use super::env::Env;
use super::transaction::{Stage, Transaction};
use crate::http1::BodyLength;
use crate::runtime::sockets::Close;
use crate::upstream::Idle;

impl Session {
    /// The response is complete: the upstream's connection is kept for others if it can be.
    pub(super) fn release_upstream(
        &mut self,
        transaction: &mut Transaction,
        env: &mut Env,
        cx: &mut Cx,
    ) {
        let Stage::Talking(socket) = std::mem::replace(&mut transaction.stage, Stage::Answering)
        else {
            return;
        };
        let has_left = transaction.has_left();
        let upstream = &mut transaction.upstream;
        let idle = Idle { socket, guarding: upstream.guarding, place: upstream.place.take() };
        let reusable = transaction.response.wants_persistence()
            && transaction.response_body.is_done()
            && transaction.response.body_length() != BodyLength::UntilClose
            && has_left
            && !upstream.deaf
            && upstream.inbound.is_empty()
            && env.draining.is_none()
            && self.is_current(env);
        upstream.inbound.clear(&mut cx.spares);
        upstream.outbound.clear(&mut cx.spares);
        // Still readable means that the last read did not show that nothing is left: it filled
        // the whole buffer, or this is Windows, where a short read does not tell.
        let connection = &mut cx.sockets[socket];
        if !reusable || connection.is_readable() && !connection.is_quiet() {
            return cx.sockets.close(socket, Close::Orderly);
        }
        let is_one_clients = upstream.pinned
            || transaction.request.binds_connection()
            || transaction.response.binds_connection();
        let announced = transaction.response.keep_alive_timeout();
        let keep = keep_for(self.settings.timeouts.upstream_idle, announced);
        if is_one_clients {
            return self.pin(&upstream.key, idle, cx.now + keep);
        }
        if let Err(idle) = env.keep_idle(&upstream.key, idle, keep, cx) {
            cx.sockets.close(idle.socket, Close::Orderly);
        }
    }
}

/// How long an idle connection is kept: as long as we want it, and somewhat less than the
/// upstream has announced in seconds, since what we send needs time to get there.
fn keep_for(wanted: Duration, announced: Option<u64>) -> Duration {
    const MARGIN: Duration = Duration::from_secs(1);
    let announced = announced.map_or(Duration::MAX, Duration::from_secs);
    wanted.min(announced.saturating_sub(MARGIN.min(announced / 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_connections_are_let_go_before_the_upstream_closes_them() {
        let ms = Duration::from_millis;
        for (wanted, announced, expected) in [
            (4_000, None, 4_000),
            (4_000, Some(60), 4_000),
            (4_000, Some(5), 4_000),
            (10_000, Some(5), 4_000),
            (4_000, Some(2), 1_000),
            (4_000, Some(1), 500),
            (4_000, Some(0), 0),
            (4_000, Some(u64::MAX), 4_000),
            (0, Some(5), 0),
        ] {
            assert_eq!(keep_for(ms(wanted), announced), ms(expected), "{wanted} {announced:?}");
        }
    }
}
