//! [`Judge`]: the ledger against the access log.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::figures::Outcomes;
use crate::ledger::{Entry, Key, Outcome, Presence};
use crate::record::Record;

/// Reads records one by one, and says at the end what is wrong.
pub(crate) struct Judge {
    entries: Vec<Entry>,
    /// Where each request stands in the log, or would: `close` records, `open` records.
    seen: Vec<(u32, u32)>,
    by_address: HashMap<SocketAddr, Vec<usize>>,
    outcomes: Outcomes,
    closes: u64,
    findings: Vec<Finding>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The request, if it belongs to one.
    pub(crate) number: Option<u64>,
    /// The client's address, to look for in the log.
    pub(crate) from: Option<SocketAddr>,
    /// What it is.
    pub(crate) what: String,
}

/// What came of the requests of one actor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) begun: u64,
    /// Of these, so many need not stand in the log.
    pub(crate) perhaps: u64,
    pub(crate) records: u64,
    /// Seen by the client to have gone otherwise than they must.
    pub(crate) bad: u64,
}

/// The result.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// Per actor, in the order in which they first appeared.
    pub(crate) tallies: Vec<(&'static str, Tally)>,
    /// `close` records in the log.
    pub(crate) closes: u64,
    /// What all records say together.
    pub(crate) outcomes: Outcomes,
    pub(crate) findings: Vec<Finding>,
}

impl Judge {
    pub(crate) fn new(entries: Vec<Entry>) -> Judge {
        let mut by_address: HashMap<_, Vec<usize>> = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            if entry.expected.key == Key::Address {
                by_address.entry(entry.from).or_default().push(at);
            }
        }
        let seen = vec![(0, 0); entries.len()];
        let outcomes = Outcomes::default();
        Judge { entries, seen, by_address, outcomes, closes: 0, findings: Vec::new() }
    }

    /// Takes one line of the log.
    pub(crate) fn line(&mut self, line: &str) {
        match Record::parse(line) {
            Ok(record) => self.record(&record),
            Err(why) => self.find(None, None, format!("a line that is no record, {why}: {line}")),
        }
    }

    /// Takes one record.
    pub(crate) fn record(&mut self, record: &Record) {
        self.closes += u64::from(record.is_close);
        self.outcomes.add(record);
        let Some(at) = self.whose(record) else {
            let client = record.client;
            return self.find(None, Some(client), format!("a record of no request: {record:?}"));
        };
        if !record.is_close {
            self.seen[at].1 += 1;
            return;
        }
        self.seen[at].0 += 1;
        if let Err(why) = fits(&self.entries[at], record) {
            self.find(Some(at as u64), Some(record.client), format!("its record {why}"));
        }
    }

    /// The request that a record is about.
    fn whose(&self, record: &Record) -> Option<usize> {
        if let Some(number) = record.number {
            let at = usize::try_from(number).ok()?;
            return self.entries.get(at).map(|_| at);
        }
        // A port may have been used for several: the first that has none and that it fits, if
        // there is one.
        let candidates = self.by_address.get(&record.client)?;
        let free = |at: &&usize| self.seen[**at].0 == 0;
        let fitting =
            candidates.iter().filter(free).find(|at| fits(&self.entries[**at], record).is_ok());
        fitting.or(candidates.iter().find(free)).or(candidates.last()).copied()
    }

    /// Adds up. So many records were dropped, as the proxy itself says: so many may be missing.
    pub(crate) fn end(mut self, dropped: u64) -> Judgement {
        let mut tallies: Vec<(&'static str, Tally)> = Vec::new();
        let mut missing = Vec::new();
        for at in 0..self.entries.len() {
            let entry = &self.entries[at];
            let (closes, opens) = self.seen[at];
            let place = tallies.iter().position(|(actor, _)| *actor == entry.actor);
            let place = place.unwrap_or_else(|| {
                tallies.push((entry.actor, Tally::default()));
                tallies.len() - 1
            });
            let tally = &mut tallies[place].1;
            tally.begun += 1;
            tally.records += u64::from(closes);
            let is_certain = entry.expected.presence == Presence::Once;
            tally.perhaps += u64::from(!is_certain);
            tally.bad += u64::from(matches!(entry.outcome, Outcome::Bad(_)));
            let mut wrong = Vec::new();
            match &entry.outcome {
                Outcome::Good => {}
                Outcome::Bad(why) => wrong.push(format!("its client saw: {why}")),
                Outcome::Open => wrong.push("its client never saw its end".to_owned()),
            }
            if closes > 1 || closes == 1 && entry.expected.presence == Presence::Never {
                wrong.push(format!("{closes} records are too many"));
            }
            if closes == 1 && opens != u32::from(entry.expected.is_tunnel) {
                wrong.push(format!("{opens} records of its opening"));
            }
            let from = Some(entry.from);
            if closes == 0 && is_certain {
                missing.push((at as u64, from));
            }
            for what in wrong {
                self.find(Some(at as u64), from, what);
            }
        }
        if missing.len() as u64 > dropped {
            for (number, from) in missing {
                self.find(Some(number), from, format!("no record, and {dropped} were dropped"));
            }
        }
        let described = |finding: Finding| match finding.number {
            Some(number) => {
                let Entry { actor, what, .. } = &self.entries[number as usize];
                let what = format!("{actor}, request {number}, {what}: {}", finding.what);
                Finding { what, ..finding }
            }
            None => finding,
        };
        let findings = self.findings.into_iter().map(described).collect();
        Judgement { tallies, closes: self.closes, outcomes: self.outcomes, findings }
    }

    fn find(&mut self, number: Option<u64>, from: Option<SocketAddr>, what: String) {
        self.findings.push(Finding { number, from, what });
    }
}

/// Whether a record says of a request what it must.
fn fits(entry: &Entry, record: &Record) -> Result<(), String> {
    let expected = &entry.expected;
    if record.client != entry.from {
        return Err(format!("is of another client, {}", record.client));
    }
    if expected.key == Key::Number && record.is_tunnel != expected.is_tunnel {
        return Err("is of another kind".to_owned());
    }
    if !expected.reasons.is_empty() && !expected.reasons.contains(&&*record.reason) {
        return Err(format!("has the reason {:?}, not {:?}", record.reason, expected.reasons));
    }
    if expected.status.is_some() && record.status != expected.status {
        return Err(format!("has the status {:?}, not {:?}", record.status, expected.status));
    }
    for (name, is, must) in [
        ("bytes_in", record.bytes_in, expected.bytes_in),
        ("bytes_out", record.bytes_out, expected.bytes_out),
    ] {
        if must.is_some_and(|must| must != is) {
            return Err(format!("has {name} {is}, not {}", must.unwrap_or_default()));
        }
    }
    Ok(())
}
