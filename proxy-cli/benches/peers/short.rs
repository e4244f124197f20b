//! Short: a connection for each request, by clients that open one, ask, and wait for its end.
//!
//! `wrk` cannot be used here: it closes first, so that its ports rest for a while, and 28,000 do not
//! last for two seconds. And tinyproxy ends its connections without having said so, which `wrk`
//! takes for a failure.

use crate::contestant::{Contestant, whole_answer};
use crate::machine::Machine;
use crate::part::{Aim, Part};
use crate::processor_time::ProcessorTime;
use crate::site::KB;
use std::io::{self, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than the last answers take.
const PATIENCE: u32 = 30;

/// Runs the clients: microseconds of the proxy's processor time for a connection, and connections
/// in a second. An error says why the turn is void.
pub(crate) fn measure(
    contestant: &Contestant,
    connections: u32,
    seconds: u32,
    machine: &Machine,
) -> Result<Vec<f64>, String> {
    let process = contestant.running.id();
    let before = ProcessorTime::settled(process).map_err(|error| error.to_string())?;
    let own = [connections.to_string(), seconds.to_string()];
    let cores = &machine.load_cores;
    let mut part = Part::start("short", &own, contestant, cores, seconds + PATIENCE)
        .map_err(|error| error.to_string())?;
    let [count, took] = part.numbers()?[..] else {
        return Err("the clients said too little".into());
    };
    drop(part);
    let after = ProcessorTime::settled(process).map_err(|error| error.to_string())?;
    Ok(vec![after.since(&before)?.as_secs_f64() * 1e6 / count, count / took])
}

/// The clients: they say how many connections they have had, and in how many seconds.
pub(crate) fn run(aim: Aim, connections: usize, seconds: u32) -> io::Result<()> {
    let began = Instant::now();
    let end = began + Duration::from_secs(seconds.into());
    let clients: Vec<_> =
        (0..connections).map(|_| thread::spawn(move || ask_until(aim, end))).collect();
    let mut count = 0;
    for client in clients {
        count += client.join().expect("a client does not panic")?;
    }
    println!("{count} {}", began.elapsed().as_secs_f64());
    Ok(())
}

fn ask_until(aim: Aim, end: Instant) -> io::Result<u64> {
    let target = aim.way.target(aim.origin, "/1k");
    let host = aim.origin;
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let mut buffer = [0; 16 * 1024];
    let mut count = 0;
    while Instant::now() < end {
        let mut stream = aim.way.open(aim.proxy, aim.origin)?;
        stream.write_all(request.as_bytes())?;
        whole_answer(&mut stream, KB as u64, &mut buffer)?;
        if stream.read(&mut buffer)? > 0 {
            return Err(io::Error::other("there are bytes behind an answer"));
        }
        count += 1;
    }
    Ok(count)
}
