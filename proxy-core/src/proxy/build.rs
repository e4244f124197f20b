//! From a [`ProxyBuilder`] to a [`Proxy`], or why not.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use super::builder::ProxyBuilder;
use super::handle::ProxyHandle;
use crate::handler::Reach;
use crate::logger::{LogOverflow, NoLog, RequestLogger};
use crate::net::{Listener, TcpListener};
use crate::policy::throttle::{ThrottleError, Throttles};
use crate::policy::{Bans, Clients, ConnectPorts, DestinationGuard};
use crate::session::{ListenerId, Settings, Work};
use crate::upstream::DirectConnector;

/// Why a proxy could not be built or started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// An address could not be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address as it was given.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// No address and no listener was given.
    #[error("a proxy needs an address to listen on")]
    NoListener,
    /// Others than this machine could reach the address, and make the proxy go wherever they
    /// like: nothing says which clients it serves.
    #[error(
        "on {address} it would be an open proxy, for anybody who can reach it: say which clients \
         it serves (`allow_clients`), or that all are meant (`allow_open_proxy`)"
    )]
    OpenProxy {
        /// The address beyond loopback.
        address: SocketAddr,
    },
    /// A setting has a value that cannot work.
    #[error("{setting} {problem}")]
    Setting {
        /// The name of the setting.
        setting: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A throttle cannot work.
    #[error("the throttle `{name}` cannot work")]
    Throttle {
        /// Its name.
        name: Arc<str>,
        /// Why not.
        source: ThrottleError,
    },
    /// The system refused a thread, a poller or a socket.
    #[error("cannot start")]
    Start(#[from] io::Error),
}

/// A proxy whose addresses are bound, and that is not running yet.
pub struct Proxy {
    pub(super) listeners: Vec<Bound>,
    pub(super) settings: Settings,
    pub(super) logger: Arc<dyn RequestLogger>,
    pub(super) log_overflow: LogOverflow,
    pub(super) threads: Threads,
    pub(super) shares_addresses: bool,
    pub(super) has_default_connector: bool,
    pub(super) names_clients: bool,
}

/// A listener that is bound.
pub(super) struct Bound {
    /// The address as it was given, if one was.
    pub(super) given: Option<String>,
    pub(super) listener: Box<dyn Listener>,
}

/// How many threads there are of each kind, and what they count: what no reload can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Threads {
    pub(super) event_loops: usize,
    pub(super) workers: usize,
    /// Whether they count what they do, and how many are told of who are served most.
    pub(super) metrics: bool,
    pub(super) metrics_top: usize,
}

/// How many hosts, clients and users may be told of: each has lines of its own in the metrics.
const MOST_TOP: usize = 1000;

/// A thread for each kind of work: no kind starves another.
const LEAST_WORKERS: usize = Work::ALL.len();

impl Proxy {
    /// Where it listens, in the order the listeners were added. Ports that were given as 0
    /// are real ones here.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.settings.own_addresses
    }

    /// Starts all threads.
    ///
    /// # Errors
    /// If the system refuses a thread or a poller, or a listener cannot be opened. Nothing is
    /// left running then.
    pub fn start(self) -> Result<ProxyHandle, BuildError> {
        ProxyHandle::start(self)
    }
}

impl Bound {
    pub(super) fn to(address: String, is_shared: bool) -> Result<Bound, BuildError> {
        let bound = match is_shared {
            false => TcpListener::bind(&*address),
            true => TcpListener::bind_shared(&*address),
        };
        match bound {
            Ok(listener) => Ok(Bound { given: Some(address), listener: Box::new(listener) }),
            Err(source) => Err(BuildError::Listen { address, source }),
        }
    }
}

impl From<Box<dyn Listener>> for Bound {
    fn from(listener: Box<dyn Listener>) -> Bound {
        Bound { given: None, listener }
    }
}

