//! The keys of a `[[throttle]]`: what stands in each of them.

use std::time::Duration;

use proxy_core::throttle::{Excess, Members, Mode, Scope};
use toml::Spanned;
use toml::de::DeValue;

use super::amount::{Of, parse_rate, parse_volume};
use super::written::{Amount, WrittenThrottle};
use crate::complaint::Complaint;
use crate::config_file::ConfigFile;
use crate::duration;
use crate::section::{self, Placed, Problem, Section, name, text};
use crate::settings::Given;

/// The key of a file that is about throttles.
pub const KEY: &str = "throttle";

const SCOPES: [&str; 5] = ["all", "client", "host", "user", "rule"];
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
    section::each_of(file, KEY, value, |section, _, complaints| {
        throttles.extend(read(section, throttles, complaints));
    })
}

/// Reads a section.
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
    let members = read_members(&section, scope);
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
        members,
        amount: amount?,
        over,
        mode,
        entries,
    })
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
        "user" => Scope::User,
        "rule" => Scope::Rule,
        _ => Scope::Client { v4: v4.unwrap_or(32), v6: v6.unwrap_or(64) },
    })
}

fn read_members(section: &Section, scope: Option<Scope>) -> Members {
    let names = |key| {
        let names = section.each(key, |given| Ok(text(given, "a name in quotes")?.to_owned()));
        Placed::values(names)
    };
    let mut members = Members::default();
    (members.users, members.groups) = (names("users"), names("groups"));
    if scope.is_some_and(|scope| scope != Scope::User) {
        for key in ["users", "groups"].into_iter().filter(|key| section.has(key)) {
            let problem = "only throttles for = \"user\" are about some of them";
            section.complain(key, section.place(key), problem.into());
        }
    }
    members
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
