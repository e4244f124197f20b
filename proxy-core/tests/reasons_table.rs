//! The table in `docs/reasons.md` is what the code says.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use proxy_core::Reason;

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
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reasons.md");
    let Ok(document) = fs::read_to_string(&path) else {
        // The package has no `docs`; the repository has.
        assert!(!path.parent().unwrap().exists(), "docs/reasons.md is missing");
        return;
    };
    // Git may have been told to check texts out with CR LF.
    let document = document.replace("\r\n", "\n");
    let (before, rest) = document.split_once(BEGIN).expect("the table has its begin");
    let (found, after) = rest.split_once(END).expect("the table has its end");
    let expected = format!("\n{}\n", table());
    if found == expected {
        return;
    }
    if env::var_os("BLESS").is_some() {
        fs::write(&path, [before, BEGIN, &expected, END, after].concat()).unwrap();
        return;
    }
    let stale = expected.lines().find(|line| !found.lines().any(|other| other == *line));
    panic!(
        "docs/reasons.md is not what proxy-core/src/error.rs says, for example of\n{}\n\
         Set BLESS=1 for this test to write the table anew.",
        stale.unwrap_or("a line that is too many")
    );
}
