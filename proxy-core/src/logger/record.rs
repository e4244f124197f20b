//! [`AccessRecord`]: all there is to tell about an exchange or a tunnel.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use crate::error::Reason;
use crate::http1::Version;

/// When a record is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// A tunnel has been opened. Its counts and its duration are those so far.
    Open,
    /// It is over.
    Close,
}

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A request and its response, or what came instead of one.
    Exchange,
    /// Bytes relayed unseen, after `CONNECT` or `101`.
    Tunnel,
}

/// What is known about an exchange or a tunnel. Texts are as the client sent them: a logger
/// escapes what its format needs escaped.
///
/// The phases in the order they happen, each `None` if it did not take place:
///
/// ```text
/// time ── wait ──▶ resolve ──▶ connect ──▶ request, response ──▶ the end
///  └──────────────────── first_byte ───────────▶│                  │
///  └──────────────────── duration ────────────────────────────────▶│
/// ```
///
/// They are as exact as a loop looks at its clock, which is once each time it is woken: what
/// began and ended within one wake took no time at all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessRecord<'a> {
    /// Whether it has just begun or is over.
    pub event: Event,
    /// Exchange or tunnel.
    pub kind: Kind,
    /// The number of the request, unique in its proxy. Both records of a tunnel have it. Loops
    /// deal out numbers by turns, so some may be left out.
    pub id: u64,
    /// When the first byte of the request came.
    pub time: SystemTime,
    /// Who asked.
    pub client: SocketAddr,
    /// The method; `-` when none was understood.
    pub method: &'a str,
    /// The request target as asked, without userinfo; `-` when none was understood.
    pub target: &'a str,
    /// The host asked for; `-` when none was understood.
    pub host: &'a str,
    /// The version of the request; `None` when none was understood.
    pub version: Option<Version>,
    /// The value of the request's first `Referer`, without userinfo, if it had one. Any bytes
    /// but control characters may stand in it.
    pub referer: Option<&'a [u8]>,
    /// The value of the request's first `User-Agent`, if it had one. Any bytes but control
    /// characters may stand in it.
    pub user_agent: Option<&'a [u8]>,
    /// The status code the client was sent, if it was sent one.
    pub status: Option<u16>,
    /// Why it did not end plainly, if it did not.
    pub reason: Option<Reason>,
    /// Content bytes from the client, without heads and chunk framing; for a tunnel all bytes
    /// from the client to the upstream.
    pub bytes_in: u64,
    /// Content bytes to the client; for a tunnel all bytes from the upstream to the client.
    pub bytes_out: u64,
    /// From [`time`](AccessRecord::time) to the event.
    pub duration: Duration,
    /// The address that was connected to, if one was.
    pub upstream: Option<SocketAddr>,
    /// Whether the client's connection had carried a request before.
    pub client_reused: bool,
    /// Whether the upstream's connection had carried a request before.
    pub upstream_reused: bool,
    /// How many upstream connections were tried.
    pub attempts: u32,
    /// From [`time`](AccessRecord::time) until an upstream was first looked for: the rest of
    /// the head and the handler's decision. And the time in the queue for a connection to it,
    /// where [these are limited](crate::Limits::connections_per_upstream).
    pub wait: Option<Duration>,
    /// How long the connector took on the worker pool, its queue included: to resolve a name,
    /// most often. `None` if it was not asked there, since an idle connection was at hand or
    /// the connector knew the way at once. The sum, where it was asked more than once.
    pub resolve: Option<Duration>,
    /// How long the addresses were dialed, up to a connection or to giving up. `None` if
    /// nothing was dialed. The sum, where it was tried more than once.
    pub connect: Option<Duration>,
    /// From [`time`](AccessRecord::time) to the head of the upstream's response, if there was
    /// one.
    pub first_byte: Option<Duration>,
    /// The name of the [rule](crate::rules) that decided; `default` if none of them did. `None` if
    /// there are none.
    pub rule: Option<&'a str>,
    /// The name of the rule that would have decided, and
    /// [only reports](crate::rules::Mode::Report).
    pub reported: Option<&'a str>,
    /// The name of the [user](crate::User) who asked, if it is known: one that a client only claims
    /// is not.
    pub user: Option<&'a str>,
}

impl AccessRecord<'static> {
    /// A record that knows nothing but its client: to be filled in, for instance by the tests
    /// of a logger.
    ///
    /// ```
    /// use proxy_core::AccessRecord;
    ///
    /// let mut record = AccessRecord::new(([127, 0, 0, 1], 50412).into());
    /// record.method = "GET";
    /// record.status = Some(200);
    /// assert_eq!(record.target, "-");
    /// ```
    pub fn new(client: SocketAddr) -> Self {
        AccessRecord {
            event: Event::Close,
            kind: Kind::Exchange,
            id: 0,
            time: SystemTime::UNIX_EPOCH,
            client,
            method: "-",
            target: "-",
            host: "-",
            version: None,
            referer: None,
            user_agent: None,
            status: None,
            reason: None,
            bytes_in: 0,
            bytes_out: 0,
            duration: Duration::ZERO,
            upstream: None,
            client_reused: false,
            upstream_reused: false,
            attempts: 0,
            wait: None,
            resolve: None,
            connect: None,
            first_byte: None,
            rule: None,
            reported: None,
            user: None,
        }
    }
}

