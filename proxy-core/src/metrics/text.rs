//! [`Text`]: the text format of Prometheus, version 0.0.4.
//!
//! Its grammar: <https://prometheus.io/docs/instrumenting/exposition_formats/>. All samples of a
//! family stand together, behind what it means and what it is.

use std::fmt::{self, Display, Write};
use std::time::{Duration, SystemTime};

use super::families::{Family, FamilyKind};
use super::histogram::Histogram;

/// A text that grows family by family.
#[derive(Debug, Default)]
pub(super) struct Text(String);

/// The samples of one family. Without any it leaves nothing in the text.
#[derive(Debug)]
pub(super) struct Samples<'a> {
    text: &'a mut String,
    family: &'static Family,
    is_begun: bool,
}

/// Whole and parts of seconds: exact, and never with an exponent.
pub(super) struct Seconds(pub(super) Duration);

impl Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.0.as_secs(), self.0.subsec_micros());
        match micros {
            0 => write!(f, "{seconds}"),
            _ => write!(f, "{seconds}.{micros:06}"),
        }
    }
}

/// Seconds of Unix time.
pub(super) fn unix(time: SystemTime) -> Seconds {
    Seconds(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

impl Text {
    /// A line for people, which must be one, and must not begin as what a family means does.
    pub(super) fn comment(&mut self, line: &str) {
        push(&mut self.0, format_args!("# {line}\n"));
    }

    /// The samples of a family, which `add` adds. Each family has its place once.
    pub(super) fn family(&mut self, family: &'static Family, add: impl FnOnce(&mut Samples<'_>)) {
        add(&mut Samples { text: &mut self.0, family, is_begun: false });
    }

    /// The only number of a family without labels.
    pub(super) fn number(&mut self, family: &'static Family, value: impl Display) {
        self.family(family, |samples| samples.add(&[], value));
    }

    pub(super) fn histogram(&mut self, family: &'static Family, histogram: &Histogram) {
        self.family(family, |samples| {
            for (bound, count) in histogram.named_buckets() {
                samples.line("_bucket", [("le", bound)], count);
            }
            samples.line("_bucket", [("le", "+Inf")], histogram.count());
            samples.line("_sum", [], Seconds(histogram.sum()));
            samples.line("_count", [], histogram.count());
        });
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

impl Samples<'_> {
    /// Adds a number, with the values of the family's labels.
    pub(super) fn add(&mut self, values: &[&str], value: impl Display) {
        let family = self.family;
        debug_assert_eq!(values.len(), family.labels.len(), "{}", family.name);
        debug_assert_ne!(family.kind, FamilyKind::Histogram, "{}", family.name);
        self.line("", family.labels.iter().copied().zip(values.iter().copied()), value);
    }

    fn line<'l>(
        &mut self,
        suffix: &str,
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
        value: impl Display,
    ) {
        let Family { name, kind, help, .. } = *self.family;
        let text = &mut *self.text;
        if !std::mem::replace(&mut self.is_begun, true) {
            push(text, format_args!("# HELP {name} "));
            escape(text, help, false);
            push(text, format_args!("\n# TYPE {name} {}\n", kind.word()));
        }
        push(text, format_args!("{name}{suffix}"));
        let mut before = '{';
        for (label, value) in labels {
            push(text, format_args!("{before}{label}=\""));
            escape(text, value, true);
            text.push('"');
            before = ',';
        }
        if before == ',' {
            text.push('}');
        }
        push(text, format_args!(" {value}\n"));
    }
}

fn push(text: &mut String, more: fmt::Arguments<'_>) {
    text.write_fmt(more).expect("writing to a string does not fail");
}

/// Adds a text as the format has it: what would end a value, or a line, is escaped.
fn escape(text: &mut String, raw: &str, is_quoted: bool) {
    for character in raw.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if is_quoted => text.push_str("\\\""),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::families;
    use crate::metrics::histogram::Buckets;

    #[test]
    fn what_would_end_a_value_is_escaped() {
        let mut text = Text::default();
        text.family(&families::HOST_BYTES, |samples| {
            samples.add(&["a\"b\\c\nd\te ü"], 7);
            samples.add(&[""], 8);
        });
        let help = families::HOST_BYTES.help;
        let expected = format!(
            "# HELP proxy_host_bytes {help}\n# TYPE proxy_host_bytes gauge\n\
             proxy_host_bytes{{host=\"a\\\"b\\\\c\\nd\te ü\"}} 7\nproxy_host_bytes{{host=\"\"}} 8\n"
        );
        assert_eq!(text.finish(), expected);
        const ODD: Family = Family { help: "say \"\\\"\nand more", ..families::BANS };
        let mut text = Text::default();
        text.number(&ODD, 1);
        assert!(text.finish().starts_with("# HELP proxy_bans say \"\\\\\"\\nand more\n# TYPE"));
    }

    #[test]
    fn a_family_without_samples_leaves_nothing() {
        let mut text = Text::default();
        text.family(&families::HOST_BYTES, |_| {});
        assert_eq!(text.finish(), "");
    }

    #[test]
    fn a_histogram_has_buckets_that_add_up_a_sum_and_a_count() {
        let (buckets, mut histogram) = (Buckets::default(), Histogram::default());
        for millis in [0, 3, 3, 400_000] {
            buckets.note(Duration::from_millis(millis));
        }
        histogram.add(&buckets);
        let mut text = Text::default();
        text.histogram(&families::WAIT, &histogram);
        let text = text.finish();
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(lines.len(), 20 + 3);
        assert_eq!(lines[0], "proxy_request_wait_seconds_bucket{le=\"0.0001\"} 1");
        assert_eq!(lines[5], "proxy_request_wait_seconds_bucket{le=\"0.005\"} 3");
        assert_eq!(
            lines[19..],
            [
                "proxy_request_wait_seconds_bucket{le=\"300\"} 3",
                "proxy_request_wait_seconds_bucket{le=\"+Inf\"} 4",
                "proxy_request_wait_seconds_sum 400.006000",
                "proxy_request_wait_seconds_count 4",
            ]
        );
    }

    #[test]
    fn seconds_are_exact() {
        let written = |micros| Seconds(Duration::from_micros(micros)).to_string();
        assert_eq!(written(0), "0");
        assert_eq!(written(5_000_000), "5");
        assert_eq!(written(1), "0.000001");
        assert_eq!(written(1_700_000_000_250_000), "1700000000.250000");
        assert_eq!(unix(SystemTime::UNIX_EPOCH - Duration::from_secs(1)).to_string(), "0");
    }
}
