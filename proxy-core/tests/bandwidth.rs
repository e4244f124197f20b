//! Rates of bytes, measured with real sockets: within 5 % of what is configured, whichever way the
//! bytes go and however they are framed.
//!
//! What may come at once is taken off, and the rest is measured by the clock. Never may it be faster.
//! It is slower where the machine has no core for the proxy for longer than a burst lasts. So there is a
//! [`Witness`] of each try: one of a few must be fast enough, unless the machine kept everybody waiting
//! in all of them.

mod support;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use proxy_core::throttle::{Allowance, Mode, Rate, Scope, Throttle};
use proxy_core::{Action, ConnectionHandler, Exchange, ForwardHandler, User};
use support::{Client, Origin, PATIENCE, Stage, Visit, timeouts};

/// Bytes a second, where nothing else is said, and how many come at once: a tenth of that.
const RATE: u64 = 800_000;
const BYTES: usize = 1_360_000;
/// How often it is tried.
const TRIES: usize = 4;

/// Heads and the framing of chunks, which count as well: so many bytes more may come at most.
const FRAMING: usize = 4000;

/// A thread that wants to run every few milliseconds, as the proxy does, and adds up how much later it
/// does.
struct Witness {
    thread: JoinHandle<Duration>,
    is_over: Arc<AtomicBool>,
}

impl Witness {
    fn begin() -> Witness {
        const PAUSE: Duration = Duration::from_millis(3);
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            let mut lost = Duration::ZERO;
            while !ends.load(Ordering::Relaxed) {
                let begun = Instant::now();
                thread::park_timeout(PAUSE);
                // A timer of the system is late by less than that.
                let late = begun.elapsed().saturating_sub(PAUSE);
                lost += if late > PAUSE { late } else { Duration::ZERO };
            }
            lost
        });
        Witness { thread, is_over }
    }

    /// For how long nobody got a core who was due.
    fn end(self) -> Duration {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        self.thread.join().unwrap()
    }
}

/// Has `bytes` moved by `run`, which says how long that took, at a rate.
#[track_caller]
fn holds(rate: u64, bytes: usize, mut run: impl FnMut() -> Duration) {
    let limited = bytes as f64 - rate as f64 / 10.0;
    let (mut all, mut is_told) = (Vec::new(), false);
    for _ in 0..TRIES {
        let witness = Witness::begin();
        let took = run().as_secs_f64();
        let lost = witness.end().as_secs_f64();
        let measured = limited / took / rate as f64;
        // What counts and is not content makes it slower, and the last bytes come no earlier than
        // they may: 1 % is for what is rounded.
        assert!(measured <= 1.01, "{measured} of the rate, in {took} s");
        if (limited + FRAMING as f64) / took / rate as f64 >= 0.95 {
            return;
        }
        all.push((measured, lost));
        is_told |= lost < took * 0.01;
    }
    let all = format!("of the rate, and seconds for which nobody had a core: {all:?}");
    assert!(!is_told, "slower than the rate each time: {all}");
    println!("this machine is too busy for it to be told: {all}");
}

fn down(rate: u64) -> Throttle {
    Throttle::new("down", Scope::client(), Allowance::Download(Rate::per_second(rate)))
}

fn up(rate: u64) -> Throttle {
    Throttle::new("up", Scope::client(), Allowance::Upload(Rate::per_second(rate)))
}

/// A proxy that has not been used, so that each try has its burst.
fn stage(throttles: impl IntoIterator<Item = Throttle>) -> Stage {
    Stage::with(|builder| builder.throttles(throttles))
}

/// Reads so many bytes and gives how long that took.
fn read(client: &mut Client, count: usize) -> Duration {
    let begun = Instant::now();
    let (mut left, mut some) = (count, vec![0; 64 * 1024]);
    while left > 0 {
        let most = left.min(some.len());
        let count = client.some(&mut some[..most]);
        assert!(count > 0, "{left} bytes are missing");
        left -= count;
    }
    begun.elapsed()
}

/// An origin that answers each request with so many bytes.
fn giving(bytes: usize) -> Origin {
    Origin::new(move |visit| {
        let body = vec![b'x'; bytes];
        while visit.head().is_some() {
            visit.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n"));
            // A client that has seen enough goes away.
            let _ = visit.stream().write_all(&body);
        }
    })
}

fn get(stage: &Stage, origin: &Origin, bytes: usize) -> Duration {
    let mut client = stage.client();
    client.send(origin.get("/"));
    let begun = Instant::now();
    client.head();
    read(&mut client, bytes);
    begun.elapsed()
}

