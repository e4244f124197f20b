//! [`rule`]: what must come of a fault. It follows from RFC 9110, RFC 9112 and `docs/reasons.md`,
//! and was written before the proxy was asked.

use proxy_core::Reason;

use crate::phase::Framing::{Chunked, Close, Length};
use crate::phase::Phase::{
    AtEnd, BeforeBody, BeforeHead, Connecting, Idle, InBody, InHead, Tunnel, Upgraded,
};
use crate::phase::{Phase, Side};
use crate::support::Fault::{
    self, Blackhole, EarlyClose, Garbage, HalfClose, Latency, Refusal, Reset, Slicing, Stall,
    Truncation,
};

/// What becomes of the exchange or tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Both sides get what the other has sent, whole.
    Served,
    /// So it is, and what the client sent behind it is answered with this reason.
    ServedThen(Reason),
    /// The client gets an error response that tells this reason, with its status.
    Told(Reason),
    /// The client has got the head of a response with 200, and then an end that cannot be taken
    /// for that of the body.
    Cut(Reason),
    /// The client is not answered any more. The upstream gets an end that cannot be taken for that
    /// of the request.
    Left(Reason),
    /// Nothing was asked: the connection is closed, and there is nothing to be logged.
    Closed,
    /// The other end of the tunnel gets everything, the end as an end.
    Passed,
    /// Both ends of the tunnel get an end.
    Ended(Reason),
    /// The other end of the tunnel gets a reset.
    Reset(Reason),
}
use Verdict::{Closed, Cut, Left, Passed, Served, ServedThen, Told};

/// Why there is no such case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    NotConnected,
    Connected,
    NobodyConnects,
    NothingDue,
    NoMessage,
    NoRequest,
}

impl Dash {
    pub const ALL: [Dash; 6] = [
        Dash::NotConnected,
        Dash::Connected,
        Dash::NobodyConnects,
        Dash::NothingDue,
        Dash::NoMessage,
        Dash::NoRequest,
    ];

    pub fn meaning(self) -> &'static str {
        match self {
            Dash::NotConnected => {
                "The two systems make the connection between themselves: there are no bytes yet, and \
                 nobody who could be slow with them."
            }
            Dash::Connected => "Only who is not connected yet can be refused.",
            Dash::NobodyConnects => "Nobody connects to a client.",
            Dash::NothingDue => {
                "Nothing is due from this side: to be silent is right, and there is nothing to be \
                 left out or cut up."
            }
            Dash::NoMessage => {
                "Bytes in a tunnel are no message of which something could be seen to be missing."
            }
            Dash::NoRequest => "A request does not end with its connection (RFC 9112 §6.3).",
        }
    }
}

/// What must come of `fault`, if `side` is the one that misbehaves, in this `phase`.
pub fn rule(side: Side, phase: Phase, fault: Fault) -> Result<Verdict, Dash> {
    match side {
        Side::Client => client(phase, fault),
        Side::Upstream => upstream(phase, fault),
    }
}

fn client(phase: Phase, fault: Fault) -> Result<Verdict, Dash> {
    Ok(match (phase, fault) {
        (_, Refusal) => return Err(Dash::NobodyConnects),
        (BeforeBody(Close) | InBody(Close) | AtEnd(Close), _) => return Err(Dash::NoRequest),
        (Connecting, HalfClose | EarlyClose | Reset) => Closed,
        (Connecting, _) => return Err(Dash::NotConnected),
        (Tunnel | Upgraded, _) => return tunnel(fault, Reason::ClientClosed),

        (AtEnd(Length), Latency | Slicing | Stall | Truncation) => return Err(Dash::NothingDue),
        // RFC 9112 §9.6: who has ended its direction may still wait for the answer; and a close
        // cannot be told from that before something is sent.
        (AtEnd(Length), HalfClose | EarlyClose) => Served,
        (AtEnd(Length), Garbage) => ServedThen(Reason::BadRequestLine),
        (AtEnd(Length), Blackhole) => Cut(Reason::ClientWriteTimeout),

        (_, Latency | Slicing) => Served,

        // Nothing was asked.
        (BeforeHead | Idle, Stall | Blackhole | HalfClose | EarlyClose | Reset) => Closed,
        (BeforeHead | Idle, Truncation | Garbage) => Told(Reason::BadRequestLine),

        (InHead, Stall | Blackhole | Truncation) => Told(Reason::RequestHeadTimeout),
        (InHead, Garbage) => Told(Reason::BadRequestField),
        (InHead, HalfClose | EarlyClose) => Told(Reason::RequestIncomplete),
        (InHead, Reset) => Left(Reason::ClientClosed),

        // RFC 9112 §8: the request is incomplete, and must not look whole to the upstream.
        (BeforeBody(_) | InBody(_) | AtEnd(_), HalfClose | EarlyClose | Reset) => {
            Left(Reason::ClientClosed)
        }
        (BeforeBody(_) | InBody(_) | AtEnd(_), Stall | Blackhole) => {
            Told(Reason::RequestBodyTimeout)
        }
        // Any bytes are content, as many as were announced; a chunk has to be a chunk.
        (BeforeBody(Length) | InBody(Length), Garbage) => Served,
        (BeforeBody(Chunked) | InBody(Chunked) | AtEnd(Chunked), Garbage) => {
            Told(Reason::BadRequestBody)
        }
        (BeforeBody(Chunked) | InBody(Chunked), Truncation) => Told(Reason::BadRequestBody),
        // Nothing comes in the place of what was left out.
        (BeforeBody(Length) | InBody(Length) | AtEnd(Chunked), Truncation) => {
            Told(Reason::RequestBodyTimeout)
        }
    })
}

