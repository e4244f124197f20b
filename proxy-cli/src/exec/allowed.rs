//! [`AllowList`]: where a command may go.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;

use crate::complaint::Complaint;

/// Hosts that may be asked for. All others are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList(Vec<Allowed>);

/// One host, or a domain with all that is in it; on one port, or on any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    host: Host,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    /// In lower case, without a dot at its end.
    Name(String),
    /// The same: this name, and all that end with a dot and it.
    Domain(String),
    Address(IpAddr),
}

impl AllowList {
    /// Adds one.
    pub fn push(&mut self, allowed: Allowed) {
        self.0.push(allowed);
    }

    /// Adds those in a file: one a line; what stands behind a `#` is a comment.
    ///
    /// # Errors
    /// If it cannot be read, and for everything in it that is no host.
    pub fn read(&mut self, path: &Path) -> Result<(), Vec<Complaint>> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| vec![Complaint::about(&*name, format!("cannot be read: {error}"))])?;
        self.parse(&name, &text)
    }

    /// Adds those in a text, that of the file `name`.
    ///
    /// # Errors
    /// Everything in it that is no host.
    pub fn parse(&mut self, name: &str, text: &str) -> Result<(), Vec<Complaint>> {
        let mut complaints = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let entry = line.split('#').next().unwrap_or(line);
            let at = start + (entry.len() - entry.trim_start().len());
            start += line.len();
            match entry.trim() {
                "" => {}
                entry => match entry.parse() {
                    Ok(allowed) => self.push(allowed),
                    Err(problem) => {
                        let span = at..at + entry.len();
                        let problem: NotAHost = problem;
                        complaints.push(Complaint::within(name, text, span, problem.to_string()));
                    }
                },
            }
        }
        if complaints.is_empty() { Ok(()) } else { Err(complaints) }
    }

    /// Whether a client may go there. The host is one that the proxy has understood, an IPv6
    /// address in its brackets.
    pub fn allows(&self, host: &str, port: u16) -> bool {
        self.0.iter().any(|allowed| allowed.includes(host, port))
    }
}

impl Allowed {
    fn includes(&self, host: &str, port: u16) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        self.port.is_none_or(|own| own == port)
            && match &self.host {
                Host::Name(name) => host.eq_ignore_ascii_case(name),
                Host::Domain(domain) => is_in(host, domain),
                // However it is written: what counts is where it leads.
                Host::Address(address) => address_of(host).is_some_and(|it| it == *address),
            }
    }
}

/// Whether `host` is `domain`, or ends with a dot and it.
fn is_in(host: &str, domain: &str) -> bool {
    let Some(at) = host.len().checked_sub(domain.len()) else { return false };
    let (before, end) = (&host.as_bytes()[..at], &host.as_bytes()[at..]);
    end.eq_ignore_ascii_case(domain.as_bytes()) && (before.is_empty() || before.ends_with(b"."))
}

/// The address that a host is, with or without brackets.
pub fn address_of(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// Why a text says of nobody that he is allowed.
#[derive(Debug, PartialEq, Eq)]
pub enum NotAHost {
    Port,
    Url,
    Wildcard,
    Characters,
}

impl FromStr for Allowed {
    type Err = NotAHost;

    fn from_str(text: &str) -> Result<Allowed, NotAHost> {
        if text.contains('/') {
            return Err(NotAHost::Url);
        }
        // An IPv6 address has colons of its own.
        if let Some(address) = address_of(text) {
            return Ok(Allowed { host: Host::Address(address), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => {
                let port = port.parse().ok().filter(|port| *port != 0);
                (host, Some(port.ok_or(NotAHost::Port)?))
            }
            None => (text, None),
        };
        if let Some(address) = address_of(host) {
            return Ok(Allowed { host: Host::Address(address), port });
        }
        let (name, is_domain) = match host.strip_prefix('.') {
            Some(domain) => (domain, true),
            None => (host, false),
        };
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        if name.starts_with('*') {
            return Err(NotAHost::Wildcard);
        }
        // What the proxy takes for a host (RFC 3986 §3.2.2, without percent-encoding).
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if name.is_empty() || name.starts_with('.') || !name.bytes().all(is_known) {
            return Err(NotAHost::Characters);
        }
        Ok(Allowed { host: if is_domain { Host::Domain(name) } else { Host::Name(name) }, port })
    }
}

impl fmt::Display for NotAHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotAHost::Port => "the port must be a number from 1 to 65535",
            NotAHost::Url => "a host is expected, such as \"example.com\", not a URL",
            NotAHost::Wildcard => {
                "a domain with all that is in it is written with a dot, such as \".example.com\""
            }
            NotAHost::Characters => {
                "a host is expected, such as \"example.com\", \".example.com\" or \"localhost:8080\""
            }
        })
    }
}

