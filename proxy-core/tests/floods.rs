//! Clients and origins that send without end, or without measure: each is stopped at a bound, and
//! whoever else is there is served meanwhile.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::{self, JoinHandle};

use proxy_core::{Limits, Reason, RequestLogger};
use support::{Client, Origin, Stage};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn limited(set: impl FnOnce(&mut Limits)) -> Stage {
    let mut limits = Limits::default();
    set(&mut limits);
    Stage::with(|builder| builder.limits(limits))
}

/// Sends `piece` again and again, for as long as somebody takes it. Ends when the connection does.
fn endless(stream: &TcpStream, piece: &'static str) -> JoinHandle<u64> {
    let mut stream = stream.try_clone().unwrap();
    let block = piece.repeat(1 + 16 * 1024 / piece.len());
    thread::spawn(move || {
        let mut sent = 0;
        while let Ok(count) = stream.write(block.as_bytes()) {
            sent += count as u64;
        }
        sent
    })
}

/// A client begins as `begun` says and goes on with `piece` for ever. It is answered with
/// `status` and `reason`, and another client is served while it goes on.
#[track_caller]
fn request_flood(stage: &Stage, begun: &str, piece: &'static str, status: u16, reason: Reason) {
    let origin = Origin::always(OK);
    let mut flooding = stage.client();
    flooding.send(begun);
    let flood = endless(flooding.stream(), piece);
    assert_eq!(stage.client().send(origin.get("/")).answer().status, 200);
    let answer = flooding.answer();
    assert_eq!((answer.status, answer.field("connection")), (status, Some("close")));
    assert!(answer.text().contains(&format!("reason: {reason}\n")), "{}", answer.text());
    // The proxy throws away what comes behind it for a little while, and hangs up.
    flood.join().unwrap();
    let mut outcomes = [stage.outcome(), stage.outcome()];
    outcomes.sort_by_key(|outcome| outcome.1.is_some());
    assert_eq!(outcomes, [(Some(200), None), (Some(status), Some(reason))]);
}

/// An origin's answer begins as `begun` says and goes on with `piece` for ever.
fn response_flood(begun: &'static str, piece: &'static str) -> Origin {
    Origin::new(move |visit| {
        visit.head();
        visit.send(begun);
        endless(visit.stream(), piece).join().unwrap();
    })
}

