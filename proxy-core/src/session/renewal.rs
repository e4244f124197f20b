//! What becomes of a session when a reload brings other settings, or the proxy comes to its end.
//!
//! A request is served to its end by the settings with which it has begun, and so is what its
//! handler began with it. The next one on the same connection is served by the newest. A client
//! that these do not serve any more, or whose listener is gone, is told with the response that is
//! under way that it is the last, and none is begun.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::client::Session;
use super::env::{Env, discard};
use super::{Cx, Step};
use crate::error::Reason;
use crate::runtime::sockets::Close;

/// How long a client that has just connected has for its first request when its connection is to
/// end. It has connected in order to ask: its request is most likely under way, and it cannot know
/// better. One that has been served before can ask again elsewhere (RFC 9112 §9.5), and knows that
/// connections end between requests.
const FIRST_REQUEST: Duration = Duration::from_millis(500);

impl Session {
    /// Other settings have come.
    pub(super) fn renewed(&mut self, env: &mut Env, cx: &mut Cx) -> Step {
        if self.is_delayed() && self.is_leaving(env) {
            return self.end_delay(env, cx);
        }
        if self.is_under_way() {
            return Step::Wait;
        }
        let address = self.client.who.address.ip();
        if env.newest.place_of(self.listener).is_none() {
            return self.leave(cx.now + FIRST_REQUEST, env, cx);
        }
        if env.newest.clients.include(address) {
            self.renew(env, cx);
            return Step::Wait;
        }
        if self.is_idle() && self.client.reused {
            return Step::End(Close::Orderly);
        }
        // Half a head is there, or one is under way.
        self.renew(env, cx);
        self.refuse(Reason::ClientNotAllowed, env, cx)
    }

    /// Ends the connection, unless a request has begun; which is then the last. A client that has
    /// just connected may still ask, for a moment, unless that is longer than `until`. What was to be
    /// done later is done now.
    pub(super) fn leave(&mut self, until: Instant, env: &mut Env, cx: &mut Cx) -> Step {
        if self.is_delayed() {
            return self.end_delay(env, cx);
        }
        if !self.is_idle() {
            return Step::Wait;
        }
        let moment = cx.now + FIRST_REQUEST;
        if self.client.reused || until < moment {
            return Step::End(Close::Orderly);
        }
        self.idle_until = self.idle_until.min(moment);
        self.arm_idle(cx);
        Step::Wait
    }

    /// No request is under way: the next one is served by the newest settings. If they do not know
    /// the listener, a head of which half is there is the last, and the old ones know what it is
    /// about.
    pub(super) fn renew(&mut self, env: &Env, cx: &mut Cx) {
        if self.is_current(env) {
            return;
        }
        if let Some(place) = env.newest.place_of(self.listener) {
            discard(std::mem::replace(&mut self.settings, Rc::clone(&env.newest)));
            self.client.who.listener = place;
            self.unpin(cx);
        }
    }

    /// Whether it has the newest settings.
    pub(super) fn is_current(&self, env: &Env) -> bool {
        Rc::ptr_eq(&self.settings, &env.newest)
    }

    /// Whether the request that is under way is the last on this connection, whatever the client
    /// would like.
    pub(super) fn is_leaving(&self, env: &Env) -> bool {
        env.draining.is_some()
            // Its record finds a place; that of another one might find none.
            || env.log.holds_up()
            || !self.is_current(env)
                && !env.newest.serve(self.client.who.address.ip(), self.listener)
    }
}
