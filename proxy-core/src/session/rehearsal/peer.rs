//! [`Peer`]: a far end and what came of it.

use crate::net::memory::{FarEnd, Flow};

/// A client or an upstream.
pub(super) struct Peer {
    pub(super) far: FarEnd,
    /// All it has got.
    pub(super) got: Vec<u8>,
    /// All it has sent.
    pub(super) sent: Vec<u8>,
    /// How much it takes in each turn.
    pub(super) pace: usize,
    /// It has ended with a reset.
    pub(super) has_reset: bool,
    /// It is an upstream to which a tunnel leads: no HTTP is spoken with it.
    pub(super) is_tunnel: bool,
}

impl Peer {
    pub(super) fn new(far: FarEnd) -> Peer {
        let (got, sent) = (Vec::new(), Vec::new());
        Peer { far, got, sent, pace: usize::MAX, has_reset: false, is_tunnel: false }
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.sent.extend_from_slice(bytes);
        self.far.send(bytes);
    }

    pub(super) fn finish(&mut self) {
        self.far.finish();
    }

    pub(super) fn reset(&mut self) {
        self.has_reset = true;
        self.far.reset();
    }

    /// Takes what has come, at its pace.
    pub(super) fn take(&mut self) {
        // A peer that is gone takes nothing.
        if !self.has_reset && self.pace > 0 {
            self.got.append(&mut self.far.take(self.pace));
        }
    }

    /// Takes everything from now on.
    pub(super) fn hurry(&mut self) {
        self.pace = usize::MAX;
        self.far.make_room(usize::MAX);
        self.take();
    }

    /// How the proxy has ended it.
    pub(super) fn outcome(&self) -> Flow {
        self.far.outcome()
    }
}
