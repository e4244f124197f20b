//! `proxy-cli check --privacy`: what an upstream gets to know of a client.
//!
//! ```text
//! browser ──▶ a proxy as it is configured ──▶ echo
//!    └────────────▶ report ◀────────────────────┘
//! ```
//!
//! All of it is on loopback, and over when the report is made.

mod arguments;
mod browser;
mod echo;
mod report;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use proxy_core::{Authority, DestinationGuard, FixedUpstreamHandler, ForwardHandler};

pub use arguments::{Arguments, NAME, command};

use crate::args::Args;
use crate::config::Config;
use crate::descriptors::Descriptors;
use crate::{WRONG, fail, loading, tell::tell};
use echo::Echo;
use report::Report;
use std::process::ExitCode;

/// All of it happens on this machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Sends a request through a proxy and shows what has come of it.
pub fn run(arguments: &Arguments) -> ExitCode {
    let descriptors = Descriptors::raise();
    let args = Args {
        config: arguments.config.clone(),
        flags: vec![("listen", vec!["127.0.0.1:0".to_owned()])],
        ..Args::default()
    };
    let config = match loading::load(&args, &descriptors, Vec::new()) {
        Ok(config) => config,
        Err(complaints) => {
            complaints.iter().for_each(|complaint| tell!("{complaint}"));
            return ExitCode::from(WRONG);
        }
    };
    let report = match look(&config, &descriptors) {
        Ok(report) => report,
        Err(error) => return fail(&error),
    };
    match io::Write::write_all(&mut io::stdout(), report.to_string().as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Has a browser ask an echo, through a proxy with these settings.
fn look(config: &Config, descriptors: &Descriptors) -> io::Result<Report> {
    let echo = Echo::start()?;
    let upstream = echo.address();
    // Who is served, where it may go and what is logged is not what is asked about here.
    let mut config = config.clone();
    (config.allow_client, config.allow_open_proxy) = (Vec::new(), false);
    config.reuse_port = false;
    let is_fixed = config.upstream.is_some();
    let builder = config
        .builder(descriptors)
        .guard(|_| DestinationGuard::on_loopback())
        .event_loops(1)
        .listen("127.0.0.1:0");
    let builder = match is_fixed {
        true => builder.handler(FixedUpstreamHandler::new(authority(upstream))),
        false => builder.handler(ForwardHandler),
    };
    let proxy = builder.start().map_err(io::Error::other)?;
    let sent = browser::request(upstream, !is_fixed);
    let answered = browser::ask(proxy.local_addrs()[0], &sent);
    let seen = answered.and_then(|()| echo.seen());
    proxy.shutdown(Duration::ZERO);
    Ok(Report::new(&sent, &seen?))
}

fn authority(address: SocketAddr) -> Authority {
    address.to_string().parse().expect("an address is an authority")
}
