//! A least rate, where one is asked for: a trickle keeps no exchange open.

mod support;

use std::io::{self, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use proxy_core::{Limits, Reason};
use support::{Client, Origin, PATIENCE, Stage};

/// Nobody who sends bytes one by one is as fast as that.
const HIGH: u64 = 1024 * 1024 * 1024;
const WINDOW: Duration = Duration::from_millis(100);
/// A body that no buffers between two ends can hold.
const ENDLESS: usize = 1 << 40;

fn demanding(rate: u64, window: Duration) -> Stage {
    let mut limits = Limits::default();
    limits.min_rate = rate;
    let timeouts = support::timeouts(|timeouts| timeouts.min_rate_window = window);
    Stage::with(|builder| builder.limits(limits).timeouts(timeouts))
}

/// Reads the head of a request and then to the end of the connection.
fn patient() -> Origin {
    Origin::new(|visit| {
        visit.head();
        let _ = visit.rest();
    })
}

/// Sends a piece every now and then until the proxy has something to say.
fn trickle(client: &mut Client, piece: &[u8]) {
    let mut stream = client.stream();
    stream.set_read_timeout(Some(WINDOW / 10)).unwrap();
    for _ in 0..PATIENCE.as_millis() / (WINDOW / 10).as_millis() {
        stream.write_all(piece).unwrap();
        if stream.peek(&mut [0]).is_ok() {
            return stream.set_read_timeout(Some(PATIENCE)).unwrap();
        }
    }
    panic!("the proxy says nothing");
}

/// Writes for as long as somebody reads, or has not hung up.
fn flood(stream: &TcpStream) -> thread::JoinHandle<()> {
    let mut stream = stream.try_clone().unwrap();
    thread::spawn(move || while stream.write_all(&[b'x'; 65536]).is_ok() {})
}

#[test]
fn a_request_body_that_trickles_in() {
    let url = patient().url("/");
    // In chunks, framing is no progress: extensions can be as long as one likes.
    for (framing, piece) in [
        (format!("Content-Length: {ENDLESS}"), &b"x"[..]),
        ("Transfer-Encoding: chunked".to_owned(), b"1;filler=abcdefghijklmnopqrstuvwxyz\r\nx\r\n"),
    ] {
        let stage = demanding(HIGH, WINDOW);
        let mut client = stage.client();
        client.send(format!("PUT {url} HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n"));
        trickle(&mut client, piece);
        let answer = client.answer();
        assert_eq!((answer.status, answer.field("connection")), (408, Some("close")));
        assert!(answer.text().contains("reason: client_too_slow\n"), "{}", answer.text());
        assert_eq!(stage.outcome(), (Some(408), Some(Reason::ClientTooSlow)));
        drop(client);
        stage.survives();
    }
}

#[test]
fn a_request_body_that_does_not_come_at_all() {
    let url = patient().url("/");
    let stage = demanding(1, WINDOW);
    let mut client = stage.client();
    client.send(format!("PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"));
    assert_eq!(client.answer().status, 408);
    assert_eq!(stage.outcome(), (Some(408), Some(Reason::ClientTooSlow)));
}

#[test]
fn the_rest_of_a_refused_body_that_trickles_in() {
    let stage = demanding(HIGH, WINDOW);
    let mut client = stage.client();
    client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello");
    assert_eq!(client.answer().status, 400);
    // It was answered; what the trickle costs is the connection.
    client.expect_end();
    assert_eq!(stage.outcome(), (Some(400), Some(Reason::NotAProxyRequest)));
}

#[test]
fn a_client_that_does_not_read() {
    let origin = Origin::new(move |visit| {
        visit.head();
        visit.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {ENDLESS}\r\n\r\n"));
        flood(visit.stream()).join().unwrap();
    });
    let stage = demanding(HIGH, WINDOW);
    let mut client = stage.client();
    assert!(client.send(origin.get("/")).head().starts_with("HTTP/1.1 200 "));
    assert_eq!(stage.outcome(), (Some(200), Some(Reason::ClientTooSlow)));
    // The end shows that it is not all.
    assert!(io::copy(&mut client.stream(), &mut io::sink()).unwrap() < ENDLESS as u64);
}

#[test]
fn an_upstream_that_does_not_read() {
    let (release, released) = crossbeam_channel::bounded::<()>(0);
    let origin = Origin::new(move |visit| {
        visit.head();
        let _ = released.recv();
    });
    let stage = demanding(HIGH, WINDOW);
    let mut client = stage.client();
    let url = origin.url("/");
    client.send(format!("PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: {ENDLESS}\r\n\r\n"));
    let sender = flood(client.stream());
    assert_eq!(client.answer().status, 504);
    sender.join().unwrap();
    assert_eq!(stage.outcome(), (Some(504), Some(Reason::UpstreamTooSlow)));
    drop(release);
}

#[test]
fn an_upstream_may_take_its_time_and_so_may_its_events() {
    // Between two pieces it waits for more than the window: for the proxy to have ended a client
    // that is slow beyond doubt, and that came later.
    let (go_on, told) = crossbeam_channel::bounded::<()>(0);
    let origin = Origin::new(move |visit| {
        let Some(head) = visit.head() else { return };
        if head.starts_with("PUT") {
            return drop(visit.rest());
        }
        told.recv().unwrap();
        visit.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
        told.recv().unwrap();
        visit.send("k");
    });
    let stage = demanding(HIGH, WINDOW);
    let url = origin.url("/");
    let later = || {
        let mut slow = stage.client();
        slow.send(format!("PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"));
        assert_eq!(slow.answer().status, 408);
    };
    let mut client = stage.client();
    client.send(origin.get("/"));
    later();
    go_on.send(()).unwrap();
    client.head();
    later();
    go_on.send(()).unwrap();
    assert_eq!(client.bytes(2), b"ok");
}

#[test]
fn a_client_that_waits_to_be_told_to_go_on_is_not_slow() {
    let (go_on, told) = crossbeam_channel::bounded::<()>(0);
    let origin = Origin::new(move |visit| {
        let Some(head) = visit.head() else { return };
        if head.contains("5000") {
            return drop(visit.rest());
        }
        told.recv().unwrap();
        visit.send("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
    });
    let stage = demanding(HIGH, WINDOW);
    let put = |length: usize, more: &str| {
        let url = origin.url("/");
        format!("PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{more}\r\n")
    };
    let mut client = stage.client();
    client.send(put(5, "Expect: 100-continue\r\n"));
    let mut slow = stage.client();
    assert_eq!(slow.send(put(5000, "")).answer().status, 408);
    go_on.send(()).unwrap();
    assert_eq!(client.answer().status, 417, "and not 408");
}

#[test]
fn bodies_that_are_fast_enough_arrive_both_ways() {
    const LENGTH: usize = 8 * 1024 * 1024;
    let origin = Origin::new(|visit| {
        let (_, body) = visit.request().unwrap();
        visit.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()));
        visit.send(body);
    });
    // A rate that the slowest machine has.
    let stage = demanding(1, PATIENCE);
    let mut client = stage.client();
    let url = origin.url("/");
    client.send(format!("PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: {LENGTH}\r\n\r\n"));
    let mut writer = client.stream().try_clone().unwrap();
    let sending = thread::spawn(move || writer.write_all(&vec![b'x'; LENGTH]).unwrap());
    client.head();
    assert!(client.bytes(LENGTH).iter().all(|&byte| byte == b'x'));
    sending.join().unwrap();
    assert_eq!(stage.outcome(), (Some(200), None));
}
