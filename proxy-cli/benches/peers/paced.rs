//! Paced: requests at a fixed rate, whatever becomes of those before them (an open loop), and how
//! long they take from when they were *due*. A client that waits for an answer before it asks
//! again asks a slow proxy less, and so hides what slowness does to others.

use crate::answer::Answer;
use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::part::{Aim, Part};
use crate::scenario::Crowd;
use crate::site::KB;
use mio::{Events, Interest, Poll, Token};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// Requests in a second: a tenth of what two cores can do, so that what is seen is no queue.
const RATE: u32 = 2000;
/// Enough that one is free when a request is due, unless the proxy stands still.
const CONNECTIONS: usize = 64;
/// The first ones are not counted: connections are opened for them.
const WARM_UP: Duration = Duration::from_millis(500);
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the clients: the latency of the median, of 99 in 100 and of 999 in 1,000, in
/// microseconds. An error says why the turn is void.
pub(crate) fn measure(
    contestant: &Contestant,
    beside: Option<(Crowd, u32)>,
    seconds: u32,
    machine: &Machine,
) -> Result<Vec<f64>, String> {
    let cores = &machine.all_cores;
    let _crowd = match beside {
        Some((crowd, count)) => Some(crowd.gather(count, contestant, cores)?),
        None => None,
    };
    let limit = seconds + PATIENCE.as_secs() as u32 + 5;
    Part::start("paced", &[seconds.to_string()], contestant, cores, limit)
        .map_err(|error| error.to_string())?
        .numbers()
}

/// The clients: one thread sends when it is time, the other receives.
pub(crate) fn run(aim: Aim, seconds: u32) -> io::Result<()> {
    let (release, free) = mpsc::channel();
    let mut connections = Vec::new();
    for number in 0..CONNECTIONS {
        let stream = aim.way.open(aim.proxy, aim.origin)?;
        stream.set_nonblocking(true)?;
        connections.push(Arc::new(Connection { stream, due: AtomicU64::new(0) }));
        release.send(number).expect("the receiver is in this function");
    }
    let began = Instant::now();
    let count = u64::from(seconds) * u64::from(RATE);
    let receiver = Receiving { connections: connections.clone(), began, release };
    let receiver = thread::spawn(move || receiver.run(count));
    send(&connections, &free, &aim.way.get(aim.origin, "/1k"), began, count)?;
    let mut latencies = receiver.join().expect("the receiving thread does not panic")?;
    latencies.sort_unstable();
    let share = |of_thousand: usize| {
        let rank = latencies.len() * of_thousand / 1000;
        latencies[rank.min(latencies.len() - 1)] as f64 / 1e3
    };
    println!("{} {} {}", share(500), share(990), share(999));
    Ok(())
}

struct Connection {
    stream: TcpStream,
    /// When the request that is under way was due, in nanoseconds since the beginning.
    due: AtomicU64,
}

/// Sends each request at its time, or as soon as a connection is free after it.
fn send(
    connections: &[Arc<Connection>],
    free: &Receiver<usize>,
    request: &[u8],
    began: Instant,
    count: u64,
) -> io::Result<()> {
    let interval = Duration::from_secs(1) / RATE;
    for number in 0..count {
        let due = interval * number as u32;
        if let Some(early) = due.checked_sub(began.elapsed()) {
            thread::sleep(early);
        }
        let chosen = free
            .recv_timeout(PATIENCE)
            .map_err(|_| io::Error::other("all answers are missing, or one was wrong"))?;
        let connection = &connections[chosen];
        connection.due.store(due.as_nanos() as u64, Ordering::Release);
        // A hundred bytes into an empty socket: there is room.
        (&connection.stream).write_all(request)?;
    }
    Ok(())
}

struct Receiving {
    connections: Vec<Arc<Connection>>,
    began: Instant,
    release: Sender<usize>,
}

impl Receiving {
    /// Takes all answers; gives how long each took, in nanoseconds.
    fn run(self, count: u64) -> io::Result<Vec<u64>> {
        let mut poll = Poll::new()?;
        let mut events = Events::with_capacity(CONNECTIONS);
        let mut streams = Vec::new();
        for (number, connection) in self.connections.iter().enumerate() {
            let mut stream = mio::net::TcpStream::from_std(connection.stream.try_clone()?);
            poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
            streams.push((stream, Answer::expecting(KB as u64)));
        }
        let mut latencies = Vec::with_capacity(count as usize);
        let mut buffer = vec![0; 16 * 1024];
        let mut answered = 0;
        while answered < count {
            poll.poll(&mut events, Some(PATIENCE))?;
            if events.is_empty() {
                return Err(io::Error::other(format!("{} answers are missing", count - answered)));
            }
            for event in &events {
                let number = event.token().0;
                let (stream, answer) = &mut streams[number];
                if !received(stream, answer, &mut buffer)? {
                    continue;
                }
                *answer = Answer::expecting(KB as u64);
                let due = self.connections[number].due.load(Ordering::Acquire);
                let now = self.began.elapsed().as_nanos() as u64;
                if due >= WARM_UP.as_nanos() as u64 {
                    latencies.push(now.saturating_sub(due));
                }
                answered += 1;
                // The sender is gone once all has been sent.
                let _ = self.release.send(number);
            }
        }
        Ok(latencies)
    }
}

/// Reads what there is. `true` when the answer is whole.
fn received(
    stream: &mut mio::net::TcpStream,
    answer: &mut Answer,
    buffer: &mut [u8],
) -> io::Result<bool> {
    loop {
        match stream.read(buffer) {
            Ok(0) => return Err(io::Error::other("a connection was closed")),
            Ok(count) => {
                // Nothing comes behind it: one request is under way.
                if answer.take(&buffer[..count]).map_err(io::Error::other)? {
                    return Ok(true);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}
