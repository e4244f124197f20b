//! Reading and writing with the loop's buffers.
//!
//! Bytes are read into the loop's scratch buffer and looked at there; only what could not be
//! used is copied to a [`Buffer`] of the connection. What is written leaves at once; only what
//! the socket does not take is copied.

use std::io;

use super::Cx;
use crate::runtime::buffer::{Buffer, Piped};
use crate::runtime::sockets::{Received, SocketId};

/// What looking for input came to.
#[derive(Debug)]
pub(super) enum Input<R> {
    /// There were bytes, and this is what became of them.
    Looked(R),
    /// There is nothing to look at now.
    Blocked,
    /// The peer has ended its side, and all it sent has been used or is not enough.
    Ended,
}

impl<R> Input<R> {
    /// With something else for what became of the bytes.
    pub(super) fn map<S>(self, into: impl FnOnce(R) -> S) -> Input<S> {
        match self {
            Input::Looked(result) => Input::Looked(into(result)),
            Input::Blocked => Input::Blocked,
            Input::Ended => Input::Ended,
        }
    }
}

/// Shows `look` the unread bytes of a socket: those in `kept` first, with newly read ones
/// behind them where they are not enough. `look` says how many it has used; the rest is kept.
pub(super) fn receive<R>(
    socket: SocketId,
    kept: &mut Buffer,
    cx: &mut Cx,
    look: impl FnOnce(&[u8], &mut Cx) -> (usize, R),
) -> io::Result<Input<R>> {
    receive_up_to(usize::MAX, socket, kept, cx, look)
}

/// The same, with no more than `most` newly read ones, which is at least one.
#[inline]
pub(super) fn receive_up_to<R>(
    most: usize,
    socket: SocketId,
    kept: &mut Buffer,
    cx: &mut Cx,
    look: impl FnOnce(&[u8], &mut Cx) -> (usize, R),
) -> io::Result<Input<R>> {
    let mut fresh = 0;
    // The scratch buffer is taken out of the context so that `look` can use the rest of it.
    let mut scratch = std::mem::take(&mut cx.scratch);
    if kept.needs_more() {
        let connection = &mut cx.sockets[socket];
        let received = if connection.is_readable() {
            let most = most.min(scratch.len());
            connection.read(&mut scratch[..most])
        } else {
            Ok(Received::Blocked)
        };
        match received {
            Ok(Received::Bytes(count)) => fresh = count,
            other => {
                cx.scratch = scratch;
                return match other? {
                    Received::End => Ok(Input::Ended),
                    _ => Ok(Input::Blocked),
                };
            }
        }
    }
    let result;
    if kept.is_empty() {
        let used;
        (used, result) = look(&scratch[..fresh], cx);
        kept.extend(&scratch[used..fresh], &mut cx.spares);
        if used == 0 {
            kept.mark_starved();
        }
    } else {
        kept.extend(&scratch[..fresh], &mut cx.spares);
        let used;
        (used, result) = look(kept.as_slice(), cx);
        if used == 0 {
            kept.mark_starved();
        } else {
            kept.consume(used, &mut cx.spares);
        }
    }
    cx.scratch = scratch;
    Ok(Input::Looked(result))
}

/// Small bodies are copied behind their head: one slice is cheaper to send than two.
const COPIED: usize = 4 * 1024;
/// So much is gathered from small pieces before it is sent.
const GATHERED: usize = 16 * 1024;

/// Adds a small piece to what is to be sent. `false`: it must be sent with it now. A body in
/// thousands of tiny chunks must not cost a system call for each.
pub(super) fn gather(head: &mut Vec<u8>, piece: &[u8]) -> bool {
    let small = piece.len() <= COPIED && head.len() + piece.len() <= GATHERED;
    if small {
        head.extend_from_slice(piece);
    }
    small
}

