//! [`Config`]: what is set, as plain data, until a proxy is built from it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use proxy_core::admin::AdminToken;
use proxy_core::throttle::Throttle;
use proxy_core::{
    Authority, BanPolicy, BuildError, ConnectPorts, ConnectionHandler, DestinationGuard,
    Destinations, FixedUpstreamHandler, ForwardHandler, ForwardingFields, ForwardingPolicy, Intake,
    Limits, Listener, LogOverflow, Network, PacHandler, Proxy, ProxyBuilder, RulesHandler,
    Timeouts,
};

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

/// A setting that is right by itself and cannot work with the others, or on this system.
#[derive(Debug, PartialEq, Eq)]
pub struct Impossible {
    /// The field, as the library names it.
    pub setting: &'static str,
    pub problem: String,
}

impl Config {
    /// A builder with everything but where to listen and what to do with the log.
    pub fn builder(&self, descriptors: &Descriptors) -> ProxyBuilder {
        let mut builder = Proxy::builder()
            .limits(self.limits(descriptors))
            .timeouts(self.timeouts.clone())
            .forwarding(self.forwarding())
            .privacy(self.disclosure.privacy())
            .ban_policy(self.bans.clone())
            .throttles(self.throttles())
            .log_overflow(self.log_overflow)
            .guard(self.guard())
            .workers(self.workers)
            .metrics_top(self.metrics_top)
            .metrics_clients(self.log_addresses == LogAddresses::Whole);
        if self.reuse_port {
            builder = builder.share_addresses();
        }
        if self.allow_open_proxy {
            builder = builder.allow_open_proxy();
        } else if !self.allow_client.is_empty() {
            builder = builder.allow_clients(self.allow_client.iter().copied());
        }
        if let Some(ports) = &self.connect_port {
            builder = builder.connect_ports(ports.clone());
        }
        builder = self.handle(builder);
        if let Some(event_loops) = self.event_loops {
            builder = builder.event_loops(event_loops);
        }
        builder
    }

    /// Has the builder do with requests what is configured.
    fn handle(&self, builder: ProxyBuilder) -> ProxyBuilder {
        let upstream = self.upstream.clone().map(FixedUpstreamHandler::new);
        match (self.rules_handler(), upstream) {
            (None, None) => self.ask_users(builder, ForwardHandler),
            (None, Some(upstream)) => self.ask_users(builder, upstream),
            (Some(rules), None) => self.ask_users(builder, rules),
            (Some(rules), Some(upstream)) => self.ask_users(builder, rules.in_front_of(upstream)),
        }
    }

    /// The rules, in front of a proxy that goes where it is asked to go.
    pub fn rules_handler(&self) -> Option<RulesHandler> {
        self.ruled.as_ref().map(|ruled| RulesHandler::new(Arc::clone(ruled.rules())))
    }

    /// With a question for the password in front of a handler, if there are users.
    fn ask_users(&self, builder: ProxyBuilder, inner: impl ConnectionHandler) -> ProxyBuilder {
        match &self.door {
            Some(door) => self.tell_browsers(builder, door.in_front_of(&self.logins, inner)),
            None => self.tell_browsers(builder, inner),
        }
    }

    /// With `/proxy.pac` in front of a handler, if that is set: browsers ask for it before they
    /// know of any proxy, so nobody is asked for a password, and no rule is about it.
    fn tell_browsers(&self, builder: ProxyBuilder, inner: impl ConnectionHandler) -> ProxyBuilder {
        if !self.pac {
            return builder.handler(inner);
        }
        let handler = PacHandler::new(inner);
        // What is allowed, although it is inside, is meant to be asked for through the proxy.
        builder.handler(match self.is_on_loopback() || !self.allow_destination.is_empty() {
            true => handler,
            false => handler.leaving_out_inside(),
        })
    }

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

    /// Throttles for the library.
    fn throttles(&self) -> Vec<Throttle> {
        let zone = self.time_zone.for_rules();
        self.throttles.iter().map(|written| written.throttle(&zone)).collect()
    }

