//! [`ProcessorTime`]: how long a program has been on a processor, in nanoseconds.

use crate::family::family;
use std::collections::HashMap;
use std::io;
use std::thread;
use std::time::Duration;

/// The time of a process and of all its descendants.
///
/// It is read from the clock that the system has for each process: the time of all its threads,
/// also of those that have ended. (`/proc/PID/task/TID/schedstat` forgets a thread that has ended,
/// which for a thread per connection is nearly all; `/proc/PID/stat` counts in hundredths of a
/// second.)
pub(crate) struct ProcessorTime {
    by_process: HashMap<u32, Duration>,
}

impl ProcessorTime {
    /// Reads it once the program has come to rest: what a load leaves behind, connections to
    /// close and log lines to write, belongs to that load. Gives up waiting after a second.
    pub(crate) fn settled(process: u32) -> io::Result<ProcessorTime> {
        const PAUSE: Duration = Duration::from_millis(10);
        // A hundredth of the pause: timers may tick in a program at rest.
        const REST: Duration = Duration::from_micros(100);
        // One may be no rest: the system keeps a program with threads waiting for about as long when
        // its table of descriptors grows.
        const RESTS: u32 = 5;
        let (mut last, mut rests) = (ProcessorTime::now(process)?, 0);
        for _ in 0..100 {
            thread::sleep(PAUSE);
            let now = ProcessorTime::now(process)?;
            let rest = now.since(&last).is_ok_and(|spent| spent < REST);
            rests = if rest { rests + 1 } else { 0 };
            last = now;
            if rests == RESTS {
                break;
            }
        }
        Ok(last)
    }

    fn now(process: u32) -> io::Result<ProcessorTime> {
        let mut by_process = HashMap::new();
        for process in family(process)? {
            // A child may end between the listing and the reading; `since` notices.
            if let Ok(spent) = clock(process) {
                by_process.insert(process, spent);
            }
        }
        Ok(ProcessorTime { by_process })
    }

    /// The time spent since an earlier reading.
    ///
    /// # Errors
    ///
    /// When a process has ended in between: it took what it spent with it.
    pub(crate) fn since(&self, earlier: &ProcessorTime) -> Result<Duration, String> {
        if earlier.by_process.keys().any(|process| !self.by_process.contains_key(process)) {
            return Err("a process of the proxy ended, its time is lost".into());
        }
        let total = |time: &ProcessorTime| time.by_process.values().sum::<Duration>();
        Ok(total(self).saturating_sub(total(earlier)))
    }
}

#[cfg(target_os = "linux")]
fn clock(process: u32) -> io::Result<Duration> {
    use nix::time::{ClockId, clock_gettime};
    let process = i32::try_from(process).map_err(io::Error::other)?;
    let clock = ClockId::pid_cpu_clock_id(nix::unistd::Pid::from_raw(process))?;
    Ok(clock_gettime(clock)?.into())
}

#[cfg(not(target_os = "linux"))]
fn clock(_process: u32) -> io::Result<Duration> {
    Err(io::ErrorKind::Unsupported.into())
}
