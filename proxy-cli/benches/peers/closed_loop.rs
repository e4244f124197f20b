//! [`ClosedLoop`]: `wrk`, and what a proxy's part in its requests costs.

use crate::configuration::{file, log_file};
use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::processor_time::ProcessorTime;
use crate::scenario::Request;
use crate::wrk_report::WrkReport;
use std::fs;
use std::io;
use std::process::Command;

/// Clients that ask again as soon as they have their answer.
pub(crate) struct ClosedLoop<'run> {
    /// What they ask for.
    pub(crate) request: Request,
    /// Client connections at once.
    pub(crate) connections: u32,
    /// For how long.
    pub(crate) seconds: u32,
    /// Where `wrk` runs.
    pub(crate) machine: &'run Machine,
}

impl ClosedLoop<'_> {
    /// Loads a contestant: microseconds of processor time for a request, requests a second, and
    /// the latency of the median and of 99 in 100 in microseconds. An error says why the turn is
    /// void.
    pub(crate) fn measure(&self, contestant: &Contestant) -> Result<Vec<f64>, String> {
        // What our program has logged for earlier turns would fill the disk in the end.
        if let Ok(log) = fs::OpenOptions::new().write(true).open(log_file()) {
            log.set_len(0).map_err(|error| error.to_string())?;
        }
        let process = contestant.running.id();
        let before = ProcessorTime::settled(process).map_err(|error| error.to_string())?;
        let report = self.run(contestant)?;
        let after = ProcessorTime::settled(process).map_err(|error| error.to_string())?;
        let spent = after.since(&before)?;
        let each = spent.as_secs_f64() * 1e6 / report.requests as f64;
        Ok(vec![each, report.rate, report.p50, report.p99])
    }

    /// Loads a contestant. Every answer has been looked at when there is a report.
    pub(crate) fn run(&self, contestant: &Contestant) -> Result<WrkReport, String> {
        let said = self.wrk(contestant).map_err(|error| error.to_string())?;
        let report = WrkReport::parse(&said)?;
        report.check(self.request.body_bytes)?;
        Ok(report)
    }

    /// Runs `wrk` to its end and hands back what it says. `timeout` kills it if it hangs.
    fn wrk(&self, contestant: &Contestant) -> io::Result<String> {
        let Request { path, sent, .. } = self.request;
        let script = include_str!("request.lua")
            .replace("@METHOD@", if sent > 0 { "POST" } else { "GET" })
            .replace("@TARGET@", &contestant.way.target(contestant.origin, path))
            .replace("@ORIGIN@", &contestant.origin.to_string())
            .replace("@BODY@", &sent.to_string());
        let mut command = Command::new("timeout");
        command.args(["-s", "KILL", &(self.seconds + 10).to_string()]);
        command.args(["taskset", "-c", &self.machine.load_cores]);
        command.args(["wrk", "--latency", "-t", "1", "-c", &self.connections.to_string()]);
        command.args(["-d", &format!("{}s", self.seconds)]);
        command.arg("-s").arg(file("request.lua", &script)?);
        command.arg(format!("http://{}{path}", contestant.running.address));
        let output = command.output()?;
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!("wrk: {}: {}", output.status, complaint.trim())));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
