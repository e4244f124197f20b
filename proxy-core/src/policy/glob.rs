//! [`Glob`]: a pattern with `*` and `?`.

use std::fmt;
use std::str::FromStr;

use memchr::memmem;

/// A pattern for a whole text: `*` stands for any bytes, also for none, and `?` for exactly one.
/// Everything else stands for itself. There is no way to write a `*` or a `?` that is meant as
/// such; `?` stands for itself, too.
///
/// It takes time in proportion to the text, whatever the pattern: nothing is tried twice.
///
/// ```
/// use proxy_core::rules::Glob;
///
/// let glob: Glob = "*.example.???".parse()?;
/// assert!(glob.matches(b"www.example.com") && !glob.matches(b"example.com"));
/// # Ok::<(), proxy_core::rules::GlobError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Glob {
    text: Box<str>,
    /// What stands between the stars. One piece: there is no star.
    pieces: Box<[Piece]>,
}

/// A text without stars.
#[derive(Clone, Debug)]
enum Piece {
    Plain(Box<memmem::Finder<'static>>),
    /// There are question marks in it.
    Marked(Box<[u8]>),
}

/// Why a text is not a [`Glob`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GlobError {
    /// There is nothing in it: it would match the empty text alone.
    #[error("a pattern with nothing in it matches nothing")]
    Empty,
    /// It is longer than [`Glob::LONGEST`].
    #[error("a pattern has 256 bytes at most")]
    TooLong,
}

impl Glob {
    /// The longest pattern, in bytes: it bounds what a part with question marks costs for each
    /// byte of the text.
    pub const LONGEST: usize = 256;

    /// Whether the whole of `text` is what the pattern says. Case counts.
    pub fn matches(&self, text: &[u8]) -> bool {
        let [first, rest @ ..] = &*self.pieces else { return false };
        let [middle @ .., last] = rest else {
            return first.len() == text.len() && first.is_at(text);
        };
        if !first.is_at(text) || text.len() < first.len() + last.len() {
            return false;
        }
        let (mut text, end) = text[first.len()..].split_at(text.len() - first.len() - last.len());
        if !last.is_at(end) {
            return false;
        }
        // The first place is as good as any: a star takes what is left.
        for piece in middle {
            match piece.find(text) {
                Some(at) => text = &text[at + piece.len()..],
                None => return false,
            }
        }
        true
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Piece {
    fn new(text: &str) -> Piece {
        match text.contains('?') {
            true => Piece::Marked(text.as_bytes().into()),
            false => Piece::Plain(Box::new(memmem::Finder::new(text).into_owned())),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Piece::Plain(finder) => finder.needle(),
            Piece::Marked(bytes) => bytes,
        }
    }

    fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Whether `text` begins with it.
    fn is_at(&self, text: &[u8]) -> bool {
        // Most differ in one of the first bytes: a call of `memcmp` costs more.
        let mut both = self.bytes().iter().zip(text);
        text.len() >= self.len()
            && match self {
                Piece::Plain(_) => both.all(|(own, byte)| own == byte),
                Piece::Marked(_) => both.all(|(&own, &byte)| own == b'?' || own == byte),
            }
    }

    /// Where it is in `text` for the first time.
    fn find(&self, text: &[u8]) -> Option<usize> {
        match self {
            Piece::Plain(finder) => finder.find(text),
            Piece::Marked(_) => (0..text.len()).find(|&at| self.is_at(&text[at..])),
        }
    }
}

impl FromStr for Glob {
    type Err = GlobError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(GlobError::Empty);
        }
        if text.len() > Glob::LONGEST {
            return Err(GlobError::TooLong);
        }
        Ok(Glob { text: text.into(), pieces: text.split('*').map(Piece::new).collect() })
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Glob {}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same by its definition, without any haste.
    fn by_definition(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], _) => text.is_empty(),
            ([b'*', rest @ ..], _) => {
                (0..=text.len()).any(|taken| by_definition(rest, &text[taken..]))
            }
            ([b'?', rest @ ..], [_, text @ ..]) => by_definition(rest, text),
            ([own, rest @ ..], [byte, text @ ..]) => own == byte && by_definition(rest, text),
            (_, []) => false,
        }
    }

    #[test]
    fn known_cases() {
        for (glob, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a", "A", false),
            ("*", "", true),
            ("**", "x", true),
            ("?", "", false),
            ("a*", "a", true),
            ("*a", "ba", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*.exe", "http://a.test/setup.exe", true),
            ("http://*/ads/*", "http://a.test/x/ads/1", true),
            ("http://*/ads/*", "http://a.test/ads", false),
            ("a*?b*c", "axbc", true),
            ("a*?b*c", "abc", false),
        ] {
            let parsed: Glob = glob.parse().unwrap();
            assert_eq!(parsed.matches(text.as_bytes()), expected, "{glob} {text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert_eq!("".parse::<Glob>(), Err(GlobError::Empty));
        assert_eq!("a".repeat(257).parse::<Glob>(), Err(GlobError::TooLong));
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        // With a step back for each star this would take until the end of the world.
        let glob: Glob = format!("{}b", "a*".repeat(100)).parse().unwrap();
        assert!(!glob.matches("a".repeat(100_000).as_bytes()));
    }

    proptest! {
        #[test]
        fn it_is_what_its_definition_says(pattern in "[ab*?]{1,8}", text in "[ab]{0,10}") {
            let glob: Glob = pattern.parse().unwrap();
            let expected = by_definition(pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(glob.matches(text.as_bytes()), expected);
        }
    }
}
