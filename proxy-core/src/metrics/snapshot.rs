//! [`Snapshot`]: all numbers of a proxy, at one moment.

use std::time::{Duration, SystemTime};

use super::process::Process;
use super::top::Top;
use super::traffic::Traffic;
use crate::logger::LogCounts;
use crate::policy::throttle::ThrottleState;
use crate::runtime::LaneStats;
use crate::upstream::NameStats;

/// All numbers of a proxy, at one moment: plain ones, to be read without HTTP.
///
/// They are taken one after the other while the proxy goes on, so two of them may be a few requests
/// apart. Sums and their parts are not: a total is added up from what is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The version of this library.
    pub version: &'static str,
    /// When the proxy started.
    pub started: SystemTime,
    /// What the event loops have counted. `None` where
    /// [`metrics`](crate::ProxyBuilder::metrics) are off.
    pub traffic: Option<Traffic>,
    /// How much each event loop has worked. None where metrics are off.
    pub loops: Vec<LoopWork>,
    /// What there is at this moment.
    pub holdings: Holdings,
    /// Threads of the worker pool.
    pub workers: usize,
    /// Its lanes.
    pub lanes: Vec<LaneStats>,
    /// What the connector remembers of names, if it does.
    pub names: Option<NameStats>,
    /// Bans in force.
    pub bans: usize,
    /// Connections that were closed because of bans.
    pub turned_away: u64,
    /// How the throttles do.
    pub throttles: Vec<ThrottleState>,
    /// What became of the access records.
    pub log: LogCounts,
    /// Records that wait for the logger. `None` where metrics are off.
    pub log_queued: Option<u64>,
    /// How many may wait: [`Limits::log_queue`](crate::Limits) for each event loop.
    pub log_limit: u64,
    /// Who was served most. `None` unless [asked for](crate::ProxyBuilder::metrics_top).
    pub top: Option<Top>,
    /// What the system knows of the process. `None` where it does not tell.
    pub process: Option<Process>,
}

impl Snapshot {
    /// One in which nothing has been told yet.
    pub(super) fn new(started: SystemTime) -> Snapshot {
        Snapshot {
            version: env!("CARGO_PKG_VERSION"),
            started,
            traffic: None,
            loops: Vec::new(),
            holdings: Holdings::default(),
            workers: 0,
            lanes: Vec::new(),
            names: None,
            bans: 0,
            turned_away: 0,
            throttles: Vec::new(),
            log: LogCounts::default(),
            log_queued: None,
            log_limit: 0,
            top: None,
            process: Process::read(),
        }
    }
}

/// How much an event loop has worked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoopWork {
    /// How often it has woken.
    pub wakes: u64,
    /// How long it has worked in all. In a second it can work for a second: the growth of this is how
    /// much it has to do. Turns in quick succession are timed now and then, and stand for the others.
    pub busy: Duration,
}

/// What a proxy holds at one moment, its loops together; see
/// [`Inventory`](crate::Inventory).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holdings {
    /// Event loops that have said what they hold.
    pub loops: usize,
    /// Those that have not, since they were held up. What they hold is only in `open`.
    pub held_up: usize,
    /// Client connections in all, as their limit counts them.
    pub open: usize,
    /// How many there may be: [`Limits::connections`](crate::Limits).
    pub limit: usize,
    /// Client connections without a request.
    pub idle: usize,
    /// Those with a part of the head of a request.
    pub reading: usize,
    /// Those whose request waits: for a decision, a connection to its upstream, or the response.
    pub waiting: usize,
    /// Those with a body on its way, up or down.
    pub relaying: usize,
    /// Tunnels.
    pub tunnels: usize,
    /// Those that blocking code has taken over.
    pub taken_over: usize,
    /// Those whose last response was sent.
    pub leaving: usize,
    /// Connections to upstreams that are attempted or in use.
    pub upstreams_busy: usize,
    /// Connections to upstreams that are kept for later requests.
    pub upstreams_idle: usize,
    /// Places taken, where connections to an upstream are limited.
    pub places: usize,
    /// Requests that wait for such a place.
    pub queued: usize,
    /// Buffers with bytes that wait for a slow receiver, or for the rest of a head.
    pub buffers: usize,
    /// The bytes in them.
    pub buffered_bytes: usize,
}