fn chunked_post(url: &str) -> String {
    format!("POST {url} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
}

#[test]
fn a_head_without_end() {
    let stage = Stage::forward();
    let get = "GET http://a/ HTTP/1.1\r\nHost: a\r\n";
    for (begun, piece, status, reason) in [
        ("GET http://a/", "x", 414, Reason::TargetTooLong),
        ("G", "ET", 414, Reason::TargetTooLong),
        (&*format!("{get}X: "), "x", 431, Reason::RequestHeadTooLarge),
        (&*format!("{get}X: "), " ", 431, Reason::RequestHeadTooLarge),
        (get, "X: x\r\n", 431, Reason::TooManyRequestFields),
        (get, "Connection: x\r\n", 431, Reason::TooManyRequestFields),
    ] {
        request_flood(&stage, begun, piece, status, reason);
    }
    stage.survives();
}

#[test]
fn ten_thousand_fields() {
    let fields = "X-Field: 1\r\n".repeat(10_000);
    // Where their bytes are allowed, too: it is their number that is over the limit.
    for head_bytes in [32 * 1024, 1024 * 1024] {
        let stage = limited(|limits| limits.head_bytes = head_bytes);
        let mut client = stage.client();
        client.send(format!("GET http://a/ HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
        assert_eq!(client.answer().status, 431);
        assert_eq!(stage.outcome(), (Some(431), Some(Reason::TooManyRequestFields)));

        let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
        let origin = Origin::new(move |visit| {
            visit.head();
            visit.send(&head);
            let _ = visit.rest();
        });
        assert_eq!(stage.client().send(origin.get("/")).answer().status, 502);
        assert_eq!(stage.outcome(), (Some(502), Some(Reason::ResponseHeadTooLarge)));
        drop(client);
        stage.survives();
    }
}

#[test]
fn a_head_as_large_as_can_be_set() {
    let stage = limited(|limits| {
        limits.head_bytes = 1024 * 1024;
        limits.fields = 256;
    });
    let origin = Origin::always(OK);
    // All that is compared with everything else: options that `Connection` names, and fields.
    let options: Vec<String> = (0..32).map(|number| format!("x-option-{number:02}")).collect();
    let fields: String =
        (0..250).map(|number| format!("X-Option-{number:02}: {}\r\n", "x".repeat(4000))).collect();
    let mut client = stage.client();
    let head = origin.get("/").replace("\r\n\r\n", "\r\n");
    client.send(format!("{head}Connection: {}\r\n{fields}\r\n", options.join(",")));
    assert_eq!(client.answer().status, 200);
    stage.logs("GET 200 -", 0, 2);
    drop(client);
    stage.survives();
}

#[test]
fn empty_lines_without_end_are_no_request_and_hold_nobody_up() {
    let stage = Stage::forward();
    let origin = Origin::always(OK);
    let flooding = stage.client();
    let flood = endless(flooding.stream(), "\r\n");
    for _ in 0..20 {
        assert_eq!(stage.client().send(origin.get("/")).answer().status, 200);
        assert_eq!(stage.outcome(), (Some(200), None));
    }
    flooding.stream().shutdown(std::net::Shutdown::Both).unwrap();
    flood.join().unwrap();
    assert_eq!(stage.client().send(origin.get("/")).answer().status, 200);
    assert_eq!(stage.outcome(), (Some(200), None));
    // Half an empty line, if it was cut there, may have been the beginning of a request.
    assert!(stage.finish().len() <= 1);
}

#[test]
fn trailers_without_end() {
    let origin = Origin::new(|visit| {
        visit.head();
        let _ = visit.rest();
    });
    let stage = Stage::forward();
    let post = chunked_post(&origin.url("/"));
    for (begun, piece) in [
        ("0\r\n", "X: x\r\n"),
        ("1\r\nx\r\n0\r\nX: ", "x"),
        // And what stands in front of a chunk, and never becomes one.
        ("1;", "x"),
        ("1;a=\"", "x"),
        ("", "0"),
    ] {
        request_flood(&stage, &format!("{post}{begun}"), piece, 400, Reason::BadRequestBody);
    }
    stage.survives();
}

#[test]
fn trailers_of_a_response_without_end() {
    for (begun, piece) in [("0\r\n", "X: x\r\n"), ("0\r\nX: ", "x"), ("1;a=", "x")] {
        // Not before the client has the beginning: else it could be told by a 502.
        let (go_on, told) = crossbeam_channel::bounded::<()>(0);
        let origin = Origin::new(move |visit| {
            visit.head();
            visit.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
            told.recv().unwrap();
            visit.send(begun);
            endless(visit.stream(), piece).join().unwrap();
        });
        let stage = Stage::forward();
        let mut client = stage.client();
        assert!(client.send(origin.get("/")).head().starts_with("HTTP/1.1 200 "));
        go_on.send(()).unwrap();
        // The client gets what was whole, and never an end.
        assert_eq!(client.rest().unwrap(), b"5\r\nhello\r\n");
        assert_eq!(stage.outcome(), (Some(200), Some(Reason::BadResponseBody)));
        stage.survives();
    }
}

#[test]
fn interim_responses_without_end() {
    let origin = response_flood("", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(origin.get("/"));
    let first = (0..=16).map(|_| client.head()).find(|head| !head.starts_with("HTTP/1.1 103 "));
    assert!(first.expect("16 of them go on at most").starts_with("HTTP/1.1 502 "));
    assert_eq!(stage.outcome(), (Some(502), Some(Reason::TooManyInterim)));
    drop(client);
    stage.survives();
}

#[test]
fn a_response_head_without_end() {
    for (begun, piece) in [
        ("", "x"),
        ("HTTP/1.1 200 ", "x"),
        ("HTTP/1.1 200 OK\r\nX: ", "x"),
        ("HTTP/1.1 200 OK\r\n", "X: x\r\n"),
    ] {
        let origin = response_flood(begun, piece);
        let stage = Stage::forward();
        assert_eq!(stage.client().send(origin.get("/")).answer().status, 502);
        assert_eq!(stage.outcome(), (Some(502), Some(Reason::ResponseHeadTooLarge)));
        stage.survives();
    }
}

#[test]
fn a_response_in_one_byte_chunks_arrives() {
    const CHUNKS: usize = 50_000;
    let origin = Origin::new(|visit| {
        visit.head();
        visit.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        visit.send("1\r\nx\r\n".repeat(CHUNKS / 2)).send("01;a=b\r\nx\r\n".repeat(CHUNKS / 2));
        visit.send("0\r\n\r\n");
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    assert_eq!(client.send(origin.get("/")).answer().body, vec![b'x'; CHUNKS]);
    stage.logs("GET 200 -", 0, CHUNKS);
    drop(client);
    stage.survives();
}

#[test]
fn thousands_of_pipelined_requests_are_answered_in_order_while_others_are_served() {
    const REQUESTS: usize = 5000;
    let origin = Origin::new(|visit| {
        while let Some(head) = visit.head() {
            let path = head.split(' ').nth(1).unwrap().to_owned();
            visit.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len()));
        }
    });
    let stage = Stage::forward();
    let requests: String = (0..REQUESTS).map(|number| origin.get(&format!("/{number}"))).collect();
    let mut greedy = stage.client();
    let mut writer = greedy.stream().try_clone().unwrap();
    let writing = thread::spawn(move || writer.write_all(requests.as_bytes()).unwrap());
    let mut other = stage.client();
    for number in 0..REQUESTS {
        assert_eq!(greedy.answer().text(), format!("/{number}"));
        if number % 1000 == 0 {
            assert_eq!(other.send(origin.get("/other")).answer().text(), "/other");
        }
    }
    writing.join().unwrap();
    assert_eq!(stage.finish().len(), REQUESTS + REQUESTS / 1000);
}

#[test]
fn a_client_that_pipelines_and_does_not_read_is_not_read_from() {
    // Answered here, without an origin that could be the one who is slow.
    let stage = Stage::with(|builder| builder.logger(NoRecords));
    let greedy = stage.client();
    let mut writer = greedy.stream().try_clone().unwrap();
    writer.set_write_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
    let block = "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n".repeat(500);
    let most = 1 << 30;
    let mut sent = 0;
    while sent < most {
        match writer.write(block.as_bytes()) {
            Ok(count) => sent += count,
            Err(_) => break,
        }
    }
    assert!(sent < most, "everything was taken from a client that did not read");
    let origin = Origin::always(OK);
    assert_eq!(stage.client().send(origin.get("/")).answer().status, 200);
}

/// The log of that many requests is of no interest.
struct NoRecords;

impl RequestLogger for NoRecords {
    fn log(&self, _: &proxy_core::AccessRecord<'_>) {}
}

#[test]
fn thousands_of_connections_that_come_and_go_leave_room_for_all() {
    const CONNECTIONS: usize = 3000;
    let stage = limited(|limits| limits.connections = 8);
    let origin = Origin::always(OK);
    let mut regular = stage.client();
    assert_eq!(regular.send(origin.get("/")).answer().status, 200);
    for number in 0..CONNECTIONS {
        let mut client = stage.client();
        match number % 4 {
            0 => client.reset(),
            1 => drop(client),
            2 => {
                client.send("GET http://a");
                client.reset();
            }
            _ => {
                client.end();
                drop(client);
            }
        }
        if number % 500 == 0 {
            assert_eq!(regular.send(origin.get("/")).answer().status, 200);
        }
    }
    // All of the places are free again: so many clients can be in at the same time.
    let mut all: Vec<Client> = (1..8).map(|_| stage.client()).collect();
    for client in all.iter_mut().chain([&mut regular]) {
        assert_eq!(client.send(origin.get("/")).answer().status, 200);
    }
}

#[test]
fn idle_upstream_connections_that_all_end_at_once_are_forgotten() {
    const CONNECTIONS: usize = 200;
    let (end, ended) = crossbeam_channel::bounded::<()>(0);
    let (closed, all_closed) = crossbeam_channel::unbounded();
    let origin = Origin::new(move |visit| {
        visit.request();
        visit.send(OK);
        if visit.number < CONNECTIONS {
            // They end when the sender is dropped: all of them.
            let _ = ended.recv();
            visit.end();
            let _ = visit.stream().read(&mut [0]);
            let _ = closed.send(());
        }
    });
    let stage = Stage::with(|builder| {
        builder.timeouts(support::timeouts(|it| it.upstream_idle = support::PATIENCE))
    });
    // None of the requests ends before all of them have begun, so each has its connection.
    let mut clients: Vec<Client> = (0..CONNECTIONS).map(|_| stage.client()).collect();
    for client in &mut clients {
        client.send(format!(
            "PUT {} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n",
            origin.url("/")
        ));
    }
    stage.settle();
    for client in &mut clients {
        assert_eq!(client.send("x").answer().status, 200);
    }
    assert_eq!(origin.visits(), CONNECTIONS);
    drop(end);
    for _ in 0..CONNECTIONS {
        all_closed.recv_timeout(support::PATIENCE).expect("the proxy lets go of each");
    }
    assert_eq!(clients[0].send(origin.get("/")).answer().status, 200);
    assert_eq!(origin.visits(), CONNECTIONS + 1);
}
