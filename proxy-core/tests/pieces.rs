//! However bytes are cut into pieces, they mean the same; and however many there are, they
//! arrive as they were sent.

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::thread::{self, JoinHandle};

use crossbeam_channel::Receiver;
use support::{Origin, Stage, Visit, anonymous};

/// Bytes that are not the same anywhere: a generator of which two ends need only the seed.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        // A linear congruential generator; the upper bits are the good ones.
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 33
    }

    fn bytes(seed: u64, count: usize) -> Vec<u8> {
        let mut noise = Noise(seed);
        (0..count).map(|_| noise.next() as u8).collect()
    }

    /// Cuts bytes into pieces of up to 5,000 bytes, some of them tiny.
    fn pieces<'a>(&mut self, mut bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let most = if self.next().is_multiple_of(4) { 7 } else { 5000 };
            let (piece, rest) = bytes.split_at((1 + self.next() as usize % most).min(bytes.len()));
            pieces.push(piece);
            bytes = rest;
        }
        pieces
    }
}

const RESPONSE: &str = "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n\
    HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n\
    5\r\nhello\r\n007;ext=\"z\"\r\n, world\r\n0\r\nX-Sum: 1\r\n\r\n";
const RELAYED: &str = "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\nVia: 1.1 PROXY\r\n\r\n\
    HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\nVia: 1.1 PROXY\r\n\r\n\
    5\r\nhello\r\n7\r\n, world\r\n0\r\nX-Sum: 1\r\n\r\n";

