//! [`EventFilter`]: which records somebody wants to see.

use std::time::Duration;

use super::query::{Query, duration};
use crate::error::Reason;
use crate::logger::AccessRecord;
use crate::policy::rules::HostPattern;
use crate::policy::{Network, Offence};

/// Conditions, all of which must hold. Without any, every record is wanted.
#[derive(Debug, Default)]
pub(super) struct EventFilter {
    host: Option<HostPattern>,
    client: Option<Network>,
    user: Option<String>,
    status: Option<StatusFilter>,
    reason: Option<Reason>,
    refused: bool,
    slower: Option<Duration>,
}

/// One status, or a hundred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StatusFilter {
    One(u16),
    Class(u16),
}

/// What can be asked for.
const NAMES: [&str; 7] = ["host", "client", "user", "status", "reason", "refused", "slower"];

impl EventFilter {
    /// The filter that a query asks for.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn of(query: &Query) -> Result<EventFilter, String> {
        query.only(&NAMES)?;
        let mut filter = EventFilter::default();
        for (name, value) in query.pairs() {
            let wrong = |what: &dyn ToString| format!("{name}: {}", what.to_string());
            match name {
                "host" => filter.host = Some(value.parse().map_err(|error| wrong(&error))?),
                "client" => filter.client = Some(value.parse().map_err(|error| wrong(&error))?),
                "user" => filter.user = Some(value.to_owned()),
                "status" => filter.status = Some(StatusFilter::of(value).map_err(|it| wrong(&it))?),
                "reason" => filter.reason = Some(reason(value).map_err(|it| wrong(&it))?),
                "slower" => filter.slower = Some(duration(value).map_err(|it| wrong(&it))?),
                // `?refused` is enough.
                _ => {
                    filter.refused = match value {
                        "" | "true" => true,
                        "false" => false,
                        _ => return Err(wrong(&"expected true or false")),
                    }
                }
            }
        }
        Ok(filter)
    }

    /// Whether a record is wanted.
    pub(super) fn wants(&self, record: &AccessRecord<'_>) -> bool {
        let client = record.client.ip();
        self.refused <= record.reason.is_some_and(is_refusal)
            && self.reason.is_none_or(|reason| record.reason == Some(reason))
            && self.slower.is_none_or(|slower| record.duration > slower)
            && self.status.is_none_or(|status| record.status.is_some_and(|it| status.is(it)))
            && self.client.is_none_or(|network| network.contains(client))
            && self.user.as_deref().is_none_or(|user| record.user == Some(user))
            && self.host.as_ref().is_none_or(|host| host.matches(record.host))
    }
}

impl StatusFilter {
    fn of(text: &str) -> Result<StatusFilter, &'static str> {
        const EXPECTED: &str = "expected a status such as 404, or a class such as 4xx";
        let is_status = |status: &u16| (100..600).contains(status);
        if let Some(class) = text.strip_suffix("xx") {
            let class = class.parse().ok().filter(|class| (1..6).contains(class));
            return class.map(StatusFilter::Class).ok_or(EXPECTED);
        }
        text.parse().ok().filter(is_status).map(StatusFilter::One).ok_or(EXPECTED)
    }

    fn is(self, status: u16) -> bool {
        match self {
            StatusFilter::One(own) => own == status,
            StatusFilter::Class(class) => status / 100 == class,
        }
    }
}

fn reason(code: &str) -> Result<Reason, &'static str> {
    let found = Reason::ALL.iter().find(|reason| reason.code() == code);
    found.copied().ok_or("no reason has this code")
}

/// Whether the proxy did not want to, rather than that something failed.
fn is_refusal(reason: Reason) -> bool {
    Offence::of(reason).is_some_and(|offence| offence != Offence::Malformed)
        || matches!(
            reason,
            Reason::Banned | Reason::ProxyAuthenticationRequired | Reason::AuthenticationRequired
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(query: &str) -> Result<EventFilter, String> {
        let target = format!("/events?{query}");
        EventFilter::of(&Query::of(&target).unwrap().1)
    }

    fn record() -> AccessRecord<'static> {
        let mut record = AccessRecord::new(([192, 0, 2, 7], 5000).into());
        record.host = "www.example.com";
        record.user = Some("ann");
        record.status = Some(403);
        record.reason = Some(Reason::DeniedByRule);
        record.duration = Duration::from_millis(1500);
        record
    }

    #[test]
    fn all_conditions_must_hold() {
        for (query, is_wanted) in [
            ("", true),
            ("host=www.example.com", true),
            ("host=.example.com", true),
            ("host=example.com", false),
            ("client=192.0.2.0/24", true),
            ("client=192.0.2.8", false),
            ("user=ann", true),
            ("user=an", false),
            ("status=403", true),
            ("status=4xx", true),
            ("status=5xx", false),
            ("status=200", false),
            ("reason=denied_by_rule", true),
            ("reason=denied", false),
            ("refused", true),
            ("refused=false", true),
            ("slower=1s", true),
            ("slower=1500ms", false),
            ("user=ann&refused&status=4xx&slower=1s", true),
            ("user=ann&refused&status=4xx&slower=2s", false),
        ] {
            assert_eq!(filter(query).unwrap().wants(&record()), is_wanted, "{query}");
        }
    }

    #[test]
    fn what_failed_was_not_refused() {
        let mut record = record();
        for (reason, is_refused) in [
            (None, false),
            (Some(Reason::DnsFailed), false),
            (Some(Reason::BadHost), false),
            (Some(Reason::Banned), true),
            (Some(Reason::ClientNotAllowed), true),
            (Some(Reason::ProxyAuthenticationRequired), true),
            (Some(Reason::QuotaExceeded), true),
        ] {
            record.reason = reason;
            assert_eq!(filter("refused").unwrap().wants(&record), is_refused, "{reason:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (query, words) in [
            ("hots=a", "`hots` is not known here"),
            ("host=http://a/", "host: expected a host"),
            ("client=nobody", "client: "),
            ("status=teapot", "status: expected a status"),
            ("status=9xx", "status: expected a status"),
            ("status=99", "status: expected a status"),
            ("reason=bored", "reason: no reason has this code"),
            ("slower=1", "slower: `1` is no time"),
            ("refused=maybe", "refused: expected true or false"),
        ] {
            let told = filter(query).unwrap_err();
            assert!(told.contains(words), "{told}");
        }
    }
}
