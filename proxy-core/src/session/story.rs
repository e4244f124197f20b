//! The story of an exchange that has failed, in the log of the program: what happened, in order, a
//! line for each step, at level `debug`.
//!
//! ```text
//! request 7: accepted from 192.0.2.7:50412
//! request 7: read GET http://a.test/ HTTP/1.1, with 2 fields and no body
//! request 7: an upstream was looked for at once: a.test:80
//! request 7: the way to it was planned in 12.0ms
//! request 7: connected to 198.51.100.3:80 in 31.4ms
//! request 7: sent the head
//! request 7: failed after 60.0s: response_head_timeout: The server did not begin to answer in time.
//! request 7: told the client 504
//! request 7: what those who run the server can do: …
//! ```
//!
//! Nothing is collected while an exchange goes well, nor where nobody listens: the story is made at the
//! end, of what is known anyway, and of what has been [noted](Asides) where something went wrong.

use std::time::{Duration, Instant, SystemTime};

use super::excerpt::Excerpt;
use super::transaction::Transaction;
use crate::error::{Reason, Side};
use crate::handler::Client;
use crate::http1::{BodyLength, RequestHead};
use crate::logger::{AccessRecord, Kind};
use crate::policy::UserLimit;

/// What there is to tell beside the record.
#[derive(Clone, Copy, Debug, Default)]
struct Details<'a> {
    /// The request, if it was understood.
    request: Option<&'a RequestHead>,
    /// The upstream, as it is looked for.
    upstream: &'a str,
    /// The head of the request has gone there.
    is_sent: bool,
    /// What the user may not.
    limit: Option<UserLimit>,
    asides: Option<&'a Asides>,
}

/// What was noted where something went wrong: nobody would know it later.
#[derive(Debug, Default)]
pub(super) struct Asides {
    /// Where a message is malformed.
    excerpt: Option<Excerpt>,
    /// What there was to say of the way to the upstream.
    of_way: Vec<String>,
}

/// More is not told of one way: a name may have many addresses.
const MOST_OF_WAY: usize = 16;

impl Asides {
    /// Notes something about the way to the upstream, if anybody listens.
    #[cold]
    pub(super) fn note(asides: &mut Option<Box<Asides>>, told: impl FnOnce() -> String) {
        if is_told() {
            let of_way = &mut asides.get_or_insert_default().of_way;
            if of_way.len() < MOST_OF_WAY {
                of_way.push(told());
            }
        }
    }

    /// Keeps an excerpt, if there is one.
    #[cold]
    pub(super) fn show(asides: &mut Option<Box<Asides>>, excerpt: Option<Excerpt>) {
        if excerpt.is_some() {
            asides.get_or_insert_default().excerpt = excerpt;
        }
    }
}

/// Whether anybody listens.
pub(super) fn is_told() -> bool {
    log::log_enabled!(log::Level::Debug)
}

/// Tells the story of an exchange that is over, if it has failed.
#[cold]
pub(super) fn tell(transaction: &Transaction, who: &Client, now: Instant) {
    if !is_told() {
        return;
    }
    let details = Details {
        request: transaction.understood.then_some(&transaction.request),
        upstream: &transaction.upstream.key,
        is_sent: transaction.upstream.head_sent,
        limit: transaction.handler.user_limit(),
        asides: transaction.asides.as_deref(),
    };
    tell_of(&transaction.record(who, SystemTime::UNIX_EPOCH, transaction.age(now)), &details);
}

/// Tells the story of a tunnel that is over, if it has failed.
#[cold]
pub(super) fn tell_of_tunnel(record: &AccessRecord<'_>) {
    if is_told() {
        tell_of(record, &Details::default());
    }
}

fn tell_of(record: &AccessRecord<'_>, details: &Details<'_>) {
    let Some(reason) = record.reason else { return };
    for line in lines(record, reason, details) {
        log::debug!("request {}: {line}", record.id);
    }
}

