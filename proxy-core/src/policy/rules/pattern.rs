//! [`HostPattern`] and [`FieldPattern`]: what hosts and fields are compared with.

use std::fmt;
use std::str::FromStr;

use super::super::glob::{Glob, GlobError};
use super::super::host_name::{self, HostName};
use crate::http1::is_token;

/// A pattern for hosts. Case does not count, nor does a dot at the end, nor how an address is
/// written: `[::ffff:192.0.2.1]`, `192.0.513` and `3221225985` are 192.0.2.1, as they are to those
/// who connect to them.
///
/// | written | is |
/// |---|---|
/// | `example.com`, `192.0.2.1`, `[2001:db8::1]` | this host |
/// | `.example.com` | this domain and all its subdomains |
/// | `*.example.com`, `ads?.*` | a [`Glob`]: `*` stands for any bytes, dots among them; so `192.0.2.*` is also `192.0.2.example.com` |
///
/// ```
/// use proxy_core::rules::HostPattern;
///
/// let pattern: HostPattern = ".Example.com".parse()?;
/// assert!(pattern.matches("example.com.") && pattern.matches("www.EXAMPLE.com"));
/// assert!(!pattern.matches("badexample.com"));
/// # Ok::<(), proxy_core::rules::PatternError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    text: Box<str>,
    pub(super) kind: HostPatternKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HostPatternKind {
    /// A host in its one form.
    Exact(Box<str>),
    /// A domain in its one form, without the dot.
    Suffix(Box<str>),
    Glob(Glob),
}

/// Why a text is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// There is nothing to compare with, or too much.
    #[error(transparent)]
    Glob(#[from] GlobError),
    /// It holds what no host has: no host would match.
    #[error("expected a host, as example.com or .example.com, and no scheme, port or path")]
    Host,
    /// It holds what no URL has: no URL would match.
    #[error("expected visible ASCII: what else there is in a URL is sent percent-encoded")]
    Url,
    /// No URL begins like that.
    #[error("expected http://host/path, or `*` at the beginning")]
    UrlStart,
    /// It has a host, and no path behind it.
    #[error("expected a path behind the host: http://host/ is one page, http://host/* are all")]
    UrlPath,
    /// It has a `.` or `..` between slashes.
    #[error("no URL has `.` or `..` between slashes: they are resolved before it is compared")]
    UrlDots,
    /// A field has no such name.
    #[error("no header field can have this name")]
    FieldName,
    /// It is no regular expression, or one that needs too much memory.
    #[error("{0}")]
    Regex(String),
}

impl HostPattern {
    /// Whether `host` is one of those that are meant.
    pub fn matches(&self, host: &str) -> bool {
        self.matches_name(&HostName::new(host))
    }

    pub(super) fn matches_name(&self, name: &HostName) -> bool {
        let is_label_before = |rest: &[u8]| rest.is_empty() || rest.ends_with(b".");
        match &self.kind {
            HostPatternKind::Exact(own) => name.bytes() == own.as_bytes(),
            HostPatternKind::Suffix(own) => {
                name.bytes().strip_suffix(own.as_bytes()).is_some_and(is_label_before)
            }
            HostPatternKind::Glob(glob) => glob.matches(name.bytes()),
        }
    }
}

impl FromStr for HostPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_ascii_lowercase();
        let lower = lower.strip_suffix('.').unwrap_or(&lower);
        let domain = |name: &str| match host_name::is_domain(name.as_bytes()) {
            true => Ok(Box::from(name)),
            false => Err(PatternError::Host),
        };
        let kind = if lower.contains(['*', '?']) {
            if !lower.bytes().all(is_host_byte) {
                return Err(PatternError::Host);
            }
            HostPatternKind::Glob(lower.parse()?)
        } else if let Some(suffix) = lower.strip_prefix('.') {
            // Addresses have no subdomains.
            if host_name::ends_in_number(suffix) {
                return Err(PatternError::Host);
            }
            HostPatternKind::Suffix(domain(suffix)?)
        } else if host_name::address(lower).is_some() {
            // The one form of an address is not what is written, perhaps.
            let form = String::from_utf8_lossy(HostName::new(lower).bytes()).into_owned();
            HostPatternKind::Exact(form.into())
        } else {
            HostPatternKind::Exact(domain(lower)?)
        };
        Ok(HostPattern { text: text.into(), kind })
    }
}

/// What can be in a host, or in a glob for one.
pub(super) fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~*?[]:".contains(&byte)
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a field of a request must be like: there, or there with a value. Of several fields of that
/// name one is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPattern {
    pub(super) name: Box<str>,
    /// `None`: whatever its value.
    pub(super) value: Option<Glob>,
}

impl FieldPattern {
    /// A field of this name is there.
    ///
    /// # Errors
    /// If there can be none.
    pub fn present(name: &str) -> Result<FieldPattern, PatternError> {
        match is_token(name.as_bytes()) {
            true => Ok(FieldPattern { name: name.into(), value: None }),
            false => Err(PatternError::FieldName),
        }
    }

    /// Its value is like this: equal, where the [`Glob`] has no `*` and no `?`. Case counts.
    ///
    /// # Errors
    /// If no field can have the name, or `value` is no glob.
    pub fn with_value(name: &str, value: &str) -> Result<FieldPattern, PatternError> {
        Ok(FieldPattern { value: Some(value.parse()?), ..FieldPattern::present(name)? })
    }
}

impl fmt::Display for FieldPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}: {value}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_compared_in_one_form() {
        for (pattern, host, expected) in [
            ("example.com", "EXAMPLE.com.", true),
            ("example.com", "www.example.com", false),
            (".example.com", "example.com", true),
            (".example.com", "a.b.Example.com", true),
            (".example.com", "badexample.com", false),
            ("*.example.com", "example.com", false),
            ("*.Example.com", "a.b.example.com", true),
            ("[2001:DB8:0::1]", "[2001:db8::1]", true),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "[::ffff:c000:201]", true),
            ("192.0.2.1", "3221225985", true),
            ("[::ffff:192.0.2.1]", "192.0.2.1", true),
            ("0xc0.0.2.1", "192.0.2.1", true),
            ("192.0.2.*", "192.0.513", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("ads?.test", "ads1.test", true),
        ] {
            let parsed: HostPattern = pattern.parse().unwrap();
            assert_eq!(parsed.matches(host), expected, "{pattern} {host}");
        }
    }

    #[test]
    fn what_no_host_can_match_is_refused() {
        for text in [
            "",
            ".",
            "http://a.test",
            "a.test:80",
            "a.test/x",
            "http://*",
            "b\u{fc}",
            "[::g]",
            ".168.1.1",
        ] {
            assert_eq!(text.parse::<HostPattern>(), Err(PatternError::Host), "{text}");
        }
    }

    #[test]
    fn names_that_no_field_has_are_refused() {
        assert_eq!(FieldPattern::present("a b"), Err(PatternError::FieldName));
        assert!(FieldPattern::with_value("X-A", "").is_err());
    }
}
