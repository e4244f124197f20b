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

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::error::Reason;
use crate::limits::LONGEST;
use crate::runtime::calls::Caller;

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

#[cfg(test)]
mod tests {
    use std::thread;

    use mio::Poll;

    use super::*;
    use crate::runtime::mailbox::Mailbox;

    const HANGS: Duration = Duration::from_secs(20);

    fn mailbox() -> Mailbox<()> {
        Mailbox::new(Poll::new().unwrap().registry()).unwrap()
    }

    fn begun(limit: usize) -> (BodySender, Reading, Mailbox<()>) {
        let mailbox = mailbox();
        let (sender, stream) = body_stream(limit);
        let reading = stream.begin(mailbox.calls().caller(1)).unwrap();
        (sender, reading, mailbox)
    }

    fn full(piece: &'static [u8]) -> Result<(), TrySendError> {
        Err(TrySendError::Full(Bytes::from_static(piece)))
    }

    fn closed(piece: &'static [u8]) -> Result<(), TrySendError> {
        Err(TrySendError::Closed(Bytes::from_static(piece)))
    }

    #[test]
    fn bytes_wait_until_the_next_look_shows_that_they_were_sent() {
        let (sender, mut reading, _mailbox) = begun(8);
        assert_eq!(reading.look(), Look::Nothing);
        sender.try_send("12345").unwrap();
        assert_eq!(sender.try_send("6789"), full(b"6789"));
        sender.try_send("678").unwrap();
        assert_eq!(reading.look(), Look::Ready);
        assert_eq!(reading.piece(3).unwrap(), "123");
        assert_eq!(reading.piece(99).unwrap(), "45");
        assert_eq!(sender.try_send("x"), full(b"x"));
        assert_eq!(reading.look(), Look::Ready);
        sender.try_send("9abcd").unwrap();
        assert_eq!(sender.try_send("x"), full(b"x"));
    }

    #[test]
    fn a_piece_that_is_longer_than_the_limit_goes_alone() {
        let (sender, mut reading, _mailbox) = begun(4);
        sender.try_send("").unwrap();
        sender.try_send("123456").unwrap();
        assert_eq!(sender.try_send("7"), full(b"7"));
        sender.finish();
        assert_eq!(reading.look(), Look::Ready);
        assert!(!reading.is_over());
        assert_eq!(reading.piece(99).unwrap(), "123456");
        assert!(reading.is_over());
    }

    #[test]
    fn the_loop_is_called_once_for_what_it_has_not_seen() {
        let (sender, mut reading, mailbox) = begun(100);
        let calls = || mailbox.calls_taken();
        sender.try_send("before it has looked").unwrap();
        assert_eq!(calls(), 0);
        assert_eq!(reading.look(), Look::Ready);
        drop(reading.piece(99));
        sender.try_send("while it sends").unwrap();
        assert_eq!((reading.look(), calls()), (Look::Ready, 0));
        drop(reading.piece(99));
        assert_eq!(reading.look(), Look::Nothing);
        sender.try_send("a").unwrap();
        sender.try_send("b").unwrap();
        assert_eq!(calls(), 1);
        drop(sender);
        assert_eq!((calls(), reading.look()), (0, Look::Cut(Reason::HandlerFailed)));
    }

    #[test]
    fn what_is_cut_is_told_at_once() {
        let (sender, mut reading, mailbox) = begun(100);
        sender.try_send("a").unwrap();
        assert_eq!(reading.look(), Look::Ready);
        sender.abort();
        assert_eq!(mailbox.calls_taken(), 1, "although it is still sending");
        assert_eq!(reading.cut(), Some(Reason::ClosedByHandler));
        assert_eq!(reading.look(), Look::Cut(Reason::ClosedByHandler));
    }

    #[test]
    fn whoever_waits_for_room_is_told_of_it_and_of_the_end() {
        let (sender, mut reading, _mailbox) = begun(4);
        sender.try_send("1234").unwrap();
        assert_eq!(sender.send("5", Duration::from_millis(1)), full(b"5"));
        let sending = thread::spawn(move || {
            sender.send("5678", HANGS).unwrap();
            sender.send("9", HANGS)
        });
        let mut got = Vec::new();
        while got.len() < 8 {
            if reading.look() == Look::Ready {
                got.extend(reading.piece(99).unwrap());
            }
            thread::yield_now();
        }
        assert_eq!(got, b"12345678");
        drop(reading);
        assert_eq!(sending.join().unwrap(), closed(b"9"));
    }

    #[test]
    fn a_stream_is_closed_when_nobody_will_send_it() {
        let mailbox = mailbox();
        let (sender, stream) = body_stream(4);
        sender.try_send("1").unwrap();
        let another = stream.clone();
        drop(stream);
        assert!(!sender.is_closed());
        let reading = another.begin(mailbox.calls().caller(1)).unwrap();
        assert!(another.begin(mailbox.calls().caller(2)).is_none(), "it is sent once");
        drop(another);
        assert!(!sender.is_closed());
        drop(reading);
        assert!(sender.is_closed());
        assert_eq!(sender.try_send("2"), closed(b"2"));

        let (sender, stream) = body_stream(4);
        drop(stream);
        assert!(sender.is_closed());
    }
}
