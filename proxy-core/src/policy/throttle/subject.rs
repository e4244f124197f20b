//! [`Asking`]: of what a throttle sees whose count it is.

use std::net::IpAddr;

use super::key::Who;
use super::throttle::Scope;
use crate::policy::host_name::HostName;
use crate::policy::{Network, User};

/// Who asks for what, as throttles tell it apart.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Asking<'a> {
    /// The address it comes from.
    pub client: IpAddr,
    /// The host that is asked for; empty where nothing has been asked for.
    pub host: &'a str,
    /// Who it is, where that is known.
    pub user: Option<&'a User>,
    /// The rule that has let the request pass.
    pub rule: Option<&'a str>,
}

impl<'a> Asking<'a> {
    /// A client of which nothing else is known.
    pub fn client(client: IpAddr) -> Asking<'a> {
        Asking { client, host: "", user: None, rule: None }
    }

    /// Asks for this host.
    pub fn to(self, host: &'a str) -> Asking<'a> {
        Asking { host, ..self }
    }

    /// Is this user.
    pub fn by(self, user: &'a User) -> Asking<'a> {
        Asking { user: Some(user), ..self }
    }

    /// Does something with whose count it is in this scope. `None` if nobody's.
    pub(super) fn with<R>(&self, scope: Scope, act: impl FnOnce(Who<'_>) -> R) -> Option<R> {
        match scope {
            Scope::All => Some(act(Who::All)),
            Scope::Client { v4, v6 } => {
                // A client is the same one in the IPv6 form of its address.
                let client = self.client.to_canonical();
                let prefix = if client.is_ipv4() { v4 } else { v6 };
                Some(act(Who::Client(Network::around(client, prefix).address())))
            }
            Scope::Host if self.host.is_empty() => None,
            Scope::Host => Some(act(Who::Name(HostName::new(self.host).bytes()))),
            Scope::User => self.user.map(|user| act(Who::Name(user.name.as_bytes()))),
            Scope::Rule => self.rule.map(|rule| act(Who::Name(rule.as_bytes()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(asking: Asking<'_>, scope: Scope) -> String {
        asking.with(scope, |who| who.to_key().to_string()).unwrap_or_default()
    }

    #[test]
    fn those_who_are_one_have_one_count() {
        let client = |scope, client: &str| shown(Asking::client(client.parse().unwrap()), scope);
        assert_eq!(client(Scope::All, "192.0.2.7"), "-");
        assert_eq!(client(Scope::client(), "192.0.2.7"), "192.0.2.7");
        assert_eq!(client(Scope::client(), "::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(client(Scope::client(), "2001:db8::1:2:3:4"), "2001:db8::");
        let wide = Scope::Client { v4: 24, v6: 0 };
        assert_eq!(client(wide, "192.0.2.7"), "192.0.2.0");
        assert_eq!(client(wide, "2001:db8::1"), "::");
        let here = Asking::client([192, 0, 2, 7].into());
        for host in ["A.test", "a.test.", "a.TEST"] {
            assert_eq!(shown(here.to(host), Scope::Host), "a.test");
        }
        assert_eq!(shown(here, Scope::Host), "");
        assert_eq!(shown(here.to("a.test"), Scope::Rule), "");
        assert_eq!(shown(Asking { rule: Some("videos"), ..here }, Scope::Rule), "videos");
        assert_eq!(shown(here, Scope::User), "");
        // Names of users have case.
        assert_eq!(shown(here.by(&User::new("Ann")), Scope::User), "Ann");
    }
}
