//! [`Service`]: the proxy as the program runs it, from start to end.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use proxy_core::{BuildError, ConnectPorts, Destinations, ProxyBuilder, ProxyHandle, ReloadReport};

use crate::access_log::{self, AccessLog};
use crate::admin::{self, Admin, Bound, Done, Place, Wish, Wishes};
use crate::args::Args;
use crate::config::{self, Config};
use crate::descriptors::Descriptors;
use crate::kept_file::KeptFile;
use crate::passed::Passed;
use crate::signals::{self, Patience, Signal, Signals};
use crate::tell::tell;
use crate::usage_file::UsageFile;
use crate::{ban_file, duration, fail, listen_address, loading, notify, settings, why};

/// A running proxy, and what it is to be reloaded from.
pub struct Service {
    origin: Origin,
    config: Config,
    log: AccessLog,
    proxy: ProxyHandle,
    bans: Option<KeptFile>,
    usage: Option<UsageFile>,
    admin: Option<Admin>,
    wishes: Wishes,
    wished: Receiver<Wish>,
}

/// What the program was started with: a configuration comes from it, together with the file.
pub struct Origin {
    pub args: Args,
    pub descriptors: Descriptors,
    pub passed: Passed,
}

/// Whoever presses Ctrl-C does not want to wait for tunnels, which know no end of their own.
const DRAIN_TUNNELS_INTERACTIVE: Duration = Duration::from_secs(2);

impl Service {
    /// Starts it, and tells about it.
    ///
    /// # Errors
    /// It could not be started; that has been told.
    pub fn start(origin: Origin, config: Config) -> Result<Service, ExitCode> {
        let log = AccessLog::open(&config).map_err(|error| fail(&error))?;
        let bound = Bound::bind(&config)?;
        let mut builder = log.attach(listening(&config, &origin.descriptors));
        if let Some(bound) = &bound {
            let logger = bound.beside(log.logger(), &config);
            builder = bound.prepare(builder).logger(logger);
        }
        let builder = origin.passed.attach(builder).map_err(|error| fail(&error))?;
        let proxy = builder.start().map_err(|error| refuse(&error))?;
        let bans = keep_bans(&config, &proxy)?;
        let usage = keep_usage(&config, &proxy)?;
        let (wishes, wished) = admin::wishes();
        let admin = match bound {
            Some(bound) => Some(bound.start(&config, &proxy, wishes.clone())?),
            None => None,
        };
        let service = Service { origin, config, log, proxy, bans, usage, admin, wishes, wished };
        service.announce();
        service.tell_manager();
        Ok(service)
    }

    /// Serves until it is asked to stop, drains, and reports.
    pub fn run(mut self, signals: Signals) -> ExitCode {
        let patience = Patience::default();
        let wishes = self.wishes.clone();
        let forwarded = signals.forward(patience.clone(), move |signal| {
            // It fails only at the very end.
            let _ = wishes.send(Wish::Signal(signal));
        });
        if let Err(error) = forwarded {
            return fail(&error);
        }
        let tunnels = self.serve(&patience);
        // Whoever asks for something from now on is told that it stops.
        drop(self.wished);
        let stopping = format!(
            "stopping: no new connections; what is under way has {}, tunnels {}",
            duration::show(self.config.drain),
            duration::show(tunnels)
        );
        tell!("{stopping}");
        notify::stopping();
        notify::status(&stopping);
        let report = self.proxy.shutdown_tunnels(self.config.drain, tunnels);
        if let Some(admin) = self.admin {
            admin.end();
        }
        let lost = self.log.finish();
        tell!(
            "stopped: {} connections drained, {} cut; {} records logged, {} dropped",
            report.drained,
            report.cut,
            report.log.logged,
            report.log.dropped + report.log.panicked + lost
        );
        ExitCode::SUCCESS
    }

    /// Does what it is asked for until that is to stop; gives how long tunnels may take then.
    fn serve(&mut self, patience: &Patience) -> Duration {
        loop {
            // There is a sender for as long as this is.
            let wish = self.wished.recv().unwrap_or(Wish::Drain);
            let tunnels = match wish {
                Wish::Signal(Signal::HangUp) if self.origin.args.config.is_some() => {
                    let _ = self.reload();
                    continue;
                }
                Wish::Signal(Signal::Reopen) => {
                    self.log.reopen();
                    continue;
                }
                Wish::Reload(reply) => {
                    let done = match self.origin.args.config.is_some() {
                        true => self.reload(),
                        false => Err(vec![
                            "it was started without --config: there is no file to be read again"
                                .to_owned(),
                        ]),
                    };
                    // Whoever has asked may be gone.
                    let _ = reply.send(done);
                    continue;
                }
                Wish::Drain => {
                    // Whoever drains first and then sends a signal means the same stop.
                    patience.end_after(2);
                    return self.config.drain;
                }
                // The terminal is gone, and there is nothing to be read again.
                Wish::Signal(Signal::HangUp | Signal::Terminate) => self.config.drain,
                Wish::Signal(Signal::Interrupt) => self.config.drain.min(DRAIN_TUNNELS_INTERACTIVE),
            };
            patience.end_after(1);
            let is_stop = |wish| matches!(wish, Wish::Signal(signal) if signal.is_stop());
            if self.wished.try_iter().any(is_stop) {
                signals::exit();
            }
            return tunnels;
        }
    }

