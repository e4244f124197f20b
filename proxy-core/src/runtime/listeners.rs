//! [`Listeners`]: the sockets that a loop accepts from.

use std::io;
use std::net::SocketAddr;

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use slab::Slab;

/// Names one of them.
pub(crate) type ListenerKey = usize;

/// The sockets that a loop accepts from.
#[derive(Debug)]
pub(crate) struct Listeners {
    registry: Registry,
    slots: Slab<Slot>,
}

#[derive(Debug)]
struct Slot {
    socket: TcpListener,
    /// Somebody may wait.
    is_ready: bool,
}

/// Their tokens count down from here: no connection has one of them, nor the waker.
const LAST: usize = usize::MAX - 1;
/// More than anybody listens on.
pub(crate) const MAX_LISTENERS: usize = 1024;

impl Listeners {
    pub(crate) fn new(registry: Registry) -> Listeners {
        Listeners { registry, slots: Slab::new() }
    }

    /// Takes one in. Whoever waits there already is noticed.
    pub(crate) fn insert(&mut self, mut socket: TcpListener) -> io::Result<ListenerKey> {
        let slot = self.slots.vacant_entry();
        let key = slot.key();
        if key >= MAX_LISTENERS {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.registry.register(&mut socket, Token(LAST - key), Interest::READABLE)?;
        slot.insert(Slot { socket, is_ready: true });
        Ok(key)
    }

    /// Takes one out, and closes this handle of it.
    pub(crate) fn remove(&mut self, key: ListenerKey) {
        let mut slot = self.slots.remove(key);
        // Others may hold it open: it would go on being polled. It fails only where it is not.
        drop(self.registry.deregister(&mut slot.socket));
    }

    /// Notes an event, if it is for one of them. One that comes late, for another in its place, has
    /// that one looked at in vain.
    pub(crate) fn note(&mut self, token: Token) {
        if let Some(slot) = self.slots.get_mut(LAST.wrapping_sub(token.0)) {
            slot.is_ready = true;
        }
    }

    /// Those at which somebody may wait.
    pub(crate) fn ready(&self) -> impl Iterator<Item = ListenerKey> {
        self.slots.iter().filter(|(_, slot)| slot.is_ready).map(|(key, _)| key)
    }

    /// Accepts one that waits. Where nobody does, an event will tell.
    pub(crate) fn accept(&mut self, key: ListenerKey) -> io::Result<(TcpStream, SocketAddr)> {
        let slot = &mut self.slots[key];
        slot.socket.accept().inspect_err(|error| {
            if error.kind() == io::ErrorKind::WouldBlock {
                slot.is_ready = false;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_is_accepted_and_then_nobody_is_ready() {
        let poll = mio::Poll::new().unwrap();
        let mut listeners = Listeners::new(poll.registry().try_clone().unwrap());
        let socket = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let key = listeners.insert(socket).unwrap();
        let _client = std::net::TcpStream::connect(address).unwrap();
        assert_eq!(listeners.ready().collect::<Vec<_>>(), [key]);
        listeners.accept(key).unwrap();
        assert_eq!(listeners.accept(key).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(listeners.ready().count(), 0);
        for token in [0, 1, LAST - key - 1, usize::MAX] {
            listeners.note(Token(token));
        }
        assert_eq!(listeners.ready().count(), 0);
        listeners.note(Token(LAST - key));
        assert_eq!(listeners.ready().count(), 1);
        listeners.remove(key);
        assert!(std::net::TcpStream::connect(address).is_err());
    }
}
