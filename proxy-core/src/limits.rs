//! [`Limits`] and [`Timeouts`]: every bound there is, its default, and why it is that.

use std::time::Duration;

/// How much of everything a proxy accepts. At each limit the behaviour is an answer with a
/// [`Reason`](crate::Reason), a pause, or a count: never an abort, never silent growth.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a request or response head, final empty line included. At the limit: 431 for
    /// a request, 502 for a response. Default 32 KiB: four times what Apache and nginx take
    /// of one field, and more than browsers send with full cookie jars. At most 1 MiB.
    pub head_bytes: usize,
    /// Fields in a head. At the limit: 431, or 502. Default 128. At most 256.
    pub fields: usize,
    /// Bytes of a request target. At the limit: 414. Default 16 KiB; RFC 9112 §3 asks for at
    /// least 8,000.
    pub target_bytes: usize,
    /// Bytes of the trailer section behind a chunked body. At the limit: 400, or the response
    /// is cut. Default 8 KiB.
    pub trailer_bytes: usize,
    /// Bytes of one chunk-size line, extensions included. At the limit: 400, or the response
    /// is cut. Default 256: a size needs 16 digits, extensions are hardly used.
    pub chunk_line_bytes: usize,
    /// Bytes of a request body, chunk framing not counted. At the limit: 413, and the
    /// connection is closed. Default: no limit, since a body is never held in memory.
    pub request_body: u64,
    /// Bytes that are read at once, and so what may wait for a slow receiver in each direction
    /// of a connection. At the limit reading pauses until the receiver has taken them. Default
    /// 63 KiB: enough that bulk transfers cost few calls, little enough to stay in the
    /// second-level cache, and with a rewritten head in front of it still one segment for the
    /// system, which makes none of more than 64 KiB less its headers. From 1 KiB to 1 MiB.
    pub buffer_bytes: usize,
    /// Bytes a second that a client must send of a request body, and that client and upstream
    /// must take of what is pending for them; see [`Timeouts::min_rate_window`]. An upstream may
    /// take its time to answer. 0, the default: any rate will do. What is slow differs too much
    /// between a data centre and a train; who stops altogether is ended by
    /// [`Timeouts::body_idle`], and a slow exchange holds no thread and little memory.
    pub min_rate: u64,
    /// Interim (1xx) responses before one final response. At the limit: 502. Default 16.
    pub interim_responses: u32,
    /// Client connections at once, over all listeners and loops. At the limit accepting
    /// pauses and new connections wait in the kernel's backlog. Default 10,000.
    pub connections: usize,
    /// Client connections at once from one address. At the limit a new one is answered with
    /// 503 and closed. Default: no limit but that of all connections, since many clients may
    /// share an address.
    pub connections_per_client: usize,
    /// Connections to one upstream at once: those that are planned, dialed, used and idle, and
    /// tunnels. Each loop has its share, at least one. At the limit a request waits for one that
    /// becomes idle or ends. Default: no limit; what an upstream bears, only its owner knows.
    pub connections_per_upstream: usize,
    /// Requests that wait for a connection to one upstream, where those are limited. Each loop
    /// has its share. At the limit: 503, at once. 0: none waits. Default 1,024: a waiting
    /// request costs a few KiB, and who is behind a thousand others is better told soon.
    pub waiting_per_upstream: usize,
    /// Connections handed to one loop and not yet adopted by it. At the limit the acceptor
    /// waits. Default 1,024. At most 65,536.
    pub loop_inbox: usize,
    /// Jobs waiting in each lane of the worker pool, and jobs of each loop under way in it. At the
    /// limit: 503. Default 1,024. At most 65,536.
    pub lane_queue: usize,
    /// Names whose look-up is remembered by a [`DirectConnector`](crate::DirectConnector). At
    /// the limit the one to be forgotten first goes. Default 1,024: more than a busy office
    /// asks for in a minute, and less than 1 MiB.
    pub names: usize,
    /// Idle upstream connections kept by each loop. At the limit a connection is closed
    /// instead of kept. Default 1,024.
    pub idle_upstreams: usize,
    /// Idle upstream connections kept by each loop for one upstream. At the limit a
    /// connection is closed instead of kept. Default 256.
    pub idle_per_upstream: usize,
    /// Access records that wait for the logger, per loop; their texts may have 512 bytes each
    /// on average. At the limit further records are dropped and counted, or new clients wait: see
    /// [`LogOverflow`](crate::LogOverflow). Default 65,536.
    pub log_queue: usize,
    /// Unread body bytes of a refused request that are read and thrown away so that the
    /// connection can be kept, within [`Timeouts::body_idle`]. A longer body closes it. Default
    /// 64 KiB.
    pub discarded_body: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            head_bytes: 32 * 1024,
            fields: 128,
            target_bytes: 16 * 1024,
            trailer_bytes: 8 * 1024,
            chunk_line_bytes: 256,
            request_body: u64::MAX,
            buffer_bytes: 63 * 1024,
            min_rate: 0,
            interim_responses: 16,
            connections: 10_000,
            connections_per_client: usize::MAX,
            connections_per_upstream: usize::MAX,
            waiting_per_upstream: 1024,
            loop_inbox: 1024,
            lane_queue: 1024,
            names: 1024,
            idle_upstreams: 1024,
            idle_per_upstream: 256,
            log_queue: 65_536,
            discarded_body: 64 * 1024,
        }
    }
}

