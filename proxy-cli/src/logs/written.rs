//! [`WrittenLog`]: a `[[log]]` of the file, as plain data.

use std::fmt::Write;
use std::ops::RangeInclusive;

use proxy_core::{Facility, Template};
use toml::Spanned;
use toml::de::DeValue;

use super::format::Format;
use super::rotating::Rotation;
use super::selection::{Only, Selection};
use super::target::Target;
use crate::complaint::Complaint;
use crate::config::LogFormat;
use crate::config_file::ConfigFile;
use crate::privacy::LogAddresses;
use crate::section::{self, Placed, Problem, Section, text};
use crate::settings::{Given, quoted};
use crate::word::{Word, words};
use crate::{duration, size};

/// The key of a file that is about logs.
pub const KEY: &str = "log";

/// An access log, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenLog {
    pub to: Target,
    pub format: Format,
    pub selection: Selection,
    pub queries: Queries,
    pub hidden_parameters: Vec<String>,
    pub users: Users,
    /// `None`: what is set for all.
    pub addresses: Option<LogAddresses>,
    pub rotation: Option<Rotation>,
    pub facility: Option<Facility>,
    pub app_name: Option<String>,
}

/// What a log tells of queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queries {
    Whole,
    Hidden,
}

/// What a log tells of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Users {
    Whole,
    Pseudonyms,
    Hidden,
}

words!(Queries: "whole" => Queries::Whole, "hidden" => Queries::Hidden);
words!(Users: "whole" => Users::Whole, "pseudonyms" => Users::Pseudonyms,
    "hidden" => Users::Hidden);

/// How many files are kept, where that is not said.
const KEEP: usize = 7;
/// The least a file can be allowed to hold.
const LEAST_SIZE: u64 = 4096;
const DAILY: &str = "daily";

/// Takes in the logs of a file.
pub fn take(
    file: &ConfigFile,
    value: &Spanned<DeValue<'_>>,
    logs: &mut Vec<WrittenLog>,
) -> Vec<Complaint> {
    section::each_of(file, KEY, value, |section, _, complaints| {
        logs.extend(WrittenLog::read(section, logs, complaints));
    })
}

impl WrittenLog {
    /// As it would stand in a file.
    pub fn show(&self) -> String {
        let mut lines = "[[log]]\n".to_owned();
        let mut line = |key: &str, value: String| {
            writeln!(lines, "{key} = {value}").expect("writing to a string does not fail");
        };
        let list = |items: Vec<String>| format!("[{}]", items.join(", "));
        line("to", quoted(&self.to.to_string()));
        match &self.format {
            Format::Named(format) => line("format", quoted(format.get())),
            Format::Template(template) => line("template", quoted(template.as_str())),
        }
        let Selection { only, slower_than, one_in } = &self.selection;
        if !only.is_empty() {
            line("only", list(only.iter().map(|only| quoted(only.get())).collect()));
        }
        if let Some(least) = slower_than {
            line("slower-than", quoted(&duration::show(*least)));
        }
        if *one_in > 1 {
            line("one-in", one_in.to_string());
        }
        if self.queries != Queries::Whole {
            line("queries", quoted(self.queries.get()));
        }
        if !self.hidden_parameters.is_empty() {
            let names = self.hidden_parameters.iter().map(|name| quoted(name));
            line("hide-parameters", list(names.collect()));
        }
        if self.users != Users::Whole {
            line("users", quoted(self.users.get()));
        }
        if let Some(addresses) = &self.addresses {
            line("addresses", quoted(addresses.get()));
        }
        if let Some(rotation) = &self.rotation {
            let daily = rotation.daily.then(|| quoted(DAILY));
            let size = rotation.size.map(|bytes| quoted(&size::show(bytes)));
            line("rotate", list(daily.into_iter().chain(size).collect()));
            line("keep", rotation.keep.to_string());
            if rotation.compress {
                line("compress", "true".to_owned());
            }
        }
        if let Some(facility) = self.facility {
            line("facility", quoted(&facility.to_string()));
        }
        if let Some(name) = &self.app_name {
            line("app-name", quoted(name));
        }
        lines
    }

