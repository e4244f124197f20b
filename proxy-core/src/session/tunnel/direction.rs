//! [`Direction`]: what goes one way through a tunnel.

use std::io;

use super::super::Cx;
use super::super::throttling::Brake;
use super::super::wire::{self, Bulk, Flushed, Input};
use crate::runtime::buffer::Buffer;
use crate::runtime::sockets::SocketId;

/// One direction of a tunnel.
#[derive(Debug, Default)]
pub(super) struct Direction {
    pub(super) pending: Buffer,
    bulk: Bulk,
    pub(super) brake: Brake,
    pub(super) bytes: u64,
    /// Of these, throttles have heard: not yet of those that came before the tunnel was open.
    pub(super) charged: u64,
    /// And of these, the metrics.
    counted: u64,
    /// FIN has been read.
    pub(super) ended: bool,
    /// FIN has been sent on.
    pub(super) closed: bool,
}

impl Direction {
    /// Adds bytes that came before the tunnel was open.
    pub(super) fn add(&mut self, bytes: &[u8], cx: &mut Cx) {
        self.pending.extend(bytes, &mut cx.spares);
        self.bytes += bytes.len() as u64;
    }

    /// How many bytes have gone by since this was asked last.
    pub(super) fn uncounted(&mut self) -> u64 {
        self.bytes - std::mem::replace(&mut self.counted, self.bytes)
    }

    /// Passes on what is there. `Ok(true)` if something was. An error is the socket that failed.
    /// No more than `most` is read; 0 is to be waited for.
    pub(super) fn relay(
        &mut self,
        from: SocketId,
        to: SocketId,
        most: usize,
        cx: &mut Cx,
    ) -> Result<bool, SocketId> {
        let was_pending = !self.pending.is_empty();
        match wire::flush(to, &mut self.pending, cx).map_err(|_| to)? {
            Flushed::All => {}
            Flushed::Part => return Ok(true),
            Flushed::Nothing => return Ok(false),
        }
        if self.ended {
            if !self.closed {
                cx.sockets[to].finish_writing();
                self.closed = true;
                return Ok(true);
            }
            return Ok(was_pending);
        }
        if most == 0 {
            return Ok(was_pending);
        }
        match self.pass(from, to, most, cx).map_err(|_| from)? {
            Input::Looked(sent) => {
                let sent = sent.map_err(|_| to)?;
                self.bulk.note(sent, cx);
                self.bytes += sent as u64;
                Ok(true)
            }
            Input::Ended => {
                self.ended = true;
                Ok(true)
            }
            Input::Blocked => Ok(was_pending),
        }
    }

    /// Passes on what can be read at once. An error within is that of the socket it goes to.
    fn pass(
        &mut self,
        from: SocketId,
        to: SocketId,
        most: usize,
        cx: &mut Cx,
    ) -> io::Result<Input<io::Result<usize>>> {
        let pending = &mut self.pending;
        if self.bulk.is_worth_it(most as u64, from, to, cx)
            && cx.sockets[from].is_readable()
            && let Some(passed) = wire::pass(from, to, most as u64, pending, cx)
        {
            return passed;
        }
        let mut head = Vec::new();
        wire::receive_up_to(most, from, &mut Buffer::default(), cx, |input, cx| {
            (input.len(), wire::send(to, pending, &mut head, input, cx).map(|()| input.len()))
        })
    }
}