impl ProxyBuilder {
    /// Binds all addresses.
    ///
    /// # Errors
    /// If an address cannot be bound or a setting cannot work.
    pub fn build(mut self) -> Result<Proxy, BuildError> {
        let threads = self.check()?;
        let mut listeners = Vec::new();
        for address in std::mem::take(&mut self.addresses) {
            listeners.push(Bound::to(address, self.shares_addresses)?);
        }
        listeners.extend(std::mem::take(&mut self.listeners).into_iter().map(Bound::from));
        if listeners.is_empty() {
            return Err(BuildError::NoListener);
        }
        let own = listeners.iter().filter_map(|bound| bound.listener.local_addr()).collect();
        let ids = (0..listeners.len()).map(ListenerId).collect();
        let logger = self.logger.take().unwrap_or_else(|| Arc::new(NoLog));
        let log_overflow = self.log_overflow;
        let (shares_addresses, has_default_connector) =
            (self.shares_addresses, self.connector.is_none());
        let names_clients = self.metrics_clients;
        let settings =
            self.settle(ids, own, pseudonym(), Bans::default(), &Throttles::default())?;
        Ok(Proxy {
            listeners,
            settings,
            logger,
            log_overflow,
            threads,
            shares_addresses,
            has_default_connector,
            names_clients,
        })
    }

    /// Binds all addresses and starts: [`build`](Self::build) and [`Proxy::start`] in one.
    ///
    /// # Errors
    /// Those of both.
    pub fn start(self) -> Result<ProxyHandle, BuildError> {
        self.build()?.start()
    }

    /// Whether the settings can work, whatever is listened on.
    pub(super) fn check(&mut self) -> Result<Threads, BuildError> {
        let event_loops = self
            .event_loops
            .unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
        check(event_loops >= 1, "event_loops", "must be at least 1")?;
        check(
            self.workers >= LEAST_WORKERS,
            "workers",
            "must be at least 3: one each for names, decisions and taken-over connections",
        )?;
        if let Some((setting, problem)) = self.limits.problem() {
            return Err(BuildError::Setting { setting, problem });
        }
        self.timeouts = std::mem::take(&mut self.timeouts).bounded();
        check(
            self.limits.min_rate == 0 || !self.timeouts.min_rate_window.is_zero(),
            "min_rate_window",
            "must be longer than nothing: nobody is always ahead",
        )?;
        check(self.metrics_top <= MOST_TOP, "metrics_top", "must be at most 1000")?;
        let (metrics, metrics_top) = (self.metrics, self.metrics_top);
        Ok(Threads { event_loops, workers: self.workers, metrics, metrics_top })
    }

    /// What was said, and what follows from it for a proxy that listens there.
    pub(super) fn settle(
        self,
        listeners: Vec<ListenerId>,
        own_addresses: Vec<SocketAddr>,
        pseudonym: String,
        bans: Bans,
        before: &Throttles,
    ) -> Result<Settings, BuildError> {
        let exposed = own_addresses.iter().find(|own| !own.ip().to_canonical().is_loopback());
        if let Some(&address) = exposed
            && self.clients == Clients::Unsaid
            && self.handler.reach() == Reach::AsAsked
        {
            return Err(BuildError::OpenProxy { address });
        }
        let throttles = Throttles::begin(self.throttles, before)
            .map_err(|(name, source)| BuildError::Throttle { name, source })?;
        // A policy of those bans is another one only now that nothing can fail.
        bans.follow(self.ban_policy);
        Ok(Settings {
            bans,
            throttles,
            guard: (self.guard)(match exposed {
                None => DestinationGuard::on_loopback(),
                Some(_) => DestinationGuard::beyond_loopback(),
            }),
            connect_ports: self.connect_ports.unwrap_or_else(|| match exposed {
                None => ConnectPorts::any(),
                Some(_) => ConnectPorts::https(),
            }),
            listeners,
            own_addresses,
            kept_away: self.kept_away,
            handler: self.handler,
            connector: self.connector.unwrap_or_else(|| {
                Arc::new(DirectConnector::default().with_settings(&self.limits, &self.timeouts))
            }),
            forwarding: self.forwarding,
            privacy: Some(self.privacy).filter(|privacy| !privacy.is_off()),
            clients: self.clients,
            limits: self.limits,
            timeouts: self.timeouts,
            pseudonym,
        })
    }
}

