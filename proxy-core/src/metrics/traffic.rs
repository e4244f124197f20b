//! [`Traffic`]: what the loops have counted, added up.

use super::histogram::Histogram;
use super::labels::{MethodLabel, StatusClass};
use crate::error::Reason;

/// What the event loops have counted since the start, all of them together.
///
/// An exchange counts when it is over, as its record is made: a request and its response, a tunnel, or
/// a connection that was answered with a refusal. Bytes count as they go by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Exchanges that are over.
    pub requests: RequestCounts,
    /// Why some of them did not end plainly.
    pub reasons: ReasonCounts,
    /// Content bytes from clients, without heads and chunk framing; all bytes inside of tunnels.
    pub bytes_in: u64,
    /// Content bytes to clients.
    pub bytes_out: u64,
    /// How long it took until an upstream was looked for: see [`AccessRecord`](crate::AccessRecord)
    /// for this phase and the next ones. Each counts only where it took place.
    pub wait: Histogram,
    /// How long the connector took on the worker pool.
    pub resolve: Histogram,
    /// How long it was dialed.
    pub connect: Histogram,
    /// How long it took until the head of the response came.
    pub first_byte: Histogram,
    /// How long the whole of it took, tunnels included.
    pub duration: Histogram,
    /// Clients that have connected and were served.
    pub accepted: u64,
    /// Clients that have connected and were told that they are not served.
    pub refused: u64,
    /// Clients that have connected and were closed without a word, by the handler or since their
    /// listener was gone. Those that are [banned](crate::Bans::turned_away) are not among them.
    pub closed: u64,
    /// Connections to upstreams that were made, by requests and tunnels.
    pub upstreams_opened: u64,
    /// Requests that went out on a connection that had been used before.
    pub upstreams_reused: u64,
    /// Tunnels that were opened.
    pub tunnels_opened: u64,
    /// Records that were made for the logger, two of each tunnel.
    pub records: u64,
}

/// How many exchanges there were, by method and status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts([[u64; StatusClass::ALL.len()]; MethodLabel::ALL.len()]);

impl RequestCounts {
    /// Those of this method with such a status.
    pub fn get(&self, method: MethodLabel, class: StatusClass) -> u64 {
        self.0[method as usize][class as usize]
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.0.iter().flatten().sum()
    }

    /// Each method with each status.
    pub fn iter(&self) -> impl Iterator<Item = (MethodLabel, StatusClass, u64)> {
        MethodLabel::ALL.into_iter().flat_map(move |method| {
            StatusClass::ALL.map(|class| (method, class, self.get(method, class)))
        })
    }

    pub(super) fn add(&mut self, method: MethodLabel, class: StatusClass, more: u64) {
        self.0[method as usize][class as usize] += more;
    }
}

/// How many exchanges ended other than plainly, by their reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonCounts([u64; Reason::ALL.len()]);

impl Default for ReasonCounts {
    /// None.
    fn default() -> ReasonCounts {
        ReasonCounts([0; Reason::ALL.len()])
    }
}

impl ReasonCounts {
    /// Those that ended for this reason.
    pub fn get(&self, reason: Reason) -> u64 {
        self.0[reason as usize]
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Each reason.
    pub fn iter(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.iter().map(|&reason| (reason, self.get(reason)))
    }

    pub(super) fn add(&mut self, reason: Reason, more: u64) {
        self.0[reason as usize] += more;
    }
}
