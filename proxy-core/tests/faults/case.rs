//! [`Case`]: one fault, played and judged.

use std::io::{self, Write};
use std::net::TcpStream;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use proxy_core::{Event, Inventory, Limits, Reason, Timeouts};

use crate::phase::{Phase, Side};
use crate::rule::Verdict;
use crate::support::{Client, Door, Fault, PATIENCE, Stage, until};

/// What misbehaves, when, and what must come of it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub side: Side,
    pub phase: Phase,
    pub fault: Fault,
    pub verdict: Verdict,
}

/// The time after which a silence is over, where the fault is one.
const SHORT: Duration = Duration::from_millis(20);
/// The same where somebody has to fill all buffers first, or to send a request, and would not be
/// waited for either. No story is that slow, and one that is fails: it does not pass by that.
const ENOUGH: Duration = Duration::from_millis(500);

/// Entries of timers that may be left until their time comes: two for each client there was, of
/// which there are five at most. The second is that of a request that is waited for less long than
/// its client was.
const TIMERS: usize = 10;

/// What a good origin answers, and does not want to be asked again.
pub const LAST: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

impl Case {
    /// Plays it against a proxy of its own, and judges.
    pub fn run(self) {
        let mut stage = self.stage();
        let mut client = None;
        match self.phase {
            Phase::Connecting => self.connecting(&stage),
            Phase::Tunnel | Phase::Upgraded => self.tunnel(&stage),
            Phase::Idle if self.side == Side::Upstream => self.idle_upstream(&stage),
            _ if self.side == Side::Upstream => client = self.response(&stage),
            _ => self.request(&stage),
        }
        if client.is_none() {
            until(&stage, Inventory::is_empty);
        }
        if self.is_silence() {
            // The short time was for the fault. What comes now must not fail on a slow machine.
            stage.reload(|builder| builder.limits(limits()).timeouts(patient()));
        }
        if let Some(mut client) = client {
            // A client is not to blame for its upstream: its connection goes on.
            serves(&stage, &mut client);
        }
        until(&stage, Inventory::is_empty);
        // Whatever has happened, the next request on a new connection is served.
        serves(&stage, &mut stage.client());
        let left = until(&stage, Inventory::is_empty);
        assert!(left.timers <= TIMERS, "{} entries of timers", left.timers);
        assert_eq!(stage.finish(), [], "nothing else is logged");
    }

    /// A proxy that waits for what this case is about only for a short time, and for everything
    /// else for as long as it takes.
    fn stage(self) -> Stage {
        let mut timeouts = patient();
        let is_unasked = self.verdict == Verdict::Closed && !self.fault.ends();
        match self.verdict.reason() {
            Some(Reason::RequestHeadTimeout) => timeouts.request_head = SHORT,
            Some(Reason::ResponseHeadTimeout) => timeouts.response_head = SHORT,
            Some(Reason::ConnectTimeout) => timeouts.connect = SHORT,
            Some(Reason::TunnelIdle) if self.fault == Fault::Stall => timeouts.tunnel_idle = SHORT,
            Some(Reason::TunnelIdle) => timeouts.tunnel_idle = ENOUGH,
            Some(Reason::UpstreamWriteTimeout | Reason::ClientWriteTimeout) => {
                timeouts.body_idle = ENOUGH
            }
            Some(Reason::ResponseBodyTimeout | Reason::RequestBodyTimeout) => {
                timeouts.body_idle = if self.fault == Fault::Blackhole { ENOUGH } else { SHORT }
            }
            None if is_unasked && self.phase == Phase::Idle => timeouts.keep_alive = ENOUGH,
            None if is_unasked => timeouts.keep_alive = SHORT,
            _ => {}
        }
        Stage::with(|builder| builder.limits(limits()).timeouts(timeouts).workers(3))
    }

    /// Whether somebody is silent: only the proxy's own time ends that.
    fn is_silence(self) -> bool {
        matches!(self.fault, Fault::Stall | Fault::Blackhole | Fault::Truncation)
    }

    /// What the rule says is logged, is, and in this order.
    pub fn expect_records(self, stage: &Stage) {
        let opened = if self.phase == Phase::Upgraded { 101 } else { 200 };
        let is_tunnel = matches!(self.phase, Phase::Tunnel | Phase::Upgraded);
        if is_tunnel {
            assert_eq!(stage.record().as_record().event, Event::Open);
        }
        for expected in self.verdict.records(opened) {
            let record = stage.record();
            let record = record.as_record();
            assert_eq!((record.status, record.reason), expected, "is logged");
            assert_eq!(record.event, Event::Close);
        }
    }
}

/// Longer than any story lasts. What is kept ends when its origin ends it, and not before.
fn patient() -> Timeouts {
    let mut timeouts = Timeouts::default();
    timeouts.upstream_idle = PATIENCE;
    timeouts
}

/// Places are limited, so that they are counted.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.connections_per_upstream = 4;
    limits
}

/// A request of this client is served.
pub fn serves(stage: &Stage, client: &mut Client) {
    let door = Door::open();
    client.send(door.get());
    door.take().answer_with(LAST);
    assert_eq!(client.answer().text(), "ok");
    assert_eq!(stage.outcome(), (Some(200), None));
}

impl Client {
    /// As an origin: takes a request without a body, and answers.
    pub fn answer_with(&mut self, response: &str) {
        self.head();
        self.send(response);
    }

    /// The answer tells this reason.
    pub fn expect_told(&mut self, reason: Reason) {
        let answer = self.answer();
        assert_eq!(answer.status, reason.status(), "{}", answer.text());
        assert!(answer.text().contains(&format!("\nreason: {reason}\n")), "{}", answer.text());
    }

    /// The next bytes are these.
    pub fn expect_bytes(&mut self, expected: &[u8]) {
        let bytes = self.bytes(expected.len());
        let text = String::from_utf8_lossy;
        assert_eq!(text(&bytes), text(expected));
    }
}

/// Somebody who sends all the time. Ends with the error that has stopped it.
pub type Flooding = JoinHandle<io::ErrorKind>;

/// Sends for as long as it is taken, and until the other end has had enough.
pub fn flood(stream: &TcpStream) -> Flooding {
    let mut stream = stream.try_clone().unwrap();
    thread::spawn(move || {
        loop {
            if let Err(error) = stream.write_all(&[b'x'; 65536]) {
                return error.kind();
            }
        }
    })
}
