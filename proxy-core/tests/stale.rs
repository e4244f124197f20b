//! Pooled upstream connections that have gone stale, and what is repeated then.

mod support;

use std::time::Duration;

use crossbeam_channel::{Receiver, bounded, unbounded};
use proxy_core::Reason;
use support::{Origin, PATIENCE, Stage, timeouts};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// What an origin is sent, with the number of the connection it came on.
type Arrivals = Receiver<(usize, String)>;

/// An origin that answers once on its first connection and closes it when a second request
/// has come. What it does on others is for `later` to say.
fn going_stale(later: Option<&'static str>) -> (Origin, Arrivals) {
    let (arrived, arrivals) = unbounded();
    let origin = Origin::new(move |visit| {
        let mut answers =
            if visit.number == 0 { vec![Some(OK), None] } else { vec![later; 9] }.into_iter();
        while let Some((head, _)) = visit.request() {
            let line = head.lines().next().unwrap_or_default().to_owned();
            arrived.send((visit.number, line)).unwrap();
            match answers.next().flatten() {
                Some(answer) => visit.send(answer),
                None => return,
            };
        }
    });
    (origin, arrivals)
}

#[test]
fn a_connection_that_the_origin_has_closed_is_not_used() {
    let stage = Stage::forward();
    let (ended, has_ended) = bounded(1);
    let origin = Origin::new(move |visit| {
        while visit.request().is_some() {
            visit.send(OK);
            if visit.number == 0 {
                visit.end();
                ended.send(()).unwrap();
            }
        }
    });
    let mut client = stage.client();
    stage.asks(&mut client, &origin.get("/"));
    has_ended.recv_timeout(PATIENCE).unwrap();
    stage.settle();
    let post =
        format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", origin.url("/"));
    assert_eq!(client.send(post).answer().text(), "ok");
    let record = stage.closed();
    assert_eq!((record.as_record().attempts, record.as_record().upstream_reused), (1, false));
}

#[test]
fn what_may_be_repeated_is_sent_once_more_when_its_connection_was_stale() {
    for method in ["GET", "HEAD", "OPTIONS", "DELETE", "PUT", "TRACE"] {
        let (origin, arrivals) = going_stale(Some("HTTP/1.1 204 No Content\r\n\r\n"));
        let stage = Stage::forward();
        let mut client = stage.client();
        stage.asks(&mut client, &origin.get("/first"));
        client.send(format!("{method} {} HTTP/1.1\r\nHost: x\r\n\r\n", origin.url("/again")));
        assert_eq!(client.answer().status, 204, "{method}");
        let record = stage.closed();
        let record = record.as_record();
        assert_eq!((record.status, record.reason), (Some(204), None), "{method}");
        assert_eq!((record.attempts, record.upstream_reused), (2, false), "{method}");
        let line = format!("{method} /again HTTP/1.1");
        let expected = [(0, "GET /first HTTP/1.1".to_owned()), (0, line.clone()), (1, line)];
        assert_eq!(arrivals.try_iter().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn what_must_not_be_repeated_arrives_once() {
    for request in [
        "POST /again HTTP/1.1\r\nContent-Length: 0\r\n",
        "POST /again HTTP/1.1\r\n",
        "PATCH /again HTTP/1.1\r\n",
        "BREW /again HTTP/1.1\r\n",
        // Repeatable by its meaning, but its body has left and is nowhere kept.
        "PUT /again HTTP/1.1\r\nContent-Length: 1\r\n",
    ] {
        let (origin, arrivals) = going_stale(Some(OK));
        let stage = Stage::in_front_of(&origin);
        let mut client = stage.client();
        stage.asks(&mut client, "GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
        let body = if request.contains(": 1") { "x" } else { "" };
        let answer = client.send(format!("{request}Host: x\r\n\r\n{body}")).answer();
        assert_eq!(answer.status, 502, "{request}");
        assert_eq!(stage.outcome(), (Some(502), Some(Reason::UpstreamClosed)), "{request}");
        stage.asks(&mut stage.client(), "GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
        let paths: Vec<String> = arrivals
            .try_iter()
            .map(|(_, line)| line.split(' ').nth(1).unwrap().to_owned())
            .collect();
        assert_eq!(paths, ["/first", "/again", "/next"], "{request}");
    }
}

#[test]
fn there_is_one_repetition_and_none_on_a_fresh_connection() {
    let (origin, arrivals) = going_stale(None);
    let stage = Stage::forward();
    let mut client = stage.client();
    stage.asks(&mut client, &origin.get("/"));
    for attempts in [2, 1] {
        assert_eq!(client.send(origin.get("/again")).answer().status, 502);
        let record = stage.closed();
        let record = record.as_record();
        assert_eq!((record.reason, record.attempts), (Some(Reason::UpstreamClosed), attempts));
    }
    let connections: Vec<usize> = arrivals.try_iter().map(|(connection, _)| connection).collect();
    assert_eq!(connections, [0, 0, 1, 2]);
}

#[test]
fn what_cannot_be_repeated_goes_out_on_a_connection_just_used_but_not_on_an_old_one() {
    // A PUT may be repeated, but its body has left and is nowhere kept.
    for method in ["POST", "PUT"] {
        // The clock of this story: the proxy closes an idle client after this time, at which
        // the upstream connection is older than the second for which it counts as just used.
        let stage = Stage::with(|builder| {
            builder.timeouts(timeouts(|timeouts| {
                timeouts.keep_alive = Duration::from_millis(1100);
                timeouts.upstream_idle = Duration::from_secs(3600);
            }))
        });
        let origin = Origin::always(OK);
        let url = origin.url("/");
        let request = format!("{method} {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
        let mut client = stage.client();
        stage.asks(&mut client, &origin.get("/"));
        assert_eq!(stage.asks(&mut client, &request), (true, true), "{method}");
        client.expect_end();
        assert_eq!(stage.asks(&mut stage.client(), &request), (false, false), "{method}");
        assert_eq!(origin.visits(), 2, "{method}");
    }
}
