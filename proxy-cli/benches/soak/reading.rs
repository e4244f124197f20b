//! [`Reading`]: what a process holds at a moment, from `/proc`.

use std::fs;
use std::io;

/// What it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Reading {
    pub(crate) descriptors: f64,
    pub(crate) threads: f64,
    /// Memory that is really there, in MiB.
    pub(crate) memory: f64,
    /// The most there ever was of it.
    pub(crate) peak: f64,
}

impl Reading {
    /// Reads it.
    pub(crate) fn of(process: u32) -> io::Result<Reading> {
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let number = |name: &str| -> io::Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let word = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            word.ok_or_else(|| io::Error::other(format!("the process has no {name}")))
        };
        Ok(Reading {
            descriptors: fs::read_dir(format!("/proc/{process}/fd"))?.count() as f64,
            threads: number("Threads:")?,
            memory: number("VmRSS:")? / 1024.0,
            peak: number("VmHWM:")? / 1024.0,
        })
    }
}
