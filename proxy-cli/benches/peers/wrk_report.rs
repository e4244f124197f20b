//! [`WrkReport`]: the numbers in what `wrk --latency` prints.

/// One run of `wrk`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct WrkReport {
    /// Responses received.
    pub(crate) requests: u64,
    /// Responses in a second.
    pub(crate) rate: f64,
    /// Bytes received, heads included, to the three digits that are printed.
    pub(crate) bytes: f64,
    /// Microseconds.
    pub(crate) p50: f64,
    /// Microseconds.
    pub(crate) p99: f64,
    /// The lines that tell of failures.
    pub(crate) complaints: Vec<String>,
}

impl WrkReport {
    /// Understands the report, or says which line it lacks.
    pub(crate) fn parse(text: &str) -> Result<WrkReport, String> {
        let mut report = WrkReport::default();
        let mut seen = 0;
        for line in text.lines().map(str::trim) {
            let mut words = line.split_whitespace();
            match (words.next(), words.next()) {
                (Some("50%"), Some(value)) => report.p50 = microseconds(value)?,
                (Some("99%"), Some(value)) => report.p99 = microseconds(value)?,
                (Some("Requests/sec:"), Some(value)) => report.rate = number(value)?,
                // `154321 requests in 2.00s, 190.12MB read`
                (Some(count), Some("requests")) => {
                    report.requests = number(count)? as u64;
                    report.bytes = bytes(line.split(' ').rev().nth(1).unwrap_or_default())?;
                }
                (Some("Non-2xx"), _) | (Some("Socket"), Some("errors:")) => {
                    report.complaints.push(line.to_owned());
                    continue;
                }
                _ => continue,
            }
            seen += 1;
        }
        if seen == 4 { Ok(report) } else { Err(format!("wrk's report is incomplete: {text:?}")) }
    }

    /// Whether the run counts: no failures, and every response with its whole body.
    pub(crate) fn check(&self, body_bytes: usize) -> Result<(), String> {
        if !self.complaints.is_empty() {
            return Err(self.complaints.join("; "));
        }
        if self.requests == 0 {
            return Err("no request was answered".into());
        }
        // One hundredth for the rounding of what is printed; heads make up for more than that.
        if self.bytes < self.requests as f64 * body_bytes as f64 * 0.99 {
            return Err("responses are shorter than their body".into());
        }
        Ok(())
    }
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("wrk's report has {text:?} for a number"))
}

/// A duration such as `817.00us`, `1.25ms`, `2.01s` or `1.50m`.
fn microseconds(text: &str) -> Result<f64, String> {
    scaled(text, &[("us", 1.0), ("ms", 1e3), ("s", 1e6), ("m", 60e6)])
}

/// A size such as `190.12MB`. The units are powers of 1024.
fn bytes(text: &str) -> Result<f64, String> {
    const K: f64 = 1024.0;
    scaled(text, &[("KB", K), ("MB", K * K), ("GB", K * K * K), ("TB", K * K * K * K), ("B", 1.0)])
}

/// The number before the first unit that fits, times what that unit stands for.
fn scaled(text: &str, units: &[(&str, f64)]) -> Result<f64, String> {
    let (digits, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))
        .ok_or_else(|| format!("wrk's report has {text:?} without a unit"))?;
    Ok(number(digits)? * factor)
}
