//! Accepting: a thread for each listener, which hands its connections to the loops.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use mio::{Events, Interest, Poll, Token, Waker};

use crate::error::Reason;
use crate::net::{Accept, Intake, Socket, Wake};
use crate::runtime::mailbox::Outlet;
use crate::session::{
    Arrival, ClientSeat, ClientSeats, ListenerId, Message, Newest, Refusal, Seat,
};

/// A loop, as acceptors see it.
pub(super) struct LoopDoor {
    outlet: Outlet<Message>,
    /// How many connections it has.
    connections: Arc<AtomicUsize>,
    ended: AtomicBool,
}

impl LoopDoor {
    pub(super) fn new(outlet: Outlet<Message>) -> LoopDoor {
        LoopDoor { outlet, connections: Arc::default(), ended: AtomicBool::new(false) }
    }

    fn is_open(&self) -> bool {
        !self.ended.load(Ordering::Relaxed)
    }
}

/// What all acceptors of a proxy share.
pub(super) struct Reception {
    loops: Vec<LoopDoor>,
    connections: Arc<AtomicUsize>,
    /// How many connections each client has, while that is limited.
    seats: Arc<ClientSeats>,
    newest: Arc<Newest>,
    /// Gets a word when a connection has ended.
    freed: (Sender<()>, Receiver<()>),
}

/// Accepts from one listener.
pub(super) struct Acceptor {
    reception: Arc<Reception>,
    listener: ListenerId,
    /// It is to end. It is woken then.
    closed: Arc<AtomicBool>,
}

/// How long accepting pauses after an error that would only come again, and how often a full
/// proxy looks whether it was told to stop.
const PAUSE: Duration = Duration::from_millis(100);
/// How long to wait for a loop whose inbox is full.
const BUSY_PAUSE: Duration = Duration::from_millis(1);

impl Reception {
    pub(super) fn new(loops: Vec<LoopDoor>, newest: Arc<Newest>) -> Reception {
        Reception {
            loops,
            connections: Arc::default(),
            seats: Arc::default(),
            newest,
            freed: crossbeam_channel::bounded(1),
        }
    }

    /// Whether a client is served, with its place among its own connections where they are
    /// counted.
    fn admit(&self, client: IpAddr) -> (Option<ClientSeat>, Option<Refusal>) {
        let settings = self.newest.get();
        let limits = &settings.limits;
        let (seat, reason) = if !settings.clients.include(client) {
            (None, Some(Reason::ClientNotAllowed))
        } else if limits.connections_per_client >= limits.connections {
            (None, None)
        } else {
            // A client is the same one in the IPv6 form of its address.
            match self.seats.take(client.to_canonical(), limits.connections_per_client) {
                None => (None, Some(Reason::TooManyConnections)),
                taken => (taken, None),
            }
        };
        // Who is not served must not keep others out by being slow to go: once half of the seats
        // are taken, it goes at once.
        let is_brief = self.connections.load(Ordering::Relaxed) >= limits.connections / 2;
        (seat, reason.map(|reason| Refusal { reason, is_brief }))
    }
}

