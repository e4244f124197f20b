//! [`Pinned`]: an upstream connection that is one client's alone.
//!
//! NTLM and Negotiate authenticate a connection, not a request (RFC 4559 §6). Once that has begun,
//! the connection is kept for the client that has begun it, and ends with that client's own. Among
//! the idle connections somebody else would find it, and be taken for that client. As long as those
//! it may be idle, and no longer: others may wait for its place.

use std::time::{Duration, Instant};

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
    until: Instant,
}

impl Session {
    /// Keeps a connection for this client alone and for so long, in the place of one that was
    /// kept before.
    pub(super) fn pin(&mut self, key: &str, idle: Idle, keep: Duration, cx: &mut Cx) {
        self.unpin(cx);
        self.pinned = Some(Box::new(Pinned { key: key.to_owned(), idle, until: cx.now + keep }));
    }

    /// When its time is over, if there is one.
    pub(super) fn pinned_until(&self) -> Option<Instant> {
        self.pinned.as_ref().map(|pinned| pinned.until)
    }

    /// The connection that is kept for this client, if it leads to this upstream and nothing has
    /// come on it.
    pub(super) fn take_pinned(&mut self, upstream: &UpstreamSide, cx: &mut Cx) -> Option<Idle> {
        self.unpin_if_over(cx);
        let leads_there = |pinned: &mut Box<Pinned>| {
            pinned.key == upstream.key && upstream.guarding.admits(pinned.idle.guarding)
        };
        self.pinned.take_if(leads_there).map(|pinned| pinned.idle)
    }

    /// Closes it if its upstream has ended it, or has sent what nobody has asked for, or if its
    /// time is over.
    pub(super) fn unpin_if_over(&mut self, cx: &mut Cx) {
        let is_over = |it: &Pinned| it.until <= cx.now || cx.sockets[it.idle.socket].is_readable();
        if self.pinned.as_deref().is_some_and(is_over) {
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
