//! Connections that are used again, on both sides, and those that must not be.

mod support;

use std::time::Duration;

use crossbeam_channel::bounded;
use proxy_core::Limits;
use support::{Origin, PATIENCE, Stage, timeouts};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn one_connection_on_each_side_serves_many_requests() {
    let (stage, origin) = (Stage::forward(), Origin::always(OK));
    let mut client = stage.client();
    assert_eq!(stage.asks(&mut client, &origin.get("/1")), (false, false));
    assert_eq!(stage.asks(&mut client, &origin.get("/2")), (true, true));
    assert_eq!(stage.asks(&mut client, &origin.get("/3")), (true, true));
    client.end().expect_end();
    assert_eq!(origin.visits(), 1);
    assert_eq!(stage.finish(), [], "a client that ends between requests is nothing to log");
}

#[test]
fn clients_share_upstream_connections() {
    let (stage, origin) = (Stage::forward(), Origin::always(OK));
    assert_eq!(stage.asks(&mut stage.client(), &origin.get("/")), (false, false));
    assert_eq!(stage.asks(&mut stage.client(), &origin.get("/")), (false, true));
    assert_eq!(origin.visits(), 1);
}

#[test]
fn connections_to_different_upstreams_are_kept_apart() {
    let stage = Stage::forward();
    let one = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none");
    let two = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo");
    let mut client = stage.client();
    for _ in 0..2 {
        assert_eq!(client.send(one.get("/")).answer().text(), "one");
        assert_eq!(client.send(two.get("/")).answer().text(), "two");
    }
    assert_eq!((one.visits(), two.visits()), (1, 1));
    let reused: Vec<bool> = (0..4).map(|_| stage.closed().as_record().upstream_reused).collect();
    assert_eq!(reused, [false, false, true, true]);
}

#[test]
fn requests_at_the_same_time_have_connections_of_their_own() {
    let stage = Stage::forward();
    let (arrived, arrivals) = bounded(2);
    let (answer, may_answer) = bounded::<()>(0);
    let origin = Origin::new(move |visit| {
        while visit.request().is_some() {
            arrived.send(()).unwrap();
            let _ = may_answer.recv();
            visit.send(OK);
        }
    });
    let (mut one, mut two) = (stage.client(), stage.client());
    one.send(origin.get("/"));
    two.send(origin.get("/"));
    for _ in 0..2 {
        arrivals.recv_timeout(PATIENCE).unwrap();
    }
    drop(answer);
    assert_eq!((one.answer().text(), two.answer().text()), ("ok", "ok"));
    assert_eq!(origin.visits(), 2);
    assert_eq!((stage.outcome(), stage.outcome()), ((Some(200), None), (Some(200), None)));
}

#[test]
fn a_client_that_says_close_is_closed_and_the_upstream_is_not() {
    let (stage, origin) = (Stage::forward(), Origin::always(OK));
    let mut client = stage.client();
    client
        .send(format!("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", origin.url("/")));
    let answer = client.answer();
    assert_eq!((answer.text(), answer.fields("connection")), ("ok", vec!["close"]));
    client.expect_end();
    assert_eq!(stage.outcome(), (Some(200), None));
    assert_eq!(stage.asks(&mut stage.client(), &origin.get("/")), (false, true));
}

