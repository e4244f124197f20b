//! [`Report`]: the verdicts as a table, and where ours is another one than everybody's.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use crate::contestant::Kind;
use crate::reasons::REASONS;
use crate::trial::Verdict;

/// Verdicts about one row, in the order of the peers.
pub(crate) struct Entry {
    pub(crate) class: &'static str,
    pub(crate) name: String,
    pub(crate) verdicts: Vec<Verdict>,
}

/// All verdicts.
pub(crate) struct Report {
    pub(crate) peers: Vec<Kind>,
    pub(crate) entries: Vec<Entry>,
}

/// The part of the document that is made here stands between these.
const MARKS: [&str; 2] =
    ["<!-- made by the benchmark: begin -->\n", "<!-- made by the benchmark: end -->"];

impl Entry {
    /// Whether our verdict is of another kind than that of every peer that took part.
    fn is_ours_alone(&self) -> bool {
        let [ours, others @ ..] = &self.verdicts[..] else { return false };
        let mut others = others.iter().filter(|other| **other != Verdict::Skipped).peekable();
        others.peek().is_some() && others.all(|other| passes(*other) != passes(*ours))
    }

    /// Its name, one for all that differ in a byte only.
    fn name_without_byte(&self) -> String {
        match self.name.strip_prefix("0x") {
            Some(rest) if rest.len() > 2 => format!("a byte{}", &rest[2..]),
            _ => self.name.clone(),
        }
    }
}

fn passes(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Canonical | Verdict::Odd)
}

/// How many rows came to what.
#[derive(Default)]
struct Counts {
    refused: usize,
    canonical: usize,
    odd: usize,
    silent: usize,
}

impl Counts {
    fn of(verdicts: impl Iterator<Item = Verdict>) -> Counts {
        let mut counts = Counts::default();
        for verdict in verdicts {
            match verdict {
                Verdict::Refused(_) | Verdict::Answered => counts.refused += 1,
                Verdict::Canonical => counts.canonical += 1,
                Verdict::Odd => counts.odd += 1,
                Verdict::Closed | Verdict::Silent => counts.silent += 1,
                Verdict::Skipped => {}
            }
        }
        counts
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { refused, canonical, odd, silent } = self;
        write!(f, "{refused} · {canonical} · {odd} · {silent}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let versions: Vec<_> = self.peers.iter().map(|peer| peer.version()).collect();
        let kernel = kernel.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
        writeln!(f, "Linux {kernel}; {}.\n", versions.join(", "))?;
        write!(f, "| class | rows |")?;
        self.peers.iter().try_for_each(|peer| write!(f, " {} |", peer.name()))?;
        writeln!(f, "\n|---|---|{}", "---|".repeat(self.peers.len()))?;
        let mut classes: Vec<&str> = self.entries.iter().map(|entry| entry.class).collect();
        classes.dedup();
        for class in classes {
            let rows: Vec<_> = self.entries.iter().filter(|entry| entry.class == class).collect();
            write!(f, "| {class} | {} |", rows.len())?;
            for at in 0..self.peers.len() {
                write!(f, " {} |", Counts::of(rows.iter().map(|entry| entry.verdicts[at])))?;
            }
            writeln!(f)?;
        }
        write!(f, "| **all** | {} |", self.entries.len())?;
        for at in 0..self.peers.len() {
            write!(f, " {} |", Counts::of(self.entries.iter().map(|entry| entry.verdicts[at])))?;
        }
        let alone: Vec<_> = self.entries.iter().filter(|entry| entry.is_ours_alone()).collect();
        writeln!(f, "\n\n### Where we differ from all of them: {} rows\n", alone.len())?;
        for reason in &REASONS {
            let first = |entry: &&&Entry| {
                REASONS.iter().find(|reason| reason.is_for(entry)).map(|found| found.text)
                    == Some(reason.text)
            };
            let mut rows: BTreeMap<&str, Vec<String>> = BTreeMap::new();
            for entry in alone.iter().filter(first) {
                let names = rows.entry(entry.class).or_default();
                let name = entry.name_without_byte();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            if !rows.is_empty() {
                let count = alone.iter().filter(first).count();
                writeln!(f, "- {} *{count} rows:*", reason.text)?;
                for (class, names) in rows {
                    writeln!(f, "  - {class}: {}", names.join("; "))?;
                }
            }
        }
        Ok(())
    }
}

impl Report {
    /// Rows where we differ from everybody, and nobody has said why.
    pub(crate) fn unexplained(&self) -> Vec<String> {
        self.entries
            .iter()
            .filter(|entry| entry.is_ours_alone())
            .filter(|entry| !REASONS.iter().any(|reason| reason.is_for(entry)))
            .map(|entry| format!("{}: {}: {:?}", entry.class, entry.name, entry.verdicts))
            .collect()
    }

    /// Puts the report between the marks of the document.
    ///
    /// # Errors
    ///
    /// If the document is not there or has no marks.
    pub(crate) fn write(&self) -> io::Result<()> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/strictness.md");
        let text = fs::read_to_string(&file)?;
        let parts = text.split_once(MARKS[0]).and_then(|(before, rest)| {
            rest.split_once(MARKS[1]).map(|(_, behind)| (before, behind))
        });
        let (before, behind) =
            parts.ok_or_else(|| io::Error::other("docs/strictness.md has no marks"))?;
        fs::write(file, format!("{before}{}\n{self}\n{}{behind}", MARKS[0], MARKS[1]))
    }
}
