//! [`Reading`]: a body that is being sent, as its loop has it.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::{BodyStream, Shared};
use crate::error::Reason;
use crate::runtime::calls::Caller;

/// A body that is being sent.
#[derive(Debug)]
pub(crate) struct Reading {
    shared: Arc<Shared>,
    pieces: VecDeque<Bytes>,
    /// Bytes that were given out since the last look.
    given: usize,
    /// Nothing comes behind `pieces`.
    is_whole: bool,
}

/// What a look at a body shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// There is something to send: pieces, or the end.
    Ready,
    /// There is nothing now. A call will tell.
    Nothing,
    /// It is to be cut.
    Cut(Reason),
}

impl BodyStream {
    /// Begins to send it, by the task that is called when there is news. `None`: it has been sent
    /// before.
    pub(crate) fn begin(&self, caller: Caller) -> Option<Reading> {
        let shared = &self.0.shared;
        let mut inside = shared.inside();
        if inside.caller.is_some() || inside.is_closed {
            return None;
        }
        inside.caller = Some(caller);
        let shared = Arc::clone(shared);
        Some(Reading { shared, pieces: VecDeque::new(), given: 0, is_whole: false })
    }
}

impl Reading {
    /// Looks what there is. To be called when what was given out before has been sent.
    pub(crate) fn look(&mut self) -> Look {
        let mut inside = self.shared.inside();
        inside.is_called = false;
        inside.is_awaited = false;
        if self.given > 0 {
            inside.bytes -= std::mem::take(&mut self.given);
            if inside.blocked > 0 {
                self.shared.room.notify_all();
            }
        }
        if let Some(reason) = inside.cut() {
            return Look::Cut(reason);
        }
        if self.pieces.is_empty() {
            std::mem::swap(&mut self.pieces, &mut inside.waiting);
        }
        self.is_whole = inside.end.is_some() && inside.waiting.is_empty();
        if self.pieces.is_empty() && !self.is_whole {
            inside.is_awaited = true;
            return Look::Nothing;
        }
        Look::Ready
    }

    /// Why it is to be cut, if it is: to be asked while what was given out is still being sent.
    pub(crate) fn cut(&self) -> Option<Reason> {
        self.shared.inside().cut()
    }

    /// The next piece, or as much of it as `most`, which is not 0.
    pub(crate) fn piece(&mut self, most: usize) -> Option<Bytes> {
        let first = self.pieces.front_mut()?;
        let piece = match first.len() > most {
            true => first.split_to(most),
            false => self.pieces.pop_front()?,
        };
        self.given += piece.len();
        Some(piece)
    }

    /// Whether all of it has been given out.
    pub(crate) fn is_over(&self) -> bool {
        self.is_whole && self.pieces.is_empty()
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.shared.close();
    }
}
