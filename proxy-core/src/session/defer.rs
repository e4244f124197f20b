//! Decisions that take time: made on the worker pool, gone on with here.

use super::client::Session;
use super::env::{Env, Work, discard, guarded};
use super::message::{Asker, Message};
use super::transaction::{Stage, Transaction};
use super::{Cx, Step};
use crate::error::Reason;
use crate::handler::{Continuation, Decision, DecisionReply};

impl Session {
    /// Has a decision made. The client waits for it as long as for a response.
    pub(super) fn defer(
        &mut self,
        mut transaction: Box<Transaction>,
        decision: Decision,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let asker = Asker { task: self.key, request: transaction.id };
        let submitted = env.submit_replying(
            Work::Decisions,
            // If this panics, the reply goes with it: that is an answer, too.
            move |pending| {
                guarded("a deferred decision", || {
                    decision.make(DecisionReply::new(move |go_on| pending.send(Some(go_on))));
                });
            },
            move |go_on| Message::Decided(asker, go_on),
        );
        match submitted {
            Ok(()) => {
                transaction.stage = Stage::Deciding;
                let patience = self.settings.timeouts.response_head;
                cx.timers.arm(&mut self.timer, self.key, cx.now, patience);
                self.transaction = Some(transaction);
                Step::Wait
            }
            Err(reason) => self.fail(transaction, reason, env, cx),
        }
    }

    /// A deferred decision has been made, or will not be.
    pub(super) fn decided(
        &mut self,
        asker: Asker,
        go_on: Option<Continuation>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let waits = |it: &mut Box<Transaction>| {
            it.id == asker.request && matches!(it.stage, Stage::Deciding)
        };
        let Some(mut transaction) = self.transaction.take_if(waits) else {
            // The client's wait was over before.
            discard(go_on);
            return Step::Wait;
        };
        let action = go_on.and_then(|go_on| {
            guarded("a deferred decision", || go_on(&mut transaction.view(&self.client.who)))
        });
        let step = match action {
            Some(action) => self.act(transaction, action, env, cx),
            None => self.fail(transaction, Reason::HandlerFailed, env, cx),
        };
        self.go_on(step, env, cx)
    }
}
