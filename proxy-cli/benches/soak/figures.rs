//! [`Figures`]: what `/metrics` says; and [`Outcomes`]: what it must say, by the records.

use std::collections::BTreeMap;

use crate::record::Record;

/// The samples of a text in Prometheus' format, by their names and labels as they stand there.
pub(crate) struct Figures(BTreeMap<String, f64>);

/// What came of all requests, by the records of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcomes {
    /// Records of an end, by the label of the status that the client was sent.
    by_status: BTreeMap<String, u64>,
    /// Those that ended other than plainly, by the reason.
    by_reason: BTreeMap<String, u64>,
    closes: u64,
    /// Records of tunnels that were opened.
    opens: u64,
    bytes_in: u64,
    bytes_out: u64,
}

/// Metrics that only grow end so, but for those of names, which begin anew with another memory for
/// them.
const GROWING: [&str; 4] = ["_total", "_bucket", "_sum", "_count"];
const ANEW: &str = "proxy_name_";

impl Figures {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// If it is no such text, or is cut off.
    pub(crate) fn parse(text: &str) -> Result<Figures, String> {
        if !text.ends_with('\n') {
            return Err("it has no end".to_owned());
        }
        let mut figures = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with("# ")) {
            let sample = line.rsplit_once(' ').and_then(|(name, value)| {
                Some((name, value.parse::<f64>().ok().filter(|value| *value >= 0.0)?))
            });
            let (name, value) = sample.ok_or_else(|| format!("a strange line: {line:?}"))?;
            if figures.insert(name.to_owned(), value).is_some() {
                return Err(format!("{name} stands there twice"));
            }
        }
        Ok(Figures(figures))
    }

    /// What has become less, or is gone, since `before`, and must not.
    pub(crate) fn shrunk_since(&self, before: &Figures) -> Option<String> {
        let grows = |name: &str| {
            let family = name.split('{').next().unwrap_or_default();
            GROWING.iter().any(|end| family.ends_with(end)) && !family.starts_with(ANEW)
        };
        let mut old = before.0.iter().filter(|(name, _)| grows(name));
        let is_less = |name: &str, old: f64| self.0.get(name).is_none_or(|new| *new < old);
        let (name, old) = old.find(|(name, old)| is_less(name, **old))?;
        Some(format!("{name} was {old}, and is {:?}", self.0.get(name)))
    }

    /// The one without labels.
    fn number(&self, name: &str) -> u64 {
        self.0.get(name).map_or(0, |value| *value as u64)
    }

    /// Those of a family that are not 0, added up by one of its labels.
    fn by(&self, family: &str, label: &str) -> BTreeMap<String, u64> {
        let (start, label) = (format!("{family}{{"), format!("{label}=\""));
        let mut sums = BTreeMap::new();
        for (name, value) in
            self.0.iter().filter(|(name, value)| name.starts_with(&start) && **value > 0.0)
        {
            let behind = name.split_once(&label).map_or("", |(_, behind)| behind);
            let value_of_label = behind.split('"').next().unwrap_or_default();
            *sums.entry(value_of_label.to_owned()).or_default() += *value as u64;
        }
        sums
    }
}

impl Outcomes {
    /// Counts one record.
    pub(crate) fn add(&mut self, record: &Record) {
        if !record.is_close {
            self.opens += 1;
            return;
        }
        self.closes += 1;
        let status =
            record.status.map_or("none".to_owned(), |status| format!("{}xx", status / 100));
        *self.by_status.entry(status).or_default() += 1;
        if !record.reason.is_empty() {
            *self.by_reason.entry(record.reason.clone()).or_default() += 1;
        }
        self.bytes_in += record.bytes_in;
        self.bytes_out += record.bytes_out;
    }

    /// How many records there were.
    pub(crate) fn records(&self) -> u64 {
        self.closes + self.opens
    }

    /// In what the figures of a proxy at rest tell something else. So many records were dropped on
    /// the way to the log: they are in the figures, and may be of any kind.
    pub(crate) fn unlike(&self, figures: &Figures, dropped: u64) -> Vec<String> {
        let requests = figures.by("proxy_requests_total", "status");
        let tunnels = figures.number("proxy_tunnels_opened_total");
        let told = requests.values().sum::<u64>() + tunnels;
        let mut findings = Vec::new();
        if told != self.records() + dropped {
            findings.push(format!(
                "/metrics counts {told} ends and tunnels, where {} records were made and {dropped} \
                 dropped",
                self.records()
            ));
        }
        let mut compare = |what: &str, told: u64, recorded: u64, slack: u64| {
            if !(recorded..=recorded.saturating_add(slack)).contains(&told) {
                findings.push(format!("/metrics: {what} is {told}, by the records {recorded}"));
            }
        };
        let failures = figures.by("proxy_failures_total", "reason");
        for (told, recorded) in [(&requests, &self.by_status), (&failures, &self.by_reason)] {
            let others = told.keys().filter(|key| !recorded.contains_key(*key));
            for key in recorded.keys().chain(others) {
                let number = |of: &BTreeMap<String, u64>| of.get(key).copied().unwrap_or(0);
                compare(key, number(told), number(recorded), dropped);
            }
        }
        compare("tunnels opened", tunnels, self.opens, dropped);
        let durations = figures.number("proxy_request_duration_seconds_count");
        compare("durations", durations, self.closes, dropped);
        let bytes = figures.by("proxy_content_bytes_total", "direction");
        // As many as it likes may be of what was dropped.
        let slack = if dropped == 0 { 0 } else { u64::MAX };
        for (direction, recorded) in [("in", self.bytes_in), ("out", self.bytes_out)] {
            let told = bytes.get(direction).copied().unwrap_or(0);
            compare(&format!("bytes {direction}"), told, recorded, slack);
        }
        compare("connections open", figures.number("proxy_connections_open"), 0, 0);
        findings
    }
}
