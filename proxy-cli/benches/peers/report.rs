//! [`Table`]: the results of one scenario, as Markdown.

use crate::load::Sample;
use crate::scenario::{Mode, Scenario};
use crate::statistics::{Estimate, median};
use std::fmt;

/// The name of the contestant the others are compared with.
pub(crate) const OURS: &str = "proxy-cli";

/// One contestant's turns, in the order of the rounds.
pub(crate) struct Entry {
    name: &'static str,
    /// A sample, or why there is none.
    pub(crate) samples: Vec<Result<Sample, String>>,
}

impl Entry {
    /// A contestant that has not had a turn yet.
    pub(crate) fn new(name: &'static str) -> Entry {
        Entry { name, samples: Vec::new() }
    }

    fn values(&self, what: impl Fn(&Sample) -> f64) -> Vec<f64> {
        self.samples.iter().flatten().map(what).collect()
    }

    fn voids(&self) -> impl Iterator<Item = &String> {
        self.samples.iter().filter_map(|sample| sample.as_ref().err())
    }
}

/// Everybody's results.
pub(crate) struct Table {
    title: String,
    rounds: usize,
    /// Who took part.
    pub(crate) entries: Vec<Entry>,
    /// Who did not, and why.
    pub(crate) absent: Vec<String>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(scenario: &Scenario, rounds: usize) -> Table {
        let Scenario { name, path, connections, .. } = scenario;
        let mode = match scenario.mode {
            Mode::Fixed => "fixed upstream",
            Mode::Forward => "forward proxy",
        };
        let title = format!(
            "## {name}: GET {path}, keep-alive, {connections} connections, {mode}, {rounds} rounds"
        );
        Table { title, rounds, entries: Vec::new(), absent: Vec::new() }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.title)?;
        writeln!(
            f,
            "| {:<10} | CPU µs/request | {OURS} ÷ it [95 %]   | requests/s | p50 µs | p99 µs |",
            ""
        )?;
        writeln!(f, "|{:-<12}|---:|---:|---:|---:|---:|", "")?;
        let ours = self.entries.iter().find(|entry| entry.name == OURS);
        for entry in &self.entries {
            let ratio = ours.filter(|ours| ours.name != entry.name).and_then(|o| ratios(o, entry));
            writeln!(
                f,
                "| {:<10} | {:>14} | {:>23} | {:>10} | {:>6} | {:>6} |",
                entry.name,
                shown(median(&entry.values(|s| s.cpu_per_request)), 2),
                ratio.map_or("–".into(), |r| format!(
                    "{:.3} [{:.3}, {:.3}]",
                    r.median, r.low, r.high
                )),
                shown(median(&entry.values(|s| s.rate)), 0),
                shown(median(&entry.values(|s| s.p50)), 0),
                shown(median(&entry.values(|s| s.p99)), 0),
            )?;
        }
        for entry in &self.entries {
            let voids = entry.voids().count();
            if let Some(first) = entry.voids().next() {
                writeln!(f, "\nVOID: {} turns of {}; the first: {first}", voids, entry.name)?;
            }
        }
        if self.rounds < 6 {
            writeln!(f, "\nfewer than six rounds: the intervals are the whole range, not 95 %")?;
        }
        for absent in &self.absent {
            writeln!(f, "\nabsent: {absent}")?;
        }
        Ok(())
    }
}

/// Ours divided by another's, within the rounds in which both count.
fn ratios(ours: &Entry, other: &Entry) -> Option<Estimate> {
    let pairs = ours.samples.iter().zip(&other.samples);
    let ratios: Vec<f64> = pairs
        .filter_map(|(ours, other)| Some((ours.as_ref().ok()?, other.as_ref().ok()?)))
        .map(|(ours, other)| ours.cpu_per_request / other.cpu_per_request)
        .collect();
    Estimate::of(&ratios)
}

fn shown(value: Option<f64>, decimals: usize) -> String {
    value.map_or("void".into(), |value| format!("{value:.decimals$}"))
}
