//! [`Authority`]: the host and port of an upstream (RFC 3986 §3.2, without userinfo).

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::decimal::Decimal;

/// A host and a port, checked: `example.com:80`, `192.0.2.1:8080`, `[2001:db8::1]:80`.
///
/// ```
/// use proxy_core::Authority;
///
/// let authority: Authority = "http://Example.com".parse()?;
/// assert_eq!(authority.to_string(), "example.com:80");
/// assert!("https://example.com".parse::<Authority>().is_err());
/// # Ok::<(), proxy_core::AuthorityError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Authority {
    /// `host:port`, in lower case, IPv6 in brackets.
    text: Box<str>,
    port: u16,
}

/// Why a text is not an [`Authority`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// The scheme is not `http`.
    #[error("only http:// upstreams can be spoken to")]
    Scheme,
    /// There is something behind the authority, or userinfo in front of the host.
    #[error("expected http://HOST:PORT and nothing else")]
    Surplus,
    /// The host is empty or holds characters that no host has.
    #[error("the host is not a host name, an IPv4 address or an IPv6 address in brackets")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
}

impl Authority {
    /// A host, as in a URI (IPv6 in brackets), and a port.
    ///
    /// # Errors
    /// If the host is not one, or the port is 0.
    pub fn new(host: &str, port: u16) -> Result<Authority, AuthorityError> {
        if !is_host(host) {
            return Err(AuthorityError::Host);
        }
        if port == 0 {
            return Err(AuthorityError::Port);
        }
        let mut text = String::new();
        write_key(host, port, &mut text);
        Ok(Authority { text: text.into(), port })
    }

    /// `host:port`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host in lower case, an IPv6 address in its brackets.
    pub fn host(&self) -> &str {
        self.text.rsplit_once(':').map_or(&*self.text, |(host, _)| host)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Authority {
    type Err = AuthorityError;

    /// Reads `http://host[:port][/]` or `host[:port]`; without a port it is 80.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some(_) => return Err(AuthorityError::Scheme),
            None => text,
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '@']) {
            return Err(AuthorityError::Surplus);
        }
        let host_end =
            rest.find(']').map_or_else(|| rest.find(':').unwrap_or(rest.len()), |end| end + 1);
        let (host, port) = rest.split_at(host_end);
        if !is_host(host) {
            return Err(AuthorityError::Host);
        }
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => 80,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| AuthorityError::Port)?
            }
            _ => return Err(AuthorityError::Port),
        };
        Authority::new(host, port)
    }
}

/// Writes `host:port` in lower case: the one form by which upstreams are told apart.
pub(crate) fn write_key(host: &str, port: u16, key: &mut String) {
    key.clear();
    key.push_str(host);
    key.make_ascii_lowercase();
    key.push(':');
    let port = Decimal::new(port.into());
    key.extend(port.digits().iter().map(|&digit| char::from(digit)));
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(rest) => {
            rest.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
        }
        None => {
            !host.is_empty()
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_upstreams() {
        for (text, expected) in [
            ("http://example.com", "example.com:80"),
            ("HTTP://EXAMPLE.com:8080/", "example.com:8080"),
            ("localhost:3000", "localhost:3000"),
            ("http://[::1]:81", "[::1]:81"),
            ("[2001:DB8::1]", "[2001:db8::1]:80"),
        ] {
            let authority: Authority = text.parse().unwrap();
            assert_eq!(authority.as_str(), expected);
            assert_eq!(format!("{}:{}", authority.host(), authority.port()), expected);
        }
    }

    #[test]
    fn malformed_upstreams() {
        for (text, expected) in [
            ("https://example.com", AuthorityError::Scheme),
            ("http://user@example.com", AuthorityError::Surplus),
            ("http://example.com/path", AuthorityError::Surplus),
            ("http://", AuthorityError::Host),
            ("http://a b", AuthorityError::Host),
            ("http://[::1", AuthorityError::Host),
            ("http://::1", AuthorityError::Host),
            ("http://a:0", AuthorityError::Port),
            ("http://a:", AuthorityError::Port),
            ("http://a:65536", AuthorityError::Port),
            ("http://a:+1", AuthorityError::Port),
            ("http://[::1]1", AuthorityError::Port),
        ] {
            assert_eq!(text.parse::<Authority>(), Err(expected), "{text}");
        }
    }
}
