//! Users from files: names and the hashes of their passwords, and groups.

mod group_file;
mod password_file;
mod stored_hash;

pub use group_file::{GroupFile, GroupFileError};
pub use password_file::{PasswordFile, PasswordLineError};
pub use stored_hash::{HashProblem, hash_password};

/// What is wrong with a line of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
#[non_exhaustive]
pub struct LineError<P: std::error::Error> {
    /// Which line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: P,
}

/// The lines that say something, each with its number and without what surrounds it.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // Some editors on Windows begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let numbered = text.lines().zip(1..).map(|(line, number)| (number, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// Whether a user, or a group, can have this name.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c == ':' || c.is_control())
}
