//! [`Role`] and [`Options`]: what the command line asks for.

use crate::part::Aim;
use crate::scenario::{Crowd, Scenario, Transfer};
use crate::suite::{Effort, Suite};
use std::net::SocketAddr;

/// Shown on request, and when the command line is not understood.
pub(crate) const USAGE: &str = "\
usage: cargo bench -p proxy-cli --bench peers -- [OPTION]...
  --quick       fewer and shorter rounds: about ten minutes instead of an hour
  --rounds N    N rounds
  --suite NAME  only this suite; several are possible
  --only NAME   only the scenarios whose name contains NAME
  --write       put the results into docs/benchmarks.md, and draw docs/benchmarks.svg when all
                suites have been run
  --build       also measure how long a clean build takes
  --list        print the names of the suites and scenarios
  --help        print this";

/// Which of its parts this process plays. The origin, the relay and the clients are this program
/// too, so that the benchmark needs nothing built or installed for them.
pub(crate) enum Role {
    /// The server behind all proxies.
    Origin,
    /// The proxy that parses nothing.
    Relay {
        /// Where the origin listens.
        to: SocketAddr,
    },
    /// The client that moves 256 MB.
    Bulk(Aim, Transfer),
    /// Clients that wait.
    Crowd(Aim, Crowd, usize),
    /// Clients with a connection for each request: how many, and for how many seconds.
    Short(Aim, usize, u32),
    /// Clients at a fixed rate, for so many seconds.
    Paced(Aim, u32),
    /// The benchmark.
    Compare(Options),
    /// Say how it is used.
    Help,
    /// Say what there is.
    List,
    /// `cargo test --all-targets` started us: it runs benchmarks too, to see that they start.
    Nothing,
}

/// How the benchmark is to be run.
pub(crate) struct Options {
    rounds: Option<usize>,
    quick: bool,
    /// What is measured.
    pub(crate) scenarios: Vec<&'static Scenario>,
    /// Whether each suite that is run is run as a whole.
    pub(crate) whole_suites: bool,
    /// Whether the document gets the results.
    pub(crate) write: bool,
    /// Whether a build is measured.
    pub(crate) build: bool,
}

impl Options {
    /// How long a suite is measured.
    pub(crate) fn effort(&self, suite: Suite) -> Effort {
        let effort = suite.effort(self.quick);
        // System calls are counted, not timed: once is enough.
        let rounds = self.rounds.filter(|_| suite != Suite::Calls);
        Effort { rounds: rounds.unwrap_or(effort.rounds), ..effort }
    }

    /// The suites that are run.
    pub(crate) fn suites(&self) -> impl Iterator<Item = Suite> {
        let runs = |suite: &Suite| self.scenarios.iter().any(|one| one.suite == *suite);
        Suite::ALL.into_iter().filter(runs)
    }
}

/// Understands the arguments, without the program's name.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Role, String> {
    let mut arguments = arguments.peekable();
    if let Some(first) = arguments.peek().filter(|first| !first.starts_with("--")).cloned() {
        arguments.next();
        let role = played(&first, &mut arguments);
        return role.ok_or_else(|| format!("not understood: {first} and what comes behind it"));
    }

    let mut options = Options {
        rounds: None,
        quick: false,
        scenarios: Vec::new(),
        whole_suites: true,
        write: false,
        build: false,
    };
    let mut benchmark = false;
    let mut suites = Vec::new();
    let mut only = String::new();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Cargo appends it under `cargo bench`.
            "--bench" => benchmark = true,
            "--quick" => options.quick = true,
            "--write" => options.write = true,
            "--build" => options.build = true,
            "--rounds" => {
                let number = arguments.next().and_then(|number| number.parse().ok());
                let number = number.filter(|number| *number > 0);
                options.rounds = Some(number.ok_or("--rounds needs a number above 0")?);
            }
            "--suite" => {
                let name = arguments.next().unwrap_or_default();
                let suite = Suite::ALL.into_iter().find(|suite| suite.name() == name);
                suites.push(suite.ok_or_else(|| format!("no suite is named {name:?}"))?);
            }
            "--only" => only = arguments.next().ok_or("--only needs the name of a scenario")?,
            "--list" => return Ok(Role::List),
            "--help" => return Ok(Role::Help),
            other => return Err(format!("unknown argument {other}")),
        }
    }
    if !benchmark {
        return Ok(Role::Nothing);
    }
    let asked = |suite| suites.is_empty() || suites.contains(&suite);
    let scenarios = Scenario::ALL.iter();
    options.scenarios =
        scenarios.filter(|one| asked(one.suite) && one.name.contains(&only)).collect();
    options.whole_suites = only.is_empty();
    if options.scenarios.is_empty() {
        return Err(format!("no scenario is named {only:?} there: --list names them"));
    }
    if options.write && !options.whole_suites {
        return Err("--write takes whole suites: it does not go with --only".into());
    }
    Ok(Role::Compare(options))
}

/// Understands what this program is started with by itself.
fn played(first: &str, arguments: &mut impl Iterator<Item = String>) -> Option<Role> {
    match first {
        "origin" => Some(Role::Origin),
        "relay" => Some(Role::Relay { to: arguments.next()?.parse().ok()? }),
        "bulk" => Some(Role::Bulk(Aim::parse(arguments)?, Transfer::of(&arguments.next()?)?)),
        "crowd" => {
            let (aim, crowd) = (Aim::parse(arguments)?, Crowd::of(&arguments.next()?)?);
            Some(Role::Crowd(aim, crowd, arguments.next()?.parse().ok()?))
        }
        "short" => {
            let (aim, count) = (Aim::parse(arguments)?, arguments.next()?.parse().ok()?);
            Some(Role::Short(aim, count, arguments.next()?.parse().ok()?))
        }
        "paced" => Some(Role::Paced(Aim::parse(arguments)?, arguments.next()?.parse().ok()?)),
        _ => None,
    }
}
