//! [`Warning`]: what rules do not do, though one might think so.

use std::fmt;

use super::rule::{Mode, RequestKind, Rule};
use super::verdict::Verdict;

/// Something to be said of a rule when rules are made ready: it is allowed, and most likely not
/// what was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The place of the rule, from 0.
    pub place: usize,
    /// Its name.
    pub rule: String,
    /// What there is to say.
    pub problem: Shortcoming,
}

/// What a rule does not do, though one might think so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shortcoming {
    /// It is about the URL or the scheme, which a request for a tunnel does not have: HTTPS goes
    /// by it unseen.
    UrlInTunnel,
    /// It is about fields of the request. Of a tunnel it sees those of the request for it, and not
    /// those of the requests inside.
    FieldsInTunnel,
    /// It is about the response, and responses inside a tunnel are not seen.
    ResponseInTunnel,
    /// It is for tunnels only, and about something that a tunnel does not have.
    Never,
    /// It is for `https` only: such requests ask for a tunnel, and are not forwarded otherwise.
    OnlyHttps,
    /// A rule before it, of this name, matches always.
    Unreachable(String),
    /// One of its conditions is a list with nothing in it.
    EmptyList,
    /// It sends the user elsewhere, which browsers do not follow where they had asked for a tunnel.
    RedirectOfTunnel,
    /// It allows by URL and leaves the host open, which who asks can write into the path.
    HostInPath,
    /// It allows something, and what no rule matches is allowed, too.
    AllowsWhatIsAllowed,
}

impl Warning {
    /// All there is to say of rules, of which the last is what is decided where no other is.
    pub(super) fn all(rules: &[Rule]) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let Some((otherwise, rules)) = rules.split_last() else { return warnings };
        let mut always = None;
        let is_open = otherwise.verdict == Verdict::Allow
            && rules.iter().all(|rule| rule.verdict == Verdict::Allow);
        for (place, rule) in rules.iter().enumerate() {
            let mut warn = |problem| {
                warnings.push(Warning { place, rule: rule.name.clone(), problem });
            };
            of_rule(rule).into_iter().for_each(&mut warn);
            if is_open {
                warn(Shortcoming::AllowsWhatIsAllowed);
            }
            match always {
                Some(name) => warn(Shortcoming::Unreachable(String::clone(name))),
                None if rule.matches_always() => always = Some(&rule.name),
                None => {}
            }
        }
        warnings
    }
}

fn of_rule(rule: &Rule) -> Vec<Shortcoming> {
    let mut problems = Vec::new();
    let when = &rule.when;
    let sees_url = !when.urls.is_empty() || !when.schemes.is_empty();
    let sees_response = when.are_about_responses();
    let is_connect = |kind: &RequestKind| *kind == RequestKind::Connect;
    let only_connect = !when.kinds.is_empty() && when.kinds.iter().all(is_connect)
        || !when.methods.is_empty() && when.methods.iter().all(|method| method == "CONNECT");
    let no_connect = !when.kinds.is_empty() && !when.kinds.iter().any(is_connect)
        || !when.methods.is_empty() && !when.methods.iter().any(|method| method == "CONNECT");
    if only_connect && (sees_url || sees_response) {
        problems.push(Shortcoming::Never);
    } else if !when.schemes.is_empty()
        && when.schemes.iter().all(|scheme| scheme.eq_ignore_ascii_case("https"))
    {
        problems.push(Shortcoming::OnlyHttps);
    } else if !no_connect {
        if sees_url {
            problems.push(Shortcoming::UrlInTunnel);
        }
        if sees_response {
            problems.push(Shortcoming::ResponseInTunnel);
        }
    }
    let can_be_tunnel = !no_connect && !sees_url && !sees_response;
    if !when.fields.is_empty() && can_be_tunnel {
        problems.push(Shortcoming::FieldsInTunnel);
    }
    let has_host = !when.hosts.is_empty() || !when.domain_lists.is_empty();
    if rule.verdict == Verdict::Allow
        && !has_host
        && when.urls.iter().any(|pattern| pattern.is_for_any_host())
    {
        problems.push(Shortcoming::HostInPath);
    }
    if when.domain_lists.iter().any(|list| list.is_empty())
        || when.client_lists.iter().any(|list| list.contains_nothing())
    {
        problems.push(Shortcoming::EmptyList);
    }
    if can_be_tunnel && rule.verdict.denial().is_some_and(|denial| denial.redirect().is_some()) {
        problems.push(Shortcoming::RedirectOfTunnel);
    }
    problems
}

impl Rule {
    fn matches_always(&self) -> bool {
        let when = &self.when;
        self.mode == Mode::Enforce
            && !when.are_about_responses()
            && when.clients.is_empty()
            && when.client_lists.is_empty()
            && when.users.is_empty()
            && when.groups.is_empty()
            && when.listeners.is_empty()
            && when.methods.is_empty()
            && when.schemes.is_empty()
            && when.ports.is_empty()
            && when.hosts.is_empty()
            && when.domain_lists.is_empty()
            && when.urls.is_empty()
            && when.fields.is_empty()
            && when.kinds.is_empty()
            && when.schedule.is_none()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule `{}`: {}", self.rule, self.problem)
    }
}

