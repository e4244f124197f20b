//! [`Suite`]: scenarios of which the same is measured.

/// Which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suite {
    /// Keep-alive requests.
    Requests,
    /// The same with two loops, threads or workers.
    Two,
    /// What it costs to be told of.
    Observed,
    /// A connection for each request.
    Short,
    /// 256 MB at once.
    Bulk,
    /// A fixed rate.
    Paced,
    /// Connections that wait.
    Memory,
    /// System calls.
    Calls,
    /// From the start to the first answer.
    Start,
}

/// One figure of a sample.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// What it is, and its unit.
    pub(crate) title: &'static str,
    /// How precisely it is shown.
    pub(crate) decimals: usize,
    /// Whether less is better, and hence whether ours is divided by the others'.
    pub(crate) compared: bool,
}

/// How long it is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// How often each contestant has its turn.
    pub(crate) rounds: usize,
    /// Seconds of load in each turn: whole ones, because `wrk` knows no others.
    pub(crate) seconds: u32,
}

const fn compared(title: &'static str, decimals: usize) -> Column {
    Column { title, decimals, compared: true }
}

const fn shown(title: &'static str, decimals: usize) -> Column {
    Column { title, decimals, compared: false }
}

const REQUESTS: &[Column] = &[
    compared("CPU µs/request", 2),
    shown("requests/s", 0),
    shown("p50 µs", 0),
    shown("p99 µs", 0),
];
const SHORT: &[Column] = &[compared("CPU µs/connection", 2), shown("connections/s", 0)];
const BULK: &[Column] = &[compared("CPU ms/GB", 0), shown("MB/s", 0)];
const PACED: &[Column] = &[compared("p50 µs", 0), compared("p99 µs", 0), compared("p99.9 µs", 0)];
const MEMORY: &[Column] = &[compared("KB each", 2)];
const CALLS: &[Column] = &[
    compared("system calls/request", 2),
    shown("reads", 2),
    shown("writes", 2),
    shown("polls", 2),
    shown("others", 2),
    shown("sleeps, not traced", 3),
];
const START: &[Column] = &[compared("ms to the first answer", 1)];

impl Suite {
    /// All of them, as they are run and shown.
    pub(crate) const ALL: [Suite; 9] = [
        Suite::Requests,
        Suite::Two,
        Suite::Observed,
        Suite::Short,
        Suite::Bulk,
        Suite::Paced,
        Suite::Memory,
        Suite::Calls,
        Suite::Start,
    ];

    /// For `--suite`, and the marks in the document.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Suite::Requests => "requests",
            Suite::Two => "two",
            Suite::Observed => "observed",
            Suite::Short => "short",
            Suite::Bulk => "bulk",
            Suite::Paced => "paced",
            Suite::Memory => "memory",
            Suite::Calls => "calls",
            Suite::Start => "start",
        }
    }

    /// What a sample consists of. The first column is what the suite is about.
    pub(crate) fn columns(self) -> &'static [Column] {
        match self {
            Suite::Requests | Suite::Two | Suite::Observed => REQUESTS,
            Suite::Short => SHORT,
            Suite::Bulk => BULK,
            Suite::Paced => PACED,
            Suite::Memory => MEMORY,
            Suite::Calls => CALLS,
            Suite::Start => START,
        }
    }

    /// Whether the proxy has a core of its own. Where latency or two threads are looked at, all
    /// share all cores: pinned, the tail would be the scheduler's slice.
    pub(crate) fn is_pinned(self) -> bool {
        !matches!(self, Suite::Two | Suite::Paced)
    }

    /// Whether a turn needs a program that has done nothing yet.
    pub(crate) fn wants_fresh(self) -> bool {
        matches!(self, Suite::Memory | Suite::Start)
    }

    /// How long it is measured: fully, or quickly.
    pub(crate) fn effort(self, quick: bool) -> Effort {
        let (rounds, seconds) = match (self, quick) {
            (Suite::Requests | Suite::Two | Suite::Observed | Suite::Short, false) => (15, 2),
            (Suite::Requests | Suite::Two | Suite::Observed | Suite::Short, true) => (5, 1),
            // Seconds are those that it takes; it is the bytes that are given.
            (Suite::Bulk, false) => (15, 1),
            (Suite::Bulk, true) => (5, 1),
            (Suite::Paced, false) => (9, 6),
            (Suite::Paced, true) => (3, 3),
            (Suite::Memory, false) => (3, 2),
            (Suite::Memory, true) => (1, 2),
            (Suite::Calls, _) => (1, 2),
            (Suite::Start, false) => (15, 1),
            (Suite::Start, true) => (5, 1),
        };
        Effort { rounds, seconds }
    }
}
