//! Memory: what a client that waits costs in user space.

use crate::contestant::Contestant;
use crate::family::family;
use crate::machine::Machine;
use crate::processor_time::ProcessorTime;
use crate::scenario::Crowd;
use std::fs;
use std::io;

/// Has a crowd come and divides what the proxy has grown by: kilobytes for each of them. An error
/// says why the turn is void.
pub(crate) fn measure(
    contestant: &Contestant,
    crowd: Crowd,
    count: u32,
    machine: &Machine,
) -> Result<Vec<f64>, String> {
    // What the first clients make a program set up is not a matter of how many there are.
    drop(crowd.gather(64, contestant, &machine.load_cores)?);
    let process = contestant.running.id();
    ProcessorTime::settled(process).map_err(|error| error.to_string())?;
    let before = proportional_set(process).map_err(|error| error.to_string())?;
    let crowd = crowd.gather(count, contestant, &machine.load_cores)?;
    ProcessorTime::settled(process).map_err(|error| error.to_string())?;
    let after = proportional_set(process).map_err(|error| error.to_string())?;
    drop(crowd);
    Ok(vec![(after - before) / f64::from(count)])
}

/// The kilobytes that a process and its descendants have in memory, each shared page divided by
/// those who share it.
fn proportional_set(process: u32) -> io::Result<f64> {
    let mut total = 0.0;
    for process in family(process)? {
        let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        let size = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        total += size.ok_or_else(|| io::Error::other("smaps_rollup has no Pss"))?;
    }
    Ok(total)
}
