//! [`ConfigFile`]: settings as TOML, `name = value`, and rules in sections.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::complaint::{Complaint, did_you_mean};
use crate::config::Config;
use crate::logs;
use crate::rules::{self, Written};
use crate::settings::{self, Given};
use crate::throttles;
use crate::users;

/// A file and what it holds.
pub struct ConfigFile {
    name: String,
    text: String,
}

/// Where in a file each setting has its value.
pub type Spans = BTreeMap<&'static str, Range<usize>>;

/// What was found in a file beside the values of settings.
#[derive(Debug, Default)]
pub struct Found {
    pub spans: Spans,
    /// Where the section of each user begins.
    pub users: BTreeMap<String, Range<usize>>,
    pub written: Written,
}

impl ConfigFile {
    /// Reads it.
    ///
    /// # Errors
    /// If it cannot be read, or is not UTF-8.
    pub fn read(path: &Path) -> Result<ConfigFile, Complaint> {
        let name = path.display().to_string();
        let bytes = fs::read(path)
            .map_err(|error| Complaint::about(&*name, format!("cannot be read: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes());
            Complaint::within(&name, &text, valid..valid + 1, "this is not UTF-8")
        })?;
        // Some editors on Windows begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Ok(ConfigFile::new(name, text))
    }

    /// A file of this name that holds this text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> ConfigFile {
        ConfigFile { name: name.into(), text: text.into() }
    }

    /// Sets in `config` what the file sets, and tells where it does so, and what it says about
    /// rules.
    ///
    /// # Errors
    /// Everything that is wrong in the file, in the order of its lines.
    pub fn apply(&self, config: &mut Config) -> Result<Found, Vec<Complaint>> {
        let table = DeTable::parse(&self.text)
            .map_err(|error| vec![self.complaint(error.span().unwrap_or(0..0), error.message())])?;
        let mut entries: Vec<_> = table.get_ref().iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let (mut found, mut complaints) = (Found::default(), Vec::new());
        for (key, value) in entries {
            if rules::KEYS.contains(&&**key.get_ref()) {
                complaints.extend(found.written.take(self, key, value));
                continue;
            }
            if key.get_ref() == users::KEY {
                if let DeValue::Table(sections) = value.get_ref() {
                    let places = sections.keys().map(|it| (it.get_ref().to_string(), it.span()));
                    found.users.extend(places);
                }
                complaints.extend(config.logins.sections.take(self, value));
                continue;
            }
            if &**key.get_ref() == throttles::KEY {
                complaints.extend(throttles::take(self, value, &mut config.throttles));
                continue;
            }
            if &**key.get_ref() == logs::KEY {
                complaints.extend(logs::take(self, value, &mut config.logs));
                continue;
            }
            let Some(setting) = settings::find(key.get_ref()) else {
                complaints.push(self.unknown(key.get_ref(), key.span(), value.get_ref()));
                continue;
            };
            let items = match value.get_ref() {
                DeValue::Array(items) if setting.kind.is_list() => items,
                _ => std::slice::from_ref(value),
            };
            let given: Vec<_> = items.iter().map(given).collect();
            match setting.kind.set(config, &given) {
                Ok(()) => {
                    setting.kind.look_in(self.folder(), config);
                    found.spans.insert(setting.name, value.span());
                }
                Err(wrong) => {
                    let span = items.get(wrong.index).map_or(value.span(), Spanned::span);
                    let complaint =
                        self.complaint(span, format!("{}: {}", setting.name, wrong.problem));
                    complaints.push(complaint.note(wrong.meant.as_deref().map(did_you_mean)));
                }
            }
        }
        config.sections.clone_from(&found.written.sections);
        if complaints.is_empty() { Ok(found) } else { Err(complaints) }
    }

    /// What it makes of the defaults, or all that is wrong with it, as it is shown.
    #[cfg(test)]
    pub fn read_anew(&self) -> Result<(Config, Found), String> {
        let mut config = Config::default();
        let shown = |complaints: Vec<Complaint>| {
            complaints.iter().map(Complaint::to_string).collect::<Vec<_>>().join("\n")
        };
        let found = self.apply(&mut config).map_err(shown)?;
        Ok((config, found))
    }

    /// The folder it is in: where paths in it begin.
    pub fn folder(&self) -> &Path {
        Path::new(&self.name).parent().unwrap_or(Path::new(""))
    }

    /// These bytes of it.
    pub fn slice(&self, span: Range<usize>) -> &str {
        self.text.get(span).unwrap_or_default()
    }

    /// The line of a byte, counted from 1.
    pub fn line(&self, at: usize) -> usize {
        1 + self.text.as_bytes().iter().take(at).filter(|&&byte| byte == b'\n').count()
    }

    /// A complaint about these bytes of the file.
    pub fn complaint(&self, span: Range<usize>, problem: impl Into<String>) -> Complaint {
        Complaint::within(&self.name, &self.text, span, problem)
    }

