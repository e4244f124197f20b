//! [`Destinations`]: some of the places a connection may lead to, by class or by address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{AddressClass, Network, NetworkError};

/// All addresses of a class, or of a block.
///
/// ```
/// use proxy_core::Destinations;
///
/// let office: Destinations = "10.1.0.0/16".parse()?;
/// let private: Destinations = "private".parse()?;
/// assert_eq!(private.to_string(), "private");
/// assert!("privat".parse::<Destinations>().is_err());
/// # Ok::<(), proxy_core::DestinationsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Destinations {
    /// All addresses of this class.
    Class(AddressClass),
    /// All addresses of this block.
    Network(Network),
}

/// Why a text does not say [`Destinations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationsError {
    /// It is neither the word for a class nor begins as an address does.
    #[error(
        "expected a network, as in 10.0.0.0/8, or one of metadata, link-local, loopback, private, \
         unique-local, cgnat, multicast, unspecified, benchmark, documentation, reserved, public"
    )]
    Word,
    /// It begins as an address does.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

impl Destinations {
    /// Whether this address, as it stands, is one of them.
    pub(super) fn contains(self, address: IpAddr) -> bool {
        match self {
            Destinations::Class(class) => AddressClass::of(address) == class,
            Destinations::Network(network) => network.contains(address),
        }
    }

    /// Whether letting all of them through means this one, too. What leads to a cloud's secrets,
    /// or is link-local, must be meant: it is not let through as a part of something larger.
    pub(super) fn names(self, address: IpAddr) -> bool {
        let is_meant = match (self, AddressClass::of(address)) {
            (Destinations::Class(_), _) => true,
            (Destinations::Network(network), AddressClass::Metadata) => network.is_one_address(),
            (Destinations::Network(network), AddressClass::LinkLocal) => {
                network.prefix() >= if address.to_canonical().is_ipv4() { 16 } else { 10 }
            }
            _ => true,
        };
        is_meant && self.contains(address)
    }
}

impl From<AddressClass> for Destinations {
    fn from(class: AddressClass) -> Destinations {
        Destinations::Class(class)
    }
}

impl From<Network> for Destinations {
    fn from(network: Network) -> Destinations {
        Destinations::Network(network)
    }
}

impl FromStr for Destinations {
    type Err = DestinationsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(class) = AddressClass::ALL.iter().find(|class| class.word() == text) {
            return Ok(Destinations::Class(*class));
        }
        // No word for a class has a digit or a colon in it, and each address has.
        if text.contains(|c: char| c.is_ascii_digit() || c == ':') {
            Ok(text.parse::<Network>()?.into())
        } else {
            Err(DestinationsError::Word)
        }
    }
}

impl fmt::Display for Destinations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destinations::Class(class) => class.fmt(f),
            Destinations::Network(network) => network.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_and_every_network_can_be_written() {
        for &class in AddressClass::ALL {
            assert_eq!(class.word().parse(), Ok(Destinations::Class(class)));
        }
        let network: Network = "10.0.0.0/8".parse().unwrap();
        assert_eq!("10.0.0.0/8".parse(), Ok(Destinations::Network(network)));
        assert_eq!("::1".parse::<Destinations>().unwrap().to_string(), "::1/128");
        for (text, problem) in [
            ("", DestinationsError::Word),
            ("Private", DestinationsError::Word),
            ("example.com", DestinationsError::Word),
            ("10.0.0.1/8", NetworkError::HostBits.into()),
            ("10.0.0/8", NetworkError::Address.into()),
        ] {
            assert_eq!(text.parse::<Destinations>(), Err(problem), "{text}");
        }
        let shown = DestinationsError::Word.to_string();
        assert!(AddressClass::ALL.iter().all(|class| shown.contains(class.word())), "{shown}");
    }

    #[test]
    fn what_must_be_meant_is_not_let_through_as_a_part_of_something_larger() {
        for (some, address, contained, named) in [
            ("0.0.0.0/0", "10.0.0.1", true, true),
            ("0.0.0.0/0", "169.254.1.1", true, false),
            ("0.0.0.0/0", "169.254.169.254", true, false),
            ("169.254.0.0/16", "169.254.1.1", true, true),
            ("169.254.0.0/16", "169.254.169.254", true, false),
            ("169.254.169.254", "169.254.169.254", true, true),
            ("169.254.169.254", "::ffff:169.254.169.254", true, true),
            ("link-local", "169.254.169.254", false, false),
            ("metadata", "169.254.169.254", true, true),
            ("unique-local", "fd00:ec2::254", false, false),
            ("::/0", "fe80::1", true, false),
            ("fe80::/10", "fe80::1", true, true),
            ("fd00::/8", "fd00:ec2::254", true, false),
            ("private", "11.0.0.1", false, false),
        ] {
            let (some, address): (Destinations, IpAddr) =
                (some.parse().unwrap(), address.parse().unwrap());
            assert_eq!(some.contains(address), contained, "{some} {address}");
            assert_eq!(some.names(address), named, "{some} {address}");
        }
    }
}
