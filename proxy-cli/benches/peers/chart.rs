//! [`chart`]: the first figure of each scenario as bars, in SVG.

use crate::table::Table;
use std::fmt::Write;

const ROW: usize = 18;
const GAP: usize = 34;
const LEFT: usize = 150;
const BARS: usize = 420;
const WIDTH: usize = LEFT + BARS + 130;
const HEAD: usize = 56;

/// Draws a group for each scenario that is compared by processor time. Within a group, the longest
/// bar is the largest figure, or three times ours if that is less: a bar that is cut has a notch.
pub(crate) fn chart(tables: &[Table]) -> String {
    let mut body = String::new();
    let mut y = HEAD;
    let timed = |table: &&Table| table.scenario.suite.columns()[0].title.starts_with("CPU");
    for table in tables.iter().filter(timed) {
        let rows: Vec<_> = table
            .entries
            .iter()
            .filter_map(|entry| Some((entry.entrant, entry.median(0)?)))
            .collect();
        let Some((_, ours)) = rows.iter().find(|(entrant, _)| entrant.is_ours()) else { continue };
        let largest = rows.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        let full = largest.min(ours * 3.0);
        let column = &table.scenario.suite.columns()[0];
        y += GAP;
        let title = format!("{}, {}", table.scenario.name, column.title);
        let _ = writeln!(body, r#"<text class="title" x="8" y="{}">{title}</text>"#, y - 8);
        for (number, (entrant, value)) in rows.iter().enumerate() {
            let cut = *value > full * 1.001;
            let length = (value.min(full) / full * BARS as f64).round() as usize;
            let class = match (number, entrant.is_ours(), entrant.is_peer()) {
                (0, true, _) => "ours",
                (_, _, true) => "peer",
                _ => "relay",
            };
            let base = y + 13;
            let _ = writeln!(
                body,
                r#"<text class="name" x="{}" y="{base}">{}</text><rect class="{class}" x="{LEFT}" y="{}" width="{length}" height="{}"/>"#,
                LEFT - 6,
                entrant.name,
                y + 1,
                ROW - 4,
            );
            let mut at = LEFT + length + 6;
            if cut {
                let _ = writeln!(
                    body,
                    r#"<rect class="notch" x="{}" y="{y}" width="4" height="{ROW}"/>"#,
                    LEFT + length - 24
                );
                at += 2;
            }
            let value = format!("{value:.*}", column.decimals);
            let _ = writeln!(body, r#"<text x="{at}" y="{base}">{value}</text>"#);
            y += ROW;
        }
    }
    let height = y + 16;
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-label="Processor time of proxies, as bars">
<style>
text {{ font: 12px sans-serif; fill: #333 }}
.title {{ font-weight: bold }}
.name {{ text-anchor: end }}
.ours {{ fill: #c2410c }}
.peer {{ fill: #94a3b8 }}
.relay {{ fill: #cbd5e1 }}
.notch {{ fill: #fff }}
</style>
<rect width="100%" height="100%" fill="#fff"/>
<text class="title" x="8" y="22" style="font-size:16px">Processor time of the proxy: less is better</text>
<text x="8" y="42">Each group has its own scale; a bar with a gap is longer than it is drawn.</text>
{body}</svg>
"##
    )
}
