//! [`Version`]: the two protocol versions spoken here.

use std::fmt;

/// The version in a start line. Any other is refused: a later minor version would be allowed
/// to be read as HTTP/1.1 (RFC 9110 §2.5), but none exists, and who sends one means no good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// `HTTP/1.0`
    Http10,
    /// `HTTP/1.1`
    #[default]
    Http11,
}

impl Version {
    /// The number alone, as it stands in `Via` (RFC 9110 §7.6.3).
    pub const fn number(self) -> &'static str {
        match self {
            Version::Http10 => "1.0",
            Version::Http11 => "1.1",
        }
    }

    /// From what httparse calls it: the minor version.
    pub(crate) const fn from_minor(minor: u8) -> Version {
        match minor {
            0 => Version::Http10,
            _ => Version::Http11,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP/{}", self.number())
    }
}