impl std::error::Error for NotAHost {}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entry: &str, host: &str, port: u16) -> bool {
        let mut list = AllowList::default();
        list.push(entry.parse().unwrap());
        list.allows(host, port)
    }

    #[test]
    fn a_name_is_that_name_on_any_port() {
        assert!(allows("Example.com", "example.COM", 80));
        assert!(allows("example.com", "example.com.", 443), "the same name, from the root");
        assert!(!allows("example.com", "www.example.com", 443));
        assert!(!allows("example.com", "example.com.evil.test", 443));
    }

    #[test]
    fn a_domain_is_itself_and_all_that_is_in_it() {
        for host in ["example.com", "www.example.com", "a.b.EXAMPLE.com", "www.example.com."] {
            assert!(allows(".example.com", host, 443), "{host}");
        }
        for host in ["badexample.com", "example.com.evil.test", "com", "e\u{fc}example.com"] {
            assert!(!allows(".example.com", host, 443), "{host}");
        }
    }

    #[test]
    fn a_port_narrows_it() {
        assert!(allows("localhost:8080", "localhost", 8080));
        assert!(!allows("localhost:8080", "localhost", 80));
        assert!(allows(".example.com:443", "www.example.com", 443));
        assert!(!allows(".example.com:443", "www.example.com", 80));
    }

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        for entry in ["::1", "[::1]", "[::1]:8080", "0:0::1"] {
            assert!(allows(entry, "[::1]", 8080), "{entry}");
            assert!(allows(entry, "[0:0:0:0:0:0:0:1]", 8080), "{entry}");
        }
        assert!(allows("127.0.0.1", "[::ffff:127.0.0.1]", 80));
        assert!(!allows("127.0.0.1", "127.0.0.2", 80));
        // Some resolvers take it for the same; that this one will is not known here.
        assert!(!allows("127.0.0.1", "127.1", 80));
    }

    #[test]
    fn what_is_no_host_is_refused_with_a_reason() {
        for (text, problem) in [
            ("https://example.com", NotAHost::Url),
            ("example.com/path", NotAHost::Url),
            ("*.example.com", NotAHost::Wildcard),
            ("example.com:http", NotAHost::Port),
            ("example.com:0", NotAHost::Port),
            ("", NotAHost::Characters),
            (".", NotAHost::Characters),
            ("..example.com", NotAHost::Characters),
            ("exa mple.com", NotAHost::Characters),
            ("m\u{fc}ller.example", NotAHost::Characters),
        ] {
            assert_eq!(text.parse::<Allowed>(), Err(problem), "{text}");
        }
    }

    #[test]
    fn a_file_has_one_a_line_and_comments() {
        let mut list = AllowList::default();
        list.parse("f", "# for the build\n\nexample.com # 3 requests\r\n\t.example.org:443\n")
            .unwrap();
        assert_eq!(list.0.len(), 2);
        assert!(list.allows("example.com", 80) && list.allows("www.example.org", 443));
    }

    #[test]
    fn what_is_wrong_in_a_file_is_shown_where_it_is() {
        let complaints =
            AllowList::default().parse("f", "example.com\n  *.test # all\n").unwrap_err();
        let shown: Vec<_> = complaints.iter().map(Complaint::to_string).collect();
        assert_eq!(shown.len(), 1);
        assert!(shown[0].starts_with("f:2:3: a domain"), "{}", shown[0]);
        assert!(shown[0].ends_with("\n    2 |   *.test # all\n      |   ^^^^^^"), "{}", shown[0]);
    }
}
