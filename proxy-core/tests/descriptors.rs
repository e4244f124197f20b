//! When the descriptors have run out, accepting waits, in one line of the log, and goes on when
//! there are some again; who needs an upstream connection is told. And what a proxy at its limit of
//! connections says.
//!
//! One test, alone in its binary: the limit is the whole process's, and so is the logger.
#![cfg(unix)]

mod support;

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender};
use proxy_core::{Accept, Intake, Limits, Listener, Reason, Socket, Wake};
use rlimit::Resource;
use socket2::{Domain, Type};
use support::{Client, Origin, PATIENCE, Stage};

/// Keeps what the library says.
struct Heard(Sender<(log::Level, String)>);

impl log::Log for Heard {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.send((record.level(), record.args().to_string())).unwrap();
        }
    }

    fn flush(&self) {}
}

fn listen_to_the_log() -> Receiver<(log::Level, String)> {
    let (sender, heard) = crossbeam_channel::unbounded();
    log::set_logger(Box::leak(Box::new(Heard(sender)))).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    heard
}

/// A listener that blocks, and tells each attempt to accept.
struct Counted {
    listener: std::net::TcpListener,
    attempts: Sender<Instant>,
}

impl Listener for Counted {
    fn local_addr(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    fn open(&self) -> io::Result<Intake> {
        let address = self.listener.local_addr()?;
        let accept =
            Counted { listener: self.listener.try_clone()?, attempts: self.attempts.clone() };
        // A connection is what wakes it.
        let wake: Wake = Box::new(move || drop(std::net::TcpStream::connect(address)));
        Ok(Intake::Blocking(Box::new(accept), wake))
    }
}

impl Accept for Counted {
    fn accept(&mut self) -> io::Result<(Socket, SocketAddr)> {
        let _ = self.attempts.send(Instant::now());
        self.listener.accept().map(|(stream, peer)| (stream.into(), peer))
    }
}

/// No descriptors but those in use, until it is dropped.
struct Exhausted {
    soft: u64,
    hard: u64,
}

impl Exhausted {
    fn now() -> Exhausted {
        let (soft, hard) = rlimit::getrlimit(Resource::NOFILE).unwrap();
        rlimit::setrlimit(Resource::NOFILE, 3, hard).unwrap();
        let exhausted = Exhausted { soft, hard };
        assert_eq!(std::fs::File::open("/dev/null").unwrap_err().raw_os_error(), Some(24));
        exhausted
    }
}

impl Drop for Exhausted {
    fn drop(&mut self) {
        rlimit::setrlimit(Resource::NOFILE, self.soft, self.hard).unwrap();
    }
}

/// Sockets that need no descriptor any more to connect.
fn sockets(count: usize) -> Vec<socket2::Socket> {
    (0..count).map(|_| socket2::Socket::new(Domain::IPV4, Type::STREAM, None).unwrap()).collect()
}

#[test]
fn without_descriptors_clients_wait_and_exchanges_are_told() {
    const CROWD: usize = 20;
    let heard = listen_to_the_log();
    let (attempts, attempted) = crossbeam_channel::unbounded();
    let counted =
        Counted { listener: std::net::TcpListener::bind("127.0.0.1:0").unwrap(), attempts };
    let blocking = counted.local_addr().unwrap();
    let stage = Stage::with(|builder| builder.listener(counted));
    let origin = Origin::new(|visit| {
        while visit.head().is_some() {
            visit.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
        }
    });

    // These are in before the descriptors run out; one of them has a tunnel.
    let mut inside = stage.client();
    assert_eq!(inside.send(origin.get("/")).answer().status, 200);
    stage.closed();
    let echo = Origin::new(|visit| {
        for _ in 0..2 {
            let byte = visit.bytes(1);
            visit.send(byte);
        }
        let _ = visit.rest();
    });
    let mut tunnel = stage.client();
    tunnel.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", echo.address));
    tunnel.head();
    assert_eq!(tunnel.send("x").bytes(1), b"x", "the far end has accepted it");

    for address in [stage.address, blocking] {
        // A call that blocks in `accept` has a descriptor kept for it by the system: the first
        // client comes in there.
        let mut kept = sockets(usize::from(address == blocking));
        let crowd = sockets(CROWD);
        while attempted.try_recv().is_ok() {}
        let exhausted = Exhausted::now();
        for socket in kept.iter().chain(&crowd) {
            socket.connect(&address.into()).expect("the kernel takes the connection");
            socket.send(origin.get("/").as_bytes()).unwrap();
        }
        let (level, line) = heard.recv_timeout(PATIENCE).expect("it is told");
        assert_eq!(level, log::Level::Error);
        assert!(line.starts_with("accepting fails and is tried again"), "{line}");

        // Who is in is served as far as it goes without a descriptor.
        let refused = inside.send(origin.get("/")).answer();
        assert_eq!((refused.status, refused.field("retry-after")), (503, Some("1")));
        assert!(refused.text().contains("reason: out_of_descriptors\n"), "{}", refused.text());
        assert_eq!(stage.outcome(), (Some(503), Some(Reason::OutOfDescriptors)));
        if let Some(kept) = kept.pop() {
            assert_eq!(Client::of(kept.into()).answer().status, 503);
            stage.closed();
        } else {
            assert_eq!(tunnel.send("x").bytes(1), b"x");
        }

        // Accepting is tried again, but not in a busy loop. (One word that a connection has
        // ended may be left over from before: it is worth one attempt.)
        if address == blocking {
            let next = || attempted.recv_timeout(PATIENCE).expect("it is tried again");
            let times: Vec<Instant> = (0..6).map(|_| next()).collect();
            let took = times[5] - times[0];
            assert!(took.as_millis() >= 3 * 100, "5 attempts within {took:?}");
        }

        // And then everybody is served, without a word more.
        drop(exhausted);
        for socket in crowd {
            assert_eq!(Client::of(socket.into()).answer().text(), "ok");
        }
        assert_eq!(inside.send(origin.get("/")).answer().status, 200);
        assert_eq!(heard.try_recv().ok(), None);
        for _ in 0..=CROWD {
            assert_eq!(stage.closed().as_record().reason, None);
        }
    }
    assert_eq!(origin.visits(), 1 + 2 * (CROWD + 1));
    drop((inside, tunnel));
    stage.finish();
    assert_eq!(heard.try_recv().ok(), None);
    at_the_limit_of_connections_one_line_is_enough(&heard);
}

/// A crowd in front of a proxy with room for one: each client is served when the one before has
/// gone, and the log does not grow with them.
fn at_the_limit_of_connections_one_line_is_enough(heard: &Receiver<(log::Level, String)>) {
    let mut limits = Limits::default();
    limits.connections = 1;
    let stage = Stage::with(|builder| builder.limits(limits));
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let mut crowd: Vec<Client> = (0..50).map(|_| stage.client()).collect();
    for client in &mut crowd {
        client.send(origin.get("/"));
    }
    for mut client in crowd {
        assert_eq!(client.answer().text(), "ok");
    }
    stage.finish();
    let lines: Vec<String> = heard.try_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, ["all 1 connections are in use: new ones wait until some end"]);
}
