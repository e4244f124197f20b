//! Calls: how often a program calls the system for a request, and how often it sleeps.

use crate::closed_loop::ClosedLoop;
use crate::contestant::Contestant;
use crate::family::family;
use crate::running::{directory, installed};
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// System calls for each request, by sort, and the sleeps of its threads for each request. An
/// error says why the turn is void.
///
/// The sleeps are counted by the kernel (`voluntary_ctxt_switches`) in a run of its own: under
/// `strace` a program is many times slower, finds more to do each time it looks, and so polls less.
pub(crate) fn measure(contestant: &Contestant, load: &ClosedLoop<'_>) -> Result<Vec<f64>, String> {
    let process = contestant.running.id();
    let before = sleeps(process).map_err(|error| error.to_string())?;
    let requests = load.run(contestant)?.requests as f64;
    let slept = sleeps(process).map_err(|error| error.to_string())? - before;

    let trace = Trace::start(process).map_err(|error| error.to_string())?;
    let report = load.run(contestant);
    let calls = trace.stop().map_err(|error| error.to_string())?;
    let traced = report?.requests as f64;
    let sum = |among: &[&str]| {
        let calls = calls.iter().filter(|(name, _)| among.contains(&&**name));
        calls.map(|(_, count)| *count as f64).sum::<f64>() / traced
    };
    let all: f64 = calls.iter().map(|(_, count)| *count as f64).sum::<f64>() / traced;
    let reads = sum(&["read", "recvfrom", "recvmsg", "readv"]);
    let writes = sum(&["write", "sendto", "sendmsg", "writev"]);
    let polls = sum(&["epoll_wait", "epoll_pwait", "epoll_pwait2"]);
    Ok(vec![all, reads, writes, polls, all - reads - writes - polls, slept as f64 / requests])
}

/// How often the threads of a program have given up their core.
fn sleeps(process: u32) -> io::Result<u64> {
    let mut total = 0;
    for process in family(process)? {
        for task in fs::read_dir(format!("/proc/{process}/task"))? {
            let status = fs::read_to_string(task?.path().join("status"))?;
            let line =
                status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            total += line.and_then(|line| line.trim().parse::<u64>().ok()).unwrap_or(0);
        }
    }
    Ok(total)
}

/// `strace -c`, attached to a program.
struct Trace {
    child: Child,
}

const SUMMARY: &str = "strace.txt";

impl Trace {
    fn start(process: u32) -> io::Result<Trace> {
        let mut command = Command::new(installed("strace", "strace")?);
        command.args(["-f", "-c", "-o"]).arg(Path::new(directory()).join(SUMMARY));
        let family = family(process)?;
        for process in &family {
            command.args(["-p", &process.to_string()]);
        }
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let mut trace = Trace { child };
        let started = Instant::now();
        while !family.iter().all(|process| is_traced(*process)) {
            if started.elapsed() > Duration::from_secs(5) || trace.child.try_wait()?.is_some() {
                return Err(io::Error::other("strace may not attach to the proxy"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(trace)
    }

    /// Detaches: how often each system call was made.
    fn stop(mut self) -> io::Result<Vec<(String, u64)>> {
        // Interrupted, it lets the program go and writes its table.
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status()?;
        self.child.wait()?;
        let table = fs::read_to_string(Path::new(directory()).join(SUMMARY))?;
        // `% time  seconds  usecs/call  calls  [errors]  syscall`
        let rows = table.lines().filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let name = words.last().filter(|name| **name != "total")?;
            Some(((*name).to_owned(), words.get(3)?.parse().ok()?))
        });
        Ok(rows.collect())
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        // Killed, it lets the program go too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_traced(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() != "0")
}
