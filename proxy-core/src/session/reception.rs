//! [`Reception`]: how clients come in, whoever accepts them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::TrySendError;

use super::engine::Loan;
use super::message::{Arrival, ClientSeats, Counted, Message, Refusal, Seat, Seats};
use super::settings::{ListenerId, Newest};
use crate::error::Reason;
use crate::logger::Backlog;
use crate::net::Stream;
use crate::policy::throttle::Asking;
use crate::runtime::mailbox::Outlet;

/// What all who accept for a proxy share.
pub(crate) struct Reception {
    loops: Vec<LoopDoor>,
    seats: Arc<Seats>,
    /// How many connections each client has, while that is limited.
    of_clients: Arc<ClientSeats>,
    newest: Arc<Newest>,
    /// How far behind the log is, where nobody comes in then.
    backlog: Backlog,
}

/// A loop, as those see it who accept.
pub(crate) struct LoopDoor {
    outlet: Outlet<Message>,
    /// For what is to be said of listeners.
    listeners: Outlet<Message>,
    /// How many connections it has.
    connections: Arc<AtomicUsize>,
    ended: AtomicBool,
}

/// A client that has been let in, and the number of the loop that has the fewest others.
pub(super) struct Received {
    pub(super) arrival: Arrival,
    pub(super) number: usize,
}

impl LoopDoor {
    pub(crate) fn new(outlet: Outlet<Message>, listeners: Outlet<Message>) -> LoopDoor {
        LoopDoor { outlet, listeners, connections: Arc::default(), ended: AtomicBool::new(false) }
    }

    fn is_open(&self) -> bool {
        !self.ended.load(Ordering::Relaxed)
    }
}

impl Reception {
    pub(crate) fn new(loops: Vec<LoopDoor>, newest: Arc<Newest>) -> Reception {
        Reception {
            loops,
            seats: Arc::new(Seats::new()),
            of_clients: Arc::default(),
            newest,
            backlog: Backlog::default(),
        }
    }

    /// Lets nobody in while so many records wait.
    pub(crate) fn held_back_by(self, backlog: Backlog) -> Reception {
        Reception { backlog, ..self }
    }

    /// How many connections there may be at once.
    pub(crate) fn limit(&self) -> usize {
        self.newest.get().limits.connections
    }

    /// Whether another client can come in.
    pub(crate) fn has_room(&self) -> bool {
        self.seats() < self.limit() && !self.is_held_back()
    }

    /// Whether nobody comes in until the log has caught up.
    pub(crate) fn is_held_back(&self) -> bool {
        self.backlog.is_full()
    }

    /// How many connections have a seat.
    pub(crate) fn seats(&self) -> usize {
        self.seats.taken()
    }

    /// Waits for `time`, or until a connection has ended.
    pub(crate) fn pause(&self, time: Duration) {
        self.seats.pause(time);
    }

    /// Has one of the loops accept from a socket. A loan that does not get there is dropped, and so
    /// given back.
    pub(crate) fn lend(&self, loan: Loan) {
        self.tell(loan.listener, Message::Listen(loan));
    }

    /// Has the loop that accepts from it give a socket back.
    pub(crate) fn call_in(&self, listener: ListenerId) {
        self.tell(listener, Message::GiveBack(listener));
    }

    fn tell(&self, listener: ListenerId, message: Message) {
        /// How long a loop that is held up may hold this up.
        const PATIENCE: Duration = Duration::from_secs(1);
        if let Some(door) = self.loops.get(listener.0 % self.loops.len().max(1)) {
            drop(door.listeners.send_by(Instant::now() + PATIENCE, message));
        }
    }

    /// Lets a client in. `None` where it is banned or dropped, or no loop is left.
    pub(super) fn receive(
        &self,
        stream: Stream,
        peer: SocketAddr,
        listener: ListenerId,
    ) -> Option<Received> {
        if self.newest.get().bans.keep_out(peer.ip()) {
            return None;
        }
        let fewest = |(_, door): &(usize, &LoopDoor)| door.connections.load(Ordering::Relaxed);
        let open = self.loops.iter().enumerate().filter(|(_, door)| door.is_open());
        let Some((number, door)) = open.min_by_key(fewest) else {
            log::error!("no event loop is left: the connection of {peer} is closed");
            return None;
        };
        let Admitted { counted, refused, reported } = self.admit(peer.ip())?;
        let seat = Seat::take(&self.seats, &door.connections, counted);
        let arrival = Arrival { stream, peer, listener, seat, refused, reported };
        Some(Received { arrival, number })
    }

    /// Sends a client to its loop. Hands it back where the loop's inbox is full.
    pub(super) fn send(&self, received: Received) -> Option<Received> {
        let Received { arrival, number } = received;
        let (door, peer) = (&self.loops[number], arrival.peer);
        match door.outlet.send(Message::Arrived(arrival)) {
            Err(TrySendError::Full(Message::Arrived(arrival))) => {
                Some(Received { arrival, number })
            }
            // A bug of ours has ended it. The other loops go on.
            Err(_) => {
                door.ended.store(true, Ordering::Relaxed);
                log::error!("an event loop has ended: the connection of {peer} is lost");
                None
            }
            Ok(()) => None,
        }
    }

    /// Lets a client in and sends it to its loop. As long as the loop's inbox is full, `gives_up` is
    /// asked, about every millisecond.
    pub(crate) fn hand_over(
        &self,
        stream: Stream,
        peer: SocketAddr,
        listener: ListenerId,
        mut gives_up: impl FnMut() -> bool,
    ) {
        /// How long to wait for a loop whose inbox is full.
        const BUSY_PAUSE: Duration = Duration::from_millis(1);
        let mut waiting = self.receive(stream, peer, listener);
        while let Some(received) = waiting {
            // The loop is busy, and so are the others, which have more connections.
            waiting = self.send(received).filter(|_| !gives_up());
            if waiting.is_some() {
                self.pause(BUSY_PAUSE);
            }
        }
    }

    /// Whether a client is served, with its places where they are counted. `None`: without a word.
    fn admit(&self, client: IpAddr) -> Option<Admitted> {
        let settings = self.newest.get();
        let limits = &settings.limits;
        let (mut counted, mut reported) = (Counted::default(), None);
        let mut reason = None;
        if !settings.clients.include(client) {
            reason = Some(Reason::ClientNotAllowed);
        } else if limits.connections_per_client < limits.connections {
            // A client is the same one in the IPv6 form of its address.
            let limit = limits.connections_per_client;
            counted.of_client = self.of_clients.take(client.to_canonical(), limit);
            if counted.of_client.is_none() {
                reason = Some(Reason::TooManyConnections);
            }
        }
        if reason.is_none() {
            let report = |name: &Arc<str>| reported = Some(Arc::clone(name));
            let asking = Asking::client(client);
            match settings.throttles.admit_connection(&asking, &mut counted.held, report) {
                Ok(()) => {}
                Err(over) => {
                    log::debug!("{client} has too many connections: throttle `{}`", over.name);
                    if over.is_dropped {
                        return None;
                    }
                    counted.held.clear();
                    reason = Some(over.reason);
                }
            }
        }
        // Who is not served must not keep others out by being slow to go: once half of the seats
        // are taken, it goes at once.
        let is_brief = self.seats() >= limits.connections / 2;
        let refused = reason.map(|reason| Refusal { reason, is_brief });
        Some(Admitted { counted, refused, reported })
    }
}

/// What became of a client that comes.
struct Admitted {
    counted: Counted,
    refused: Option<Refusal>,
    /// The throttle that would have refused it, and only reports.
    reported: Option<Arc<str>>,
}