#[test]
fn a_download_with_a_length() {
    let origin = giving(BYTES);
    holds(RATE, BYTES, || get(&stage([down(RATE)]), &origin, BYTES));
}

/// Fast enough that reads fill the buffer, and bytes are passed on without being looked at where the
/// system can.
#[test]
fn a_fast_download() {
    const FAST: u64 = 16_000_000;
    const MANY: usize = 17_600_000;
    let origin = giving(MANY);
    holds(FAST, MANY, || get(&stage([down(FAST)]), &origin, MANY));
}

#[test]
fn a_download_in_chunks() {
    let origin = Origin::new(|visit| {
        visit.head();
        visit.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = format!("{:x}\r\n{}\r\n", 4000, "x".repeat(4000));
        for _ in 0..BYTES / 4000 {
            let _ = visit.stream().write_all(chunk.as_bytes());
        }
        let _ = visit.stream().write_all(b"0\r\n\r\n");
    });
    holds(RATE, BYTES, || {
        let stage = stage([down(RATE)]);
        let mut client = stage.client();
        client.send(origin.get("/"));
        let begun = Instant::now();
        assert_eq!(client.answer().body.len(), BYTES);
        begun.elapsed()
    });
}

#[test]
fn many_downloads_on_one_connection() {
    const EACH: usize = 10_000;
    let origin = giving(EACH);
    holds(RATE, BYTES, || {
        let stage = stage([down(RATE)]);
        let mut client = stage.client();
        let begun = Instant::now();
        for _ in 0..BYTES / EACH {
            assert_eq!(client.send(origin.get("/")).answer().body.len(), EACH);
        }
        begun.elapsed()
    });
}

/// They share what their client may have, and none is left out.
#[test]
fn many_downloads_of_one_client_at_once() {
    const CLIENTS: usize = 8;
    let origin = Arc::new(giving(BYTES / CLIENTS));
    holds(RATE, BYTES, || {
        let stage = Stage::with(|builder| builder.event_loops(2).throttles([down(RATE)]));
        let begun = Instant::now();
        let times: Vec<_> = thread::scope(|scope| {
            let (stage, origin) = (&stage, &origin);
            let clients: Vec<_> = (0..CLIENTS)
                .map(|_| scope.spawn(move || get(stage, origin, BYTES / CLIENTS)))
                .collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        let all = begun.elapsed();
        let first = times.iter().min().unwrap();
        // The burst may have been one's alone, and that is half of what each reads here.
        assert!(*first * 4 > all, "{first:?} of {all:?}: one was served before the others");
        all
    });
}

/// An origin that takes what comes, and says how long it took from the first byte of the body.
fn taking(read: impl Fn(&mut Visit) + Send + Sync + 'static) -> Origin {
    Origin::new(move |visit| {
        while visit.head().is_some() {
            read(visit);
            visit.send("HTTP/1.1 204 No Content\r\n\r\n");
        }
    })
}

fn put(stage: &Stage, origin: &Origin, head: &str, body: &[u8]) -> Duration {
    let mut client = stage.client();
    let head = format!("PUT http://{0}/ HTTP/1.1\r\nHost: {0}\r\n{head}\r\n\r\n", origin.address);
    let begun = Instant::now();
    client.send(head).send(body);
    assert_eq!(client.answer().status, 204);
    begun.elapsed()
}

#[test]
fn an_upload_with_a_length() {
    let origin = taking(|visit| visit.skip(BYTES as u64));
    let body = vec![b'x'; BYTES];
    let length = format!("Content-Length: {BYTES}");
    holds(RATE, BYTES, || put(&stage([up(RATE)]), &origin, &length, &body));
}

#[test]
fn an_upload_in_chunks() {
    let origin = taking(|visit| assert_eq!(visit.chunks().len(), BYTES));
    let chunk = format!("{:x}\r\n{}\r\n", 4000, "x".repeat(4000));
    let body = chunk.repeat(BYTES / 4000) + "0\r\n\r\n";
    holds(RATE, BYTES, || {
        put(&stage([up(RATE)]), &origin, "Transfer-Encoding: chunked", body.as_bytes())
    });
}

/// Both at once, each at its own rate.
#[test]
fn a_tunnel_both_ways() {
    let origin = Origin::new(|visit| {
        let mut sending = visit.stream().try_clone().unwrap();
        let sender = thread::spawn(move || drop(sending.write_all(&vec![b'x'; BYTES])));
        visit.skip(BYTES as u64 / 2);
        visit.send("k");
        sender.join().unwrap();
    });
    let run = || {
        let stage = stage([down(RATE), up(RATE / 2)]);
        let mut client = stage.client();
        let connect = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address);
        let mut sending = client.stream().try_clone().unwrap();
        assert!(client.send(connect).head().starts_with("HTTP/1.1 200"));
        let sender = thread::spawn(move || sending.write_all(&vec![b'x'; BYTES / 2]).unwrap());
        let took = read(&mut client, BYTES + 1);
        sender.join().unwrap();
        took
    };
    holds(RATE, BYTES, run);
}

/// Knows everybody as Ann.
struct Ann;

impl ConnectionHandler for Ann {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        exchange.set_user(User::new("ann"));
        ForwardHandler.request(exchange)
    }
}