    fn unknown(&self, key: &str, span: Range<usize>, value: &DeValue<'_>) -> Complaint {
        let names = settings::all().map(|setting| setting.name);
        let note = match value {
            // One letter off the name of a section of the rules.
            DeValue::Table(_) | DeValue::Array(_) if section_meant(key).is_some() => {
                section_meant(key).map(did_you_mean)
            }
            DeValue::Table(_) => Some("settings stand in no section".to_owned()),
            _ => settings::nearest(key, names).map(did_you_mean),
        };
        self.complaint(span, format!("unknown setting `{key}`")).note(note)
    }
}

fn section_meant(key: &str) -> Option<&'static str> {
    let mut names = rules::KEYS.into_iter().chain([throttles::KEY, logs::KEY]);
    names.find(|name| strsim::osa_distance(key, name) == 1)
}

/// A value, as settings and rules take it.
pub fn given<'a>(value: &'a Spanned<DeValue<'_>>) -> Given<'a> {
    match value.get_ref() {
        DeValue::String(text) => Given::Text(text),
        // A number that is too large for this is too large for any setting.
        DeValue::Integer(number) => Given::Integer(
            i128::from_str_radix(number.as_str(), number.radix()).unwrap_or(i128::MAX),
        ),
        DeValue::Float(_) => Given::Other("a fraction"),
        DeValue::Boolean(truth) => Given::Truth(*truth),
        DeValue::Datetime(_) => Given::Other("a date or time of day"),
        DeValue::Array(_) => Given::Other("a list"),
        DeValue::Table(_) => Given::Other("a table"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(text: &str) -> Result<(Config, Spans), String> {
        let (config, found) = ConfigFile::new("f", text).read_anew()?;
        Ok((config, found.spans))
    }

    #[test]
    fn values_reach_their_fields_and_are_found_again() {
        let text = "workers = 0x10\nhead-bytes = \"64 KiB\"\nconnect-timeout = \"1m\"\n";
        let (config, spans) = apply(text).unwrap();
        assert_eq!((config.workers, config.limits.head_bytes), (16, 65536));
        assert_eq!(config.timeouts.connect.as_secs(), 60);
        assert_eq!(&text[spans["head-bytes"].clone()], "\"64 KiB\"");
    }

    #[test]
    fn what_is_read_is_looked_for_beside_the_file() {
        let text = "users = 'u'\ngroups = '/g'\nlog-file = 'l'\n";
        let mut config = Config::default();
        ConfigFile::new("etc/f", text).apply(&mut config).unwrap();
        let Config { logins, log_file, .. } = config;
        let paths = [logins.users, logins.groups, log_file].map(|it| it.unwrap());
        assert_eq!(paths, ["etc/u", "/g", "l"].map(std::path::PathBuf::from));
    }

    #[test]
    fn one_address_needs_no_list() {
        let (one, _) = apply("listen = '127.0.0.1:1'").unwrap();
        assert_eq!(one.listen, ["127.0.0.1:1"]);
        let (two, _) = apply("listen = ['127.0.0.1:1', '[::1]:1']").unwrap();
        assert_eq!(two.listen, ["127.0.0.1:1", "[::1]:1"]);
    }

    #[test]
    fn each_wrong_type_is_named() {
        for (text, expected) in [
            ("workers = 8.5", "workers: a whole number is expected, not a fraction"),
            ("workers = true", "not a truth value"),
            ("workers = [8]", "not a list"),
            ("workers = -1", "not a negative number"),
            ("workers = 9223372036854775807", "must be at most 4096"),
            ("connect-timeout = 10", "a time needs a unit, such as \"10s\""),
            ("connect-timeout = 10:00:00", "not a date or time of day"),
            ("upstream = 3000", "text such as \"http://127.0.0.1:3000\" is expected, not a number"),
            ("log-format = 1", "a word in quotes is expected"),
            ("head-bytes = {}", "is expected, not a table"),
            ("listen = []", "at least one address is needed"),
            ("listen = ['127.0.0.1:1', ['x']]", "f:1:26: listen: text such as"),
        ] {
            let shown = apply(text).unwrap_err();
            assert!(shown.contains(expected), "{shown}");
        }
    }

    #[test]
    fn everything_wrong_is_told_in_the_order_of_the_lines() {
        let shown = apply("zzz = 1\nworkers = 0\n[limits]\nfields = 3\n").unwrap_err();
        let lines: Vec<_> = shown.lines().filter(|line| line.starts_with("f:")).collect();
        assert_eq!(
            lines,
            [
                "f:1:1: unknown setting `zzz`",
                "f:2:11: workers: must be at least 3",
                "f:3:2: unknown setting `limits`",
            ]
        );
        assert!(shown.ends_with("^^^^^^ settings stand in no section"), "{shown}");
    }

    #[test]
    fn what_is_not_toml_is_shown_where_it_is() {
        for (text, place) in
            [("workers = \n", "f:1:"), ("\nworkers 8", "f:2:"), ("fields = 1\nfields = 2", "f:2:1")]
        {
            let shown = apply(text).unwrap_err();
            assert!(shown.starts_with(place) && shown.contains('^'), "{shown}");
        }
    }
}
