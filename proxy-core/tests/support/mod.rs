//! The parts of a story: a proxy under test, an origin, a client, and the log.
//!
//! Everything runs over real sockets on ports the system chooses. Nothing sleeps: each wait is
//! for a thing, and ends with a failure after [`PATIENCE`].

// Each test binary uses a part of this.
#![allow(dead_code, unused_imports)]

mod client;
mod document;
mod door;
mod fault;
mod origin;
mod recorder;
mod slow;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use proxy_core::metrics::Metrics;
use proxy_core::{
    AccessRecord, Event, FixedUpstreamHandler, Inventory, Kind, Limits, OwnedRecord, Proxy,
    ProxyBuilder, ProxyHandle, Reason, Timeouts,
};

pub use client::{Answer, Client, fields};
pub use document::{document, expect_part};
pub use door::Door;
pub use fault::{Fault, garbage};
pub use origin::{Crowd, Origin, Visit};
use recorder::{Recorded, Recorder};
pub use slow::Slow;

/// How long a story waits for anything before it fails. No test takes as long as this: it is
/// for the day when something hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// An address where connections are refused: it is taken, and nobody listens.
pub struct Nobody {
    pub address: SocketAddr,
    _socket: socket2::Socket,
}

impl Nobody {
    pub fn listens() -> Nobody {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        Nobody { address: socket.local_addr().unwrap().as_socket().unwrap(), _socket: socket }
    }
}

/// The default timeouts, but for those that `change` sets.
pub fn timeouts(change: impl FnOnce(&mut Timeouts)) -> Timeouts {
    let mut timeouts = Timeouts::default();
    change(&mut timeouts);
    timeouts
}

/// Waits until what `stage` holds is as it `should` be, and gives it.
#[track_caller]
pub fn until(stage: &Stage, should: impl Fn(&Inventory) -> bool) -> Inventory {
    let patience = Instant::now() + PATIENCE;
    loop {
        let inventory = stage.handle().inventory(PATIENCE);
        if should(&inventory) {
            return inventory;
        }
        assert!(Instant::now() < patience, "it does not come to be so: {inventory:#?}");
        std::thread::yield_now();
    }
}

/// A running proxy whose records can be looked at.
pub struct Stage {
    handle: Option<ProxyHandle>,
    records: Receiver<OwnedRecord>,
    recorded: Arc<Recorded>,
    metrics: Metrics,
    pub address: SocketAddr,
}

impl Stage {
    /// A forward proxy.
    pub fn forward() -> Stage {
        Stage::with(|builder| builder)
    }

    /// A proxy in front of `origin`.
    pub fn in_front_of(origin: &Origin) -> Stage {
        let upstream = origin.address.to_string().parse().unwrap();
        Stage::with(|builder| builder.handler(FixedUpstreamHandler::new(upstream)))
    }

    /// A proxy built as `build` says.
    pub fn with(build: impl FnOnce(ProxyBuilder) -> ProxyBuilder) -> Stage {
        let (sender, records) = crossbeam_channel::unbounded();
        let recorded = Arc::<Recorded>::default();
        let recorder = Recorder(sender, Arc::clone(&recorded));
        let builder = Proxy::builder().listen("127.0.0.1:0").event_loops(1).logger(recorder);
        let handle = build(builder).start().unwrap();
        let (address, metrics) = (handle.local_addrs()[0], handle.metrics());
        Stage { handle: Some(handle), records, recorded, metrics, address }
    }

    /// A forward proxy that makes so many connections to each upstream and has so many requests
    /// wait for them, each for `upstream_wait`. Idle connections stay, so that what is waited for
    /// is what happens.
    pub fn limited(connections: usize, waiting: usize, upstream_wait: Duration) -> Stage {
        let mut limits = Limits::default();
        limits.connections_per_upstream = connections;
        limits.waiting_per_upstream = waiting;
        let timeouts = timeouts(|timeouts| {
            timeouts.upstream_wait = upstream_wait;
            timeouts.upstream_idle = PATIENCE;
        });
        Stage::with(|builder| builder.limits(limits).timeouts(timeouts))
    }

    /// Goes on with a proxy built as `build` says, with the same logger and listeners.
    pub fn reload(&mut self, build: impl FnOnce(ProxyBuilder) -> ProxyBuilder) {
        let builder = build(Proxy::builder().event_loops(1));
        self.handle.as_mut().expect("the proxy is running").reload(builder).unwrap();
    }

    /// A new connection to the proxy.
    pub fn client(&self) -> Client {
        Client::connect(self.address)
    }

    /// The next record.
    pub fn record(&self) -> OwnedRecord {
        self.records.recv_timeout(PATIENCE).expect("a record is logged")
    }

    /// The next record of an end.
    pub fn closed(&self) -> OwnedRecord {
        loop {
            let record = self.record();
            if record.as_record().event == Event::Close {
                return record;
            }
        }
    }

