//! [`Sockets`]: the connections of one loop, and what is known of their readiness.
//!
//! Each socket is registered once, edge-triggered, for reading and writing. After that the
//! loop keeps track itself: an event sets a flag, an operation that finds nothing more to do
//! clears it. So a request costs no registration call.

use std::io::{self, IoSlice};
use std::net::SocketAddr;

use mio::event::Event;
use mio::{Interest, Registry, Token};
use slab::Slab;

use super::listeners::MAX_LISTENERS;
use crate::net::{Pipe, Stream};

/// Names a socket of a loop. Ids are not used again for as long as an event for the old
/// socket may still be under way: the generation tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SocketId {
    index: u32,
    generation: u32,
}

/// Half of a token is the index, half the generation.
const HALF: u32 = usize::BITS / 2;
const MASK: usize = (1 << HALF) - 1;

impl SocketId {
    fn token(self) -> Token {
        Token((self.generation as usize & MASK) << HALF | self.index as usize & MASK)
    }

    #[cfg(test)]
    pub(crate) fn for_test(index: u32) -> SocketId {
        SocketId { index, generation: 0 }
    }

    fn from_token(token: Token) -> SocketId {
        SocketId { index: (token.0 & MASK) as u32, generation: (token.0 >> HALF) as u32 }
    }
}

/// The token of a loop's waker: no socket has it, nor one of a listener, since the index of a socket
/// is at most [`MAX_SOCKETS`].
pub(crate) const WAKER: Token = Token(usize::MAX);
const MAX_SOCKETS: usize = MASK - 1 - MAX_LISTENERS;

/// What the poller tells of a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Readiness {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    pub(crate) read_closed: bool,
    pub(crate) write_closed: bool,
    pub(crate) error: bool,
}

impl From<&Event> for Readiness {
    fn from(event: &Event) -> Readiness {
        Readiness {
            readable: event.is_readable(),
            writable: event.is_writable(),
            read_closed: event.is_read_closed(),
            write_closed: event.is_write_closed(),
            error: event.is_error(),
        }
    }
}

/// What an attempt to read came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// So many bytes were read.
    Bytes(usize),
    /// Nothing is there now; an event will tell.
    Blocked,
    /// The peer has ended its side (FIN).
    End,
}

/// A registered socket. `O` says whose it is, in the words of the protocol.
#[derive(Debug)]
pub(crate) struct Connection<O> {
    stream: Stream,
    /// Only of those that were asked for it, as upstreams are.
    peer: Option<Box<SocketAddr>>,
    /// To whom events of this socket go.
    pub(crate) owner: O,
    readable: bool,
    writable: bool,
    /// Bytes that the system has taken.
    written: u64,
    /// FIN has been seen, read or not.
    peer_ended: bool,
    /// It is over in both directions.
    hung_up: bool,
}

impl<O> Connection<O> {
    /// Whether a read may find something.
    pub(crate) fn is_readable(&self) -> bool {
        self.readable
    }

    pub(crate) fn is_writable(&self) -> bool {
        self.writable
    }

    /// Has the next write tried, though no event has told of room: the system tells only when a
    /// third of its buffer is free, and takes bytes as soon as there is room for any.
    pub(crate) fn try_writing(&mut self) {
        self.writable = true;
    }

    /// Whether the peer has ended its side, by FIN or by a reset, as far as events have told.
    pub(crate) fn has_ended(&self) -> bool {
        self.peer_ended || self.hung_up
    }

    /// Whether the connection is over in both directions: a reset, most often.
    pub(crate) fn has_hung_up(&self) -> bool {
        self.hung_up
    }