impl Acceptor {
    pub(super) fn new(
        reception: Arc<Reception>,
        listener: ListenerId,
        closed: Arc<AtomicBool>,
    ) -> Acceptor {
        Acceptor { reception, listener, closed }
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Accepts until told to stop.
    pub(super) fn run(&self, mut accept: Box<dyn Accept>) {
        let (mut failing, mut full) = (Trouble::default(), Trouble::default());
        while self.has_room(&mut full) {
            match accept.accept() {
                _ if self.is_closed() => return,
                Ok((socket, peer)) => self.hand_over(socket, peer),
                Err(error) => match error.kind() {
                    io::ErrorKind::UnexpectedEof => {
                        return log::info!("listener {} has ended", self.listener.0);
                    }
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    _ => {
                        // Most often the descriptors have run out.
                        if failing.is_news(Instant::now()) {
                            log::error!(
                                "accepting fails and is tried again every {PAUSE:?}: {error}"
                            );
                        }
                        // A word from a connection that has ended is a reason to try at once.
                        let _ = self.reception.freed.1.recv_timeout(PAUSE);
                    }
                },
            }
        }
    }

    /// Waits until there is room for another connection. `false` when told to stop.
    fn has_room(&self, full: &mut Trouble) -> bool {
        let reception = &*self.reception;
        while !self.is_closed() {
            let limit = reception.newest.get().limits.connections;
            if reception.connections.load(Ordering::Acquire) < limit {
                return true;
            }
            if full.is_news(Instant::now()) {
                log::warn!("all {limit} connections are in use: new ones wait until some end");
            }
            let _ = reception.freed.1.recv_timeout(PAUSE);
        }
        false
    }

    /// Hands a connection to the loop that has the fewest.
    fn hand_over(&self, socket: Socket, peer: SocketAddr) {
        let reception = &*self.reception;
        let fewest = |door: &&LoopDoor| door.connections.load(Ordering::Relaxed);
        let open = reception.loops.iter().filter(|door| door.is_open());
        let Some(door) = open.min_by_key(fewest) else {
            return log::error!("no event loop is left: the connection of {peer} is closed");
        };
        let (of_client, refused) = reception.admit(peer.ip());
        let seat =
            Seat::take(&reception.connections, &door.connections, of_client, &reception.freed.0);
        let listener = self.listener;
        let mut message = Message::Arrived(Arrival { socket, peer, listener, seat, refused });
        loop {
            match door.outlet.send(message) {
                Ok(()) => return,
                Err(_) if self.is_closed() => return,
                // The loop is busy, and so are the others, which have more connections.
                Err(TrySendError::Full(returned)) => {
                    message = returned;
                    let _ = reception.freed.1.recv_timeout(BUSY_PAUSE);
                }
                // A bug of ours has ended it. The other loops go on.
                Err(TrySendError::Disconnected(_)) => {
                    door.ended.store(true, Ordering::Relaxed);
                    return log::error!(
                        "an event loop has ended: the connection of {peer} is lost"
                    );
                }
            }
        }
    }
}

/// Something that is told once, however often it happens: a proxy at its limit is there again
/// with each connection that takes the place of one that has ended.
#[derive(Debug, Default)]
struct Trouble {
    last: Option<Instant>,
}

/// What has not happened for so long is news when it happens again.
const FORGOTTEN: Duration = Duration::from_secs(60);

impl Trouble {
    /// It happens: is that to be told?
    fn is_news(&mut self, now: Instant) -> bool {
        let last = self.last.replace(now);
        last.is_none_or(|last| now.saturating_duration_since(last) >= FORGOTTEN)
    }
}

/// The blocking half of an intake, and how to wake it.
pub(super) fn blocking(intake: Intake) -> io::Result<(Box<dyn Accept>, Wake)> {
    match intake {
        Intake::Blocking(accept, wake) => Ok((accept, wake)),
        Intake::Socket(listener) => {
            let accept = SocketAccept::new(listener)?;
            let waker = Arc::clone(&accept.waker);
            Ok((Box::new(accept), Box::new(move || drop(waker.wake()))))
        }
    }
}

/// Accepts from a socket, and can be woken.
struct SocketAccept {
    poll: Poll,
    events: Events,
    listener: mio::net::TcpListener,
    waker: Arc<Waker>,
    /// The socket has been accepted from until it had nothing more.
    drained: bool,
}

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);

impl SocketAccept {
    fn new(listener: std::net::TcpListener) -> io::Result<SocketAccept> {
        listener.set_nonblocking(true)?;
        let mut listener = mio::net::TcpListener::from_std(listener);
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        Ok(SocketAccept { poll, events: Events::with_capacity(2), listener, waker, drained: false })
    }
}

impl Accept for SocketAccept {
    fn accept(&mut self) -> io::Result<(Socket, SocketAddr)> {
        loop {
            if self.drained {
                self.poll.poll(&mut self.events, None)?;
                self.drained = false;
                if self.events.iter().any(|event| event.token() == WAKER) {
                    return Err(io::ErrorKind::Interrupted.into());
                }
            }
            match self.listener.accept() {
                Ok((stream, peer)) => return Ok((std::net::TcpStream::from(stream).into(), peer)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.drained = true,
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told_once_and_again_only_after_a_time_without_it() {
        let (mut trouble, mut now) = (Trouble::default(), Instant::now());
        assert!(trouble.is_news(now));
        for _ in 0..1000 {
            now += Duration::from_secs(1);
            assert!(!trouble.is_news(now), "it has not ended since");
        }
        now += FORGOTTEN;
        assert!(trouble.is_news(now));
    }
}
