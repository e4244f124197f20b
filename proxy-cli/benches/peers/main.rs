//! The paired benchmark: this proxy beside HAProxy, nginx and a null relay, on this machine,
//! in this run.
//!
//! ```text
//! cargo bench -p proxy-cli --bench peers -- [--quick] [--rounds N] [--only NAME]
//! ```
//!
//! What is measured is the processor time a proxy spends on a request: unlike requests per
//! second it does not depend on how fast the load generator and the origin are, which share
//! the other cores. The proxies run on a core of their own, one at a time; in each round they
//! take turns in random order, so that whatever the machine does besides hits all of them
//! alike, and the ratios are formed within a round.
//!
//! ```text
//!   wrk ───▶ one of: proxy-cli, null relay, haproxy, nginx ───▶ origin
//!  (the other cores)        (the first core)             (the other cores)
//! ```
//!
//! The null relay copies bytes and parses nothing: the floor for a program that copies. Our
//! program writes its access log, which cannot be turned off, to `/dev/null`, and sends `Via`;
//! the peers log nothing and add nothing. The peers' configurations stand beside this file.
//!
//! Not measured here: memory, tunnels, TLS, connections that serve one request only, links
//! with a real MTU (loopback's is 64 KiB, which flatters every program that copies).

#![forbid(unsafe_code)]

mod contestant;
mod listener;
mod load;
mod machine;
mod options;
mod origin;
mod processor_time;
mod relay;
mod report;
mod running;
mod scenario;
mod statistics;
mod wrk_report;

use contestant::{Contestant, Kind};
use machine::Machine;
use options::{Options, Role};
use report::{Entry, Table};
use running::Running;
use scenario::Scenario;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match options::parse(std::env::args().skip(1)) {
        Ok(Role::Origin) => origin::run(),
        Ok(Role::Relay { to }) => relay::run(to),
        Ok(Role::Compare(options)) => compare(&options),
        Ok(Role::Nothing) => {
            println!("peers is a benchmark: it runs under cargo bench");
            Ok(())
        }
        Err(wrong) => {
            eprintln!("peers: {wrong}\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the chosen scenarios and prints a table for each.
fn compare(options: &Options) -> io::Result<()> {
    if !cfg!(target_os = "linux") {
        println!("peers reads the processor time from /proc and pins to cores: Linux only");
        return Ok(());
    }
    let machine = Machine::look()?;
    println!("{machine}");
    let itself = std::env::current_exe()?;
    let origin = Running::announced("origin", &machine.load_cores, &itself, &["origin".into()])?;
    for scenario in &options.scenarios {
        let table = play(scenario, options, &machine, &origin)?;
        println!("\n{table}");
    }
    Ok(())
}

/// All rounds of one scenario.
fn play(
    scenario: &Scenario,
    options: &Options,
    machine: &Machine,
    origin: &Running,
) -> io::Result<Table> {
    let mut contestants = Vec::new();
    let mut table = Table::new(scenario, options.rounds);
    for kind in Kind::ALL {
        match Contestant::start(kind, scenario, origin.address, machine) {
            Ok(contestant) => {
                contestants.push(contestant);
                table.entries.push(Entry::new(kind.name()));
            }
            Err(error) => table.absent.push(format!("{}: {error}", kind.name())),
        }
    }
    for round in 1..=options.rounds {
        eprint!("\r{}: round {round} of {} ", scenario.name, options.rounds);
        for turn in shuffled(contestants.len()) {
            let sample =
                load::measure(&contestants[turn], scenario, origin.address, options, machine);
            table.entries[turn].samples.push(sample);
        }
    }
    eprintln!();
    Ok(table)
}

/// The numbers below `count` in random order (Fisher and Yates).
fn shuffled(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        // A fresh `RandomState` is the standard library's own source of randomness; its bias
        // over a handful of contestants is of no account.
        let random = RandomState::new().hash_one(last) as usize;
        order.swap(last, random % (last + 1));
    }
    order
}
