//! [`Condition`]: what rules look at, by name; what they want of it, and what they find.

use std::fmt;

use super::rule::Conditions;
use super::subject::Facts;
use crate::http1::BodyLength;

/// Something that a rule can look at: a field of [`Conditions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Condition {
    /// The kind of the request.
    Kind,
    /// The listener.
    Listener,
    /// The port.
    Port,
    /// The scheme of the target.
    Scheme,
    /// The method.
    Method,
    /// The host.
    Host,
    /// The client's address.
    Client,
    /// The time.
    Time,
    /// The user's name.
    User,
    /// The user's groups.
    Group,
    /// The client's address, in lists.
    ClientList,
    /// The host, in lists.
    DomainList,
    /// The fields of the request.
    Field,
    /// The URL.
    Url,
    /// The status of the response.
    Status,
    /// The length of the response.
    Length,
    /// The type of the response.
    ContentType,
}

impl Condition {
    /// All of them.
    pub const ALL: [Condition; 17] = [
        Condition::Kind,
        Condition::Listener,
        Condition::Port,
        Condition::Scheme,
        Condition::Method,
        Condition::Host,
        Condition::Client,
        Condition::Time,
        Condition::User,
        Condition::Group,
        Condition::ClientList,
        Condition::DomainList,
        Condition::Field,
        Condition::Url,
        Condition::Status,
        Condition::Length,
        Condition::ContentType,
    ];

    /// The stable word for it, in `snake_case`.
    pub const fn word(self) -> &'static str {
        match self {
            Condition::Kind => "kind",
            Condition::Listener => "listener",
            Condition::Port => "port",
            Condition::Scheme => "scheme",
            Condition::Method => "method",
            Condition::Host => "host",
            Condition::Client => "client",
            Condition::Time => "time",
            Condition::User => "user",
            Condition::Group => "group",
            Condition::ClientList => "client_list",
            Condition::DomainList => "domain_list",
            Condition::Field => "header",
            Condition::Url => "url",
            Condition::Status => "status",
            Condition::Length => "length",
            Condition::ContentType => "content_type",
        }
    }

    /// Whether it can be told only when there is a response.
    pub const fn is_about_responses(self) -> bool {
        matches!(self, Condition::Status | Condition::Length | Condition::ContentType)
    }

    /// What a rule wants.
    pub(super) fn wanted(self, of: &Conditions) -> String {
        match self {
            Condition::Kind => listed(of.kinds.iter().map(|kind| kind.word())),
            Condition::Listener => listed(&of.listeners),
            Condition::Port => listed(&of.ports),
            Condition::Scheme => listed(&of.schemes),
            Condition::Method => listed(&of.methods),
            Condition::Host => listed(&of.hosts),
            Condition::Client => listed(&of.clients),
            Condition::Time => of.schedule.as_ref().map(ToString::to_string).unwrap_or_default(),
            Condition::User => listed(&of.users),
            Condition::Group => listed(&of.groups),
            Condition::ClientList => {
                format!("a list of {}", listed(of.client_lists.iter().map(|list| list.len())))
            }
            Condition::DomainList => {
                format!("a list of {}", listed(of.domain_lists.iter().map(|list| list.len())))
            }
            Condition::Field => listed(&of.fields),
            Condition::Url => listed(&of.urls),
            Condition::Status => listed(&of.statuses),
            Condition::Length => {
                format!("more than {} bytes", of.longer_than.unwrap_or_default())
            }
            Condition::ContentType => listed(&of.content_types),
        }
    }

    /// What there is.
    pub(super) fn found(self, facts: &Facts<'_>, of: &Conditions) -> String {
        let (client, request) = (facts.subject.client, facts.subject.request);
        let (user, response) = (facts.subject.user, facts.subject.response);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let nothing = || "none".to_owned();
        match self {
            Condition::Kind => facts.kind.word().to_owned(),
            Condition::Listener => client.listener.to_string(),
            Condition::Port => facts.port.to_string(),
            Condition::Scheme => facts.scheme().map_or_else(nothing, str::to_owned),
            Condition::Method => request.method().to_owned(),
            Condition::Host | Condition::DomainList => text(facts.host.bytes()),
            Condition::Client | Condition::ClientList => {
                client.address.ip().to_canonical().to_string()
            }
            Condition::Time => facts.local().to_string(),
            Condition::User => user.map_or_else(nothing, |user| user.name.clone()),
            Condition::Group => match user {
                Some(user) if !user.groups.is_empty() => listed(&user.groups),
                _ => nothing(),
            },
            Condition::Field => {
                let is_wanted = |name: &str| {
                    of.fields.iter().any(|pattern| pattern.name.eq_ignore_ascii_case(name))
                };
                let fields = request.fields().filter(|field| is_wanted(field.name));
                let shown = listed(fields.map(|it| format!("{}: {}", it.name, text(it.value))));
                if shown.is_empty() { nothing() } else { shown }
            }
            Condition::Url => facts.with_url(|url| text(url.whole())).unwrap_or_else(nothing),
            Condition::Status => response.map_or_else(nothing, |it| it.status().to_string()),
            Condition::Length => response.map_or_else(nothing, |it| match it.body_length() {
                BodyLength::Exact(length) => format!("{length} bytes"),
                BodyLength::None => "0 bytes".to_owned(),
                _ => "unknown".to_owned(),
            }),
            Condition::ContentType => {
                response.and_then(|it| it.field("content-type").map(text)).unwrap_or_else(nothing)
            }
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

fn listed<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
