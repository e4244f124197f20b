//! [`WrittenThrottle`]: a `[[throttle]]` of the file, as plain data.

use std::fmt::Write;
use std::time::Duration;

use proxy_core::throttle::{Allowance, Excess, Mode, Period, Rate, Scope, Throttle, Volume, Zone};
use toml::Spanned;
use toml::de::DeValue;

use super::amount::{Of, parse_rate, parse_volume, show_rate, show_volume};
use crate::complaint::Complaint;
use crate::config_file::ConfigFile;
use crate::duration;
use crate::rules::section::{Problem, Section, name, text};
use crate::settings::{Given, quoted};

/// The key of a file that is about throttles.
pub const KEY: &str = "throttle";

/// A throttle, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenThrottle {
    pub name: String,
    scope: Scope,
    amount: Amount,
    over: Excess,
    mode: Mode,
    entries: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Amount {
    Connections(u64),
    Requests(Rate),
    Upload(Rate),
    Download(Rate),
    Volume(u64, Period),
}

const SCOPES: [&str; 4] = ["all", "client", "host", "rule"];
const AMOUNTS: [&str; 5] = ["connections", "requests", "upload", "download", "volume"];
const EXCESSES: [&str; 3] = ["refuse", "delay", "drop"];
const MODES: [&str; 2] = ["enforce", "report"];
/// How long a request waits for its turn, where that is not said.
const DELAY: Duration = Duration::from_secs(10);

/// Takes in the throttles of a file.
pub fn take(
    file: &ConfigFile,
    value: &Spanned<DeValue<'_>>,
    throttles: &mut Vec<WrittenThrottle>,
) -> Vec<Complaint> {
    let wrong = |span, found| {
        let complaint = file.complaint(span, format!("a throttle is a section, not {found}"));
        vec![complaint.note(Some("write [[throttle]] above each of them".to_owned()))]
    };
    let DeValue::Array(items) = value.get_ref() else {
        let found = if value.get_ref().is_table() { "one [throttle] for all" } else { "a value" };
        return wrong(value.span(), found);
    };
    let mut complaints = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let DeValue::Table(table) = item.get_ref() else {
            complaints.extend(wrong(item.span(), "a value"));
            continue;
        };
        let section = Section::new(file, format!("throttle {}", index + 1), item.span(), table);
        throttles.extend(WrittenThrottle::read(section, throttles, &mut complaints));
    }
    complaints
}

impl WrittenThrottle {
    /// For the library; days and months are those of a zone.
    pub fn throttle(&self, zone: &Zone) -> Throttle {
        let allowance = match self.amount {
            Amount::Connections(most) => Allowance::Connections(most),
            Amount::Requests(rate) => Allowance::Requests(rate),
            Amount::Upload(rate) => Allowance::Upload(rate),
            Amount::Download(rate) => Allowance::Download(rate),
            Amount::Volume(bytes, period) => Allowance::Volume(
                match period {
                    Period::Day => Volume::daily(bytes),
                    _ => Volume::monthly(bytes),
                }
                .with_zone(zone.clone()),
            ),
        };
        let throttle = Throttle::new(&*self.name, self.scope, allowance);
        let throttle = throttle.over(self.over).in_mode(self.mode);
        self.entries.into_iter().fold(throttle, Throttle::with_entries)
    }

    /// As it would stand in a file.
    pub fn show(&self) -> String {
        let mut lines = format!("[[throttle]]\nname = {}\n", quoted(&self.name));
        let mut line = |key: &str, value: String| {
            writeln!(lines, "{key} = {value}").expect("writing to a string does not fail");
        };
        line("for", quoted(scope_word(self.scope)));
        if let Scope::Client { v4, v6 } = self.scope {
            line("prefix-v4", v4.to_string());
            line("prefix-v6", v6.to_string());
        }
        match self.amount {
            Amount::Connections(most) => line("connections", most.to_string()),
            Amount::Requests(rate) => line("requests", quoted(&show_rate(rate, Of::Requests))),
            Amount::Upload(rate) => line("upload", quoted(&show_rate(rate, Of::Bytes))),
            Amount::Download(rate) => line("download", quoted(&show_rate(rate, Of::Bytes))),
            Amount::Volume(bytes, period) => line("volume", quoted(&show_volume(bytes, period))),
        }
        match self.over {
            Excess::Delay(most) => {
                line("over", quoted("delay"));
                line("delay", quoted(&duration::show(most)));
            }
            Excess::Drop => line("over", quoted("drop")),
            _ => {}
        }
        if self.mode == Mode::Report {
            line("mode", quoted("report"));
        }
        if let Some(entries) = self.entries {
            line("entries", entries.to_string());
        }
        lines
    }