impl Limits {
    /// The first field with a value that cannot work, and what is wrong with it.
    pub(crate) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let positive = "must be at least 1";
        let queue = "must be from 1 to 65536: its memory is taken at once";
        let bytes = 1024 * 1024;
        [
            ((256..=bytes).contains(&self.head_bytes), "head_bytes", "must be from 256 to 1048576"),
            (
                (1024..=bytes).contains(&self.buffer_bytes),
                "buffer_bytes",
                "must be from 1024 to 1048576",
            ),
            ((1..=256).contains(&self.fields), "fields", "must be from 1 to 256"),
            (self.target_bytes >= 1, "target_bytes", positive),
            (self.trailer_bytes >= 2, "trailer_bytes", "must be at least 2"),
            (self.chunk_line_bytes >= 3, "chunk_line_bytes", "must be at least 3"),
            (self.connections >= 1, "connections", positive),
            (self.connections_per_client >= 1, "connections_per_client", positive),
            (self.connections_per_upstream >= 1, "connections_per_upstream", positive),
            ((1..=65_536).contains(&self.loop_inbox), "loop_inbox", queue),
            ((1..=65_536).contains(&self.lane_queue), "lane_queue", queue),
            (self.log_queue >= 1, "log_queue", positive),
        ]
        .into_iter()
        .find(|(holds, ..)| !holds)
        .map(|(_, setting, problem)| (setting, problem))
    }
}

/// How long everything may take. Timers are coarse: they fire up to 20 ms late, never early.
/// More than a year counts as a year, so [`Duration::MAX`] is a way to say "never".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// From the first byte of a request to the end of its head. Then 408. Default 30 s.
    pub request_head: Duration,
    /// A client connection without a request. Then it is closed. Default 60 s.
    pub keep_alive: Duration,
    /// Resolving a name. Then 504. Default 10 s.
    pub resolve: Duration,
    /// For how long a [`DirectConnector`](crate::DirectConnector) remembers what a name was
    /// resolved to. Default 60 s: the system's resolver does not say how long its answers are
    /// good for, and a minute is what browsers assume then.
    pub name_ttl: Duration,
    /// For how long it remembers that a name could not be resolved. Default 5 s: the many
    /// requests of one page fail at once, and a mended mistake is soon seen.
    pub name_failure_ttl: Duration,
    /// Waiting for a connection to an upstream that has
    /// [as many as it may have](Limits::connections_per_upstream). Then 503. Default 10 s: a
    /// user who has waited that long goes away or asks again.
    pub upstream_wait: Duration,
    /// Connecting to one address of an upstream; all of them together get twice as long. Then
    /// 504. Default 10 s.
    pub connect: Duration,
    /// Between two addresses of one upstream that are tried beside each other (RFC 8305 §5).
    /// Default 250 ms.
    pub connect_stagger: Duration,
    /// From the end of the request to the head of the response. Then 504. Default 60 s.
    pub response_head: Duration,
    /// Between two pieces of a body, in either direction, and for a peer that does not read
    /// what it is sent. Default 60 s.
    pub body_idle: Duration,
    /// How far a peer may fall behind [`Limits::min_rate`]: one that moves nothing is ended after
    /// this time, one at half the rate after twice as long. Then 408 or 504, or the connection is
    /// cut. Time in which it is not waited for does not count. Readers have what the system's
    /// buffers took for them to their credit, 4 MiB at most. Default 5 s: more than a handover
    /// between two radio cells takes.
    pub min_rate_window: Duration,
    /// An upstream connection without a request. Then it is closed. Default 4 s: below the
    /// 5 s after which common servers close theirs.
    pub upstream_idle: Duration,
    /// A tunnel without a byte in either direction. Default 1 h.
    pub tunnel_idle: Duration,
    /// A tunnel one end of which has ended. Default 5 min.
    pub tunnel_half_closed: Duration,
    /// Waiting for a client to close after a last response (RFC 9112 §9.6). Default 2 s.
    pub linger: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            request_head: Duration::from_secs(30),
            keep_alive: Duration::from_secs(60),
            resolve: Duration::from_secs(10),
            name_ttl: Duration::from_secs(60),
            name_failure_ttl: Duration::from_secs(5),
            upstream_wait: Duration::from_secs(10),
            connect: Duration::from_secs(10),
            connect_stagger: Duration::from_millis(250),
            response_head: Duration::from_secs(60),
            body_idle: Duration::from_secs(60),
            min_rate_window: Duration::from_secs(5),
            upstream_idle: Duration::from_secs(4),
            tunnel_idle: Duration::from_secs(3600),
            tunnel_half_closed: Duration::from_secs(300),
            linger: Duration::from_secs(2),
        }
    }
}

/// As long as anything may take.
pub(crate) const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

impl Timeouts {
    /// Cut to [`LONGEST`]: points in time beyond what the clock can tell must not come up.
    pub(crate) fn bounded(mut self) -> Timeouts {
        for timeout in [
            &mut self.request_head,
            &mut self.keep_alive,
            &mut self.resolve,
            &mut self.name_ttl,
            &mut self.name_failure_ttl,
            &mut self.upstream_wait,
            &mut self.connect,
            &mut self.connect_stagger,
            &mut self.response_head,
            &mut self.body_idle,
            &mut self.min_rate_window,
            &mut self.upstream_idle,
            &mut self.tunnel_idle,
            &mut self.tunnel_half_closed,
            &mut self.linger,
        ] {
            *timeout = (*timeout).min(LONGEST);
        }
        self
    }
}