    /// How many bytes have been written in all: the system has taken them, if not the peer.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// The other end's address, once it was asked for.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.peer.as_deref().copied()
    }

    /// Whether a connection attempt has come to its end: `Ok(false)` if it is under way.
    pub(crate) fn finish_connecting(&mut self) -> io::Result<bool> {
        let connected = self.stream.connected()?;
        if connected {
            self.learn_peer();
        } else {
            self.writable = false;
        }
        Ok(connected)
    }

    fn note(&mut self, event: Readiness) {
        self.readable |= event.readable || event.read_closed || event.error;
        self.writable |= event.writable || event.write_closed || event.error;
        self.peer_ended |= event.read_closed;
        self.hung_up |= event.error || event.read_closed && event.write_closed;
    }

    /// Asks the system for the other end's address.
    pub(crate) fn learn_peer(&mut self) {
        self.peer = self.stream.peer().map(Box::new);
    }

    /// Nobody asks for that address any more.
    pub(crate) fn forget_peer(&mut self) {
        self.peer = None;
    }

    /// Reads once.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<Received> {
        loop {
            return match self.stream.read(into) {
                Ok(0) => Ok(Received::End),
                Ok(count) => {
                    // A short read means that the socket is drained, so the next call would
                    // only say so; but a FIN already reported will not be reported again.
                    // Windows tells of new bytes only after a read that found none.
                    if count < into.len() && !self.peer_ended && !cfg!(windows) {
                        self.readable = false;
                    }
                    Ok(Received::Bytes(count))
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.readable = false;
                    Ok(Received::Blocked)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
        }
    }

    /// Whether its bytes can be moved without copying them.
    pub(crate) fn is_spliceable(&self) -> bool {
        self.stream.is_spliceable()
    }

    /// Moves up to `most` bytes into an empty pipe.
    pub(crate) fn fill(&mut self, pipe: &Pipe, most: usize) -> io::Result<Received> {
        loop {
            return match pipe.fill(&self.stream, most) {
                Ok(0) => Ok(Received::End),
                // Unlike after a read, few bytes do not mean that there are no more: the pipe may
                // have been full of small ones.
                Ok(count) => Ok(Received::Bytes(count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.readable = false;
                    Ok(Received::Blocked)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
        }
    }

    /// Moves the `count` bytes that are in a pipe on, as many as the socket takes, and says how
    /// many that was.
    pub(crate) fn drain(&mut self, pipe: &Pipe, count: usize) -> io::Result<usize> {
        let mut moved = 0;
        while moved < count {
            match pipe.drain(&self.stream, count - moved) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(more) => moved += more,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.writable = false;
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.written += moved as u64;
        Ok(moved)
    }

    /// Whether the peer has neither sent anything nor ended: asks the system, which may know
    /// more than the events that have been seen. What was there is lost.
    pub(crate) fn is_quiet(&mut self) -> bool {
        matches!(self.read(&mut [0]), Ok(Received::Blocked))
    }

    /// Writes `head` and then `body`, as much as the socket takes, and says how much that was.
    pub(crate) fn write(&mut self, head: &[u8], body: &[u8]) -> io::Result<usize> {
        let total = head.len() + body.len();
        let mut written = 0;
        while written < total {
            let result = match (head.get(written..).unwrap_or_default(), body) {
                (head, []) => self.stream.write(head),
                ([], body) => self.stream.write(&body[written - head.len()..]),
                (head, body) => {
                    self.stream.write_vectored(&[IoSlice::new(head), IoSlice::new(body)])
                }
            };
            match result {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.writable = false;
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.written += written as u64;
        Ok(written)
    }

    /// Sends FIN.
    pub(crate) fn finish_writing(&self) {
        // It fails only where the connection is gone already.
        drop(self.stream.finish_writing());
    }
}

/// The sockets of one loop.
#[derive(Debug)]
pub(crate) struct Sockets<O> {
    registry: Registry,
    slots: Slab<Slot<O>>,
    next_generation: u32,
}

#[derive(Debug)]
struct Slot<O> {
    generation: u32,
    connection: Connection<O>,
}

impl<O> Sockets<O> {
    pub(crate) fn new(registry: Registry) -> Self {
        Sockets { registry, slots: Slab::new(), next_generation: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Takes a socket in. It counts as readable and writable until an operation shows
    /// otherwise, so that the first bytes are not waited for twice.
    pub(crate) fn insert(&mut self, stream: Stream, owner: O) -> io::Result<SocketId> {
        self.add(stream, owner, true)
    }

    /// Takes in a socket that is still connecting: nothing can be read or written before its
    /// first event.
    pub(crate) fn insert_connecting(&mut self, stream: Stream, owner: O) -> io::Result<SocketId> {
        self.add(stream, owner, false)
    }

    fn add(&mut self, mut stream: Stream, owner: O, ready: bool) -> io::Result<SocketId> {
        let slot = self.slots.vacant_entry();
        if slot.key() > MAX_SOCKETS {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.next_generation = self.next_generation.wrapping_add(1) & MASK as u32;
        let id = SocketId { index: slot.key() as u32, generation: self.next_generation };
        self.registry.register(&mut stream, id.token(), Interest::READABLE | Interest::WRITABLE)?;
        let connection = Connection {
            stream,
            peer: None,
            owner,
            readable: ready,
            writable: ready,
            written: 0,
            peer_ended: false,
            hung_up: false,
        };
        slot.insert(Slot { generation: id.generation, connection });
        Ok(id)
    }

    /// Notes an event, unless it is for a socket that is no longer here, or for none.
    pub(crate) fn note(&mut self, token: Token, event: Readiness) {
        if let Some(connection) = self.get_mut(SocketId::from_token(token)) {
            connection.note(event);
        }
    }

    /// Whose the socket with this token is. `None` if it is no longer here, or never was one.
    pub(crate) fn owner(&self, token: Token) -> Option<(SocketId, O)>
    where
        O: Copy,
    {
        let id = SocketId::from_token(token);
        let slot = self.slots.get(id.index as usize)?;
        (slot.generation == id.generation).then_some((id, slot.connection.owner))
    }

    fn get_mut(&mut self, id: SocketId) -> Option<&mut Connection<O>> {
        let slot = self.slots.get_mut(id.index as usize)?;
        (slot.generation == id.generation).then_some(&mut slot.connection)
    }

    /// Takes a socket out for use without the loop.
    pub(crate) fn take(&mut self, id: SocketId) -> io::Result<Stream> {
        self.get_mut(id).expect("a socket is used by its owner only while it is open");
        let mut stream = self.slots.remove(id.index as usize).connection.stream;
        self.registry.deregister(&mut stream)?;
        Ok(stream)
    }

    /// Takes a socket out and closes it, if it is still here.
    pub(crate) fn close(&mut self, id: SocketId, how: Close) {
        let Some(connection) = self.get_mut(id) else { return };
        if how == Close::Abruptly {
            connection.stream.close_abruptly();
        }
        // Closing the descriptor takes it off the poller: no call is needed for that, except
        // where the poller keeps a record of its own.
        #[cfg(not(any(target_os = "linux", target_os = "macos")))]
        drop(self.registry.deregister(&mut self.slots[id.index as usize].connection.stream));
        self.slots.remove(id.index as usize);
    }
}

impl<O> Sockets<O> {
    /// Closes all sockets of those who are `whose`. Looks at every socket there is.
    pub(crate) fn close_all(&mut self, whose: impl Fn(&O) -> bool, how: Close) {
        let ids: Vec<_> = self
            .slots
            .iter()
            .filter(|(_, slot)| whose(&slot.connection.owner))
            .map(|(index, slot)| SocketId { index: index as u32, generation: slot.generation })
            .collect();
        ids.into_iter().for_each(|id| self.close(id, how));
    }
}

/// How to close a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// FIN, unless unread bytes are there.
    Orderly,
    /// RST: what the peer has is not the whole of it.
    Abruptly,
}

impl<O> std::ops::Index<SocketId> for Sockets<O> {
    type Output = Connection<O>;

    fn index(&self, id: SocketId) -> &Connection<O> {
        let slot = &self.slots[id.index as usize];
        assert_eq!(
            slot.generation, id.generation,
            "a socket is used by its owner only while it is open"
        );
        &slot.connection
    }
}

impl<O> std::ops::IndexMut<SocketId> for Sockets<O> {
    fn index_mut(&mut self, id: SocketId) -> &mut Connection<O> {
        self.get_mut(id).expect("a socket is used by its owner only while it is open")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::net::Socket;

    #[test]
    fn a_connection_is_quiet_until_the_peer_does_something() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let poll = mio::Poll::new().unwrap();
        let mut sockets = Sockets::new(poll.registry().try_clone().unwrap());
        let acts: [fn(TcpStream); 2] = [drop, |mut peer| peer.write_all(b"x").unwrap()];
        for act in acts {
            let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let socket = Socket::from(listener.accept().unwrap().0);
            let id = sockets.insert(Stream::adopt(socket).unwrap(), ()).unwrap();
            assert!(sockets[id].is_quiet());
            assert!(!sockets[id].is_readable());
            // No event is looked at: it is the system that knows.
            act(peer);
            assert!(!sockets[id].is_quiet());
        }
    }
}