    fn read(
        section: Section,
        before: &[WrittenLog],
        complaints: &mut Vec<Complaint>,
    ) -> Option<WrittenLog> {
        let to = section.one("to", |given| {
            let expected = "text such as \"access.log\", \"stdout\" or \"udp://HOST:PORT\"";
            let to = text(given, expected)?.parse::<Target>()?;
            match before.iter().any(|other| other.to == to && matches!(to, Target::File(_))) {
                true => Err(Problem::from("another log goes there")),
                false => Ok(to),
            }
        });
        if !section.has("to") {
            section.miss("it is missing where it goes, such as to = \"access.log\"");
        }
        let format = read_format(&section);
        let selection = read_selection(&section);
        let queries = section.one("queries", |given| word(given, Queries::Whole));
        let parameters = section.each("hide-parameters", |given| {
            let name = text(given, "the name of a parameter")?;
            Some(name)
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .ok_or_else(|| Problem::from("the name of a parameter is expected"))
        });
        let users = section.one("users", |given| word(given, Users::Whole));
        let addresses = section.one("addresses", |given| word(given, LogAddresses::Whole));
        let rotation = read_rotation(&section, to.as_ref());
        let facility = section
            .one("facility", |given| Ok(text(given, "a word in quotes")?.parse::<Facility>()?));
        let app_name = section.one("app-name", |given| {
            let name = text(given, "a name in quotes")?;
            match (1..=48).contains(&name.len()) && name.bytes().all(|it| it.is_ascii_graphic()) {
                true => Ok(name.to_owned()),
                false => Err(Problem::from("1 to 48 visible ASCII characters are expected")),
            }
        });
        if to.as_ref().is_some_and(|to| !to.value.is_syslog()) {
            for key in ["facility", "app-name"].into_iter().filter(|key| section.has(key)) {
                let problem = "only a log that goes to syslog has one";
                section.complain(key, section.place(key), problem.into());
            }
        }
        complaints.extend(section.finish());
        Some(WrittenLog {
            to: to?.value,
            format: format?,
            selection,
            queries: queries.map_or(Queries::Whole, |it| it.value),
            hidden_parameters: Placed::values(parameters),
            users: users.map_or(Users::Whole, |it| it.value),
            addresses: addresses.map(|it| it.value),
            rotation,
            facility: facility.map(|it| it.value),
            app_name: app_name.map(|it| it.value),
        })
    }
}

fn read_format(section: &Section) -> Option<Format> {
    let format = section.one("format", |given| match word(given, LogFormat::Text)? {
        LogFormat::Off => Err(Problem::from("a log that is not written is left out")),
        format => Ok(format),
    });
    let template = section.one("template", |given| {
        Ok(text(given, "text such as \"{time} {status}\"")?.parse::<Template>()?)
    });
    match (section.has("format"), section.has("template")) {
        (true, true) => {
            let problem = "a log has a format or a template";
            section.complain("template", section.place("template"), problem.into());
            None
        }
        (false, false) => Some(Format::Named(LogFormat::Text)),
        (true, false) => format.map(|it| Format::Named(it.value)),
        (false, true) => template.map(|it| Format::Template(it.value)),
    }
}

fn read_selection(section: &Section) -> Selection {
    let only = section.each("only", |given| word(given, Only::Refusals));
    let slower_than = section
        .one("slower-than", |given| Ok(duration::parse(text(given, "a time such as \"1s\"")?)?));
    let one_in = section.one("one-in", |given| whole(given, 1..=1_000_000_000));
    Selection {
        only: Placed::values(only),
        slower_than: slower_than.map(|it| it.value),
        one_in: one_in.map_or(1, |it| it.value),
    }
}

fn read_rotation(section: &Section, to: Option<&Placed<Target>>) -> Option<Rotation> {
    /// What `rotate` can say.
    enum When {
        Daily,
        Size(u64),
    }
    let when = section.each("rotate", |given| match given {
        Given::Text(DAILY) => Ok(When::Daily),
        given => {
            let size = size::parse(text(given, "\"daily\", or a size such as \"100 MB\"")?);
            match size.map_err(|_| "\"daily\", or a size such as \"100 MB\", is expected")? {
                size if size < LEAST_SIZE => {
                    Err(format!("must be at least {}", size::show(LEAST_SIZE)).into())
                }
                size => Ok(When::Size(size)),
            }
        }
    });
    let keep = section.one("keep", |given| whole(given, 1..=100_000));
    let compress = section.one("compress", |given| match given {
        Given::Truth(truth) => Ok(truth),
        given => Err(Problem::unexpected("true or false", given)),
    });
    if !section.has("rotate") {
        for key in ["keep", "compress"].into_iter().filter(|key| section.has(key)) {
            let problem = "it is said beside `rotate` only";
            section.complain(key, section.place(key), problem.into());
        }
        return None;
    }
    if to.is_some_and(|to| !matches!(to.value, Target::File(_))) {
        section.complain("rotate", section.place("rotate"), "only a file can be put away".into());
    }
    let mut rotation = Rotation {
        keep: keep.map_or(KEEP, |it| usize::try_from(it.value).unwrap_or(usize::MAX)),
        compress: compress.is_some_and(|it| it.value),
        ..Rotation::default()
    };
    for when in when {
        match when.value {
            When::Daily => rotation.daily = true,
            When::Size(size) => rotation.size = Some(size),
        }
    }
    Some(rotation)
}

