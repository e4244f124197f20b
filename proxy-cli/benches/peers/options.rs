//! [`Role`] and [`Options`]: what the command line asks for.

use crate::scenario::Scenario;
use std::net::SocketAddr;

/// Shown when the command line is not understood.
pub(crate) const USAGE: &str = "\
usage: cargo bench -p proxy-cli --bench peers -- [--quick] [--rounds N] [--only NAME]
  --quick      5 rounds of 1 s instead of 15 of 2 s
  --rounds N   N rounds
  --only NAME  only the scenarios whose name contains NAME";

/// Which of its parts this process plays. The origin and the relay are this program too, so
/// that the benchmark needs nothing built or installed for them.
pub(crate) enum Role {
    /// The server behind all proxies.
    Origin,
    /// The proxy that parses nothing.
    Relay {
        /// Where the origin listens.
        to: SocketAddr,
    },
    /// The benchmark.
    Compare(Options),
    /// `cargo test --all-targets` started us: it runs benchmarks too, to see that they start.
    Nothing,
}

/// How the benchmark is to be run.
pub(crate) struct Options {
    /// How often each contestant has its turn.
    pub(crate) rounds: usize,
    /// Seconds of load in each turn: whole ones, because `wrk` knows no others.
    pub(crate) seconds: u32,
    /// What is measured.
    pub(crate) scenarios: Vec<&'static Scenario>,
}

/// Understands the arguments, without the program's name.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Role, String> {
    let mut arguments = arguments.peekable();
    match arguments.peek().map(String::as_str) {
        Some("origin") => return Ok(Role::Origin),
        Some("relay") => {
            let to = arguments.nth(1).and_then(|to| to.parse().ok());
            return Ok(Role::Relay { to: to.ok_or("relay needs the address of the origin")? });
        }
        _ => {}
    }

    let mut benchmark = false;
    let mut quick = false;
    let mut rounds = None;
    let mut only = String::new();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Cargo appends it under `cargo bench`.
            "--bench" => benchmark = true,
            "--quick" => quick = true,
            "--rounds" => {
                let number = arguments.next().and_then(|number| number.parse().ok());
                let number = number.filter(|number| *number > 0);
                rounds = Some(number.ok_or("--rounds needs a number above 0")?);
            }
            "--only" => only = arguments.next().ok_or("--only needs the name of a scenario")?,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    if !benchmark {
        return Ok(Role::Nothing);
    }
    let scenarios: Vec<_> = Scenario::ALL.iter().filter(|s| s.name.contains(&only)).collect();
    if scenarios.is_empty() {
        let names: Vec<_> = Scenario::ALL.iter().map(|s| s.name).collect();
        return Err(format!("no scenario is named {only}: there are {}", names.join(", ")));
    }
    Ok(Role::Compare(Options {
        rounds: rounds.unwrap_or(if quick { 5 } else { 15 }),
        seconds: if quick { 1 } else { 2 },
        scenarios,
    }))
}
