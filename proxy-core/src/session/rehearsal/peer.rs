//! [`Peer`]: a far end and what came of it.

use super::marks::{TAG, requests_begun, tag};
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
    /// How it has ended, and first of all: a reset behind a FIN does not undo the FIN.
    pub(super) end: Flow,
    /// It has sent a reset, and takes nothing any more.
    pub(super) is_deaf: bool,
    /// It is an upstream, and this is what was to be connected to.
    pub(super) authority: String,
    /// It is an upstream to which a tunnel leads: no HTTP is spoken with it.
    pub(super) is_tunnel: bool,
}

impl Peer {
    pub(super) fn new(far: FarEnd) -> Peer {
        let (got, sent) = (Vec::new(), Vec::new());
        Peer {
            far,
            got,
            sent,
            pace: usize::MAX,
            end: Flow::Open,
            is_deaf: false,
            authority: String::new(),
            is_tunnel: false,
        }
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.sent.extend_from_slice(bytes);
        self.far.send(bytes);
    }

    /// The next so many bytes of what an upstream has to say, and the rest of a tag that would
    /// be cut. Takes them from `text`.
    pub(super) fn lines(&self, index: usize, text: &mut &[u8], most: usize) -> Vec<u8> {
        let mut arrived = self.got.clone();
        arrived.extend(self.far.under_way());
        // Where nothing more can come, it cannot be told which request the proxy has in mind.
        let tag = match self.far.has_room() {
            true => tag(index, requests_begun(&arrived)),
            false => None,
        };
        let tag = tag.unwrap_or(*b"----");
        let mut said = Vec::new();
        while said.len() < most
            && let [first, behind @ ..] = *text
        {
            *text = match text.strip_prefix(TAG) {
                Some(behind) => {
                    said.extend_from_slice(&tag);
                    behind
                }
                None => {
                    // What only looks like a tag would be taken for one.
                    said.push(if *first == TAG[0] { b'-' } else { *first });
                    behind
                }
            };
        }
        said
    }

    pub(super) fn finish(&mut self) {
        if self.end == Flow::Open {
            self.end = Flow::Finished;
        }
        self.far.finish();
    }

    pub(super) fn reset(&mut self) {
        if self.end == Flow::Open {
            self.end = Flow::Reset;
        }
        self.is_deaf = true;
        self.far.reset();
    }

    /// Takes what has come, at its pace.
    pub(super) fn take(&mut self) {
        // A peer that is gone takes nothing.
        if !self.is_deaf && self.pace > 0 {
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