#[test]
fn a_response_may_be_cut_anywhere() {
    let origin = Origin::new(|visit| {
        for cut in 0..=RESPONSE.len() {
            visit.head().unwrap();
            visit.send(&RESPONSE[..cut]);
            thread::yield_now();
            visit.send(&RESPONSE[cut..]);
        }
        visit.head().unwrap();
        for byte in RESPONSE.as_bytes().chunks(1) {
            visit.send(byte);
        }
        visit.head();
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    for cut in 0..=RESPONSE.len() + 1 {
        client.send(origin.get("/"));
        let interim = client.head();
        let head = client.head();
        let rest = client.bytes(RELAYED.len() - RELAYED.rfind("5\r\nhello").unwrap());
        let rest = String::from_utf8(rest).unwrap();
        let relayed = format!("{}\r\n\r\n{}\r\n\r\n{rest}", anonymous(&interim), anonymous(&head));
        assert_eq!(relayed, RELAYED, "cut at {cut}");
    }
    for _ in 0..=RESPONSE.len() + 1 {
        stage.logs("GET 200 -", 0, 12);
    }
    assert_eq!(origin.visits(), 1);
    stage.survives();
}

/// An origin that reads chunked requests whose bodies are `body`, and tells what it read.
fn reading(body: &'static str) -> (Origin, Receiver<String>) {
    let (tell, told) = crossbeam_channel::unbounded();
    let origin = Origin::new(move |visit| {
        while let Some(head) = visit.head() {
            let read = String::from_utf8(visit.bytes(body.len())).unwrap();
            tell.send(format!("{}\r\n\r\n{read}", anonymous(&head))).unwrap();
            visit.send("HTTP/1.1 204 No Content\r\n\r\n");
        }
    });
    (origin, told)
}

#[test]
fn a_request_may_be_cut_anywhere() {
    let (origin, seen) = reading("5\r\nhello\r\n7\r\n, world\r\n0\r\nX-Sum: 1\r\n\r\n");
    let stage = Stage::forward();
    let mut client = stage.client();
    let request = format!(
        "\r\nPOST {} HTTP/1.1\r\nHost:x\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n\
         5\r\nhello\r\n007;ext=\"z\"\r\n, world\r\n0\r\nX-Sum: 1\r\n\r\n",
        origin.url("/")
    );
    let expected = format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\nX: y\r\nVia: 1.1 PROXY\r\n\r\n\
         5\r\nhello\r\n7\r\n, world\r\n0\r\nX-Sum: 1\r\n\r\n",
        origin.address
    );
    for cut in 0..=request.len() {
        client.send(&request[..cut]);
        thread::yield_now();
        assert_eq!(client.send(&request[cut..]).answer().status, 204);
        assert_eq!(seen.recv().unwrap(), expected, "cut at {cut}");
    }
    for byte in request.as_bytes().chunks(1) {
        client.send(byte);
    }
    assert_eq!(client.answer().status, 204);
    assert_eq!(seen.recv().unwrap(), expected);
    for _ in 0..=request.len() + 1 {
        stage.logs("POST 204 -", 12, 0);
    }
    assert_eq!(origin.visits(), 1);
    stage.survives();
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    // Says which request it was and what its body was.
    let origin = Origin::new(|visit| {
        while let Some((head, body)) = visit.request() {
            let path = head.split(' ').nth(1).unwrap().to_owned();
            let body = if head.contains("chunked") { visit.chunks() } else { body };
            let text = format!("{path} {}", String::from_utf8(body).unwrap());
            visit.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()));
        }
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    let post = |path: &str, fields: &str, body: &str| {
        format!("POST {} HTTP/1.1\r\nHost: x\r\n{fields}\r\n{body}", origin.url(path))
    };
    let mut requests = String::new();
    for _ in 0..20 {
        requests += &origin.get("/1");
        requests += &post("/2", "Content-Length: 5\r\n", "hello");
        requests += &post("/3", "Transfer-Encoding: chunked\r\n", "5\r\nGET /\r\n0\r\n\r\n");
        requests += "\r\n";
        requests += "GET /4 HTTP/1.1\r\nHost: x\r\n\r\n";
        requests += &post("/5", "Content-Length: 0\r\n", "");
    }
    client.send(requests).send("nonsense\r\n\r\n");
    for _ in 0..20 {
        assert_eq!(client.answer().text(), "/1 ");
        assert_eq!(client.answer().text(), "/2 hello");
        assert_eq!(client.answer().text(), "/3 GET /");
        assert_eq!(client.answer().status, 400);
        assert_eq!(client.answer().text(), "/5 ");
    }
    assert_eq!(client.answer().status, 400);
    client.expect_end();
    for _ in 0..20 {
        stage.logs("GET 200 -", 0, 3);
        stage.logs("POST 200 -", 5, 8);
        stage.logs("POST 200 -", 5, 8);
        assert_eq!(stage.closed().as_record().status, Some(400));
        stage.logs("POST 200 -", 0, 3);
    }
    assert_eq!(stage.closed().as_record().reason, Some(proxy_core::Reason::BadRequestLine));
    drop(client);
    stage.survives();
}

const LARGE: usize = 3 * 1024 * 1024;

/// Writes in pieces, in chunks if asked to, on a thread of its own. When `end` has come, too,
/// so does the end of the body.
fn write(mut stream: TcpStream, seed: u64, chunked: bool, end: Receiver<()>) -> JoinHandle<()> {
    thread::spawn(move || {
        let bytes = Noise::bytes(seed, LARGE);
        let (last, bytes) = bytes.split_last().unwrap();
        let mut pieces = Noise(seed).pieces(bytes);
        pieces.push(std::slice::from_ref(last));
        let count = pieces.len();
        for (number, piece) in pieces.into_iter().enumerate() {
            if number + 1 == count {
                end.recv().unwrap();
            }
            if chunked {
                write!(stream, "{:x}\r\n", piece.len()).unwrap();
                stream.write_all(piece).unwrap();
                stream.write_all(b"\r\n").unwrap();
            } else {
                stream.write_all(piece).unwrap();
            }
        }
        if chunked {
            stream.write_all(b"0\r\n\r\n").unwrap();
        }
    })
}

/// An origin that reads a body and sends another one at the same time. The last to end is its
/// response: a proxy need not send the rest of a request that has been answered.
fn exchanging(chunked: bool) -> (Origin, Receiver<bool>) {
    let (tell, told) = crossbeam_channel::unbounded();
    let origin = Origin::new(move |visit: &mut Visit| {
        visit.head().unwrap();
        visit.send(format!("HTTP/1.1 200 OK\r\n{}\r\n", framing(chunked)));
        let (finish, end) = crossbeam_channel::bounded(1);
        let writer = write(visit.stream().try_clone().unwrap(), 2, chunked, end);
        let read = if chunked { visit.chunks() } else { visit.bytes(LARGE) };
        tell.send(read == Noise::bytes(1, LARGE)).unwrap();
        finish.send(()).unwrap();
        writer.join().unwrap();
        visit.head();
    });
    (origin, told)
}

fn framing(chunked: bool) -> String {
    match chunked {
        true => "Transfer-Encoding: chunked\r\n".to_owned(),
        false => format!("Content-Length: {LARGE}\r\n"),
    }
}

/// Both bodies are far larger than all buffers between, and under way at the same time.
fn large_bodies_cross(chunked: bool) {
    let (origin, arrived) = exchanging(chunked);
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(format!(
        "POST {} HTTP/1.1\r\nHost: x\r\n{}\r\n",
        origin.url("/"),
        framing(chunked)
    ));
    let (finish, end) = crossbeam_channel::bounded(1);
    finish.send(()).unwrap();
    let writer = write(client.stream().try_clone().unwrap(), 1, chunked, end);
    let answer = client.answer();
    assert_eq!(answer.status, 200);
    assert!(answer.body == Noise::bytes(2, LARGE), "the response is not what was sent");
    writer.join().unwrap();
    assert!(arrived.recv().unwrap(), "the request is not what was sent");
    stage.logs("POST 200 -", LARGE, LARGE);
    drop(client);
    stage.survives();
}

#[test]
fn large_bodies_of_known_length_cross_unharmed() {
    large_bodies_cross(false);
}

#[test]
fn large_bodies_in_chunks_cross_unharmed() {
    large_bodies_cross(true);
}

#[test]
fn a_large_body_that_ends_with_its_connection_arrives() {
    let origin = Origin::new(|visit| {
        visit.head();
        visit.send("HTTP/1.0 200 OK\r\n\r\n");
        visit.send(Noise::bytes(3, LARGE));
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(origin.get("/"));
    client.head();
    assert!(client.rest().unwrap() == Noise::bytes(3, LARGE));
    stage.logs("GET 200 -", 0, LARGE);
    stage.survives();
}
