//! [`Excerpt`]: a part of a malformed message, with a mark where it is malformed.

use std::ops::Range;

use super::story;
use crate::http1::{self, Body, fault};
use crate::limits::Limits;

/// Bytes around the one that cannot be meant, escaped, and within one line of the message:
///
/// ```text
/// at byte 22: Host: a.test\x00x\r\n
///                         ^
/// ```
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// What is shown.
    text: String,
    /// The mark below it.
    mark: String,
}

/// How much is shown before the mark and behind it. Escaped, a byte has up to four characters.
const BEFORE: usize = 32;
const BEHIND: usize = 16;

/// Fields whose values nobody is to read.
const SECRET: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/// Each is `None` where nobody is to be told, or it cannot be said where something is wrong.
impl Excerpt {
    /// Of the head of a request.
    #[cold]
    pub(super) fn of_request(head: &[u8], error: http1::Error, limits: &Limits) -> Option<Excerpt> {
        let fault = || fault::in_request(head, error, limits);
        story::is_told().then(fault).flatten().map(|at| Excerpt::of_head(head, at))
    }

    /// Of the head of a response. `input` may go on behind it.
    #[cold]
    pub(super) fn of_response(
        input: &[u8],
        error: http1::Error,
        limits: &Limits,
    ) -> Option<Excerpt> {
        let end = memchr::memmem::find(input, b"\r\n\r\n").map_or(input.len(), |end| end + 4);
        let head = &input[..end];
        let fault = || fault::in_response(head, error, limits);
        story::is_told().then(fault).flatten().map(|at| Excerpt::of_head(head, at))
    }

    /// Of what a body was shown when it was found to be malformed.
    #[cold]
    pub(super) fn of_fault(input: &[u8], body: &Body) -> Option<Excerpt> {
        let fault = || body.fault();
        story::is_told().then(fault).flatten().map(|at| Excerpt::of_body(input, at))
    }
}

impl Excerpt {
    /// Of the head of a message.
    pub(super) fn of_head(head: &[u8], at: usize) -> Excerpt {
        let at = at.min(head.len());
        let start = head[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let end = head[at..].iter().position(|&byte| byte == b'\n').map(|end| at + end + 1);
        let line = start..end.unwrap_or(head.len());
        let secrets = secrets(&head[line.clone()]);
        let is_secret = |index: usize| {
            index != at && secrets.iter().any(|secret| secret.contains(&(index - line.start)))
        };
        Excerpt::within(head, line.clone(), at, is_secret)
    }

    /// Of a body, or of the framing in it: content is nobody's business, so little of it is shown.
    pub(super) fn of_body(input: &[u8], at: usize) -> Excerpt {
        let at = at.min(input.len());
        Excerpt::within(input, at.saturating_sub(4)..input.len().min(at + 4), at, |_| false)
    }

    fn within(
        bytes: &[u8],
        line: Range<usize>,
        at: usize,
        is_secret: impl Fn(usize) -> bool,
    ) -> Excerpt {
        let start = line.start.max(at.saturating_sub(BEFORE));
        let end = line.end.min(at + BEHIND);
        let mut text = format!("at byte {at}: ");
        if start > line.start {
            text.push_str("...");
        }
        let mut mark = None;
        for (index, byte) in bytes[start..end].iter().enumerate() {
            if start + index == at {
                mark = Some(text.len());
            }
            match is_secret(start + index) {
                true => text.push('*'),
                false => text.extend(byte.escape_ascii().map(char::from)),
            }
        }
        // What is missing is missing behind the last of it.
        let indent = mark.unwrap_or(text.len());
        if end < line.end {
            text.push_str("...");
        }
        Excerpt { text, mark: format!("{:indent$}^", "") }
    }

    /// What is to be told, a line each: what is shown, and the mark below it.
    pub(super) fn lines(&self) -> [&str; 2] {
        [&self.text, &self.mark]
    }
}

/// What of a line is not to be shown: the value of a secret field, and a user and a password in front
/// of a host.
fn secrets(line: &[u8]) -> Vec<Range<usize>> {
    let mut secrets = Vec::new();
    let name = line.iter().position(|&byte| byte == b':').unwrap_or(0);
    let is_secret = |known: &&str| line[..name].trim_ascii().eq_ignore_ascii_case(known.as_bytes());
    if SECRET.iter().any(is_secret) {
        secrets.push(name + 1..line.len());
    }
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(&line[at..], b"//") {
        let start = at + found + 2;
        let ends = |byte: &u8| b"/?# \r\n".contains(byte);
        let end = line[start..].iter().position(ends).map_or(line.len(), |end| start + end);
        if let Some(user) = line[start..end].iter().rposition(|&byte| byte == b'@') {
            secrets.push(start..start + user);
        }
        at = end;
    }
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(head: &[u8], at: usize) -> String {
        let excerpt = Excerpt::of_head(head, at);
        let [text, mark] = excerpt.lines();
        assert!(text.is_ascii() && mark.len() <= 15 + 4 * BEFORE + 20, "{text}");
        assert!(text.len() <= 20 + 4 * (BEFORE + BEHIND) + 6, "{text}");
        format!("{text}\n{mark}")
    }

    #[test]
    fn the_mark_is_below_what_is_wrong() {
        let head = b"GET / HTTP/1.1\r\nHost: a\0b\r\nA: b\r\n\r\n";
        assert_eq!(shown(head, 23), "at byte 23: Host: a\\x00b\\r\\n\n                   ^");
        assert_eq!(shown(b"G\xff T\r\n", 1), "at byte 1: G\\xff T\\r\\n\n            ^");
        assert_eq!(shown(b"ab", 2), "at byte 2: ab\n             ^");
        assert_eq!(shown(b"ab\n", 7), "at byte 3: \n           ^");
        assert_eq!(shown(b"", 0), "at byte 0: \n           ^");
    }

    #[test]
    fn a_long_line_is_shown_in_part() {
        let line = [&[b'x'; 100][..], b"\x01", &[b'y'; 100]].concat();
        let shown = shown(&line, 100);
        let expected =
            format!("at byte 100: ...{}\\x01{}...", "x".repeat(BEFORE), "y".repeat(BEHIND - 1));
        assert_eq!(shown.lines().next(), Some(&*expected));
    }

    #[test]
    fn secrets_are_not_shown() {
        for (head, at, expected) in [
            ("Proxy-Authorization: Basic YTpi\u{1}x\r\n", 31, ":***********\\x01***"),
            ("cookie : a=b\r\n", 6, "cookie :******"),
            ("GET http://ann:pw@a.test/ HTTP/1.1\r\n", 17, "GET http://******@a.test/"),
            ("Referer: http://a@b/ //c:d@e/\u{1}\r\n", 29, "http://*@b/ //***@e/\\x01"),
        ] {
            let shown = shown(head.as_bytes(), at);
            assert!(shown.contains(expected), "{shown}");
        }
        let excerpt = Excerpt::of_body(b"a secret of somebody's\r\n5x\r\n", 25);
        assert_eq!(excerpt.lines()[0], "at byte 25: s\\r\\n5x\\r\\n");
    }
}
