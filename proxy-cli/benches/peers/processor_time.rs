//! [`ProcessorTime`]: how long a program has been on a processor, in nanoseconds.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::thread;
use std::time::Duration;

/// The time of each thread of a process and of all its descendants.
///
/// It is read from `/proc/PID/task/TID/schedstat`, whose first number counts nanoseconds;
/// `/proc/PID/schedstat` is about the first thread only, and `/proc/PID/stat` counts in
/// hundredths of a second.
pub(crate) struct ProcessorTime {
    by_thread: HashMap<u32, u64>,
}

impl ProcessorTime {
    /// Reads it once the program has come to rest: what a load leaves behind, connections to
    /// close and log lines to write, belongs to that load. Gives up waiting after a second.
    pub(crate) fn settled(process: u32) -> io::Result<ProcessorTime> {
        const PAUSE: Duration = Duration::from_millis(10);
        // A hundredth of the pause: timers may tick in a program at rest.
        const REST: Duration = Duration::from_micros(100);
        let mut last = ProcessorTime::now(process)?;
        for _ in 0..100 {
            thread::sleep(PAUSE);
            let now = ProcessorTime::now(process)?;
            let rest = now.since(&last).is_ok_and(|spent| spent < REST);
            last = now;
            if rest {
                break;
            }
        }
        Ok(last)
    }

    fn now(process: u32) -> io::Result<ProcessorTime> {
        let mut by_thread = HashMap::new();
        for process in family(process)? {
            for task in fs::read_dir(format!("/proc/{process}/task"))? {
                let task = task?;
                // A thread may end between the listing and the reading; `since` notices.
                let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else {
                    continue;
                };
                let spent = text.split_whitespace().next().and_then(|first| first.parse().ok());
                let id = task.file_name().to_str().and_then(|name| name.parse().ok());
                if let (Some(id), Some(spent)) = (id, spent) {
                    by_thread.insert(id, spent);
                }
            }
        }
        Ok(ProcessorTime { by_thread })
    }

    /// The time spent since an earlier reading.
    ///
    /// # Errors
    ///
    /// When a thread has ended in between: it took what it spent with it.
    pub(crate) fn since(&self, earlier: &ProcessorTime) -> Result<Duration, String> {
        if earlier.by_thread.keys().any(|thread| !self.by_thread.contains_key(thread)) {
            return Err("a thread of the proxy ended, its time is lost".into());
        }
        let total = |time: &ProcessorTime| time.by_thread.values().sum::<u64>();
        Ok(Duration::from_nanos(total(self) - total(earlier)))
    }
}

/// A process and all its descendants. Found by everybody's parent, because not every kernel
/// lists the children of a process.
fn family(ancestor: u32) -> io::Result<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(process) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else {
            continue;
        };
        // `PID (NAME) STATE PARENT …`, where the name may contain anything, also `)`.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
        if let Some(parent) = parent.and_then(|parent| parent.parse::<u32>().ok()) {
            parents.push((process, parent));
        }
    }
    let mut family = vec![ancestor];
    let mut next = 0;
    while let Some(&member) = family.get(next) {
        let children = parents.iter().filter(|(_, parent)| *parent == member);
        family.extend(children.map(|(process, _)| *process));
        next += 1;
    }
    Ok(family)
}