/// Reads one of the words that a value can be.
fn word<T: Word>(given: Given, mut value: T) -> Result<T, Problem> {
    let text = text(given, "a word in quotes")?;
    match value.words().contains(&text) {
        true => {
            value.set(text);
            Ok(value)
        }
        false => Err(Problem::no_word(text, value.words())),
    }
}

/// Reads a whole number.
fn whole(given: Given, range: RangeInclusive<u64>) -> Result<u64, Problem> {
    let Given::Integer(number) = given else {
        return Err(Problem::unexpected("a whole number", given));
    };
    u64::try_from(number)
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("must be from {} to {}", range.start(), range.end()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::listing;

    fn read(text: &str) -> Result<Config, String> {
        Ok(ConfigFile::new("f", text).read_anew()?.0)
    }

    const ALL: &str = r#"
[[log]]
to = "stdout"

[[log]]
to = "access.log"
format = "json"
only = ["refusals", "5xx"]
slower-than = "1500ms"
one-in = 10
queries = "hidden"
hide-parameters = ["token", "a\"b"]
users = "pseudonyms"
addresses = "truncated"
rotate = ["daily", "100 MiB"]
keep = 3
compress = true

[[log]]
to = "udp://127.0.0.1:514"
template = "\"{request.user_agent}\" {{\\}} é"
facility = "local3"
app-name = "proxy"
"#;

    #[test]
    fn what_is_printed_can_be_read_again() {
        let config = read(ALL).unwrap();
        assert_eq!(config.logs.len(), 3);
        let printed = listing::list(&config);
        assert_eq!(read(&printed).unwrap().logs, config.logs, "{printed}");
        let rotation = config.logs[1].rotation.as_ref().unwrap();
        assert_eq!((rotation.size, rotation.keep), (Some(100 << 20), 3));
        assert!(rotation.daily && rotation.compress);
        assert_eq!(config.logs[0].format, Format::Named(LogFormat::Text));
        assert!(config.logs[0].selection.is_everything());
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        for (rest, expected) in [
            ("", "f:1:1: log 1: it is missing where it goes"),
            ("to = 7", "f:2:6: log 1: to: text such as \"access.log\""),
            ("to = \"udp://h\"", "f:2:6: log 1: to: HOST:PORT is expected"),
            ("to = \"a\"\nformat = \"jsn\"", "f:3:10: log 1: format: must be one of text, json"),
            ("to = \"a\"\nformat = \"jsn\"", "did you mean `json`?"),
            ("to = \"a\"\nformat = \"off\"", "a log that is not written is left out"),
            ("to = \"a\"\ntemplate = \"{stats}\"", "in column 2; did you mean `status`?"),
            ("to = \"a\"\nformat = \"json\"\ntemplate = \"{id}\"", "a format or a template"),
            ("to = \"a\"\nonly = [\"4xx\", \"6xx\"]", "f:3:16: log 1: only: must be one of"),
            ("to = \"a\"\nonly = []", "at least one value is needed"),
            ("to = \"a\"\nslower-than = 1", "slower-than: a time such as \"1s\" is expected"),
            ("to = \"a\"\none-in = 0", "one-in: must be from 1 to"),
            ("to = \"a\"\nrotate = \"weekly\"", "\"daily\", or a size such as \"100 MB\", is"),
            ("to = \"a\"\nrotate = \"1 KiB\"", "must be at least 4 KiB"),
            ("to = \"a\"\nkeep = 3", "keep: it is said beside `rotate` only"),
            ("to = \"stdout\"\nrotate = \"daily\"", "rotate: only a file can be put away"),
            ("to = \"a\"\nfacility = \"user\"", "facility: only a log that goes to syslog"),
            ("to = \"udp://h:1\"\nfacility = \"usr\"", "facility: must be one of user, daemon"),
            ("to = \"a\"\nquery = \"hidden\"", "did you mean `queries`?"),
        ] {
            let shown = read(&format!("[[log]]\n{rest}\n")).unwrap_err();
            assert!(shown.contains(expected), "{shown}");
        }
        for (text, expected) in [
            ("[log]\nto = \"a\"", "not one [log] for all"),
            ("log = [1]", "write [[log]] above each of them"),
            (
                "[[log]]\nto = \"a\"\n[[log]]\nto = \"a\"",
                "f:4:6: log 2: to: another log goes there",
            ),
            ("[[logs]]\nto = \"a\"", "did you mean `log`?"),
        ] {
            let shown = read(text).unwrap_err();
            assert!(shown.contains(expected), "{shown}");
        }
    }
}
