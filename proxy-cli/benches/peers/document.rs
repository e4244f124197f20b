//! [`Document`]: the tables of a run in `docs/benchmarks.md`, a part for each suite.

use crate::entrant::Entrant;
use crate::suite::Suite;
use crate::table::Table;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The text of the document.
pub(crate) struct Document {
    text: String,
}

impl Document {
    /// Reads it.
    pub(crate) fn read() -> io::Result<Document> {
        Ok(Document { text: fs::read_to_string(path("benchmarks.md"))? })
    }

    /// Writes it back.
    pub(crate) fn write(&self) -> io::Result<()> {
        fs::write(path("benchmarks.md"), &self.text)
    }

    /// Puts a part between its marks.
    pub(crate) fn put(&mut self, part: &str, content: &str) -> io::Result<()> {
        let marks = [format!("<!-- {part}: begin -->\n"), format!("<!-- {part}: end -->")];
        let found = self.text.split_once(&marks[0]).and_then(|(before, rest)| {
            rest.split_once(&marks[1]).map(|(_, behind)| (before, behind))
        });
        let Some((before, behind)) = found else {
            return Err(io::Error::other(format!("docs/benchmarks.md has no marks for {part}")));
        };
        let content = content.trim();
        self.text = format!("{before}{}\n{content}\n\n{}{behind}", marks[0], marks[1]);
        Ok(())
    }
}

/// A file in the folder of the documents.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// All tables of a suite as one for each column: a row for each scenario, a column for each
/// contestant.
pub(crate) fn part(suite: Suite, tables: &[Table]) -> String {
    let tables: Vec<&Table> = tables.iter().filter(|table| table.scenario.suite == suite).collect();
    let mut names: Vec<&str> = Vec::new();
    for entry in tables.iter().flat_map(|table| &table.entries) {
        if !names.contains(&entry.entrant.name) {
            names.push(entry.entrant.name);
        }
    }
    let mut text = String::new();
    for (number, column) in suite.columns().iter().enumerate() {
        let _ = write!(text, "| {} |", column.title);
        names.iter().for_each(|name| {
            let _ = write!(text, " {name} |");
        });
        let _ = writeln!(text, "\n|---|{}", "---:|".repeat(names.len()));
        for table in &tables {
            let _ = write!(text, "| {} |", table.scenario.name);
            for name in &names {
                let entry = table.entries.iter().find(|entry| entry.entrant.name == *name);
                let cell = entry.map_or("–".into(), |entry| table.cell(entry, number));
                let _ = write!(text, " {cell} |");
            }
            text.push('\n');
        }
        text.push('\n');
    }
    for remark in tables.iter().flat_map(|table| table.remarks()) {
        let _ = writeln!(text, "{remark}\n");
    }
    text
}

/// Where a peer is better than we are, by more than chance.
pub(crate) fn losses(tables: &[Table]) -> String {
    let mut text = String::new();
    for table in tables {
        for (number, column) in table.scenario.suite.columns().iter().enumerate() {
            let peers = table.entries.iter().filter(|entry| Entrant::is_peer(entry.entrant));
            for peer in peers.filter(|_| column.compared) {
                let Some(ratio) = table.ratio(peer, number) else { continue };
                // Half a percent is nobody's loss.
                if ratio.low > 1.005 {
                    let (name, title) = (table.scenario.name, column.title);
                    let whose = peer.entrant.name;
                    let _ = writeln!(
                        text,
                        "- {name}, {title}: {:.2} times {whose} [{:.2}, {:.2}]",
                        ratio.median, ratio.low, ratio.high
                    );
                }
            }
        }
    }
    if text.is_empty() { "At nothing that was measured in this run.\n".into() } else { text }
}
