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
        let first_line = limits.target_bytes.saturating_add(BESIDE_THE_TARGET);
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
