//! The table in `docs/reasons.md` is what the code says.

mod support;

use std::fmt::Write;

use proxy_core::Reason;
use support::expect_part;

/// The table stands between these two lines.
const BEGIN: &str = "<!-- table: made by proxy-core/tests/reasons_table.rs -->\n";
const END: &str = "<!-- end of table -->\n";

/// All reasons, as a table in Markdown.
fn table() -> String {
    let mut table = String::from(
        "| reason | status | `error` | what it means | who can fix it | how |\n\
         |---|---|---|---|---|---|\n",
    );
    for reason in Reason::ALL {
        let (status, error, side) = (reason.status(), reason.error_type(), reason.side());
        let (meaning, how) = (cell(reason.explanation()), cell(reason.remedy()));
        writeln!(table, "| `{reason}` | {status} | `{error}` | {meaning} | {side} | {how} |")
            .expect("writing to a string succeeds");
    }
    table
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[test]
fn the_table_of_reasons_is_up_to_date() {
    let expected = format!("\n{}\n", table());
    expect_part("reasons.md", [BEGIN, END], &expected, "proxy-core/src/error.rs");
}