    /// Reads the configuration again and goes on by it. Where something is wrong with it, that is
    /// told and nothing changes.
    fn reload(&mut self) -> Done {
        notify::reloading();
        let done = self.try_reload().map(|report| lines_of_reload(&report));
        match &done {
            Ok(lines) => {
                lines.iter().for_each(|line| tell!("{line}"));
                tell!("reloaded: new requests are served by the new configuration");
            }
            Err(complaints) => {
                complaints.iter().for_each(|complaint| tell!("{complaint}"));
                tell!("not reloaded: everything is as it was");
            }
        }
        self.tell_manager();
        done
    }

    /// Tells a service manager that it serves.
    fn tell_manager(&self) {
        notify::status(&format!("listening on {}", listed(self.proxy.local_addrs())));
        notify::ready();
    }

    fn try_reload(&mut self) -> Result<ReloadReport, Vec<String>> {
        let Origin { args, descriptors, passed } = &self.origin;
        let mut config = loading::load(args, descriptors, passed.addresses())
            .map_err(|complaints| complaints.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        config.warnings().for_each(|warning| tell!("{warning}"));
        config.succeed(&self.config);
        let before = self.proxy.local_addrs().to_vec();
        let mut builder = listening(&config, descriptors);
        if let Some(admin) = &self.admin {
            builder = admin.prepare(builder);
        }
        let mut log = None;
        if access_log::differs(&config, &self.config) {
            let opened = AccessLog::open(&config).map_err(|error| vec![why(&error)])?;
            let opened = log.insert(opened);
            builder = match &self.admin {
                Some(admin) => builder.logger(admin.beside(opened.logger(), &config)),
                None => opened.attach(builder),
            };
        }
        let mut report = self.proxy.reload(builder).map_err(|error| refusal(&error, &before))?;
        if config.listen.is_empty() && !self.config.listen.is_empty() {
            // Only passed sockets are wanted from now on; but a builder without addresses leaves
            // those that are there.
            report.need_restart.push("listen");
        }
        match log {
            Some(log) => self.log = log,
            // Whoever has moved a log file away expects this of either signal.
            None => self.log.reopen(),
        }
        if config.ban_file.as_deref() != self.bans.as_ref().map(KeptFile::path) {
            match keep_bans(&config, &self.proxy) {
                Ok(bans) => self.bans = bans,
                // That has been told; all else is in effect.
                Err(_) => report.need_restart.push("ban_file"),
            }
        }
        if config.usage_file.as_deref() != self.usage.as_ref().map(UsageFile::path) {
            match keep_usage(&config, &self.proxy) {
                Ok(usage) => self.usage = usage,
                Err(_) => report.need_restart.push("usage_file"),
            }
        } else if let Some(usage) = &self.usage {
            usage.follow(self.proxy.throttles());
        }
        if config.admin.address != self.config.admin.address {
            report.need_restart.push("admin");
        }
        if let Some(admin) = &mut self.admin {
            admin.follow(&config);
        }
        self.config = config;
        Ok(report)
    }

    /// Says where it listens, what to try, and what it can take.
    fn announce(&self) {
        let Service { config, proxy, origin, .. } = self;
        let descriptors = &origin.descriptors;
        for address in proxy.local_addrs() {
            tell!("listening on {address}");
        }
        if let Some(admin) = &self.admin {
            match admin.place() {
                Place::Tcp(address) => tell!(
                    "administration at http://{address}/; try: proxy-cli status --admin {}",
                    reachable(*address)
                ),
                Place::File(file) => {
                    tell!("administration at {file}; try: proxy-cli status --admin {file}");
                }
            }
        }
        let first = reachable(proxy.local_addrs()[0]);
        match &config.upstream {
            None => tell!("try: curl -x http://{first} http://example.com/"),
            Some(upstream) => tell!("try: curl http://{first}/ (answered by http://{upstream})"),
        }
        let is_exposed =
            proxy.local_addrs().iter().any(|address| !address.ip().to_canonical().is_loopback());
        if is_exposed || !config.allow_client.is_empty() {
            announce_clients(config);
        }
        if let Some(door) = &config.door {
            match door.users() {
                Some(users) => tell!("asking for the password of one of {users} users"),
                None => tell!(
                    "asking for a password, and {} whether it is right",
                    config.logins.command[0]
                ),
            }
        }
        if is_exposed && config.upstream.is_none() {
            announce_destinations(config);
        }
        let connections = config.connections(descriptors);
        match config.connections {
            None => tell!(
                "at most {connections} connections at once: {} descriptors, two for each, and \
                 some for the rest",
                descriptors.limit()
            ),
            Some(_) => tell!("at most {connections} connections at once, as set"),
        }
    }
}

/// What there is to say of a reload.
fn lines_of_reload(report: &ReloadReport) -> Vec<String> {
    let added = report.added.iter().map(|address| format!("listening on {address}"));
    let removed = report.removed.iter().map(|address| format!("no longer listening on {address}"));
    let mut lines: Vec<_> = added.chain(removed).collect();
    if !report.need_restart.is_empty() {
        let name = |&field| match field {
            "share_addresses" => "reuse-port",
            field => settings::of_field(field).map_or(field, |setting| setting.name),
        };
        let names: Vec<_> = report.need_restart.iter().map(name).collect();
        lines.push(format!("at the next start only: {}", names.join(", ")));
    }
    lines
}

/// Keeps bans over restarts, if they are to be kept.
fn keep_bans(config: &Config, proxy: &ProxyHandle) -> Result<Option<KeptFile>, ExitCode> {
    let Some(path) = &config.ban_file else { return Ok(None) };
    let kept = ban_file::keep(path, proxy.bans());
    kept.map(Some).map_err(|error| {
        tell!("proxy-cli: the bans in {} cannot be read: {error}", path.display());
        ExitCode::FAILURE
    })
}

/// Keeps what was used of quotas over restarts, if that is to be kept.
fn keep_usage(config: &Config, proxy: &ProxyHandle) -> Result<Option<UsageFile>, ExitCode> {
    let Some(path) = &config.usage_file else { return Ok(None) };
    let kept = UsageFile::keep(path, proxy.throttles());
    kept.map(Some).map_err(|error| {
        tell!("proxy-cli: what was used, in {}, cannot be kept: {error}", path.display());
        ExitCode::FAILURE
    })
}

/// A builder with everything but the log, and the sockets that were passed: these stay over a
/// reload.
fn listening(config: &Config, descriptors: &Descriptors) -> ProxyBuilder {
    config.listen.iter().fold(config.builder(descriptors), ProxyBuilder::listen)
}

/// Tells why a proxy cannot be as the configuration wants it, and what to do.
fn refuse(error: &BuildError) -> ExitCode {
    refusal(error, &[]).iter().for_each(|line| tell!("{line}"));
    ExitCode::FAILURE
}

/// Why a proxy that listens on `own` cannot be as the configuration wants it, and what to do.
fn refusal(error: &BuildError, own: &[SocketAddr]) -> Vec<String> {
    let mut lines = vec![why(error)];
    match error {
        BuildError::Listen { address, source } => {
            let overlaps = |own: &&SocketAddr| address.ends_with(&format!(":{}", own.port()));
            match own.iter().find(overlaps) {
                Some(own) if source.kind() == io::ErrorKind::AddrInUse => lines.push(format!(
                    "this proxy listens on {own}: an address that overlaps with it takes its \
                     place at the next start only"
                )),
                _ => lines.extend(listen_address::advice(source.kind()).map(str::to_owned)),
            }
        }
        BuildError::OpenProxy { .. } => lines.push(config::WHO_IS_SERVED.to_owned()),
        _ => {}
    }
    lines
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
        [] => tell!("serving everybody who can reach it"),
        networks => tell!("serving clients in {}, and nobody else", listed(networks)),
    }
}

/// Says where it goes, where others than this machine can reach it.
fn announce_destinations(config: &Config) {
    let or_not = |items: &[Destinations], before: &str| match items {
        [] => String::new(),
        items => format!("{before}{}", listed(items)),
    };
    tell!(
        "connecting to public addresses{}{}",
        or_not(&config.allow_destination, ", and to "),
        or_not(&config.deny_destination, "; not to ")
    );
    match config.connect_port.as_ref().map(ConnectPorts::ranges) {
        None => tell!("tunnelling to port 443"),
        Some(None) => tell!("tunnelling to any port"),
        Some(Some(ranges)) => tell!("tunnelling to ports {}", listed(ranges)),
    }
}

fn listed<T: ToString>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
