//! [`User`]: somebody who is known.

use std::net::IpAddr;
use std::time::SystemTime;

use crate::policy::Network;
use crate::policy::rules::HostPattern;

/// Somebody who is known, and what is known of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The name: what the log shows.
    pub name: String,
    /// The groups they belong to.
    pub groups: Vec<String>,
    /// From then on they are not served any more.
    pub until: Option<SystemTime>,
    /// Where they may come from. Empty: from anywhere.
    pub from: Vec<Network>,
    /// Where they may go. Empty: anywhere.
    pub to: Vec<HostPattern>,
}

/// Why a [`User`] is not served, although the password is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserLimit {
    /// Their time is over.
    Expired,
    /// They may not come from there.
    Source,
    /// They may not go there.
    Destination,
}

impl User {
    /// Somebody of this name, in no group, for ever, from anywhere to anywhere.
    pub fn new(name: impl Into<String>) -> User {
        let (groups, from, to) = (Vec::new(), Vec::new(), Vec::new());
        User { name: name.into(), groups, until: None, from, to }
    }

    /// Whether they belong to a group.
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }

    /// What keeps them from going from `client` to `host`, if anything does. The clock is looked at
    /// only if it matters.
    pub fn limit(
        &self,
        client: IpAddr,
        host: &str,
        now: impl FnOnce() -> SystemTime,
    ) -> Option<UserLimit> {
        if self.until.is_some_and(|until| until <= now()) {
            return Some(UserLimit::Expired);
        }
        if !self.from.is_empty() && !self.from.iter().any(|network| network.contains(client)) {
            return Some(UserLimit::Source);
        }
        let leads_there = self.to.is_empty() || self.to.iter().any(|host_of| host_of.matches(host));
        (!leads_there).then_some(UserLimit::Destination)
    }
}

impl UserLimit {
    /// What to say of it.
    pub const fn explanation(self) -> &'static str {
        match self {
            UserLimit::Expired => "the user's time is over",
            UserLimit::Source => "the user may not come from this address",
            UserLimit::Destination => "the user may not go to this host",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn each_limit_is_found_and_nothing_is_limited_by_itself() {
        let clock = |seconds| move || UNIX_EPOCH + Duration::from_secs(seconds);
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut user = User::new("ann");
        assert_eq!(user.limit(at("192.0.2.1"), "a.test", || unreachable!("no matter")), None);
        user.until = Some(clock(100)());
        user.from = vec!["192.0.2.0/24".parse().unwrap()];
        user.to = vec![".a.test".parse().unwrap(), "b.test".parse().unwrap()];
        for (client, host, now, expected) in [
            ("192.0.2.1", "www.A.test", 99, None),
            ("::ffff:192.0.2.1", "b.test", 99, None),
            ("192.0.2.1", "a.test", 100, Some(UserLimit::Expired)),
            ("192.0.3.1", "a.test", 99, Some(UserLimit::Source)),
            ("192.0.2.1", "c.b.test", 99, Some(UserLimit::Destination)),
        ] {
            assert_eq!(user.limit(at(client), host, clock(now)), expected, "{client} {host}");
        }
    }

    #[test]
    fn groups_have_case() {
        let mut user = User::new("ann");
        user.groups = vec!["staff".to_owned()];
        assert!(user.is_in("staff") && !user.is_in("Staff") && !user.is_in(""));
    }
}
