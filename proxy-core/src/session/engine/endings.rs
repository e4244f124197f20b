//! What a loop is told by its proxy: other settings, and that it comes to an end.

use std::sync::atomic::Ordering;

use super::super::message::Drain;
use super::super::{Cx, Step, TaskKey};
use super::Engine;
use super::task::Task;
use crate::error::Reason;

/// Which kinds of tasks there are no more of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cut {
    pub(super) exchanges: bool,
    pub(super) tunnels: bool,
}

impl Engine {
    /// Serves what begins from now on by the newest settings.
    pub(super) fn reload(&mut self, cx: &mut Cx) {
        // What has ended until now is the old logger's.
        self.env.log.flush();
        self.env.renew(cx);
        for key in self.keys() {
            self.run(key, cx, |task, env, cx| match task {
                Task::Session(session) => session.renewed(env, cx),
                _ => Step::Wait,
            });
        }
    }

    pub(super) fn drain(&mut self, cx: &mut Cx, drain: Drain) {
        drain.tally.open.fetch_add(self.tasks.len(), Ordering::Relaxed);
        let exchanges_until = drain.exchanges_until;
        self.env.draining = Some(drain);
        self.env.close_idle(cx);
        for key in self.keys() {
            self.run(key, cx, |task, env, cx| match task {
                Task::Session(session) => session.leave(exchanges_until, env, cx),
                _ => Step::Wait,
            });
        }
    }

    /// Cuts what has outlived the deadlines of a drain: all at once when its time is over, and
    /// nothing is left to look for afterwards.
    pub(super) fn cut(&mut self, cx: &mut Cx, drain: &Drain) {
        let due = Cut {
            exchanges: cx.now >= drain.exchanges_until,
            tunnels: cx.now >= drain.tunnels_until,
        };
        let news = due.exchanges != self.cut.exchanges || due.tunnels != self.cut.tunnels;
        self.cut = due;
        if news {
            self.end_now(&self.keys(), cx);
        }
    }

    /// Cuts those of the tasks whose kind is to be cut.
    pub(super) fn end_now(&mut self, keys: &[TaskKey], cx: &mut Cx) {
        let (before, cut) = (self.tasks.len(), self.cut);
        for &key in keys {
            self.run(key, cx, |task, env, cx| match task {
                Task::Session(session) if cut.exchanges => session.cut(Reason::ShutDown, env, cx),
                Task::Tunnel(tunnel) if cut.tunnels => tunnel.cut(Reason::ShutDown, env, cx),
                Task::TakenOver(taken) if cut.exchanges => taken.cut(env, cx),
                _ => Step::Wait,
            });
        }
        if let Some(drain) = &self.env.draining {
            drain.tally.cut.fetch_add(before - self.tasks.len(), Ordering::Relaxed);
        }
    }
}
