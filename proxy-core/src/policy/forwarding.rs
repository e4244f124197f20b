//! [`ForwardingPolicy`]: what upstreams are told of clients.

use std::net::IpAddr;

use super::Network;
use crate::http1::{Claims, Forwarding, ForwardingFields};

/// What upstreams are told of clients, and whose word about other clients is taken.
///
/// Anybody can send `X-Forwarded-For`; so what a client claims is dropped, unless it is a proxy
/// that is trusted. Nothing is told by default: behind a forward proxy clients stay private.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForwardingPolicy {
    fields: Option<ForwardingFields>,
    trusted: Vec<Network>,
}

impl ForwardingPolicy {
    /// Tells nothing. What clients say of themselves goes on as it is.
    pub fn off() -> ForwardingPolicy {
        ForwardingPolicy::default()
    }

    /// Tells the client's address in `fields`.
    pub fn tell(fields: ForwardingFields) -> ForwardingPolicy {
        ForwardingPolicy { fields: Some(fields), trusted: Vec::new() }
    }

    /// Keeps what clients in these networks claim, and adds to it.
    pub fn trusting(self, networks: impl IntoIterator<Item = Network>) -> ForwardingPolicy {
        ForwardingPolicy { trusted: networks.into_iter().collect(), ..self }
    }

    /// What is told of the client at this address.
    pub(crate) fn of(&self, client: IpAddr) -> Option<Forwarding> {
        let trusted = || self.trusted.iter().any(|network| network.contains(client));
        self.fields.map(|fields| Forwarding {
            fields,
            client,
            claims: if trusted() { Claims::Keep } else { Claims::Drop },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_of_trusted_proxies_is_kept() {
        let policy = ForwardingPolicy::tell(ForwardingFields::Both)
            .trusting(["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()]);
        for (client, expected) in
            [("10.1.2.3", Claims::Keep), ("::1", Claims::Keep), ("192.0.2.1", Claims::Drop)]
        {
            assert_eq!(policy.of(client.parse().unwrap()).unwrap().claims, expected, "{client}");
        }
    }

    #[test]
    fn by_default_nothing_is_told() {
        assert!(ForwardingPolicy::default().of("192.0.2.1".parse().unwrap()).is_none());
    }
}
