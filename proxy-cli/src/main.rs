//! `proxy-cli`: settings in front, `proxy-core` behind. No protocol code lives here.
//!
//! Flags and a file become a [`Config`], plain data, which is looked at as a whole before
//! anything is built from it. Whatever is wrong until then ends with 2; what goes wrong later,
//! with 1.

mod access_log;
mod args;
mod complaint;
mod config;
mod config_file;
mod descriptors;
mod diagnostics;
mod duration;
mod listen_address;
mod listing;
mod loading;
#[cfg(test)]
mod reference;
mod settings;
mod signals;
mod size;

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use proxy_core::{BuildError, ConnectPorts, Destinations, ProxyHandle};

use access_log::AccessLog;
use args::{Args, Task};
use config::Config;
use descriptors::Descriptors;
use signals::{Signal, Signals};

/// Whoever presses Ctrl-C does not want to wait for tunnels, which know no end of their own.
const DRAIN_TUNNELS_INTERACTIVE: Duration = Duration::from_secs(2);

/// Exit code for wrong usage or a wrong configuration; clap's is the same.
const WRONG: u8 = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    diagnostics::install(args.verbose);
    let descriptors = Descriptors::raise();
    let config = match loading::load(&args, &descriptors) {
        Ok(config) => config,
        Err(complaints) => {
            for complaint in complaints {
                eprintln!("{complaint}");
            }
            return ExitCode::from(WRONG);
        }
    };
    match args.task {
        Task::Run => run(&config, &descriptors),
        Task::Test => {
            eprintln!("the configuration is good");
            ExitCode::SUCCESS
        }
        Task::Print => match io::stdout().write_all(listing::list(&config).as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        },
    }
}

fn run(config: &Config, descriptors: &Descriptors) -> ExitCode {
    // Before any thread is started: all of them are to leave the signals to this one.
    let signals = match Signals::install() {
        Ok(signals) => signals,
        Err(error) => return fail(&error),
    };
    let log = match AccessLog::open(config.log_file.as_deref()) {
        Ok(log) => log,
        Err(error) => return fail(&error),
    };
    let proxy = match start(config, descriptors, &log) {
        Ok(proxy) => proxy,
        Err(error) => {
            let code = fail(&error);
            let advice = match &error {
                BuildError::Listen { source, .. } => listen_address::advice(source.kind()),
                BuildError::OpenProxy { .. } => Some(config::WHO_IS_SERVED),
                _ => None,
            };
            if let Some(advice) = advice {
                eprintln!("{advice}");
            }
            return code;
        }
    };
    announce(config, &proxy, descriptors);
    stop(proxy, signals, &log, config.drain)
}

fn start(
    config: &Config,
    descriptors: &Descriptors,
    log: &AccessLog,
) -> Result<ProxyHandle, BuildError> {
    let mut builder = config.builder(descriptors);
    for address in &config.listen {
        builder = builder.listen(address);
    }
    log.attach(config.log_format, builder).start()
}

/// Says where it listens, what to try, and what it can take.
fn announce(config: &Config, proxy: &ProxyHandle, descriptors: &Descriptors) {
    for address in proxy.local_addrs() {
        eprintln!("listening on {address}");
    }
    let first = reachable(proxy.local_addrs()[0]);
    match &config.upstream {
        None => eprintln!("try: curl -x http://{first} http://example.com/"),
        Some(upstream) => eprintln!("try: curl http://{first}/ (answered by http://{upstream})"),
    }
    let is_exposed =
        proxy.local_addrs().iter().any(|address| !address.ip().to_canonical().is_loopback());
    if is_exposed || !config.allow_client.is_empty() {
        announce_clients(config);
    }
    if is_exposed && config.upstream.is_none() {
        announce_destinations(config);
    }
    eprint!("at most {} connections at once", config.connections(descriptors));
    match config.connections {
        None => {
            eprintln!(": {} descriptors, two for each, and some for the rest", descriptors.limit())
        }
        Some(_) => eprintln!(", as set"),
    }
}

/// An address by which this machine itself reaches what listens on `address`.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

fn announce_clients(config: &Config) {
    match &*config.allow_client {
        [] => eprintln!("serving everybody who can reach it"),
        networks => eprintln!("serving clients in {}, and nobody else", listed(networks)),
    }
}

/// Says where it goes, where others than this machine can reach it.
fn announce_destinations(config: &Config) {
    let or_not = |items: &[Destinations], before: &str| match items {
        [] => String::new(),
        items => format!("{before}{}", listed(items)),
    };
    eprintln!(
        "connecting to public addresses{}{}",
        or_not(&config.allow_destination, ", and to "),
        or_not(&config.deny_destination, "; not to ")
    );
    match config.connect_port.as_ref().map(ConnectPorts::ranges) {
        None => eprintln!("tunnelling to port 443"),
        Some(None) => eprintln!("tunnelling to any port"),
        Some(Some(ranges)) => eprintln!("tunnelling to ports {}", listed(ranges)),
    }
}

fn listed<T: ToString>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

/// Waits until it is asked to stop, drains, and reports.
fn stop(proxy: ProxyHandle, mut signals: Signals, log: &AccessLog, drain: Duration) -> ExitCode {
    let tunnels = loop {
        match signals.wait() {
            Signal::Reopen => log.reopen(),
            Signal::Terminate => break drain,
            Signal::Interrupt => break drain.min(DRAIN_TUNNELS_INTERACTIVE),
        }
    };
    eprintln!(
        "stopping: no new connections; what is under way has {}, tunnels {}",
        duration::show(drain),
        duration::show(tunnels)
    );
    signals.exit_on_next();
    let report = proxy.shutdown_tunnels(drain, tunnels);
    eprintln!("stopped: {} connections drained, {} cut", report.drained, report.cut);
    ExitCode::SUCCESS
}

/// Tells of an error with everything that lies behind it.
fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprint!("proxy-cli: {error}");
    let mut source = error.source();
    while let Some(error) = source {
        eprint!(": {error}");
        source = error.source();
    }
    eprintln!();
    ExitCode::FAILURE
}
