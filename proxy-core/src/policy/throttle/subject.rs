//! [`Asking`]: of what a throttle sees whose count it is.

use std::net::IpAddr;

use super::key::Who;
use super::throttle::Scope;
use crate::policy::Network;
use crate::policy::host_name::HostName;

/// Who asks for what, as throttles tell it apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) client: IpAddr,
    /// Empty where nothing has been asked for.
    pub(crate) host: &'a str,
    /// The rule that has let the request pass.
    pub(crate) rule: Option<&'a str>,
}

impl Asking<'_> {
    /// A client of which nothing else is known yet.
    pub(crate) fn client(client: IpAddr) -> Asking<'static> {
        Asking { client, host: "", rule: None }
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
            Scope::Rule => self.rule.map(|rule| act(Who::Name(rule.as_bytes()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whose(scope: Scope, client: &str, host: &str, rule: Option<&str>) -> String {
        let asking = Asking { client: client.parse().unwrap(), host, rule };
        asking.with(scope, |who| who.to_key().to_string()).unwrap_or_default()
    }

    #[test]
    fn those_who_are_one_have_one_count() {
        let client = |scope, client| whose(scope, client, "", None);
        assert_eq!(client(Scope::All, "192.0.2.7"), "-");
        assert_eq!(client(Scope::client(), "192.0.2.7"), "192.0.2.7");
        assert_eq!(client(Scope::client(), "::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(client(Scope::client(), "2001:db8::1:2:3:4"), "2001:db8::");
        let wide = Scope::Client { v4: 24, v6: 0 };
        assert_eq!(client(wide, "192.0.2.7"), "192.0.2.0");
        assert_eq!(client(wide, "2001:db8::1"), "::");
        for host in ["A.test", "a.test.", "a.TEST"] {
            assert_eq!(whose(Scope::Host, "::1", host, None), "a.test");
        }
        assert_eq!(whose(Scope::Host, "::1", "", None), "");
        assert_eq!(whose(Scope::Rule, "::1", "a.test", None), "");
        assert_eq!(whose(Scope::Rule, "::1", "a.test", Some("videos")), "videos");
    }
}
