//! Where in a message stands what is wrong with it.
//!
//! Parsers say what is wrong, and not where: nearly nobody asks. Whoever does, because somebody is
//! looking for the reason, has the message looked at once more. So nothing here decides anything, and
//! what cannot be told is not.

use super::field::FieldKind;
use super::list::{decimal, is_token_byte};
use super::{Error, scan};
use crate::limits::Limits;

/// Where in the head of a request stands what is wrong with it.
pub(crate) fn in_request(head: &[u8], error: Error, limits: &Limits) -> Option<usize> {
    in_head(head, error, limits, request_line)
}

/// Where in the head of a response stands what is wrong with it.
pub(crate) fn in_response(head: &[u8], error: Error, limits: &Limits) -> Option<usize> {
    in_head(head, error, limits, status_line)
}

/// Where in a trailer section stands what is wrong with it; its end, if that is what is missing.
pub(crate) fn in_trailer(section: &[u8]) -> usize {
    first_bad_field(section, 0).unwrap_or(section.len())
}

fn in_head(
    head: &[u8],
    error: Error,
    limits: &Limits,
    start_line: impl Fn(&[u8]) -> usize,
) -> Option<usize> {
    let at = match error {
        Error::StartLine | Error::Version => start_line(head),
        Error::Target => in_target(head),
        Error::TargetTooLong => target(head).0 + limits.target_bytes,
        // The second one, if there is one; where it is missing, the end.
        Error::Host => second(head, &[FieldKind::Host]).unwrap_or(head.len()),
        Error::Field => match first_bad_field(head, 1) {
            Some(at) => at,
            None => first(head, &[FieldKind::MaxForwards, FieldKind::Connection])?,
        },
        Error::Expectation => first(head, &[FieldKind::Expect])?,
        Error::TooManyFields => lines(head).nth(limits.fields.saturating_add(1))?.0,
        Error::HeadTooLarge => scan::head_bytes(limits),
        Error::Length => in_length(head)?,
        Error::TransferCoding => first(head, &[FieldKind::TransferEncoding])?,
        Error::Chunk | Error::Trailer | Error::Truncated => return None,
    };
    Some(at)
}

/// The lines of a head, each with where it begins, and with its end.
fn lines(head: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut next = 0;
    head.split_inclusive(|&byte| byte == b'\n').map(move |line| {
        let at = next;
        next += line.len();
        (at, line)
    })
}

/// How far the bytes from `at` on are like this.
fn run(bytes: &[u8], at: usize, is: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|&&byte| is(byte)).count()
}

/// How far the bytes from `at` on are those of a text.
fn like(bytes: &[u8], at: usize, text: &[u8]) -> Result<usize, usize> {
    let same = bytes.iter().skip(at).zip(text).take_while(|(one, other)| one == other).count();
    if same == text.len() { Ok(at + same) } else { Err(at + same) }
}

