//! What must hold of every play, whatever the script.
//!
//! Whether bytes are canonical is not decided here but by the judge of the integration tests,
//! which shares no code with the proxy.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::canonical::{self, Ending, Message, Reading, Upgrade};
use super::marks::{MARK, Tag, marks, owners, tags, tags_in};
use super::peer::Peer;
use super::{Play, client_address};
use crate::error::Reason;
use crate::http1::Version;
use crate::logger::{AccessRecord, Event, Kind};
use crate::net::memory::Flow;

/// Why a play must not have happened.
type Objection = String;

/// The ends that cut a request that its upstream has begun to get.
const CUTS_REQUESTS: [Reason; 3] =
    [Reason::BadRequestBody, Reason::RequestBodyTooLarge, Reason::RequestBodyTimeout];
/// The ends that cut a response that its client has begun to get.
const CUTS_RESPONSES: [Reason; 3] =
    [Reason::UpstreamClosedEarly, Reason::BadResponseBody, Reason::ResponseBodyTimeout];

/// The ends that cut a body that the handler has begun to send.
const CUTS_STREAMS: [Reason; 2] = [Reason::HandlerFailed, Reason::ClosedByHandler];

/// Looks at everything that must hold.
pub(super) fn judge(play: &Play) -> Result<(), Objection> {
    if let Some(objection) = &play.objection {
        return Err(objection.clone());
    }
    let records: Vec<_> = play.records.iter().map(|record| record.as_record()).collect();
    let closed: HashMap<u64, &AccessRecord<'_>> = one_close_each(&records, &play.exchanges)?;
    let owners = owners(&play.upstreams);
    for (number, client) in play.clients.iter().enumerate() {
        let mut own: Vec<_> =
            closed.values().filter(|record| record.client == client_address(number)).collect();
        own.sort_by_key(|record| record.id);
        judge_client(client, &own, &owners, play)
            .map_err(|what| format!("client {number}: {what}"))?;
    }
    let mut sent_on = HashMap::new();
    for (number, upstream) in play.upstreams.iter().enumerate() {
        judge_upstream(upstream, &closed, &mut sent_on, play)
            .map_err(|what| format!("upstream {number}: {what}"))?;
    }
    Ok(())
}

/// Exactly one record of its end for each exchange, and of its beginning for each tunnel.
fn one_close_each<'a>(
    records: &'a [AccessRecord<'a>],
    exchanges: &[u64],
) -> Result<HashMap<u64, &'a AccessRecord<'a>>, Objection> {
    let mut closed = HashMap::new();
    let mut opened = HashSet::new();
    for record in records {
        let is_first = match record.event {
            Event::Open => opened.insert(record.id),
            Event::Close => closed.insert(record.id, record).is_none(),
        };
        if !is_first {
            return Err(format!("two records {:?} of exchange {}", record.event, record.id));
        }
        if record.event == Event::Close
            && (record.kind == Kind::Tunnel) != opened.contains(&record.id)
        {
            return Err(format!("tunnel {} was not opened, or is none", record.id));
        }
    }
    match exchanges.iter().find(|id| !closed.contains_key(id)) {
        Some(id) => Err(format!("exchange {id} has no record of its end")),
        None => Ok(closed),
    }
}

/// The status and the length of each whole answer that a client has got.
#[cfg(test)]
pub(super) fn answers(client: &Peer, play: &Play) -> Vec<(u16, usize)> {
    let methods: Vec<_> =
        play.records.iter().map(|record| record.as_record().method.to_owned()).collect();
    let methods: Vec<_> = methods.iter().map(String::as_str).collect();
    let reading = canonical::responses(&client.got, &methods).expect("the judge has seen it");
    let finals = reading.messages.iter().filter(|message| !message.is_interim());
    finals.map(|message| (message.status(), message.body.len())).collect()
}

