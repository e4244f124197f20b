//! [`DestinationGuard`]: where no connection is made to, whoever asks.

use std::net::IpAddr;

use super::address_class::faces;
use super::{AddressClass, Destinations};

/// Refuses connections by the address that is dialled: for each address that is tried, at each
/// attempt, whatever name it was found by. A name that leads to a public address when it is
/// looked at and to 127.0.0.1 when it is used gains nothing.
///
/// An IPv6 address that has an IPv4 address inside (mapped, NAT64, 6to4, Teredo, ISATAP) must
/// pass as what it is and as what it has inside.
///
/// It does not look at what others have vouched for: an upstream that a handler has chosen
/// ([`Plan::vouched`](crate::Plan::vouched)), a connection that a connector has made
/// ([`Vouched`](crate::Vouched)). The proxy's own addresses are refused beside it, always.
///
/// ```
/// use proxy_core::{AddressClass, DestinationGuard};
///
/// let guard = DestinationGuard::beyond_loopback().allow(AddressClass::Private);
/// assert_eq!(guard.check("10.0.0.1".parse().unwrap()), Ok(()));
/// assert_eq!(guard.check("127.0.0.1".parse().unwrap()), Err(AddressClass::Loopback));
/// assert_eq!(guard.check("64:ff9b::7f00:1".parse().unwrap()), Err(AddressClass::Loopback));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationGuard {
    /// A bit for each class that is refused.
    refused: u16,
    allowed: Vec<Destinations>,
    denied: Vec<Destinations>,
}

impl DestinationGuard {
    /// For a proxy that only programs on its own machine can reach. They could go anywhere
    /// without it, too: refused are link-local addresses and where clouds keep their secrets,
    /// since what a browser does is often somebody else's will.
    pub fn on_loopback() -> DestinationGuard {
        DestinationGuard::refusing(&[AddressClass::Metadata, AddressClass::LinkLocal])
    }

    /// For a proxy that others can reach: everything but public addresses is refused, so that
    /// it is no way into the network it stands in.
    pub fn beyond_loopback() -> DestinationGuard {
        let [others @ .., AddressClass::Public] = AddressClass::ALL else {
            unreachable!("the last class is that of all others");
        };
        DestinationGuard::refusing(others)
    }

    fn refusing(classes: &[AddressClass]) -> DestinationGuard {
        let refused = classes.iter().fold(0, |refused, class| refused | bit(*class));
        DestinationGuard { refused, allowed: Vec::new(), denied: Vec::new() }
    }

    /// Lets these through, also where they are denied. Link-local addresses must be named by
    /// their class or by a network within theirs, and where clouds keep their secrets by class
    /// or address by address: neither is let through as a part of something larger.
    #[must_use = "the guard that was changed is given back"]
    pub fn allow(mut self, destinations: impl Into<Destinations>) -> Self {
        self.allowed.push(destinations.into());
        self
    }

    /// Refuses these, unless they are allowed.
    #[must_use = "the guard that was changed is given back"]
    pub fn deny(mut self, destinations: impl Into<Destinations>) -> Self {
        self.denied.push(destinations.into());
        self
    }

    /// Whether a connection to this address may be made.
    ///
    /// # Errors
    /// The class of the address, or of the one inside it, for which it is refused.
    pub fn check(&self, address: IpAddr) -> Result<(), AddressClass> {
        faces(address).try_for_each(|face| self.check_face(face))
    }

    fn check_face(&self, address: IpAddr) -> Result<(), AddressClass> {
        let class = AddressClass::of(address);
        let is_refused = self.refused & bit(class) != 0
            || self.denied.iter().any(|denied| denied.contains(address));
        if is_refused && !self.allowed.iter().any(|allowed| allowed.names(address)) {
            Err(class)
        } else {
            Ok(())
        }
    }
}

