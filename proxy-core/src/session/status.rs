//! [`ConnectionStatus`]: what a client connection does at a moment, for whoever watches a proxy.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use super::TaskKey;
use crate::logger::{AccessRecord, userinfo};

/// Names a client connection for as long as its proxy runs.
///
/// As text it is three numbers, as in `0-17-3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId {
    /// The number of its loop.
    pub(crate) number: usize,
    /// Its task there.
    pub(crate) key: TaskKey,
}

/// What was given is no [`ConnectionId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a connection's id is three numbers, as in 0-17-3")]
pub struct ConnectionIdError;

/// A client connection, as it is at one moment; see
/// [`ProxyControl::connections`](crate::ProxyControl::connections).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionStatus {
    /// Its name, by which it can be [closed](crate::ProxyControl::close_connection).
    pub id: ConnectionId,
    /// The address the client connects from.
    pub client: SocketAddr,
    /// The place of the listener it came by; see [`Client::listener`](crate::Client::listener). Of a
    /// tunnel, the place that was the listener's when the tunnel began.
    pub listener: usize,
    /// What it does.
    pub state: ConnectionState,
    /// For how long it has had this request; one that is idle or leaving, for how long it has had
    /// none.
    pub elapsed: Duration,
    /// How many requests have begun on it.
    pub requests: u64,
    /// The request that it serves, or has become a tunnel by.
    pub request: Option<RequestStatus>,
}

/// A request that is being served, or the tunnel it has become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestStatus {
    /// Its id: the access log shows the same.
    pub id: u64,
    /// Its method.
    pub method: String,
    /// Its target, without the user and the password it may hold, and with `…` in the place of
    /// what is beyond [`LONGEST`](RequestStatus::LONGEST).
    pub target: String,
    /// The host it is for, cut in the same way.
    pub host: String,
    /// Who asks, where that was found out.
    pub user: Option<String>,
    /// The status that the client was told, if it was.
    pub status: Option<u16>,
    /// The upstream's address, if there is a connection to it.
    pub upstream: Option<SocketAddr>,
    /// Content bytes that have come from the client so far.
    pub bytes_in: u64,
    /// Content bytes that were sent to the client so far.
    pub bytes_out: u64,
}

impl RequestStatus {
    /// The bytes that are shown of a text that others have chosen.
    pub const LONGEST: usize = 1024;

    pub(super) fn of(record: &AccessRecord<'_>) -> RequestStatus {
        let cut = userinfo(record.target.as_bytes());
        let target = [&record.target[..cut.start], &record.target[cut.end..]];
        RequestStatus {
            id: record.id,
            method: shown([record.method]),
            target: shown(target),
            host: shown([record.host]),
            user: record.user.map(|user| shown([user])),
            status: record.status,
            upstream: record.upstream,
            bytes_in: record.bytes_in,
            bytes_out: record.bytes_out,
        }
    }
}

/// What a client connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectionState {
    /// Nothing: it waits for a request.
    Idle,
    /// The head of a request has begun to come.
    Reading,
    /// The handler decides, on the worker pool.
    Deciding,
    /// What was decided is to be done later.
    Delayed,
    /// The request waits for one of the connections that its upstream may have.
    Queued,
    /// The connector plans: a name is looked up, most often.
    Resolving,
    /// A connection to the upstream is attempted.
    Connecting,
    /// The request goes up.
    Sending,
    /// The upstream is to answer.
    Waiting,
    /// The response comes down.
    Relaying,
    /// The rest of a response is on its way to the client.
    Answering,
    /// A handler sends a body, [piece by piece](crate::body_stream).
    Streaming,
    /// The last response was sent, and the connection is about to end.
    Leaving,
    /// It is a tunnel.
    Tunnel,
    /// Blocking code has [taken it over](crate::Action::TakeOver).
    TakenOver,
}

impl ConnectionState {
    /// The stable word for it, in `snake_case`.
    pub const fn word(self) -> &'static str {
        match self {
            ConnectionState::Idle => "idle",
            ConnectionState::Reading => "reading",
            ConnectionState::Deciding => "deciding",
            ConnectionState::Delayed => "delayed",
            ConnectionState::Queued => "queued",
            ConnectionState::Resolving => "resolving",
            ConnectionState::Connecting => "connecting",
            ConnectionState::Sending => "sending",
            ConnectionState::Waiting => "waiting",
            ConnectionState::Relaying => "relaying",
            ConnectionState::Answering => "answering",
            ConnectionState::Streaming => "streaming",
            ConnectionState::Leaving => "leaving",
            ConnectionState::Tunnel => "tunnel",
            ConnectionState::TakenOver => "taken_over",
        }
    }
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (generation, index) = (self.key >> 32, self.key & u64::from(u32::MAX));
        write!(f, "{}-{generation}-{index}", self.number)
    }
}

impl FromStr for ConnectionId {
    type Err = ConnectionIdError;

    fn from_str(text: &str) -> Result<ConnectionId, ConnectionIdError> {
        let number = |part: Option<&str>| -> Result<u32, ConnectionIdError> {
            let digits = part.filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
            digits.and_then(|digits| digits.parse().ok()).ok_or(ConnectionIdError)
        };
        let mut parts = text.split('-');
        let [of_loop, generation, index] =
            [number(parts.next())?, number(parts.next())?, number(parts.next())?];
        if parts.next().is_some() {
            return Err(ConnectionIdError);
        }
        let key = u64::from(generation) << 32 | u64::from(index);
        Ok(ConnectionId { number: of_loop as usize, key })
    }
}

/// What is shown of a text that others have chosen.
fn shown<const PARTS: usize>(parts: [&str; PARTS]) -> String {
    let mut shown = String::new();
    for part in parts {
        let left = RequestStatus::LONGEST - shown.len();
        if part.len() > left {
            let end = (0..=left).rev().find(|&end| part.is_char_boundary(end)).unwrap_or(0);
            shown.push_str(&part[..end]);
            shown.push('…');
            break;
        }
        shown.push_str(part);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        for (number, key) in [(0, 0), (3, 17 << 32 | 5), (1, u64::MAX)] {
            let id = ConnectionId { number, key };
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert_eq!(ConnectionId { number: 3, key: 17 << 32 | 5 }.to_string(), "3-17-5");
        for text in ["", "1", "1-2", "1-2-3-4", "1-2-", "1-2-x", "1-2-+3", "1-2-4294967296", "1--2"]
        {
            assert_eq!(text.parse::<ConnectionId>(), Err(ConnectionIdError), "{text}");
        }
    }

    #[test]
    fn what_others_have_chosen_is_shown_without_secrets_and_in_part() {
        let mut record = AccessRecord::new(([192, 0, 2, 1], 1).into());
        record.target = "http://ada:secret@a.test/";
        assert_eq!(RequestStatus::of(&record).target, "http://a.test/");
        let long = format!("http://u:p@a.test/{}", "é".repeat(1000));
        record.target = &long;
        let target = RequestStatus::of(&record).target;
        assert!(target.starts_with("http://a.test/é") && target.ends_with("é…"), "{target}");
        assert!(target.len() <= RequestStatus::LONGEST + '…'.len_utf8());
        let exact = "x".repeat(RequestStatus::LONGEST);
        record.host = &exact;
        assert_eq!(RequestStatus::of(&record).host, exact);
    }
}
