//! Bulk: 256 MB through a proxy, by a client that looks at their number and at nothing else.

use crate::contestant::{Contestant, whole_answer};
use crate::machine::Machine;
use crate::part::{Aim, Part};
use crate::processor_time::ProcessorTime;
use crate::scenario::Transfer;
use crate::site::{BULK, KB};
use std::io::{self, Write};
use std::time::Instant;

/// Longer than the slowest of them takes on a slow machine.
const PATIENCE: u32 = 60;

impl Transfer {
    const ALL: [(Transfer, &str); 3] =
        [(Transfer::Exact, "exact"), (Transfer::Chunked, "chunked"), (Transfer::Upload, "upload")];

    fn word(self) -> &'static str {
        Transfer::ALL.iter().find(|(one, _)| *one == self).expect("each has its word").1
    }

    /// What a word on the command line means.
    pub(crate) fn of(word: &str) -> Option<Transfer> {
        Transfer::ALL.iter().find(|(_, known)| *known == word).map(|(one, _)| *one)
    }
}

/// Has a client move it: milliseconds of the proxy's processor time for a gigabyte, and megabytes
/// in a second, both decimal. An error says why the turn is void.
pub(crate) fn measure(
    contestant: &Contestant,
    transfer: Transfer,
    machine: &Machine,
) -> Result<Vec<f64>, String> {
    let process = contestant.running.id();
    let before = ProcessorTime::settled(process).map_err(|error| error.to_string())?;
    let own = [transfer.word().to_owned()];
    let mut part = Part::start("bulk", &own, contestant, &machine.load_cores, PATIENCE)
        .map_err(|error| error.to_string())?;
    let [seconds] = part.numbers()?[..] else { return Err("the client said too little".into()) };
    drop(part);
    let after = ProcessorTime::settled(process).map_err(|error| error.to_string())?;
    let spent = after.since(&before)?.as_secs_f64();
    Ok(vec![spent * 1e3 / (BULK as f64 / 1e9), BULK as f64 / 1e6 / seconds])
}

/// The client: moves it once and says how many seconds that took.
pub(crate) fn run(aim: Aim, transfer: Transfer) -> io::Result<()> {
    let mut stream = aim.way.open(aim.proxy, aim.origin)?;
    let mut buffer = vec![b'x'; 256 * 1024];
    let began = Instant::now();
    match transfer {
        Transfer::Exact => {
            stream.write_all(&aim.way.get(aim.origin, "/bulk"))?;
            whole_answer(&mut stream, BULK, &mut buffer)?;
        }
        Transfer::Chunked => {
            stream.write_all(&aim.way.get(aim.origin, "/bulk-chunked"))?;
            whole_answer(&mut stream, BULK, &mut buffer)?;
        }
        Transfer::Upload => {
            let (target, origin) = (aim.way.target(aim.origin, "/1k"), aim.origin);
            write!(
                stream,
                "POST {target} HTTP/1.1\r\nHost: {origin}\r\nContent-Length: {BULK}\r\n\r\n"
            )?;
            for _ in 0..BULK / buffer.len() as u64 {
                stream.write_all(&buffer)?;
            }
            whole_answer(&mut stream, KB as u64, &mut buffer)?;
        }
    }
    println!("{}", began.elapsed().as_secs_f64());
    Ok(())
}
