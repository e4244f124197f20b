//! [`Message`]: what other threads tell a loop.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};

use super::TaskKey;
use super::engine::{Inventory, Listing, Loan};
use super::settings::ListenerId;
use crate::error::Reason;
use crate::handler::Continuation;
use crate::net::Stream;
use crate::policy::throttle::Held;
use crate::upstream::{ConnectError, Dialing};

/// What other threads tell a loop.
pub(crate) enum Message {
    /// A client has connected.
    Arrived(Arrival),
    /// A connector has planned; `None` if it failed to.
    Planned(Asker, Option<Result<Dialing, ConnectError>>),
    /// A deferred decision was made: how to go on. `None` if it was not.
    Decided(Asker, Option<Continuation>),
    /// Blocking code that had taken a connection over is done; `None` if it panicked.
    Returned(Asker, Option<()>),
    /// Accept from this socket.
    Listen(Loan),
    /// Accept from it no more.
    GiveBack(ListenerId),
    /// Serve what begins from now on by the newest settings, and say so when it is done.
    Reload(Sender<()>),
    /// Count what there is, and tell.
    Count(crossbeam_channel::Sender<Inventory>),
    /// Tell of the connections.
    List(Listing),
    /// Close this one, and say whether it was there.
    Close(TaskKey, Sender<bool>),
    /// Come to an end.
    Drain(Drain),
}

/// Who waits for the result of a job. A session that has waited long enough answers and goes
/// on: what comes then must not be taken for an answer to its next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    pub(crate) task: TaskKey,
    /// The id of the request.
    pub(crate) request: u64,
}

/// A new client connection.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) stream: Stream,
    pub(crate) peer: SocketAddr,
    pub(crate) listener: ListenerId,
    pub(crate) seat: Seat,
    pub(crate) refused: Option<Refusal>,
    /// A throttle that would have refused it, and only reports.
    pub(crate) reported: Option<Arc<str>>,
}

/// What a client is told instead of being served.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    /// Connections are scarce: this one ends with the answer, even if that costs the answer.
    pub(crate) is_brief: bool,
}

/// When to have ended what is under way.
#[derive(Clone, Debug)]
pub(crate) struct Drain {
    /// Exchanges are cut then.
    pub(crate) exchanges_until: Instant,
    /// Tunnels are cut then.
    pub(crate) tunnels_until: Instant,
    pub(crate) tally: Arc<Tally>,
}

/// What became of the connections that were open when a drain began.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// So many were open.
    pub(crate) open: AtomicUsize,
    /// So many of them had to be cut.
    pub(crate) cut: AtomicUsize,
}

/// How many connections a proxy has, and a word for who waits until there are fewer.
#[derive(Debug)]
pub(crate) struct Seats {
    taken: AtomicUsize,
    freed: (Sender<()>, Receiver<()>),
}

/// A place among the connections that may be open at once; dropped, it is free again.
#[derive(Debug)]
pub(crate) struct Seat {
    all: Arc<Seats>,
    of_loop: Arc<AtomicUsize>,
    _counted: Option<Box<Counted>>,
}

/// What a connection is counted by beside that, while it is there.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub(crate) of_client: Option<ClientSeat>,
    /// Its places by throttles.
    pub(crate) held: Vec<Held>,
}

impl Seats {
    pub(crate) fn new() -> Seats {
        Seats { taken: AtomicUsize::new(0), freed: crossbeam_channel::bounded(1) }
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Acquire)
    }

    /// Waits for `time`, or until one has become free.
    pub(crate) fn pause(&self, time: Duration) {
        let _ = self.freed.1.recv_timeout(time);
    }
}

impl Seat {
    /// Takes a place in the count of the whole proxy and in that of one loop.
    pub(crate) fn take(all: &Arc<Seats>, of_loop: &Arc<AtomicUsize>, counted: Counted) -> Seat {
        all.taken.fetch_add(1, Ordering::Relaxed);
        of_loop.fetch_add(1, Ordering::Relaxed);
        let (all, of_loop) = (Arc::clone(all), Arc::clone(of_loop));
        let is_counted = counted.of_client.is_some() || !counted.held.is_empty();
        Seat { all, of_loop, _counted: is_counted.then(|| Box::new(counted)) }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.of_loop.fetch_sub(1, Ordering::Relaxed);
        self.all.taken.fetch_sub(1, Ordering::Release);
        // Full means that a word is waiting there already.
        let _ = self.all.freed.0.try_send(());
    }
}

/// How many connections each client has.
#[derive(Debug, Default)]
pub(crate) struct ClientSeats(Mutex<HashMap<IpAddr, usize>>);

/// A place among the connections of one client; dropped, it is free again.
#[derive(Debug)]
pub(crate) struct ClientSeat {
    seats: Arc<ClientSeats>,
    client: IpAddr,
}

impl ClientSeats {
    /// Takes a place, if the client has fewer than `limit`.
    pub(crate) fn take(self: &Arc<Self>, client: IpAddr, limit: usize) -> Option<ClientSeat> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(client).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(ClientSeat { seats: Arc::clone(self), client })
    }
}

impl Drop for ClientSeat {
    fn drop(&mut self) {
        let mut counts = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own_places_and_the_table_forgets_those_that_left() {
        let seats = Arc::new(ClientSeats::default());
        let (one, two) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = seats.take(one, 2).unwrap();
        let _second = seats.take(one, 2).unwrap();
        assert!(seats.take(one, 2).is_none());
        let other = seats.take(two, 2).unwrap();
        drop(first);
        let _third = seats.take(one, 2).unwrap();
        drop(other);
        assert_eq!(seats.0.lock().unwrap().len(), 1);
    }
}
