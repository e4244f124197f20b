//! [`Rule`] and [`RuleSet`]: rules as plain data.

use std::sync::Arc;

use super::super::{Network, PortRange};
use super::pattern::{FieldPattern, HostPattern};
use super::schedule::Schedule;
use super::url_pattern::UrlPattern;
use super::verdict::Verdict;
use super::zone::Zone;
use super::{DomainList, Glob, NetworkList};

/// A rule: if all its conditions hold, its verdict is what becomes of the request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rule {
    /// What logs and explanations call it: 1 to 64 letters, digits, `-`, `_` and `.`. `default` is
    /// the name of what is decided where no rule matches.
    pub name: String,
    /// Whether it decides, or only tells what it would have decided.
    pub mode: Mode,
    /// When it matches. Without conditions, always.
    pub when: Conditions,
    /// What it decides.
    pub verdict: Verdict,
}

/// Whether a rule decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// It does.
    #[default]
    Enforce,
    /// It decides nothing. The log tells of the request that it would have decided about it.
    Report,
}

/// What kind of request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestKind {
    /// One with an answer.
    Plain,
    /// One for a tunnel: HTTPS, most often.
    Connect,
    /// One that asks to switch to WebSocket.
    WebSocket,
}

/// The conditions of a rule. All that are given must hold; one that is empty is not given. Of
/// several values of one condition, one is enough.
///
/// The last three are about the response: a rule that has one of them waits for it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Conditions {
    /// The client's address is in one of these networks.
    pub clients: Vec<Network>,
    /// The client's address is in one of these lists.
    pub client_lists: Vec<Arc<NetworkList>>,
    /// It is one of these [users](crate::User), by name. Case counts. Who is not known is none.
    pub users: Vec<String>,
    /// It is a user who belongs to one of these groups. Case counts.
    pub groups: Vec<String>,
    /// It came in by one of these listeners: see [`Client::listener`](crate::Client::listener).
    pub listeners: Vec<usize>,
    /// The method is one of these. Methods have case (RFC 9110 §9.1).
    pub methods: Vec<String>,
    /// The scheme of its target is one of these: `http`, most often. A request for a tunnel has
    /// none.
    pub schemes: Vec<String>,
    /// The port is one of these; 80, or 443 for `https`, where none is named.
    pub ports: Vec<PortRange>,
    /// The host is like one of these.
    pub hosts: Vec<HostPattern>,
    /// The host is in one of these lists.
    pub domain_lists: Vec<Arc<DomainList>>,
    /// The URL is like one of these. A request for a tunnel has none.
    pub urls: Vec<UrlPattern>,
    /// It has all these fields: the one condition of which one value is not enough.
    pub fields: Vec<FieldPattern>,
    /// It is of one of these kinds.
    pub kinds: Vec<RequestKind>,
    /// It is one of these hours.
    pub schedule: Option<Schedule>,
    /// The response has one of these statuses.
    pub statuses: Vec<StatusRange>,
    /// The type of the response is like one of these: `video/*`. Case and parameters do not count.
    pub content_types: Vec<Glob>,
    /// The response says that it is longer than so many bytes.
    pub longer_than: Option<u64>,
}

/// Status codes: one, or several in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// Rules in their order, and what else there is to say of them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuleSet {
    /// The first one that matches decides.
    pub rules: Vec<Rule>,
    /// What is decided where none does: [`Allow`](Verdict::Allow) unless said otherwise.
    pub otherwise: Verdict,
    /// Whose hours the schedules tell. UTC unless said otherwise.
    pub zone: Zone,
    /// How many requests wait at once before they are refused. 128 unless said otherwise: each of
    /// them holds a connection.
    pub tarpits: usize,
}

impl Rule {
    /// A rule that always matches, until it has conditions.
    pub fn new(name: impl Into<String>, verdict: Verdict) -> Rule {
        Rule { name: name.into(), mode: Mode::Enforce, when: Conditions::default(), verdict }
    }

    /// The rule with these conditions.
    ///
    /// ```
    /// use proxy_core::rules::{Denial, Rule, Verdict};
    ///
    /// let hosts = vec![".ads.example".parse()?];
    /// let rule = Rule::new("no-ads", Verdict::deny(Denial::new())).when(|it| it.hosts = hosts);
    /// assert_eq!(rule.when.hosts.len(), 1);
    /// # Ok::<(), proxy_core::rules::PatternError>(())
    /// ```
    pub fn when(mut self, set: impl FnOnce(&mut Conditions)) -> Rule {
        set(&mut self.when);
        self
    }

    /// The rule in this mode.
    pub fn in_mode(self, mode: Mode) -> Rule {
        Rule { mode, ..self }
    }
}

impl RuleSet {
    /// These rules; what none of them decides is allowed.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> RuleSet {
        RuleSet {
            rules: rules.into_iter().collect(),
            otherwise: Verdict::Allow,
            zone: Zone::utc(),
            tarpits: 128,
        }
    }

    /// Says what is decided where no rule matches.
    pub fn otherwise(self, otherwise: Verdict) -> RuleSet {
        RuleSet { otherwise, ..self }
    }

    /// Says whose hours the schedules tell.
    pub fn in_zone(self, zone: Zone) -> RuleSet {
        RuleSet { zone, ..self }
    }
}

impl Conditions {
    pub(super) fn are_about_responses(&self) -> bool {
        !self.statuses.is_empty() || !self.content_types.is_empty() || self.longer_than.is_some()
    }
}

impl RequestKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            RequestKind::Plain => "plain",
            RequestKind::Connect => "connect",
            RequestKind::WebSocket => "websocket",
        }
    }
}

impl std::fmt::Display for StatusRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.first == self.last {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}
