//! Waiting for a connection to an upstream that has as many as it may have.
//!
//! Requests wait in the order in which they came, without a thread and without a look at the
//! queue until it is their turn. The first gets the next connection that becomes idle, or the
//! place of one that has ended.

use super::client::Session;
use super::env::{Env, Granted};
use super::transaction::{Stage, Transaction};
use super::{Cx, Step};
use crate::error::Reason;
use crate::runtime::sockets::Close;
use crate::upstream::Called;

impl Session {
    /// Finds a place for a new connection to the transaction's upstream, at once or later.
    pub(super) fn find_place(
        &mut self,
        mut transaction: Box<Transaction>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let upstream = &mut transaction.upstream;
        let Some(places) = &env.places else { return self.seek(transaction, env, cx) };
        upstream.place = places.take(&upstream.key);
        if upstream.place.is_none() {
            // An idle connection that this request cannot use must not keep it from having one.
            if let Some(idle) = env.idle.evict(&upstream.key) {
                cx.sockets.close(idle.socket, Close::Orderly);
                upstream.place = idle.place;
            }
        }
        if upstream.place.is_some() {
            return self.seek(transaction, env, cx);
        }
        match places.queue(&transaction.upstream.key, self.key, transaction.takes_used()) {
            Some(ticket) => {
                transaction.stage = Stage::Queued(ticket);
                let timeout = self.settings.timeouts.upstream_wait;
                cx.timers.arm(&mut self.timer, self.key, cx.now, timeout);
                self.transaction = Some(transaction);
                Step::Wait
            }
            None => self.fail(transaction, Reason::UpstreamBusy, env, cx),
        }
    }

    /// What the transaction has waited for is there. What is not taken goes to the next.
    pub(super) fn admitted(
        &mut self,
        called: Called,
        granted: &mut Option<Granted>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        // Its time may have run out in this very turn, after it was called. What it waits for now
        // may be for its client's next request, and lead elsewhere.
        let waits = |it: &mut Box<Transaction>| matches!(&it.stage, Stage::Queued(ticket) if ticket.is(called));
        let Some(mut transaction) = self.transaction.take_if(waits) else { return Step::Wait };
        let Some(granted) = granted.take() else { unreachable!("something is there to be taken") };
        transaction.end_stage(cx.now);
        transaction.stage = Stage::Deciding;
        let step = match granted {
            Granted::Connection(idle)
                if self.is_current(env)
                    && transaction.upstream.guarding.admits(idle.guarding)
                    && transaction.can_use(idle.socket, cx) =>
            {
                self.reuse(transaction, idle, env, cx)
            }
            // It is newer than the settings, the guard had no say in where it leads, or something has come on it since its last
            // response, be it its end: only its place is of use here.
            Granted::Connection(idle) => {
                cx.sockets.close(idle.socket, Close::Orderly);
                transaction.upstream.place = idle.place;
                self.seek(transaction, env, cx)
            }
            Granted::Place(place) => {
                transaction.upstream.place = Some(place);
                self.seek(transaction, env, cx)
            }
        };
        self.go_on(step, env, cx)
    }
}