impl AccessRecord<'_> {
    /// A copy that can be kept.
    pub fn to_owned_record(&self) -> OwnedRecord {
        OwnedRecord {
            facts: self.with_texts(Texts::default()),
            method: self.method.into(),
            target: self.target.into(),
            host: self.host.into(),
            referer: self.referer.map(Into::into),
            user_agent: self.user_agent.map(Into::into),
            rule: self.rule.map(Into::into),
            reported: self.reported.map(Into::into),
            user: self.user.map(Into::into),
        }
    }

    /// Whether the proxy refused it by a decision of its own or of whoever set it up: a rule, a
    /// list, a missing password, a throttle, a ban. What was malformed, or failed, was not refused.
    ///
    /// ```
    /// use proxy_core::{AccessRecord, Reason};
    ///
    /// let mut record = AccessRecord::new(([127, 0, 0, 1], 50412).into());
    /// record.reason = Some(Reason::DeniedByRule);
    /// assert!(record.is_refusal());
    /// record.reason = Some(Reason::DnsFailed);
    /// assert!(!record.is_refusal());
    /// ```
    pub fn is_refusal(&self) -> bool {
        matches!(
            self.reason,
            Some(
                Reason::Denied
                    | Reason::DeniedByRule
                    | Reason::Banned
                    | Reason::ProxyAuthenticationRequired
                    | Reason::ProxyAuthenticationFailed
                    | Reason::AuthenticationRequired
                    | Reason::AuthenticationFailed
                    | Reason::TooManyFailedLogins
                    | Reason::UserNotAllowed
                    | Reason::ClientNotAllowed
                    | Reason::DestinationNotAllowed
                    | Reason::PortNotAllowed
                    | Reason::ConnectNotAllowed
                    | Reason::ClosedByHandler
                    | Reason::TooManyConnections
                    | Reason::RateLimited
                    | Reason::QuotaExceeded
                    | Reason::ConnectionsLimited
            )
        )
    }

    /// When what it tells of was over. Of a record that nobody can have made at such a time, when it
    /// began.
    pub(super) fn ended(&self) -> SystemTime {
        self.time.checked_add(self.duration).unwrap_or(self.time)
    }

    /// The same record with other texts: how a record is parted from what it borrows.
    pub(super) fn with_texts<'b>(&self, texts: Texts<'b>) -> AccessRecord<'b> {
        let Texts { method, target, host, referer, user_agent, rule, reported, user } = texts;
        AccessRecord {
            event: self.event,
            kind: self.kind,
            id: self.id,
            time: self.time,
            client: self.client,
            method,
            target,
            host,
            version: self.version,
            referer,
            user_agent,
            status: self.status,
            reason: self.reason,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            duration: self.duration,
            upstream: self.upstream,
            client_reused: self.client_reused,
            upstream_reused: self.upstream_reused,
            attempts: self.attempts,
            wait: self.wait,
            resolve: self.resolve,
            connect: self.connect,
            first_byte: self.first_byte,
            rule,
            reported,
            user,
        }
    }
}

/// All that a record borrows.
#[derive(Clone, Copy, Default)]
pub(super) struct Texts<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a str,
    pub(super) host: &'a str,
    pub(super) referer: Option<&'a [u8]>,
    pub(super) user_agent: Option<&'a [u8]>,
    pub(super) rule: Option<&'a str>,
    pub(super) reported: Option<&'a str>,
    pub(super) user: Option<&'a str>,
}

/// An [`AccessRecord`] that owns its texts: made by [`AccessRecord::to_owned_record`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedRecord {
    /// Everything but the texts, which are empty here.
    facts: AccessRecord<'static>,
    method: Box<str>,
    target: Box<str>,
    host: Box<str>,
    referer: Option<Box<[u8]>>,
    user_agent: Option<Box<[u8]>>,
    rule: Option<Box<str>>,
    reported: Option<Box<str>>,
    user: Option<Box<str>>,
}

impl OwnedRecord {
    /// The record.
    pub fn as_record(&self) -> AccessRecord<'_> {
        self.facts.with_texts(Texts {
            method: &self.method,
            target: &self.target,
            host: &self.host,
            referer: self.referer.as_deref(),
            user_agent: self.user_agent.as_deref(),
            rule: self.rule.as_deref(),
            reported: self.reported.as_deref(),
            user: self.user.as_deref(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owned_record_gives_the_record_back() {
        let mut record = AccessRecord::new(([192, 0, 2, 1], 1).into());
        record.method = "GET";
        record.target = "http://example.com/";
        record.host = "example.com";
        record.version = Some(Version::Http10);
        record.referer = Some(b"");
        record.user_agent = Some(b"caf\xe9/1.0");
        record.reason = Some(Reason::DnsFailed);
        record.wait = Some(Duration::from_millis(1));
        record.resolve = Some(Duration::from_millis(2));
        record.first_byte = Some(Duration::from_millis(3));
        record.rule = Some("no-ads");
        record.reported = Some("trial");
        record.user = Some("ann");
        assert_eq!(record.to_owned_record().as_record(), record);
    }
}
