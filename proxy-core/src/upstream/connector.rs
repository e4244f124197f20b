//! [`UpstreamConnector`]: how a destination becomes a connection.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;

use super::{NameStats, PlanReply};
use crate::error::Reason;
use crate::net::Socket;

/// Plans how to reach an upstream.
///
/// A connector *plans*, the event loop *dials*: it tries the planned addresses without
/// blocking, staggered as RFC 8305 says. It asks only when no idle connection to the
/// destination is there to be used again.
///
/// First [`fast`](Self::fast) is asked, on the event loop. Where that does not know,
/// [`plan`](Self::plan) is called on the worker pool and may take its time; the client waits
/// [`Timeouts::resolve`](crate::Timeouts) for it at most. A connector that can answer many
/// requests with one piece of work has [`plan_for`](Self::plan_for).
///
/// A panic costs the exchange it happened in, with
/// [`Reason::ConnectorFailed`].
///
/// The default is [`DirectConnector`](crate::DirectConnector). Another one, which sends
/// everything to one place (a program under test, say):
///
/// ```
/// use std::net::SocketAddr;
/// use proxy_core::{ConnectError, Destination, Dialing, UpstreamConnector};
///
/// struct AlwaysTo(SocketAddr);
///
/// impl UpstreamConnector for AlwaysTo {
///     fn fast(&self, _: &Destination<'_>) -> Option<Result<Dialing, ConnectError>> {
///         Some(Ok(Dialing::addresses([self.0])))
///     }
///
///     fn plan(&self, destination: &Destination<'_>) -> Result<Dialing, ConnectError> {
///         unreachable!("fast() always knows the way to {}", destination.host())
///     }
/// }
/// ```
pub trait UpstreamConnector: Send + Sync + 'static {
    /// Answers at once, or not at all. Runs on an event loop and must not block. The default
    /// never knows.
    fn fast(&self, destination: &Destination<'_>) -> Option<Result<Dialing, ConnectError>> {
        let _ = destination;
        None
    }

    /// Answers in its own time. Runs on the worker pool and may block: resolve a name, ask
    /// another service, connect by itself.
    ///
    /// # Errors
    /// The reason is what the client is told and what the log shows.
    fn plan(&self, destination: &Destination<'_>) -> Result<Dialing, ConnectError>;

    /// Answers through `reply`, before it returns or later, from whatever thread. This is what
    /// the proxy calls on the worker pool; the default is [`plan`](Self::plan).
    ///
    /// It is there for connectors that need not do the same work twice: while one call for a
    /// name blocks, others for the same name can leave their reply with it and return, and no
    /// thread waits beside it. A connector that wraps one of those passes this method on.
    fn plan_for(&self, destination: &Destination<'_>, reply: PlanReply) {
        reply.send(self.plan(destination));
    }

    /// What it remembers of names, for the [metrics](crate::metrics). The default is `None`: it
    /// remembers none. One that wraps another passes this on. It may be called by any thread, and
    /// must not block.
    fn names(&self) -> Option<NameStats> {
        None
    }
}

/// Where a request is to go.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    host: &'a str,
    port: u16,
    attempt: u32,
}

impl<'a> Destination<'a> {
    pub(crate) fn new(authority: &'a str, attempt: u32) -> Destination<'a> {
        let (host, port) = authority.rsplit_once(':').expect("a key is written as host:port");
        Destination { host, port: port.parse().expect("a key ends with a port"), attempt }
    }

    /// The host in lower case; an IPv6 address in its brackets.
    pub fn host(&self) -> &'a str {
        self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Which attempt for this request it is, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

/// How to reach an upstream.
#[derive(Debug)]
pub struct Dialing {
    pub(crate) dial: Dial,
    pub(crate) vouched: Option<Vouched>,
}

/// A connector's word that a connection may be used wherever it leads, and why. The
/// [`DestinationGuard`](crate::DestinationGuard) knows addresses; it cannot know that a socket
/// leads through a parent proxy, or that an address is that of a gateway.
///
/// The word is for every request that goes the same way: never give it for an address that
/// whoever has sent the request, or whoever answers for its name, has a part in choosing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched(Cow<'static, str>);

impl Vouched {
    /// Vouches, for this reason. The debug log shows it.
    pub fn because(reason: impl Into<Cow<'static, str>>) -> Vouched {
        Vouched(reason.into())
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.0
    }
}

impl Dialing {
    /// Connect to one of these addresses, the best first. The
    /// [`DestinationGuard`](crate::DestinationGuard) looks at each before it is tried.
    pub fn addresses(addresses: impl Into<Vec<SocketAddr>>) -> Dialing {
        Dialing { dial: Dial::Addresses(addresses.into()), vouched: None }
    }

    /// The same, for addresses that the guard has no say in.
    pub fn vouched_addresses(addresses: impl Into<Vec<SocketAddr>>, vouched: Vouched) -> Dialing {
        Dialing { vouched: Some(vouched), ..Dialing::addresses(addresses) }
    }

    /// Use this connection, which the connector has made. Where it leads the guard cannot see.
    pub fn connected(socket: impl Into<Socket>, vouched: Vouched) -> Dialing {
        Dialing { dial: Dial::Connected(socket.into()), vouched: Some(vouched) }
    }
}

/// The two ways to a connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum Dial {
    /// Addresses that the loop connects to, in this order.
    Addresses(Vec<SocketAddr>),
    /// A connected socket.
    Connected(Socket),
}

/// Why there is no way to an upstream.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct ConnectError {
    reason: Reason,
    retry: Retry,
    source: Option<io::Error>,
}

/// Whether another attempt may do better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// It would fail in the same way.
    Never,
    /// It may succeed: the request has gone nowhere yet.
    Same,
}

impl ConnectError {
    /// An error that another attempt would not mend.
    pub fn new(reason: Reason) -> ConnectError {
        ConnectError { reason, retry: Retry::Never, source: None }
    }

    /// Adds what lies behind it; the debug log shows it.
    pub fn with_source(self, source: io::Error) -> ConnectError {
        ConnectError { source: Some(source), ..self }
    }

    /// Says whether another attempt may do better.
    pub fn with_retry(self, retry: Retry) -> ConnectError {
        ConnectError { retry, ..self }
    }

    /// What the client is told and the log shows.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Whether another attempt may do better.
    pub fn retry(&self) -> Retry {
        self.retry
    }
}