/// Half of it goes through tunnels, half through exchanges, all at once, and all of it is one user's.
#[test]
fn what_a_user_loads_on_all_ways_together() {
    const EACH: usize = BYTES / 4;
    let origin = Arc::new(giving(EACH));
    let throttle = Allowance::Download(Rate::per_second(RATE));
    let throttle = Throttle::new("own", Scope::User, throttle);
    holds(RATE, BYTES, || {
        let stage = Stage::with(|builder| {
            builder.event_loops(2).handler(Ann).throttles([throttle.clone()])
        });
        let begun = Instant::now();
        thread::scope(|scope| {
            let (stage, origin) = (&stage, &origin);
            for _ in 0..2 {
                scope.spawn(move || get(stage, origin, EACH));
                scope.spawn(move || {
                    let mut client = stage.client();
                    let connect =
                        format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address);
                    assert!(client.send(connect).head().starts_with("HTTP/1.1 200"));
                    client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
                    client.head();
                    read(&mut client, EACH)
                });
            }
        });
        begun.elapsed()
    });
}

/// Who is slow because a throttle makes it so is not called slow, nor idle.
#[test]
fn nobody_is_blamed_for_a_pause_that_a_throttle_makes() {
    const SLOW: u64 = 20_000;
    const FEW: usize = 12_000;
    let origin = Origin::new(|visit| {
        visit.head();
        visit.skip(FEW as u64);
        visit.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {FEW}\r\n\r\n"));
        visit.send(vec![b'x'; FEW]);
    });
    let stage = Stage::with(|builder| {
        let mut limits = proxy_core::Limits::default();
        limits.min_rate = 1_000_000;
        let timeouts = timeouts(|timeouts| {
            timeouts.min_rate_window = Duration::from_millis(400);
            timeouts.body_idle = Duration::from_millis(300);
        });
        builder.limits(limits).timeouts(timeouts).throttles([down(SLOW), up(SLOW)])
    });
    let mut client = stage.client();
    let head = format!(
        "PUT http://{0}/ HTTP/1.1\r\nHost: {0}\r\nContent-Length: {FEW}\r\n\r\n",
        origin.address
    );
    client.send(head).send(vec![b'x'; FEW]);
    assert_eq!(client.answer().body.len(), FEW);
    stage.logs("PUT 200 -", FEW, FEW);
}

/// A peer that goes while its bytes wait for a throttle is seen to go.
#[test]
fn a_client_that_goes_while_it_waits_is_not_waited_for() {
    let origin = giving(1_000_000);
    let stage = stage([down(1000)]);
    let mut client = stage.client();
    client.send(origin.get("/"));
    client.head();
    client.reset();
    let record = stage.record();
    assert_eq!(record.as_record().reason, Some(proxy_core::Reason::ClientClosed));
    assert!(record.as_record().duration < PATIENCE);
}

#[test]
fn a_rate_that_is_only_reported_holds_up_nobody() {
    let origin = giving(1_000_000);
    let stage = stage([down(1000).in_mode(Mode::Report)]);
    get(&stage, &origin, 1_000_000);
    assert_eq!(stage.record().as_record().reported, Some("down"));
}

#[test]
fn a_body_that_ends_with_the_connection_ends_with_it() {
    let origin = Origin::new(|visit| {
        visit.head();
        visit.send("HTTP/1.1 200 OK\r\n\r\n").send(vec![b'x'; 300_000]);
    });
    let stage = stage([down(1_000_000)]);
    let mut client = stage.client();
    client.send(origin.get("/"));
    client.head();
    assert_eq!(client.rest().unwrap().len(), 300_000);
    stage.logs("GET 200 -", 0, 300_000);
}
