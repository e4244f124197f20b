//! [`Streamed`]: a response whose body a handler makes while it is sent.
//!
//! What there is leaves at once; what the client does not take waits, and until it has been taken
//! nothing more is looked at: so the sender's own bound holds it up. While there is nothing to send,
//! nobody is to blame and no time runs, but for that of a drain.

use super::answer::write_line;
use super::client::Session;
use super::env::Env;
use super::transaction::Transaction;
use super::wire::{self, Flushed};
use super::{Cx, Step};
use crate::error::Reason;
use crate::handler::{Look, Reading, Response};
use crate::http1::{TargetForm, Version};

/// A body on its way from its sender to the client.
#[derive(Debug)]
pub(super) struct Streamed {
    reading: Reading,
    pub(super) end: StreamEnd,
}

/// How the client is told that a body is whole (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamEnd {
    /// By a last chunk. A body without one has been cut.
    LastChunk,
    /// By the end of the connection; a reset cuts it.
    OfConnection,
}

/// The stream of a response has been sent before.
#[derive(Debug)]
pub(super) struct UsedUp;

/// How much is sent at once: what a slow client does not take of it is copied.
const SHARE: usize = 64 * 1024;

impl Session {
    /// Begins to send the stream of a response, if it has one and the client is to get its body.
    pub(super) fn begin_stream(
        &self,
        response: &Response,
        transaction: &Transaction,
        env: &Env,
    ) -> Result<Option<Box<Streamed>>, UsedUp> {
        let Some(stream) = response.stream() else { return Ok(None) };
        let request = &transaction.request;
        if request.method() == "HEAD" || matches!(response.status(), 204 | 304) {
            return Ok(None);
        }
        // RFC 9112 §6.1: chunks only to those who know them, and RFC 9110 §9.3.6: not to somebody
        // who takes what follows for the tunnel it has asked for.
        let opens_tunnel = request.form() == TargetForm::Authority && response.status() / 100 == 2;
        let end = match request.version() == Version::Http11 && !opens_tunnel {
            true => StreamEnd::LastChunk,
            false => StreamEnd::OfConnection,
        };
        match stream.begin(env.calls.caller(self.key)) {
            Some(reading) => Ok(Some(Box::new(Streamed { reading, end }))),
            None => Err(UsedUp),
        }
    }

    /// Sends what there is of a stream.
    pub(super) fn keep_streaming(
        &mut self,
        mut transaction: Box<Transaction>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let client = &mut self.client;
        let was_pending = !client.outbound.is_empty();
        let flushed = wire::flush(client.socket, &mut client.outbound, cx);
        let Some(streamed) = &mut transaction.streamed else {
            return self.finish_answer(transaction, env, cx);
        };
        if let Ok(Flushed::Part | Flushed::Nothing) = flushed
            && let Some(reason) = streamed.reading.cut()
        {
            return self.fail(transaction, reason, env, cx);
        }
        match flushed {
            Ok(Flushed::All) if was_pending => {
                return self.go_on_answering(transaction, Step::Again, env, cx);
            }
            Ok(Flushed::All) => {}
            Ok(Flushed::Part) => return self.go_on_answering(transaction, Step::Wait, env, cx),
            Ok(Flushed::Nothing) => {
                self.transaction = Some(transaction);
                return Step::Wait;
            }
            Err(_) => return self.fail(transaction, Reason::ClientClosed, env, cx),
        }
        match streamed.reading.look() {
            Look::Ready => self.send_share(transaction, env, cx),
            Look::Cut(reason) => self.fail(transaction, reason, env, cx),
            // Whoever has closed its connection and whoever has only ended its side look the same.
            // One that is told nothing for an hour would not be missed for an hour.
            Look::Nothing if cx.sockets[client.socket].has_ended() => {
                self.fail(transaction, Reason::ClientClosed, env, cx)
            }
            Look::Nothing => {
                self.transaction = Some(transaction);
                Step::Wait
            }
        }
    }

    /// Sends as much as is sent at once.
    fn send_share(
        &mut self,
        mut transaction: Box<Transaction>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let (client, out) = (&mut self.client, &mut env.out);
        let Some(streamed) = &mut transaction.streamed else {
            return self.finish_answer(transaction, env, cx);
        };
        out.clear();
        let is_chunked = streamed.end == StreamEnd::LastChunk;
        let (mut taken, mut sent) = (0, Ok(()));
        while taken < SHARE
            && sent.is_ok()
            && let Some(piece) = streamed.reading.piece(SHARE - taken)
        {
            taken += piece.len();
            if is_chunked {
                write_line(out, format_args!("{:x}", piece.len()));
            }
            if !wire::gather(out, &piece) {
                sent = wire::send(client.socket, &mut client.outbound, out, &piece, cx);
            }
            if is_chunked {
                out.extend_from_slice(b"\r\n");
            }
        }
        let is_over = streamed.reading.is_over();
        if is_over && is_chunked {
            out.extend_from_slice(b"0\r\n\r\n");
        }
        if sent.is_ok() && !out.is_empty() {
            sent = wire::send(client.socket, &mut client.outbound, out, &[], cx);
        }
        transaction.answered += taken as u64;
        if sent.is_err() {
            return self.fail(transaction, Reason::ClientClosed, env, cx);
        }
        if is_over {
            transaction.streamed = None;
        }
        self.go_on_answering(transaction, Step::Again, env, cx)
    }

    /// Whether all there was of a stream has left, and more may come at any time.
    pub(super) fn awaits_pieces(&self, transaction: &Transaction) -> bool {
        transaction.streamed.is_some() && self.client.outbound.is_empty()
    }
}
