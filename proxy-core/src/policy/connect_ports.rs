//! [`ConnectPorts`]: the ports to which tunnels are opened (RFC 9110 §9.3.6).

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The ports to which `CONNECT` opens tunnels.
///
/// Nobody looks at what goes through a tunnel: to port 25 it may be mail. So RFC 9110 §9.3.6
/// asks a proxy to allow known ports only.
///
/// ```
/// use proxy_core::{ConnectPorts, PortRange};
///
/// let ports = ConnectPorts::only(["443".parse()?, "8000-8999".parse()?]);
/// assert!(ports.permit(8443) && !ports.permit(25));
/// # Ok::<(), proxy_core::PortRangeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectPorts(Option<Vec<PortRange>>);

/// A port, or several in a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PortRange(RangeInclusive<u16>);

/// A text that is not a [`PortRange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a port from 1 to 65535, or a range of them, as in 8000-8999")]
#[non_exhaustive]
pub struct PortRangeError;

impl ConnectPorts {
    /// All ports.
    pub fn any() -> ConnectPorts {
        ConnectPorts(None)
    }

    /// These ports and no others.
    pub fn only(ports: impl IntoIterator<Item = PortRange>) -> ConnectPorts {
        ConnectPorts(Some(ports.into_iter().collect()))
    }

    /// 443 alone: HTTPS.
    pub fn https() -> ConnectPorts {
        ConnectPorts::only([PortRange(443..=443)])
    }

    /// The ports that are permitted; `None` for all of them.
    pub fn ranges(&self) -> Option<&[PortRange]> {
        self.0.as_deref()
    }

    /// Whether a tunnel to this port may be opened.
    pub fn permit(&self, port: u16) -> bool {
        let ConnectPorts(listed) = self;
        listed.as_ref().is_none_or(|ranges| ranges.iter().any(|range| range.0.contains(&port)))
    }
}

impl PortRange {
    /// From the first of these ports to the last.
    ///
    /// # Errors
    /// If it is empty, or has port 0 in it.
    pub fn new(ports: RangeInclusive<u16>) -> Result<PortRange, PortRangeError> {
        if ports.is_empty() || *ports.start() == 0 {
            Err(PortRangeError)
        } else {
            Ok(PortRange(ports))
        }
    }

    /// Whether it has this port in it.
    pub fn contains(&self, port: u16) -> bool {
        self.0.contains(&port)
    }
}

impl FromStr for PortRange {
    type Err = PortRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let port = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => digits.parse().map_err(|_| PortRangeError),
            false => Err(PortRangeError),
        };
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        PortRange::new(port(first)?..=port(last)?)
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.start(), self.0.end()) {
            (first, last) if first == last => write!(f, "{first}"),
            (first, last) => write!(f, "{first}-{last}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_numbers_in_order() {
        for text in ["1", "443", "65535", "8000-8999", "1-65535"] {
            assert_eq!(text.parse::<PortRange>().unwrap().to_string(), text);
        }
        assert_eq!("443-443".parse::<PortRange>().unwrap().to_string(), "443");
        for text in ["", "0", "0-5", "65536", "9-8", "-", "1-", "-1", "+1", "a", "1-2-3", " 1"] {
            assert_eq!(text.parse::<PortRange>(), Err(PortRangeError), "{text}");
        }
    }

    #[test]
    fn only_listed_ports_are_permitted() {
        let some = ConnectPorts::only(["443".parse().unwrap(), "8000-8001".parse().unwrap()]);
        let permitted: Vec<_> = (0..=u16::MAX).filter(|&port| some.permit(port)).collect();
        assert_eq!(permitted, [443, 8000, 8001]);
        assert!((0..=u16::MAX).all(|port| ConnectPorts::any().permit(port)));
        assert!(!(0..=u16::MAX).any(|port| ConnectPorts::only([]).permit(port)));
        assert!(ConnectPorts::https().permit(443) && !ConnectPorts::https().permit(80));
    }
}
