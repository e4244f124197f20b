//! [`Table`]: the samples of one scenario, and what they come to.

use crate::entrant::Entrant;
use crate::scenario::Scenario;
use crate::statistics::{Estimate, median};
use crate::suite::Suite;
use std::fmt;

/// One contestant's turns, in the order of the rounds.
pub(crate) struct Entry {
    /// Whose.
    pub(crate) entrant: Entrant,
    /// A sample, one figure for each column, or why there is none.
    pub(crate) samples: Vec<Result<Vec<f64>, String>>,
}

/// Everybody's results.
pub(crate) struct Table {
    /// What was done.
    pub(crate) scenario: &'static Scenario,
    /// Who took part, ours first.
    pub(crate) entries: Vec<Entry>,
    /// Who did not, and why.
    pub(crate) absent: Vec<String>,
    /// The share of the cores that others used before it.
    pub(crate) others: f64,
}

impl Entry {
    /// The median of a column, unless all turns were void.
    pub(crate) fn median(&self, column: usize) -> Option<f64> {
        let values: Vec<f64> = self.samples.iter().flatten().map(|sample| sample[column]).collect();
        median(&values)
    }

    fn voids(&self) -> impl Iterator<Item = &String> {
        self.samples.iter().filter_map(|sample| sample.as_ref().err())
    }
}

impl Table {
    /// An empty table.
    pub(crate) fn new(scenario: &'static Scenario) -> Table {
        Table { scenario, entries: Vec::new(), absent: Vec::new(), others: 0.0 }
    }

    /// Ours divided by another's, within the rounds in which both count.
    pub(crate) fn ratio(&self, other: &Entry, column: usize) -> Option<Estimate> {
        let ours = self.entries.first().filter(|ours| ours.entrant.is_ours())?;
        // What the relay does not keep is no measure for what others do.
        let incomparable = self.scenario.suite == Suite::Memory && !other.entrant.is_peer();
        if ours.entrant == other.entrant || incomparable {
            return None;
        }
        let pairs = ours.samples.iter().zip(&other.samples);
        let ratios: Vec<f64> = pairs
            .filter_map(|(ours, other)| Some((ours.as_ref().ok()?, other.as_ref().ok()?)))
            .filter(|(_, other)| other[column] > 0.0)
            .map(|(ours, other)| ours[column] / other[column])
            .collect();
        Estimate::of(&ratios)
    }

    /// A figure, and ours divided by it, as it stands in a cell.
    pub(crate) fn cell(&self, entry: &Entry, column: usize) -> String {
        let about = &self.scenario.suite.columns()[column];
        let Some(value) = entry.median(column) else { return "void".into() };
        let value = format!("{value:.*}", about.decimals);
        match self.ratio(entry, column).filter(|_| about.compared) {
            Some(ratio) if ratio.low == ratio.high => format!("{value} ({:.2})", ratio.median),
            Some(Estimate { median, low, high }) => {
                format!("{value} ({median:.2} [{low:.2}, {high:.2}])")
            }
            None => value,
        }
    }

    /// What did not count, and who was not there.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let name = self.scenario.name;
        let voids = self.entries.iter().filter_map(|entry| {
            let (count, first) = (entry.voids().count(), entry.voids().next()?);
            let whose = entry.entrant.name;
            Some(format!("VOID in {name}: {count} turns of {whose}; the first: {first}"))
        });
        voids.chain(self.absent.iter().map(|who| format!("absent from {name}: {who}"))).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.scenario.suite.columns();
        let width = |column: usize| if columns[column].compared { 26 } else { 18 };
        writeln!(f, "## {}\n", self.scenario)?;
        write!(f, "| {:<18} |", "")?;
        for (number, column) in columns.iter().enumerate() {
            write!(f, " {:>1$} |", column.title, width(number))?;
        }
        writeln!(f, "\n|{:-<20}|{}", "", "---:|".repeat(columns.len()))?;
        for entry in &self.entries {
            write!(f, "| {:<18} |", entry.entrant.name)?;
            for number in 0..columns.len() {
                write!(f, " {:>1$} |", self.cell(entry, number), width(number))?;
            }
            writeln!(f)?;
        }
        self.remarks().iter().try_for_each(|remark| writeln!(f, "\n{remark}"))
    }
}
