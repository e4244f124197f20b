//! [`BodyStream`]: a body that is made while it is sent, and the [`BodySender`] by which it is made.
//!
//! ```text
//!   any thread                                      the loop of the client
//!   BodySender ──try_send──▶ pieces that wait ──────▶ Reading ──▶ the client
//!       ▲                    at most `limit` bytes       │
//!       └──── Full, Closed ──────────────────────────────┘
//! ```
//!
//! Bytes count as waiting until the client's socket has taken them, but for one read's worth: so a
//! slow client holds up its sender, and nothing grows. The loop is called when it has found nothing
//! and something has come, and then not again until it has looked.

mod reading;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::error::Reason;
use crate::limits::LONGEST;
use crate::runtime::calls::Caller;
pub(crate) use reading::{Look, Reading};

/// A body that is made while it is sent: an event stream, or one that is too long to be kept in
/// memory. At most `limit` bytes of it wait to be sent; a piece that is longer than that is taken
/// when nothing else waits.
///
/// The stream goes into a [`Response`](super::Response::with_stream), the sender to whoever has
/// something to say, on any thread.
///
/// ```
/// use proxy_core::{Action, ConnectionHandler, Exchange, Response, body_stream};
///
/// struct CountsToThree;
///
/// impl ConnectionHandler for CountsToThree {
///     fn request(&self, _: &mut Exchange<'_>) -> Action {
///         let (sender, body) = body_stream(1024);
///         std::thread::spawn(move || {
///             for number in 1..=3 {
///                 if sender.try_send(format!("{number}\n")).is_err() {
///                     return; // the client has gone, or is slow: what it got is seen to be cut
///                 }
///             }
///             sender.finish();
///         });
///         Action::Respond(Response::new(200).with_stream(body))
///     }
/// }
/// ```
pub fn body_stream(limit: usize) -> (BodySender, BodyStream) {
    let shared = Arc::new(Shared { limit, room: Condvar::new(), inside: Mutex::default() });
    let door = Door { shared: Arc::clone(&shared) };
    (BodySender { shared }, BodyStream(Arc::new(door)))
}

/// Makes a body while it is sent; see [`body_stream`].
///
/// Its end must be said: [`finish`](Self::finish). A sender that is dropped without it, by a panic
/// or by an early return, cuts the body, so that it does not look whole: the client's connection
/// ends, and the log says [`Reason::HandlerFailed`].
#[derive(Debug)]
pub struct BodySender {
    shared: Arc<Shared>,
}

/// A body that a [`BodySender`] makes while it is sent; see [`body_stream`].
///
/// A clone is the same body: it can be sent in one response only.
#[derive(Clone, Debug)]
pub struct BodyStream(Arc<Door>);

/// Why a piece was not taken. It is handed back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrySendError {
    /// As many bytes wait as may wait: the client is slower than the sender.
    #[error("as many bytes of the body wait as may wait")]
    Full(Bytes),
    /// Nobody takes the body any more: the client has gone, wanted no body, or was cut.
    #[error("nobody takes the body any more")]
    Closed(Bytes),
}

impl TrySendError {
    /// The piece.
    pub fn into_inner(self) -> Bytes {
        match self {
            TrySendError::Full(piece) | TrySendError::Closed(piece) => piece,
        }
    }
}

impl BodySender {
    /// Sends a piece of the body, or says why not. Never waits, and can be used anywhere. An empty
    /// piece is nothing.
    ///
    /// # Errors
    /// [`TrySendError::Full`] if there is no room for it, [`TrySendError::Closed`] if there will be
    /// none.
    pub fn try_send(&self, piece: impl Into<Bytes>) -> Result<(), TrySendError> {
        let inside = self.shared.inside();
        self.shared.push(inside, piece.into()).map_err(|(error, _)| error)
    }

    /// The same, and waits for room, for `patience` at most. For threads that may wait, and never on
    /// an event loop, so not in a handler's methods either.
    ///
    /// # Errors
    /// Those of [`try_send`](Self::try_send): [`TrySendError::Full`] when there was no room in time.
    pub fn send(&self, piece: impl Into<Bytes>, patience: Duration) -> Result<(), TrySendError> {
        let until = Instant::now() + patience.min(LONGEST);
        let mut piece = piece.into();
        let mut inside = self.shared.inside();
        loop {
            (piece, inside) = match self.shared.push(inside, piece) {
                Ok(()) => return Ok(()),
                Err((TrySendError::Full(piece), inside)) => (piece, inside),
                Err((closed, _)) => return Err(closed),
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(TrySendError::Full(piece));
            }
            inside.blocked += 1;
            let waited = self.shared.room.wait_timeout(inside, left);
            inside = waited.unwrap_or_else(PoisonError::into_inner).0;
            inside.blocked -= 1;
        }
    }

