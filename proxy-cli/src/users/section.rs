//! [`Sections`]: what each user may do, `[user.NAME]` in the configuration file.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::ops::Range;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proxy_core::rules::HostPattern;
use proxy_core::{Network, User};
use toml::Spanned;
use toml::de::DeValue;

use crate::complaint::did_you_mean;
use crate::settings;

/// The name of the sections.
pub const KEY: &str = "user";

/// What a section may say.
const FIELDS: [&str; 3] = ["expires", "from", "to"];

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

/// Something wrong in a section: where, what, and what was meant.
pub struct Wrong {
    pub span: Range<usize>,
    pub problem: String,
    pub note: Option<String>,
}

impl Sections {
    /// Takes over what stands under [`KEY`]; gives everything that is wrong with it.
    pub fn take(&mut self, span: Range<usize>, value: &DeValue<'_>) -> Vec<Wrong> {
        let DeValue::Table(users) = value else {
            return vec![wrong(span, "sections such as `[user.ann]` are expected")];
        };
        let mut wrongs = Vec::new();
        for (name, value) in users {
            let DeValue::Table(fields) = value.get_ref() else {
                wrongs.push(wrong(value.span(), "a section such as `[user.ann]` is expected"));
                continue;
            };
            let mut section = UserSection::default();
            for (field, value) in fields {
                wrongs.extend(section.set(field, value).err());
            }
            self.0.insert(name.get_ref().to_string(), section);
        }
        wrongs.sort_by_key(|wrong| wrong.span.start);
        wrongs
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

    fn set(
        &mut self,
        field: &Spanned<impl AsRef<str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), Wrong> {
        match field.get_ref().as_ref() {
            "expires" => {
                let text = match value.get_ref() {
                    DeValue::String(text) => text.to_string(),
                    DeValue::Datetime(date) => date.to_string(),
                    _ => String::new(),
                };
                self.until = Some(end_of(&text).ok_or_else(|| {
                    wrong(value.span(), "expires: a day such as 2027-12-31 is expected")
                })?);
                self.expires = Some(text);
            }
            "from" => self.from = each("from", value)?,
            "to" => self.to = each("to", value)?,
            other => {
                let note = settings::nearest(other, FIELDS).map(did_you_mean);
                let problem = format!("a user has no `{other}`: there are {}", FIELDS.join(", "));
                return Err(Wrong { note, ..wrong(field.span(), problem) });
            }
        }
        Ok(())
    }
}

/// One text, or several in a list.
fn each<T: FromStr<Err: Display>>(
    field: &str,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<T>, Wrong> {
    let items = match value.get_ref() {
        DeValue::Array(items) => items,
        _ => std::slice::from_ref(value),
    };
    let parse = |item: &Spanned<DeValue<'_>>| match item.get_ref() {
        DeValue::String(text) => {
            text.parse().map_err(|error: T::Err| wrong(item.span(), format!("{field}: {error}")))
        }
        _ => Err(wrong(item.span(), format!("{field}: text in quotes is expected"))),
    };
    if items.is_empty() {
        let problem =
            format!("{field}: an empty list would allow everything; leave it out for that");
        return Err(wrong(value.span(), problem));
    }
    items.iter().map(parse).collect()
}

fn wrong(span: Range<usize>, problem: impl Into<String>) -> Wrong {
    Wrong { span, problem: problem.into(), note: None }
}

/// When a day is over, in UTC.
fn end_of(day: &str) -> Option<SystemTime> {
    let mut parts = day.split('-');
    let (year, month, date) = (parts.next()?, parts.next()?, parts.next()?);
    let is_written = parts.next().is_none()
        && (year.len(), month.len(), date.len()) == (4, 2, 2)
        && day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let (year, month, date): (i64, i64, i64) =
        (year.parse().ok()?, month.parse().ok()?, date.parse().ok()?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !is_written || year < 1970 || !(1..=12).contains(&month) || !(1..=length).contains(&date) {
        return None;
    }
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + date - 1;
    // From the first of March of the year 0 to the beginning of 1970.
    let since = days + 1 - 719_468;
    Some(UNIX_EPOCH + Duration::from_secs(u64::try_from(since).ok()? * 24 * 3600))
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
    use super::*;
    use crate::config::Config;
    use crate::config_file::ConfigFile;
    use crate::listing;

    fn read(text: &str) -> Result<Config, String> {
        let mut config = Config::default();
        let complaints = match ConfigFile::new("f", text).apply(&mut config) {
            Ok(_) => return Ok(config),
            Err(complaints) => complaints,
        };
        Err(complaints.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
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
            ("[user.ann]\nexpire = 2027-12-31", "f:2:1: a user has no `expire`"),
            ("[user.ann]\nexpire = 2027-12-31", "did you mean `expires`?"),
            ("[user.ann]\nexpires = 2027-02-29", "f:2:"),
            ("[user.ann]\nexpires = 7", "f:2:11: expires: a day such as 2027-12-31 is expected"),
            ("[user.ann]\nfrom = ['10.0.0.0/8', 'x']", "f:2:23: from: "),
            ("[user.ann]\nto = ['http://a/']", "f:2:7: to: expected a host"),
            ("[user.ann]\nto = 7", "f:2:6: to: text in quotes is expected"),
            ("[user.ann]\nto = []", "an empty list would allow everything"),
            ("user = 7", "f:1:"),
            ("[user]\nann = 7", "f:2:7: a section such as"),
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
