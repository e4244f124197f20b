//! The parts of the soak run that judge: one that finds nothing must not be the judge's fault.

#![forbid(unsafe_code)]

#[path = "content.rs"]
#[allow(dead_code)]
mod content;
#[path = "figures.rs"]
#[allow(dead_code)]
mod figures;
#[path = "flatness.rs"]
#[allow(dead_code)]
mod flatness;
#[path = "judge.rs"]
mod judge;
#[path = "ledger.rs"]
#[allow(dead_code)]
mod ledger;
#[path = "options.rs"]
#[allow(dead_code)]
mod options;
#[path = "record.rs"]
mod record;

use content::Content;
use figures::{Figures, Outcomes};
use flatness::Course;
use judge::{Judge, Judgement, Tally};
use ledger::{Expected, Ledger};
use options::{Options, Task};
use std::net::SocketAddr;
use std::time::Duration;

const HERE: &str = "127.0.9.1:4000";

fn here() -> SocketAddr {
    HERE.parse().expect("an address")
}

/// A line as the proxy writes them.
fn line(event: &str, number: Option<u64>, status: u16, reason: &str, bytes_out: u64) -> String {
    let kind = if event == "exchange" { "exchange" } else { "tunnel" };
    let event = if event == "open" { "open" } else { "close" };
    let reason = if reason.is_empty() { "null".to_owned() } else { format!("{reason:?}") };
    let agent = number.map_or("null".to_owned(), |number| format!("\"soak/{number}\""));
    format!(
        r#"{{"event":"{event}","kind":"{kind}","id":1,"client":"{HERE}","status":{status},"reason":{reason},"bytes_in":0,"bytes_out":{bytes_out},"user_agent":{agent}}}"#
    )
}

fn judged(ledger: &Ledger, lines: &[String], dropped: u64) -> Judgement {
    let mut judge = Judge::new(ledger.close().0);
    lines.iter().for_each(|line| judge.line(line));
    judge.end(dropped)
}

fn findings(ledger: &Ledger, lines: &[String], dropped: u64) -> Vec<String> {
    let judgement = judged(ledger, lines, dropped);
    judgement.findings.into_iter().map(|finding| finding.what).collect()
}

/// A ledger with requests that their clients saw end well.
fn ledger(requests: &[Expected]) -> Ledger {
    let ledger = Ledger::default();
    for expected in requests {
        let number = ledger.begin("somebody", "something", here(), *expected);
        ledger.settle(number, &Ok(()));
    }
    ledger
}

#[test]
fn what_adds_up_is_found_to() {
    let requests = [
        Expected::plain(200).bytes(0, 5),
        Expected::plain(200).tunnel(),
        Expected::ending(Some(400), &["bad_host"]).by_address(),
        Expected::ending(None, &["client_closed"]).perhaps(),
    ];
    let lines = [
        line("exchange", Some(0), 200, "", 5),
        line("open", Some(1), 200, "", 0),
        line("close", Some(1), 200, "", 9),
        line("exchange", None, 400, "bad_host", 80),
    ];
    let judgement = judged(&ledger(&requests), &lines, 0);
    assert_eq!(judgement.findings, []);
    assert_eq!(judgement.closes, 3);
    let tally = Tally { begun: 4, perhaps: 1, records: 3, bad: 0 };
    assert_eq!(judgement.tallies, [("somebody", tally)]);
}

#[test]
fn a_missing_record_is_found_unless_it_was_counted_as_dropped() {
    let requests = [Expected::plain(200), Expected::plain(200)];
    let lines = [line("exchange", Some(1), 200, "", 0)];
    let found = findings(&ledger(&requests), &lines, 0);
    assert_eq!(found, ["somebody, request 0, something: no record, and 0 were dropped"]);
    assert!(findings(&ledger(&requests), &lines, 1).is_empty());
    assert_eq!(findings(&ledger(&requests), &[], 1).len(), 2);
}

#[test]
fn a_second_record_and_a_record_of_nobody_are_found() {
    let requests = [Expected::plain(200)];
    let twice = [line("exchange", Some(0), 200, "", 0), line("exchange", Some(0), 200, "", 0)];
    assert!(findings(&ledger(&requests), &twice, 0)[0].ends_with("2 records are too many"));
    for strange in [line("exchange", Some(7), 200, "", 0), line("exchange", None, 400, "x", 0)] {
        let lines = [line("exchange", Some(0), 200, "", 0), strange];
        let found = findings(&ledger(&requests), &lines, 0);
        assert!(found[0].starts_with("a record of no request"), "{found:?}");
    }
}

/// What was turned away has no record, and need not have one.
#[test]
fn a_record_of_what_the_proxy_never_had_is_found() {
    let requests = [Expected::plain(200).never()];
    assert!(findings(&ledger(&requests), &[], 0).is_empty());
    let found = findings(&ledger(&requests), &[line("exchange", Some(0), 200, "", 0)], 0);
    assert!(found.len() == 1 && found[0].ends_with("too many"), "{found:?}");
}

