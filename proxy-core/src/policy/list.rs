//! Texts of lists, line by line, and [`ListError`]: what is wrong in one.

use std::io::BufRead;

/// Why a text is not a [`DomainList`](crate::rules::DomainList) or a [`NetworkList`](crate::rules::NetworkList).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
#[non_exhaustive]
pub struct ListError {
    /// The line, counted from 1.
    pub line: usize,
    /// The word that is wrong, as it stands there, if it is not very long.
    pub word: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What is shown of a word that is wrong. No right one is longer.
const SHOWN: usize = 253;

impl ListError {
    pub(super) fn new(line: usize, word: &str, problem: impl ToString) -> ListError {
        let mut word = word.to_owned();
        if word.len() > SHOWN {
            word.truncate((0..=SHOWN).rev().find(|&at| word.is_char_boundary(at)).unwrap_or(0));
            word.push('…');
        }
        ListError { line, word, problem: problem.to_string() }
    }
}

/// How much of a text is read.
#[derive(Clone, Copy)]
struct Bounds {
    /// The longest line, in bytes. What is longer is most likely no text.
    line: usize,
    /// The longest text. A text without an end must not keep anybody for ever.
    text: u64,
}

const BOUNDS: Bounds = Bounds { line: 16 * 1024, text: 1 << 30 };

/// Gives the lines that say something to `take`, with their numbers: `#` begins a comment. Comments
/// may be in any encoding.
pub(super) fn each_line(
    reader: impl BufRead,
    take: impl FnMut(usize, &str) -> Result<(), ListError>,
) -> Result<(), ListError> {
    each_line_within(BOUNDS, reader, take)
}

fn each_line_within(
    bounds: Bounds,
    mut reader: impl BufRead,
    mut take: impl FnMut(usize, &str) -> Result<(), ListError>,
) -> Result<(), ListError> {
    let mut number = 1;
    let mut read = 0;
    // Of a line whose end has not come: what the reader has given until now.
    let mut begun = Vec::new();
    loop {
        let wrong = |problem: &str| ListError::new(number, "", problem);
        let bytes = match reader.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(wrong(&format!("the list cannot be read: {error}"))),
        };
        let end = memchr::memchr(b'\n', bytes);
        let part = &bytes[..end.unwrap_or(bytes.len())];
        let (is_last, consumed) = (bytes.is_empty(), end.map_or(bytes.len(), |end| end + 1));
        if begun.len() + part.len() > bounds.line {
            return Err(wrong(&format!("the line is longer than {} bytes", bounds.line)));
        }
        read += consumed as u64;
        if read > bounds.text {
            return Err(wrong(&format!("the list is longer than {} bytes", bounds.text)));
        }
        if is_last || end.is_some() {
            let line = match begun.is_empty() {
                true => part,
                false => {
                    begun.extend_from_slice(part);
                    &begun
                }
            };
            take_line(number, line, &mut take)?;
            begun.clear();
            number += 1;
        } else {
            begun.extend_from_slice(part);
        }
        if is_last {
            return Ok(());
        }
        reader.consume(consumed);
    }
}

fn take_line(
    number: usize,
    line: &[u8],
    take: &mut impl FnMut(usize, &str) -> Result<(), ListError>,
) -> Result<(), ListError> {
    let is_first = number == 1;
    let line = if is_first { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
    let said = line[..memchr::memchr(b'#', line).unwrap_or(line.len())].trim_ascii();
    if said.is_empty() {
        return Ok(());
    }
    match std::str::from_utf8(said) {
        Ok(said) => take(number, said),
        Err(_) => Err(ListError::new(number, &String::from_utf8_lossy(said), "it is not UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, BufReader, Read};

    use super::*;

    type Lines = Vec<(usize, String)>;

    fn lines_within(bounds: Bounds, reader: impl BufRead) -> Result<Lines, ListError> {
        let mut lines = Vec::new();
        each_line_within(bounds, reader, |number, line| {
            lines.push((number, line.to_owned()));
            Ok(())
        })?;
        Ok(lines)
    }

    fn lines(text: &[u8]) -> Result<Lines, ListError> {
        let whole = lines_within(BOUNDS, text);
        for pieces in 1..4 {
            // In whatever pieces it comes.
            assert_eq!(lines_within(BOUNDS, BufReader::with_capacity(pieces, text)), whole);
        }
        whole
    }

    #[test]
    fn lines_that_say_nothing_are_left_out_and_counted() {
        let text = b"\xef\xbb\xbfa\r\n\r\n# x\n \t b \n#\nc # d\r\ne";
        let expected = [(1, "a"), (4, "b"), (6, "c"), (7, "e")];
        assert_eq!(lines(text).unwrap(), expected.map(|(at, line)| (at, line.to_owned())));
        for text in [&b""[..], b"\n", b"\xef\xbb\xbf", b"#"] {
            assert_eq!(lines(text).unwrap(), []);
        }
    }

    #[test]
    fn comments_may_be_in_any_encoding_and_nothing_else() {
        assert_eq!(lines(b"# \xfcber\na # \xff").unwrap(), [(2, "a".to_owned())]);
        let error = lines(b"a\nb\xfccher.test").unwrap_err();
        assert_eq!((error.line, &*error.problem), (2, "it is not UTF-8"));
        // UTF-16, as some editors write it.
        assert_eq!(lines(b"\xff\xfea\0.\0b\0").unwrap_err().line, 1);
    }

    #[test]
    fn neither_a_line_nor_a_list_without_an_end_is_read_to_its_end() {
        let endless = BufReader::new(io::repeat(b'a'));
        let error = lines_within(BOUNDS, endless).unwrap_err();
        assert_eq!(error.to_string(), "line 1: the line is longer than 16384 bytes");
        let long = [b'\n', b'#'].into_iter().chain([b'a'; 16 * 1024]).collect::<Vec<_>>();
        assert_eq!(lines(&long).unwrap_err().line, 2);

        let bounds = Bounds { text: 1000, ..BOUNDS };
        let error = lines_within(bounds, BufReader::new(io::repeat(b'\n'))).unwrap_err();
        assert_eq!(error.problem, "the list is longer than 1000 bytes");
        assert!(lines_within(bounds, BufReader::new(io::repeat(b'\n').take(1000))).is_ok());
    }

    #[test]
    fn a_list_that_cannot_be_read_is_not_half_a_list() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("no disk"))
            }
        }
        let error = lines_within(BOUNDS, BufReader::new((&b"a\nb"[..]).chain(Broken))).unwrap_err();
        assert_eq!(error.to_string(), "line 2: the list cannot be read: no disk");
    }

    #[test]
    fn a_long_word_is_not_shown_whole() {
        let error = ListError::new(1, &"\u{fc}".repeat(1000), "long");
        assert_eq!((error.word.chars().count(), error.word.ends_with('…')), (127, true));
    }
}
