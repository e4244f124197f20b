//! Reading and writing with the loop's buffers.
//!
//! Bytes are read into the loop's scratch buffer and looked at there; only what could not be
//! used is copied to a [`Buffer`] of the connection. What is written leaves at once; only what
//! the socket does not take is copied.

use std::io;

use super::Cx;
use crate::runtime::buffer::Buffer;
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

/// Shows `look` the unread bytes of a socket: those in `kept` first, with newly read ones
/// behind them where they are not enough. `look` says how many it has used; the rest is kept.
pub(super) fn receive<R>(
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
            connection.read(&mut scratch)
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
    let sent = connection.write(pending.as_slice(), &[])?;
    pending.consume(sent, &mut cx.spares);
    Ok(match (pending.is_empty(), sent) {
        (true, _) => Flushed::All,
        (false, 0) => Flushed::Nothing,
        (false, _) => Flushed::Part,
    })
}
