//! The paired benchmark: this proxy beside HAProxy, nginx, Squid, tinyproxy and a null relay, on
//! this machine, in this run.
//!
//! ```text
//! cargo bench -p proxy-cli --bench peers -- --help
//! ```
//!
//! What is measured is, first of all, the processor time a proxy spends on a request: unlike
//! requests per second it does not depend on how fast the load generator and the origin are, which
//! share the other cores. The proxies run on a core of their own, one at a time; in each round they
//! take turns in random order, so that whatever the machine does besides hits all of them
//! alike, and the ratios are formed within a round.
//!
//! ```text
//!   clients ──▶ one of: proxy-cli, null relay, haproxy, … ──▶ origin
//!  (the other cores)        (the first core)             (the other cores)
//! ```
//!
//! The null relay copies bytes and parses nothing: the floor for a program that copies. Nobody
//! writes a log, but for our program where that is what is measured; it sends `Via`. The peers'
//! configurations stand beside this file.
//!
//! A suite is a number of scenarios of which the same is measured ([`suite`]); [`scenario`] has
//! all of them, [`entrant`] who takes part. [`turn`] plays one. Load comes from `wrk`
//! ([`closed_loop`]) and, where it knows too little, from clients that are this program in another
//! role ([`short`], [`bulk`], [`crowd`], [`paced`]), as are the [`origin`] and the [`relay`].

#![forbid(unsafe_code)]

mod answer;
mod bulk;
mod calls;
mod chart;
mod closed_loop;
mod configuration;
mod contestant;
mod crowd;
mod document;
mod entrant;
mod facts;
mod family;
mod listener;
mod machine;
mod memory;
mod options;
mod origin;
mod paced;
mod part;
mod processor_time;
mod relay;
mod rest;
mod running;
mod scenario;
mod short;
mod site;
mod statistics;
mod suite;
mod table;
mod turn;
mod way;
mod wrk_report;

use document::Document;
use facts::Facts;
use machine::Machine;
use options::{Options, Role};
use running::Running;
use scenario::Scenario;
use std::fs;
use std::io;
use std::process::ExitCode;
use std::time::Duration;
use suite::Suite;
use table::Table;

fn main() -> ExitCode {
    // Thousands of connections have two descriptors each; whom we start inherits the limit. What
    // does not fit then is told of as void.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let outcome = match options::parse(std::env::args().skip(1)) {
        Ok(Role::Origin) => origin::run(),
        Ok(Role::Relay { to }) => relay::run(to),
        Ok(Role::Bulk(aim, transfer)) => bulk::run(aim, transfer),
        Ok(Role::Crowd(aim, crowd, count)) => crowd::run(aim, crowd, count),
        Ok(Role::Short(aim, count, seconds)) => short::run(aim, count, seconds),
        Ok(Role::Paced(aim, seconds)) => paced::run(aim, seconds),
        Ok(Role::Compare(options)) => compare(&options),
        Ok(Role::Help) => {
            println!("{}", options::USAGE);
            Ok(())
        }
        Ok(Role::List) => {
            list();
            Ok(())
        }
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

fn list() {
    for suite in Suite::ALL {
        println!("{}", suite.name());
        for scenario in Scenario::ALL.iter().filter(|scenario| scenario.suite == suite) {
            println!("    {scenario}");
        }
    }
}

/// Runs the chosen scenarios, prints a table for each, and writes the document if it is to be.
fn compare(options: &Options) -> io::Result<()> {
    if !cfg!(target_os = "linux") {
        println!("peers reads the processor time from /proc and pins to cores: Linux only");
        return Ok(());
    }
    let machine = Machine::look()?;
    println!("{machine}");
    tell_of_others(rest::others()?);
    let takes = options.scenarios.iter().map(|one| turn::estimate(one, options.effort(one.suite)));
    println!("this takes about {:.0} minutes", takes.sum::<Duration>().as_secs_f64() / 60.0);

    let itself = std::env::current_exe()?;
    let mut tables = Vec::new();
    for scenario in &options.scenarios {
        // A new one for each: nobody finds what others have left there.
        let cores = machine.load_cores(scenario.suite);
        let origin = Running::announced("origin", cores, &itself, &["origin".into()])?;
        let effort = options.effort(scenario.suite);
        let others = rest::others()?;
        let mut table = turn::play(scenario, effort, origin.address, &machine);
        table.others = others;
        println!("\n{table}");
        tell_of_others(others);
        tables.push(table);
    }
    let facts = options.suites().any(|suite| suite == Suite::Start);
    let facts = facts.then(|| Facts::look(options.build).to_string());
    if let Some(facts) = &facts {
        println!("{facts}");
    }
    println!("## What we lose at\n\n{}", document::losses(&tables));
    if options.write { write(options, &machine, &tables, facts.as_deref()) } else { Ok(()) }
}

/// Says if the machine is not at rest.
fn tell_of_others(share: f64) {
    if share > rest::AT_REST {
        println!("others use {:.0} % of the cores: measure again when they do not", share * 100.0);
    }
}

/// Puts the results into the document.
fn write(
    options: &Options,
    machine: &Machine,
    tables: &[Table],
    facts: Option<&str>,
) -> io::Result<()> {
    let mut document = Document::read()?;
    for suite in options.suites() {
        let effort = options.effort(suite);
        let of_suite = tables.iter().filter(|table| table.scenario.suite == suite);
        let others = of_suite.map(|table| table.others).fold(0.0, f64::max);
        let mut rounds = format!(
            "Rounds: {}. Others used at most {:.0} % of the cores before a row.",
            effort.rounds,
            others * 100.0
        );
        if others > rest::AT_REST {
            rounds += " **The machine was not at rest: this is to be measured again.**";
        }
        let facts = facts.filter(|_| suite == Suite::Start).unwrap_or_default();
        let part = document::part(suite, tables);
        document.put(&machine.part(suite), &format!("{rounds}\n\n{part}{facts}"))?;
    }
    if options.suites().count() == Suite::ALL.len() {
        document.put("machine", &machine.to_string())?;
        document.put("losses", &document::losses(tables))?;
        fs::write(document::path("benchmarks.svg"), chart::chart(tables))?;
    } else {
        println!("the plot and the list of losses are made when all suites are run");
    }
    document.write()
}
