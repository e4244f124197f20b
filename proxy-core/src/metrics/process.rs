//! [`Process`]: what the system knows of the process, where it tells by files.

use std::time::{Duration, SystemTime};

/// What the system knows of this process. On Linux; elsewhere there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Process {
    /// When it started.
    pub started: SystemTime,
    /// Processor time it has used, its own and the system's for it.
    pub cpu: Duration,
    /// Descriptors that are open.
    pub open_descriptors: u64,
    /// How many there may be; `None` if there is no limit.
    pub most_descriptors: Option<u64>,
    /// Bytes of memory it occupies.
    pub resident_memory: u64,
    /// Bytes of its address space.
    pub virtual_memory: u64,
}

/// Ticks a second in which Linux tells times, on all processors that Rust is there for.
const TICKS: u64 = 100;

impl Process {
    /// What is known now. `None` where the system does not tell.
    pub(super) fn read() -> Option<Process> {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let read = |path: &str| std::fs::read_to_string(path).ok();
        // The one that is open for counting is not there otherwise.
        let open = std::fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as u64;
        Process::of(
            &read("/proc/self/stat")?,
            &read("/proc/stat")?,
            &read("/proc/self/status")?,
            &read("/proc/self/limits")?,
            open,
        )
    }

    /// What these files say; see proc(5).
    fn of(stat: &str, system: &str, status: &str, limits: &str, open: u64) -> Option<Process> {
        // The name of the program is in parentheses, and anything may be in there. Behind it, the
        // third field of the file is the first.
        let fields: Vec<&str> =
            stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().collect();
        let ticks = |field: usize| -> Option<u64> { fields.get(field - 3)?.parse().ok() };
        let after_boot = ticks(22)? * 1000 / TICKS;
        let boot: u64 = after(system, "btime ")?.trim().parse().ok()?;
        Some(Process {
            started: SystemTime::UNIX_EPOCH
                + Duration::from_secs(boot)
                + Duration::from_millis(after_boot),
            cpu: Duration::from_millis((ticks(14)? + ticks(15)?) * 1000 / TICKS),
            open_descriptors: open,
            most_descriptors: first_number(after(limits, "Max open files")?),
            resident_memory: first_number(after(status, "VmRSS:")?)? * 1024,
            virtual_memory: first_number(after(status, "VmSize:")?)? * 1024,
        })
    }
}

/// The rest of the line that begins so.
fn after<'a>(text: &'a str, begin: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(begin))
}

fn first_number(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "4242 (a (very) odd name) S 1 2 3 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 4 0 \
                        12345 1000 200 18446744073709551615 1 1 0 0 0 0";
    const STATUS: &str = "Name:\todd\nVmPeak:\t  9000 kB\nVmSize:\t  8000 kB\nVmRSS:\t   400 kB\n";

    #[test]
    fn what_the_files_say_is_understood() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max open files            1024                 524288               files\n";
        let process = Process::of(STAT, "cpu 1 2\nbtime 1700000000\n", STATUS, limits, 7).unwrap();
        let expected = Process {
            started: SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_123_450),
            cpu: Duration::from_secs(3),
            open_descriptors: 7,
            most_descriptors: Some(1024),
            resident_memory: 400 * 1024,
            virtual_memory: 8000 * 1024,
        };
        assert_eq!(process, expected);
        let limits = "Max open files            unlimited            unlimited            files\n";
        let process = Process::of(STAT, "btime 1\n", STATUS, limits, 7).unwrap();
        assert_eq!(process.most_descriptors, None);
        assert_eq!(Process::of("4242 (cut", "btime 1\n", STATUS, limits, 7), None);
        assert_eq!(Process::of(STAT, "", STATUS, limits, 7), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_tells_of_this_process() {
        let process = Process::read().unwrap();
        let age = SystemTime::now().duration_since(process.started).unwrap_or_default();
        assert!(age < Duration::from_secs(24 * 3600), "{process:?}");
        assert!(process.open_descriptors > 2 && process.resident_memory > 1024 * 1024);
        assert!(process.resident_memory <= process.virtual_memory);
    }
}
