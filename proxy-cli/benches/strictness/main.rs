//! How strict are we, and how strict are others? The rows of the library's catalogue
//! (`proxy-core/tests/catalogue`) against this proxy, HAProxy, nginx and Squid.
//!
//! ```text
//! cargo bench -p proxy-cli --bench strictness -- [--write] [--show TEXT]
//! ```
//!
//! A forward proxy is asked in absolute-form, as the rows have it; a reverse proxy in
//! origin-form where a row allows that. Every proxy has its defaults. What it passes on is read
//! by the judge that reads ours, once habits that mean nothing have been taken out of it
//! (`tidied.rs`).
//!
//! `--write` puts the result into `docs/strictness.md`; `--show` prints what happened to the
//! rows whose class or name has this in it.

#![forbid(unsafe_code)]

#[path = "../../../proxy-core/tests/support/canonical.rs"]
mod canonical;
mod contestant;
mod reasons;
#[path = "../../../proxy-core/tests/catalogue/recorder.rs"]
mod recorder;
mod report;
#[path = "../../../proxy-core/tests/catalogue/rows/mod.rs"]
mod rows;
#[path = "../peers/running.rs"]
#[allow(dead_code)]
mod running;
#[path = "../../../proxy-core/tests/catalogue/search.rs"]
mod search;
mod tidied;
mod trial;

use std::io;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use contestant::{Contestant, Kind};
use recorder::Recorder;
use report::{Entry, Report};
use rows::{RequestRow, ResponseRow};
use trial::Verdict;

/// Rows are run by so many clients at once, each with an origin of its own: nearly all of the
/// time is spent waiting for proxies that say nothing.
const CLIENTS: usize = 24;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("strictness is a benchmark: it runs under cargo bench");
        return ExitCode::SUCCESS;
    }
    let show = arguments.iter().position(|argument| argument == "--show");
    let show = show.and_then(|at| arguments.get(at + 1)).map(String::as_str);
    match compare(show, arguments.iter().any(|argument| argument == "--write")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("strictness: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A row of either side.
#[derive(Clone, Copy)]
enum Row<'a> {
    Request(&'a RequestRow),
    Response(&'a ResponseRow),
}

fn compare(show: Option<&str>, write: bool) -> io::Result<()> {
    if !cfg!(target_os = "linux") {
        println!("strictness runs on Linux only");
        return Ok(());
    }
    let (requests, responses) = (rows::requests(), rows::responses());
    let all: Vec<Row<'_>> = requests
        .iter()
        .map(Row::Request)
        .chain(responses.iter().map(Row::Response))
        .filter(|row| show.is_none_or(|text| row.is_about(text)))
        .collect();
    let origins: Vec<_> = (0..CLIENTS).map(|_| Recorder::start()).collect();
    let addresses: Vec<_> = origins.iter().map(|origin| origin.address).collect();
    let mut entries: Vec<Entry> = all.iter().map(|row| row.entry()).collect();
    let mut peers = Vec::new();
    for kind in Kind::ALL {
        let contestant = match Contestant::start(kind, &addresses) {
            Ok(contestant) => contestant,
            Err(error) => {
                println!("{} does not take part: {error}", kind.name());
                continue;
            }
        };
        peers.push(kind);
        for (entry, (verdict, shown)) in entries.iter_mut().zip(run(&contestant, &origins, &all)) {
            if show.is_some() {
                println!(
                    "{} / {} / {}: {verdict:?}\n    {shown}",
                    entry.class,
                    entry.name,
                    kind.name()
                );
            }
            entry.verdicts.push(verdict);
        }
    }
    let report = Report { peers, entries };
    if show.is_some() {
        return Ok(());
    }
    print!("{report}");
    let unexplained = report.unexplained();
    if !unexplained.is_empty() {
        let rows = unexplained.join("\n");
        return Err(io::Error::other(format!("differences that nobody explains:\n{rows}")));
    }
    if write { report.write() } else { Ok(()) }
}

fn run(contestant: &Contestant, origins: &[Recorder], all: &[Row<'_>]) -> Vec<(Verdict, String)> {
    let results = Mutex::new(vec![(Verdict::Skipped, String::new()); all.len()]);
    thread::scope(|scope| {
        for (first, origin) in origins.iter().enumerate() {
            let results = &results;
            scope.spawn(move || {
                let proxy = contestant.addresses[first];
                for (at, row) in all.iter().enumerate().skip(first).step_by(CLIENTS) {
                    let result = match row {
                        Row::Request(row) => trial::request(contestant.kind, proxy, origin, row),
                        Row::Response(row) => trial::response(contestant.kind, proxy, origin, row),
                    };
                    results.lock().expect("no client panics")[at] = result;
                }
            });
        }
    });
    results.into_inner().expect("no client panics")
}

impl Row<'_> {
    fn is_about(&self, text: &str) -> bool {
        let entry = self.entry();
        entry.class.contains(text) || entry.name.contains(text)
    }

    fn entry(&self) -> Entry {
        let (class, name) = match self {
            Row::Request(row) => (row.class, &row.name),
            Row::Response(row) => (row.class, &row.name),
        };
        Entry { class, name: name.clone(), verdicts: Vec::new() }
    }
}
