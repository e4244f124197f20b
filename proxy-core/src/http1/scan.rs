//! [`HeadScanner`]: finds where a head ends, however its bytes drip in.

use std::ops::Range;

use memchr::memchr3;

use super::Error;
use crate::limits::Limits;

/// The longest head there can be, whatever [`Limits::head_bytes`] says: positions in a head
/// are kept in 32 bits.
const HEAD_BYTES: usize = 1024 * 1024;

/// Room in the first line for what is not the target: method, spaces, version.
const BESIDE_THE_TARGET: usize = 64;

/// The bytes a head may have.
pub(crate) fn head_bytes(limits: &Limits) -> usize {
    limits.head_bytes.min(HEAD_BYTES)
}

/// The bytes a first line may have, its end included.
pub(crate) fn first_line_bytes(limits: &Limits) -> usize {
    limits.target_bytes.saturating_add(BESIDE_THE_TARGET)
}

/// Finds the end of a head. Each byte is looked at once, so that a head which comes byte by
/// byte costs no more than one that comes whole.
///
/// A line ends with CRLF and nothing else. RFC 9112 §2.2 would let a recipient take a bare LF
/// for a line end; who does so sees other messages in the same bytes than who does not, which
/// is what request smuggling is made of. So a CR or LF alone is refused as soon as it is seen,
/// and NUL with it.
#[derive(Clone, Debug, Default)]
pub struct HeadScanner {
    lines: Lines,
    count: usize,
}

impl HeadScanner {
    /// A scanner at the beginning of a head.
    pub fn new() -> HeadScanner {
        HeadScanner::default()
    }

    /// Looks on. `input` is all that has come of this message so far: each call sees the bytes
    /// of the last one again, and what has come since. `Some(n)`: the head is `input[..n]`, its
    /// final empty line included. `None`: more bytes are needed.
    ///
    /// # Errors
    ///
    /// A line end that is none, or a limit. The verdict does not depend on how the bytes were
    /// cut into pieces.
    pub fn scan(&mut self, input: &[u8], limits: &Limits) -> Result<Option<usize>, Error> {
        let head = head_bytes(limits);
        let first_line = first_line_bytes(limits);
        loop {
            let (most, too_long) = match self.count {
                0 if first_line < head => (first_line, Error::TargetTooLong),
                _ => (head, Error::HeadTooLarge),
            };
            let before = self.lines;
            match self.lines.next(&input[..input.len().min(most)]) {
                Err(BadLineEnd) if self.count == 0 => return Err(Error::StartLine),
                Err(BadLineEnd) => return Err(Error::Field),
                Ok(None) if input.len() >= most => return Err(too_long),
                Ok(None) => return Ok(None),
                Ok(Some(line)) if line.is_empty() => {
                    if self.count == 0 {
                        return Err(Error::StartLine);
                    }
                    self.lines = before; // asked again, the answer is the same
                    return Ok(Some(line.end + 2));
                }
                Ok(Some(_)) => self.count += 1,
            }
            if self.count > limits.fields.saturating_add(1) {
                return Err(Error::TooManyFields);
            }
        }
    }

    /// Whether nothing of a head has been seen yet.
    pub fn is_fresh(&self) -> bool {
        self.lines.scanned == 0
    }

    /// Goes back to the beginning, for the next head.
    pub fn reset(&mut self) {
        *self = HeadScanner::default();
    }
}

/// The bytes of the empty lines in front of a request line, to be dropped. Clients of old sent
/// one after a body, and RFC 9112 §2.2 asks servers to bear it; all of them are dropped, so
/// that it makes no difference in which pieces they come. To be asked while the scanner
/// [is fresh](HeadScanner::is_fresh).
pub fn skip_empty_lines(input: &[u8]) -> usize {
    2 * input.chunks_exact(2).take_while(|pair| pair == b"\r\n").count()
}

/// Lines of a section that comes in pieces.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lines {
    /// Where the line that is being read begins.
    line: usize,
    /// How far the input has been looked at.
    scanned: usize,
}

/// A CR or LF that ends no line, or a NUL.
#[derive(Debug)]
pub(crate) struct BadLineEnd;

