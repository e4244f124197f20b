//! [`AccessRecord`]: all there is to tell about an exchange or a tunnel.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use crate::error::Reason;

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
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessRecord<'a> {
    /// Whether it has just begun or is over.
    pub event: Event,
    /// Exchange or tunnel.
    pub kind: Kind,
    /// The number of the request, unique in its proxy. Both records of a tunnel have it.
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
    /// How long resolving and connecting took, if it was done.
    pub connect: Option<Duration>,
    /// From [`time`](AccessRecord::time) to the first byte of the response, if there was one.
    pub first_byte: Option<Duration>,
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
            status: None,
            reason: None,
            bytes_in: 0,
            bytes_out: 0,
            duration: Duration::ZERO,
            upstream: None,
            client_reused: false,
            upstream_reused: false,
            attempts: 0,
            connect: None,
            first_byte: None,
        }
    }
}

impl AccessRecord<'_> {
    /// A copy that can be kept.
    pub fn to_owned_record(&self) -> OwnedRecord {
        OwnedRecord {
            facts: self.with_texts("", "", ""),
            method: self.method.into(),
            target: self.target.into(),
            host: self.host.into(),
        }
    }

    /// The same record with other texts: how a record is parted from what it borrows.
    pub(super) fn with_texts<'b>(
        &self,
        method: &'b str,
        target: &'b str,
        host: &'b str,
    ) -> AccessRecord<'b> {
        AccessRecord {
            event: self.event,
            kind: self.kind,
            id: self.id,
            time: self.time,
            client: self.client,
            method,
            target,
            host,
            status: self.status,
            reason: self.reason,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            duration: self.duration,
            upstream: self.upstream,
            client_reused: self.client_reused,
            upstream_reused: self.upstream_reused,
            attempts: self.attempts,
            connect: self.connect,
            first_byte: self.first_byte,
        }
    }
}

/// An [`AccessRecord`] that owns its texts: made by [`AccessRecord::to_owned_record`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedRecord {
    /// Everything but the texts, which are empty here.
    facts: AccessRecord<'static>,
    method: Box<str>,
    target: Box<str>,
    host: Box<str>,
}

impl OwnedRecord {
    /// The record.
    pub fn as_record(&self) -> AccessRecord<'_> {
        self.facts.with_texts(&self.method, &self.target, &self.host)
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
        record.reason = Some(Reason::DnsFailed);
        record.first_byte = Some(Duration::from_millis(3));
        assert_eq!(record.to_owned_record().as_record(), record);
    }
}