    fn read(
        mut section: Section,
        before: &[WrittenThrottle],
        complaints: &mut Vec<Complaint>,
    ) -> Option<WrittenThrottle> {
        let called = section.one("name", |given| {
            let name = name(given)?;
            match before.iter().any(|other| other.name == name) {
                true => Err(Problem::from("another throttle has this name")),
                false => Ok(name),
            }
        });
        match &called {
            Some(called) => section.what = format!("throttle `{}`", called.value),
            None if section.has("name") => {}
            None => section.miss("a name is missing, such as name = \"downloads\""),
        }
        let scope = read_scope(&section);
        let amount = read_amount(&section);
        let over = read_excess(&section, amount);
        let mode = section.one("mode", |given| word(given, &MODES));
        let mode = match mode.map(|it| it.value) {
            Some("report") => Mode::Report,
            _ => Mode::Enforce,
        };
        let entries = section.one("entries", |given| whole(given, 1..=100_000_000));
        let entries = entries.map(|it| usize::try_from(it.value).unwrap_or(usize::MAX));
        complaints.extend(section.finish());
        Some(WrittenThrottle {
            name: called?.value,
            scope: scope?,
            amount: amount?,
            over,
            mode,
            entries,
        })
    }
}

fn read_scope(section: &Section) -> Option<Scope> {
    let word = section.one("for", |given| word(given, &SCOPES));
    if !section.has("for") {
        section.miss(&format!("whose count it is is missing: for, one of {}", SCOPES.join(", ")));
    }
    let bits =
        |key, most| section.one(key, |given| whole(given, 0..=most)).map(|it| it.value as u8);
    let (v4, v6) = (bits("prefix-v4", 32), bits("prefix-v6", 128));
    let word = word?.value;
    if word != "client" {
        for key in ["prefix-v4", "prefix-v6"].into_iter().filter(|key| section.has(key)) {
            let problem = format!("`{word}` has no such thing; `client` has");
            section.complain(key, section.place(key), problem.into());
        }
    }
    Some(match word {
        "all" => Scope::All,
        "host" => Scope::Host,
        "rule" => Scope::Rule,
        _ => Scope::Client { v4: v4.unwrap_or(32), v6: v6.unwrap_or(64) },
    })
}

fn scope_word(scope: Scope) -> &'static str {
    match scope {
        Scope::Client { .. } => "client",
        Scope::Host => "host",
        Scope::Rule => "rule",
        _ => "all",
    }
}

fn read_amount(section: &Section) -> Option<Amount> {
    let rate = |key, of| {
        let expected = "text such as \"10/s\"";
        section.one(key, |given| Ok(parse_rate(text(given, expected)?, of)?)).map(|it| it.value)
    };
    let connections = section.one("connections", |given| whole(given, 1..=u64::MAX));
    let volume = section
        .one("volume", |given| Ok(parse_volume(text(given, "text such as \"50 GB/month\"")?)?));
    let all = [
        connections.map(|it| Amount::Connections(it.value)),
        rate("requests", Of::Requests).map(Amount::Requests),
        rate("upload", Of::Bytes).map(Amount::Upload),
        rate("download", Of::Bytes).map(Amount::Download),
        volume.map(|it| Amount::Volume(it.value.0, it.value.1)),
    ];
    let mut said = AMOUNTS.into_iter().filter(|key| section.has(key));
    match (said.next(), said.next()) {
        (None, _) => {
            section.miss(&format!("an amount is missing, one of {}", AMOUNTS.join(", ")));
        }
        (Some(first), Some(second)) => {
            let problem = format!("there is one amount in a throttle, and `{first}` is there");
            section.complain(second, section.place(second), problem.into());
        }
        (Some(_), None) => {}
    }
    all.into_iter().flatten().next()
}

fn read_excess(section: &Section, amount: Option<Amount>) -> Excess {
    let over = section.one("over", |given| word(given, &EXCESSES)).map(|it| it.value);
    let delay =
        section.one("delay", |given| Ok(duration::parse(text(given, "a time such as \"10s\"")?)?));
    match amount {
        Some(Amount::Upload(_) | Amount::Download(_)) if section.has("over") => {
            section.complain("over", section.place("over"), "bytes always wait".into());
        }
        Some(Amount::Connections(_) | Amount::Volume(..)) if over == Some("delay") => {
            let problem = "only requests can be delayed: there is no telling when there is room";
            section.complain("over", section.place("over"), problem.into());
            return Excess::Refuse;
        }
        _ => {}
    }
    if section.has("delay") && over != Some("delay") {
        let problem = "it is said with over = \"delay\" only";
        section.complain("delay", section.place("delay"), problem.into());
    }
    match over {
        Some("delay") => Excess::Delay(delay.map_or(DELAY, |it| it.value)),
        Some("drop") => Excess::Drop,
        _ => Excess::Refuse,
    }
}

