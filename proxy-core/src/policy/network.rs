//! [`Network`]: a block of addresses, in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A block of addresses. One of IPv4 addresses in their IPv6 form (`::ffff:192.0.2.0/120`) is the
/// block of these IPv4 addresses.
///
/// ```
/// use proxy_core::Network;
///
/// let network: Network = "192.0.2.0/24".parse()?;
/// assert!(network.contains("192.0.2.7".parse().unwrap()));
/// assert!(!network.contains("192.0.3.7".parse().unwrap()));
/// assert!("192.0.2.1/24".parse::<Network>().is_err(), "bits are set behind the prefix");
/// # Ok::<(), proxy_core::NetworkError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Why a text is not a [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// What stands before the slash is not an address.
    #[error("expected an address, alone or with a prefix length, as in 192.0.2.0/24")]
    Address,
    /// What stands behind the slash is not a number, or more than the address has bits.
    #[error("the prefix length is not a number from 0 to 32, or to 128 for IPv6")]
    Prefix,
    /// The address has bits behind the prefix: perhaps a typing error in one of the two.
    #[error("the address has bits set behind its prefix")]
    HostBits,
}

impl Network {
    /// Whether `address` is one of it. An IPv4 address in its IPv6 form counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.checked_shr(32 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.checked_shr(128 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }

    /// The network of this prefix length that an address is in.
    pub(super) fn around(address: IpAddr, prefix: u8) -> Network {
        let address = match address {
            IpAddr::V4(address) => {
                let behind = u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
                IpAddr::V4((address.to_bits() & !behind).into())
            }
            IpAddr::V6(address) => {
                let behind = u128::MAX.checked_shr(prefix.into()).unwrap_or(0);
                IpAddr::V6((address.to_bits() & !behind).into())
            }
        };
        Network { address, prefix }
    }

    /// Those who are one with a client: at IPv6 all in its network, since one of them has all of it.
    pub(crate) fn of_client(client: IpAddr) -> Network {
        let client = client.to_canonical();
        Network::around(client, if client.is_ipv4() { 32 } else { 64 })
    }

    /// Its first address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The bits that all of its addresses have in common: 0 to 32, or to 128 for IPv6.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Its first address and its last.
    pub(super) fn bounds(&self) -> (IpAddr, IpAddr) {
        match self.address {
            IpAddr::V4(first) => {
                let rest = u32::MAX.checked_shr(self.prefix.into()).unwrap_or(0);
                (first.into(), Ipv4Addr::from_bits(first.to_bits() | rest).into())
            }
            IpAddr::V6(first) => {
                let rest = u128::MAX.checked_shr(self.prefix.into()).unwrap_or(0);
                (first.into(), Ipv6Addr::from_bits(first.to_bits() | rest).into())
            }
        }
    }

    pub(super) fn is_one_address(&self) -> bool {
        self.prefix == if self.address.is_ipv4() { 32 } else { 128 }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Address)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().ok().filter(|&n| n <= bits).ok_or(NetworkError::Prefix)?
            }
            Some(_) => return Err(NetworkError::Prefix),
        };
        let host_bits = match address {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits(),
        };
        let mask = 1_u128.checked_shl(u32::from(bits - prefix)).map_or(u128::MAX, |bit| bit - 1);
        if host_bits & mask != 0 {
            return Err(NetworkError::HostBits);
        }
        // What is looked for in it is always taken in its IPv4 form.
        const MAPPED: u8 = 96;
        Ok(match address.to_canonical() {
            plain if plain.is_ipv4() && address.is_ipv6() && prefix >= MAPPED => {
                Network { address: plain, prefix: prefix - MAPPED }
            }
            _ => Network { address, prefix },
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn membership() {
        for (network, address, expected) in [
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "2001:db8::1", true),
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.0/31", "192.0.2.1", true),
            ("192.0.2.0/31", "192.0.2.2", false),
            ("192.0.2.0/24", "::ffff:192.0.2.9", true),
            ("2001:db8::/32", "2001:db8:ffff::", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("::1", "::1", true),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("::ffff:192.0.2.0/120", "192.0.2.9", true),
            ("::ffff:192.0.2.0/120", "::ffff:192.0.2.9", true),
            ("::ffff:192.0.2.0/120", "192.0.3.9", false),
            ("::ffff:0:0/96", "203.0.113.9", true),
            ("::/0", "203.0.113.9", false),
        ] {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), expected, "{network} {address}");
        }
    }

    #[test]
    fn malformed_networks() {
        for (text, expected) in [
            ("", NetworkError::Address),
            ("localhost", NetworkError::Address),
            ("10.0.0/8", NetworkError::Address),
            ("10.0.0.0/", NetworkError::Prefix),
            ("10.0.0.0/33", NetworkError::Prefix),
            ("10.0.0.0/+8", NetworkError::Prefix),
            ("::/129", NetworkError::Prefix),
            ("10.0.0.1/8", NetworkError::HostBits),
            ("2001:db8::1/32", NetworkError::HostBits),
        ] {
            assert_eq!(text.parse::<Network>(), Err(expected), "{text}");
        }
    }
}