#[test]
fn a_record_that_says_something_else_is_found() {
    let request = Expected::plain(200).bytes(0, 5);
    for (wrong, why) in [
        (line("exchange", Some(0), 200, "client_closed", 5), "reason"),
        (line("exchange", Some(0), 502, "", 5), "status"),
        (line("exchange", Some(0), 200, "", 4), "bytes_out"),
        (line("close", Some(0), 200, "", 5), "kind"),
        (line("exchange", Some(0), 200, "", 5).replace(":4000", ":4001"), "client"),
    ] {
        let found = findings(&ledger(&[request]), &[wrong], 0);
        assert!(found.len() == 1 && found[0].contains(why), "{found:?}");
    }
}

#[test]
fn a_tunnel_is_opened_once() {
    let requests = [Expected::plain(200).tunnel()];
    let opened = line("open", Some(0), 200, "", 0);
    let closed = line("close", Some(0), 200, "", 0);
    assert!(findings(&ledger(&requests), &[opened.clone(), closed.clone()], 0).is_empty());
    assert_eq!(findings(&ledger(&requests), std::slice::from_ref(&closed), 0).len(), 1);
    assert_eq!(findings(&ledger(&requests), &[opened.clone(), opened, closed], 0).len(), 1);
}

/// The kernel gives a port out again.
#[test]
fn two_requests_from_one_port_have_a_record_each() {
    let requests = [
        Expected::ending(Some(400), &["bad_host"]).by_address(),
        Expected::ending(Some(505), &["unsupported_version"]).by_address(),
    ];
    let one = line("exchange", None, 505, "unsupported_version", 0);
    let other = line("exchange", None, 400, "bad_host", 0);
    assert!(findings(&ledger(&requests), &[one.clone(), other], 0).is_empty());
    assert_eq!(findings(&ledger(&requests), &[one.clone(), one], 0).len(), 1);
}

#[test]
fn a_torn_line_is_found() {
    let whole = line("exchange", Some(0), 200, "", 0);
    let lines = [whole[..60].to_owned(), whole[60..].to_owned(), whole.clone()];
    assert_eq!(findings(&ledger(&[Expected::plain(200)]), &lines, 0).len(), 2);
}

#[test]
fn what_a_client_saw_counts_although_the_log_is_in_order() {
    let ledger = Ledger::default();
    for outcome in [Some(Err("an answer of another request".to_owned())), None] {
        let number = ledger.begin("somebody", "something", here(), Expected::plain(200));
        if let Some(outcome) = outcome {
            ledger.settle(number, &outcome);
        }
    }
    let lines = [line("exchange", Some(0), 200, "", 0), line("exchange", Some(1), 200, "", 0)];
    let judgement = judged(&ledger, &lines, 0);
    assert_eq!(judgement.findings.len(), 2);
    assert_eq!(judgement.tallies[0].1.bad, 1);
}