    /// Whether nobody takes the body any more: the client has gone, the exchange has ended, or the
    /// response will not be sent. Not told of a client that has gone without a word until the
    /// system knows.
    pub fn is_closed(&self) -> bool {
        self.shared.inside().is_closed
    }

    /// The body is whole. What waits is still sent, and then the end.
    pub fn finish(self) {
        self.shared.end(End::Finished);
    }

    /// Cuts the body at once, and so that the client can tell; what waits is not sent. The log says
    /// [`Reason::ClosedByHandler`].
    pub fn abort(self) {
        self.shared.end(End::Aborted);
    }
}

impl Drop for BodySender {
    fn drop(&mut self) {
        // After `finish` and `abort` it is too late for that.
        self.shared.end(End::Lost);
    }
}

/// How a sender has ended its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Finished,
    Aborted,
    Lost,
}

/// What both sides can reach.
struct Shared {
    limit: usize,
    /// Told when there is room, or will be none.
    room: Condvar,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    waiting: VecDeque<Bytes>,
    /// Bytes that count as waiting, whether they are in `waiting` or with the [`Reading`].
    bytes: usize,
    end: Option<End>,
    /// Nobody takes anything any more.
    is_closed: bool,
    /// The body is being sent, by the task that this calls.
    caller: Option<Caller>,
    /// The task has found nothing: it is to be called when there is something.
    is_awaited: bool,
    /// It has been called, and has not looked yet.
    is_called: bool,
    /// Threads that wait for room.
    blocked: usize,
}

impl Inside {
    /// Who is to be called now, unless that has been done.
    fn due_call(&mut self) -> Option<Caller> {
        let caller = self.caller.as_ref()?;
        (!std::mem::replace(&mut self.is_called, true)).then(|| caller.clone())
    }

    /// Why it is to be cut, if it is.
    fn cut(&self) -> Option<Reason> {
        match self.end? {
            End::Finished => None,
            End::Aborted => Some(Reason::ClosedByHandler),
            End::Lost => Some(Reason::HandlerFailed),
        }
    }
}

impl Shared {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a piece in, or hands all back.
    fn push<'a>(
        &self,
        mut inside: MutexGuard<'a, Inside>,
        piece: Bytes,
    ) -> Result<(), (TrySendError, MutexGuard<'a, Inside>)> {
        if inside.is_closed {
            return Err((TrySendError::Closed(piece), inside));
        }
        if piece.is_empty() {
            return Ok(());
        }
        let fits = self.limit.checked_sub(inside.bytes).is_some_and(|left| piece.len() <= left);
        if !fits && inside.bytes > 0 {
            return Err((TrySendError::Full(piece), inside));
        }
        inside.bytes += piece.len();
        inside.waiting.push_back(piece);
        let caller = if inside.is_awaited { inside.due_call() } else { None };
        drop(inside);
        if let Some(caller) = caller {
            caller.call();
        }
        Ok(())
    }

    /// The sender ends the body, if it has not yet.
    fn end(&self, end: End) {
        let mut inside = self.inside();
        if inside.end.is_some() || inside.is_closed {
            return;
        }
        inside.end = Some(end);
        // What is cut is cut at once, also while a slow client is waited for.
        let is_urgent = inside.is_awaited || end != End::Finished;
        let caller = if is_urgent { inside.due_call() } else { None };
        drop(inside);
        if let Some(caller) = caller {
            caller.call();
        }
    }

    /// Nobody takes anything any more.
    fn close(&self) {
        let mut inside = self.inside();
        inside.is_closed = true;
        inside.caller = None;
        let waiting = std::mem::take(&mut inside.waiting);
        drop(inside);
        self.room.notify_all();
        drop(waiting);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// The stream as a response has it. If all clones of it are dropped before it was sent, it never
/// will be.
#[derive(Debug)]
struct Door {
    shared: Arc<Shared>,
}

impl Drop for Door {
    fn drop(&mut self) {
        if self.shared.inside().caller.is_none() {
            self.shared.close();
        }
    }
}

#[cfg(test)]
mod tests;
