//! `proxy-cli exec`: a command behind a proxy of its own.
//!
//! ```text
//! arguments, allowed ──▶ gate ─┐                      ┌─▶ table    (standard error)
//! the configuration ───────────┴─▶ proxy ──▶ tally ───┴─▶ learned  (--learn)
//!                                    ▲
//! environment ──▶ child ─────────────┘   or, with --isolate: isolation, inside
//! ```
//!
//! Standard input and output are the command's, and so is standard error until it has ended.

mod allowed;
mod arguments;
mod child;
#[cfg(target_os = "linux")]
mod covered;
mod environment;
mod gate;
#[cfg(target_os = "linux")]
mod handing;
#[cfg(target_os = "linux")]
mod inside;
#[cfg(target_os = "linux")]
mod isolation;
mod learned;
#[cfg(target_os = "linux")]
mod loopback;
mod table;
mod tally;

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use proxy_core::{BuildError, DestinationGuard, ForwardHandler, ProxyBuilder, ProxyHandle, Tee};

pub use arguments::{Arguments, NAME, command};

use crate::access_log::AccessLog;
use crate::args::Args;
use crate::complaint::Complaint;
use crate::config::Config;
use crate::descriptors::Descriptors;
use crate::tell::tell;
use crate::{fail, loading};
use allowed::AllowList;
use child::Attendant;
use gate::Gate;
use tally::Tally;

/// Exit code where the proxy could not be started; other programs that run a command have the
/// same (env, timeout).
const FAILED: i32 = 125;
/// For wrong usage or a wrong configuration, as elsewhere.
const WRONG: i32 = 2;

/// What this program starts itself with, in the place of a subcommand: nobody else has a use for
/// it, so it is neither told of nor suggested.
const INSIDE: &str = "exec-inside";

/// Where the proxy listens, unless that is in a network of the command's own.
const HERE: &str = "127.0.0.1:0";

/// For what the command has left open: it has ended, so nobody waits for it, but what it has sent
/// last is to stand in the log as what it was.
const DRAIN: Duration = Duration::from_millis(500);

/// Runs a command, and gives the exit code.
pub fn run(arguments: &Arguments) -> i32 {
    let (limit, descriptors) = SoftLimit::raise();
    let prepared = allowed(arguments)
        .and_then(|allowed| Ok((allowed, configuration(arguments, &descriptors)?)));
    let (allowed, config) = match prepared {
        Ok(prepared) => prepared,
        Err(complaints) => {
            complaints.iter().for_each(|complaint| tell!("{complaint}"));
            return WRONG;
        }
    };
    if let Some(name) = environment::inherited() {
        tell!("proxy-cli: the proxy in {name} is not used: this one connects by itself");
    }
    match Run::new(arguments, &limit).run(allowed, &config, &descriptors) {
        Ok(code) | Err(code) => code,
    }
}

/// Becomes a command inside a network of its own, if that is what this process was started for:
/// see [`isolation`]. Gives the exit code where it cannot.
pub fn run_inside(arguments: impl Iterator<Item = OsString>) -> Option<i32> {
    let mut arguments = arguments.skip(1);
    let is_inside = arguments.next().is_some_and(|first| first == INSIDE);
    #[cfg(target_os = "linux")]
    return is_inside.then(|| inside::run(&arguments.collect::<Vec<_>>()));
    #[cfg(not(target_os = "linux"))]
    return is_inside.then_some(WRONG); // there are no such networks here
}

/// Where the command may go; `None`: everywhere.
fn allowed(arguments: &Arguments) -> Result<Option<AllowList>, Vec<Complaint>> {
    let mut list = AllowList::default();
    arguments.allow.iter().cloned().for_each(|allowed| list.push(allowed));
    for path in &arguments.allow_from {
        list.read(path)?;
    }
    // Who allows something means: and nothing else.
    let is_confined =
        arguments.deny_all || !arguments.allow.is_empty() || !arguments.allow_from.is_empty();
    Ok(is_confined.then_some(list))
}

/// The configuration of the file, but for where to listen and whom to serve, which is settled
/// here: on loopback, the command.
fn configuration(
    arguments: &Arguments,
    descriptors: &Descriptors,
) -> Result<Config, Vec<Complaint>> {
    let wrong = |what: &str, problem: &str| Err(vec![Complaint::about(what, problem)]);
    if arguments.isolate && cfg!(not(target_os = "linux")) {
        return wrong("--isolate", "only Linux has networks for a single command");
    }
    let args = Args {
        config: arguments.config.clone(),
        flags: vec![("listen", vec![HERE.to_owned()])],
        ..Args::default()
    };
    let mut config = loading::load(&args, descriptors, Vec::new())?;
    if config.upstream.is_some() {
        return wrong("upstream", "a command behind a proxy needs one that goes where it asks");
    }
    config.warnings().for_each(|warning| tell!("{warning}"));
    if config.ruled.as_ref().is_some_and(|ruled| ruled.rules().know_users()) {
        tell!("proxy-cli: rules about users match nobody: a command is not asked for a password");
    }
    config.allow_client = Vec::new();
    config.allow_open_proxy = false;
    config.reuse_port = false;
    if let Some(log) = &arguments.log {
        config.log_file = Some(log.clone());
        config.logs = Vec::new();
    }
    if let Some(path) = &arguments.learn {
        // Better now than when the command has run for an hour.
        let opened = OpenOptions::new().append(true).create(true).open(path);
        if let Err(error) = opened {
            let problem = format!("cannot be written: {error}");
            return Err(vec![Complaint::about(path.display().to_string(), problem)]);
        }
    }
    Ok(config)
}

