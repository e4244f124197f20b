//! `docs/metrics.md` names the metrics there are, and what uses them names no others.

mod support;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use proxy_core::metrics::FAMILIES;
use support::{document, expect_part};

/// The table stands between these two lines.
const BEGIN: &str = "<!-- table: made by proxy-core/tests/metrics_document.rs -->\n";
const END: &str = "<!-- end of table -->\n";

/// All metrics, as a table in Markdown.
fn table() -> String {
    let mut table = String::from("| metric | kind | labels | what it means |\n|---|---|---|---|\n");
    for family in FAMILIES {
        let labels: Vec<_> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, kind, labels, help) =
            (family.name, family.kind.word(), labels.join(", "), family.help);
        writeln!(table, "| `{name}` | {kind} | {labels} | {help} |")
            .expect("writing to a string succeeds");
    }
    table
}

#[test]
fn the_table_of_metrics_is_up_to_date() {
    let expected = format!("\n{}\n", table());
    expect_part("metrics.md", [BEGIN, END], &expected, "proxy-core/src/metrics/families.rs");
}

/// The names of metrics in a text, without the suffixes that histograms have.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
    let metrics = words.filter(|word| {
        ["proxy_", "process_"].iter().any(|prefix| word.starts_with(prefix) && word != prefix)
    });
    metrics
        .map(|name| {
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|it| name.strip_suffix(it));
            base.filter(|base| base.ends_with("_seconds")).unwrap_or(name)
        })
        .collect()
}

#[test]
fn the_document_the_dashboard_and_the_alerts_name_only_what_there_is() {
    let all: BTreeSet<_> = FAMILIES.iter().map(|family| family.name).collect();
    for (file, least) in
        [("metrics.md", 10), ("metrics/dashboard.json", 25), ("metrics/alerts.yml", 8)]
    {
        let Some(path) = document(file) else { return };
        let text = fs::read_to_string(path).unwrap();
        let named = named(&text);
        // Names of crates and such begin like metrics, too.
        let others: Vec<_> = named
            .difference(&all)
            .filter(|name| !["proxy_core", "proxy_cli"].contains(name))
            .collect();
        assert!(others.is_empty(), "{file} names {others:?}");
        assert!(named.intersection(&all).count() >= least, "{file} names only {named:?}");
    }
}

#[test]
fn names_are_found_wherever_they_stand() {
    let text =
        "sum(rate(proxy_a_seconds_bucket{le=\"1\"}[5m])) / proxy_b_total, `process_c`; proxy_";
    assert_eq!(named(text), BTreeSet::from(["proxy_a_seconds", "proxy_b_total", "process_c"]));
}