/// Reads one of some words.
fn word(given: Given, words: &[&'static str]) -> Result<&'static str, Problem> {
    let word = text(given, "a word in quotes")?;
    let known = words.iter().find(|known| **known == word);
    known.copied().ok_or_else(|| Problem::no_word(word, words))
}

/// Reads a whole number.
fn whole(given: Given, range: std::ops::RangeInclusive<u64>) -> Result<u64, Problem> {
    let Given::Integer(number) = given else {
        return Err(Problem::unexpected("a whole number", given));
    };
    u64::try_from(number).ok().filter(|number| range.contains(number)).ok_or_else(|| {
        let (least, most) = range.clone().into_inner();
        match most {
            u64::MAX => format!("must be at least {least}").into(),
            _ => format!("must be from {least} to {most}").into(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::listing;

    fn read(text: &str) -> Result<Config, String> {
        let mut config = Config::default();
        match ConfigFile::new("f", text).apply(&mut config) {
            Ok(_) => Ok(config),
            Err(complaints) => {
                let shown: Vec<_> = complaints.iter().map(Complaint::to_string).collect();
                Err(shown.join("\n"))
            }
        }
    }

    const ALL: &str = r#"
[[throttle]]
name = "requests"
for = "client"
requests = "10/s burst 20"
over = "delay"
delay = "5s"

[[throttle]]
name = "networks"
for = "client"
prefix-v4 = 24
prefix-v6 = 48
connections = 100
over = "drop"
entries = 1000

[[throttle]]
name = "up"
for = "host"
upload = "100 KB/s"
mode = "report"

[[throttle]]
name = "down"
for = "rule"
download = "1 MiB/s burst 10 MiB"

[[throttle]]
name = "uplink"
for = "all"
volume = "50 GB/month"

[[throttle]]
name = "daily"
for = "client"
volume = "1 GB/day"
over = "refuse"
"#;

    #[test]
    fn what_is_printed_can_be_read_again_and_the_library_takes_it() {
        let config = read(ALL).unwrap();
        assert_eq!(config.throttles.len(), 6);
        let printed = listing::list(&config);
        assert_eq!(read(&printed).unwrap().throttles, config.throttles, "{printed}");
        for written in &config.throttles {
            assert_eq!(written.throttle(&Zone::utc()).check(), Ok(()), "{written:?}");
        }
        let [requests, networks, ..] = &config.throttles[..] else { panic!() };
        assert_eq!(requests.over, Excess::Delay(Duration::from_secs(5)));
        assert_eq!(networks.scope, Scope::Client { v4: 24, v6: 48 });
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        let header = "[[throttle]]\nname = \"a\"\n";
        for (rest, expected) in [
            ("for = \"client\"", "f:1:1: throttle `a`: an amount is missing, one of connections"),
            ("connections = 1", "f:1:1: throttle `a`: whose count it is is missing"),
            ("for = \"clients\"\nconnections = 1", "f:3:7: throttle `a`: for: must be one of all"),
            ("for = \"clients\"\nconnections = 1", "did you mean `client`?"),
            ("for = \"all\"\nrequests = 10", "text such as \"10/s\" is expected, not a number"),
            ("for = \"all\"\nrequests = \"10\"", "f:4:12: throttle `a`: requests: a rate such as"),
            ("for = \"all\"\nconnections = 0", "connections: must be at least 1"),
            ("for = \"all\"\nconnections = \"x\"", "a whole number is expected, not text"),
            (
                "for = \"all\"\nconnections = 1\nvolume = \"1 GB/day\"",
                "f:5:10: throttle `a`: volume: there is one",
            ),
            ("for = \"all\"\nvolume = \"1 GB/week\"", "`week` is neither day nor month"),
            ("for = \"all\"\ndownload = \"1 MB/s\"\nover = \"drop\"", "over: bytes always wait"),
            (
                "for = \"all\"\nconnections = 1\nover = \"delay\"",
                "over: only requests can be delayed",
            ),
            ("for = \"all\"\nconnections = 1\ndelay = \"1s\"", "delay: it is said with"),
            ("for = \"all\"\nconnections = 1\nprefix-v4 = 8", "prefix-v4: `all` has no such thing"),
            ("for = \"client\"\nconnections = 1\nprefix-v4 = 33", "must be from 0 to 32"),
            ("for = \"all\"\nconnections = 1\nmod = \"report\"", "unknown key `mod`"),
            ("for = \"all\"\nconnections = 1\nmod = \"report\"", "did you mean `mode`?"),
        ] {
            let shown = read(&format!("{header}{rest}\n")).unwrap_err();
            assert!(shown.contains(expected), "{shown}");
        }
        for (text, expected) in [
            ("[throttle]\nname = \"a\"", "not one [throttle] for all"),
            ("throttle = [1]", "write [[throttle]] above each of them"),
            ("[[throttle]]\nfor = \"all\"\nconnections = 1", "a name is missing"),
            ("[[throttel]]\nname = \"a\"", "did you mean `throttle`?"),
        ] {
            let shown = read(text).unwrap_err();
            assert!(shown.contains(expected), "{shown}");
        }
        let one = "[[throttle]]\nname = \"a\"\nfor = \"all\"\nconnections = 1\n";
        let shown = read(&one.repeat(2)).unwrap_err();
        assert!(shown.contains("f:6:8: throttle 2: name: another throttle has this"), "{shown}");
    }
}
