//! [`ChunkScan`] and [`ChunkLine`]: the line that tells how long a chunk is (RFC 9112 §7.1).

use super::Error;
use super::list::without_leading_zeros;
use super::list::{is_text_byte, is_token_byte};

/// The digits a size may have: those of 64 bits.
const DIGITS: usize = 16;

/// A whole chunk-size line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkLine<'a> {
    /// The size, below 2⁶³ as a `Content-Length` is. 0 for the last chunk.
    pub(crate) size: u64,
    /// The same in as few digits as it takes.
    pub(crate) digits: &'a [u8],
    /// Bytes of the line, CRLF included.
    pub(crate) len: usize,
}

impl ChunkLine<'_> {
    /// Whether the line is nothing but its digits: goes on as it is.
    pub(crate) fn is_canonical(&self) -> bool {
        self.len == self.digits.len() + 2
    }
}

/// A chunk-size line that comes in pieces. Each byte is looked at once: a line may be as long as
/// [`Limits::chunk_line_bytes`](crate::Limits) says, and may come byte by byte.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ChunkScan {
    size: u64,
    /// How far the line has been looked at.
    scanned: usize,
    /// Digits among that, which stand in front.
    digits: u8,
    place: Place,
}

impl ChunkScan {
    /// Looks on. `input` begins with the line, at each call; `None`: the line is not complete.
    /// Asked again about a line that is, it says the same.
    pub(crate) fn read<'a>(
        &mut self,
        input: &'a [u8],
        most: usize,
    ) -> Result<Option<ChunkLine<'a>>, Error> {
        match self.look(&input[..input.len().min(most)])? {
            None if input.len() >= most => Err(Error::Chunk),
            line => Ok(line),
        }
    }

    /// How far the line has been looked at: what is wrong with it, if anything, stands there.
    pub(crate) fn scanned(&self) -> usize {
        self.scanned
    }

    fn look<'a>(&mut self, input: &'a [u8]) -> Result<Option<ChunkLine<'a>>, Error> {
        // Limits that shrink in the middle of a line can leave less than was looked at.
        if input.len() < self.scanned {
            return Ok(None);
        }
        if self.scanned == usize::from(self.digits) {
            self.look_at_digits(input)?;
        }
        while !matches!(self.place, Place::End) {
            let Some(&byte) = input.get(self.scanned) else { return Ok(None) };
            match (self.digits, self.place.after(byte)) {
                (1.., Some(next)) => self.place = next,
                _ => return Err(Error::Chunk),
            }
            self.scanned += 1;
        }
        let digits = without_leading_zeros(&input[..usize::from(self.digits)]);
        Ok(Some(ChunkLine { size: self.size, digits, len: self.scanned }))
    }

    fn look_at_digits(&mut self, input: &[u8]) -> Result<(), Error> {
        let count = input[self.scanned..]
            .iter()
            .map_while(|&byte| (byte as char).to_digit(16))
            .take(DIGITS - usize::from(self.digits))
            .map(|digit| self.size = self.size << 4 | u64::from(digit))
            .count();
        self.digits += count as u8;
        self.scanned += count;
        if self.size > i64::MAX as u64 { Err(Error::Chunk) } else { Ok(()) }
    }
}

/// A place behind the digits of a chunk-size line. Extensions are dropped (RFC 9112 §7.1.1),
/// but only well-formed ones: where one recipient sees a quoted string and another the end of
/// a line, the two see different bodies.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    /// Behind the size, or behind a quoted value.
    #[default]
    Size,
    /// White space, then `;` must come.
    BeforeSemicolon,
    /// Behind `;`, perhaps white space.
    BeforeName,
    Name,
    /// White space behind a name.
    BehindName,
    /// Behind `=`, perhaps white space.
    BeforeValue,
    Value,
    Quoted,
    /// Behind a backslash.
    Escaped,
    /// Behind CR.
    Cr,
    End,
}

