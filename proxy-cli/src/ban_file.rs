//! Bans that outlast a restart: a line for each.

use std::io;
use std::path::Path;

use proxy_core::{Ban, Bans};

use crate::kept_file::KeptFile;
use crate::tell::tell;

/// Takes over the bans of an earlier run, and keeps those of this one.
///
/// # Errors
/// If the file is there and cannot be read.
pub fn keep(path: &Path, bans: &Bans) -> io::Result<KeptFile> {
    let kept = KeptFile::read(path)?;
    let lines = kept.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
    bans.restore(lines.filter_map(|(number, line)| match line.parse::<Ban>() {
        Ok(ban) => Some(ban),
        Err(error) => {
            tell!("{}:{}: {error}; this line is left out", path.display(), number + 1);
            None
        }
    }));
    let bans = bans.clone();
    KeptFile::keep(path.to_owned(), move || text(&bans.list()))
}

fn text(bans: &[Ban]) -> String {
    let mut text = "# network, end (seconds of Unix time), times, cause\n".to_owned();
    for ban in bans {
        text += &format!("{ban}\n");
    }
    text
}
