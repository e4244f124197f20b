//! Actions that are taken later. Nothing waits but a timer.

use super::client::Session;
use super::env::Env;
use super::transaction::{Stage, Transaction};
use super::{Cx, Step};
use crate::handler::Delay;

impl Session {
    /// Takes an action after a while. Who comes to an end anyway does not have to wait for it.
    pub(super) fn delay(
        &mut self,
        mut transaction: Box<Transaction>,
        delay: Delay,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        if delay.duration.is_zero() || self.is_leaving(env) {
            return self.act(transaction, *delay.then, env, cx);
        }
        cx.timers.arm(&mut self.timer, self.key, cx.now, delay.duration);
        transaction.stage = Stage::Delayed(delay.then);
        self.transaction = Some(transaction);
        Step::Wait
    }

    /// Whether an action is to be taken later.
    pub(super) fn is_delayed(&self) -> bool {
        self.transaction.as_ref().is_some_and(|it| matches!(it.stage, Stage::Delayed(_)))
    }

    /// Takes the action that was to be taken later, now.
    pub(super) fn end_delay(&mut self, env: &mut Env, cx: &mut Cx) -> Step {
        let Some(mut transaction) = self.transaction.take() else { return Step::Wait };
        let step = match std::mem::take(&mut transaction.stage) {
            Stage::Delayed(action) => self.act(transaction, *action, env, cx),
            other => {
                transaction.stage = other;
                self.transaction = Some(transaction);
                return Step::Wait;
            }
        };
        self.go_on(step, env, cx)
    }
}
