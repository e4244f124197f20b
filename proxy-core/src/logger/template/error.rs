//! [`TemplateError`]: what is wrong with a template, where, and what was meant.

use std::fmt;
use std::ops::Range;

use super::field::Field;

/// What is wrong with a [`Template`](super::Template).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    span: Range<usize>,
    column: usize,
    /// What stands there.
    text: String,
    problem: Problem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    NoSuchField,
    Style,
    Open,
    Close,
    Control,
    NoField,
}

impl TemplateError {
    pub(super) fn new(template: &str, span: Range<usize>, problem: Problem) -> TemplateError {
        let column = template[..span.start].chars().count() + 1;
        TemplateError { text: template[span.clone()].to_owned(), span, column, problem }
    }

    /// Which bytes of the template it is about.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The field that was most likely meant.
    pub fn suggestion(&self) -> Option<&'static str> {
        let names = || Field::ALL.iter().map(|(name, _)| *name);
        let meant = || names().find(|name| name.rsplit('.').next() == Some(&*self.text));
        let nearest = || {
            let far = self.text.chars().count() / 3 + 1;
            names()
                .map(|name| (distance(&self.text, name), name))
                .filter(|(distance, _)| *distance <= far)
                .min()
                .map(|(_, name)| name)
        };
        (self.problem == Problem::NoSuchField).then(|| meant().or_else(nearest)).flatten()
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, column) = (&self.text, self.column);
        match self.problem {
            Problem::NoSuchField => write!(f, "there is no field `{text}`, in column {column}")?,
            Problem::Style => {
                write!(f, "`{text}` in column {column} is no way to write a field: `json` is")?
            }
            Problem::Open => {
                write!(f, "the brace in column {column} is not closed; {{{{ is a brace itself")?
            }
            Problem::Close => {
                write!(f, "the brace in column {column} was not opened; }}}} is a brace itself")?
            }
            Problem::Control => {
                write!(f, "there is a control character in column {column}: a record is one line")?
            }
            Problem::NoField => write!(f, "there is no field in it, such as {{status}}")?,
        }
        match self.suggestion() {
            Some(name) => write!(f, "; did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TemplateError {}

/// How many letters must be changed, put in, left out, or exchanged with their neighbours.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<_>, Vec<_>) = (one.chars().collect(), other.chars().collect());
    // Rows of the table: for the letters of `one` so far, one less, and two less.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    let mut before: Vec<usize> = Vec::new();
    for (i, letter) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, wanted) in other.iter().enumerate() {
            let changed = row[j] + usize::from(letter != wanted);
            let mut least = changed.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *letter == other[j - 1] && one[i - 1] == *wanted {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (one, other, expected) in
            [("", "", 0), ("", "ab", 2), ("hots", "host", 1), ("stats", "status", 1), ("a", "b", 1)]
        {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }
}
