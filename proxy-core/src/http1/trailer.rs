//! [`Trailer`]: the fields behind a chunked body (RFC 9112 §7.1.2).

use super::Error;
use super::field::FieldKind;
use super::fields::FIELDS;
use super::scan::Lines;
use crate::limits::Limits;

/// Fields that must not stand in a trailer, because they say how to read, route, answer or
/// trust a message that has been acted on by then (RFC 9110 §6.5.1). Those that frame it or
/// end at each hop are left out by their [`FieldKind`].
const NOT_IN_TRAILERS: [&str; 34] = [
    "age",
    "authentication-info",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expires",
    "forwarded",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "location",
    "origin",
    "pragma",
    "proxy-status",
    "range",
    "referer",
    "retry-after",
    "set-cookie",
    "vary",
    "warning",
    "www-authenticate",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-http-method-override",
    "x-real-ip",
];

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
    FieldKind::of(name.as_bytes()) == FieldKind::Other
        && !NOT_IN_TRAILERS.iter().any(|other| other.eq_ignore_ascii_case(name))
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
            kept("Digest:  sha-256=x \r\nServer-Timing: a\r\nX-Empty:\r\n\r\n").unwrap(),
            "Digest: sha-256=x\r\nServer-Timing: a\r\nX-Empty: \r\n"
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