fn check(holds: bool, setting: &'static str, problem: &'static str) -> Result<(), BuildError> {
    if holds { Ok(()) } else { Err(BuildError::Setting { setting, problem }) }
}

/// A name that no other proxy has, not even another one of this process.
fn pseudonym() -> String {
    let random = RandomState::new().hash_one(std::process::id());
    format!("proxy-core-{:08x}", random as u32)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::handler::FixedUpstreamHandler;
    use crate::limits::{Limits, Timeouts};

    #[test]
    fn pseudonyms_differ() {
        assert_ne!(pseudonym(), pseudonym());
    }

    #[test]
    fn what_cannot_work_is_refused_early() {
        let refused = |builder: ProxyBuilder| match builder.build() {
            Err(BuildError::Setting { setting, .. }) => setting,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("accepted"),
        };
        let here = || Proxy::builder().listen("127.0.0.1:0");
        assert_eq!(refused(here().event_loops(0)), "event_loops");
        assert_eq!(refused(here().workers(2)), "workers");
        assert_eq!(refused(here().metrics_top(1001)), "metrics_top");
        assert_eq!(refused(here().limits(Limits { fields: 1000, ..Limits::default() })), "fields");
        let hasty = here()
            .limits(Limits { min_rate: 1, ..Limits::default() })
            .timeouts(Timeouts { min_rate_window: Duration::ZERO, ..Timeouts::default() });
        assert_eq!(refused(hasty), "min_rate_window");
        assert!(matches!(Proxy::builder().build(), Err(BuildError::NoListener)));
        assert!(matches!(
            Proxy::builder().listen("nonsense").build(),
            Err(BuildError::Listen { .. })
        ));
    }

    #[test]
    fn beyond_loopback_it_must_be_said_who_is_served() {
        let exposed = || Proxy::builder().listen("0.0.0.0:0");
        match exposed().build() {
            Err(BuildError::OpenProxy { address }) => assert!(address.ip().is_unspecified()),
            _ => panic!("an open proxy was built by accident"),
        }
        let beside = Proxy::builder().listen("127.0.0.1:0").listen("[::]:0").build();
        assert!(matches!(beside, Err(BuildError::OpenProxy { .. })));
        let fixed = FixedUpstreamHandler::new("127.0.0.1:1".parse().unwrap());
        for builder in [
            exposed().allow_clients(["10.0.0.0/8".parse().unwrap()]),
            exposed().allow_open_proxy(),
            exposed().handler(fixed),
        ] {
            let settings = builder.build().unwrap().settings;
            assert_eq!(settings.guard, DestinationGuard::beyond_loopback());
            assert_eq!(settings.connect_ports, ConnectPorts::https());
        }
        for loopback in ["127.0.0.1:0", "127.9.9.9:0", "[::ffff:127.0.0.1]:0"] {
            let settings = Proxy::builder().listen(loopback).build().unwrap().settings;
            assert_eq!(settings.guard, DestinationGuard::on_loopback(), "{loopback}");
            assert_eq!(settings.connect_ports, ConnectPorts::any(), "{loopback}");
        }
    }

    #[test]
    fn what_was_said_of_destinations_is_not_forgotten() {
        use crate::policy::AddressClass::{Cgnat, Private};
        let settings = Proxy::builder()
            .listen("127.0.0.1:0")
            .guard(|default| default.deny(Private))
            .guard(|so_far| so_far.deny(Cgnat))
            .build()
            .unwrap()
            .settings;
        assert_eq!(settings.guard, DestinationGuard::on_loopback().deny(Private).deny(Cgnat));
    }

    #[test]
    fn an_address_in_use_is_named() {
        let first = Proxy::builder().listen("127.0.0.1:0").build().unwrap();
        let address = first.local_addrs()[0];
        match Proxy::builder().listen(address).build() {
            Err(BuildError::Listen { address: named, source }) => {
                assert_eq!(named, address.to_string());
                assert_eq!(source.kind(), io::ErrorKind::AddrInUse);
            }
            _ => panic!("bound twice"),
        }
    }
}
