//! [`ProxyBuilder`]: collects what a proxy is made of.

use std::net::SocketAddr;
use std::sync::Arc;

use super::build::Proxy;
#[cfg(doc)]
use super::handle::ProxyHandle;
use crate::handler::{ConnectionHandler, ForwardHandler};
use crate::http1::Privacy;
use crate::limits::{Limits, Timeouts};
#[cfg(doc)]
use crate::logger::NoLog;
use crate::logger::{LogOverflow, RequestLogger};
use crate::net::Listener;
#[cfg(doc)]
use crate::net::TcpListener;
use crate::policy::throttle::Throttle;
use crate::policy::{
    BanPolicy, Clients, ConnectPorts, DestinationGuard, ForwardingPolicy, Network,
};
#[cfg(doc)]
use crate::upstream::DirectConnector;
use crate::upstream::UpstreamConnector;

/// Collects what a proxy is made of. Everything has a default but where to listen.
#[must_use = "a builder does nothing until it is built"]
pub struct ProxyBuilder {
    pub(super) addresses: Vec<String>,
    pub(super) shares_addresses: bool,
    pub(super) listeners: Vec<Box<dyn Listener>>,
    pub(super) handler: Arc<dyn ConnectionHandler>,
    pub(super) connector: Option<Arc<dyn UpstreamConnector>>,
    pub(super) logger: Option<Arc<dyn RequestLogger>>,
    pub(super) log_overflow: LogOverflow,
    pub(super) forwarding: ForwardingPolicy,
    pub(super) privacy: Privacy,
    pub(super) ban_policy: BanPolicy,
    pub(super) throttles: Vec<Throttle>,
    pub(super) clients: Clients,
    pub(super) guard: Box<dyn FnOnce(DestinationGuard) -> DestinationGuard + Send>,
    pub(super) connect_ports: Option<ConnectPorts>,
    pub(super) kept_away: Vec<SocketAddr>,
    pub(super) limits: Limits,
    pub(super) timeouts: Timeouts,
    pub(super) event_loops: Option<usize>,
    pub(super) workers: usize,
    pub(super) metrics: bool,
    pub(super) metrics_top: usize,
    pub(super) metrics_clients: bool,
}

/// Threads of the worker pool: names are looked up one by one by the system's resolver, so
/// there must be some for when a few of them hang.
const WORKERS: usize = 8;

impl Proxy {
    /// A builder with the defaults of a forward proxy.
    pub fn builder() -> ProxyBuilder {
        ProxyBuilder {
            addresses: Vec::new(),
            shares_addresses: false,
            listeners: Vec::new(),
            handler: Arc::new(ForwardHandler),
            connector: None,
            logger: None,
            log_overflow: LogOverflow::default(),
            forwarding: ForwardingPolicy::off(),
            privacy: Privacy::off(),
            ban_policy: BanPolicy::default(),
            throttles: Vec::new(),
            clients: Clients::default(),
            guard: Box::new(|default| default),
            connect_ports: None,
            kept_away: Vec::new(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            event_loops: None,
            workers: WORKERS,
            metrics: true,
            metrics_top: 0,
            metrics_clients: true,
        }
    }
}

impl ProxyBuilder {
    /// Listens on `address`, `host:port`. Can be called several times. Port 0 takes a free
    /// port; [`ProxyHandle::local_addrs`] tells which.
    pub fn listen(mut self, address: impl ToString) -> Self {
        self.addresses.push(address.to_string());
        self
    }

    /// Shares the addresses given to [`listen`](Self::listen) with other processes that do so,
    /// too: a new process can begin to listen before the old one stops. See
    /// [`TcpListener::bind_shared`].
    pub fn share_addresses(mut self) -> Self {
        self.shares_addresses = true;
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
        self.logger = Some(Arc::new(logger));
        self
    }

    /// Says what is done when the logger cannot keep up. Default: [`LogOverflow::Drop`]. A reload
    /// cannot change it.
    pub fn log_overflow(mut self, overflow: LogOverflow) -> Self {
        self.log_overflow = overflow;
        self
    }

    /// Says what upstreams are told of clients. Default: nothing.
    pub fn forwarding(mut self, forwarding: ForwardingPolicy) -> Self {
        self.forwarding = forwarding;
        self
    }

    /// Says how much of what clients tell of themselves goes on to upstreams. Default: all of it.
    pub fn privacy(mut self, privacy: Privacy) -> Self {
        self.privacy = privacy;
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

    /// Says who is banned, and what for. Default: nobody. See [`ProxyHandle::bans`].
    pub fn ban_policy(mut self, policy: BanPolicy) -> Self {
        self.ban_policy = policy;
        self
    }

    /// Says how much there may be of what, for whom. Can be called several times. Default: no
    /// [throttle](crate::throttle), and nothing is counted. See [`ProxyHandle::throttles`].
    pub fn throttles(mut self, throttles: impl IntoIterator<Item = Throttle>) -> Self {
        self.throttles.extend(throttles);
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

    /// Makes no connection to this address, whatever the guard allows and whoever vouches for it:
    /// clients are told [`Reason::DestinationNotAllowed`](crate::Reason::DestinationNotAllowed). For
    /// what else the program listens on, and is not meant for clients of the proxy: the address of
    /// its administration. One that stands for all addresses of the machine keeps away from each of
    /// them. Can be called several times.
    pub fn keep_away_from(mut self, address: SocketAddr) -> Self {
        self.kept_away.push(address);
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

    /// Has the event loops count what they do, for [`ProxyHandle::metrics`]. Default: they do. It costs
    /// a small request 1.7 % more instructions in user space, which is where the smaller part of its
    /// time goes.
    pub fn metrics(mut self, counts: bool) -> Self {
        self.metrics = counts;
        self
    }

    /// Has the hosts, clients and users told of in [`ProxyHandle::metrics`] that are served most: so
    /// many of each, 1,000 at most. Default: 0, and nobody is named. They are counted on the log thread,
    /// by records, which are made for that also where nothing else is done with them. What is dropped
    /// there is not counted.
    ///
    /// Addresses of clients are whole, whatever the logger shows of them: who can read the metrics sees
    /// who uses the proxy. [`metrics_clients`](Self::metrics_clients) leaves them out.
    pub fn metrics_top(mut self, most: usize) -> Self {
        self.metrics_top = most;
        self
    }

    /// Says whether clients are among those that [`metrics_top`](Self::metrics_top) names. Default: they
    /// are. Where the logger [veils](crate::Veiled) them, they should not be.
    pub fn metrics_clients(mut self, are_named: bool) -> Self {
        self.metrics_clients = are_named;
        self
    }
}