impl Lines {
    /// The next whole line, without its CRLF.
    pub(crate) fn next(&mut self, input: &[u8]) -> Result<Option<Range<usize>>, BadLineEnd> {
        // Limits that shrink in the middle of a head can leave less than was looked at.
        let rest = input.get(self.scanned..).unwrap_or_default();
        let Some(found) = memchr3(b'\r', b'\n', 0, rest) else {
            self.scanned += rest.len();
            return Ok(None);
        };
        let end = self.scanned + found;
        self.scanned = end;
        match &rest[found..] {
            [b'\r', b'\n', ..] => {
                let line = self.line..end;
                self.line = end + 2;
                self.scanned = end + 2;
                Ok(Some(line))
            }
            [b'\r'] => Ok(None),
            _ => Err(BadLineEnd),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::drip;

    fn small() -> Limits {
        Limits { head_bytes: 200, target_bytes: 30, fields: 3, ..Limits::default() }
    }

    #[test]
    fn a_head_ends_with_its_empty_line() {
        let limits = Limits::default();
        for (input, expected) in [
            ("GET / HTTP/1.1\r\n\r\n", Ok(Some(18))),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Ok(Some(27))),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r", Ok(None)),
            ("GET / HTTP/1.1\r\nHost: a\r\n", Ok(None)),
            ("GET", Ok(None)),
            ("", Ok(None)),
            ("\r\nGET / HTTP/1.1\r\n\r\n", Err(Error::StartLine)),
        ] {
            assert_eq!(drip::scan(input.as_bytes(), &limits), expected, "{input:?}");
        }
    }

    #[test]
    fn only_crlf_ends_a_line() {
        let limits = Limits::default();
        for (input, expected) in [
            ("GET / HTTP/1.1\n", Error::StartLine),
            ("GET / HTTP/1.1\rX", Error::StartLine),
            ("GET / HTTP/1.1\r\r\n\r\n", Error::StartLine),
            ("GET /\0", Error::StartLine),
            ("\n", Error::StartLine),
            ("GET / HTTP/1.1\r\n\n", Error::Field),
            ("GET / HTTP/1.1\r\n\rX", Error::Field),
            ("GET / HTTP/1.1\r\nHost: a\n\n", Error::Field),
            ("GET / HTTP/1.1\r\nHost: a\n\r\n", Error::Field),
            ("GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n", Error::Field),
            ("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", Error::Field),
            ("GET / HTTP/1.1\r\nHost: a\0\r\n\r\n", Error::Field),
        ] {
            assert_eq!(drip::scan(input.as_bytes(), &limits), Err(expected), "{input:?}");
        }
    }

    #[test]
    fn the_limits_are_exact() {
        let limits = small();
        let start = "GET / HTTP/1.1\r\nA: ";
        let head =
            |length: usize| format!("{start}{}\r\n\r\n", "x".repeat(length - 4 - start.len()));
        assert_eq!(drip::scan(head(200).as_bytes(), &limits), Ok(Some(200)));
        assert_eq!(drip::scan(head(201).as_bytes(), &limits), Err(Error::HeadTooLarge));
        assert_eq!(drip::scan(&head(201).as_bytes()[..199], &limits), Ok(None));
        assert_eq!(drip::scan(&head(201).as_bytes()[..200], &limits), Err(Error::HeadTooLarge));

        let fields = |count| format!("GET / HTTP/1.1\r\n{}", "A: b\r\n".repeat(count));
        assert_eq!(drip::scan(fields(3).as_bytes(), &limits), Ok(None));
        assert_eq!(drip::scan(fields(4).as_bytes(), &limits), Err(Error::TooManyFields));

        let line = "x".repeat(30 + BESIDE_THE_TARGET);
        assert_eq!(drip::scan(&line.as_bytes()[1..], &limits), Ok(None));
        assert_eq!(drip::scan(line.as_bytes(), &limits), Err(Error::TargetTooLong));
    }

    #[test]
    fn no_byte_is_looked_at_twice() {
        let limits = Limits::default();
        let head = b"GET / HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\n\r\n";
        let mut scanner = HeadScanner::new();
        for end in 0..head.len() {
            assert_eq!(scanner.scan(&head[..end], &limits), Ok(None));
            // Only a CR at the end has to be, together with what follows it.
            assert_eq!(
                scanner.lines.scanned,
                head[..end].strip_suffix(b"\r").map_or(end, <[u8]>::len)
            );
        }
        assert_eq!(scanner.scan(head, &limits), Ok(Some(head.len())));
        assert_eq!(scanner.scan(head, &limits), Ok(Some(head.len())), "asked again");
    }

    #[test]
    fn limits_may_shrink_in_the_middle_of_a_head() {
        let mut scanner = HeadScanner::new();
        let head = b"GET /a/path/that/is/just/a/little/too/long HTTP/1.1\r\nHost: example.com\r\n";
        assert_eq!(scanner.scan(head, &Limits::default()), Ok(None));
        let limits = Limits { head_bytes: 20, ..small() };
        assert_eq!(scanner.scan(head, &limits), Err(Error::HeadTooLarge));
    }

    #[test]
    fn a_scanner_is_fresh_until_it_has_seen_a_byte_of_a_head() {
        let mut scanner = HeadScanner::new();
        assert!(scanner.is_fresh());
        assert_eq!(scanner.scan(b"\r", &Limits::default()), Ok(None));
        assert!(scanner.is_fresh(), "it may become an empty line");
        assert_eq!(scanner.scan(b"G", &Limits::default()), Ok(None));
        assert!(!scanner.is_fresh());
        scanner.reset();
        assert!(scanner.is_fresh());
    }

    #[test]
    fn empty_lines_before_a_request_are_counted() {
        for (input, expected) in [
            ("", 0),
            ("GET", 0),
            ("\r", 0),
            ("\r\n", 2),
            ("\r\n\r", 2),
            ("\r\n\r\nGET\r\n", 4),
            ("\n\r\n", 0),
            (" \r\n", 0),
        ] {
            assert_eq!(skip_empty_lines(input.as_bytes()), expected, "{input:?}");
        }
    }
}
