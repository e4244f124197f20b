//! The files of lists: domains, or networks.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use proxy_core::rules::{DomainList, ListError, NetworkList};

use crate::complaint::Complaint;

/// A list that was read.
#[derive(Clone, Debug)]
pub enum List {
    Domains(Arc<DomainList>),
    Networks(Arc<NetworkList>),
}

/// What a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    Domains,
    Networks,
}

/// The longest line that is shown: one that is longer is most likely no text.
const SHOWN: u64 = 1024;

/// Why a list cannot be had.
#[derive(Debug)]
pub enum Unread {
    /// There is no file that can be read: to be told where it is named.
    Missing(String),
    /// There is something wrong in it.
    Wrong(Complaint),
}

impl List {
    /// Reads a list.
    ///
    /// # Errors
    /// If there is no such file, or the first wrong line of it.
    pub fn read(path: &Path, content: Content) -> Result<List, Unread> {
        let name = path.display();
        let missing = |problem: &str| Unread::Missing(format!("{name} {problem}"));
        let cannot = |error: io::Error| missing(&format!("cannot be read: {error}"));
        // To open a pipe may take for ever.
        if !std::fs::metadata(path).map_err(cannot)?.is_file() {
            return Err(missing("is no file"));
        }
        let reader = BufReader::with_capacity(64 * 1024, File::open(path).map_err(cannot)?);
        let wrong = |error| Unread::Wrong(complaint(path, error));
        Ok(match content {
            Content::Domains => List::Domains(Arc::new(DomainList::load(reader).map_err(wrong)?)),
            Content::Networks => {
                List::Networks(Arc::new(NetworkList::load(reader).map_err(wrong)?))
            }
        })
    }
}

impl Content {
    /// The key by which a list says that it is of this.
    pub fn key(self) -> &'static str {
        match self {
            Content::Domains => "domains",
            Content::Networks => "networks",
        }
    }
}

/// Shows the line that is wrong.
fn complaint(path: &Path, error: ListError) -> Complaint {
    let name = path.display().to_string();
    match line(path, error.line) {
        Ok(line) if line.contains(&error.word) && !error.word.is_empty() => {
            let at = line.find(&error.word).unwrap_or_default();
            let span = at..at + error.word.len();
            Complaint::on_line(&name, error.line, &line, span, error.problem)
        }
        _ => Complaint::about(format!("{name}:{}", error.line), error.problem),
    }
}

/// A line by its number, from 1.
fn line(path: &Path, number: usize) -> io::Result<String> {
    let mut reader = BufReader::new(File::open(path)?);
    for _ in 1..number {
        reader.skip_until(b'\n')?;
    }
    let mut line = Vec::new();
    reader.take(SHOWN).read_until(b'\n', &mut line)?;
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}
