//! [`sniff`]: other protocols that end up on a port that speaks HTTP/1.

/// What the first bytes of a connection look like. People who enter a proxy as `https://…`, or
/// force HTTP/2 upon it, deserve to be told so instead of "bad request".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sniff {
    /// HTTP/1, or nothing known.
    Http,
    /// A TLS handshake.
    Tls,
    /// The connection preface of HTTP/2.
    Http2,
}

/// Looks at the first bytes of a connection. A first byte of 0x16 is enough for TLS: no method
/// begins with it. The preface of HTTP/2 is known by its first line, which is whole before a
/// request could be; until then the answer is [`Sniff::Http`], and a scanner that has begun
/// ends with [`Error::Version`](super::Error::Version), which is the same status.
pub fn sniff(input: &[u8]) -> Sniff {
    match input {
        // RFC 8446 §5.1: a record of type handshake, version 3.x.
        [0x16] | [0x16, 0x03, ..] => Sniff::Tls,
        // RFC 9113 §3.4.
        [b'P', b'R', b'I', ..] if input.starts_with(b"PRI * HTTP/2.0\r\n") => Sniff::Http2,
        _ => Sniff::Http,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_and_http2_are_recognised() {
        for (input, expected) in [
            (&b""[..], Sniff::Http),
            (b"GET / HTTP/1.1\r\n", Sniff::Http),
            (b"PRIVATE / HTTP/1.1\r\n", Sniff::Http),
            (b"PRI * HTTP/1.1\r\n", Sniff::Http),
            (b"\x16\x01", Sniff::Http),
            (b"\x16", Sniff::Tls),
            (b"\x16\x03\x01\x02\x00\x01", Sniff::Tls),
            (b"PRI * HTTP/2.0\r", Sniff::Http),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Sniff::Http2),
        ] {
            assert_eq!(sniff(input), expected, "{}", input.escape_ascii());
        }
    }
}