    /// What is allowed and denied, beside what the library does by itself.
    pub fn guard(&self) -> impl FnOnce(DestinationGuard) -> DestinationGuard + Send + 'static {
        let (allowed, denied) = (self.allow_destination.clone(), self.deny_destination.clone());
        move |default| {
            let guard = allowed.into_iter().fold(default, DestinationGuard::allow);
            denied.into_iter().fold(guard, DestinationGuard::deny)
        }
    }

    /// A setting that only a forward proxy heeds: most are of where to connect to.
    fn set_for_forwarding(&self) -> Option<&'static str> {
        let set = [
            ("allow_destination", !self.allow_destination.is_empty()),
            ("deny_destination", !self.deny_destination.is_empty()),
            ("connect_port", self.connect_port.is_some()),
            ("pac", self.pac),
        ];
        set.into_iter().find(|(_, is_set)| *is_set).map(|(name, _)| name)
    }

    /// What upstreams are told of clients.
    fn forwarding(&self) -> ForwardingPolicy {
        let fields = match self.forwarded_for {
            Forwarding::Off => return ForwardingPolicy::off(),
            Forwarding::Auto if self.upstream.is_none() => return ForwardingPolicy::off(),
            Forwarding::Auto | Forwarding::XForwardedFor => ForwardingFields::XForwardedFor,
            Forwarding::Forwarded => ForwardingFields::Forwarded,
            Forwarding::Both => ForwardingFields::Both,
        };
        ForwardingPolicy::tell(fields).trusting(self.trusted_proxies.iter().copied())
    }

    /// How many clients may be connected at once.
    pub fn connections(&self, descriptors: &Descriptors) -> usize {
        self.connections.unwrap_or_else(|| descriptors.connections())
    }

    fn limits(&self, descriptors: &Descriptors) -> Limits {
        let mut limits = self.limits.clone();
        limits.connections = self.connections(descriptors);
        limits
    }

    /// Looks at the settings together. Nothing is bound for it.
    ///
    /// # Errors
    /// If they cannot work: here, or because the library says so.
    pub fn check(&self, descriptors: &Descriptors) -> Result<(), Impossible> {
        if self.connections.is_some_and(|connections| connections > descriptors.connections()) {
            return Err(Impossible {
                setting: "connections",
                problem: format!(
                    "the system's {} descriptors, two for each, are enough for {}; raise them \
                     (ulimit -n), or set fewer connections",
                    descriptors.limit(),
                    descriptors.connections()
                ),
            });
        }
        if let Some(upstream) = &self.upstream
            && (self.listen.iter().any(|address| address == upstream.as_str())
                || self.passed.iter().any(|address| address.to_string() == upstream.as_str()))
        {
            return Err(Impossible {
                setting: "upstream",
                problem: "the proxy itself listens there".to_owned(),
            });
        }
        if self.reuse_port && cfg!(not(unix)) {
            return Err(Impossible {
                setting: "reuse_port",
                problem: "this system has no such thing".to_owned(),
            });
        }
        if self.reuse_port && self.listen.is_empty() {
            return Err(Impossible {
                setting: "reuse_port",
                problem: "it has no effect: all sockets were passed (LISTEN_FDS), and whoever                           passes them shares them"
                    .to_owned(),
            });
        }
        if !self.logs.is_empty() {
            let set = [
                ("log_file", self.log_file.is_some()),
                ("log_format", self.log_format != LogFormat::Text),
            ];
            if let Some((setting, _)) = set.into_iter().find(|(_, is_set)| *is_set) {
                let problem = "each [[log]] of the file says so itself: set one or the other";
                return Err(Impossible { setting, problem: problem.to_owned() });
            }
        }
        if self.allow_open_proxy && !self.allow_client.is_empty() {
            return Err(Impossible {
                setting: "allow_open_proxy",
                problem: "it serves everybody, and allow-client only some: set one of them"
                    .to_owned(),
            });
        }
        if let Some(setting) = self.upstream.as_ref().and_then(|_| self.set_for_forwarding()) {
            return Err(Impossible {
                setting,
                problem: "it has no effect beside an upstream: nothing else is connected to"
                    .to_owned(),
            });
        }
        if let Some((setting, problem)) = self.admin.problem() {
            return Err(Impossible { setting, problem });
        }
        if let Some(address) = &self.admin.address
            && !address.ends_with(":0")
            && self.listeners().contains(address)
        {
            return Err(Impossible {
                setting: "admin",
                problem: "the proxy itself listens there".to_owned(),
            });
        }
        if self.logins.users.is_some() && !self.logins.command.is_empty() {
            return Err(Impossible {
                setting: "authenticator",
                problem: "there is a file of users, too: set one of them".to_owned(),
            });
        }
        if let Some(setting) = self.logins.set_in_vain() {
            return Err(Impossible {
                setting,
                problem: "it has no effect: nobody is asked for a password without `users` or \
                          `authenticator`"
                    .to_owned(),
            });
        }
        let builder = self.builder(descriptors).listener(Nowhere(None));
        let places = self.listen.iter().filter_map(|address| address.parse().ok());
        let places = places.chain(self.passed.iter().copied());
        let builder = places.fold(builder, |builder, at| builder.listener(Nowhere(Some(at))));
        match builder.build() {
            Err(BuildError::Setting { setting, problem }) => {
                Err(Impossible { setting, problem: problem.to_owned() })
            }
            Err(BuildError::OpenProxy { address }) => Err(Impossible {
                setting: "listen",
                problem: format!(
                    "anybody who can reach {address} could go anywhere through it; {WHO_IS_SERVED}"
                ),
            }),
            // Whatever else goes wrong goes wrong when it starts.
            _ => Ok(()),
        }
    }
}

/// What to do about an open proxy.
pub const WHO_IS_SERVED: &str = "say whom it serves, with --allow-client 192.168.0.0/16 for \
                                 example, or that it serves everybody, with --allow-open-proxy";

/// What a proxy listens on that is built to be looked at only: perhaps an address.
struct Nowhere(Option<SocketAddr>);

impl Listener for Nowhere {
    fn local_addr(&self) -> Option<SocketAddr> {
        self.0
    }

