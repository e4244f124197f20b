//! Accepting: a thread for each listener, which hands its connections to the loops.

use std::io;
use std::mem;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError};

use super::parting::{Farewell, SocketAccept, lost};
use crate::error::Reason;
use crate::net::{Accept, Intake, Parting, Socket, Stream, Wake};
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
    closed: Arc<Closed>,
}

/// That an acceptor is to end, once it is set, and how long those have who wait to be accepted. It
/// is woken then.
pub(super) type Closed = OnceLock<Duration>;

/// How long accepting pauses after an error that would only come again, and how often a full
/// proxy looks whether it was told to stop.
const PAUSE: Duration = Duration::from_millis(100);
/// How long to wait for a loop whose inbox is full.
const BUSY_PAUSE: Duration = Duration::from_millis(1);
/// How long a loop whose inbox is full may hold up the end of accepting.
const LAST_WAIT: Duration = Duration::from_secs(1);

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

    fn free_seats(&self) -> usize {
        self.newest.get().limits.connections.saturating_sub(self.seats())
    }

    /// How many connections have a seat.
    pub(super) fn seats(&self) -> usize {
        self.connections.load(Ordering::Acquire)
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
        closed: Arc<Closed>,
    ) -> Acceptor {
        Acceptor { reception, listener, closed }
    }

    fn is_closed(&self) -> bool {
        self.closed.get().is_some()
    }

    /// Accepts until told to stop, and then from those who wait, as `parting` says.
    pub(super) fn run(&self, mut door: Door, parting: Parting) {
        self.accept(&mut door);
        if let Door::Socket(accept) = &mut door
            && let Some(&time) = self.closed.get()
        {
            let has_room = || self.reception.free_seats() > 0;
            Farewell::new(has_room, |stream, peer| self.hand_over(stream, peer))
                .say(accept, parting, time);
        }
    }

    /// Accepts until told to stop.
    fn accept(&self, door: &mut Door) {
        let (mut failing, mut full) = (Trouble::default(), Trouble::default());
        while self.has_room(&mut full) {
            match door.accept() {
                // Also if it is closed by now: whoever has been accepted is served.
                Ok((stream, peer)) => self.hand_over(stream, peer),
                Err(_) if self.is_closed() => return,
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
            if reception.free_seats() > 0 {
                return true;
            }
            if full.is_news(Instant::now()) {
                log::warn!(
                    "all {} connections are in use: new ones wait until some end",
                    reception.newest.get().limits.connections
                );
            }
            let _ = reception.freed.1.recv_timeout(PAUSE);
        }
        false
    }

    /// Hands a connection to the loop that has the fewest.
    fn hand_over(&self, stream: Stream, peer: SocketAddr) {
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
        let mut message = Message::Arrived(Arrival { stream, peer, listener, seat, refused });
        let mut last_wait = None;
        loop {
            match door.outlet.send(message) {
                Ok(()) => return,
                Err(_) if self.is_closed() && is_over(&mut last_wait) => return,
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

/// Whether a wait that begins when this is first asked has been long enough.
fn is_over(last_wait: &mut Option<Instant>) -> bool {
    let now = Instant::now();
    now >= *last_wait.get_or_insert(now + LAST_WAIT)
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

/// Where the connections of a listener come in.
pub(super) enum Door {
    Socket(SocketAccept),
    Other(Box<dyn Accept>),
}

impl Door {
    /// The blocking half of an intake, and how to wake it.
    pub(super) fn of(intake: Intake) -> io::Result<(Door, Wake)> {
        match intake {
            Intake::Blocking(accept, wake) => Ok((Door::Other(accept), wake)),
            Intake::Socket(listener) => {
                let accept = SocketAccept::new(listener)?;
                let waker = accept.waker();
                Ok((Door::Socket(accept), Box::new(move || drop(waker.wake()))))
            }
        }
    }

    fn accept(&mut self) -> io::Result<(Stream, SocketAddr)> {
        match self {
            Door::Socket(accept) => accept.accept(),
            Door::Other(accept) => {
                let (socket, peer) = guarded(&mut **accept)?;
                Ok((Stream::adopt(socket).map_err(lost)?, peer))
            }
        }
    }
}

/// Accepts from a listener of the embedder's. A panic is an error like others: it costs a pause.
fn guarded(accept: &mut dyn Accept) -> io::Result<(Socket, SocketAddr)> {
    catch_unwind(AssertUnwindSafe(|| accept.accept())).unwrap_or_else(|panic| {
        // Not dropped: any type can be thrown, also one that panics when it is.
        mem::forget(panic);
        Err(io::Error::other("the listener panicked"))
    })
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
