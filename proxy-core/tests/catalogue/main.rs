//! The catalogue: messages at the edges of the grammar and beyond, as attackers, broken
//! programs and the suites of others send them, and what must come of each.
//!
//! Each row is run byte by byte through the parser, and over real sockets in three ways: whole,
//! in pieces, and in one write with another message, which must never be taken for something
//! that it is not. What the far end gets is compared to the byte, and read by a strict judge
//! that shares no code with the proxy (`../support/canonical.rs`).

mod bytewise;
#[path = "../support/canonical.rs"]
mod canonical;
mod exchange;
mod recorder;
mod rows;
mod search;
#[path = "../support/mod.rs"]
mod support;
mod wire;

use std::collections::HashSet;
use std::sync::Mutex;
use std::thread;

use exchange::Bench;
use proxy_core::{FixedUpstreamHandler, ProxyBuilder};
use recorder::Recorder;
use rows::{RequestRow, ResponseRow};
use support::{PATIENCE, Stage, timeouts};
use wire::MANNERS;

/// Rows are run by so many clients at once. Most of the time is spent waiting.
const CLIENTS: usize = 8;

/// Runs `try_row` for every row, by several clients beside each other, each with a proxy and an
/// origin of its own. Shows all that went wrong.
fn run<R: Sync>(
    rows: &[R],
    stage: impl Fn(&Recorder) -> Stage + Sync,
    try_row: impl Fn(&mut Bench<'_>, &R) -> Vec<String> + Sync,
) {
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for first in 0..CLIENTS {
            let (stage, wrong, try_row) = (&stage, &wrong, &try_row);
            scope.spawn(move || {
                let origin = Recorder::start();
                let stage = stage(&origin);
                let mut bench = Bench::new(&stage, origin);
                for row in rows.iter().skip(first).step_by(CLIENTS) {
                    let found = try_row(&mut bench, row);
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    none_wrong(&wrong.into_inner().unwrap());
}

/// A proxy that does not give up waiting where a slow machine would make it do so.
fn patient(build: impl FnOnce(ProxyBuilder) -> ProxyBuilder) -> Stage {
    let timeouts = timeouts(|timeouts| {
        timeouts.upstream_idle = PATIENCE;
        timeouts.linger = PATIENCE;
    });
    Stage::with(|builder| build(builder.timeouts(timeouts)))
}

/// Runs a row of a request in all manners.
fn try_request(bench: &mut Bench<'_>, row: &RequestRow) -> Vec<String> {
    MANNERS
        .into_iter()
        .filter_map(|manner| {
            let what = bench.request(row, manner).err()?;
            Some(format!("{}: {} ({manner:?}): {what}", row.class, row.name))
        })
        .collect()
}

#[track_caller]
fn none_wrong(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn requests_over_sockets() {
    run(&rows::requests(), |_| patient(|builder| builder), try_request);
}

/// The same rows in origin-form, as a proxy in front of a fixed upstream gets them.
#[test]
fn requests_in_front_of_a_fixed_upstream() {
    let rows: Vec<_> = rows::requests().iter().filter_map(in_origin_form).collect();
    assert!(rows.len() > 1000, "{}", rows.len());
    let stage = |origin: &Recorder| {
        let upstream = origin.address.to_string().parse().unwrap();
        patient(|builder| builder.handler(FixedUpstreamHandler::new(upstream)))
    };
    run(&rows, stage, try_request);
}

/// What of a row's targets is in absolute-form in origin-form; `None` for rows that are about
/// the target, or about what only a forward proxy does.
fn in_origin_form(row: &RequestRow) -> Option<RequestRow> {
    let for_forward_proxies = ["not_a_proxy_request", "unsupported_scheme", "connect_refused"];
    let differs = ["target", "host"].contains(&row.class)
        || row.outcome.reason.is_some_and(|reason| for_forward_proxies.contains(&reason))
        || [&b"CONNECT "[..], b"OPTIONS http://{origin} ", b"POST / ", b"OPTIONS * ", b"127.0.0.1:1/"]
            .iter()
            .any(|other| search::find(&row.sent, other).is_some())
        // Without a host in the target, one has to be somewhere.
        || search::find(&row.sent, b"HTTP/1.0\r\n").is_some();
    if differs {
        return None;
    }
    let sent = search::replaced(&row.sent, b" http://{origin}/", b" /");
    Some(RequestRow { sent, ..row.clone() })
}

#[test]
fn responses_over_sockets() {
    run(
        &rows::responses(),
        |_| patient(|builder| builder),
        |bench, row: &ResponseRow| {
            MANNERS
                .into_iter()
                .filter_map(|manner| {
                    let what = bench.response(row, manner).err()?;
                    Some(format!("{}: {} ({manner:?}): {what}", row.class, row.name))
                })
                .collect()
        },
    );
}

#[test]
fn requests_byte_by_byte() {
    let wrong: Vec<_> = rows::requests()
        .iter()
        .filter_map(|row| {
            Some(format!("{}: {}: {}", row.class, row.name, bytewise::request(row).err()?))
        })
        .collect();
    none_wrong(&wrong);
}

#[test]
fn responses_byte_by_byte() {
    let wrong: Vec<_> = rows::responses()
        .iter()
        .filter_map(|row| {
            Some(format!("{}: {}: {}", row.class, row.name, bytewise::response(row).err()?))
        })
        .collect();
    none_wrong(&wrong);
}

/// `cargo test -p proxy-core --test catalogue -- --nocapture` shows the numbers.
#[test]
fn every_class_has_its_rows_and_no_row_comes_twice() {
    let (requests, responses) = (rows::requests(), rows::responses());
    let names = requests.iter().map(|row| (row.class, &row.name, row.source));
    let names = names.chain(responses.iter().map(|row| (row.class, &row.name, row.source)));
    let mut counts: Vec<(&str, usize)> = Vec::new();
    let mut seen = HashSet::new();
    for (class, name, source) in names {
        assert!(seen.insert((class, name)), "{class}: {name} stands twice");
        assert!(!source.is_empty(), "{class}: {name} has no source");
        match counts.last_mut() {
            Some((last, count)) if *last == class => *count += 1,
            _ => counts.push((class, 1)),
        }
    }
    for (class, count) in &counts {
        println!("{count:5} {class}");
        assert!(*count >= 9, "{class}");
    }
    let total: usize = counts.iter().map(|(_, count)| count).sum();
    println!("{total:5} rows in {} classes", counts.len());
    assert_eq!(total, requests.len() + responses.len());
    assert!(total >= 900, "{total}");
}
