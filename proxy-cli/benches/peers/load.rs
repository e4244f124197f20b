//! [`measure`]: one contestant's turn.

use crate::contestant::{self, Contestant};
use crate::machine::Machine;
use crate::options::Options;
use crate::processor_time::ProcessorTime;
use crate::scenario::{Mode, Scenario};
use crate::wrk_report::WrkReport;
use std::io;
use std::net::SocketAddr;
use std::process::Command;

/// What one turn showed.
pub(crate) struct Sample {
    /// Microseconds of processor time for each request.
    pub(crate) cpu_per_request: f64,
    /// Requests in a second.
    pub(crate) rate: f64,
    /// The latency half of the requests had at most, in microseconds.
    pub(crate) p50: f64,
    /// The same for 99 of 100.
    pub(crate) p99: f64,
}

/// Loads a contestant and reads what that cost it. An error says why the turn is void.
pub(crate) fn measure(
    contestant: &Contestant,
    scenario: &Scenario,
    origin: SocketAddr,
    options: &Options,
    machine: &Machine,
) -> Result<Sample, String> {
    let process = contestant.running.id();
    let before = ProcessorTime::settled(process).map_err(|error| error.to_string())?;
    let said = wrk(contestant, scenario, origin, options, machine).map_err(|e| e.to_string())?;
    let after = ProcessorTime::settled(process).map_err(|error| error.to_string())?;

    let report = WrkReport::parse(&said)?;
    report.check(scenario.body_bytes)?;
    let spent = after.since(&before)?;
    Ok(Sample {
        cpu_per_request: spent.as_secs_f64() * 1e6 / report.requests as f64,
        rate: report.rate,
        p50: report.p50,
        p99: report.p99,
    })
}

/// Runs `wrk` to its end and hands back what it says. `timeout` kills it if it hangs.
fn wrk(
    contestant: &Contestant,
    scenario: &Scenario,
    origin: SocketAddr,
    options: &Options,
    machine: &Machine,
) -> io::Result<String> {
    let address = contestant.running.address;
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", &(options.seconds + 10).to_string()]);
    command.args(["taskset", "-c", &machine.load_cores]);
    command.args(["wrk", "--latency", "-t", "1", "-c", &scenario.connections.to_string()]);
    command.args(["-d", &format!("{}s", options.seconds)]);
    if scenario.mode == Mode::Forward {
        let script = include_str!("forward.lua");
        command.arg("-s").arg(contestant::written("forward.lua", script, address, origin)?);
    }
    command.arg(format!("http://{address}{}", scenario.path));
    let output = command.output()?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("wrk: {}: {}", output.status, complaint.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