/// A command on its way through this module.
struct Run<'a> {
    arguments: &'a Arguments,
    limit: &'a SoftLimit,
    tally: Tally,
}

impl<'a> Run<'a> {
    fn new(arguments: &'a Arguments, limit: &'a SoftLimit) -> Run<'a> {
        Run { arguments, limit, tally: Tally::default() }
    }

    /// # Errors
    /// The exit code where the command did not run; why has been told.
    fn run(
        &self,
        allowed: Option<AllowList>,
        config: &Config,
        descriptors: &Descriptors,
    ) -> Result<i32, i32> {
        let mut loggers = Tee::new().with(self.tally.clone());
        let mut log = None;
        if config.log_file.is_some() || !config.logs.is_empty() {
            let opened = AccessLog::open(config).map_err(|error| told(&error))?;
            loggers = loggers.with(log.insert(opened).logger());
        }
        let builder = config.builder(descriptors).logger(loggers);
        let builder = match config.rules_handler() {
            None => builder.handler(Gate::new(allowed, ForwardHandler)),
            Some(rules) => builder.handler(Gate::new(allowed, rules)),
        };
        let attendant = Attendant::install().map_err(|error| told(&error))?;
        let (proxy, mut child) = match self.arguments.isolate {
            false => self.start(builder)?,
            true => self.start_isolated(builder)?,
        };
        let ended = attendant.wait(&mut child);
        proxy.shutdown(DRAIN);
        drop(log);
        let code = ended.map(child::code).map_err(|error| told(&error))?;
        let counts = self.tally.counts();
        if !self.arguments.quiet {
            tell!("{}", table::table(&counts));
        }
        match &self.arguments.learn {
            Some(path) => {
                let guard = config.guard()(DestinationGuard::on_loopback());
                Ok(learn(path, &learned::list(&counts, &guard), code))
            }
            None => Ok(code),
        }
    }

    /// Starts the proxy, and then the command.
    fn start(&self, builder: ProxyBuilder) -> Result<(ProxyHandle, Child), i32> {
        let proxy = builder.listen(HERE).start().map_err(refused)?;
        let [program, arguments @ ..] = &*self.arguments.command else { return Err(WRONG) };
        let mut command = Command::new(program);
        command.args(arguments);
        environment::lead_to(proxy.local_addrs()[0], &mut command);
        let child = self.limit.restored(|| command.spawn()).map_err(|error| {
            tell!("proxy-cli: cannot run {}: {error}", program.display());
            child::code_of_failure(&error)
        })?;
        Ok((proxy, child))
    }

    /// Gets a socket from inside the network of the command, starts the proxy there, and then
    /// the command.
    #[cfg(target_os = "linux")]
    fn start_isolated(&self, builder: ProxyBuilder) -> Result<(ProxyHandle, Child), i32> {
        let start = || isolation::Isolated::start(&self.arguments.command);
        let (isolated, listener) = self.limit.restored(start).map_err(|error| {
            tell!("proxy-cli: {error}");
            FAILED
        })?;
        match builder.listener(proxy_core::TcpListener::from(listener)).start() {
            Ok(proxy) => Ok((proxy, isolated.release())),
            Err(error) => {
                isolated.give_up();
                Err(refused(error))
            }
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn start_isolated(&self, _: ProxyBuilder) -> Result<(ProxyHandle, Child), i32> {
        Err(WRONG) // that has been told with the configuration
    }
}

fn refused(error: BuildError) -> i32 {
    told(&error)
}

fn told(error: &dyn std::error::Error) -> i32 {
    fail(error);
    FAILED
}

/// Writes what was learned. A command that was content is not, where its list is lost.
fn learn(path: &Path, list: &str, code: i32) -> i32 {
    match std::fs::write(path, list) {
        Ok(()) => code,
        Err(error) => {
            tell!("proxy-cli: {} cannot be written: {error}", path.display());
            if code == 0 { FAILED } else { code }
        }
    }
}

/// The limit of open descriptors that this process was started with, and that the command is to
/// have: this one raises its own, and a program that uses `select` would not get along with that.
struct SoftLimit {
    #[cfg(unix)]
    before: Option<(u64, u64)>,
}

impl SoftLimit {
    /// Raises it, for this process.
    fn raise() -> (SoftLimit, Descriptors) {
        #[cfg(unix)]
        let limit = SoftLimit { before: rlimit::Resource::NOFILE.get().ok() };
        #[cfg(not(unix))]
        let limit = SoftLimit {};
        (limit, Descriptors::raise())
    }

    /// Does something, such as starting a process, under the limit as it was.
    fn restored<T>(&self, start: impl FnOnce() -> T) -> T {
        #[cfg(unix)]
        if let Some((soft, hard)) = self.before
            && let Ok((raised, _)) = rlimit::Resource::NOFILE.get()
        {
            // Both can fail only where the hard limit is another one meanwhile.
            let _ = rlimit::Resource::NOFILE.set(soft, hard);
            let started = start();
            let _ = rlimit::Resource::NOFILE.set(raised, hard);
            return started;
        }
        start()
    }
}
