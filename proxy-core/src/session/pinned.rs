//! [`Pinned`]: an upstream connection that is one client's alone.
//!
//! NTLM and Negotiate authenticate a connection, not a request (RFC 4559 §6). Once that has begun,
//! the connection is kept for the client that has begun it, and ends with that client's own. Among
//! the idle connections somebody else would find it, and be taken for that client.

use super::Cx;
use super::client::Session;
use super::transaction::UpstreamSide;
use crate::runtime::sockets::Close;
use crate::upstream::Idle;

/// An idle connection, and where it leads to.
#[derive(Debug)]
pub(super) struct Pinned {
    key: String,
    idle: Idle,
}

impl Session {
    /// Keeps a connection for this client alone, in the place of one that was kept before.
    pub(super) fn pin(&mut self, key: &str, idle: Idle, cx: &mut Cx) {
        self.unpin(cx);
        self.pinned = Some(Box::new(Pinned { key: key.to_owned(), idle }));
    }

    /// The connection that is kept for this client, if it leads to this upstream and nothing has
    /// come on it.
    pub(super) fn take_pinned(&mut self, upstream: &UpstreamSide, cx: &mut Cx) -> Option<Idle> {
        self.unpin_if_ended(cx);
        let leads_there = |pinned: &mut Box<Pinned>| {
            pinned.key == upstream.key && upstream.guarding.admits(pinned.idle.guarding)
        };
        self.pinned.take_if(leads_there).map(|pinned| pinned.idle)
    }

    /// Closes it if its upstream has ended it, or has sent what nobody has asked for.
    pub(super) fn unpin_if_ended(&mut self, cx: &mut Cx) {
        if self.pinned.as_ref().is_some_and(|it| cx.sockets[it.idle.socket].is_readable()) {
            self.unpin(cx);
        }
    }

    /// Closes it.
    pub(super) fn unpin(&mut self, cx: &mut Cx) {
        if let Some(pinned) = self.pinned.take() {
            cx.sockets.close(pinned.idle.socket, Close::Orderly);
        }
    }
}
