//! [`DirectConnector`]: resolves the name and connects, nothing in between.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use super::names::{Answer, Names};
use super::{
    ConnectError, Destination, Dialing, NameStats, PlanReply, Resolve, SystemResolver,
    UpstreamConnector,
};
use crate::error::Reason;
use crate::limits::{Limits, Timeouts};

/// Connects to the destination itself.
///
/// Names are resolved on the worker pool. What came of it, an answer or a failure, is
/// remembered for a while; while a name is looked up, others who ask for it wait for the same
/// look-up, whatever loop they are on, and hold no thread. Clones share what they know.
#[derive(Clone)]
pub struct DirectConnector {
    names: Arc<Names>,
}

impl DirectConnector {
    /// One that resolves names in this way.
    pub fn with_resolver(resolver: impl Resolve) -> DirectConnector {
        DirectConnector::new(Arc::new(resolver), &Limits::default(), &Timeouts::default())
    }

    /// The same with other bounds for what is remembered: [`Limits::names`],
    /// [`Timeouts::name_ttl`] and [`Timeouts::name_failure_ttl`]. It begins by knowing nothing.
    pub fn with_settings(self, limits: &Limits, timeouts: &Timeouts) -> DirectConnector {
        DirectConnector::new(Arc::clone(self.names.resolver()), limits, timeouts)
    }

    fn new(resolver: Arc<dyn Resolve>, limits: &Limits, timeouts: &Timeouts) -> DirectConnector {
        DirectConnector { names: Arc::new(Names::new(resolver, limits, timeouts)) }
    }
}

impl Default for DirectConnector {
    /// One that asks the system's resolver.
    fn default() -> Self {
        DirectConnector::with_resolver(SystemResolver)
    }
}

impl fmt::Debug for DirectConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectConnector").finish_non_exhaustive()
    }
}

impl UpstreamConnector for DirectConnector {
    fn fast(&self, destination: &Destination<'_>) -> Option<Result<Dialing, ConnectError>> {
        if let Some(address) = literal(destination) {
            return Some(Ok(Dialing::addresses([address])));
        }
        let answer = self.names.known(destination.host(), Instant::now())?;
        Some(dialing(&answer, destination.port()))
    }

    fn plan(&self, destination: &Destination<'_>) -> Result<Dialing, ConnectError> {
        if let Some(address) = literal(destination) {
            return Ok(Dialing::addresses([address]));
        }
        let (tell, told) = crossbeam_channel::bounded(1);
        self.names.ask(destination.host(), Instant::now, move |answer| {
            // The other end waits below.
            let _ = tell.send(answer.clone());
        });
        match told.recv() {
            Ok(answer) => dialing(&answer, destination.port()),
            Err(_) => Err(ConnectError::new(Reason::ConnectorFailed)),
        }
    }

    fn plan_for(&self, destination: &Destination<'_>, reply: PlanReply) {
        if let Some(address) = literal(destination) {
            return reply.send(Ok(Dialing::addresses([address])));
        }
        let port = destination.port();
        self.names.ask(destination.host(), Instant::now, move |answer| {
            reply.send(dialing(answer, port));
        });
    }

    fn names(&self) -> Option<NameStats> {
        Some(self.names.stats())
    }
}

fn dialing(answer: &Answer, port: u16) -> Result<Dialing, ConnectError> {
    let with_port = |mut address: SocketAddr| {
        address.set_port(port);
        address
    };
    match answer {
        Ok(addresses) => {
            let addresses: Vec<_> = addresses.iter().copied().map(with_port).collect();
            Ok(Dialing::addresses(addresses))
        }
        Err(failure) => Err(ConnectError::new(Reason::DnsFailed).with_source(failure.to_error())),
    }
}

fn literal(destination: &Destination<'_>) -> Option<SocketAddr> {
    let host = destination.host();
    let ip = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(v6) => v6.parse::<Ipv6Addr>().ok()?.into(),
        None => host.parse::<Ipv4Addr>().ok()?.into(),
    };
    Some(SocketAddr::new(ip, destination.port()))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::upstream::Dial;

    fn planned(dialing: Result<Dialing, ConnectError>) -> Vec<String> {
        match dialing.unwrap().dial {
            Dial::Addresses(addresses) => addresses.iter().map(ToString::to_string).collect(),
            other => panic!("not addresses: {other:?}"),
        }
    }

    /// Knows one name.
    struct One;

    impl Resolve for One {
        fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
            match name {
                "one.test" => Ok(vec!["192.0.2.1:9".parse().unwrap(), "[::2]:0".parse().unwrap()]),
                "panics.test" => panic!("on purpose"),
                _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such name")),
            }
        }
    }

    #[test]
    fn literal_addresses_need_no_resolver() {
        let connector = DirectConnector::with_resolver(One);
        for address in ["192.0.2.1:80", "[2001:db8::1]:8080"] {
            let destination = Destination::new(address, 1);
            assert_eq!(planned(connector.fast(&destination).unwrap()), [address]);
            assert_eq!(planned(connector.plan(&destination)), [address]);
        }
        assert!(connector.fast(&Destination::new("one.test:80", 1)).is_none());
        assert!(connector.fast(&Destination::new("127.1:80", 1)).is_none());
    }

    #[test]
    fn a_name_that_was_resolved_is_known_at_once_for_every_port() {
        let connector = DirectConnector::with_resolver(One);
        let first = connector.plan(&Destination::new("one.test:80", 1));
        assert_eq!(planned(first), ["192.0.2.1:80", "[::2]:80"]);
        let other = connector.clone().fast(&Destination::new("one.test:81", 1)).unwrap();
        assert_eq!(planned(other), ["192.0.2.1:81", "[::2]:81"]);
        assert!(connector.plan(&Destination::new("other.test:80", 1)).is_err());
        let names = connector.names().unwrap();
        assert_eq!((names.known, names.under_way), (2, 0));
        assert_eq!((names.hits, names.found, names.failed), (1, 1, 1));
    }

    #[test]
    fn a_name_that_does_not_exist_says_so_and_at_once_the_second_time() {
        let connector = DirectConnector::with_resolver(One);
        let destination = Destination::new("other.test:80", 1);
        assert!(connector.fast(&destination).is_none());
        for error in [connector.plan(&destination), connector.fast(&destination).unwrap()] {
            let error = error.unwrap_err();
            assert_eq!(error.reason(), Reason::DnsFailed);
            let source = std::error::Error::source(&error).unwrap();
            assert_eq!(source.to_string(), "no such name");
        }
    }

    #[test]
    fn other_settings_mean_another_memory() {
        let connector = DirectConnector::with_resolver(One);
        let destination = Destination::new("one.test:80", 1);
        connector.plan(&destination).unwrap();
        let forgetful = connector
            .with_settings(&Limits { names: 0, ..Limits::default() }, &Timeouts::default());
        assert!(forgetful.fast(&destination).is_none());
        forgetful.plan(&destination).unwrap();
        assert!(forgetful.fast(&destination).is_none());
    }

    #[test]
    fn a_reply_is_dropped_by_a_resolver_that_panics() {
        let connector = DirectConnector::with_resolver(One);
        let (tell, told) = crossbeam_channel::bounded::<()>(1);
        let reply = PlanReply::new(move |_| tell.send(()).unwrap());
        let plan = || connector.plan_for(&Destination::new("panics.test:80", 1), reply);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(plan)).is_err());
        assert!(told.recv().is_err());
    }
}
