//! [`Settings`]: what requests are served by, until a reload brings others.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use crate::handler::ConnectionHandler;
use crate::http1::Privacy;
use crate::limits::{Limits, Timeouts};
use crate::policy::throttle::Throttles;
use crate::policy::{Bans, Clients, ConnectPorts, DestinationGuard, ForwardingPolicy};
use crate::upstream::UpstreamConnector;

/// What a proxy was built with, or was last told by a reload.
///
/// They are never changed, only replaced as a whole. Each loop has the newest ones; an exchange
/// keeps those it has begun with to its end.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) handler: Arc<dyn ConnectionHandler>,
    pub(crate) connector: Arc<dyn UpstreamConnector>,
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
    /// Our name in `Via`; it differs from process to process, so that two proxies in a chain
    /// do not take each other for a loop.
    pub(crate) pseudonym: String,
    /// What upstreams are told of clients.
    pub(crate) forwarding: ForwardingPolicy,
    /// What they are not told, although clients say it. `None`: they are told all.
    pub(crate) privacy: Option<Privacy>,
    /// Who is served.
    pub(crate) clients: Clients,
    /// Who is kept out for a while: the same ones, whatever the settings.
    pub(crate) bans: Bans,
    /// How much there may be. They share their counts with those before them.
    pub(crate) throttles: Throttles,
    /// Where no connection is made to.
    pub(crate) guard: DestinationGuard,
    /// Where tunnels may lead to.
    pub(crate) connect_ports: ConnectPorts,
    /// Where clients come from, in the order that handlers know.
    pub(crate) listeners: Vec<ListenerId>,
    /// Where this proxy itself listens: never an upstream.
    pub(crate) own_addresses: Vec<SocketAddr>,
    /// What else is never an upstream, whoever allows it.
    pub(crate) kept_away: Vec<SocketAddr>,
}

/// The newest settings of a proxy, for all its threads.
#[derive(Debug)]
pub(crate) struct Newest(Mutex<Arc<Settings>>);

/// Names a listener for as long as the proxy runs. Its place among the others, which is what
/// handlers know it by, changes when others come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListenerId(pub(crate) usize);

impl Newest {
    pub(crate) fn new(settings: Arc<Settings>) -> Newest {
        Newest(Mutex::new(settings))
    }

    pub(crate) fn get(&self) -> Arc<Settings> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set(&self, settings: Arc<Settings>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = settings;
    }
}

impl Settings {
    /// The place of a listener among the others; `None` if it is no longer there.
    pub(super) fn place_of(&self, listener: ListenerId) -> Option<usize> {
        self.listeners.iter().position(|&other| other == listener)
    }

    /// Whether requests are taken from this client, by this listener.
    pub(super) fn serve(&self, client: IpAddr, listener: ListenerId) -> bool {
        self.place_of(listener).is_some() && self.clients.include(client)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("listeners", &self.listeners).finish_non_exhaustive()
    }
}