#[test]
fn an_upstream_that_says_close_is_not_used_again_and_the_client_is_kept() {
    let stage = Stage::forward();
    // It says so and leaves the connection open: what it says is what counts.
    let origin =
        Origin::always("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    let mut client = stage.client();
    let answer = client.send(origin.get("/")).answer();
    assert_eq!((answer.text(), answer.fields("connection")), ("ok", vec![]));
    assert_eq!(stage.outcome(), (Some(200), None));
    assert_eq!(stage.asks(&mut client, &origin.get("/")), (true, false));
    assert_eq!(origin.visits(), 2);
}

#[test]
fn connections_of_http_1_0_are_kept_only_where_the_upstream_says_so() {
    for (response, kept) in [
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", true),
    ] {
        let (stage, origin) = (Stage::forward(), Origin::always(response));
        let mut client = stage.client();
        assert_eq!(stage.asks(&mut client, &origin.get("/")), (false, false));
        assert_eq!(stage.asks(&mut client, &origin.get("/")), (true, kept), "{response}");
    }
}

#[test]
fn a_client_of_http_1_0_is_closed_after_its_answer() {
    let (stage, origin) = (Stage::forward(), Origin::always(OK));
    // A proxy must not keep a connection with a 1.0 client, whatever it asks: the field may
    // have been passed on blindly by another one (RFC 9112 §9.3, C.2.2).
    for fields in ["", "Connection: keep-alive\r\n", "Proxy-Connection: keep-alive\r\n"] {
        let mut client = stage.client();
        client.send(format!("GET {} HTTP/1.0\r\n{fields}\r\n", origin.url("/")));
        assert_eq!(client.answer().text(), "ok");
        client.expect_end();
        assert_eq!(stage.outcome(), (Some(200), None));
    }
    assert_eq!(origin.visits(), 1);
}

#[test]
fn bytes_that_nobody_asked_for_close_an_idle_upstream_connection() {
    let stage = Stage::forward();
    let (closed, is_closed) = bounded(1);
    let origin = Origin::new(move |visit| {
        while visit.request().is_some() {
            visit.send(OK);
            if visit.number == 0 {
                // If it stayed there, the next client would take it for its answer.
                visit.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
                let _ = visit.rest();
                closed.send(()).unwrap();
            }
        }
    });
    let mut client = stage.client();
    stage.asks(&mut client, &origin.get("/"));
    is_closed.recv_timeout(PATIENCE).unwrap();
    assert_eq!(stage.asks(&mut client, &origin.get("/")), (true, false));
}

#[test]
fn bytes_beyond_a_response_are_dropped_with_their_connection() {
    let stage = Stage::forward();
    let origin = Origin::always(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\npoison",
    );
    let mut client = stage.client();
    client.send(origin.get("/1") + &origin.get("/2"));
    assert_eq!((client.answer().text(), client.answer().text()), ("ok", "ok"));
    client.end().expect_end();
    let records = stage.finish();
    let facts: Vec<_> =
        records.iter().map(|r| r.as_record()).map(|r| (r.bytes_out, r.upstream_reused)).collect();
    assert_eq!(facts, [(2, false), (2, false)]);
    assert_eq!(origin.visits(), 2);
}

#[test]
fn an_upstream_that_answered_before_it_had_the_whole_request_is_not_used_again() {
    let stage = Stage::forward();
    let (done, is_done) = bounded::<()>(0);
    let origin = Origin::new(move |visit| {
        let Some(head) = visit.head() else { return };
        if !head.starts_with("POST") {
            visit.send(OK);
            return;
        }
        assert_eq!(visit.bytes(4), b"half");
        visit.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
        let _ = is_done.recv();
    });
    let mut client = stage.client();
    client.send(format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf",
        origin.url("/")
    ));
    let answer = client.answer();
    assert_eq!((answer.status, answer.fields("connection")), (413, vec!["close"]));
    client.expect_end();
    let record = stage.closed();
    assert_eq!((record.as_record().status, record.as_record().bytes_in), (Some(413), 4));
    assert_eq!(stage.asks(&mut stage.client(), &origin.get("/")), (false, false));
    drop(done);
}

#[test]
fn a_client_that_has_ended_its_side_gets_its_answers() {
    let stage = Stage::forward();
    let (answer, may_answer) = bounded::<()>(0);
    let origin = Origin::new(move |visit| {
        while visit.request().is_some() {
            let _ = may_answer.recv();
            visit.send(OK);
        }
    });
    let mut client = stage.client();
    client.send(origin.get("/1") + &origin.get("/2")).end();
    stage.settle();
    drop(answer);
    assert_eq!((client.answer().text(), client.answer().text()), ("ok", "ok"));
    client.expect_end();
    assert_eq!((stage.outcome(), stage.outcome()), ((Some(200), None), (Some(200), None)));
}

#[test]
fn an_idle_client_is_closed_in_its_time_and_is_nothing_to_log() {
    let stage = Stage::with(|builder| {
        builder.timeouts(timeouts(|timeouts| timeouts.keep_alive = Duration::from_millis(50)))
    });
    let origin = Origin::always(OK);
    stage.client().expect_end();
    let mut client = stage.client();
    stage.asks(&mut client, &origin.get("/"));
    client.expect_end();
    assert_eq!(stage.finish(), []);
}

#[test]
fn an_idle_upstream_connection_is_closed_in_its_time_or_when_the_upstream_would() {
    for (ours, theirs) in
        [(Duration::from_millis(50), ""), (Duration::from_secs(3600), "Keep-Alive: timeout=1\r\n")]
    {
        let stage = Stage::with(|builder| {
            builder.timeouts(timeouts(|timeouts| timeouts.upstream_idle = ours))
        });
        let (ended, has_ended) = bounded(1);
        let origin = Origin::new(move |visit| {
            visit.request();
            visit.send(format!("HTTP/1.1 200 OK\r\n{theirs}Content-Length: 2\r\n\r\nok"));
            ended.send(visit.rest().unwrap()).unwrap();
        });
        stage.asks(&mut stage.client(), &origin.get("/"));
        assert_eq!(has_ended.recv_timeout(PATIENCE).unwrap(), b"");
    }
}

#[test]
fn beyond_their_bound_upstream_connections_are_not_kept() {
    let mut limits = Limits::default();
    limits.idle_per_upstream = 0;
    let (stage, origin) = (Stage::with(|builder| builder.limits(limits)), Origin::always(OK));
    let mut client = stage.client();
    assert_eq!(stage.asks(&mut client, &origin.get("/")), (false, false));
    assert_eq!(stage.asks(&mut client, &origin.get("/")), (true, false));
}
