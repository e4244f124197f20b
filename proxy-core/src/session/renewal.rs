//! What becomes of a session when a reload brings other settings.
//!
//! A request is served to its end by the settings with which it has begun, and so is what its
//! handler began with it. The next one on the same connection is served by the newest. A client
//! that these do not serve any more, or whose listener is gone, is told with the response that is
//! under way that it is the last, and none is begun.

use std::rc::Rc;

use super::client::Session;
use super::env::Env;
use super::{Cx, Step};
use crate::error::Reason;
use crate::runtime::sockets::Close;

impl Session {
    /// Other settings have come.
    pub(super) fn renewed(&mut self, env: &mut Env, cx: &mut Cx) -> Step {
        if self.is_under_way() {
            return Step::Wait;
        }
        let address = self.client.who.address.ip();
        if self.is_idle() && !env.newest.serve(address, self.listener) {
            return Step::End(Close::Orderly);
        }
        self.renew(env, cx);
        // Half a head is there.
        if self.is_current(env) && !env.newest.clients.include(address) {
            return self.refuse(Reason::ClientNotAllowed, env, cx);
        }
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
            self.settings = Rc::clone(&env.newest);
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
            || !self.is_current(env)
                && !env.newest.serve(self.client.who.address.ip(), self.listener)
    }
}
