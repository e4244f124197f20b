//! The keys of a rule that are conditions, and the [`Conditions`] that they make.

use std::fmt::Display;
use std::str::FromStr;

use proxy_core::Network;
use proxy_core::rules::{
    Condition, Conditions, Days, FieldPattern, Glob, HostPattern, PatternError, RequestKind,
    Schedule, Span, StatusRange, UrlPattern,
};

use crate::complaint::did_you_mean;
use crate::section::{Placed, Problem, Section, name, text};
use crate::settings::Given;
use crate::size;

/// The keys that can hold a condition; the first is the one that is shown.
pub const fn keys(condition: Condition) -> &'static [&'static str] {
    match condition {
        Condition::Client => &["client"],
        Condition::ClientList => &["client-list"],
        Condition::User => &["user"],
        Condition::Group => &["group"],
        Condition::Listener => &["listener"],
        Condition::Kind => &["kind"],
        Condition::Method => &["method"],
        Condition::Scheme => &["scheme"],
        Condition::Port => &["port"],
        Condition::Host => &["host"],
        Condition::DomainList => &["domain-list"],
        Condition::Url => &["url", "url-regex"],
        Condition::Field => &["header"],
        Condition::Time => &["time", "weekday"],
        Condition::Status => &["response-status"],
        Condition::ContentType => &["response-type"],
        Condition::Length => &["response-longer-than"],
        _ => &[],
    }
}

/// The conditions of a rule. What they name is looked up later.
pub struct Read {
    pub conditions: Conditions,
    pub client_lists: Vec<Placed<String>>,
    pub domain_lists: Vec<Placed<String>>,
    pub users: Vec<Placed<String>>,
    pub groups: Vec<Placed<String>>,
    pub listeners: Vec<Placed<ListenerName>>,
}

/// A listener, as a rule names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenerName {
    /// As it stands in `listen`.
    Address(String),
    /// The first, the second: counted from 1.
    Number(usize),
}

/// Reads all conditions of a rule.
pub fn read(rule: &Section) -> Read {
    let mut it = Conditions::default();
    it.clients = each(rule, "client", "text such as \"10.0.0.0/8\"", parsed::<Network>);
    let client_lists = rule.each("client-list", name);
    let users = rule.each("user", |given| person(text(given, "a user's name in quotes")?));
    let groups = rule.each("group", |given| person(text(given, "a group's name in quotes")?));
    it.users = Placed::values(users.clone());
    it.groups = Placed::values(groups.clone());
    let listeners = rule.each("listener", listener);
    it.kinds = Placed::values(rule.each("kind", kind));
    it.methods = each(rule, "method", "text such as \"GET\"", method);
    it.schemes = each(rule, "scheme", "text such as \"http\"", scheme);
    it.ports = Placed::values(rule.each("port", |given| match given {
        Given::Integer(number) => parsed(&number.to_string()),
        other => parsed(text(other, "a port, or a range such as \"8000-8999\",")?),
    }));
    it.hosts = each(rule, "host", "text such as \".example.com\"", host);
    let domain_lists = rule.each("domain-list", name);
    it.urls = each(rule, "url", "text such as \"http://*/private/*\"", url);
    it.urls.extend(each(rule, "url-regex", "a regular expression in quotes", |expression| {
        UrlPattern::regex(expression).map_err(|error| regex_problem(&error.to_string()))
    }));
    it.fields = each(rule, "header", "text such as \"User-Agent: *bot*\"", field);
    let days = each(rule, "weekday", "text such as \"mon-fri\"", parsed::<Days>);
    let hours = each(rule, "time", "text such as \"08:00-16:30\"", parsed::<Span>);
    if rule.has("time") || rule.has("weekday") {
        it.schedule = Some(Schedule::new(days, hours));
    }
    it.statuses = Placed::values(rule.each("response-status", status));
    it.content_types = each(rule, "response-type", "text such as \"video/*\"", parsed::<Glob>);
    it.longer_than = rule.one("response-longer-than", bytes).map(|it| it.value);
    Read { conditions: it, client_lists, domain_lists, users, groups, listeners }
}

/// The values of a key, all of which are text.
fn each<T>(
    rule: &Section,
    key: &'static str,
    expected: &str,
    read: impl Fn(&str) -> Result<T, Problem>,
) -> Vec<T> {
    Placed::values(rule.each(key, |given| read(text(given, expected)?)))
}

fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: T::Err| error.to_string().into())
}

/// A name as it can stand in a file of users or groups.
fn person(name: &str) -> Result<String, Problem> {
    match !name.is_empty() && !name.contains(|c: char| c == ':' || c.is_control()) {
        true => Ok(name.to_owned()),
        false => Err("a name is not empty, and has no colon and no control character".into()),
    }
}

