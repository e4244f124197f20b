//! What a command asked for, as a table for people.

use std::fmt::Write;

use super::tally::{Count, Counts};

/// A row.
struct Row {
    host: String,
    requests: String,
    sent: String,
    received: String,
    troubles: String,
}

/// A line that sums up, and below it a table, if there is anything to be shown in one.
pub fn table(counts: &Counts) -> String {
    let total = counts.total();
    if total.requests == 0 {
        return "proxy-cli: no request came to the proxy".to_owned();
    }
    let mut text = format!(
        "proxy-cli: {}, {} sent, {} received",
        if total.requests == 1 {
            "1 request".to_owned()
        } else {
            format!("{} requests", total.requests)
        },
        bytes(total.sent),
        bytes(total.received)
    );
    match total.denied + total.out_of_reach {
        0 => {}
        refused => write!(text, "; {refused} refused").expect("writing to a string succeeds"),
    }
    let mut rows: Vec<_> = counts
        .hosts
        .iter()
        .map(|(place, count)| Row::new(format!("{}:{}", place.host, place.port), count))
        .collect();
    for (name, count) in [("(more hosts)", &counts.others), ("(no host)", &counts.without_host)] {
        if count.requests > 0 {
            rows.push(Row::new(name.to_owned(), count));
        }
    }
    rows.insert(0, Row::heading());
    let wide = |column: fn(&Row) -> &str| {
        rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0)
    };
    let widths = [
        wide(|row| &row.host),
        wide(|row| &row.requests),
        wide(|row| &row.sent),
        wide(|row| &row.received),
    ];
    for Row { host, requests, sent, received, troubles } in &rows {
        let [a, b, c, d] = widths;
        let line = format!("{host:a$}  {requests:>b$}  {sent:>c$}  {received:>d$}  {troubles}");
        text += "\n";
        text += line.trim_end();
    }
    text
}

impl Row {
    fn heading() -> Row {
        Row {
            host: "host".to_owned(),
            requests: "requests".to_owned(),
            sent: "sent".to_owned(),
            received: "received".to_owned(),
            troubles: "refused or failed".to_owned(),
        }
    }

    fn new(host: String, count: &Count) -> Row {
        let troubles: Vec<_> =
            count.reasons.iter().map(|(reason, times)| format!("{times} {reason}")).collect();
        Row {
            host,
            requests: count.requests.to_string(),
            sent: bytes(count.sent),
            received: bytes(count.received),
            troubles: troubles.join(", "),
        }
    }
}

/// Bytes as the access log shows them: rounded down, with one digit behind the point where there
/// is only one before it or two.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut divisor = 1000;
    let mut units = UNITS.iter();
    let mut unit = units.next().unwrap_or(&"kB");
    while bytes / divisor >= 1000 {
        let Some(next) = units.next() else { break };
        (unit, divisor) = (next, divisor * 1000);
    }
    match bytes / divisor {
        whole @ 100.. => format!("{whole} {unit}"),
        whole => format!("{whole}.{} {unit}", bytes % divisor / (divisor / 10)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::tests::counted;
    use super::*;
    use proxy_core::Reason;

    #[test]
    fn a_table_has_aligned_columns_and_names_what_was_refused() {
        let denied = Some(Reason::DeniedByRule);
        let counts = counted(&[
            ("GET", "http://example.com/", "example.com", 648, None),
            ("CONNECT", "crates.example:443", "crates.example", 1_234_567, None),
            ("CONNECT", "crates.example:443", "crates.example", 0, Some(Reason::TunnelReset)),
            ("CONNECT", "evil.test:443", "evil.test", 100, denied),
            ("GET", "/", "127.0.0.1", 5, Some(Reason::NotAProxyRequest)),
        ]);
        assert_eq!(
            table(&counts),
            "proxy-cli: 5 requests, 35 B sent, 1.2 MB received; 1 refused\n\
             host                requests  sent  received  refused or failed\n\
             crates.example:443         2  14 B    1.2 MB  1 tunnel_reset\n\
             evil.test:443              1   7 B     100 B  1 denied_by_rule\n\
             example.com:80             1   7 B     648 B\n\
             (no host)                  1   7 B       5 B  1 not_a_proxy_request"
        );
    }

    #[test]
    fn without_a_request_there_is_no_table() {
        assert_eq!(table(&Counts::default()), "proxy-cli: no request came to the proxy");
    }

    #[test]
    fn bytes_are_rounded_down() {
        for (count, shown) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1999, "1.9 kB"),
            (99_999, "99.9 kB"),
            (100_999, "100 kB"),
            (1_000_000, "1.0 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(count), shown);
        }
    }
}
