//! [`Verdict`]: what a rule decides.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Reason;
use crate::upstream::Authority;

/// What becomes of a request, or a response, that a rule matches.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It goes on: to the handler behind the rules, to the guard, to its client.
    Allow,
    /// It is refused, and its client is told.
    Deny(Arc<Denial>),
    /// It goes to this upstream, wherever it asks to go.
    Route(NamedUpstream),
    /// It is refused after a while. So many wait at once as
    /// [`RuleSet::tarpits`](super::RuleSet::tarpits) says; all others are refused without a wait.
    Tarpit(Duration, Arc<Denial>),
    /// The connection is closed without an answer.
    SilentDrop,
}

/// How a request is refused.
///
/// ```
/// use proxy_core::rules::{Denial, Verdict};
///
/// let plain = Verdict::deny(Denial::new());
/// let kind = Verdict::deny(Denial::new().with_message("Not during lessons.").with_status(451));
/// # drop((plain, kind));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Denial {
    message: Option<Box<str>>,
    status: Option<u16>,
    redirect: Option<Box<str>>,
}

/// An upstream, and what it is called in logs and explanations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedUpstream {
    name: Arc<str>,
    authority: Arc<Authority>,
}

/// RFC 9110 §15.4.3. Nobody is to keep it: rules change.
const REDIRECTION: u16 = 302;

impl Verdict {
    /// [`Deny`](Verdict::Deny).
    pub fn deny(denial: Denial) -> Verdict {
        Verdict::Deny(Arc::new(denial))
    }

    /// [`Tarpit`](Verdict::Tarpit).
    pub fn tarpit(delay: Duration, denial: Denial) -> Verdict {
        Verdict::Tarpit(delay, Arc::new(denial))
    }

    /// Whether a request that it is said of gets where it wants to go, or to where the rule sends
    /// it.
    pub fn lets_pass(&self) -> bool {
        matches!(self, Verdict::Allow | Verdict::Route(_))
    }

    /// How it refuses, where it tells the client so.
    pub fn denial(&self) -> Option<&Denial> {
        match self {
            Verdict::Deny(denial) | Verdict::Tarpit(_, denial) => Some(denial),
            Verdict::Allow | Verdict::Route(_) | Verdict::SilentDrop => None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Allow => f.write_str("allow"),
            Verdict::Deny(denial) => write!(f, "deny{denial}"),
            Verdict::Route(upstream) => write!(f, "route to {upstream}"),
            Verdict::Tarpit(delay, denial) => {
                write!(f, "tarpit for {} s{denial}", delay.as_secs_f64())
            }
            Verdict::SilentDrop => f.write_str("silent_drop"),
        }
    }
}

impl Denial {
    /// A refusal in the proxy's own words.
    pub fn new() -> Denial {
        Denial::default()
    }

    /// Tells the user this instead. It is text: a page in HTML shows it as such.
    pub fn with_message(mut self, message: impl Into<String>) -> Denial {
        self.message = Some(message.into().into());
        self
    }

    /// Answers with this status instead of 403: one from 400 to 599 that demands no field of its
    /// own, as 401, 405, 407, 416 and 426 do (RFC 9110 §15.5).
    pub fn with_status(mut self, status: u16) -> Denial {
        self.status = Some(status);
        self
    }

    /// Sends the user to this URL, with status 302. Browsers do not follow where they had asked
    /// for a tunnel (RFC 9110 §9.3.6): they show an error of their own.
    pub fn with_redirect(mut self, url: impl Into<String>) -> Denial {
        self.redirect = Some(url.into().into());
        self
    }

    /// What the user is told, if it is not the proxy's own words.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The status that it is answered with.
    pub fn status(&self) -> u16 {
        match self {
            Denial { redirect: Some(_), .. } => REDIRECTION,
            Denial { status: Some(status), .. } => *status,
            _ => Reason::DeniedByRule.status(),
        }
    }

    /// Where the user is sent.
    pub fn redirect(&self) -> Option<&str> {
        self.redirect.as_deref()
    }

