//! [`Clients`]: who is served.

use std::net::IpAddr;

use super::Network;

/// Who is served, by address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Clients {
    /// Nothing was said: everybody who gets here, which must be nobody but this machine.
    #[default]
    Unsaid,
    /// Everybody: it was said that this is meant.
    Anybody,
    /// Those in these networks.
    In(Vec<Network>),
}

impl Clients {
    /// Whether a client at this address is served.
    pub(crate) fn include(&self, address: IpAddr) -> bool {
        match self {
            Clients::Unsaid | Clients::Anybody => true,
            Clients::In(networks) => networks.iter().any(|network| network.contains(address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_in_a_listed_network_are_served() {
        let listed = Clients::In(vec!["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()]);
        for (address, expected) in
            [("10.1.2.3", true), ("::ffff:10.1.2.3", true), ("::1", true), ("127.0.0.1", false)]
        {
            let address = address.parse().unwrap();
            assert_eq!(listed.include(address), expected, "{address}");
            assert!(Clients::Unsaid.include(address) && Clients::Anybody.include(address));
        }
        assert!(!Clients::In(Vec::new()).include("127.0.0.1".parse().unwrap()));
    }
}
