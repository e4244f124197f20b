//! [`Config`]: what is set, as plain data, until a proxy is built from it.

mod building;
mod possible;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use proxy_core::admin::AdminToken;
use proxy_core::{
    Authority, BanPolicy, ConnectPorts, Destinations, Limits, LogOverflow, Network, Timeouts,
};

pub use possible::{Impossible, WHO_IS_SERVED};

use crate::admin::AdminSettings;
use crate::descriptors::Descriptors;
use crate::logs::WrittenLog;
use crate::privacy::{Disclosure, LogAddresses};
use crate::rules::Ruled;
use crate::throttles::WrittenThrottle;
use crate::time_zone::TimeZone;
use crate::users::{Door, Logins};
use crate::word::{Word, words};

/// All settings. What is `None` has not been set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What to bind; may be empty where sockets were passed.
    pub listen: Vec<String>,
    /// Where sockets listen that a service manager has passed. Not a setting.
    pub passed: Vec<SocketAddr>,
    /// That other processes may listen on the same addresses.
    pub reuse_port: bool,
    pub upstream: Option<Authority>,
    pub log_format: LogFormat,
    /// `None`: standard output.
    pub log_file: Option<PathBuf>,
    /// Several of them, in the place of that one.
    pub logs: Vec<WrittenLog>,
    /// What is done when they cannot keep up.
    pub log_overflow: LogOverflow,
    /// Who is served. Empty: everybody who gets here, which must be nobody but this machine, unless
    /// there is an upstream or `allow_open_proxy` says otherwise.
    pub allow_client: Vec<Network>,
    /// That everybody is served is meant.
    pub allow_open_proxy: bool,
    pub allow_destination: Vec<Destinations>,
    pub deny_destination: Vec<Destinations>,
    /// `None`: what the library does, which depends on where it listens.
    pub connect_port: Option<ConnectPorts>,
    /// That browsers are told how to use the proxy, if they ask it.
    pub pac: bool,
    pub forwarded_for: Forwarding,
    /// What upstreams are told, and not told, of what clients say of themselves.
    pub disclosure: Disclosure,
    pub log_addresses: LogAddresses,
    pub bans: BanPolicy,
    /// Where bans are kept over restarts.
    pub ban_file: Option<PathBuf>,
    /// Who is asked for a password.
    pub logins: Logins,
    /// The one who asks, once the files have been read. Not a setting.
    pub door: Option<Door>,
    /// Where those who look after it are answered.
    pub admin: AdminSettings,
    /// What they have to know, once the file has been read. Not a setting.
    pub admin_token: Option<AdminToken>,
    /// Whose word about other clients is taken.
    pub trusted_proxies: Vec<Network>,
    pub event_loops: Option<usize>,
    pub workers: usize,
    /// Whether what it does is counted.
    pub metrics: bool,
    /// How many hosts, clients and users the metrics name.
    pub metrics_top: usize,
    /// In the place of the one in `limits`, whose default depends on the system here.
    pub connections: Option<usize>,
    pub limits: Limits,
    pub timeouts: Timeouts,
    /// How long what is under way may take when a stop is asked for.
    pub drain: Duration,
    /// How much there may be of what.
    pub throttles: Vec<WrittenThrottle>,
    /// Where it is kept over restarts what was used of volumes.
    pub usage_file: Option<PathBuf>,
    /// Whose hours the rules tell, and whose days volumes are of.
    pub time_zone: TimeZone,
    /// Rules, lists and routes, as they stand in a file.
    pub sections: String,
    /// The rules of those sections, once they are ready.
    pub ruled: Option<Ruled>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: vec!["127.0.0.1:8888".to_owned()],
            passed: Vec::new(),
            reuse_port: false,
            upstream: None,
            log_format: LogFormat::Text,
            log_file: None,
            logs: Vec::new(),
            log_overflow: LogOverflow::Drop,
            allow_client: Vec::new(),
            allow_open_proxy: false,
            allow_destination: Vec::new(),
            deny_destination: Vec::new(),
            connect_port: None,
            pac: false,
            forwarded_for: Forwarding::Auto,
            disclosure: Disclosure::default(),
            log_addresses: LogAddresses::Whole,
            bans: BanPolicy::default(),
            ban_file: None,
            logins: Logins::default(),
            door: None,
            admin: AdminSettings::default(),
            admin_token: None,
            trusted_proxies: Vec::new(),
            event_loops: None,
            workers: 8,
            metrics: true,
            metrics_top: 0,
            connections: None,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            drain: Duration::from_secs(30),
            throttles: Vec::new(),
            usage_file: None,
            time_zone: TimeZone::local(),
            sections: String::new(),
            ruled: None,
        }
    }
}

impl Config {
    /// Whether nobody but this machine can reach it, as far as that can be told before anything is
    /// bound.
    pub fn is_on_loopback(&self) -> bool {
        let is_loopback = |address: &SocketAddr| address.ip().to_canonical().is_loopback();
        // One that is not an address yet is a name, and only `localhost` stays where it is.
        let given = |address: &String| match address.parse() {
            Ok(address) => is_loopback(&address),
            Err(_) => address.rsplit_once(':').is_some_and(|(host, _)| host == "localhost"),
        };
        self.listen.iter().all(given) && self.passed.iter().all(is_loopback)
    }

    /// What there is to say of it, though it can be used.
    pub fn warnings(&self) -> impl Iterator<Item = &String> {
        self.ruled.iter().flat_map(|ruled| ruled.warnings())
    }

    /// Where it listens, in the order in which the library counts: what is bound, what was passed.
    pub fn listeners(&self) -> Vec<String> {
        let passed = self.passed.iter().map(SocketAddr::to_string);
        self.listen.iter().cloned().chain(passed).collect()
    }

    /// Goes on where another configuration was in effect: what it has counted is not forgotten.
    pub fn succeed(&mut self, before: &Config) {
        if let (Some(door), Some(before)) = (&mut self.door, &before.door) {
            door.succeed(before);
        }
    }

    /// How many clients may be connected at once.
    pub fn connections(&self, descriptors: &Descriptors) -> usize {
        self.connections.unwrap_or_else(|| descriptors.connections())
    }
}

/// How the access log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Aligned lines for people.
    Text,
    /// One JSON object a line.
    Json,
    /// `key=value`, one record a line.
    Logfmt,
    /// Apache's common log format.
    Common,
    /// Apache's combined log format.
    Combined,
    /// Squid's native format.
    Squid,
    /// Nothing is logged.
    Off,
}

/// Which fields tell upstreams who the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarding {
    /// `X-Forwarded-For` in front of a fixed upstream, none in a forward proxy.
    Auto,
    Off,
    XForwardedFor,
    Forwarded,
    Both,
}

words!(LogFormat: "text" => LogFormat::Text, "json" => LogFormat::Json,
    "logfmt" => LogFormat::Logfmt, "common" => LogFormat::Common,
    "combined" => LogFormat::Combined, "squid" => LogFormat::Squid, "off" => LogFormat::Off);
words!(Forwarding: "auto" => Forwarding::Auto, "off" => Forwarding::Off,
    "x-forwarded-for" => Forwarding::XForwardedFor, "forwarded" => Forwarding::Forwarded,
    "both" => Forwarding::Both);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_they_set() {
        let (mut format, mut forwarded) = (LogFormat::Text, Forwarding::Off);
        for field in [&mut format as &mut dyn Word, &mut forwarded] {
            for word in field.words() {
                field.set(word);
                assert_eq!(field.get(), *word);
            }
        }
    }
}
