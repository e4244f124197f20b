//! [`Options`]: what the command line asks for.

use std::time::Duration;

/// Shown when it is asked for, or when the command line is not understood.
pub(crate) const USAGE: &str = "\
usage: cargo bench -p proxy-cli --bench soak -- [OPTIONS]
  --minutes N        how long there is load: 5 minutes unless said otherwise
  --seconds N        the same in seconds, 10 at least
  --seed N           what the actors do by chance: 1 unless said otherwise
  --rotate-every N   seconds between two rotations of the access log: 10; 0 is never
  --reload-every N   seconds between two reloads of the configuration: 3; 0 is never
  --keep             keep the folder with the logs although all went well
  --help             this text
It needs Linux, and about 6 MB of disk for each minute.";

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// The run.
    Run(Options),
    /// To say how it is used.
    Help,
    /// Nothing: `cargo test --all-targets` starts benchmarks, too, to see that they start.
    Nothing,
}

/// How the run is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// How long there is load.
    pub(crate) time: Duration,
    pub(crate) seed: u64,
    /// Zero is never.
    pub(crate) rotate_every: Duration,
    /// Zero is never.
    pub(crate) reload_every: Duration,
    pub(crate) keeps_logs: bool,
}

/// A shorter run has too few readings to tell whether anything grows.
const SHORTEST: Duration = Duration::from_secs(10);

/// Understands the arguments, without the program's name.
pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Task, String> {
    let mut options = Options {
        time: Duration::from_secs(5 * 60),
        seed: 1,
        rotate_every: Duration::from_secs(10),
        reload_every: Duration::from_secs(3),
        keeps_logs: false,
    };
    let mut is_benchmark = false;
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let number = arguments.next().and_then(|number| number.parse::<u64>().ok());
            number.ok_or_else(|| format!("{argument} needs a whole number"))
        };
        let seconds = |number: u64| Duration::from_secs(number.min(u64::from(u32::MAX)));
        match argument.as_str() {
            // Cargo appends it under `cargo bench`.
            "--bench" => is_benchmark = true,
            "--help" | "-h" => return Ok(Task::Help),
            "--minutes" => options.time = seconds(number()?) * 60,
            "--seconds" => options.time = seconds(number()?),
            "--seed" => options.seed = number()?,
            "--rotate-every" => options.rotate_every = seconds(number()?),
            "--reload-every" => options.reload_every = seconds(number()?),
            "--keep" => options.keeps_logs = true,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    if !is_benchmark {
        return Ok(Task::Nothing);
    }
    if options.time < SHORTEST {
        return Err(format!("at least {} s are needed to tell anything", SHORTEST.as_secs()));
    }
    Ok(Task::Run(options))
}
