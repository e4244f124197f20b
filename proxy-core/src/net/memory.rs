//! [`MemoryEnd`]: a connection that no system knows of, for tests and fuzzers.
//!
//! The proxy has one end, as a [`Stream`](super::Stream) like any other. The [`FarEnd`] is in the
//! hands of whoever plays the peer, and decides about everything a peer and a network decide
//! about: which bytes come when, how many are taken, and how it ends. It behaves as TCP on Linux
//! does: bytes that came before a reset are read before it, and an end that is closed with bytes
//! unread resets the other.

use std::io;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::Token;

use crate::runtime::sockets::Readiness;

/// The proxy's end.
#[derive(Debug)]
pub struct MemoryEnd(Arc<Mutex<Pipe>>);

/// The other end.
#[derive(Clone, Debug)]
pub(crate) struct FarEnd(Arc<Mutex<Pipe>>);

/// How a direction stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Flow {
    #[default]
    Open,
    /// FIN: what came is all there is.
    Finished,
    /// RST: what came is not all there is.
    Reset,
}

#[derive(Debug, Default)]
struct Pipe {
    /// What the peer has sent and the proxy has not read.
    inbound: Vec<u8>,
    inbound_flow: Flow,
    /// What the proxy has written and the peer has not taken.
    outbound: Vec<u8>,
    outbound_flow: Flow,
    /// How much of that there may be.
    room: usize,
    /// A write found no room since there was last some.
    blocked: bool,
    /// What the poller would tell next.
    news: Readiness,
    token: Option<Token>,
    /// Closing it is to be a reset.
    abrupt: bool,
    closed: bool,
}

/// A connection, with room for so many bytes on their way from the proxy to its peer.
pub(crate) fn connection(room: usize) -> (MemoryEnd, FarEnd) {
    let pipe = Arc::new(Mutex::new(Pipe { room: room.max(1), ..Pipe::default() }));
    (MemoryEnd(Arc::clone(&pipe)), FarEnd(pipe))
}

fn lock(pipe: &Mutex<Pipe>) -> MutexGuard<'_, Pipe> {
    pipe.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryEnd {
    pub(super) fn register(&self, token: Token) {
        lock(&self.0).token = Some(token);
    }

    pub(super) fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        let mut pipe = lock(&self.0);
        let count = pipe.inbound.len().min(into.len());
        match (count, pipe.inbound_flow) {
            (0, _) if into.is_empty() => Ok(0),
            (0, Flow::Open) => Err(io::ErrorKind::WouldBlock.into()),
            (0, Flow::Finished) => Ok(0),
            (0, Flow::Reset) => Err(io::ErrorKind::ConnectionReset.into()),
            _ => {
                into[..count].copy_from_slice(&pipe.inbound[..count]);
                pipe.inbound.drain(..count);
                Ok(count)
            }
        }
    }

    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut pipe = lock(&self.0);
        if pipe.inbound_flow == Flow::Reset {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if pipe.outbound_flow != Flow::Open {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let count = pipe.room.saturating_sub(pipe.outbound.len()).min(bytes.len());
        if count == 0 && !bytes.is_empty() {
            pipe.blocked = true;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        pipe.outbound.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    pub(super) fn finish_writing(&self) {
        let mut pipe = lock(&self.0);
        if pipe.outbound_flow == Flow::Open {
            pipe.outbound_flow = Flow::Finished;
            pipe.tell_if_over();
        }
    }

    pub(super) fn close_abruptly(&self) {
        lock(&self.0).abrupt = true;
    }
}

impl Drop for MemoryEnd {
    fn drop(&mut self) {
        let mut pipe = lock(&self.0);
        pipe.closed = true;
        if pipe.abrupt || !pipe.inbound.is_empty() {
            pipe.outbound_flow = Flow::Reset;
        } else if pipe.outbound_flow == Flow::Open {
            pipe.outbound_flow = Flow::Finished;
        }
    }
}

impl FarEnd {
    /// Sends bytes, unless this end has ended.
    pub(crate) fn send(&self, bytes: &[u8]) {
        let mut pipe = lock(&self.0);
        if pipe.inbound_flow == Flow::Open && !pipe.closed && !bytes.is_empty() {
            pipe.inbound.extend_from_slice(bytes);
            pipe.news.readable = true;
        }
    }

    /// Sends FIN.
    pub(crate) fn finish(&self) {
        let mut pipe = lock(&self.0);
        if pipe.inbound_flow == Flow::Open {
            pipe.inbound_flow = Flow::Finished;
            pipe.news.readable = true;
            pipe.news.read_closed = true;
            pipe.tell_if_over();
        }
    }

    /// Sends RST.
    pub(crate) fn reset(&self) {
        let mut pipe = lock(&self.0);
        pipe.inbound_flow = Flow::Reset;
        let (readable, writable) = (true, true);
        pipe.news =
            Readiness { readable, writable, read_closed: true, write_closed: true, error: true };
    }

    /// Takes what has come, `most` bytes of it at most.
    pub(crate) fn take(&self, most: usize) -> Vec<u8> {
        let mut pipe = lock(&self.0);
        let count = pipe.outbound.len().min(most);
        let rest = pipe.outbound.split_off(count);
        let taken = mem::replace(&mut pipe.outbound, rest);
        if count > 0 && mem::take(&mut pipe.blocked) {
            pipe.news.writable = true;
        }
        taken
    }

    /// What would be taken next.
    pub(crate) fn under_way(&self) -> Vec<u8> {
        lock(&self.0).outbound.clone()
    }

    /// Whether more can come before something is taken.
    pub(crate) fn has_room(&self) -> bool {
        let pipe = lock(&self.0);
        pipe.outbound.len() < pipe.room
    }

    /// From now on so many bytes may be on their way here.
    pub(crate) fn make_room(&self, room: usize) {
        let mut pipe = lock(&self.0);
        pipe.room = room.max(1);
        if pipe.room > pipe.outbound.len() && mem::take(&mut pipe.blocked) {
            pipe.news.writable = true;
        }
    }

    /// How the proxy has ended its direction.
    pub(crate) fn outcome(&self) -> Flow {
        lock(&self.0).outbound_flow
    }

    /// Whether the proxy has let go of its end.
    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.0).closed
    }

    /// What the poller tells next, and of which socket.
    pub(crate) fn news(&self) -> Option<(Token, Readiness)> {
        let mut pipe = lock(&self.0);
        let token = pipe.token?;
        let news = mem::take(&mut pipe.news);
        (!pipe.closed && news != Readiness::default()).then_some((token, news))
    }

    /// Whether there is something to tell.
    pub(crate) fn has_news(&self) -> bool {
        let pipe = lock(&self.0);
        !pipe.closed && pipe.news != Readiness::default()
    }

    /// Says that it is ready for everything, whether it is or not: pollers may do that.
    pub(crate) fn cry_wolf(&self) {
        let mut pipe = lock(&self.0);
        pipe.news.readable = true;
        pipe.news.writable = true;
    }
}

