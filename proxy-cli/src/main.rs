//! `proxy-cli`: settings in front, `proxy-core` behind. No protocol code lives here.
//!
//! Flags and a file become a [`Config`], plain data, which is looked at as a whole before
//! anything is built from it. Whatever is wrong until then ends with 2; what goes wrong later,
//! with 1.

mod access_log;
mod admin;
mod args;
mod ask;
mod ban_file;
mod check;
mod complaint;
mod config;
mod config_file;
mod descriptors;
mod diagnostics;
mod duration;
mod exec;
mod explain;
mod hash_password;
mod kept_file;
mod listen_address;
mod listing;
mod loading;
mod log_overflow;
mod logs;
mod notify;
mod number;
mod passed;
mod privacy;
#[cfg(test)]
mod reference;
mod rules;
mod section;
mod service;
mod settings;
mod signals;
mod size;
mod tell;
mod throttles;
mod time_zone;
mod usage_file;
mod users;
mod word;

use std::env;
use std::io::{self, Write};
use std::process::{self, ExitCode};

use args::{Args, Subcommand, Task};
use config::Config;
use descriptors::Descriptors;
use passed::Passed;
use service::{Origin, Service};
use signals::Signals;
use tell::tell;

/// Exit code for wrong usage or a wrong configuration; clap's is the same.
const WRONG: u8 = 2;

fn main() -> ExitCode {
    if let Some(code) = exec::run_inside(env::args_os()) {
        process::exit(code);
    }
    let mut args = Args::parse();
    match args.subcommand.take() {
        // An exit code of a command may be any number.
        Some(Subcommand::Exec(arguments)) => {
            diagnostics::install(arguments.verbose);
            process::exit(exec::run(&arguments));
        }
        Some(Subcommand::Ask(question)) => return ask::run(&question),
        Some(Subcommand::Check(arguments)) => return check::run(&arguments),
        Some(Subcommand::Explain(arguments)) => return explain::run(&arguments),
        Some(Subcommand::HashPassword(arguments)) => return hash_password::run(&arguments),
        None => {}
    }
    diagnostics::install(args.verbose);
    let descriptors = Descriptors::raise();
    let passed = match Passed::take() {
        Ok(passed) => passed,
        Err(error) => {
            fail(&error);
            return ExitCode::from(WRONG);
        }
    };
    let config = match loading::load(&args, &descriptors, passed.addresses()) {
        Ok(config) => config,
        Err(complaints) => {
            for complaint in complaints {
                tell!("{complaint}");
            }
            return ExitCode::from(WRONG);
        }
    };
    if args.task != Task::Print {
        config.warnings().for_each(|warning| tell!("{warning}"));
    }
    match args.task {
        Task::Run => run(Origin { args, descriptors, passed }, config),
        Task::Test => {
            tell!("the configuration is good");
            ExitCode::SUCCESS
        }
        Task::Print => match io::stdout().write_all(listing::list(&config).as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        },
    }
}

fn run(origin: Origin, config: Config) -> ExitCode {
    // Before any thread is started: all of them are to leave the signals to this one.
    let signals = match Signals::install() {
        Ok(signals) => signals,
        Err(error) => return fail(&error),
    };
    match Service::start(origin, config) {
        Ok(service) => service.run(signals),
        Err(code) => code,
    }
}

/// Tells of an error with everything that lies behind it.
fn fail(error: &dyn std::error::Error) -> ExitCode {
    tell!("{}", why(error));
    ExitCode::FAILURE
}

/// An error in words, with everything that lies behind it.
fn why(error: &dyn std::error::Error) -> String {
    let mut words = format!("proxy-cli: {error}");
    let mut source = error.source();
    while let Some(error) = source {
        words += &format!(": {error}");
        source = error.source();
    }
    words
}
