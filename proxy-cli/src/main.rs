//! `proxy-cli`: flags in front, `proxy-core` behind. No protocol code lives here.

mod args;
mod descriptors;
mod diagnostics;
mod signals;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use proxy_core::{
    BuildError, FixedUpstreamHandler, JsonLogger, Limits, Proxy, ProxyHandle, TextLogger,
};

use args::{Args, LogFormat};
use descriptors::Descriptors;
use signals::{Signal, Signals};

/// What was under way when a stop was asked for has so long to come to its end.
const DRAIN: Duration = Duration::from_secs(30);
/// Whoever presses Ctrl-C does not want to wait for tunnels, which know no end of their own.
const DRAIN_TUNNELS_INTERACTIVE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let args = Args::parse();
    diagnostics::install(args.verbose);
    let descriptors = Descriptors::raise();
    // Before any thread is started: all of them are to leave the signals to this one.
    let signals = match Signals::install() {
        Ok(signals) => signals,
        Err(error) => return fail(&error),
    };
    let proxy = match start(&args, &descriptors) {
        Ok(proxy) => proxy,
        Err(error) => return fail(&error),
    };
    announce(&args, &proxy, &descriptors);
    stop(proxy, signals)
}

fn start(args: &Args, descriptors: &Descriptors) -> Result<ProxyHandle, BuildError> {
    let mut limits = Limits::default();
    limits.connections = descriptors.connections();
    let mut builder = Proxy::builder().limits(limits).workers(args.workers);
    for address in &args.listen {
        builder = builder.listen(address);
    }
    if let Some(upstream) = &args.upstream {
        builder = builder.handler(FixedUpstreamHandler::new(upstream.clone()));
    }
    if let Some(event_loops) = args.event_loops {
        builder = builder.event_loops(event_loops);
    }
    builder = match args.log_format {
        LogFormat::Text => builder.logger(TextLogger::stdout()),
        LogFormat::Json => builder.logger(JsonLogger::stdout()),
    };
    builder.start()
}

/// Says where it listens, what to try, and what it can take.
fn announce(args: &Args, proxy: &ProxyHandle, descriptors: &Descriptors) {
    for address in proxy.local_addrs() {
        eprintln!("listening on {address}");
    }
    let first = proxy.local_addrs()[0];
    match &args.upstream {
        None => eprintln!("try: curl -x http://{first} http://example.com/"),
        Some(upstream) => eprintln!("try: curl http://{first}/ (answered by http://{upstream})"),
    }
    eprintln!("{descriptors}");
}

/// Waits for a signal, drains, and reports.
fn stop(proxy: ProxyHandle, mut signals: Signals) -> ExitCode {
    let tunnels = match signals.wait() {
        Signal::Terminate => DRAIN,
        Signal::Interrupt => DRAIN_TUNNELS_INTERACTIVE,
    };
    eprintln!(
        "stopping: no new connections; what is under way has {} s, tunnels {} s",
        DRAIN.as_secs(),
        tunnels.as_secs()
    );
    signals.exit_on_next();
    let report = proxy.shutdown_tunnels(DRAIN, tunnels);
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
