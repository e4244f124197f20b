//! [`Disclosure`]: what upstreams and the log get to know of clients, as it is set.

use proxy_core::{ClientHints, Privacy, Referer, Telling, UserAgent};

use crate::word::{Word, words};

/// A level, and what is set otherwise than it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disclosure {
    pub level: Level,
    pub claims: Option<Telling>,
    pub hops: Option<Telling>,
    pub from: Option<Telling>,
    pub referer: Option<Referer>,
    pub user_agent: Option<UserAgent>,
    pub client_hints: Option<ClientHints>,
}

/// How much clients tell of themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    #[default]
    Off,
    Standard,
    Strict,
}

/// How addresses of clients stand in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogAddresses {
    #[default]
    Whole,
    Truncated,
    Pseudonyms,
}

impl Disclosure {
    /// The same as the library has it.
    pub fn privacy(&self) -> Privacy {
        let mut privacy = match self.level {
            Level::Off => Privacy::off(),
            Level::Standard => Privacy::standard(),
            Level::Strict => Privacy::strict(),
        };
        privacy.claims = self.claims.unwrap_or(privacy.claims);
        privacy.hops = self.hops.unwrap_or(privacy.hops);
        privacy.from = self.from.unwrap_or(privacy.from);
        privacy.referer = self.referer.unwrap_or(privacy.referer);
        privacy.user_agent = self.user_agent.unwrap_or(privacy.user_agent);
        privacy.client_hints = self.client_hints.unwrap_or(privacy.client_hints);
        privacy
    }
}

words!(Level: "off" => Level::Off, "standard" => Level::Standard, "strict" => Level::Strict);
words!(LogAddresses: "whole" => LogAddresses::Whole, "truncated" => LogAddresses::Truncated,
    "pseudonyms" => LogAddresses::Pseudonyms);
words!(Option<Telling>: "auto" => None, "keep" => Some(Telling::Keep), "hide" => Some(Telling::Hide));
words!(Option<Referer>: "auto" => None, "keep" => Some(Referer::Keep),
    "origin" => Some(Referer::Origin), "hide" => Some(Referer::Hide));
words!(Option<UserAgent>: "auto" => None, "keep" => Some(UserAgent::Keep),
    "general" => Some(UserAgent::General), "hide" => Some(UserAgent::Hide));
words!(Option<ClientHints>: "auto" => None, "keep" => Some(ClientHints::Keep),
    "basic" => Some(ClientHints::Basic), "hide" => Some(ClientHints::Hide));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_counts_for_more_than_the_level() {
        let mut disclosure = Disclosure { level: Level::Strict, ..Disclosure::default() };
        assert_eq!(disclosure.privacy(), Privacy::strict());
        disclosure.user_agent.set("keep");
        let mut expected = Privacy::strict();
        expected.user_agent = UserAgent::Keep;
        assert_eq!(disclosure.privacy(), expected);
        disclosure.user_agent.set("auto");
        assert_eq!(
            (disclosure.user_agent.get(), disclosure.privacy()),
            ("auto", Privacy::strict())
        );
        assert!(Disclosure::default().privacy().is_off());
    }
}