    fn open(&self) -> io::Result<Intake> {
        Err(io::ErrorKind::Unsupported.into())
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

    fn impossible(config: &Config) -> &'static str {
        config.check(&Descriptors::of(20_128)).unwrap_err().setting
    }

    #[test]
    fn the_defaults_are_possible() {
        assert_eq!(Config::default().check(&Descriptors::of(20_128)), Ok(()));
    }

    #[test]
    fn connections_follow_from_the_descriptors_unless_set() {
        let descriptors = Descriptors::of(20_128);
        let config = Config::default();
        assert_eq!(config.limits(&descriptors).connections, 10_000);
        let config = Config { connections: Some(5), ..config };
        assert_eq!(config.limits(&descriptors).connections, 5);
    }

    #[test]
    fn what_cannot_work_together_is_found() {
        let config = Config { connections: Some(10_001), ..Config::default() };
        assert_eq!(impossible(&config), "connections");
        let upstream = Some("http://127.0.0.1:8888".parse().unwrap());
        assert_eq!(impossible(&Config { upstream, ..Config::default() }), "upstream");
    }

    #[test]
    fn what_has_no_effect_is_not_accepted() {
        let upstream = Some("http://127.0.0.1:3000".parse().unwrap());
        let config = Config { upstream, ..Config::default() };
        let private = || vec!["private".parse().unwrap()];
        let port = Some(ConnectPorts::https());
        for (config, setting) in [
            (Config { allow_destination: private(), ..config.clone() }, "allow_destination"),
            (Config { deny_destination: private(), ..config.clone() }, "deny_destination"),
            (Config { connect_port: port, ..config.clone() }, "connect_port"),
            (Config { pac: true, ..config }, "pac"),
        ] {
            assert_eq!(impossible(&config), setting);
        }
        let logins = Logins { realm: Some("a".to_owned()), ..Logins::default() };
        assert_eq!(impossible(&Config { logins, ..Config::default() }), "realm");
        let (users, command) = (Some("u".into()), vec!["helper".to_owned()]);
        let logins = Logins { users, command, ..Logins::default() };
        assert_eq!(impossible(&Config { logins, ..Config::default() }), "authenticator");
    }

    #[test]
    fn logs_are_described_in_one_way() {
        let mut config = Config::default();
        let file = crate::config_file::ConfigFile::new("f", "[[log]]\nto = 'stdout'\n");
        file.apply(&mut config).unwrap();
        assert_eq!(config.check(&Descriptors::of(20_128)), Ok(()));
        let file = Config { log_file: Some("a".into()), ..config.clone() };
        assert_eq!(impossible(&file), "log_file");
        let format = Config { log_format: LogFormat::Json, ..config };
        assert_eq!(impossible(&format), "log_format");
    }

    #[test]
    fn an_open_proxy_is_not_made_of_a_passed_socket_either() {
        let passed = |address: &str| Config {
            listen: Vec::new(),
            passed: vec![address.parse().unwrap()],
            ..Config::default()
        };
        assert_eq!(impossible(&passed("0.0.0.0:3128")), "listen");
        assert_eq!(passed("127.0.0.1:3128").check(&Descriptors::of(20_128)), Ok(()));
        let allow_client = vec!["10.0.0.0/8".parse().unwrap()];
        let served = Config { allow_client, ..passed("[::]:3128") };
        assert_eq!(served.check(&Descriptors::of(20_128)), Ok(()));
    }

    #[test]
    #[cfg(unix)]
    fn a_passed_socket_is_shared_by_whoever_passes_it() {
        let passed = vec!["127.0.0.1:3128".parse().unwrap()];
        let config = Config { reuse_port: true, passed, ..Config::default() };
        assert_eq!(config.check(&Descriptors::of(20_128)), Ok(()), "there is another one");
        assert_eq!(impossible(&Config { listen: Vec::new(), ..config }), "reuse_port");
    }

    #[test]
    fn an_open_proxy_is_not_made_by_accident() {
        let listen = |address: &str| vec!["127.0.0.1:8888".to_owned(), address.to_owned()];
        let exposed = Config { listen: listen("0.0.0.0:8888"), ..Config::default() };
        assert_eq!(impossible(&exposed), "listen");
        let upstream = Some("http://127.0.0.1:3000".parse().unwrap());
        let allow_client = vec!["10.0.0.0/8".parse().unwrap()];
        for config in [
            Config { listen: listen("[::1]:8888"), ..Config::default() },
            Config { upstream, ..exposed.clone() },
            Config { allow_client: allow_client.clone(), ..exposed.clone() },
            Config { allow_open_proxy: true, ..exposed.clone() },
        ] {
            assert_eq!(config.check(&Descriptors::of(20_128)), Ok(()));
        }
        let both = Config { allow_client, allow_open_proxy: true, ..exposed };
        assert_eq!(impossible(&both), "allow_open_proxy");
    }

    #[test]
    fn what_the_library_refuses_is_refused() {
        assert_eq!(impossible(&Config { workers: 0, ..Config::default() }), "workers");
        let mut config = Config::default();
        config.limits.fields = 1000;
        assert_eq!(impossible(&config), "fields");
    }

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
