//! [`HostPort`]: `host[:port]`, in a target or in `Host` (RFC 3986 §3.2, RFC 9110 §7.2).

use std::net::Ipv6Addr;

/// The longest host: what the domain name system can hold (RFC 3986 §3.2.2).
const HOST_BYTES: usize = 255;

/// A checked `host[:port]`: where its host ends, and its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostPort {
    pub(crate) host_len: usize,
    pub(crate) port: Option<u16>,
}

impl HostPort {
    /// Checks the whole of `text`. Narrower than RFC 3986: a name is letters, digits, `-`,
    /// `.`, `_` and `~`. Percent-encoding, which would make two spellings of one name, and the
    /// delimiters `!$&'()*+,;=`, one of which is the comma between hosts, are refused; so are
    /// an empty host, userinfo, an empty port, and zone identifiers.
    pub(crate) fn parse(text: &[u8]) -> Option<HostPort> {
        let host_len = match text {
            [b'[', rest @ ..] => {
                let address = &rest[..rest.iter().position(|&byte| byte == b']')?];
                std::str::from_utf8(address).ok()?.parse::<Ipv6Addr>().ok()?;
                address.len() + 2
            }
            _ => text.iter().take_while(|&&byte| is_name_byte(byte)).count(),
        };
        if !(1..=HOST_BYTES).contains(&host_len) {
            return None;
        }
        let port = match &text[host_len..] {
            [] => None,
            [b':', digits @ ..] => Some(parse_port(digits)?),
            _ => return None,
        };
        Some(HostPort { host_len, port })
    }
}

/// 1 to 65535, without zeros before it.
fn parse_port(digits: &[u8]) -> Option<u16> {
    if !(1..=5).contains(&digits.len()) || digits[0] == b'0' {
        return None;
    }
    digits.iter().try_fold(0u16, |port, &byte| match byte {
        b'0'..=b'9' => port.checked_mul(10)?.checked_add(u16::from(byte - b'0')),
        _ => None,
    })
}

const fn is_name_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_authorities() {
        for (text, host_len, port) in [
            ("example.com", 11, None),
            ("EXAMPLE.com.:8080", 12, Some(8080)),
            ("under_score~x", 13, None),
            ("192.0.2.1:1", 9, Some(1)),
            ("0x7f.1", 6, None),
            ("[::1]", 5, None),
            ("[2001:db8::192.0.2.1]:65535", 21, Some(65535)),
            ("[::ffff:1.2.3.4]:80", 16, Some(80)),
        ] {
            let expected = Some(HostPort { host_len, port });
            assert_eq!(HostPort::parse(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn malformed_authorities() {
        let too_long = "a".repeat(HOST_BYTES + 1);
        for text in [
            "",
            ":",
            ":80",
            "host:",
            "host:0",
            "host:080",
            "host:65536",
            "host:99999",
            "host:+80",
            "host:8 0",
            "host:80:80",
            "host:a",
            "a,b",
            "a b",
            "a\tb",
            "a/b",
            "a?b",
            "a#b",
            "a%41",
            "user@host",
            "user:pw@host",
            "a\\b",
            "a;b",
            "a'b",
            "a(b)",
            "a=b",
            "a&b",
            "a+b",
            "a!b",
            "a*b",
            "a\"b",
            "<a>",
            "a|b",
            "a^b",
            "a{b}",
            "h\u{f6}st",
            "::1",
            "[::1",
            "::1]",
            "[]",
            "[:::1]",
            "[::1%25eth0]",
            "[fe80::1%eth0]",
            "[v1.x]",
            "[::1]x",
            "[::1]80",
            "[::1]:",
            "[1.2.3.4]",
            "[host]",
            "[ ::1]",
            "[[::1]]",
            &too_long,
        ] {
            assert_eq!(HostPort::parse(text.as_bytes()), None, "{text}");
        }
    }
}
