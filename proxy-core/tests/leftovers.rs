//! What a stopped proxy leaves behind in its process: nothing. Counted for the whole process,
//! so this test has a program of its own.

#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use support::{PATIENCE, Stage};

/// Open descriptors and threads of this process.
fn census() -> (usize, usize) {
    let count = |directory| fs::read_dir(directory).unwrap().count();
    (count("/proc/self/fd"), count("/proc/self/task"))
}

#[test]
fn fifty_starts_and_stops_leave_no_threads_and_no_descriptors() {
    let before = census();
    for round in 0..50 {
        let mut stage = Stage::with(|builder| builder.listen("127.0.0.1:0").event_loops(2));
        // Stopped in the midst of things: an idle client, a tunnel, half a request.
        let (mut idle, mut inside, mut half) = (stage.client(), stage.client(), stage.client());
        assert_eq!(idle.send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").answer().status, 200);
        half.send("GET http://");
        let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = upstream.local_addr().unwrap();
        inside.send(format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n"));
        let _outside = upstream.accept().unwrap();
        assert_eq!(inside.head(), "HTTP/1.1 200 Connection established");
        match round % 2 {
            0 => assert!(stage.take_handle().shutdown(Duration::ZERO).cut > 0),
            _ => drop(stage.take_handle()),
        }
        assert!(inside.rest().is_err());
    }
    // The system takes a moment to clear away a thread that has been joined.
    let until = Instant::now() + PATIENCE;
    while census() != before && Instant::now() < until {
        thread::yield_now();
    }
    assert_eq!(census(), before);
}