    /// Expects the next record to be that of an end: `outcome` is its method, status and reason,
    /// with `-` for what there is not; then content bytes from the client and to it.
    #[track_caller]
    pub fn logs(&self, outcome: &str, bytes_in: usize, bytes_out: usize) {
        let record = self.record();
        let record = record.as_record();
        assert_eq!(record.event, Event::Close);
        let status = record.status.map_or("-".to_owned(), |status| status.to_string());
        let reason = record.reason.map_or("-", |reason| reason.code());
        let logged = format!("{} {status} {reason}", record.method);
        assert_eq!(
            (&*logged, record.bytes_in, record.bytes_out),
            (outcome, bytes_in as u64, bytes_out as u64)
        );
    }

    /// The end of a story about a forward proxy: whatever it was, a new client is served, and
    /// the log holds nothing that was not looked at.
    #[track_caller]
    pub fn survives(self) {
        let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!(self.client().send(origin.get("/")).answer().status, 204);
        self.logs("GET 204 -", 0, 0);
        assert_eq!(self.finish(), []);
    }

    /// The same for a handler that answers `/whole` with 200 and forwards nothing.
    #[track_caller]
    pub fn survives_without_forwarding(self) {
        let asking = "GET http://a.test/whole HTTP/1.1\r\nHost: a.test\r\n\r\n";
        assert_eq!(self.client().send(asking).answer().status, 200);
        assert_eq!(self.outcome(), (Some(200), None));
        assert_eq!(self.finish(), []);
    }

    /// Has `client` ask an origin for its answer, which is `ok`. Gives whether the client's and
    /// the upstream's connection had been used before.
    #[track_caller]
    pub fn asks(&self, client: &mut Client, request: &str) -> (bool, bool) {
        let answer = client.send(request).answer();
        assert_eq!((answer.status, answer.text()), (200, "ok"));
        let record = self.closed();
        let record = record.as_record();
        assert_eq!((record.status, record.reason, record.bytes_out), (Some(200), None, 2));
        (record.client_reused, record.upstream_reused)
    }

    /// How the next exchange or tunnel ended: the status told and the reason logged.
    pub fn outcome(&self) -> (Option<u16>, Option<Reason>) {
        let record = self.closed();
        (record.as_record().status, record.as_record().reason)
    }

    /// Waits until the proxy has seen all that has happened to its sockets so far.
    pub fn settle(&self) {
        let mut first = self.client();
        // Once a later client is through, the first one's socket has been looked at in vain ...
        self.client().end().expect_end();
        // ... so its end is seen only by polling, behind everything that came before.
        first.end().expect_end();
    }

    pub fn handle(&self) -> &ProxyHandle {
        self.handle.as_ref().expect("the proxy is running")
    }

    pub fn take_handle(&mut self) -> ProxyHandle {
        self.handle.take().expect("the proxy is running")
    }

    /// Stops the proxy. All it has logged are the two records of one tunnel, which belong
    /// together; gives the second.
    #[track_caller]
    pub fn logged_one_tunnel(self) -> OwnedRecord {
        let records = self.finish();
        let [open, close] = &records[..] else { panic!("a tunnel has two records: {records:#?}") };
        let (opened, closed) = (open.as_record(), close.as_record());
        assert_eq!((opened.event, closed.event), (Event::Open, Event::Close));
        assert_eq!((opened.kind, closed.kind), (Kind::Tunnel, Kind::Tunnel));
        let facts =
            |record: &AccessRecord<'_>| (record.id, record.target.to_owned(), record.status);
        assert_eq!(facts(&opened), facts(&closed));
        assert_eq!(opened.reason, None);
        close.clone()
    }

    /// Stops the proxy, if it still runs, and gives the records that were not looked at.
    #[track_caller]
    pub fn finish(mut self) -> Vec<OwnedRecord> {
        if let Some(handle) = self.handle.take() {
            handle.shutdown(PATIENCE);
        }
        self.expect_counted();
        self.records.try_iter().collect()
    }

    /// Whatever the story was: what was counted is what was recorded, each exchange once.
    #[track_caller]
    fn expect_counted(&self) {
        let now = self.metrics.snapshot();
        let has_ended = now.holdings.loops + now.holdings.held_up == 0;
        if has_ended && let Some(traffic) = &now.traffic {
            self.recorded.expect_same(traffic, now.log);
            assert_eq!(now.log_queued, Some(0));
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            drop(self.handle.take());
            self.expect_counted();
        }
    }
}

/// A message without what differs from proxy to proxy and from second to second: its name for
/// itself is `PROXY`, and a `Date`, which it adds where there is none, is left out.
pub fn anonymous(message: &str) -> String {
    const NAME: &str = "proxy-core-";
    let mut anonymous = message.to_owned();
    if let Some(at) = anonymous.find(NAME) {
        anonymous.replace_range(at..at + NAME.len() + 8, "PROXY");
    }
    if let Some(at) = anonymous.find("\r\nDate: ") {
        let end = anonymous[at + 2..].find("\r\n").map_or(anonymous.len(), |end| at + 2 + end);
        anonymous.replace_range(at..end, "");
    }
    anonymous
}