impl Place {
    /// The place behind `byte`, if it may stand here:
    ///
    /// ```text
    /// chunk-ext = *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )
    /// ```
    fn after(self, byte: u8) -> Option<Place> {
        use Place::*;
        Some(match (self, byte) {
            (Size | Name | Value, b'\r') => Cr,
            (Cr, b'\n') => End,
            (Size | BeforeSemicolon | Name | BehindName | Value, b';') => BeforeName,
            (Size | BeforeSemicolon | Value, b' ' | b'\t') => BeforeSemicolon,
            (Name | BehindName, b' ' | b'\t') => BehindName,
            (Name | BehindName, b'=') => BeforeValue,
            (BeforeName, b' ' | b'\t') => BeforeName,
            (BeforeName | Name, _) if is_token_byte(byte) => Name,
            (BeforeValue, b' ' | b'\t') => BeforeValue,
            (BeforeValue, b'"') => Quoted,
            (BeforeValue | Value, _) if is_token_byte(byte) => Value,
            (Quoted, b'"') => Size,
            (Quoted, b'\\') => Escaped,
            (Quoted | Escaped, _) if is_text_byte(byte) => Quoted,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a line whole and byte by byte: it makes no difference.
    fn read(line: &[u8], most: usize) -> Result<Option<ChunkLine<'_>>, Error> {
        let whole = ChunkScan::default().read(line, most);
        let mut scan = ChunkScan::default();
        let cut = (0..=line.len())
            .map(|end| scan.read(&line[..end], most))
            .find(|read| *read != Ok(None))
            .unwrap_or(Ok(None));
        assert_eq!(cut, whole, "byte by byte: {}", line.escape_ascii());
        whole
    }

    #[test]
    fn well_formed_lines() {
        for (line, size, digits) in [
            ("0\r\n", 0, "0"),
            ("000\r\n", 0, "0"),
            ("5\r\n", 5, "5"),
            ("aF\r\n", 0xaf, "aF"),
            ("0000000000000001\r\n", 1, "1"),
            ("7fffffffffffffff\r\n", i64::MAX as u64, "7fffffffffffffff"),
            ("5;a\r\n", 5, "5"),
            ("5;a=b\r\n", 5, "5"),
            ("5 ; a = b\t;c=\"d\"\r\n", 5, "5"),
            ("5;a=\"\\\"; \\\\\t\u{e9}\";b\r\n", 5, "5"),
            ("5;a;b;c=1\r\n", 5, "5"),
        ] {
            let followed = format!("{line}rest");
            let parsed = read(followed.as_bytes(), 256).unwrap().unwrap();
            let (digits, len) = (digits.as_bytes(), line.len());
            assert_eq!(parsed, ChunkLine { size, digits, len }, "{line:?}");
            assert_eq!(parsed.is_canonical(), len == digits.len() + 2, "{line:?}");
            for end in 0..line.len() {
                let part = &line.as_bytes()[..end];
                assert_eq!(read(part, 256), Ok(None), "{}", part.escape_ascii());
            }
        }
    }

    #[test]
    fn malformed_lines() {
        for line in [
            "\r\n",
            "\n",
            " 5\r\n",
            "x\r\n",
            "-1\r\n",
            "+1\r\n",
            "0x5\r\n",
            "5\n",
            "5\r5\n",
            "5\rX",
            "5 \r\n",
            "5\t\r\n",
            "5 5\r\n",
            "5,5\r\n",
            "5g\r\n",
            "5.\r\n",
            ";a\r\n",
            "5\0\r\n",
            "8000000000000000\r\n",
            "ffffffffffffffff\r\n",
            "10000000000000000\r\n",
            "00000000000000005\r\n",
            "5;\r\n",
            "5;;a\r\n",
            "5;a=\r\n",
            "5;=b\r\n",
            "5;a=b=c\r\n",
            "5;a \r\n",
            "5;a b\r\n",
            "5;a=b c\r\n",
            "5;a=\"b\r\n",
            "5;a=\"b\"c\r\n",
            "5;a=\"\\\r\n",
            "5;a=\"\n\"\r\n",
            "5;a\nb\r\n",
            "5;a\rb\r\n",
            "5;a=b\n",
            "5;a\u{b}\r\n",
            "5;\u{e9}\r\n",
            "\u{ff15}\r\n",
        ] {
            assert_eq!(read(line.as_bytes(), 256), Err(Error::Chunk), "{line:?}");
        }
    }

    #[test]
    fn no_byte_is_looked_at_twice() {
        let line = format!("5;a=\"{}\";b={}\r\n", "x".repeat(30_000), "y".repeat(30_000));
        let mut scan = ChunkScan::default();
        for end in 0..line.len() {
            assert_eq!(scan.read(&line.as_bytes()[..end], 65_536), Ok(None));
            assert_eq!(scan.scanned, end, "all that has come was looked at");
        }
        let complete = scan.read(line.as_bytes(), 65_536);
        assert!(matches!(complete, Ok(Some(ChunkLine { size: 5, len, .. })) if len == line.len()));
        // `read` goes on from `scanned`: whatever stands before it is not looked at again.
        let mut blank = vec![0; line.len()];
        blank[0] = b'5';
        assert_eq!(scan.read(&blank, 65_536), complete);
    }

    #[test]
    fn limits_may_shrink_in_the_middle_of_a_line() {
        let mut scan = ChunkScan::default();
        assert_eq!(scan.read(b"0005", 256), Ok(None));
        assert_eq!(scan.read(b"0005\r", 3), Err(Error::Chunk));
        let mut scan = ChunkScan::default();
        assert!(matches!(scan.read(b"0005\r\n", 256), Ok(Some(_))));
        assert_eq!(scan.read(b"0005\r\n", 3), Err(Error::Chunk));
    }

    #[test]
    fn the_limit_is_exact() {
        let line = b"5;a=0123456789\r\n";
        assert!(matches!(read(line, line.len()), Ok(Some(_))));
        assert_eq!(read(line, line.len() - 1), Err(Error::Chunk));
        assert_eq!(read(&line[..10], 10), Err(Error::Chunk));
        assert_eq!(read(&line[..9], 10), Ok(None));
    }
}
