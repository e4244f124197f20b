//! [`ChunkLine`]: the line that tells how long a chunk is (RFC 9112 §7.1).

use super::Error;
use super::fields::without_leading_zeros;
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

impl<'a> ChunkLine<'a> {
    /// Reads the line that `input` begins with; `None` if it is not complete. An incomplete
    /// line is read again from its beginning when more has come: `most` keeps that cheap.
    pub(crate) fn parse(input: &'a [u8], most: usize) -> Result<Option<ChunkLine<'a>>, Error> {
        match ChunkLine::read(&input[..input.len().min(most)])? {
            None if input.len() >= most => Err(Error::Chunk),
            line => Ok(line),
        }
    }

    fn read(input: &'a [u8]) -> Result<Option<ChunkLine<'a>>, Error> {
        let mut size = 0u64;
        let count = input
            .iter()
            .map_while(|&byte| (byte as char).to_digit(16))
            .take(DIGITS)
            .map(|digit| size = size << 4 | u64::from(digit))
            .count();
        if size > i64::MAX as u64 {
            return Err(Error::Chunk);
        }
        let mut place = Place::Size;
        for (offset, &byte) in input[count..].iter().enumerate() {
            match (count, place.after(byte)) {
                (1.., Some(Place::End)) => {
                    let digits = without_leading_zeros(&input[..count]);
                    return Ok(Some(ChunkLine { size, digits, len: count + offset + 1 }));
                }
                (1.., Some(next)) => place = next,
                _ => return Err(Error::Chunk),
            }
        }
        Ok(None)
    }

    /// Whether the line is nothing but its digits: goes on as it is.
    pub(crate) fn is_canonical(&self) -> bool {
        self.len == self.digits.len() + 2
    }
}

/// A place behind the digits of a chunk-size line. Extensions are dropped (RFC 9112 §7.1.1),
/// but only well-formed ones: where one recipient sees a quoted string and another the end of
/// a line, the two see different bodies.
#[derive(Clone, Copy)]
enum Place {
    /// Behind the size, or behind a quoted value.
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
            let parsed = ChunkLine::parse(followed.as_bytes(), 256).unwrap().unwrap();
            let (digits, len) = (digits.as_bytes(), line.len());
            assert_eq!(parsed, ChunkLine { size, digits, len }, "{line:?}");
            assert_eq!(parsed.is_canonical(), len == digits.len() + 2, "{line:?}");
            for end in 0..line.len() {
                let part = &line.as_bytes()[..end];
                assert_eq!(ChunkLine::parse(part, 256), Ok(None), "{}", part.escape_ascii());
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
            assert_eq!(ChunkLine::parse(line.as_bytes(), 256), Err(Error::Chunk), "{line:?}");
        }
    }

    #[test]
    fn the_limit_is_exact() {
        let line = b"5;a=0123456789\r\n";
        assert!(matches!(ChunkLine::parse(line, line.len()), Ok(Some(_))));
        assert_eq!(ChunkLine::parse(line, line.len() - 1), Err(Error::Chunk));
        assert_eq!(ChunkLine::parse(&line[..10], 10), Err(Error::Chunk));
        assert_eq!(ChunkLine::parse(&line[..9], 10), Ok(None));
    }
}