/// What a proxy says of these records.
const FIGURES: &str = "\
# HELP proxy_requests_total Exchanges.
proxy_requests_total{method=\"GET\",status=\"2xx\"} 2
proxy_requests_total{method=\"CONNECT\",status=\"2xx\"} 1
proxy_requests_total{method=\"other\",status=\"4xx\"} 1
proxy_requests_total{method=\"GET\",status=\"none\"} 0
proxy_failures_total{reason=\"bad_host\",side=\"client\"} 1
proxy_failures_total{reason=\"dns_failed\",side=\"client\"} 0
proxy_content_bytes_total{direction=\"out\"} 94
proxy_request_duration_seconds_count 4
proxy_tunnels_opened_total 1
proxy_connections_open 0
";

fn outcomes() -> Outcomes {
    let lines = [
        line("exchange", Some(0), 200, "", 5),
        line("open", Some(1), 200, "", 0),
        line("close", Some(1), 200, "", 9),
        line("exchange", Some(2), 200, "", 0),
        line("exchange", None, 400, "bad_host", 80),
    ];
    judged(&ledger(&[]), &lines, 0).outcomes
}

#[test]
fn figures_that_tell_of_other_requests_are_found() {
    let unlike = |from: &str, to: &str, dropped| {
        assert!(FIGURES.contains(from), "{from}");
        let figures = Figures::parse(&FIGURES.replacen(from, to, 1)).expect("figures");
        outcomes().unlike(&figures, dropped).len()
    };
    assert_eq!(unlike("", "", 0), 0);
    // One more, one less, one of another kind, and one that nobody has recorded.
    assert_eq!(unlike("\"2xx\"} 2", "\"2xx\"} 3", 0), 2);
    assert_eq!(unlike("\"2xx\"} 2", "\"2xx\"} 1", 0), 2);
    assert_eq!(unlike("\"4xx\"} 1", "\"5xx\"} 1", 0), 2);
    assert_eq!(unlike("\"none\"} 0", "\"none\"} 1", 0), 2);
    for (from, to) in [
        ("\"client\"} 1", "\"client\"} 0"),
        ("dns_failed\",side=\"client\"} 0", "dns_failed\",side=\"client\"} 1"),
        ("\"out\"} 94", "\"out\"} 95"),
        ("_count 4", "_count 5"),
        ("_open 0", "_open 1"),
    ] {
        assert_eq!(unlike(from, to, 0), 1, "{from}");
    }
    assert_eq!(unlike("opened_total 1", "opened_total 2", 0), 2);
    // What was dropped is counted, and no more than that.
    assert_eq!(unlike("\"2xx\"} 2", "\"2xx\"} 3", 1), 0);
    assert_eq!(unlike("", "", 1), 1);
}

#[test]
fn figures_are_read_as_a_whole_and_do_not_shrink() {
    for wrong in ["", "a 1", "a\n", "a x\n", "a -1\n", "a 1\na 2\n", "#a 1 b\n"] {
        assert!(Figures::parse(wrong).is_err(), "{wrong:?}");
    }
    let shrunk = |before: &str, after: &str| {
        let [before, after] = [before, after].map(|text| Figures::parse(text).expect("figures"));
        after.shrunk_since(&before).is_some()
    };
    assert!(!shrunk("a_total{b=\"c\"} 1\nd 7\n", "a_total{b=\"c\"} 1\nd 6\n"));
    assert!(shrunk("a_total{b=\"c\"} 2\n", "a_total{b=\"c\"} 1\n"));
    assert!(shrunk("a_total{b=\"c\"} 2\n", "a_total{b=\"d\"} 2\n"));
    assert!(!shrunk("proxy_name_hits_total 2\n", "proxy_name_hits_total 1\n"));
}

fn course(values: Vec<f64>) -> Course {
    Course { name: "descriptors", unit: "", values, share: 0.1, more: 4.0 }
}

#[test]
fn a_course_that_sways_is_flat_and_one_that_grows_is_not() {
    let sways = (0..100).map(|at| 50.0 + f64::from(at % 7)).collect();
    assert_eq!(course(sways).finding(), None);
    let grows = (0..100).map(|at| 50.0 + f64::from(at) * 0.2).collect();
    assert!(course(grows).finding().is_some());
    // Warming up is no growth, one peak is none, and what shrinks is none.
    let warms = (0..100).map(|at| if at < 20 { 10.0 } else { 60.0 }).collect();
    assert_eq!(course(warms).finding(), None);
    let peaks = (0..100).map(|at| if at == 95 { 500.0 } else { 60.0 }).collect();
    assert_eq!(course(peaks).finding(), None);
    let shrinks = (0..100).map(|at| 200.0 - f64::from(at)).collect();
    assert_eq!(course(shrinks).finding(), None);
    assert!(course(vec![1.0; 5]).finding().is_some(), "too few to tell");
}

#[test]
fn content_of_others_and_content_with_a_gap_is_noticed() {
    let mut bytes = vec![0; 100];
    Content::of(7).fill(&mut bytes);
    assert_eq!(Content::of(7).check(&bytes), Ok(()));
    assert!(Content::of(8).check(&bytes).is_err_and(|at| at < 8));
    bytes.remove(50);
    assert!(Content::of(7).check(&bytes).is_err_and(|at| (50..58).contains(&at)));
    // In pieces as in one.
    let mut pieces = Content::of(7);
    let mut first = vec![0; 13];
    pieces.fill(&mut first);
    assert_eq!((pieces.position(), Content::of(7).check(&first)), (13, Ok(())));
}

#[test]
fn the_command_line_is_understood_or_refused() {
    let parse = |line: &str| options::parse(line.split_whitespace().map(str::to_owned));
    let default = Options {
        time: Duration::from_secs(300),
        seed: 1,
        rotate_every: Duration::from_secs(10),
        reload_every: Duration::from_secs(3),
        keeps_logs: false,
    };
    assert_eq!(parse("--bench"), Ok(Task::Run(default)));
    let asked = Options {
        time: Duration::from_secs(20),
        seed: 7,
        rotate_every: Duration::ZERO,
        reload_every: Duration::from_secs(2),
        keeps_logs: true,
    };
    let line = "--seconds 20 --seed 7 --rotate-every 0 --reload-every 2 --keep --bench";
    assert_eq!(parse(line), Ok(Task::Run(asked)));
    assert_eq!(parse(""), Ok(Task::Nothing));
    assert_eq!(parse("--help"), Ok(Task::Help));
    for wrong in ["--bench --seconds 9", "--bench --minutes x", "--bench --seed", "--often"] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}
