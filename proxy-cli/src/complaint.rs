//! [`Complaint`]: what is wrong with the configuration, and where.

use std::fmt;
use std::ops::Range;

/// Something wrong in a file or with a flag, shown in the manner of compilers:
///
/// ```text
/// proxy.toml:1:1: unknown setting `lisen`
///   1 | lisen = "127.0.0.1:8888"
///     | ^^^^^ did you mean `listen`?
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Complaint {
    /// `FILE:LINE:COLUMN`, or the flag.
    place: String,
    problem: String,
    excerpt: Option<Box<Excerpt>>,
    note: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
struct Excerpt {
    number: usize,
    line: String,
    /// As wide as what stands before the carets.
    indent: String,
    carets: usize,
}

impl Complaint {
    /// About something that has no line.
    pub fn about(place: impl Into<String>, problem: impl Into<String>) -> Complaint {
        Complaint { place: place.into(), problem: problem.into(), excerpt: None, note: None }
    }

    /// About these bytes of `text`, which is what the file `name` holds.
    pub fn within(name: &str, text: &str, span: Range<usize>, problem: impl Into<String>) -> Self {
        let start = (0..=span.start).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let number = text[..line_start].matches('\n').count() + 1;
        let span = start - line_start..span.end.saturating_sub(line_start);
        Complaint::on_line(name, number, &text[line_start..], span, problem)
    }

    /// About these bytes of a line of the file `name`. What stands behind the line does not matter.
    pub fn on_line(
        name: &str,
        number: usize,
        text: &str,
        span: Range<usize>,
        problem: impl Into<String>,
    ) -> Self {
        let line = text.split('\n').next().unwrap_or(text).trim_end_matches('\r');
        let before = text[..span.start].trim_end_matches('\r');
        let marked = text[span.start..].get(..span.end.saturating_sub(span.start)).unwrap_or("");
        let marked = marked.split(['\r', '\n']).next().unwrap_or(marked);
        Complaint {
            place: format!("{name}:{number}:{}", before.chars().count() + 1),
            problem: problem.into(),
            excerpt: Some(Box::new(Excerpt {
                number,
                line: line.to_owned(),
                // Tabs are as wide below as above.
                indent: before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect(),
                carets: marked.chars().count().max(1),
            })),
            note: None,
        }
    }

    /// Adds what to do about it, or `None`.
    pub fn note(self, note: Option<String>) -> Complaint {
        Complaint { note, ..self }
    }
}

/// What to say of the name or word that was most likely meant.
pub fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)?;
        if let Some(excerpt) = &self.excerpt {
            let Excerpt { number, line, indent, carets } = &**excerpt;
            write!(f, "\n{number:>5} | {line}\n      | {indent}{:^>carets$}", "")?;
        } else if self.note.is_some() {
            f.write_str(";")?;
        }
        match &self.note {
            Some(note) => write!(f, " {note}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, span: Range<usize>) -> String {
        Complaint::within("f", text, span, "wrong").to_string()
    }

    #[test]
    fn the_carets_are_under_what_is_wrong() {
        assert_eq!(shown("a\nbc = 1\nd", 2..4), "f:2:1: wrong\n    2 | bc = 1\n      | ^^");
        assert_eq!(shown("a\nbc = 1\nd", 7..8), "f:2:6: wrong\n    2 | bc = 1\n      |      ^");
    }

    #[test]
    fn columns_count_characters_and_tabs_stay_tabs() {
        assert_eq!(shown("é\t= x", 5..6), "f:1:5: wrong\n    1 | é\t= x\n      |  \t  ^");
    }

    #[test]
    fn the_end_of_a_line_and_of_the_file_can_be_shown() {
        assert_eq!(shown("a =\r\nb", 3..5), "f:1:4: wrong\n    1 | a =\n      |    ^");
        assert_eq!(shown("a =", 3..3), "f:1:4: wrong\n    1 | a =\n      |    ^");
        assert_eq!(shown("a\n", 2..9), "f:2:1: wrong\n    2 | \n      | ^");
        assert_eq!(shown("[1,\n2]", 0..6), "f:1:1: wrong\n    1 | [1,\n      | ^^^");
    }

    #[test]
    fn a_note_says_what_to_do() {
        let note = || Some(did_you_mean("b"));
        let complaint = Complaint::within("f", "a", 0..1, "wrong").note(note());
        assert_eq!(complaint.to_string(), "f:1:1: wrong\n    1 | a\n      | ^ did you mean `b`?");
        let complaint = Complaint::about("--a 1", "wrong").note(note());
        assert_eq!(complaint.to_string(), "--a 1: wrong; did you mean `b`?");
    }
}
