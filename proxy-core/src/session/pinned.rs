//! [`Pinned`]: an upstream connection that is one client's alone.
//!
//! NTLM and Negotiate authenticate a connection, not a request (RFC 4559 §6). Once that has begun,
//! the connection is kept for the client that has begun it, and ends with that client's own. Among
//! the idle connections somebody else would find it, and be taken for that client.
//!
//! It waits for the client's next request, as long as idle connections do and no longer, and not
//! for the one after that: others may wait for its place. A client that turned elsewhere and kept
//! it would hold a place that it does not use for as long as that takes; and where each of two
//! clients waited for the other's, both would do so in vain.

use std::time::Instant;

use super::Cx;
use super::client::Session;
use super::transaction::Transaction;
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
    /// Keeps a connection for this client alone.
    pub(super) fn pin(&mut self, key: &str, idle: Idle, until: Instant) {
        debug_assert!(self.pinned.is_none(), "one that was kept before ended with this request");
        self.pinned = Some(Box::new(Pinned { key: key.to_owned(), idle, until }));
    }

    /// When its time is over, if there is one.
    pub(super) fn pinned_until(&self) -> Option<Instant> {
        self.pinned.as_ref().map(|pinned| pinned.until)
    }

    /// The connection that is kept for this client, if its request can go out on it. It is kept
    /// no longer either way.
    pub(super) fn take_pinned(&mut self, transaction: &Transaction, cx: &mut Cx) -> Option<Idle> {
        let Pinned { key, idle, until } = *self.pinned.take()?;
        let upstream = &transaction.upstream;
        let leads_there = key == upstream.key && upstream.guarding.admits(idle.guarding);
        if leads_there
            && until > cx.now
            && transaction.takes_used()
            && transaction.can_use(idle.socket, cx)
        {
            return Some(idle);
        }
        cx.sockets.close(idle.socket, Close::Orderly);
        None
    }

    /// Closes it if its upstream has ended it, or has sent what nobody has asked for, or if its
    /// time is over.
    pub(super) fn unpin_if_over(&mut self, cx: &mut Cx) {
        let Some(pinned) = &self.pinned else { return };
        // An event can be a false alarm, and another connection would have to be authenticated anew.
        let connection = &mut cx.sockets[pinned.idle.socket];
        let has_spoken = connection.is_readable() && !connection.is_quiet();
        if has_spoken || pinned.until <= cx.now {
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
