//! [`Scenario`]: what is asked of every contestant.

use crate::entrant::Entrant;
use crate::suite::Suite;
use std::fmt;

/// How a proxy learns where the origin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// From its configuration: it fronts one fixed upstream.
    Fixed,
    /// From each request: an absolute-form target (RFC 9112 §3.2.2), as to a forward proxy.
    Forward,
    /// From a `CONNECT`; programs that do not know it relay bytes to a server they know.
    Tunnel,
}

/// What is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// Each of so many clients asks again as soon as it has its answer.
    Closed {
        /// What they ask for.
        request: Request,
        /// Client connections at once.
        connections: u32,
    },
    /// Each of so many clients asks on a connection of its own, again and again.
    Short {
        /// Client connections at once.
        connections: u32,
    },
    /// One client moves 256 MB.
    Bulk(Transfer),
    /// Requests come at a fixed rate, whatever becomes of them.
    Paced {
        /// Who else is there.
        beside: Option<(Crowd, u32)>,
    },
    /// So many clients that wait.
    Crowd(Crowd, u32),
    /// As `Closed`, with the system calls counted.
    Counted {
        /// Client connections at once.
        connections: u32,
    },
    /// The program is started.
    Start,
}

/// A request of `wrk`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Which body is fetched.
    pub(crate) path: &'static str,
    /// Its size.
    pub(crate) body_bytes: usize,
    /// Bytes that are sent with it; with any, it is a `POST`.
    pub(crate) sent: usize,
}

/// How 256 MB go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transfer {
    /// A response with `Content-Length`.
    Exact,
    /// A chunked response.
    Chunked,
    /// A request with `Content-Length`.
    Upload,
}

/// Clients that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crowd {
    /// They have had an answer and may ask again.
    Idle,
    /// They wait for an answer that does not come.
    Waiting,
}

/// One row of the report.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// Where it belongs.
    pub(crate) suite: Suite,
    /// Its name, for `--only` and the tables.
    pub(crate) name: &'static str,
    /// How the proxies find the origin.
    pub(crate) mode: Mode,
    /// What is done.
    pub(crate) load: Load,
    /// Who takes part.
    pub(crate) entrants: &'static [Entrant],
}

/// In front of an upstream: whoever can.
const FIXED: &[Entrant] = &[Entrant::OURS, Entrant::RELAY, Entrant::HAPROXY, Entrant::NGINX];
const LOGGED: &[Entrant] =
    &[Entrant::OURS_LOGGING, Entrant::RELAY, Entrant::HAPROXY, Entrant::NGINX];
/// As forward proxies. The origin understands absolute-form, so the relay "forwards" too; nginx
/// keeps no upstream connections when the upstream is the request's to choose, and tinyproxy keeps
/// none at all.
const FORWARD: &[Entrant] = &[Entrant::OURS, Entrant::RELAY, Entrant::HAPROXY, Entrant::SQUID];
const FORWARD_SHORT: &[Entrant] =
    &[Entrant::OURS, Entrant::RELAY, Entrant::HAPROXY, Entrant::SQUID, Entrant::TINYPROXY];
const BULK: &[Entrant] =
    &[Entrant::OURS, Entrant::RELAY, Entrant::HAPROXY, Entrant::HAPROXY_SPLICING, Entrant::NGINX];
const TUNNELS: &[Entrant] = &[
    Entrant::OURS,
    Entrant::RELAY,
    Entrant::HAPROXY,
    Entrant::HAPROXY_SPLICING,
    Entrant::SQUID,
    Entrant::TINYPROXY,
];
const TWO: &[Entrant] =
    &[Entrant::OURS_TWO, Entrant::OURS_ONE, Entrant::HAPROXY_TWO, Entrant::NGINX_TWO];
/// One program that is told of, and the same where that is not so.
const OBSERVED: &[Entrant] = &[
    Entrant::OURS_OBSERVED,
    Entrant::OURS_SILENT,
    Entrant::OURS_LOG_ONLY,
    Entrant::OURS_METRICS_ONLY,
];

