//! [`Kind`]: how a setting is written, and where it goes.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use proxy_core::{
    AddressClass, Authority, ConnectPorts, Destinations, Network, PortRange, Threshold,
};

use super::nearest;
use crate::config::Config;
use crate::listen_address;
use crate::number::Number;
use crate::time_zone::TimeZone;
use crate::word::Word;
use crate::{admin, duration, size};

/// How a setting is written, what it may be, and the field of [`Config`] that it sets.
pub enum Kind {
    /// How many of something. Where the most is [`UNLIMITED`], the word `unlimited` is one, too.
    Count(RangeInclusive<u64>, fn(&mut Config) -> &mut dyn Number),
    /// Bytes: a number, or text with a unit.
    Size(RangeInclusive<u64>, fn(&mut Config) -> &mut dyn Number),
    /// Text with a unit of time.
    Duration(RangeInclusive<Duration>, fn(&mut Config) -> &mut Duration),
    /// One of some words.
    Word(fn(&mut Config) -> &mut dyn Word),
    /// `http://HOST:PORT`, or nothing.
    Upstream(fn(&mut Config) -> &mut Option<Authority>),
    /// An address for administration, or nothing.
    Address(fn(&mut Config) -> &mut Option<String>),
    /// Any number of names of hosts.
    Names(fn(&mut Config) -> &mut Vec<String>),
    /// At least one address to listen on.
    Listen(fn(&mut Config) -> &mut Vec<String>),
    /// Any number of networks.
    Networks(fn(&mut Config) -> &mut Vec<Network>),
    /// Any number of networks and classes of addresses.
    Destinations(fn(&mut Config) -> &mut Vec<Destinations>),
    /// Any number of ports and ranges of them, or the word `any`; or nothing.
    Ports(fn(&mut Config) -> &mut Option<ConnectPorts>),
    /// How often within which time; or never.
    Threshold(fn(&mut Config) -> &mut Option<Threshold>),
    /// Whether something holds.
    Switch(fn(&mut Config) -> &mut bool),
    /// Some visible ASCII, or nothing.
    Text(fn(&mut Config) -> &mut Option<String>),
    /// A program and its arguments, or nothing.
    Command(fn(&mut Config) -> &mut Vec<String>),
    /// A file, or nothing.
    Path(fn(&mut Config) -> &mut Option<PathBuf>),
    /// A file that is read, or nothing. One that a configuration file names is looked for beside it.
    Source(fn(&mut Config) -> &mut Option<PathBuf>),
    /// A time zone.
    Zone(fn(&mut Config) -> &mut TimeZone),
}

/// The most of a limit that need not be one.
pub const UNLIMITED: u64 = u64::MAX;
const UNLIMITED_WORD: &str = "unlimited";
/// No threshold.
const NEVER_WORD: &str = "never";
/// All ports.
const ANY_WORD: &str = "any";

/// A value as it was written, before it is known to be right.
#[derive(Clone, Copy, Debug)]
pub enum Given<'a> {
    /// A flag's value, or text in a file.
    Text(&'a str),
    /// A number in a file.
    Integer(i128),
    /// A truth value in a file.
    Truth(bool),
    /// Anything else that a file can hold, which no setting takes.
    Other(&'static str),
}

/// What is wrong with a value.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Which of several values it is, counted from 0.
    pub index: usize,
    pub problem: String,
    /// What was most likely meant.
    pub meant: Option<String>,
}

impl From<String> for Wrong {
    fn from(problem: String) -> Wrong {
        Wrong { index: 0, problem, meant: None }
    }
}

impl Kind {
    /// It takes several values.
    pub fn is_list(&self) -> bool {
        matches!(
            self,
            Kind::Listen(_)
                | Kind::Names(_)
                | Kind::Networks(_)
                | Kind::Destinations(_)
                | Kind::Ports(_)
                | Kind::Command(_)
        )
    }