    /// What is wrong with it, if anything is.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let demanding = [401, 405, 407, 416, 426];
        let is_url = |url: &str| {
            let has_scheme = url.starts_with("http://") || url.starts_with("https://");
            has_scheme && url.bytes().all(|b| b.is_ascii_graphic())
        };
        match self {
            Denial { status: Some(status), .. } if !(400..600).contains(status) => {
                Some("the status of a refusal is from 400 to 599")
            }
            Denial { status: Some(status), .. } if demanding.contains(status) => {
                Some("this status demands a field that a refusal does not have")
            }
            Denial { status: Some(_), redirect: Some(_), .. } => {
                Some("a redirection has a status of its own, 302")
            }
            Denial { redirect: Some(url), .. } if !is_url(url) => {
                Some("a redirection leads to an http:// or https:// URL in visible ASCII")
            }
            _ => None,
        }
    }
}

impl fmt::Display for Denial {
    /// What is told beside the bare refusal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.status, &self.redirect) {
            (_, Some(url)) => write!(f, " with a redirection to {url}")?,
            (Some(status), None) => write!(f, " with {status}")?,
            (None, None) => {}
        }
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

impl NamedUpstream {
    /// This upstream under this name.
    pub fn new(name: impl Into<Arc<str>>, authority: impl Into<Arc<Authority>>) -> NamedUpstream {
        NamedUpstream { name: name.into(), authority: authority.into() }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is.
    pub fn authority(&self) -> &Arc<Authority> {
        &self.authority
    }
}

impl fmt::Display for NamedUpstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_can_be_read_again() {
        let read = |denial: &Denial| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            (denial.status(), owned(denial.message()), owned(denial.redirect()))
        };
        let plain = Denial::new();
        assert_eq!(read(&plain), (403, None, None));
        let told = Denial::new().with_status(451).with_message("No.");
        assert_eq!(read(&told), (451, Some("No.".to_owned()), None));
        let url = "http://a.test/";
        let elsewhere = Denial::new().with_redirect(url);
        assert_eq!(read(&elsewhere), (302, None, Some(url.to_owned())));
        assert_eq!(Verdict::deny(told.clone()).denial(), Some(&told));
        assert_eq!(Verdict::tarpit(Duration::from_secs(1), told.clone()).denial(), Some(&told));
        assert_eq!((Verdict::Allow.denial(), Verdict::SilentDrop.denial()), (None, None));
    }

    #[test]
    fn verdicts_are_told_in_the_words_of_explanations() {
        let upstream = NamedUpstream::new("cache", "10.0.0.7:3128".parse::<Authority>().unwrap());
        let told = Denial::new().with_status(451).with_message("No.");
        let elsewhere = Denial::new().with_redirect("http://a.test/");
        for (verdict, words) in [
            (Verdict::Allow, "allow"),
            (Verdict::deny(Denial::new()), "deny"),
            (Verdict::deny(told.clone()), "deny with 451: No."),
            (Verdict::deny(elsewhere), "deny with a redirection to http://a.test/"),
            (Verdict::Route(upstream), "route to cache (10.0.0.7:3128)"),
            (Verdict::tarpit(Duration::from_millis(1500), told), "tarpit for 1.5 s with 451: No."),
            (Verdict::SilentDrop, "silent_drop"),
        ] {
            assert_eq!(verdict.to_string(), words);
            assert_eq!(verdict.lets_pass(), words == "allow" || words.starts_with("route"));
        }
    }

    #[test]
    fn a_refusal_that_no_client_would_understand_is_a_problem() {
        let denial = Denial::new;
        for (denial, is_fine) in [
            (denial(), true),
            (denial().with_status(400), true),
            (denial().with_status(599), true),
            (denial().with_status(399), false),
            (denial().with_status(600), false),
            (denial().with_status(407), false),
            (denial().with_redirect("https://a.test/x?y"), true),
            (denial().with_redirect("javascript:alert(1)"), false),
            (denial().with_redirect("http://a.test/ x"), false),
            (denial().with_redirect("http://a.test/").with_status(403), false),
        ] {
            assert_eq!(denial.problem().is_none(), is_fine, "{denial:?}");
        }
    }
}