fn lines(record: &AccessRecord<'_>, reason: Reason, details: &Details<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let again = if record.client_reused { ", on a connection that had carried others" } else { "" };
    lines.push(format!("accepted from {}{again}", record.client));
    lines.push(read(record, details.request));
    let excerpt = details.asides.and_then(|asides| asides.excerpt.as_ref());
    let excerpt = || excerpt.into_iter().flat_map(Excerpt::lines).map(str::to_owned);
    // Where the head was not understood nothing came after it. What is malformed in a body was seen
    // later, on the way.
    let is_of_head = details.request.is_none();
    if is_of_head {
        lines.extend(excerpt());
    }
    lines.extend(decided(record, details.limit));
    lines.extend(connected(record, details));
    if record.kind == Kind::Tunnel {
        let (up, down) = (record.bytes_in, record.bytes_out);
        lines.push(format!("opened a tunnel: {up} bytes have gone up, and {down} down"));
    } else {
        lines.extend(answered(record, details.is_sent));
    }
    if !is_of_head {
        lines.extend(excerpt());
    }
    let after = shown("after", record.duration);
    lines.push(format!("failed {after}: {reason}: {}", reason.explanation()));
    match record.status {
        _ if record.kind == Kind::Tunnel => {}
        Some(status) => lines.push(format!("told the client {status}")),
        None => lines.push("told the client nothing".to_owned()),
    }
    let who = match reason.side() {
        Side::Client => "the sender of the request",
        Side::Upstream => "those who run the server",
        Side::Proxy => "those who run this proxy",
    };
    lines.push(format!("what {who} can do: {}", reason.remedy()));
    lines
}

/// What of the request has come.
fn read(record: &AccessRecord<'_>, request: Option<&RequestHead>) -> String {
    let Some(version) = record.version else { return "read no request".to_owned() };
    let line = format!("read {} {} HTTP/{}", record.method, record.target, version.number());
    let Some(request) = request else { return line };
    let body = match request.body_length() {
        BodyLength::None | BodyLength::Exact(0) => "no body".to_owned(),
        BodyLength::Exact(length) => format!("a body of {length} bytes"),
        BodyLength::Chunked | BodyLength::UntilClose => "a body in chunks".to_owned(),
    };
    let fields = match request.fields().count() {
        1 => "1 field".to_owned(),
        count => format!("{count} fields"),
    };
    format!("{line}, with {fields} and {body}")
}

/// Who and what has had a say.
fn decided(record: &AccessRecord<'_>, limit: Option<UserLimit>) -> Vec<String> {
    let mut lines = Vec::new();
    let limit = limit.map(|limit| format!(": {}", limit.explanation())).unwrap_or_default();
    lines.extend(record.user.map(|user| format!("sent by the user {user:?}{limit}")));
    let rule = |rule: &str| format!("decided by the rule `{rule}`");
    lines.extend(record.rule.map(rule));
    let reported =
        |rule: &str| format!("the rule `{rule}` only reports what it would have decided");
    lines.extend(record.reported.map(reported));
    lines
}

/// The way to the upstream, as far as it has been gone.
fn connected(record: &AccessRecord<'_>, details: &Details<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let Some(wait) = record.wait else { return lines };
    let looked = format!("an upstream was looked for {}", shown("after", wait));
    lines.push(match details.upstream {
        "" => looked,
        upstream => format!("{looked}: {upstream}"),
    });
    let planned = |time| format!("the way to it was planned {}", shown("in", time));
    lines.extend(record.resolve.map(planned));
    lines.extend(details.asides.iter().flat_map(|asides| &asides.of_way).cloned());
    let attempts = match record.attempts {
        0 | 1 => String::new(),
        attempts => format!(", at the {attempts}. attempt"),
    };
    match (record.upstream, record.connect) {
        (Some(address), _) if record.upstream_reused => {
            lines.push(format!("a connection to {address} was used again{attempts}"));
        }
        (Some(address), Some(time)) => {
            lines.push(format!("connected to {address} {}{attempts}", shown("in", time)));
        }
        (Some(address), None) => lines.push(format!("connected to {address}{attempts}")),
        (None, Some(time)) => {
            lines.push(format!("dialed in vain, and knew so {}{attempts}", shown("after", time)));
        }
        (None, None) => {}
    }
    lines
}

