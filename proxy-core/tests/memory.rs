//! A body needs the memory of one read, however long it is (sentence 3 of the project).
//!
//! One test, alone in its binary: the allocator's peak is the whole process's.

mod support;

use std::io::Write;
use std::time::Duration;

use peak_alloc::PeakAlloc;
use support::{Origin, PATIENCE, Stage, Visit};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What a longer body may cost more: the buffers of both directions, and their growth.
const ALLOWANCE: usize = 512 * 1024;
const SHORT: u64 = 50 * 1024;
const LONG: u64 = 256 * 1024 * 1024;

/// Bytes of bodies, from static memory.
static BLOCK: [u8; 16 * 1024] = [b'x'; 16 * 1024];

/// How the length of a body is told.
#[derive(Clone, Copy, Debug)]
enum Framing {
    Exact,
    Chunked,
    UntilClose,
}

fn send_body(mut to: impl Write, framing: Framing, length: u64) {
    let mut left = length;
    while left > 0 {
        let block = &BLOCK[..BLOCK.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
        if let Framing::Chunked = framing {
            write!(to, "{:x}\r\n", block.len()).unwrap();
        }
        to.write_all(block).unwrap();
        if let Framing::Chunked = framing {
            to.write_all(b"\r\n").unwrap();
        }
        left -= block.len() as u64;
    }
    if let Framing::Chunked = framing {
        to.write_all(b"0\r\n\r\n").unwrap();
    }
}

/// Serves `GET /Exact/LENGTH` and its like, and counts the bodies of uploads.
fn serve(visit: &mut Visit) {
    while let Some(head) = visit.head() {
        let mut words = head.split(' ').nth(1).unwrap().trim_start_matches('/').split('/');
        let (framing, length) = (words.next().unwrap(), words.next().unwrap().parse().unwrap());
        match framing {
            "Exact" => {
                visit.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"));
                send_body(visit.stream(), Framing::Exact, length);
            }
            "Chunked" => {
                visit.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                send_body(visit.stream(), Framing::Chunked, length);
            }
            "UntilClose" => {
                visit.send("HTTP/1.1 200 OK\r\n\r\n");
                return send_body(visit.stream(), Framing::UntilClose, length);
            }
            _ => {
                visit.skip(length);
                visit.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        }
    }
}

/// How many bytes a body is on the wire.
fn wire_length(framing: Framing, length: u64) -> u64 {
    struct Count(u64);
    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    send_body(&mut count, framing, length);
    count.0
}

fn download(stage: &Stage, origin: &Origin, framing: Framing, length: u64) {
    let mut client = stage.client();
    client.send(origin.get(&format!("/{framing:?}/{length}")));
    client.head();
    let mut block = [0; 16 * 1024];
    let mut left = wire_length(framing, length);
    while left > 0 {
        left -= client.some(&mut block) as u64;
    }
    let record = stage.closed();
    assert_eq!((record.as_record().bytes_out, record.as_record().reason), (length, None));
}

fn upload(stage: &Stage, origin: &Origin, length: u64) {
    let mut client = stage.client();
    let (url, host) = (origin.url(&format!("/Upload/{length}")), origin.address);
    client.send(format!("PUT {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n"));
    send_body(client.stream(), Framing::Exact, length);
    assert_eq!(client.answer().status, 200);
    assert_eq!(stage.closed().as_record().bytes_in, length);
}

#[test]
fn a_long_body_needs_no_more_memory_than_a_short_one() {
    let stage = Stage::forward();
    let origin = Origin::new(serve);
    for framing in [Framing::Exact, Framing::Chunked, Framing::UntilClose] {
        download(&stage, &origin, framing, SHORT);
        MEMORY.reset_peak_usage();
        let before = MEMORY.peak_usage();
        download(&stage, &origin, framing, LONG);
        let growth = MEMORY.peak_usage() - before;
        assert!(growth < ALLOWANCE, "{growth} bytes more for a download, {framing:?}");
    }
    upload(&stage, &origin, SHORT);
    MEMORY.reset_peak_usage();
    let before = MEMORY.peak_usage();
    upload(&stage, &origin, LONG);
    let growth = MEMORY.peak_usage() - before;
    assert!(growth < ALLOWANCE, "{growth} bytes more for an upload");

    // A client that does not read stops the origin, not the proxy's memory from ending.
    let (told, blocked) = crossbeam_channel::bounded(1);
    let eager = Origin::new(move |visit| {
        visit.head();
        visit.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LONG}\r\n\r\n"));
        visit.stream().set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        let mut sent = 0;
        let failed = loop {
            match visit.stream().write(&BLOCK) {
                Ok(count) => sent += count as u64,
                Err(error) => break error,
            }
        };
        told.send((sent, failed.kind())).unwrap();
    });
    MEMORY.reset_peak_usage();
    let before = MEMORY.peak_usage();
    let mut lazy = stage.client();
    lazy.send(eager.get("/"));
    let (sent, _) = blocked.recv_timeout(PATIENCE).expect("the origin is stopped");
    assert!(sent < LONG, "the origin could send everything to a client that did not read");
    let growth = MEMORY.peak_usage() - before;
    assert!(growth < ALLOWANCE, "{growth} bytes for a client that does not read");

    // Nor does one that sends requests by the thousand and does not read the answers.
    // (Their records, which wait for the logger, have a bound of their own.)
    let mut limits = proxy_core::Limits::default();
    limits.log_queue = 64;
    let stage = Stage::with(|builder| builder.limits(limits).logger(proxy_core::NoLog));
    let greedy = stage.client();
    let requests = "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n".repeat(500);
    greedy.stream().set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    MEMORY.reset_peak_usage();
    let before = MEMORY.peak_usage();
    let mut taken = 0;
    while let Ok(count) = greedy.stream().write(requests.as_bytes()) {
        taken += count as u64;
        assert!(taken < LONG, "all of it was taken");
    }
    let growth = MEMORY.peak_usage() - before;
    assert!(growth < ALLOWANCE, "{growth} bytes for a client that only sends");
}
