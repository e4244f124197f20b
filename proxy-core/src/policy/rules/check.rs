//! [`Check`]: a condition, made ready to be looked at.

use std::sync::Arc;

use super::super::PortRange;
use super::super::host_name::HostName;
use super::condition::Condition;
use super::pattern::{FieldPattern, HostPattern, HostPatternKind};
use super::rule::{Conditions, RequestKind, StatusRange};
use super::schedule::Schedule;
use super::subject::Facts;
use super::url_pattern::UrlPattern;
use super::{DomainList, Glob, NetworkList};
use crate::http1::BodyLength;

/// A condition, made ready to be looked at.
pub(super) enum Check {
    Kind(u8),
    Listener(Box<[usize]>),
    Port(Box<[PortRange]>),
    Scheme(Box<[String]>),
    Method(Box<[String]>),
    /// Names, sorted.
    User(Box<[String]>),
    Group(Box<[String]>),
    Client(Box<NetworkList>),
    /// The first number tells at a glance of most hosts that they are not meant: see
    /// [`HostName::marks`].
    Host(u64, Box<Hosts>),
    Time(Box<Schedule>),
    ClientList(Lists<NetworkList>),
    DomainList(Lists<DomainList>),
    Fields(Box<[FieldPattern]>),
    Url(Box<[UrlPattern]>),
    Status(Box<[StatusRange]>),
    LongerThan(u64),
    ContentType(Box<[Glob]>),
}

/// Lists, of which one is enough.
pub(super) struct Lists<L> {
    /// A bit for each of them, by its number among all lists of the rules: see [`Facts::known`]. None
    /// if one of them has a number that is not remembered.
    bits: u64,
    lists: Box<[(u8, Arc<L>)]>,
}

/// Patterns for hosts.
#[derive(Default)]
pub(super) struct Hosts {
    exact: DomainList,
    with_subdomains: DomainList,
    /// Those that are to be tried one by one.
    others: Vec<HostPattern>,
}

/// Gives numbers to lists: the same to the same one.
#[derive(Default)]
pub(super) struct Numbers(Vec<*const ()>);

impl Numbers {
    fn number<L>(&mut self, list: &Arc<L>) -> u8 {
        let at = Arc::as_ptr(list).cast();
        let known = self.0.iter().position(|&known| known == at);
        let number = known.unwrap_or_else(|| {
            self.0.push(at);
            self.0.len() - 1
        });
        number.try_into().unwrap_or(u8::MAX)
    }
}

impl<L> Lists<L> {
    fn new(lists: &[Arc<L>], numbers: &mut Numbers) -> Lists<L> {
        let lists: Box<[_]> = lists.iter().map(|it| (numbers.number(it), Arc::clone(it))).collect();
        let bits = lists.iter().try_fold(0, |bits, (number, _)| {
            1_u64.checked_shl(u32::from(*number)).map(|bit| bits | bit)
        });
        Lists { bits: bits.unwrap_or(0), lists }
    }

    fn have(&self, facts: &Facts<'_>, look_up: impl Fn(&L) -> bool) -> bool {
        facts.known(self.bits).unwrap_or_else(|| {
            self.lists.iter().any(|(number, list)| facts.listed(*number, || look_up(list)))
        })
    }
}

