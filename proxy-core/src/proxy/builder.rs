//! [`ProxyBuilder`] and [`Proxy`]: from parts to something that can be started.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use super::handle::ProxyHandle;
use crate::handler::{ConnectionHandler, ForwardHandler, Reach};
use crate::limits::{Limits, Timeouts};
use crate::logger::{NoLog, RequestLogger};
use crate::net::{Listener, TcpListener};
use crate::policy::{Clients, ConnectPorts, DestinationGuard, ForwardingPolicy, Network};
use crate::session::{Settings, Work};
use crate::upstream::{DirectConnector, UpstreamConnector};

/// Collects what a proxy is made of. Everything has a default but where to listen.
#[must_use = "a builder does nothing until it is built"]
pub struct ProxyBuilder {
    addresses: Vec<String>,
    listeners: Vec<Box<dyn Listener>>,
    handler: Arc<dyn ConnectionHandler>,
    connector: Option<Arc<dyn UpstreamConnector>>,
    logger: Arc<dyn RequestLogger>,
    forwarding: ForwardingPolicy,
    clients: Clients,
    guard: Box<dyn FnOnce(DestinationGuard) -> DestinationGuard + Send>,
    connect_ports: Option<ConnectPorts>,
    limits: Limits,
    timeouts: Timeouts,
    event_loops: Option<usize>,
    workers: usize,
}

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
    /// The system refused a thread, a poller or a socket.
    #[error("cannot start")]
    Start(#[from] io::Error),
}

/// A proxy whose addresses are bound, and that is not running yet.
pub struct Proxy {
    pub(super) listeners: Vec<Box<dyn Listener>>,
    pub(super) clients: Clients,
    pub(super) settings: Settings,
    pub(super) logger: Arc<dyn RequestLogger>,
    pub(super) event_loops: usize,
    pub(super) workers: usize,
}

/// Threads of the worker pool: names are looked up one by one by the system's resolver, so
/// there must be some for when a few of them hang.
const WORKERS: usize = 8;
/// A thread for each kind of work: no kind starves another.
const LEAST_WORKERS: usize = Work::ALL.len();

impl Proxy {
    /// A builder with the defaults of a forward proxy.
    pub fn builder() -> ProxyBuilder {
        ProxyBuilder {
            addresses: Vec::new(),
            listeners: Vec::new(),
            handler: Arc::new(ForwardHandler),
            connector: None,
            logger: Arc::new(NoLog),
            forwarding: ForwardingPolicy::off(),
            clients: Clients::default(),
            guard: Box::new(|default| default),
            connect_ports: None,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            event_loops: None,
            workers: WORKERS,
        }
    }

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

impl ProxyBuilder {
    /// Listens on `address`, `host:port`. Can be called several times. Port 0 takes a free
    /// port; [`ProxyHandle::local_addrs`] tells which.
    pub fn listen(mut self, address: impl ToString) -> Self {
        self.addresses.push(address.to_string());
        self
    }

    /// Takes clients from `listener`, beside the addresses given to [`listen`](Self::listen).
    pub fn listener(mut self, listener: impl Listener) -> Self {
        self.listeners.push(Box::new(listener));
        self
    }

    /// Decides what becomes of requests. Default: [`ForwardHandler`].
    pub fn handler(mut self, handler: impl ConnectionHandler) -> Self {
        self.handler = Arc::new(handler);
        self
    }

    /// Says how destinations are reached. Default: a [`DirectConnector`] with this builder's
    /// limits and timeouts.
    pub fn connector(mut self, connector: impl UpstreamConnector) -> Self {
        self.connector = Some(Arc::new(connector));
        self
    }

    /// Gets the record of each exchange. Default: [`NoLog`].
    pub fn logger(mut self, logger: impl RequestLogger) -> Self {
        self.logger = Arc::new(logger);
        self
    }

    /// Says what upstreams are told of clients. Default: nothing.
    pub fn forwarding(mut self, forwarding: ForwardingPolicy) -> Self {
        self.forwarding = forwarding;
        self
    }

    /// Serves clients in these networks, and no others: they are told
    /// [`Reason::ClientNotAllowed`](crate::Reason::ClientNotAllowed). Can be called several
    /// times. Default: all clients, if the proxy listens on loopback only or its handler
    /// [chooses where requests go](ConnectionHandler::reach); otherwise it is not built.
    pub fn allow_clients(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        match &mut self.clients {
            Clients::In(listed) => listed.extend(networks),
            clients => *clients = Clients::In(networks.into_iter().collect()),
        }
        self
    }