impl fmt::Display for Shortcoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Shortcoming::UrlInTunnel => {
                "it sees the URLs of plain requests only: what goes through a tunnel (HTTPS) has \
                 none here; a rule about hosts sees both"
            }
            Shortcoming::FieldsInTunnel => {
                "of a tunnel (HTTPS) it sees the fields of the request for it, and not those of \
                 the requests inside"
            }
            Shortcoming::ResponseInTunnel => {
                "it sees the responses to plain requests only, and not those inside a tunnel (HTTPS)"
            }
            Shortcoming::Never => "it can never match: a tunnel has no URL and no response here",
            Shortcoming::OnlyHttps => {
                "it can hardly ever match: clients ask for a tunnel instead of sending https:// \
                 requests; kind `connect` is what sees those"
            }
            Shortcoming::Unreachable(by) => {
                return write!(f, "it is never looked at: `{by}` before it matches always");
            }
            Shortcoming::EmptyList => "one of its lists has nothing in it",
            Shortcoming::RedirectOfTunnel => {
                "browsers do not follow a redirection where they had asked for a tunnel (HTTPS)"
            }
            Shortcoming::HostInPath => {
                "it allows whatever has this anywhere in its URL, and who asks writes the path: \
                 name scheme and host, http://host/*, or add a condition about the host"
            }
            Shortcoming::AllowsWhatIsAllowed => {
                "it changes nothing: what no rule matches is allowed, too, and no rule refuses \
                 anything"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Conditions, Denial, DomainList, FieldPattern, NetworkList, RuleSet};
    use super::*;

    fn problems(verdict: Verdict, set: impl FnOnce(&mut Conditions)) -> Vec<Shortcoming> {
        let rules = RuleSet::new([Rule::new("r", verdict).when(set)]).compile().unwrap();
        rules.warnings().iter().map(|warning| warning.problem.clone()).collect()
    }

    fn deny() -> Verdict {
        Verdict::deny(Denial::new())
    }

    #[test]
    fn what_cannot_be_seen_in_a_tunnel_is_told() {
        let url = || vec!["*/private/*".parse().unwrap()];
        assert_eq!(problems(deny(), |it| it.urls = url()), [Shortcoming::UrlInTunnel]);
        let plain = |it: &mut Conditions| it.kinds = vec![RequestKind::Plain];
        assert_eq!(
            problems(deny(), |it| {
                it.urls = url();
                plain(it);
            }),
            []
        );
        assert_eq!(
            problems(deny(), |it| {
                it.urls = url();
                it.methods = vec!["CONNECT".to_owned()];
            }),
            [Shortcoming::Never]
        );
        assert_eq!(
            problems(deny(), |it| {
                it.urls = url();
                it.methods = vec!["GET".to_owned()];
            }),
            []
        );
        let https = |it: &mut Conditions| it.schemes = vec!["https".to_owned()];
        assert_eq!(problems(deny(), https), [Shortcoming::OnlyHttps]);
        let field = |it: &mut Conditions| {
            it.fields = vec![FieldPattern::present("User-Agent").unwrap()];
        };
        assert_eq!(problems(deny(), field), [Shortcoming::FieldsInTunnel]);
        assert_eq!(
            problems(deny(), |it| it.longer_than = Some(1)),
            [Shortcoming::ResponseInTunnel]
        );
        let elsewhere = Verdict::deny(Denial::new().with_redirect("http://a.test/"));
        assert_eq!(problems(elsewhere.clone(), |_| ()), [Shortcoming::RedirectOfTunnel]);
        assert_eq!(problems(elsewhere, plain), []);
    }

    #[test]
    fn an_open_door_is_told_of() {
        let set = |url: &'static str, host: Option<&'static str>| {
            move |it: &mut Conditions| {
                it.urls = vec![url.parse().unwrap()];
                it.hosts = host.into_iter().map(|it| it.parse().unwrap()).collect();
                it.kinds = vec![RequestKind::Plain];
            }
        };
        let problems = |set: &dyn Fn(&mut Conditions)| {
            let rule = Rule::new("r", Verdict::Allow).when(set);
            let rules = RuleSet::new([rule]).otherwise(deny()).compile().unwrap();
            rules.warnings().iter().map(|warning| warning.problem.clone()).collect::<Vec<_>>()
        };
        assert_eq!(problems(&set("*.a.test/*", None)), [Shortcoming::HostInPath]);
        assert_eq!(problems(&set("http://*.a.test/*", None)), []);
        assert_eq!(problems(&set("*/public/*", Some(".a.test"))), []);
    }

    #[test]
    fn what_has_no_effect_is_told() {
        assert_eq!(problems(Verdict::Allow, |_| ()), [Shortcoming::AllowsWhatIsAllowed]);
        let empty = |it: &mut Conditions| it.domain_lists = vec![Arc::new(DomainList::new())];
        assert_eq!(problems(deny(), empty), [Shortcoming::EmptyList]);
        let empty = |it: &mut Conditions| {
            it.client_lists = vec![Arc::new(NetworkList::parse("!10.0.0.0/8").unwrap())];
        };
        assert_eq!(problems(deny(), empty), [Shortcoming::EmptyList]);
        let rules = RuleSet::new([
            Rule::new("report", deny()).in_mode(Mode::Report),
            Rule::new("all", deny()),
            Rule::new("late", Verdict::Allow),
        ]);
        let warnings: Vec<_> =
            rules.compile().unwrap().warnings().iter().map(ToString::to_string).collect();
        assert_eq!(
            warnings,
            ["rule `late`: it is never looked at: `all` before it matches always"]
        );
    }
}