fn listener(given: Given) -> Result<ListenerName, Problem> {
    let expected = "an address as in `listen`, or 1 for the first of them,";
    match given {
        Given::Integer(number) => match usize::try_from(number) {
            Ok(number) if number > 0 => Ok(ListenerName::Number(number)),
            _ => Err("listeners are counted from 1".into()),
        },
        other => Ok(ListenerName::Address(text(other, expected)?.to_owned())),
    }
}

fn kind(given: Given) -> Result<RequestKind, Problem> {
    const KINDS: [RequestKind; 3] =
        [RequestKind::Plain, RequestKind::Connect, RequestKind::WebSocket];
    let words = KINDS.map(RequestKind::word);
    let word = text(given, "a word in quotes")?;
    KINDS.into_iter().find(|kind| kind.word() == word).ok_or_else(|| Problem::no_word(word, &words))
}

/// A method has case (RFC 9110 §9.1): `get` is none that anybody sends.
fn method(text: &str) -> Result<String, Problem> {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if text.is_empty() || !text.bytes().all(is_token) {
        return Err("a method is a word such as GET".into());
    }
    if text.bytes().any(|b| b.is_ascii_lowercase()) {
        let problem = Problem::from("methods have case, and are written in capitals");
        return Err(problem.note(Some(did_you_mean(&text.to_ascii_uppercase()))));
    }
    Ok(text.to_owned())
}

fn scheme(text: &str) -> Result<String, Problem> {
    let mut bytes = text.bytes();
    let is_scheme = bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    match is_scheme {
        true => Ok(text.to_owned()),
        false => Err("a scheme is a word such as http".into()),
    }
}

fn host(text: &str) -> Result<HostPattern, Problem> {
    text.parse().map_err(|error: PatternError| {
        let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
        let bare = bare.split(['/', '?']).next().unwrap_or(bare);
        let note = match bare.rsplit_once(':') {
            _ if !text.is_ascii() => {
                Some("names in other scripts are written as clients send them, xn--…".to_owned())
            }
            _ if text.parse::<std::net::Ipv6Addr>().is_ok() => {
                Some(did_you_mean(&format!("[{text}]")))
            }
            Some((host, port)) if bare == text && host.parse::<HostPattern>().is_ok() => {
                Some(format!("the port is a condition of its own: port = {port}"))
            }
            _ if bare != text && bare.parse::<HostPattern>().is_ok() => Some(did_you_mean(bare)),
            _ => None,
        };
        Problem::from(error).note(note)
    })
}

fn url(text: &str) -> Result<UrlPattern, Problem> {
    text.parse().map_err(|error: PatternError| {
        let meant = match &error {
            PatternError::UrlStart if text.starts_with('/') => Some(format!("*{text}")),
            PatternError::UrlStart => Some(format!("http://{text}")),
            PatternError::UrlPath => Some(format!("{text}/*")),
            _ => None,
        };
        let meant = meant.filter(|meant| meant.parse::<UrlPattern>().is_ok());
        Problem::from(error).note(meant.as_deref().map(did_you_mean))
    })
}

/// The words of the library for regular expressions are several lines, with a caret of their own;
/// the last says what is wrong.
fn regex_problem(told: &str) -> Problem {
    let last = told.lines().last().unwrap_or(told);
    format!("no regular expression: {}", last.trim_start_matches("error: ")).into()
}

/// `Name`, or `Name: value`.
fn field(text: &str) -> Result<FieldPattern, Problem> {
    Ok(match text.split_once(':') {
        None => FieldPattern::present(text.trim())?,
        Some((name, value)) => FieldPattern::with_value(name.trim(), value.trim())?,
    })
}

fn status(given: Given) -> Result<StatusRange, Problem> {
    let expected = "a status such as 404, or a range such as \"500-599\",";
    let range = match given {
        Given::Integer(number) => u16::try_from(number).ok().map(|status| (status, status)),
        other => {
            let text = text(other, expected)?;
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            first.parse().ok().zip(last.parse().ok())
        }
    };
    match range {
        Some((first, last)) if 100 <= first && first <= last && last <= 599 => {
            Ok(StatusRange { first, last })
        }
        _ => Err("a status is from 100 to 599, and a range goes from low to high".into()),
    }
}

fn bytes(given: Given) -> Result<u64, Problem> {
    match given {
        Given::Text(text) => Ok(size::parse(text)?),
        Given::Integer(number) => {
            u64::try_from(number).map_err(|_| "a size is not negative".into())
        }
        other => Err(Problem::unexpected("a size such as 4096 or \"32 KiB\"", other)),
    }
}