    /// Serves everybody who can reach it; of this and [`allow_clients`](Self::allow_clients), what
    /// is said last counts. An open proxy is found within hours, and used for what
    /// its owner will be asked about: say this only where something else keeps strangers out.
    pub fn allow_open_proxy(mut self) -> Self {
        self.clients = Clients::Anybody;
        self
    }

    /// Says where no connection is made to. `change` gets the default, which is
    /// [`DestinationGuard::on_loopback`] if the proxy listens on loopback only, and otherwise
    /// [`DestinationGuard::beyond_loopback`]. Called again, it gets what was said before.
    ///
    /// ```
    /// use proxy_core::{AddressClass, Proxy};
    ///
    /// let builder = Proxy::builder()
    ///     .listen("127.0.0.1:0")
    ///     .guard(|default| default.deny(AddressClass::Private));
    /// # builder.build()?;
    /// # Ok::<(), proxy_core::BuildError>(())
    /// ```
    pub fn guard(
        mut self,
        change: impl FnOnce(DestinationGuard) -> DestinationGuard + Send + 'static,
    ) -> Self {
        let before = self.guard;
        self.guard = Box::new(|default| change(before(default)));
        self
    }

    /// Says to which ports tunnels are opened. Default: [`ConnectPorts::any`] if the proxy
    /// listens on loopback only, and otherwise [`ConnectPorts::https`].
    pub fn connect_ports(mut self, ports: ConnectPorts) -> Self {
        self.connect_ports = Some(ports);
        self
    }

    /// Sets how much of everything is accepted.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how long everything may take.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets the number of event loops. Default: one for each core.
    pub fn event_loops(mut self, event_loops: usize) -> Self {
        self.event_loops = Some(event_loops);
        self
    }

    /// Sets the number of threads in the worker pool, at least 3: one each for
    /// names, deferred decisions and taken-over connections. Default: 8.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Binds all addresses.
    ///
    /// # Errors
    /// If an address cannot be bound or a setting cannot work.
    pub fn build(self) -> Result<Proxy, BuildError> {
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
        let timeouts = self.timeouts.bounded();
        check(
            self.limits.min_rate == 0 || !timeouts.min_rate_window.is_zero(),
            "min_rate_window",
            "must be longer than nothing: nobody is always ahead",
        )?;
        let mut listeners: Vec<Box<dyn Listener>> = Vec::new();
        for address in self.addresses {
            match TcpListener::bind(&*address) {
                Ok(listener) => listeners.push(Box::new(listener)),
                Err(source) => return Err(BuildError::Listen { address, source }),
            }
        }
        listeners.extend(self.listeners);
        if listeners.is_empty() {
            return Err(BuildError::NoListener);
        }
        let own_addresses: Vec<_> =
            listeners.iter().filter_map(|listener| listener.local_addr()).collect();
        let exposed = own_addresses.iter().find(|own| !own.ip().to_canonical().is_loopback());
        if let Some(&address) = exposed
            && self.clients == Clients::Unsaid
            && self.handler.reach() == Reach::AsAsked
        {
            return Err(BuildError::OpenProxy { address });
        }
        let settings = Settings {
            guard: (self.guard)(match exposed {
                None => DestinationGuard::on_loopback(),
                Some(_) => DestinationGuard::beyond_loopback(),
            }),
            connect_ports: self.connect_ports.unwrap_or_else(|| match exposed {
                None => ConnectPorts::any(),
                Some(_) => ConnectPorts::https(),
            }),
            own_addresses,
            handler: self.handler,
            connector: self.connector.unwrap_or_else(|| {
                Arc::new(DirectConnector::default().with_settings(&self.limits, &timeouts))
            }),
            forwarding: self.forwarding,
            limits: self.limits,
            timeouts,
            pseudonym: pseudonym(),
        };
        Ok(Proxy {
            listeners,
            clients: self.clients,
            settings,
            logger: self.logger,
            event_loops,
            workers: self.workers,
        })
    }

    /// Binds all addresses and starts: [`build`](Self::build) and [`Proxy::start`] in one.
    ///
    /// # Errors
    /// Those of both.
    pub fn start(self) -> Result<ProxyHandle, BuildError> {
        self.build()?.start()
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