fn judge_client(
    client: &Peer,
    records: &[&&AccessRecord<'_>],
    owners: &HashMap<Tag, u64>,
    play: &Play,
) -> Result<(), Objection> {
    if !client.far.is_closed() {
        return Err("its connection was not closed".to_owned());
    }
    // What comes behind a CONNECT that failed may have been meant for the tunnel.
    if let Some((_, before)) = records.split_last()
        && before.iter().any(|record| record.method == "CONNECT")
    {
        return Err("what came behind a CONNECT was taken for a request".to_owned());
    }
    let methods: Vec<&str> = records.iter().map(|record| record.method).collect();
    let Reading { messages, ending } = canonical::responses(&client.got, &methods)
        .map_err(|problem| format!("not canonical at {}: {}", problem.at, problem.what))?;
    let finals: Vec<&Message> = messages.iter().filter(|message| !message.is_interim()).collect();

    let mut seen = HashSet::new();
    let mut of_this = HashSet::new();
    let mut answers = records.iter();
    for message in &messages {
        of_this.extend(tags(message));
        if marks(&message.body).next().is_some() {
            return Err(format!("{} holds another answer", message.start));
        }
        if message.is_interim() {
            continue;
        }
        let record = answers.next().ok_or("an answer without a record")?;
        if record.status != Some(message.status()) {
            return Err(format!("{} is not what the log says", message.start));
        }
        let mark = message.value(MARK).map(|mark| String::from_utf8_lossy(mark).into_owned());
        match mark {
            Some(mark) if mark != record.id.to_string() => {
                return Err(format!("{} answers {mark}, not {}", message.start, record.id));
            }
            Some(_)
                if of_this.iter().any(|tag| owners.get(tag).is_some_and(|id| *id != record.id)) =>
            {
                return Err(format!("{} holds what is of another exchange", message.start));
            }
            None if !tags(message).is_empty() => {
                return Err("our own answer holds what an upstream said".to_owned());
            }
            _ => {}
        }
        if of_this.drain().any(|tag| !seen.insert(tag)) {
            return Err(format!("{} holds what an answer before it had", message.start));
        }
    }

    // What is cut is looked at as it came.
    if let Ending::Cut(at) = ending {
        let record = answers.next().ok_or("the beginning of an answer without a record")?;
        let strange =
            |tag| seen.contains(&tag) || owners.get(&tag).is_some_and(|id| *id != record.id);
        if tags_in(&client.got[at..]).any(strange) {
            return Err("a cut answer holds what is of another exchange".to_owned());
        }
    }
    // A tunnel's bytes are those of its upstream.
    if let Ending::Tunnel(at) = ending {
        let through = &client.got[at..];
        let came = |upstream: &Peer| {
            upstream.sent.ends_with(through)
                || through.is_empty()
                || upstream.sent.windows(through.len()).any(|part| part == through)
        };
        if !play.upstreams.iter().any(came) && !through.is_empty() {
            return Err("what came through a tunnel is not what was sent".to_owned());
        }
    }
    whole_or_not(client, records, &finals, &ending, &play.upstreams)
}

/// What was cut does not look whole, and what was not is whole.
fn whole_or_not(
    client: &Peer,
    records: &[&&AccessRecord<'_>],
    finals: &[&Message],
    ending: &Ending,
    upstreams: &[Peer],
) -> Result<(), Objection> {
    for (record, message) in records.iter().zip(finals) {
        let is_last = finals.last().is_some_and(|last| std::ptr::eq(*last, *message));
        let ends_with_connection = is_last && *ending == Ending::UntilClose;
        let was_cut = record.reason.is_some_and(|reason| CUTS_RESPONSES.contains(&reason));
        let is_ours = message.value(MARK).is_none();
        let served_by = |upstream: &&Peer| marks(&upstream.got).any(|id| id == record.id);
        // (For a client of HTTP/1.0 the end may be that of chunks, which it does not get.)
        if ends_with_connection
            && record.version == Some(Version::Http11)
            && record.reason.is_none()
            && upstreams.iter().rev().find(served_by).is_some_and(|last| last.end == Flow::Reset)
        {
            return Err(format!("{} was cut by a reset and ends in order", message.start));
        }
        let was_cut_by_us = record.reason.is_some_and(|reason| CUTS_STREAMS.contains(&reason));
        let is_stream = is_ours && message.status() == 200;
        if (was_cut && !is_ours || was_cut_by_us && is_stream) && !ends_with_connection {
            return Err(format!("{} was cut and looks whole", message.start));
        }
        if ends_with_connection && record.reason.is_some() && client.outcome() == Flow::Finished {
            return Err(format!("{} was cut and ends in order", message.start));
        }
    }
    let plain = records.iter().filter(|record| {
        record.reason.is_none() && record.kind == Kind::Exchange && record.status.is_some()
    });
    if !client.is_deaf && plain.count() > finals.len() {
        return Err("an exchange ended plainly, and its answer is not whole".to_owned());
    }
    Ok(())
}

fn judge_upstream(
    upstream: &Peer,
    closed: &HashMap<u64, &AccessRecord<'_>>,
    sent_on: &mut HashMap<u64, u32>,
    play: &Play,
) -> Result<(), Objection> {
    if !upstream.far.is_closed() {
        return Err("its connection was not closed".to_owned());
    }
    if upstream.is_tunnel {
        let came = |client: &Peer| {
            upstream.got.is_empty()
                || client.sent.windows(upstream.got.len()).any(|part| part == upstream.got)
        };
        return match play.clients.iter().any(came) {
            true => Ok(()),
            false => Err("what came through a tunnel is not what was sent".to_owned()),
        };
    }
    let switched =
        |record: &&AccessRecord<'_>| record.kind == Kind::Tunnel && record.status == Some(101);
    let upgrade = if closed.values().any(switched) { Upgrade::Granted } else { Upgrade::Refused };
    let Reading { messages, ending } = canonical::requests(&upstream.got, upgrade)
        .map_err(|problem| format!("not canonical at {}: {}", problem.at, problem.what))?;
    let mut authenticated = None;
    for message in &messages {
        let record = record_of(message, closed)?;
        // NTLM and Negotiate authenticate the connection: it is that client's (RFC 4559 §6).
        if authenticated.is_some_and(|client| client != record.client) {
            return Err(format!("{} goes out in the name of another client", message.start));
        }
        let credentials = message.value("Authorization").unwrap_or_default();
        if credentials.starts_with(b"NTLM") || credentials.starts_with(b"Negotiate") {
            authenticated = Some(record.client);
        }
        if record.reason.is_some_and(|reason| CUTS_REQUESTS.contains(&reason)) {
            return Err(format!("{} was cut and looks whole", message.start));
        }
        if record.kind == Kind::Exchange && record.bytes_in != message.body.len() as u64 {
            return Err(format!("{} is not as long as the log says", message.start));
        }
        if marks(&message.body).next().is_some() {
            return Err(format!("{} holds another request", message.start));
        }
    }
    if let Ending::Cut(at) = ending
        && marks(&upstream.got[at..]).count() > 1
    {
        return Err("a request that was cut holds another one".to_owned());
    }
    for id in marks(&upstream.got) {
        let method = closed.get(&id).map_or("", |record| record.method);
        let times = sent_on.entry(id).or_default();
        *times += 1;
        let repeatable = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"];
        if *times > 1 && !(repeatable.contains(&method) && *times == 2) {
            return Err(format!("{id}, a {method}, was sent {times} times"));
        }
    }
    if let (Ending::Tunnel(at), Some(_)) = (&ending, messages.last()) {
        let through = &upstream.got[*at..];
        let came = |client: &Peer| {
            through.is_empty() || client.sent.windows(through.len()).any(|part| part == through)
        };
        if !play.clients.iter().any(came) {
            return Err("what came through a tunnel is not what was sent".to_owned());
        }
    }
    Ok(())
}

fn record_of<'a>(
    message: &Message,
    closed: &HashMap<u64, &'a AccessRecord<'a>>,
) -> Result<&'a AccessRecord<'a>, Objection> {
    let mark = message.value(MARK).ok_or("a request without its mark")?;
    let id = String::from_utf8_lossy(mark).parse().map_err(|_| "a mark that is no number")?;
    closed.get(&id).copied().ok_or(format!("a request of {id}, of which the log knows nothing"))
}

impl fmt::Display for Play {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sides = [("client", &self.clients), ("upstream", &self.upstreams)];
        for (side, peers) in sides {
            for (number, peer) in peers.iter().enumerate() {
                writeln!(f, "{side} {number} sent\n    {}", peer.sent.escape_ascii())?;
                writeln!(
                    f,
                    "  and got, until {:?},\n    {}",
                    peer.outcome(),
                    peer.got.escape_ascii()
                )?;
            }
        }
        for record in &self.records {
            let AccessRecord { id, event, kind, method, status, reason, bytes_in, .. } =
                record.as_record();
            writeln!(f, "{id} {event:?} {kind:?} {method} {status:?} {reason:?} {bytes_in} in")?;
        }
        Ok(())
    }
}
