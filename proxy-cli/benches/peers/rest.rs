//! [`others`]: how busy the machine is with something else.

use std::fs;
use std::io;
use std::thread;
use std::time::Duration;

/// More than this, and what is measured is what others do.
pub(crate) const AT_REST: f64 = 0.05;

/// The share of all cores' time that is used while this benchmark does nothing, over half a
/// second. (The load average remembers minutes, the building of the benchmark among them.)
pub(crate) fn others() -> io::Result<f64> {
    let (idle_before, all_before) = times()?;
    thread::sleep(Duration::from_millis(500));
    let (idle, all) = times()?;
    Ok(1.0 - (idle - idle_before) / (all - all_before).max(1.0))
}

/// The time all cores have been idle, and all their time, in ticks.
fn times() -> io::Result<(f64, f64)> {
    let text = fs::read_to_string("/proc/stat")?;
    // `cpu  user nice system idle iowait irq softirq steal …`, where guests are in `user` too.
    let first = text.lines().next().unwrap_or_default();
    let ticks = first.split_whitespace().skip(1).take(8).map(|ticks| ticks.parse().unwrap_or(0.0));
    let ticks: Vec<f64> = ticks.collect();
    match ticks[..] {
        [_, _, _, idle, waiting, ..] => Ok((idle + waiting, ticks.iter().sum())),
        _ => Err(io::Error::other("cannot read how busy the machine is")),
    }
}
