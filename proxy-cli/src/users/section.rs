//! [`Sections`]: what each user may do, `[user.NAME]` in the configuration file.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::str::FromStr;
use std::time::SystemTime;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use proxy_core::rules::HostPattern;
use proxy_core::{Network, User};
use toml::Spanned;
use toml::de::DeValue;

use crate::complaint::Complaint;
use crate::config_file::ConfigFile;
use crate::section::{self, Placed, Problem, Section, text};
use crate::settings::{self, Given};

/// The name of the sections.
pub const KEY: &str = "user";

/// What each user may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sections(BTreeMap<String, UserSection>);

/// What a user may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserSection {
    /// The last day, as it is written.
    pub expires: Option<String>,
    /// When it is over.
    pub until: Option<SystemTime>,
    pub from: Vec<Network>,
    pub to: Vec<HostPattern>,
}

impl Sections {
    /// Takes over what stands under [`KEY`] of a file; gives everything that is wrong with it.
    pub fn take(&mut self, file: &ConfigFile, value: &Spanned<DeValue<'_>>) -> Vec<Complaint> {
        section::each_named(file, KEY, value, |name, section, _, complaints| {
            self.0.insert(name.to_owned(), UserSection::read(section, complaints));
        })
    }

    pub fn of(&self, user: &str) -> Option<&UserSection> {
        self.0.get(user)
    }

    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }
}

impl FromIterator<(String, UserSection)> for Sections {
    fn from_iter<I: IntoIterator<Item = (String, UserSection)>>(sections: I) -> Sections {
        Sections(sections.into_iter().collect())
    }
}

impl UserSection {
    /// Limits a user to what the section says.
    pub fn limit(&self, user: &mut User) {
        user.until = self.until;
        user.from.clone_from(&self.from);
        user.to.clone_from(&self.to);
    }

    fn read(section: Section, complaints: &mut Vec<Complaint>) -> UserSection {
        // TOML has dates of its own, and quotes are as good.
        let day = section.as_written("expires", |day| {
            let day = day.trim_matches(['"', '\'']);
            let until = end_of(day).ok_or("a day such as 2027-12-31 is expected")?;
            Ok((day.to_owned(), until))
        });
        let (expires, until) = day.map(|day| day.value).unzip();
        let from = Placed::values(section.each("from", parsed));
        let to = Placed::values(section.each("to", parsed));
        complaints.extend(section.finish());
        UserSection { expires, until, from, to }
    }
}

fn parsed<T: FromStr<Err: Display>>(given: Given) -> Result<T, Problem> {
    text(given, "text in quotes")?.parse().map_err(|error: T::Err| error.into())
}

/// When a day is over, in UTC.
fn end_of(day: &str) -> Option<SystemTime> {
    let date: Date = day.parse().ok()?;
    // It can be written in other ways, which a reader of the file may take for something else.
    if date.to_string() != day {
        return None;
    }
    let end = TimeZone::UTC.to_timestamp(date.tomorrow().ok()?.at(0, 0, 0, 0)).ok()?;
    SystemTime::try_from(end).ok().filter(|end| *end > SystemTime::UNIX_EPOCH)
}

/// As sections of a file.
impl fmt::Display for Sections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, section) in &self.0 {
            writeln!(f, "\n[{KEY}.{}]", toml_string(name))?;
            if let Some(day) = &section.expires {
                writeln!(f, "expires = {}", toml_string(day))?;
            }
            let list = |items: Vec<String>| {
                items.iter().map(|item| toml_string(item)).collect::<Vec<_>>().join(", ")
            };
            let from = section.from.iter().map(Network::to_string).collect::<Vec<_>>();
            let to = section.to.iter().map(HostPattern::to_string).collect::<Vec<_>>();
            for (field, items) in [("from", from), ("to", to)] {
                if !items.is_empty() {
                    writeln!(f, "{field} = [{}]", list(items))?;
                }
            }
        }
        Ok(())
    }
}

fn toml_string(text: &str) -> String {
    settings::quoted(text)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::config::Config;
    use crate::listing;

    fn read(text: &str) -> Result<Config, String> {
        Ok(ConfigFile::new("f", text).read_anew()?.0)
    }

    #[test]
    fn a_section_is_read_and_shown_as_it_was() {
        let text = "users = 'u'\n[user.ann]\nexpires = 2027-12-31\nfrom = '10.0.0.0/8'\n\
                    to = ['.a.test', 'b.test']\n[user.\"b \\\"c\\\"\"]\nexpires = '2028-02-29'\n";
        let config = read(text).unwrap();
        let ann = config.logins.sections.of("ann").unwrap();
        assert_eq!((ann.from.len(), ann.to.len()), (1, 2));
        assert!(config.logins.sections.of("b \"c\"").is_some());
        assert_eq!(read(&listing::list(&config)).unwrap(), config);
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        for (text, expected) in [
            ("[user.ann]\nexpire = 2027-12-31", "f:2:1: user `ann`: unknown key `expire`"),
            ("[user.ann]\nexpire = 2027-12-31", "did you mean `expires`?"),
            ("[user.ann]\nexpires = 2027-02-29", "f:2:"),
            ("[user.ann]\nexpires = 7", "f:2:11: user `ann`: expires: a day such as 2027-12-31"),
            ("[user.ann]\nfrom = ['10.0.0.0/8', 'x']", "f:2:23: user `ann`: from: "),
            ("[user.ann]\nto = ['http://a/']", "f:2:7: user `ann`: to: expected a host"),
            ("[user.ann]\nto = 7", "f:2:6: user `ann`: to: text in quotes is expected"),
            ("[user.ann]\nto = []", "f:2:6: user `ann`: to: at least one value is needed"),
            ("user = 7", "f:1:8: a user is a section with a name"),
            ("[user]\nann = 7", "f:2:1: a user is a section with a name"),
        ] {
            let shown = read(text).unwrap_err();
            assert!(shown.contains(expected), "{shown}");
        }
    }

    #[test]
    fn a_day_ends_when_the_next_one_begins() {
        for (day, expected) in [
            ("1970-01-01", Some(86_400)),
            ("2000-02-29", Some(951_868_800)),
            ("2026-11-25", Some(1_795_651_200)),
            ("2027-12-31", Some(1_830_297_600)),
            ("1969-12-31", None),
            ("2027-13-01", None),
            ("2027-04-31", None),
            ("2027-4-1", None),
            ("2027-04-01T00:00:00Z", None),
            ("+027-04-01", None),
            ("2027-12-31-", None),
        ] {
            let expected = expected.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(end_of(day), expected, "{day}");
        }
    }
}
