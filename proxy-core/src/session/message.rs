//! [`Message`]: what other threads tell a loop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::TaskKey;
use crate::handler::Action;
use crate::net::Socket;
use crate::upstream::{ConnectError, Dialing};

/// What other threads tell a loop.
#[derive(Debug)]
pub(crate) enum Message {
    /// A client has connected.
    Arrived(Arrival),
    /// A connector has planned; `None` if it failed to.
    Planned(Asker, Option<Result<Dialing, ConnectError>>),
    /// A deferred decision was made; `None` if it was not.
    Decided(Asker, Option<Action>),
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
    pub(crate) socket: Socket,
    pub(crate) peer: SocketAddr,
    pub(crate) listener: usize,
    pub(crate) seat: Seat,
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

/// A place among the connections that may be open at once; dropped, it is free again.
#[derive(Debug)]
pub(crate) struct Seat {
    taken: [Arc<AtomicUsize>; 2],
    freed: crossbeam_channel::Sender<()>,
}

impl Seat {
    /// Takes a place in the count of the whole proxy and in that of one loop. `freed` gets a
    /// word when it is given back, if it has room for one.
    pub(crate) fn take(
        all: &Arc<AtomicUsize>,
        of_loop: &Arc<AtomicUsize>,
        freed: &crossbeam_channel::Sender<()>,
    ) -> Seat {
        let taken = [Arc::clone(all), Arc::clone(of_loop)];
        for count in &taken {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Seat { taken, freed: freed.clone() }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        for count in &self.taken {
            count.fetch_sub(1, Ordering::Release);
        }
        // Full means that a word is waiting there already.
        let _ = self.freed.try_send(());
    }
}
