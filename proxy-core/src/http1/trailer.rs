//! [`Trailer`]: the fields behind a chunked body (RFC 9112 §7.1.2).

use super::Error;
use super::field::FieldKind;
use super::fields::FIELDS;
use super::scan::Lines;
use crate::limits::Limits;

/// Fields that must not stand in a trailer, because they say how to read, route, answer or
/// trust a message that has been acted on by then (RFC 9110 §6.5.1). Those that frame it or
/// end at each hop are left out by their [`FieldKind`].
const NOT_IN_TRAILERS: [&str; 43] = [
    "age",
    "alt-svc",
    "alt-used",
    "authentication-info",
    "authorization",
    "cache-control",
    "cdn-cache-control",
    "cf-connecting-ip",
    "clear-site-data",
    "client-ip",
    "cookie",
    "cookie2",
    "date",
    "depth",
    "destination",
    "dpop",
    "early-data",
    "expires",
    "fastly-client-ip",
    "forwarded",
    "from",
    "location",
    "origin",
    "overwrite",
    "pragma",
    "prefer",
    "range",
    "referer",
    "refresh",
    "retry-after",
    "set-cookie",
    "set-cookie2",
    "soapaction",
    "strict-transport-security",
    "true-client-ip",
    "user-agent",
    "vary",
    "warning",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
    "x-host",
    "x-sendfile",
];

/// Beginnings of the names of whole families of such fields, with those that have no standard
/// and yet a meaning to some servers: they override the method, the target or the client.
const FAMILIES_NOT_IN_TRAILERS: [&str; 20] = [
    "accept",
    "access-control-",
    "content-",
    "cross-origin-",
    "if-",
    "proxy-",
    "sec-",
    "x-accel-",
    "x-auth-",
    "x-client-",
    "x-cluster-",
    "x-envoy-",
    "x-forwarded",
    "x-http-",
    "x-method",
    "x-origin",
    "x-override",
    "x-real-",
    "x-remote-",
    "x-rewrite",
];

/// Of those families, the ones that are made for trailers: they are known at the end only
/// (RFC 9530 §6.3; RFC 1864).
const YET_IN_TRAILERS: [&str; 2] = ["content-digest", "content-md5"];

/// A trailer section that comes in pieces.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trailer(Lines);

impl Trailer {
    /// Looks for the end of the section, its empty line included; `None` if it has not come.
    /// `input` begins with the section, at each call.
    pub(crate) fn scan(&mut self, input: &[u8], limits: &Limits) -> Result<Option<usize>, Error> {
        let window = &input[..input.len().min(limits.trailer_bytes)];
        loop {
            match self.0.next(window).map_err(|_| Error::Trailer)? {
                Some(line) if line.is_empty() => return Ok(Some(line.end + 2)),
                Some(_) => {}
                None if input.len() >= limits.trailer_bytes => return Err(Error::Trailer),
                None => return Ok(None),
            }
        }
    }

    /// Appends to `out` the fields of a whole section that may go on, without the empty line.
    pub(crate) fn write_kept(
        section: &[u8],
        out: &mut Vec<u8>,
        limits: &Limits,
    ) -> Result<(), Error> {
        let mut room = [httparse::EMPTY_HEADER; FIELDS];
        let Ok(httparse::Status::Complete((_, fields))) =
            httparse::parse_headers(section, &mut room)
        else {
            return Err(Error::Trailer);
        };
        if fields.len() > limits.fields {
            return Err(Error::Trailer);
        }
        for field in fields.iter().filter(|field| is_kept(field.name)) {
            for part in [field.name.as_bytes(), b": ", field.value, b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
        Ok(())
    }
}

fn is_kept(name: &str) -> bool {
    let is = |known: &&str| name.len() == known.len() && begins(name, known);
    FieldKind::of(name.as_bytes()) == FieldKind::Other
        && !NOT_IN_TRAILERS.iter().any(is)
        && (!FAMILIES_NOT_IN_TRAILERS.iter().any(|family| begins(name, family))
            || YET_IN_TRAILERS.iter().any(is))
}

/// Whether a name begins with another, in any case, and with `_` for `-`, which servers of the
/// CGI kind do not tell apart.
fn begins(name: &str, known: &str) -> bool {
    let same = |(byte, known): (u8, u8)| {
        byte.eq_ignore_ascii_case(&known) || byte == b'_' && known == b'-'
    };
    name.len() >= known.len() && name.bytes().zip(known.bytes()).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(section: &str) -> Result<String, Error> {
        let mut out = Vec::new();
        Trailer::write_kept(section.as_bytes(), &mut out, &Limits::default())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn what_is_only_known_at_the_end_is_kept() {
        assert_eq!(
            kept(
                "Digest:  sha-256=x \r\nContent-Digest: a\r\nServer-Timing: a\r\nX-Empty:\r\n\r\n"
            )
            .unwrap(),
            "Digest: sha-256=x\r\nContent-Digest: a\r\nServer-Timing: a\r\nX-Empty: \r\n"
        );
    }

    #[test]
    fn what_frames_routes_or_authenticates_is_dropped() {
        for name in NOT_IN_TRAILERS.into_iter().chain([
            "Host",
            "Transfer-Encoding",
            "Connection",
            "Keep-Alive",
            "Upgrade",
            "TE",
            "Trailer",
            "Proxy-Authorization",
            "Via",
            "Expect",
            "Max-Forwards",
            "Content_Length",
            "Content-Language",
            "IF-Match",
            "X_HTTP_Method_Override",
            "X-Original-URL",
            "x-forwarded",
            "Proxy",
        ]) {
            assert_eq!(kept(&format!("{name}: x\r\nA: b\r\n\r\n")).unwrap(), "A: b\r\n", "{name}");
        }
    }

    #[test]
    fn malformed_fields_are_refused() {
        for section in [
            "no colon\r\n\r\n",
            " A: b\r\n\r\n",
            "A : b\r\n\r\n",
            "A: b\r\n c\r\n\r\n",
            "A: \x01\r\n\r\n",
            ": b\r\n\r\n",
            "\u{e9}: b\r\n\r\n",
        ] {
            assert_eq!(kept(section), Err(Error::Trailer), "{section:?}");
        }
    }
}