impl Scenario {
    /// All of them.
    pub(crate) const ALL: &[Scenario] = &[
        Scenario::requests("1k-c1", get(1), 1),
        Scenario::requests("1k-c32", get(1), 32),
        Scenario::requests("1k-c256", get(1), 256),
        Scenario::requests("1k-c2000", get(1), 2000),
        Scenario::requests("16k-c32", get(16), 32),
        Scenario::requests("100k-c32", get(100), 32),
        Scenario::requests("post-4k-c32", Request { sent: 4096, ..get(1) }, 32),
        Scenario { entrants: LOGGED, ..Scenario::requests("logged-c32", get(1), 32) },
        Scenario { entrants: LOGGED, ..Scenario::requests("logged-c256", get(1), 256) },
        Scenario::forward(Scenario::requests("forward-c32", get(1), 32)),
        Scenario::forward(Scenario::requests("forward-c256", get(1), 256)),
        Scenario {
            suite: Suite::Two,
            entrants: TWO,
            ..Scenario::requests("two-loops-c256", get(1), 256)
        },
        Scenario::observed("observed-c32", 32),
        Scenario::observed("observed-c256", 256),
        Scenario::short("short-c32"),
        Scenario {
            entrants: FORWARD_SHORT,
            ..Scenario::forward(Scenario::short("short-forward-c32"))
        },
        Scenario::bulk("bulk-length", Transfer::Exact),
        Scenario::bulk("bulk-chunked", Transfer::Chunked),
        Scenario::bulk("bulk-upload", Transfer::Upload),
        Scenario {
            mode: Mode::Tunnel,
            entrants: TUNNELS,
            ..Scenario::bulk("bulk-tunnel", Transfer::Exact)
        },
        Scenario::paced("paced-alone", None),
        Scenario::paced("paced-slow-500", Some((Crowd::Waiting, 500))),
        Scenario::paced("paced-idle-5000", Some((Crowd::Idle, 5000))),
        Scenario::memory("memory-idle", Crowd::Idle),
        Scenario::memory("memory-waiting", Crowd::Waiting),
        Scenario {
            mode: Mode::Tunnel,
            entrants: TUNNELS,
            ..Scenario::memory("memory-tunnel", Crowd::Idle)
        },
        Scenario::counted("calls-c1", 1),
        Scenario::counted("calls-c32", 32),
        Scenario::counted("calls-c256", 256),
        Scenario { suite: Suite::Start, load: Load::Start, ..Scenario::short("start") },
    ];

    const fn requests(name: &'static str, request: Request, connections: u32) -> Scenario {
        let load = Load::Closed { request, connections };
        Scenario { suite: Suite::Requests, name, mode: Mode::Fixed, load, entrants: FIXED }
    }

    const fn forward(scenario: Scenario) -> Scenario {
        Scenario { mode: Mode::Forward, entrants: FORWARD, ..scenario }
    }

    const fn observed(name: &'static str, connections: u32) -> Scenario {
        let scenario = Scenario::requests(name, get(1), connections);
        Scenario { suite: Suite::Observed, entrants: OBSERVED, ..scenario }
    }

    const fn short(name: &'static str) -> Scenario {
        let load = Load::Short { connections: 32 };
        Scenario { suite: Suite::Short, name, mode: Mode::Fixed, load, entrants: FIXED }
    }

    const fn bulk(name: &'static str, transfer: Transfer) -> Scenario {
        let load = Load::Bulk(transfer);
        Scenario { suite: Suite::Bulk, name, mode: Mode::Fixed, load, entrants: BULK }
    }

    const fn paced(name: &'static str, beside: Option<(Crowd, u32)>) -> Scenario {
        let load = Load::Paced { beside };
        Scenario { suite: Suite::Paced, name, mode: Mode::Fixed, load, entrants: FIXED }
    }

    const fn memory(name: &'static str, crowd: Crowd) -> Scenario {
        let load = Load::Crowd(crowd, 2000);
        Scenario { suite: Suite::Memory, name, mode: Mode::Fixed, load, entrants: FIXED }
    }

    const fn counted(name: &'static str, connections: u32) -> Scenario {
        let load = Load::Counted { connections };
        Scenario { suite: Suite::Calls, name, mode: Mode::Fixed, load, entrants: FIXED }
    }
}

impl Request {
    /// The one that most scenarios have.
    pub(crate) const SMALL: Request = get(1);
}

/// A `GET` for so many KB.
const fn get(kilobytes: usize) -> Request {
    let path = match kilobytes {
        1 => "/1k",
        16 => "/16k",
        _ => "/100k",
    };
    Request { path, body_bytes: kilobytes * 1024, sent: 0 }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        match self.load {
            Load::Closed { request, connections } => {
                let method = if request.sent > 0 { "POST" } else { "GET" };
                write!(f, "{method} {}, {connections} connections, kept alive", request.path)?;
            }
            Load::Short { connections } => {
                write!(f, "GET /1k, {connections} connections at once, one for each request")?;
            }
            Load::Bulk(transfer) => write!(f, "256 MB, {transfer:?}")?,
            Load::Paced { beside: None } => write!(f, "a fixed rate, alone")?,
            Load::Paced { beside: Some((crowd, count)) } => {
                write!(f, "a fixed rate beside {count} clients ({crowd:?})")?;
            }
            Load::Crowd(crowd, count) => write!(f, "{count} clients ({crowd:?})")?,
            Load::Counted { connections } => write!(f, "GET /1k, {connections} connections")?,
            Load::Start => write!(f, "from the start to the first answer")?,
        }
        match self.mode {
            Mode::Fixed => write!(f, ", fixed upstream"),
            Mode::Forward => write!(f, ", forward proxy"),
            Mode::Tunnel => write!(f, ", tunnel"),
        }
    }
}
