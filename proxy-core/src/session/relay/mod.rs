//! Both directions of an exchange: the request goes up, the response comes down.
//!
//! Nothing is collected: what one side sends is passed to the other at once, and while that
//! one does not take it, nothing more is read. So a body needs the memory of one read,
//! however long it is.

mod request;
mod response;

use std::time::Duration;

use super::client::Session;
use super::env::Env;
use super::transaction::{Progress, Stage, Transaction};
use super::{Cx, Step};
use crate::error::Reason;
use crate::handler::Response;

/// What became of a look at one direction.
#[derive(Debug)]
enum Relayed {
    /// Something was passed on.
    Moved,
    /// Something has come of a head that is not complete: more may be there, but the time that
    /// the whole head has goes on.
    Begun,
    /// Nothing can be passed on now.
    Stuck,
    /// The upstream's connection was lost before it answered.
    Lost,
    /// It is over, for this reason.
    Failed(Reason),
    /// The handler wants another response.
    Replaced(Response),
    /// The handler wants no response.
    Dropped,
    /// The response is a `101` that was asked for.
    Switched,
}

impl Session {
    /// Goes on with a transaction, whatever its stage.
    pub(super) fn exchange(
        &mut self,
        mut transaction: Box<Transaction>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        if cx.sockets[self.client.socket].has_hung_up() {
            return self.fail(transaction, Reason::ClientClosed, env, cx);
        }
        match transaction.stage {
            Stage::Deciding | Stage::Delayed(_) | Stage::Queued(_) | Stage::Planning => {
                self.transaction = Some(transaction);
                Step::Wait
            }
            Stage::Dialing(_) => self.keep_dialing(transaction, env, cx),
            Stage::Answering if transaction.streamed.is_some() => {
                self.keep_streaming(transaction, env, cx)
            }
            Stage::Answering => self.finish_answer(transaction, env, cx),
            Stage::Talking(upstream) => {
                let (mut moved, mut begun) = (false, false);
                for relay in [Session::relay_request, Session::relay_response] {
                    match relay(self, &mut transaction, upstream, env, cx) {
                        Relayed::Moved => moved = true,
                        Relayed::Begun => begun = true,
                        Relayed::Stuck => {}
                        Relayed::Lost => return self.lost(transaction, env, cx),
                        Relayed::Failed(reason) => return self.fail(transaction, reason, env, cx),
                        Relayed::Replaced(response) => {
                            transaction.drop_upstream(cx);
                            return self.respond(transaction, &response, env, cx);
                        }
                        Relayed::Dropped => {
                            return self.close_silently(
                                transaction,
                                Reason::ClosedByHandler,
                                env,
                                cx,
                            );
                        }
                        Relayed::Switched => return Step::Tunnel(transaction),
                    }
                }
                if moved {
                    transaction.count_bytes(&env.meter);
                    let after = self.patience(&transaction);
                    if let Err(reason) = self.keep_pace(&mut transaction, after, cx) {
                        return self.fail(transaction, reason, env, cx);
                    }
                }
                if transaction.progress == Progress::Complete {
                    self.release_upstream(&mut transaction, env, cx);
                    return self.finish_answer(transaction, env, cx);
                }
                if !moved
                    && !begun
                    && let Err(reason) = self.wait_for_throttles(&mut transaction, cx)
                {
                    return self.fail(transaction, reason, env, cx);
                }
                // The answer takes a while: there is no use in looking for it at once.
                let awaits_answer =
                    transaction.awaits_answer(upstream, cx) && self.client.outbound.is_empty();
                self.transaction = Some(transaction);
                if (moved || begun) && !awaits_answer { Step::Again } else { Step::Wait }
            }
        }
    }

    /// How long nothing at all may move.
    #[inline]
    pub(super) fn patience(&self, transaction: &Transaction) -> Duration {
        let timeouts = &self.settings.timeouts;
        let answer_is_due =
            transaction.progress == Progress::Awaited && transaction.request_body.is_done();
        if answer_is_due { timeouts.response_head } else { timeouts.body_idle }
    }
}
