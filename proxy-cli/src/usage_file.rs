//! [`UsageFile`]: what was used of volumes, over restarts: a line for each.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use proxy_core::throttle::{Throttles, Usage};

use crate::kept_file::KeptFile;
use crate::tell::tell;

/// The file, and the throttles of which it tells.
pub struct UsageFile {
    kept: KeptFile,
    throttles: Arc<Mutex<Throttles>>,
}

impl UsageFile {
    /// Takes over what an earlier run has used, and keeps that of this one. Where the file holds what
    /// cannot be read, that is told, and the file is put aside: those counts begin anew.
    ///
    /// # Errors
    /// If the system refuses the file, or a thread.
    pub fn keep(path: &Path, throttles: &Throttles) -> io::Result<UsageFile> {
        match KeptFile::read(path) {
            Ok(text) => {
                let (usage, problems) = read(&text);
                for (line, problem) in &problems {
                    tell!("{}:{line}: {problem}; this line is left out", path.display());
                }
                if !problems.is_empty() {
                    put_aside(path)?;
                }
                throttles.restore(usage);
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                tell!("{}: {error}: all counts begin anew", path.display());
                put_aside(path)?;
            }
            Err(error) => return Err(error),
        }
        let throttles = Arc::new(Mutex::new(throttles.clone()));
        let told = Arc::clone(&throttles);
        let content = move || {
            let throttles = told.lock().unwrap_or_else(PoisonError::into_inner).clone();
            text(throttles.usage())
        };
        Ok(UsageFile { kept: KeptFile::keep(path.to_owned(), content)?, throttles })
    }

    /// Tells of other throttles from now on.
    pub fn follow(&self, throttles: &Throttles) {
        *self.throttles.lock().unwrap_or_else(PoisonError::into_inner) = throttles.clone();
    }

    pub fn path(&self) -> &Path {
        self.kept.path()
    }
}

/// The lines that can be read; and the numbers of those that cannot, and why.
fn read(text: &str) -> (Vec<Usage>, Vec<(usize, String)>) {
    let (mut usage, mut problems) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        match line.parse() {
            Ok(used) => usage.push(used),
            Err(error) => problems.push((number + 1, format!("{error}"))),
        }
    }
    (usage, problems)
}

/// Sorted, so that two of them can be compared.
fn text(usage: Vec<Usage>) -> String {
    let mut lines: Vec<_> = usage.iter().map(Usage::to_string).collect();
    lines.sort_unstable();
    let mut text = "# throttle, day or month, bytes, whose\n".to_owned();
    for line in lines {
        text += &line;
        text += "\n";
    }
    text
}

/// Keeps a file that is broken for whoever wants to look at it.
fn put_aside(path: &Path) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".broken");
    let aside = PathBuf::from(name);
    tell!("{} is now {}", path.display(), aside.display());
    fs::rename(path, aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_cannot_be_read_are_told_and_the_others_are_used() {
        let (usage, problems) =
            read("# title\nuplink 2026-11 7 -\nuplink 2026-\nhosts 2026-11 1 a\n");
        assert_eq!(usage.len(), 2);
        assert_eq!(problems.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3]);
        let written = text(usage);
        assert_eq!(
            written,
            "# throttle, day or month, bytes, whose\nhosts 2026-11 1 a\nuplink 2026-11 7 -\n"
        );
        assert_eq!(read(&written).1, []);
    }
}