/// Whether the guard has a say in where a request goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Guarding {
    /// It looks at each address.
    #[default]
    Guarded,
    /// Whoever runs the proxy has chosen the upstream.
    Vouched,
}

impl Guarding {
    /// Whether a request may use a connection that was made for another one.
    pub(crate) fn admits(self, connection: Guarding) -> bool {
        self == Guarding::Vouched || connection == Guarding::Guarded
    }
}

fn bit(class: AddressClass) -> u16 {
    1 << class as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(guard: &DestinationGuard, address: &str) -> Result<(), AddressClass> {
        guard.check(address.parse().unwrap())
    }

    #[test]
    fn on_loopback_only_what_is_never_meant_is_refused() {
        let guard = DestinationGuard::on_loopback();
        for address in ["127.0.0.1", "10.0.0.1", "::1", "fd12::1", "100.64.0.1", "224.0.0.1"] {
            assert_eq!(checked(&guard, address), Ok(()), "{address}");
        }
        for address in ["169.254.0.1", "fe80::1", "64:ff9b::a9fe:1", "::ffff:169.254.0.1"] {
            assert_eq!(checked(&guard, address), Err(AddressClass::LinkLocal), "{address}");
        }
        for address in ["169.254.169.254", "fd00:ec2::254", "2002:a9fe:a9fe::", "168.63.129.16"] {
            assert_eq!(checked(&guard, address), Err(AddressClass::Metadata), "{address}");
        }
    }

    #[test]
    fn beyond_loopback_only_public_addresses_pass() {
        let guard = DestinationGuard::beyond_loopback();
        for (address, class) in [
            ("127.0.0.1", AddressClass::Loopback),
            ("0.0.0.0", AddressClass::Unspecified),
            ("::", AddressClass::Unspecified),
            ("10.0.0.1", AddressClass::Private),
            ("::ffff:10.0.0.1", AddressClass::Private),
            ("::10.0.0.1", AddressClass::Reserved),
            ("200:1234::1", AddressClass::Reserved),
            ("64:ff9b::c0a8:1", AddressClass::Private),
            ("2002:ac10:1::1", AddressClass::Private),
            ("2001:0:102:304::f5ff:fffe", AddressClass::Private),
            ("2001:0:a00:1::fefd:fcfb", AddressClass::Private),
            ("fd00::1", AddressClass::UniqueLocal),
            ("100.64.0.1", AddressClass::Cgnat),
            ("255.255.255.255", AddressClass::Reserved),
        ] {
            assert_eq!(checked(&guard, address), Err(class), "{address}");
        }
        for address in ["1.1.1.1", "2606:4700::1", "64:ff9b::101:101", "2002:101:101::1"] {
            assert_eq!(checked(&guard, address), Ok(()), "{address}");
        }
    }

    #[test]
    fn what_is_allowed_beats_what_is_denied() {
        let network = |text: &str| text.parse::<Destinations>().unwrap();
        let guard = DestinationGuard::beyond_loopback()
            .deny(network("1.0.0.0/8"))
            .allow(network("1.1.1.0/24"))
            .allow(network("10.1.0.0/16"))
            .allow(network("0.0.0.0/0"));
        for address in ["1.1.1.1", "1.2.0.0", "10.1.0.1", "127.0.0.1"] {
            assert_eq!(checked(&guard, address), Ok(()), "{address}");
        }
        assert_eq!(checked(&guard, "169.254.169.254"), Err(AddressClass::Metadata));
        let guard = DestinationGuard::on_loopback().deny(AddressClass::Public);
        assert_eq!(checked(&guard, "1.1.1.1"), Err(AddressClass::Public));
        assert_eq!(checked(&guard, "127.0.0.1"), Ok(()));
        // The public address outside says nothing about the one inside.
        let guard = DestinationGuard::beyond_loopback().allow(network("2002::/16"));
        assert_eq!(checked(&guard, "2002:a00:1::1"), Err(AddressClass::Private));
    }
}