impl Check {
    /// All that is given of these conditions: first what is quick to tell, and about the response
    /// last.
    pub(super) fn all(conditions: &Conditions, numbers: &mut Numbers) -> Vec<Check> {
        let Conditions {
            clients,
            client_lists,
            users,
            groups,
            listeners,
            methods,
            schemes,
            ports,
            hosts,
            domain_lists,
            urls,
            fields,
            kinds,
            schedule,
            statuses,
            content_types,
            longer_than,
        } = conditions;
        let mut checks = Vec::new();
        if !kinds.is_empty() {
            checks.push(Check::Kind(kinds.iter().fold(0, |mask, &kind| mask | bit(kind))));
        }
        if !listeners.is_empty() {
            checks.push(Check::Listener(listeners.as_slice().into()));
        }
        if !ports.is_empty() {
            checks.push(Check::Port(ports.as_slice().into()));
        }
        if !schemes.is_empty() {
            checks.push(Check::Scheme(schemes.as_slice().into()));
        }
        if !methods.is_empty() {
            checks.push(Check::Method(methods.as_slice().into()));
        }
        if !users.is_empty() {
            checks.push(Check::User(sorted(users)));
        }
        if !groups.is_empty() {
            checks.push(Check::Group(sorted(groups)));
        }
        if !hosts.is_empty() {
            let hosts = Hosts::new(hosts);
            checks.push(Check::Host(hosts.marks(), Box::new(hosts)));
        }
        if !clients.is_empty() {
            checks.push(Check::Client(Box::new(clients.iter().copied().collect())));
        }
        if let Some(schedule) = schedule {
            checks.push(Check::Time(Box::new(schedule.clone())));
        }
        if !client_lists.is_empty() {
            checks.push(Check::ClientList(Lists::new(client_lists, numbers)));
        }
        if !domain_lists.is_empty() {
            checks.push(Check::DomainList(Lists::new(domain_lists, numbers)));
        }
        if !fields.is_empty() {
            checks.push(Check::Fields(fields.as_slice().into()));
        }
        if !urls.is_empty() {
            checks.push(Check::Url(urls.as_slice().into()));
        }
        if !statuses.is_empty() {
            checks.push(Check::Status(statuses.as_slice().into()));
        }
        if let Some(bytes) = longer_than {
            checks.push(Check::LongerThan(*bytes));
        }
        if !content_types.is_empty() {
            let lower = content_types.iter().map(|glob| {
                glob.as_str().to_ascii_lowercase().parse().expect("it was a pattern before")
            });
            checks.push(Check::ContentType(lower.collect()));
        }
        checks
    }

    /// Whether it holds. One about a response does not hold as long as there is none.
    pub(super) fn holds(&self, facts: &Facts<'_>) -> bool {
        let (client, request) = (facts.subject.client, facts.subject.request);
        match self {
            Check::Kind(mask) => mask & bit(facts.kind) != 0,
            Check::Listener(own) => own.contains(&client.listener),
            Check::Port(ranges) => ranges.iter().any(|range| range.contains(facts.port)),
            Check::Scheme(own) => facts
                .scheme()
                .is_some_and(|scheme| own.iter().any(|own| own.eq_ignore_ascii_case(scheme))),
            Check::Method(own) => own.iter().any(|own| own == request.method()),
            Check::User(names) => facts.subject.user.is_some_and(|user| has(names, &user.name)),
            Check::Group(names) => facts
                .subject
                .user
                .is_some_and(|user| user.groups.iter().any(|group| has(names, group))),
            Check::Client(networks) => networks.contains(client.address.ip()),
            Check::Host(marks, hosts) => marks & facts.host.marks() != 0 && hosts.has(&facts.host),
            Check::Time(schedule) => schedule.includes(facts.local()),
            Check::ClientList(lists) => {
                lists.have(facts, |list| list.contains(client.address.ip()))
            }
            Check::DomainList(lists) => lists.have(facts, |list| list.contains_name(&facts.host)),
            Check::Fields(patterns) => patterns.iter().all(|pattern| {
                let mut fields = request.fields();
                fields.any(|field| {
                    field.name.eq_ignore_ascii_case(&pattern.name)
                        && pattern.value.as_ref().is_none_or(|value| value.matches(field.value))
                })
            }),
            Check::Url(patterns) => facts
                .with_url(|url| patterns.iter().any(|pattern| pattern.matches(url)))
                .unwrap_or(false),
            Check::Status(ranges) => facts.subject.response.is_some_and(|response| {
                let status = response.status();
                ranges.iter().any(|range| (range.first..=range.last).contains(&status))
            }),
            Check::LongerThan(bytes) => {
                facts.subject.response.is_some_and(|response| match response.body_length() {
                    BodyLength::Exact(length) => length > *bytes,
                    _ => false,
                })
            }
            Check::ContentType(globs) => facts.subject.response.is_some_and(|response| {
                let types =
                    response.fields().filter(|it| it.name.eq_ignore_ascii_case("content-type"));
                types
                    .map(|it| media_type(it.value))
                    .any(|it| globs.iter().any(|glob| glob.matches(&it)))
            }),
        }
    }