/// What has gone to the upstream, and what has come back.
fn answered(record: &AccessRecord<'_>, is_sent: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if is_sent {
        lines.push(match record.bytes_in {
            0 => "sent the head".to_owned(),
            bytes => format!("sent the head, and {bytes} bytes of the body"),
        });
    }
    if let Some(time) = record.first_byte {
        lines.push(format!("a response began {}", shown("after", time)));
        lines.push(format!("sent {} bytes of it to the client", record.bytes_out));
    }
    lines
}

/// Within one look at the clock nothing takes any time.
fn shown(before: &str, time: Duration) -> String {
    if time.is_zero() { "at once".to_owned() } else { format!("{before} {time:.1?}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::Version;
    use crate::limits::Limits;

    fn told(record: &AccessRecord<'_>, details: &Details<'_>) -> Vec<String> {
        lines(record, record.reason.unwrap(), details)
    }

    #[test]
    fn a_story_has_all_steps_in_order() {
        let mut request = RequestHead::new();
        let head = b"POST http://a.test/x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9\r\n\r\n";
        request.parse(head, &Limits::default()).unwrap();
        let mut record = AccessRecord::new(([192, 0, 2, 7], 5).into());
        record.method = "POST";
        record.target = "http://a.test/x";
        record.version = Some(Version::Http11);
        record.client_reused = true;
        record.user = Some("ann");
        record.rule = Some("own");
        record.reported = Some("trial");
        record.wait = Some(Duration::from_micros(120));
        record.resolve = Some(Duration::from_millis(12));
        record.connect = Some(Duration::from_millis(31));
        record.upstream = Some(([198, 51, 100, 3], 80).into());
        record.attempts = 2;
        record.bytes_in = 4;
        record.bytes_out = 5;
        record.first_byte = Some(Duration::from_millis(50));
        record.duration = Duration::from_secs(60);
        record.status = Some(200);
        record.reason = Some(Reason::UpstreamClosedEarly);
        let excerpt = Some(Excerpt::of_body(b"5x", 1));
        let asides = Asides { excerpt, of_way: vec!["10.0.0.1:80 is not dialled".to_owned()] };
        let details = Details {
            request: Some(&request),
            upstream: "a.test:80",
            is_sent: true,
            limit: Some(UserLimit::Source),
            asides: Some(&asides),
        };
        let reason = Reason::UpstreamClosedEarly;
        assert_eq!(
            told(&record, &details),
            [
                "accepted from 192.0.2.7:5, on a connection that had carried others",
                "read POST http://a.test/x HTTP/1.1, with 2 fields and a body of 9 bytes",
                "sent by the user \"ann\": the user may not come from this address",
                "decided by the rule `own`",
                "the rule `trial` only reports what it would have decided",
                "an upstream was looked for after 120.0µs: a.test:80",
                "the way to it was planned in 12.0ms",
                "10.0.0.1:80 is not dialled",
                "connected to 198.51.100.3:80 in 31.0ms, at the 2. attempt",
                "sent the head, and 4 bytes of the body",
                "a response began after 50.0ms",
                "sent 5 bytes of it to the client",
                "at byte 1: 5x",
                "            ^",
                &*format!("failed after 60.0s: {reason}: {}", reason.explanation()),
                "told the client 200",
                &*format!("what those who run the server can do: {}", reason.remedy()),
            ]
        );
    }

    #[test]
    fn what_did_not_happen_is_not_told() {
        let mut record = AccessRecord::new(([192, 0, 2, 7], 5).into());
        record.reason = Some(Reason::BadRequestLine);
        record.status = Some(400);
        let excerpt = Some(Excerpt::of_head(b"G(T / HTTP/1.1\r\n", 1));
        let asides = Asides { excerpt, of_way: Vec::new() };
        let details = Details { asides: Some(&asides), ..Details::default() };
        let told = told(&record, &details);
        assert_eq!(
            told[1..4],
            ["read no request", "at byte 1: G(T / HTTP/1.1\\r\\n", "            ^"]
        );
        assert!(told[4].starts_with("failed at once: bad_request_line: "), "{told:?}");
        assert_eq!((told.len(), &*told[5]), (7, "told the client 400"));
    }
}