/// Sends `head` and then `body`, behind what is `pending`. What the socket does not take
/// becomes pending. Leaves `head` empty.
pub(super) fn send(
    socket: SocketId,
    pending: &mut Buffer,
    head: &mut Vec<u8>,
    mut body: &[u8],
    cx: &mut Cx,
) -> io::Result<()> {
    if !head.is_empty() && body.len() <= COPIED {
        head.extend_from_slice(body);
        body = &[];
    }
    let connection = &mut cx.sockets[socket];
    let sent = if pending.is_empty() && connection.is_writable() {
        connection.write(head, body)
    } else {
        Ok(0)
    };
    let result = sent.map(|sent| {
        pending.extend(head.get(sent..).unwrap_or_default(), &mut cx.spares);
        pending.extend(&body[sent.saturating_sub(head.len())..], &mut cx.spares);
    });
    head.clear();
    result
}

/// Whether bytes come so fast in one direction that it pays not to look at them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bulk(u8);

/// So many reads in a row that filled the whole buffer.
const FULL_READS: u8 = 2;
/// So much is passed on before others have their turn.
const PASSED: u64 = 1024 * 1024;
/// Fewer bytes than that are better copied.
const WORTH_IT: u64 = 64 * 1024;

impl Bulk {
    /// Takes note of a read, or of bytes that were passed on unseen.
    pub(super) fn note(&mut self, bytes: usize, cx: &Cx) {
        self.0 = if bytes >= cx.read_bytes() { self.0.saturating_add(1) } else { 0 };
    }

    /// Whether the next bytes are to be passed on unseen, of which there are `left`.
    pub(super) fn is_worth_it(self, left: u64, from: SocketId, to: SocketId, cx: &Cx) -> bool {
        self.0 >= FULL_READS
            && left >= WORTH_IT
            && cx.sockets[from].is_spliceable()
            && cx.sockets[to].is_spliceable()
    }
}

/// Passes up to `most` bytes on without looking at them: they stay with the system, and what the
/// other socket does not take becomes pending. `None` if there is no way to do so. An error within is
/// that of the socket to which they go.
pub(super) fn pass(
    from: SocketId,
    to: SocketId,
    most: u64,
    pending: &mut Buffer,
    cx: &mut Cx,
) -> Option<io::Result<Input<io::Result<usize>>>> {
    debug_assert!(pending.is_empty(), "they would overtake what is pending");
    let pipe = cx.spares.lend_pipe()?;
    let count = match cx.sockets[from].fill(&pipe, most.min(PASSED) as usize) {
        Ok(Received::Bytes(count)) => count,
        other => {
            cx.spares.take_pipe_back(pipe);
            return Some(other.map(|received| match received {
                Received::End => Input::Ended,
                _ => Input::Blocked,
            }));
        }
    };
    pending.hold(Piped { pipe, count }, &mut cx.spares);
    Some(Ok(Input::Looked(flush(to, pending, cx).map(|_| count))))
}

/// What became of pending bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flushed {
    /// Nothing is pending any more.
    All,
    /// Some were sent, some are still pending.
    Part,
    /// None could be sent.
    Nothing,
}

/// Sends what is pending.
pub(super) fn flush(socket: SocketId, pending: &mut Buffer, cx: &mut Cx) -> io::Result<Flushed> {
    if pending.is_empty() {
        return Ok(Flushed::All);
    }
    let connection = &mut cx.sockets[socket];
    if !connection.is_writable() {
        return Ok(Flushed::Nothing);
    }
    let mut sent = 0;
    if let Some(piped) = pending.piped() {
        sent = connection.drain(&piped.pipe, piped.count)?;
        pending.drained(sent, &mut cx.spares);
    }
    if pending.piped().is_none() && !pending.is_empty() {
        let bytes = connection.write(pending.as_slice(), &[])?;
        pending.consume(bytes, &mut cx.spares);
        sent += bytes;
    }
    Ok(match (pending.is_empty(), sent) {
        (true, _) => Flushed::All,
        (false, 0) => Flushed::Nothing,
        (false, _) => Flushed::Part,
    })
}
