//! [`DirectConnector`]: resolves the name and connects, nothing in between.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use super::{ConnectError, Destination, Dialing, UpstreamConnector};
use crate::error::Reason;

/// Connects to the destination itself. Names are resolved by the system, on the worker pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct DirectConnector;

/// How many addresses of one name are tried.
const ADDRESSES: usize = 16;

impl UpstreamConnector for DirectConnector {
    fn fast(&self, destination: &Destination<'_>) -> Option<Dialing> {
        literal(destination).map(|address| Dialing::addresses([address]))
    }

    fn plan(&self, destination: &Destination<'_>) -> Result<Dialing, ConnectError> {
        let addresses = (destination.host(), destination.port())
            .to_socket_addrs()
            .map_err(|error| ConnectError::new(Reason::DnsFailed).with_source(error))?;
        let addresses = interleaved(addresses.collect());
        if addresses.is_empty() {
            let error = io::Error::new(io::ErrorKind::NotFound, "the name has no addresses");
            return Err(ConnectError::new(Reason::DnsFailed).with_source(error));
        }
        Ok(Dialing::addresses(addresses))
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

/// Lets the address families take turns, the resolver's first choice first (RFC 8305 §4): if
/// one family does not work here, the second attempt is with the other.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|a| a.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut mixed: Vec<SocketAddr> = Vec::new();
    while mixed.len() < ADDRESSES {
        let before = mixed.len();
        mixed.extend(first.next());
        mixed.extend(second.next());
        if mixed.len() == before {
            break;
        }
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(dialing: Dialing) -> Vec<SocketAddr> {
        match dialing.dial {
            super::super::Dial::Addresses(addresses) => addresses,
            other => panic!("not addresses: {other:?}"),
        }
    }

    #[test]
    fn literal_addresses_need_no_resolver() {
        for (key, expected) in
            [("192.0.2.1:80", "192.0.2.1:80"), ("[2001:db8::1]:8080", "[2001:db8::1]:8080")]
        {
            let dialing = DirectConnector.fast(&Destination::new(key, 1)).unwrap();
            assert_eq!(planned(dialing), [expected.parse().unwrap()]);
        }
        assert!(DirectConnector.fast(&Destination::new("example.com:80", 1)).is_none());
        assert!(DirectConnector.fast(&Destination::new("127.1:80", 1)).is_none());
    }

    #[test]
    fn localhost_is_resolved() {
        let dialing = DirectConnector.plan(&Destination::new("localhost:80", 1)).unwrap();
        assert!(
            planned(dialing)
                .iter()
                .all(|address| address.ip().is_loopback() && address.port() == 80)
        );
    }

    #[test]
    fn a_name_that_does_not_exist_says_so() {
        let error =
            DirectConnector.plan(&Destination::new("does-not-exist.invalid:80", 1)).unwrap_err();
        assert_eq!(error.reason(), Reason::DnsFailed);
    }

    #[test]
    fn families_take_turns() {
        let addresses: Vec<SocketAddr> = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]
            .iter()
            .map(|a| a.parse().unwrap())
            .collect();
        let order: Vec<String> =
            interleaved(addresses).iter().map(|a| a.ip().to_string()).collect();
        assert_eq!(order, ["::1", "1.1.1.1", "::2", "::3"]);
    }
}