    /// Which condition it is.
    pub(super) fn condition(&self) -> Condition {
        match self {
            Check::Kind(_) => Condition::Kind,
            Check::Listener(_) => Condition::Listener,
            Check::Port(_) => Condition::Port,
            Check::Scheme(_) => Condition::Scheme,
            Check::Method(_) => Condition::Method,
            Check::User(_) => Condition::User,
            Check::Group(_) => Condition::Group,
            Check::Client(_) => Condition::Client,
            Check::Host(..) => Condition::Host,
            Check::Time(_) => Condition::Time,
            Check::ClientList(_) => Condition::ClientList,
            Check::DomainList(_) => Condition::DomainList,
            Check::Fields(_) => Condition::Field,
            Check::Url(_) => Condition::Url,
            Check::Status(_) => Condition::Status,
            Check::LongerThan(_) => Condition::Length,
            Check::ContentType(_) => Condition::ContentType,
        }
    }
}

impl Hosts {
    fn new(patterns: &[HostPattern]) -> Hosts {
        let mut hosts = Hosts::default();
        for pattern in patterns {
            let (list, name) = match &pattern.kind {
                HostPatternKind::Exact(name) if !name.starts_with('[') => (&mut hosts.exact, name),
                HostPatternKind::Suffix(name) => (&mut hosts.with_subdomains, name),
                _ => {
                    hosts.others.push(pattern.clone());
                    continue;
                }
            };
            list.insert(name).expect("it was found to be a domain when it was read");
        }
        hosts
    }

    /// All marks that a host has at least one of, if it is one of these.
    fn marks(&self) -> u64 {
        match self.others.is_empty() {
            true => self.exact.marks() | self.with_subdomains.marks(),
            false => u64::MAX,
        }
    }

    fn has(&self, host: &HostName) -> bool {
        self.exact.has_whole(host)
            || self.with_subdomains.contains_name(host)
            || self.others.iter().any(|pattern| pattern.matches_name(host))
    }
}

fn sorted(names: &[String]) -> Box<[String]> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names.into()
}

/// Whether a name is one of these, which are sorted.
fn has(names: &[String], name: &str) -> bool {
    /// Of so few, most are told apart by their lengths alone, which is quicker than an order is.
    const FEW: usize = 16;
    match names.len() {
        0..=FEW => names.iter().any(|own| own == name),
        _ => names.binary_search_by(|own| own.as_str().cmp(name)).is_ok(),
    }
}

fn bit(kind: RequestKind) -> u8 {
    1 << kind as u8
}

/// A media type in lower case and without its parameters (RFC 9110 §8.3.1). What is longer than
/// any is cut.
fn media_type(value: &[u8]) -> MediaType {
    let end = value.iter().position(|&b| b == b';').unwrap_or(value.len());
    let value = value[..end].trim_ascii_end();
    let mut name = MediaType { bytes: [0; 127], len: value.len().min(127) };
    name.bytes[..name.len].copy_from_slice(&value[..name.len]);
    name.bytes.make_ascii_lowercase();
    name
}

/// RFC 6838 §4.2: each half has 127 characters at most, and 64 is what is asked for.
struct MediaType {
    bytes: [u8; 127],
    len: usize,
}

impl std::ops::Deref for MediaType {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