    /// What stands for the value in the help.
    pub fn value_name(&self) -> &'static str {
        match self {
            Kind::Count(..) => "N",
            Kind::Size(..) => "SIZE",
            Kind::Duration(..) => "TIME",
            Kind::Word(_) => "WORD",
            Kind::Upstream(_) => "http://HOST:PORT",
            Kind::Address(_) => "ADDR:PORT|unix:PATH",
            Kind::Listen(_) => "ADDR:PORT",
            Kind::Names(_) => "NAME",
            Kind::Networks(_) => "ADDR/BITS",
            Kind::Destinations(_) => "ADDR/BITS|CLASS",
            Kind::Ports(_) => "PORT",
            Kind::Threshold(_) => "N/TIME",
            Kind::Switch(_) => "true|false",
            Kind::Text(_) => "TEXT",
            Kind::Command(_) => "WORD",
            Kind::Path(_) | Kind::Source(_) => "FILE",
            Kind::Zone(_) => "ZONE",
        }
    }

    /// Sets the field to what was given, which is one value unless this is a list.
    ///
    /// # Errors
    /// If it is not such a value; the field is as it was then.
    pub fn set(&self, config: &mut Config, given: &[Given]) -> Result<(), Wrong> {
        if self.is_list() || given.len() == 1 {
            self.set_checked(config, given)
        } else {
            Err(format!("{} is expected", self.expected()).into())
        }
    }

    fn set_checked(&self, config: &mut Config, given: &[Given]) -> Result<(), Wrong> {
        match self {
            Kind::Count(range, field) => {
                let number = match given[0] {
                    Given::Text(UNLIMITED_WORD) if *range.end() == UNLIMITED => UNLIMITED,
                    Given::Text(text) => self.whole(text.parse().ok(), given[0])?,
                    Given::Integer(number) => self.whole(u64::try_from(number).ok(), given[0])?,
                    Given::Truth(_) | Given::Other(_) => self.whole(None, given[0])?,
                };
                within(number, range, |bound| bound.to_string())?;
                field(config).set(number);
            }
            Kind::Size(range, field) => {
                let bytes = match given[0] {
                    Given::Text(UNLIMITED_WORD) if *range.end() == UNLIMITED => UNLIMITED,
                    Given::Text(text) => size::parse(text)?,
                    Given::Integer(number) => self.whole(u64::try_from(number).ok(), given[0])?,
                    Given::Truth(_) | Given::Other(_) => self.whole(None, given[0])?,
                };
                within(bytes, range, |bound| size::show(*bound))?;
                field(config).set(bytes);
            }
            Kind::Duration(range, field) => {
                let time = match given[0] {
                    Given::Text(text) => duration::parse(text)?,
                    Given::Integer(number) => {
                        return Err(format!("a time needs a unit, such as \"{number}s\"").into());
                    }
                    Given::Truth(_) | Given::Other(_) => return Err(self.unexpected(given[0])),
                };
                within(time, range, |bound| duration::show(*bound))?;
                *field(config) = time;
            }
            Kind::Word(field) => {
                let text = self.text(given[0])?;
                let words = field(config).words();
                if !words.contains(&text) {
                    return Err(Wrong {
                        index: 0,
                        problem: format!("must be one of {}", words.join(", ")),
                        meant: nearest(text, words.iter().copied()).map(str::to_owned),
                    });
                }
                field(config).set(text);
            }
            Kind::Upstream(field) => {
                let authority = self.text(given[0])?.parse::<Authority>();
                *field(config) = Some(authority.map_err(|error| error.to_string())?);
            }
            Kind::Address(field) => {
                let address = self.text(given[0])?;
                admin::check_address(address).map_err(str::to_owned)?;
                *field(config) = Some(address.to_owned());
            }
            Kind::Names(field) => {
                let names: Vec<HostName> = self.each(given)?;
                *field(config) = names.into_iter().map(|name| name.0).collect();
            }
            Kind::Listen(field) => {
                let mut addresses = Vec::new();
                for (index, given) in given.iter().enumerate() {
                    let at = |wrong| Wrong { index, ..wrong };
                    let address = self.text(*given).map_err(at)?;
                    listen_address::check(address, &addresses)
                        .map_err(|problem| at(problem.to_owned().into()))?;
                    addresses.push(address.to_owned());
                }
                if addresses.is_empty() {
                    return Err("at least one address is needed".to_owned().into());
                }
                *field(config) = addresses;
            }
            Kind::Networks(field) => *field(config) = self.each(given)?,
            Kind::Destinations(field) => *field(config) = self.each(given)?,
            Kind::Ports(field) => {
                *field(config) = Some(match given {
                    [Given::Text(ANY_WORD)] => ConnectPorts::any(),
                    _ => ConnectPorts::only(self.each::<PortRange>(given)?),
                });
            }
            Kind::Threshold(field) => {
                *field(config) = match self.text(given[0])? {
                    NEVER_WORD => None,
                    text => Some(self.threshold(text)?),
                };
            }
            Kind::Switch(field) => {
                *field(config) = match given[0] {
                    Given::Truth(truth) => truth,
                    Given::Text("true") => true,
                    Given::Text("false") => false,
                    _ => return Err(self.unexpected(given[0])),
                };
            }
            Kind::Text(field) => {
                let text = self.text(given[0])?;
                if text.is_empty() || !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                    return Err("visible ASCII is expected".to_owned().into());
                }
                *field(config) = Some(text.to_owned());
            }
            Kind::Command(field) => {
                let words = given.iter().map(|given| self.text(*given).map(str::to_owned));
                let words = words.collect::<Result<Vec<_>, _>>()?;
                if words.first().is_some_and(String::is_empty) {
                    return Err("the name of a program is expected".to_owned().into());
                }
                *field(config) = words;
            }
            Kind::Path(field) | Kind::Source(field) => {
                let path = self.text(given[0])?;
                if path.is_empty() {
                    return Err("the name of a file is expected".to_owned().into());
                }
                *field(config) = Some(path.into());
            }
            Kind::Zone(field) => *field(config) = TimeZone::named(self.text(given[0])?)?,
        }
        Ok(())
    }

    /// What the field holds, as it would stand in a file; `None` where nothing is set.
    pub fn show(&self, config: &Config) -> Option<String> {
        // The accessors are for reading and writing both.
        let mut config = config.clone();
        match self {
            Kind::Count(_, field) => field(&mut config).get().map(|number| match number {
                UNLIMITED => quoted(UNLIMITED_WORD),
                number => number.to_string(),
            }),
            Kind::Size(_, field) => field(&mut config).get().map(|bytes| match bytes {
                UNLIMITED => quoted(UNLIMITED_WORD),
                bytes if bytes < 1024 => bytes.to_string(),
                bytes => quoted(&size::show(bytes)),
            }),
            Kind::Duration(_, field) => Some(quoted(&duration::show(*field(&mut config)))),
            Kind::Word(field) => Some(quoted(field(&mut config).get())),
            Kind::Upstream(field) => {
                field(&mut config).as_ref().map(|authority| quoted(&format!("http://{authority}")))
            }
            // It is empty where sockets were passed: that cannot be said in a file.
            Kind::Listen(field) => {
                Some(field(&mut config)).filter(|listen| !listen.is_empty()).map(|it| listed(it))
            }
            Kind::Address(field) => field(&mut config).as_deref().map(quoted),
            Kind::Names(field) => Some(listed(field(&mut config))),
            Kind::Networks(field) => Some(listed(field(&mut config))),
            Kind::Destinations(field) => Some(listed(field(&mut config))),
            Kind::Ports(field) => field(&mut config).as_ref().map(|ports| match ports.ranges() {
                Some(ranges) => listed(ranges),
                None => listed(&[ANY_WORD]),
            }),
            Kind::Threshold(field) => Some(match field(&mut config) {
                Some(threshold) => {
                    quoted(&format!("{}/{}", threshold.times(), duration::show(threshold.within())))
                }
                None => quoted(NEVER_WORD),
            }),
            Kind::Switch(field) => Some(field(&mut config).to_string()),
            Kind::Text(field) => field(&mut config).as_deref().map(quoted),
            Kind::Command(field) => {
                Some(field(&mut config)).filter(|words| !words.is_empty()).map(|it| listed(it))
            }
            Kind::Path(field) | Kind::Source(field) => {
                field(&mut config).as_ref().map(|path| quoted(&path.to_string_lossy()))
            }
            Kind::Zone(field) => Some(quoted(field(&mut config).name())),
        }
    }

    /// The values it can have, if that is to be told.
    pub fn range(&self) -> Option<String> {
        let range = |least: String, most: String| Some(format!("{least} to {most}"));
        match self {
            Kind::Count(bounds, _) if *bounds.end() == UNLIMITED => {
                Some(format!("{} or more, or `{UNLIMITED_WORD}`", bounds.start()))
            }
            Kind::Size(bounds, _) if *bounds.end() == UNLIMITED => {
                Some(format!("{} or more, or `{UNLIMITED_WORD}`", size::show(*bounds.start())))
            }
            Kind::Count(bounds, _) => range(bounds.start().to_string(), bounds.end().to_string()),
            Kind::Size(bounds, _) => range(size::show(*bounds.start()), size::show(*bounds.end())),
            Kind::Duration(bounds, _) => {
                range(duration::show(*bounds.start()), duration::show(*bounds.end()))
            }
            Kind::Word(field) => Some(field(&mut Config::default()).words().join(", ")),
            Kind::Destinations(_) => {
                let words: Vec<_> = AddressClass::ALL.iter().map(|class| class.word()).collect();
                Some(format!("networks, and the words {}", words.join(", ")))
            }
            Kind::Ports(_) => Some(format!("1 to 65535, ranges, or `{ANY_WORD}`")),
            Kind::Threshold(_) => Some(format!("such as `20/1m`, or `{NEVER_WORD}`")),
            Kind::Upstream(_)
            | Kind::Address(_)
            | Kind::Names(_)
            | Kind::Listen(_)
            | Kind::Networks(_)
            | Kind::Switch(_)
            | Kind::Text(_)
            | Kind::Command(_)
            | Kind::Path(_)
            | Kind::Source(_)
            | Kind::Zone(_) => None,
        }
    }

    /// Looks for what was named in a configuration file where that says: in its folder.
    pub fn look_in(&self, folder: &Path, config: &mut Config) {
        if let Kind::Source(field) = self
            && let Some(path) = field(config)
        {
            *path = folder.join(&*path);
        }
    }

    fn expected(&self) -> &'static str {
        match self {
            Kind::Count(..) => "a whole number",
            Kind::Size(..) => "a size such as 4096 or \"32 KiB\"",
            Kind::Duration(..) => "a time such as \"30s\", \"250ms\" or \"1h\"",
            Kind::Word(_) => "a word in quotes",
            Kind::Upstream(_) => "text such as \"http://127.0.0.1:3000\"",
            Kind::Address(_) => "text such as \"127.0.0.1:9901\" or \"unix:/run/proxy.sock\"",
            Kind::Names(_) => "text such as \"proxy.example.com\"",
            Kind::Listen(_) => "text such as \"127.0.0.1:8888\"",
            Kind::Networks(_) => "text such as \"10.0.0.0/8\"",
            Kind::Destinations(_) => "text such as \"10.0.0.0/8\" or \"private\"",
            Kind::Ports(_) => "a port, a range such as \"8000-8999\", or \"any\"",
            Kind::Threshold(_) => "how often within which time, such as \"20/1m\"",
            Kind::Switch(_) => "true or false",
            Kind::Text(_) => "text in quotes",
            Kind::Command(_) => "text such as \"/usr/lib/squid/basic_ncsa_auth\"",
            Kind::Path(_) | Kind::Source(_) => "text such as \"access.log\"",
            Kind::Zone(_) => "text such as \"Europe/Berlin\"",
        }
    }

    fn unexpected(&self, given: Given) -> Wrong {
        let found = match given {
            Given::Text(_) => return format!("{} is expected", self.expected()).into(),
            Given::Integer(number) if number < 0 => "a negative number",
            Given::Integer(number) if number > i128::from(u64::MAX) => "a number as large as this",
            Given::Integer(_) => "a number",
            Given::Truth(_) => "a truth value",
            Given::Other(what) => what,
        };
        format!("{} is expected, not {found}", self.expected()).into()
    }

    fn whole(&self, number: Option<u64>, given: Given) -> Result<u64, Wrong> {
        number.ok_or_else(|| self.unexpected(given))
    }

    /// All values, as what they stand for.
    fn each<T: FromStr<Err: Display>>(&self, given: &[Given]) -> Result<Vec<T>, Wrong> {
        let parse = |(index, given): (usize, &Given)| {
            let parsed = match (self, given) {
                // A port needs no quotes.
                (Kind::Ports(_), Given::Integer(number)) => number.to_string().parse(),
                _ => self.text(*given).map_err(|wrong| Wrong { index, ..wrong })?.parse(),
            };
            parsed.map_err(|error: T::Err| Wrong { index, ..error.to_string().into() })
        };
        given.iter().enumerate().map(parse).collect()
    }

    fn threshold(&self, text: &str) -> Result<Threshold, Wrong> {
        let (times, within) =
            text.split_once('/').ok_or_else(|| format!("{} is expected", self.expected()))?;
        let times: u32 = times.trim().parse().map_err(|_| format!("{times:?} is not a number"))?;
        let within = duration::parse(within.trim())?;
        if times == 0 || within.is_zero() {
            return Err(format!("0 times, or no time: `{NEVER_WORD}` says that nobody is").into());
        }
        Ok(Threshold::new(times, within))
    }

    fn text<'g>(&self, given: Given<'g>) -> Result<&'g str, Wrong> {
        match given {
            Given::Text(text) => Ok(text),
            _ => Err(self.unexpected(given)),
        }
    }
}

/// The name of a host, without a port.
struct HostName(String);

impl FromStr for HostName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<HostName, Self::Err> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        match !text.is_empty() && text.chars().all(is_name) {
            true => Ok(HostName(text.to_ascii_lowercase())),
            false => Err("the name of a host is expected, without a port"),
        }
    }
}

fn within<T: PartialOrd>(
    value: T,
    range: &RangeInclusive<T>,
    show: impl Fn(&T) -> String,
) -> Result<(), String> {
    if value < *range.start() {
        Err(format!("must be at least {}", show(range.start())))
    } else if value > *range.end() {
        Err(format!("must be at most {}", show(range.end())))
    } else {
        Ok(())
    }
}

/// A TOML array of strings.
fn listed<T: Display>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(|item| quoted(&item.to_string())).collect();
    format!("[{}]", items.join(", "))
}

/// A TOML basic string.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => {
                quoted.push_str(&format!("\\u{:04X}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