impl Pipe {
    /// Once both directions have ended, the poller reports a connection as hung up.
    fn tell_if_over(&mut self) {
        if self.inbound_flow == Flow::Finished && self.outbound_flow == Flow::Finished {
            self.news.read_closed = true;
            self.news.write_closed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind<T>(result: io::Result<T>) -> io::ErrorKind {
        result.err().expect("an error").kind()
    }

    #[test]
    fn bytes_come_before_the_end_that_came_behind_them() {
        for (end, last) in [(FarEnd::finish as fn(&FarEnd), Ok(0)), (FarEnd::reset, Err(()))] {
            let (near, far) = connection(8);
            far.send(b"hello");
            end(&far);
            let mut buffer = [0; 3];
            assert_eq!(near.read(&mut buffer).unwrap(), 3);
            assert_eq!(near.read(&mut buffer).unwrap(), 2);
            assert_eq!(near.read(&mut buffer).map_err(|_| ()), last);
        }
    }

    #[test]
    fn a_full_pipe_blocks_and_tells_when_there_is_room_again() {
        let (near, far) = connection(4);
        near.register(Token(7));
        assert_eq!(near.write(b"hello").unwrap(), 4);
        assert_eq!(far.news(), None, "nobody was made to wait yet");
        assert_eq!(kind(near.write(b"o")), io::ErrorKind::WouldBlock);
        assert_eq!(far.take(2), b"he");
        let (token, news) = far.news().unwrap();
        assert!(token == Token(7) && news.writable && !news.readable);
        assert_eq!(near.write(b"o!!").unwrap(), 2);
    }

    #[test]
    fn unread_bytes_make_a_close_a_reset() {
        let (near, far) = connection(4);
        far.send(b"x");
        drop(near);
        assert_eq!(far.outcome(), Flow::Reset);
        let (near, far) = connection(4);
        drop(near);
        assert_eq!(far.outcome(), Flow::Finished);
    }

    #[test]
    fn nothing_can_be_written_to_a_peer_that_has_reset() {
        let (near, far) = connection(4);
        far.finish();
        assert_eq!(near.write(b"x").unwrap(), 1, "a peer that has finished still listens");
        far.reset();
        assert_eq!(kind(near.write(b"x")), io::ErrorKind::ConnectionReset);
    }
}
