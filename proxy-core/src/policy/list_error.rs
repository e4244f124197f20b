//! [`ListError`]: what is wrong in the text of a list.

/// Why a text is not a [`DomainList`](crate::rules::DomainList) or a [`NetworkList`](crate::rules::NetworkList).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
#[non_exhaustive]
pub struct ListError {
    /// The line, counted from 1.
    pub line: usize,
    /// The word that is wrong, as it stands there.
    pub word: String,
    /// What is wrong with it.
    pub problem: String,
}

impl ListError {
    pub(super) fn new(line: usize, word: &str, problem: impl ToString) -> ListError {
        ListError { line, word: word.to_owned(), problem: problem.to_string() }
    }
}

/// The lines of a list that say something, with their numbers: `#` begins a comment.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let said = |line: &'_ str| -> usize { line.find('#').unwrap_or(line.len()) };
    text.strip_prefix('\u{feff}')
        .unwrap_or(text)
        .lines()
        .enumerate()
        .map(move |(index, line)| (index + 1, line[..said(line)].trim_ascii()))
        .filter(|(_, line)| !line.is_empty())
}