fn upstream(phase: Phase, fault: Fault) -> Result<Verdict, Dash> {
    Ok(match (phase, fault) {
        (Connecting, Refusal) => Told(Reason::ConnectRefused),
        (Connecting, Blackhole) => Told(Reason::ConnectTimeout),
        (Connecting, _) => return Err(Dash::NotConnected),
        (_, Refusal) => return Err(Dash::Connected),
        (Tunnel | Upgraded, _) => return tunnel(fault, Reason::TunnelReset),

        // The response is whole: what becomes of its connection is nobody's business. RFC 9112
        // §9.3.1: the next request goes out on another one.
        (AtEnd(Length) | Idle, Garbage | HalfClose | EarlyClose | Reset) => Served,
        (Idle, Blackhole) => Told(Reason::UpstreamWriteTimeout),
        (AtEnd(Length) | Idle, _) | (AtEnd(Close), Slicing | Truncation) => {
            return Err(Dash::NothingDue);
        }

        (_, Latency | Slicing) => Served,

        (BeforeHead | InHead, HalfClose | EarlyClose | Reset) => Told(Reason::UpstreamClosed),
        (BeforeHead | InHead, Garbage) | (BeforeHead, Truncation) => Told(Reason::BadResponse),
        (BeforeHead | InHead, Stall) | (InHead, Truncation) => Told(Reason::ResponseHeadTimeout),
        (BeforeHead | InHead, Blackhole) => Told(Reason::UpstreamWriteTimeout),

        // RFC 9112 §6.3, §8: whatever comes before the end is the whole body, and only another end
        // than a proper one shows that something is missing.
        (
            BeforeBody(Close) | InBody(Close) | AtEnd(Close),
            Truncation | Garbage | HalfClose | EarlyClose,
        ) => Served,

        // RFC 9112 §8: the client must see that it did not get all.
        (BeforeBody(_) | InBody(_) | AtEnd(_), HalfClose | EarlyClose | Reset) => {
            Cut(Reason::UpstreamClosedEarly)
        }
        (BeforeBody(_) | InBody(_) | AtEnd(_), Stall | Blackhole) => {
            Cut(Reason::ResponseBodyTimeout)
        }
        (BeforeBody(Length) | InBody(Length), Garbage) => Served,
        (BeforeBody(Chunked) | InBody(Chunked) | AtEnd(Chunked), Garbage) => {
            Cut(Reason::BadResponseBody)
        }
        (BeforeBody(Chunked) | InBody(Chunked), Truncation) => Cut(Reason::BadResponseBody),
        (BeforeBody(Length) | InBody(Length) | AtEnd(Chunked), Truncation) => {
            Cut(Reason::ResponseBodyTimeout)
        }
    })
}

/// What flows inside is not looked at (RFC 9110 §9.3.6); an end is passed on as what it was.
fn tunnel(fault: Fault, broken_off: Reason) -> Result<Verdict, Dash> {
    Ok(match fault {
        Latency | Slicing | Garbage | HalfClose | EarlyClose => Passed,
        Stall => Verdict::Ended(Reason::TunnelIdle),
        // Bytes are under way that will not arrive: an end would look like theirs.
        Blackhole => Verdict::Reset(Reason::TunnelIdle),
        Reset => Verdict::Reset(broken_off),
        Truncation => return Err(Dash::NoMessage),
        Refusal => return Err(Dash::Connected),
    })
}

impl Verdict {
    /// What is logged of it: status and reason of each record of an end. A tunnel's status is that
    /// of the answer that opened it.
    pub fn records(self, opened: u16) -> Vec<(Option<u16>, Option<Reason>)> {
        let error = |reason: Reason| (Some(reason.status()), Some(reason));
        match self {
            Served => vec![(Some(200), None)],
            ServedThen(reason) => vec![(Some(200), None), error(reason)],
            Told(reason) => vec![error(reason)],
            Cut(reason) => vec![(Some(200), Some(reason))],
            Left(reason) => vec![(None, Some(reason))],
            Closed => vec![],
            Passed => vec![(Some(opened), None)],
            Verdict::Ended(reason) | Verdict::Reset(reason) => vec![(Some(opened), Some(reason))],
        }
    }

    pub fn reason(self) -> Option<Reason> {
        match self {
            Served | Closed | Passed => None,
            ServedThen(reason)
            | Told(reason)
            | Cut(reason)
            | Left(reason)
            | Verdict::Ended(reason)
            | Verdict::Reset(reason) => Some(reason),
        }
    }
}
