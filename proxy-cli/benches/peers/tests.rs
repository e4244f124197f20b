//! The benchmark's arithmetic: a benchmark that reckons wrongly is worse than none.

#![forbid(unsafe_code)]

#[path = "answer.rs"]
mod answer;
#[path = "statistics.rs"]
mod statistics;
#[path = "wrk_report.rs"]
mod wrk_report;

use answer::Answer;
use statistics::{Estimate, median};
use wrk_report::WrkReport;

const SAID: &str = "\
Running 2s test @ http://127.0.0.1:40001/1k
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   612.35us  101.17us   3.55ms   88.12%
    Req/Sec    52.10k     1.31k   54.02k    75.00%
  Latency Distribution
     50%  598.00us
     75%  640.00us
     90%  702.00us
     99%    1.02ms
  104210 requests in 2.01s, 115.20MB read
Requests/sec:  51845.77
Transfer/sec:     57.31MB
";

#[test]
fn medians_stand_in_the_middle() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
}

/// The ranks are those of any table for the sign test.
#[test]
fn intervals_cut_off_as_many_values_as_the_sign_test_allows() {
    for (count, lowest) in [(1, 1.0), (5, 1.0), (6, 1.0), (8, 1.0), (9, 2.0), (15, 4.0), (20, 6.0)]
    {
        let values: Vec<f64> = (1..=count).map(f64::from).collect();
        let estimate = Estimate::of(&values).expect("there are values");
        assert_eq!(estimate.low, lowest, "of {count}");
        assert_eq!(estimate.high, f64::from(count) + 1.0 - lowest, "of {count}");
    }
    assert_eq!(Estimate::of(&[]), None);
}

#[test]
fn a_report_is_read_to_the_last_unit() {
    let report = WrkReport::parse(SAID).expect("the report is whole");
    assert_eq!(report.requests, 104_210);
    assert_eq!(report.rate, 51_845.77);
    assert_eq!(report.p50, 598.0);
    assert_eq!(report.p99, 1_020.0);
    assert!((report.bytes - 115.2 * 1024.0 * 1024.0).abs() < 1.0);
    assert_eq!(report.check(1024), Ok(()));
}

#[test]
fn failures_make_a_run_void() {
    for line in [
        "  Non-2xx or 3xx responses: 17\n",
        "  Socket errors: connect 0, read 3, write 0, timeout 0\n",
    ] {
        let said = SAID.replace("Requests/sec", &format!("{}Requests/sec", line));
        let report = WrkReport::parse(&said).expect("the report is whole");
        assert_eq!(report.check(1024), Err(line.trim().to_owned()));
    }
}

#[test]
fn missing_bytes_make_a_run_void() {
    let report = WrkReport::parse(SAID).expect("the report is whole");
    assert!(report.check(2048).is_err());
}

#[test]
fn half_a_report_is_no_report() {
    assert!(WrkReport::parse(&SAID[..SAID.len() / 2]).is_err());
    assert!(WrkReport::parse("").is_err());
}

/// Gives an answer in pieces of so many bytes: whether it was whole, and only at its end.
fn taken(response: &str, size: usize, content: u64) -> Result<bool, String> {
    let mut answer = Answer::expecting(content);
    let mut pieces = response.as_bytes().chunks(size).peekable();
    while let Some(piece) = pieces.next() {
        let whole = answer.take(piece)?;
        if pieces.peek().is_some() {
            assert!(!whole, "it is whole before its end");
        } else {
            return Ok(whole);
        }
    }
    Ok(false)
}

#[test]
fn answers_are_whole_at_their_end_however_they_come() {
    for response in [
        "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nall of it is",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na;x=y\r\nall of it \r\n2\r\nis\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nC\r\nall of it is\r\n0\r\nA: b\r\n\r\n",
    ] {
        for size in 1..=response.len() {
            assert_eq!(taken(response, size, 12), Ok(true), "{response:?} by {size}");
        }
        let half = &response[..response.len() - 1];
        assert_eq!(taken(half, 7, 12), Ok(false), "{half:?}");
    }
}

#[test]
fn other_answers_make_a_turn_void() {
    for response in [
        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 12\r\n\r\nall of it is",
        "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nall of it i",
        "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nall of it is more",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nis\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\nall of it is \r\n0\r\n\r\n",
    ] {
        assert!(taken(response, response.len(), 12).is_err(), "{response:?}");
    }
}
