//! The tables in `docs/faults.md`, made of the rules that the matrix has just been held to.

use std::fmt::Write;

use crate::phase::{Phase, Side};
use crate::rule::{Dash, Verdict, rule};
use crate::support::{Fault, expect_part};

/// The tables stand between these two lines.
const BEGIN: &str = "<!-- tables: made by proxy-core/tests/faults -->\n";
const END: &str = "<!-- end of tables -->\n";

/// Marks of dashes, in the order of [`Dash::ALL`].
const MARKS: [&str; Dash::ALL.len()] = ["¹", "²", "³", "⁴", "⁵", "⁶"];

impl Verdict {
    /// What stands in a cell.
    fn cell(self) -> String {
        match self {
            Verdict::Served => "served".to_owned(),
            Verdict::ServedThen(reason) => format!("served; then {} `{reason}`", reason.status()),
            Verdict::Told(reason) => format!("{} `{reason}`", reason.status()),
            Verdict::Cut(reason) => format!("cut `{reason}`"),
            Verdict::Left(reason) => format!("left `{reason}`"),
            Verdict::Closed => "closed".to_owned(),
            Verdict::Passed => "passed on".to_owned(),
            Verdict::Ended(reason) => format!("ended `{reason}`"),
            Verdict::Reset(reason) => format!("reset `{reason}`"),
        }
    }
}

fn cell(side: Side, phase: Phase, fault: Fault) -> String {
    match rule(side, phase, fault) {
        Ok(verdict) => verdict.cell(),
        Err(dash) => format!("–{}", mark(dash)),
    }
}

fn mark(dash: Dash) -> &'static str {
    let listed = Dash::ALL.into_iter().zip(MARKS);
    listed.into_iter().find(|(other, _)| *other == dash).expect("all dashes are listed").1
}

/// All that stands between the two lines.
fn tables() -> String {
    let mut text = String::from("\n| fault | the end that has it |\n|---|---|\n");
    let mut line = |line: String| writeln!(text, "{line}").expect("writing to a string succeeds");
    for fault in Fault::ALL {
        line(format!("| {} | {} |", fault.name(), fault.meaning()));
    }
    for (side, title) in
        [(Side::Upstream, "The upstream misbehaves"), (Side::Client, "The client misbehaves")]
    {
        line(format!("\n### {title}\n"));
        line(format!("| | {} |", Fault::ALL.map(Fault::name).join(" | ")));
        line(format!("|---|{}", "---|".repeat(Fault::ALL.len())));
        for phase in Phase::ALL {
            let cells = Fault::ALL.map(|fault| cell(side, phase, fault));
            line(format!("| **{}** | {} |", phase.name(), cells.join(" | ")));
        }
    }
    line(String::new());
    for dash in Dash::ALL {
        line(format!("–{} {}\\", mark(dash), dash.meaning()));
    }
    let text = text.trim_end_matches("\\\n");
    format!("{text}\n\n")
}

/// The document says what the rules say.
pub fn expect_up_to_date() {
    expect_part("faults.md", [BEGIN, END], &tables(), "proxy-core/tests/faults/rule.rs");
}
