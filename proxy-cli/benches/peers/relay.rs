//! The null relay: the least a program that copies bytes between two sockets can do.
//!
//! Edge-triggered readiness, one connection to the origin for each client, `recv` of 64 KiB,
//! `send`. Nothing is parsed, pooled, limited or timed, and nothing is allocated for a request
//! unless a socket takes less than it is offered. It is not a proxy: it is what a proxy that
//! copies is measured against.

use crate::listener::listen;
use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use std::io::{self, Read, Write};
use std::net::SocketAddr;

const LISTENER: Token = Token(usize::MAX - 1);
const BUFFER: usize = 64 * 1024;

/// Relays until it is killed.
pub(crate) fn run(origin: SocketAddr) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut listener = listen()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;

    let mut pairs: Slab<Pair> = Slab::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        let mut clients_wait = false;
        for event in &events {
            if event.token() == LISTENER {
                clients_wait = true;
                continue;
            }
            let (key, side) = (event.token().0 / 2, event.token().0 % 2);
            // Both ends of a pair may have closed: then the second finds it gone.
            let Some(pair) = pairs.get_mut(key) else {
                continue;
            };
            if pair.advance(side, event, &mut buffer).is_err() {
                pairs.remove(key);
            }
        }
        // Behind all other events: none of them may be taken for one of a pair that has come
        // to the key of theirs.
        if clients_wait {
            accept_all(&listener, origin, &poll, &mut pairs)?;
        }
    }
}

fn accept_all(
    listener: &TcpListener,
    origin: SocketAddr,
    poll: &Poll,
    pairs: &mut Slab<Pair>,
) -> io::Result<()> {
    loop {
        let client = match listener.accept() {
            Ok((client, _)) => client,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        let entry = pairs.vacant_entry();
        let mut ends = [client, TcpStream::connect(origin)?];
        for (side, end) in ends.iter_mut().enumerate() {
            end.set_nodelay(true)?;
            let token = Token(entry.key() * 2 + side);
            poll.registry().register(end, token, Interest::READABLE | Interest::WRITABLE)?;
        }
        entry.insert(Pair { ends, unsent: [Vec::new(), Vec::new()] });
    }
}

/// A client and its own connection to the origin.
struct Pair {
    ends: [TcpStream; 2],
    /// What each end has not taken yet. Its other end is not read meanwhile.
    unsent: [Vec<u8>; 2],
}

impl Pair {
    /// Does what an event at one end allows. An error, which an end that has closed is too,
    /// ends the pair.
    fn advance(&mut self, side: usize, event: &Event, buffer: &mut [u8]) -> io::Result<()> {
        if event.is_writable() && !self.unsent[side].is_empty() {
            self.copy(1 - side, buffer)?;
        }
        if event.is_readable() {
            self.copy(side, buffer)?;
        }
        if event.is_read_closed() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Copies from one end to the other, as much as there is or as fits.
    fn copy(&mut self, from: usize, buffer: &mut [u8]) -> io::Result<()> {
        let to = 1 - from;
        if !self.unsent[to].is_empty() {
            let sent = accepted(self.ends[to].write(&self.unsent[to]))?;
            self.unsent[to].drain(..sent);
            if !self.unsent[to].is_empty() {
                return Ok(());
            }
        }
        loop {
            let count = match self.ends[from].read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let sent = accepted(self.ends[to].write(&buffer[..count]))?;
            if sent < count {
                self.unsent[to].extend_from_slice(&buffer[sent..count]);
                return Ok(());
            }
            // A short read has drained the socket: epoll will tell of what comes later.
            if count < buffer.len() {
                return Ok(());
            }
        }
    }
}

/// How much a socket took; none when it was full, or not connected yet.
fn accepted(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(0),
        written => written,
    }
}
