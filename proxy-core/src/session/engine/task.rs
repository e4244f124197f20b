//! [`Task`]: what a client connection has become.

use super::super::client::Session;
use super::super::env::Env;
use super::super::taken_over::TakenOver;
use super::super::tunnel::Tunnel;
use super::super::{Cx, Step};
use crate::runtime::timers::Due;

/// What a client connection has become.
pub(super) enum Task {
    Session(Box<Session>),
    Tunnel(Box<Tunnel>),
    TakenOver(Box<TakenOver>),
}

impl Task {
    pub(super) fn advance(&mut self, env: &mut Env, cx: &mut Cx) -> Step {
        match self {
            Task::Session(session) => session.advance(env, cx),
            Task::Tunnel(tunnel) => tunnel.advance(env, cx),
            Task::TakenOver(_) => Step::Wait,
        }
    }

    pub(super) fn expired(&mut self, due: Due, env: &mut Env, cx: &mut Cx) -> Step {
        match self {
            Task::Session(session) => session.expired(due, env, cx),
            Task::Tunnel(tunnel) => tunnel.expired(due, env, cx),
            Task::TakenOver(_) => Step::Wait,
        }
    }

    /// Records what was under way when its code panicked.
    pub(super) fn fail(self, env: &mut Env, cx: &mut Cx) {
        let who = match self {
            Task::Session(mut session) => session.fail_internally(env, cx),
            Task::Tunnel(mut tunnel) => tunnel.fail_internally(env, cx),
            Task::TakenOver(taken) => taken.fail_internally(env, cx),
        };
        log::error!("the connection of {who} is cut: the code that served it panicked");
    }
}