fn is_visible(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

/// Where the target begins and ends.
fn target(head: &[u8]) -> (usize, usize) {
    let start = run(head, 0, is_token_byte) + 1;
    (start, run(head, start, |byte| byte != b' ' && byte != b'\r' && byte != b'\n'))
}

fn in_target(head: &[u8]) -> usize {
    let (start, end) = target(head);
    let text = head.get(start..end).unwrap_or_default();
    let is_bad = |&byte: &u8| !is_visible(byte) || byte == b'#';
    // What else is malformed, is so as a whole; a user in front of the host most often.
    let bad = text.iter().position(is_bad).or_else(|| text.iter().position(|&byte| byte == b'@'));
    start + bad.unwrap_or(0)
}

/// `method SP target SP HTTP/1.x CRLF` (RFC 9112 §3).
fn request_line(head: &[u8]) -> usize {
    let read = || {
        let method = run(head, 0, is_token_byte);
        let method = if method == 0 { Err(0) } else { like(head, method, b" ") }?;
        let target = run(head, method, is_visible);
        let target = if target == method { Err(method) } else { like(head, target, b" ") }?;
        version(head, target).and_then(|end| like(head, end, b"\r\n"))
    };
    // In its form there is nothing wrong: it is the method.
    read().err().unwrap_or(0)
}

/// `HTTP/1.x SP status [SP reason] CRLF` (RFC 9112 §4).
fn status_line(head: &[u8]) -> usize {
    let read = || {
        let status = version(head, 0).and_then(|end| like(head, end, b" "))?;
        let end = run(head, status, |byte| byte.is_ascii_digit());
        if end != status + 3 || !matches!(head[status], b'1'..=b'5') {
            return Err(end.min(status + 3).min(head.len().saturating_sub(1)));
        }
        let text = run(head, end, is_value_byte);
        like(head, text, b"\r\n")
    };
    read().err().unwrap_or(0)
}

fn version(head: &[u8], at: usize) -> Result<usize, usize> {
    let minor = like(head, at, b"HTTP/1.")?;
    let end = run(head, minor, |byte| matches!(byte, b'0' | b'1'));
    if end == minor + 1 { Ok(end) } else { Err(minor) }
}

/// The first byte that no field line has, behind so many lines.
fn first_bad_field(section: &[u8], skipped: usize) -> Option<usize> {
    lines(section).skip(skipped).find_map(|(at, line)| Some(at + bad_byte(line)?))
}

/// `name: value CRLF` (RFC 9112 §5); or the empty line.
fn bad_byte(line: &[u8]) -> Option<usize> {
    let (content, bare_lf) = match line {
        [content @ .., b'\r', b'\n'] => (content, None),
        [content @ .., b'\n'] => (content, Some(content.len())),
        all => (all, None),
    };
    if content.is_empty() {
        return bare_lf;
    }
    let name = run(content, 0, is_token_byte);
    if name == 0 || content.get(name) != Some(&b':') {
        return Some(name);
    }
    let end = run(content, name + 1, is_value_byte);
    if end < content.len() { Some(end) } else { bare_lf }
}

fn is_value_byte(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

/// The values of fields of these kinds, and where each begins.
fn values<'a>(head: &'a [u8], kinds: &[FieldKind]) -> impl Iterator<Item = (usize, &'a [u8])> {
    lines(head).skip(1).filter_map(|(at, line)| {
        let name = run(line, 0, is_token_byte);
        let is_one = line.get(name) == Some(&b':') && kinds.contains(&FieldKind::of(&line[..name]));
        let start = run(line, name + 1, |byte| byte == b' ' || byte == b'\t');
        is_one.then(|| (at + start, line[start.min(line.len())..].trim_ascii_end()))
    })
}

fn first(head: &[u8], kinds: &[FieldKind]) -> Option<usize> {
    values(head, kinds).next().map(|(at, _)| at)
}

/// The second of them, or the only one.
fn second(head: &[u8], kinds: &[FieldKind]) -> Option<usize> {
    values(head, kinds).take(2).last().map(|(at, _)| at)
}

/// What is no number; else what says it again, and may say it differently.
fn in_length(head: &[u8]) -> Option<usize> {
    let mut lengths = values(head, &[FieldKind::ContentLength]);
    if let Some((at, value)) = lengths.find(|(_, value)| decimal(value).is_none()) {
        return Some(at + run(value, 0, |byte| byte.is_ascii_digit()));
    }
    let all = [FieldKind::ContentLength, FieldKind::TransferEncoding, FieldKind::FramingLookalike];
    second(head, &all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::{HeadScanner, RequestHead, ResponseHead};

    /// What a parser says of a head, and the bytes from where the fault is found to be.
    fn request(head: &str) -> (Error, String) {
        let limits = Limits { target_bytes: 30, fields: 3, head_bytes: 200, ..Limits::default() };
        let error = match HeadScanner::new().scan(head.as_bytes(), &limits) {
            Err(error) => error,
            Ok(_) => RequestHead::new().parse(head.as_bytes(), &limits).unwrap_err(),
        };
        let at = in_request(head.as_bytes(), error, &limits).unwrap_or(usize::MAX);
        (error, head.get(at..).unwrap_or("nowhere").to_owned())
    }

    #[test]
    fn what_is_wrong_with_a_request_is_found() {
        for (head, error, rest) in [
            ("G(T / HTTP/1.1\r\n\r\n", Error::StartLine, "(T / HTTP"),
            ("GET  / HTTP/1.1\r\n\r\n", Error::StartLine, " / HTTP"),
            ("GET / HTTP/1.1 \r\n\r\n", Error::StartLine, " \r\n\r\n"),
            ("GET / HTTP/1.1\n\r\n", Error::StartLine, "\n\r\n"),
            ("GET /\u{1}x HTTP/1.1\r\n\r\n", Error::StartLine, "\u{1}x"),
            ("GET / HTTP/2.0\r\n\r\n", Error::Version, "2.0\r\n"),
            ("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", Error::Target, "@a/ "),
            ("GET /x#y HTTP/1.1\r\nHost: a\r\n\r\n", Error::Target, "#y "),
            ("GET nonsense HTTP/1.1\r\nHost: a\r\n\r\n", Error::Target, "nonsense "),
            (
                "GET /0123456789012345678901234567890123456789 HTTP/1.1\r\n\r\n",
                Error::TargetTooLong,
                "9012345678",
            ),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost:  b\r\n\r\n", Error::Host, "b\r\n"),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", Error::Host, "a b\r\n"),
            ("GET / HTTP/1.1\r\nA: b\r\n\r\n", Error::Host, ""),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", Error::Field, " : a"),
            ("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", Error::Field, "\r\n\r\n"),
            ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", Error::Field, " b\r\n"),
            ("GET / HTTP/1.1\r\nA: b\u{7f}c\r\n\r\n", Error::Field, "\u{7f}c"),
            ("GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", Error::Field, "\nC: d"),
            ("GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", Error::Field, "\rC: d"),
            ("GET / HTTP/1.1\r\nA: \0\r\n\r\n", Error::Field, "\0\r\n"),
            ("TRACE / HTTP/1.1\r\nHost: a\r\nMax-Forwards: x\r\n\r\n", Error::Field, "x\r\n\r\n"),
            ("GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", Error::Expectation, "tea\r\n"),
            (
                "GET / HTTP/1.1\r\nA: b\r\nC: d\r\nE: f\r\nG: h\r\n\r\n",
                Error::TooManyFields,
                "G: h\r\n",
            ),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 12x\r\n\r\n", Error::Length, "x\r\n"),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
                Error::Length,
                "1\r\n\r\n",
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                Error::Length,
                "chunked\r\n",
            ),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 1\r\n\r\n", Error::Length, "1\r\n"),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
                Error::TransferCoding,
                "gzip\r\n",
            ),
        ] {
            let (found, found_rest) = request(head);
            assert_eq!(found, error, "{head:?}");
            assert!(found_rest.starts_with(rest), "{head:?}: {found_rest:?}");
            assert!(!rest.is_empty() || found_rest.is_empty(), "{head:?}: {found_rest:?}");
        }
        let long = format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(200));
        assert_eq!(request(&long), (Error::HeadTooLarge, "x".repeat(long.len() - 200)));
    }

    #[test]
    fn what_is_wrong_with_a_response_is_found() {
        let limits = Limits::default();
        let mut get = RequestHead::new();
        get.parse(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &limits).unwrap();
        for (head, rest) in [
            ("HTTP/1.1 20 OK\r\n\r\n", " OK\r\n"),
            ("HTTP/1.1 2000 OK\r\n\r\n", "0 OK\r\n"),
            ("HTTP/1.1200 OK\r\n\r\n", "200 OK"),
            ("ICY 200 OK\r\n\r\n", "ICY 200"),
            ("HTTP/1.1 200 O\u{1}K\r\n\r\n", "\u{1}K"),
            ("HTTP/1.1 200 OK\r\nA b\r\n\r\n", " b\r\n"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n", ", 6\r\n"),
        ] {
            let scanned = HeadScanner::new().scan(head.as_bytes(), &limits).map(|_| ());
            let parsed = || ResponseHead::new().parse(head.as_bytes(), &get, &limits);
            let error = scanned.and_then(|()| parsed()).unwrap_err();
            let at = in_response(head.as_bytes(), error, &limits).unwrap();
            assert!(head[at..].starts_with(rest), "{head:?}: {error}, {:?}", &head[at..]);
        }
    }

    #[test]
    fn whatever_it_is_nothing_is_looked_for_beyond_it() {
        let limits = Limits { fields: 0, ..Limits::default() };
        let whole = b"GET /\xff HTTP/1.1\r\nHost: a\r\n\nContent-Length:\r\n \r\n";
        for end in 0..=whole.len() {
            for error in Error::ALL {
                let _ = in_request(&whole[..end], error, &limits);
                let _ = in_response(&whole[..end], error, &limits);
            }
            assert!(in_trailer(&whole[..end]) <= end);
        }
    }
}
