//! [`Report`]: the table at the end, and what is wrong.

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::flatness::Course;
use crate::judge::{Finding, Judgement};
use crate::reading::Reading;
use crate::record::AGENT;
use crate::watchers::Watched;

/// So many findings are shown in full, and so many lines of the log with each.
const SHOWN: usize = 10;
const LINES: usize = 4;

/// All that is known at the end.
pub(crate) struct Report {
    pub(crate) time: Duration,
    pub(crate) judgement: Judgement,
    pub(crate) watched: Watched,
    /// Findings that belong to no request.
    pub(crate) others: Vec<String>,
    pub(crate) courses: [Course; 3],
    pub(crate) before: Reading,
    pub(crate) after: Reading,
    /// The most memory that `docs/limits.md` allows, in MiB.
    pub(crate) most_memory: f64,
    pub(crate) largest_crowd: usize,
    /// By how much this process was late at most: the machine had no time for it.
    pub(crate) latest: Duration,
    /// Lines and bytes of the access log.
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    pub(crate) dropped: u64,
    pub(crate) rotations: u32,
    pub(crate) reloads: u32,
    pub(crate) logs: Vec<PathBuf>,
}

impl Report {
    /// Whether nothing is wrong.
    pub(crate) fn is_good(&self) -> bool {
        self.judgement.findings.is_empty() && self.others.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.actors(f)?;
        self.log(f)?;
        self.courses(f)?;
        self.findings(f)?;
        match self.is_good() {
            true => write!(f, "\nverdict: good"),
            false => write!(f, "\nverdict: NOT GOOD"),
        }
    }
}

impl Report {
    fn actors(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:<20}{:>10}{:>10}{:>10}{:>10}",
            "", "requests", "perhaps", "records", "failures"
        )?;
        let mut sum = [0; 4];
        for (actor, tally) in &self.judgement.tallies {
            let numbers = [tally.begun, tally.perhaps, tally.records, tally.bad];
            sum.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
            row(f, actor, numbers)?;
        }
        row(f, "all", sum)
    }

    fn log(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.time.as_secs_f64() / 60.0;
        let megabytes = self.bytes as f64 / 1e6;
        writeln!(
            f,
            "\naccess log: {} records that close an exchange and {} that open a tunnel, {} dropped;\n\
             {:.1} MB, {:.1} MB a minute",
            grouped(self.judgement.closes),
            grouped(self.lines - self.judgement.closes),
            self.dropped,
            megabytes,
            megabytes / minutes,
        )?;
        writeln!(
            f,
            "rotated {} times; configuration reloaded {} times",
            self.rotations, self.reloads
        )?;
        let [fast, slow] = &self.watched.followed;
        writeln!(
            f,
            "admin address: {} answers;\n\
             /events: {} records to the fast reader, {} lost; {} to the slow one, {} lost",
            grouped(self.watched.answers),
            grouped(fast.outcomes.records()),
            grouped(fast.lost),
            grouped(slow.outcomes.records()),
            grouped(slow.lost)
        )
    }

    fn courses(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:<20}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "", "before", "2nd fifth", "last", "flat to", "peak", "after"
        )?;
        let [descriptors, threads, memory] = &self.courses;
        for (course, before, after) in [
            (descriptors, self.before.descriptors, self.after.descriptors),
            (threads, self.before.threads, self.after.threads),
            (memory, self.before.memory, self.after.memory),
        ] {
            let Some(trend) = course.trend() else { continue };
            // What is measured, and not counted, has fractions.
            let places = usize::from(!course.unit.is_empty());
            write!(f, "{:<20}", format!("{}{}", course.name, course.unit))?;
            for value in [before, trend.early, trend.late, course.bound(&trend), trend.peak, after]
            {
                write!(f, "{value:>10.places$}")?;
            }
            writeln!(f)?;
        }
        writeln!(
            f,
            "at most {} clients at once; memory at its peak {:.1} MiB, of {:.1} that they may need",
            self.largest_crowd, self.after.peak, self.most_memory
        )?;
        writeln!(f, "the machine was late by {:.1} s at most", self.latest.as_secs_f64())
    }

    fn findings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for what in self.others.iter().take(SHOWN) {
            writeln!(f, "\n- {what}")?;
        }
        let findings = &self.judgement.findings;
        let shown: Vec<&Finding> = findings.iter().take(SHOWN).collect();
        let clients: HashSet<SocketAddr> = shown.iter().filter_map(|it| it.from).collect();
        let lines = self.lines_of(&clients);
        let mut last = None;
        for finding in shown {
            if finding.number.is_none() || finding.number != last {
                writeln!(f)?;
            }
            writeln!(f, "- {}", finding.what)?;
            let is_told = finding.number.is_some() && finding.number == last;
            last = finding.number;
            if is_told {
                continue;
            }
            let of_it: Vec<_> =
                lines.iter().filter(|(client, _)| Some(*client) == finding.from).collect();
            // Its own and those before, or the last ones where it has none.
            let agent = finding.number.map(|number| format!("\"{AGENT}{number}\""));
            let own = agent.and_then(|agent| of_it.iter().rposition(|it| it.1.contains(&agent)));
            let end = own.map_or(of_it.len(), |own| (own + 2).min(of_it.len()));
            let of_it = &of_it[end.saturating_sub(LINES)..end];
            for (_, line) in of_it {
                writeln!(f, "    {line}")?;
            }
        }
        let more = self.others.len().saturating_sub(SHOWN) + findings.len().saturating_sub(SHOWN);
        if more > 0 {
            writeln!(f, "\n- and {more} more")?;
        }
        Ok(())
    }

    /// What the log says of these clients, with the place where it stands.
    fn lines_of(&self, clients: &HashSet<SocketAddr>) -> Vec<(SocketAddr, String)> {
        let mut found = Vec::new();
        if clients.is_empty() {
            return found;
        }
        for log in &self.logs {
            let Ok(file) = File::open(log) else { continue };
            let name = log.file_name().unwrap_or_default().to_string_lossy().into_owned();
            for (number, line) in (1..).zip(BufReader::new(file).lines().map_while(Result::ok)) {
                let client = line.split_once("\"client\":\"").and_then(|(_, rest)| {
                    rest.split('"').next().and_then(|client| client.parse().ok())
                });
                if let Some(client) = client.filter(|client| clients.contains(client)) {
                    found.push((client, format!("{name}:{number}: {line}")));
                }
            }
        }
        found
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, numbers: [u64; 4]) -> fmt::Result {
    write!(f, "{name:<20}")?;
    for number in numbers {
        write!(f, "{:>10}", grouped(number))?;
    }
    writeln!(f)
}

/// A number with commas, for people.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
