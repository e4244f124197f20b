//! [`Inventory`]: what a loop holds, counted when somebody asks.

use super::{Engine, Task};
use crate::runtime::buffer::Buffer;
use crate::session::Cx;
use crate::session::client::Session;

/// What a proxy holds at one moment, all its event loops together; see
/// [`ProxyHandle::inventory`](crate::ProxyHandle::inventory).
///
/// Nothing here is counted while requests are served: the loops count what is there when they are
/// asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inventory {
    /// Event loops that have answered.
    pub loops: usize,
    /// Event loops that have not, within the time there was: a handler holds them up. What they
    /// hold is in none of the counts but [`seats`](Self::seats).
    pub missing_loops: usize,
    /// Client connections that were accepted and have not ended, as the limit
    /// [`connections`](crate::Limits::connections) counts them: those that wait for their loop, too.
    pub seats: usize,
    /// Client connections without a request.
    pub idle_clients: usize,
    /// Client connections with a request, from its first byte on.
    pub busy_clients: usize,
    /// Those of the busy ones of whose request a part of the head has come.
    pub reading_clients: usize,
    /// Those whose request waits: for a decision, a connection to its upstream, or the response.
    pub waiting_clients: usize,
    /// Those with a body on its way, up or down, or the rest of an answer of the proxy's own.
    pub relaying_clients: usize,
    /// Client connections whose last response was sent, and that are not closed yet.
    pub leaving_clients: usize,
    /// Tunnels: two connections each.
    pub tunnels: usize,
    /// Client connections that blocking code has [taken over](crate::Action::TakeOver).
    pub taken_over: usize,
    /// Connections to upstreams that are attempted or in use, those of tunnels among them.
    pub busy_upstreams: usize,
    /// Connections to upstreams that are kept for later requests.
    pub idle_upstreams: usize,
    /// Places taken of those that [`connections_per_upstream`](crate::Limits::connections_per_upstream)
    /// limits; 0 where it has never been limited.
    pub places: usize,
    /// Requests that wait for such a place.
    pub waiting: usize,
    /// Jobs on the worker pool whose result has not come back.
    pub jobs: usize,
    /// Entries for timeouts. A connection that has ended leaves its own behind until their time,
    /// so this one does not fall to 0 at once.
    pub timers: usize,
    /// Buffers with bytes that wait: half a head, or what a slow receiver has not taken.
    pub buffers: usize,
    /// The bytes in them.
    pub buffered_bytes: usize,
    /// Access records that are not on their way to the logger yet.
    pub unsent_records: usize,
}

impl Inventory {
    /// Whether all loops have answered, and nothing is left of any connection but timer entries:
    /// no client, no upstream, not even an idle one, no job, buffer or place, and no record that
    /// waits for its logger.
    pub fn is_empty(&self) -> bool {
        let kept = Inventory { loops: self.loops, timers: self.timers, ..Inventory::default() };
        *self == kept
    }

    /// Adds what another loop holds.
    pub(crate) fn add(&mut self, other: &Inventory) {
        let Inventory {
            loops,
            missing_loops,
            seats,
            idle_clients,
            busy_clients,
            reading_clients,
            waiting_clients,
            relaying_clients,
            leaving_clients,
            tunnels,
            taken_over,
            busy_upstreams,
            idle_upstreams,
            places,
            waiting,
            jobs,
            timers,
            buffers,
            buffered_bytes,
            unsent_records,
        } = other;
        self.loops += loops;
        self.missing_loops += missing_loops;
        self.seats += seats;
        self.idle_clients += idle_clients;
        self.busy_clients += busy_clients;
        self.reading_clients += reading_clients;
        self.waiting_clients += waiting_clients;
        self.relaying_clients += relaying_clients;
        self.leaving_clients += leaving_clients;
        self.tunnels += tunnels;
        self.taken_over += taken_over;
        self.busy_upstreams += busy_upstreams;
        self.idle_upstreams += idle_upstreams;
        self.places += places;
        self.waiting += waiting;
        self.jobs += jobs;
        self.timers += timers;
        self.buffers += buffers;
        self.buffered_bytes += buffered_bytes;
        self.unsent_records += unsent_records;
    }

    fn add_buffer(&mut self, buffer: &Buffer) {
        self.buffers += usize::from(!buffer.is_empty());
        self.buffered_bytes += buffer.as_slice().len();
    }

    fn add_session(&mut self, session: &Session) {
        *match &session.transaction {
            Some(transaction) if transaction.waits() => &mut self.waiting_clients,
            Some(_) => &mut self.relaying_clients,
            None if session.is_under_way() => &mut self.leaving_clients,
            None if session.is_idle() => &mut self.idle_clients,
            None => &mut self.reading_clients,
        } += 1;
        self.idle_upstreams += usize::from(session.pinned.is_some());
        self.add_buffer(&session.client.inbound);
        self.add_buffer(&session.client.outbound);
        if let Some(transaction) = &session.transaction {
            self.add_buffer(&transaction.upstream.inbound);
            self.add_buffer(&transaction.upstream.outbound);
        }
    }
}

impl Engine {
    /// What this loop holds.
    pub(super) fn inventory(&self, cx: &Cx) -> Inventory {
        let env = &self.env;
        let mut all = Inventory {
            loops: 1,
            idle_upstreams: env.idle.len(),
            jobs: env.jobs(),
            timers: cx.timers.len(),
            unsent_records: env.log.pending(),
            ..Inventory::default()
        };
        if let Some(places) = &env.places {
            (all.places, all.waiting) = (places.taken(), places.waiting());
        }
        let mut clients = 0;
        for (_, entry) in &self.tasks {
            match &entry.task {
                Task::Session(session) => {
                    all.add_session(session);
                    clients += 1;
                }
                Task::Tunnel(tunnel) => {
                    all.tunnels += 1;
                    tunnel.pending().into_iter().for_each(|buffer| all.add_buffer(buffer));
                    clients += 1;
                }
                Task::TakenOver(_) => all.taken_over += 1,
            }
        }
        all.busy_clients = all.reading_clients + all.waiting_clients + all.relaying_clients;
        // Counted as what is left, and not by who knows of them: a socket that everybody has
        // forgotten is seen here.
        all.busy_upstreams = cx.sockets.len().saturating_sub(clients + all.idle_upstreams);
        all
    }
}
