//! `proxy-cli explain`: what the proxy would do with a request, and why.
//!
//! ```text
//! arguments, or a line ──▶ asked ──┐                ┌─▶ told   (for people)
//! of the log (logged)              ├─▶ answer ──────┤
//! the configuration ───────────────┘                └─▶ json   (for programs)
//! ```
//!
//! Rules are asked as the proxy asks them: by `Rules::explain`, which is the decision itself. What
//! stands behind them, the library settles where connections are made; here it is told from the
//! configuration, as far as that can be done without a network. And `limits` tells which throttles would
//! count the request.

mod admission;
mod answer;
mod arguments;
mod asked;
mod json;
mod limits;
mod logged;
mod moment;
mod told;

use std::io::{self, Write};
use std::process::ExitCode;

pub use arguments::{Arguments, NAME, command};

use crate::args::Args;
use crate::complaint::Complaint;
use crate::descriptors::Descriptors;
use crate::tell::tell;
use crate::{WRONG, fail, loading};
use answer::Answer;
use asked::Asked;

/// Exit code for a request that would be refused.
const REFUSED: u8 = 3;

/// Explains a request on standard output, and gives the exit code.
pub fn run(arguments: &Arguments) -> ExitCode {
    let wrong = |complaints: Vec<Complaint>| {
        complaints.iter().for_each(|complaint| tell!("{complaint}"));
        ExitCode::from(WRONG)
    };
    let args = Args { config: arguments.config.clone(), ..Args::default() };
    let config = match loading::load(&args, &Descriptors::raise(), Vec::new()) {
        Ok(config) => config,
        Err(complaints) => return wrong(complaints),
    };
    let asked = match Asked::new(arguments, &config) {
        Ok(asked) => asked,
        Err(problem) => return wrong(vec![Complaint::about("proxy-cli explain", problem)]),
    };
    let answer = Answer::new(&asked, &config);
    let text = match arguments.json {
        true => json::text(&answer, &asked, &config),
        false => told::text(&answer, &asked, &config),
    };
    if let Err(error) = io::stdout().write_all(text.as_bytes()) {
        return fail(&error);
    }
    match answer.refused {
        None => ExitCode::SUCCESS,
        Some(_) => ExitCode::from(REFUSED),
    }
}
