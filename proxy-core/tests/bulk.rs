//! Long bodies and tunnels, which the system moves on without a copy where it can (the feature
//! `splice`): what arrives is what was sent, however slowly it is taken, and ends as it should.

mod support;

use std::io::{Read, Write};
use std::sync::LazyLock;

use proxy_core::{Kind, Limits, Reason};
use support::{Client, Origin, Stage};

/// Several times what a pipe and the sockets hold.
const LENGTH: usize = 12 * 1024 * 1024 + 7;

/// Bytes of which no two pages are the same.
fn content() -> &'static [u8] {
    static CONTENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let numbers = (0..).flat_map(|number: u32| number.to_be_bytes());
        numbers.take(LENGTH).collect()
    });
    &CONTENT
}

/// The same in chunks, large ones and small ones.
fn chunked(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, chunk) in content.chunks(3_000_000).enumerate() {
        let (head, tail) = chunk.split_at(chunk.len().min(number * 10 + 1));
        for part in [head, tail].into_iter().filter(|part| !part.is_empty()) {
            write!(out, "{:x}\r\n", part.len()).unwrap();
            out.extend_from_slice(part);
            out.extend_from_slice(b"\r\n");
        }
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

#[track_caller]
fn same(got: &[u8], expected: &[u8]) {
    let differs = got.iter().zip(expected).position(|(one, other)| one != other);
    assert_eq!((got.len(), differs), (expected.len(), None));
}

#[test]
fn downloads_arrive_whole_in_each_framing() {
    let stage = Stage::forward();
    for framing in ["Content-Length", "chunked", "until the close"] {
        let origin = Origin::new(move |visit| {
            visit.request();
            match framing {
                "Content-Length" => visit
                    .send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n"))
                    .send(content()),
                "chunked" => visit
                    .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    .send(chunked(content())),
                _ => visit.send("HTTP/1.1 200 OK\r\n\r\n").send(content()),
            };
        });
        let answer = stage.client().send(origin.get("/")).answer();
        same(&answer.body, content());
        stage.logs("GET 200 -", 0, LENGTH);
    }
    stage.survives();
}

#[test]
fn uploads_arrive_whole_and_the_connection_goes_on() {
    let stage = Stage::forward();
    let origin = Origin::new(|visit| {
        while let Some((head, body)) = visit.request() {
            let body = if head.contains("chunked") { visit.chunks() } else { body };
            same(&body, content());
            visit.send("HTTP/1.1 204 No Content\r\n\r\n");
        }
    });
    let mut client = stage.client();
    let post = |framing: String| {
        format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\n{framing}\r\n\r\n",
            origin.url("/"),
            origin.address
        )
    };
    client.send(post(format!("Content-Length: {LENGTH}"))).send(content());
    assert_eq!(client.answer().status, 204);
    client.send(post("Transfer-Encoding: chunked".to_owned())).send(chunked(content()));
    assert_eq!(client.answer().status, 204);
    for _ in 0..2 {
        stage.logs("POST 204 -", LENGTH, 0);
    }
    stage.survives();
}

#[test]
fn a_tunnel_passes_both_ways_at_once() {
    let stage = Stage::forward();
    let origin = Origin::new(|visit| {
        let mut sending = visit.stream().try_clone().unwrap();
        let sender = std::thread::spawn(move || sending.write_all(content()).unwrap());
        let got = visit.bytes(LENGTH);
        same(&got, content());
        sender.join().unwrap();
    });
    let mut client = stage.client();
    client.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address));
    client.head();
    let mut sending = client.stream().try_clone().unwrap();
    let sender = std::thread::spawn(move || sending.write_all(content()).unwrap());
    same(&client.bytes(LENGTH), content());
    sender.join().unwrap();
    client.end().expect_end();
    let record = stage.logged_one_tunnel();
    let record = record.as_record();
    assert_eq!((record.kind, record.reason), (Kind::Tunnel, None));
    assert_eq!((record.bytes_in, record.bytes_out), (LENGTH as u64, LENGTH as u64));
}

#[test]
fn a_slow_reader_gets_every_byte_in_its_order() {
    let stage = Stage::forward();
    let origin = Origin::new(|visit| {
        visit.request();
        visit.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n")).send(content());
    });
    let mut client = stage.client();
    client.send(origin.get("/")).head();
    let (mut got, mut piece) = (Vec::new(), vec![0; 200_000]);
    // Now little, now much: the system has room for a part of what is passed on, and then for all.
    while got.len() < LENGTH {
        let most = if got.len() % 3 == 0 { 1_000 } else { piece.len() };
        let length = client.some(&mut piece[..most]);
        assert_ne!(length, 0);
        got.extend_from_slice(&piece[..length]);
    }
    same(&got, content());
    stage.logs("GET 200 -", 0, LENGTH);
}

#[test]
fn a_body_that_is_cut_does_not_look_whole() {
    let stage = Stage::forward();
    let origin = Origin::new(|visit| {
        visit.request();
        visit
            .send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n"))
            .send(&content()[..LENGTH - 1]);
    });
    let answer = stage.client().send(origin.get("/")).try_answer();
    assert!(answer.is_err());
    let record = stage.closed();
    assert_eq!(record.as_record().reason, Some(Reason::UpstreamClosedEarly));
    stage.survives();
}

#[test]
fn an_upload_that_is_too_long_is_cut_where_the_limit_is() {
    let mut limits = Limits::default();
    limits.request_body = LENGTH as u64 - 1;
    let stage = Stage::with(|builder| builder.limits(limits));
    let origin = Origin::new(|visit| {
        let mut got = vec![0; LENGTH];
        let mut count = 0;
        while let Ok(more @ 1..) = visit.stream().read(&mut got[count..]) {
            count += more;
        }
    });
    let mut client: Client = stage.client();
    client.send(format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        origin.url("/"),
        origin.address
    ));
    client.send(format!("{LENGTH:x}\r\n")).send(content());
    assert_eq!(client.answer().status, 413);
    assert_eq!(stage.outcome(), (Some(413), Some(Reason::RequestBodyTooLarge)));
}
