//! [`Ruled`]: rules that are ready to decide, and what the file calls their parts.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use proxy_core::rules::{
    Condition, NamedUpstream, RulePart, RuleSet, Rules, RulesError, Shortcoming, Verdict, Warning,
};

use super::conditions::{self, ListenerName};
use super::list_file::{Content, List, Unread};
use super::people;
use super::written::{Written, WrittenRule, no_such};
use crate::complaint::Complaint;
use crate::config::Config;
use crate::config_file::ConfigFile;
use crate::section::{Placed, Problem};

/// Rules, ready to decide.
#[derive(Clone, Debug)]
pub struct Ruled {
    rules: Arc<Rules>,
    /// One for each rule, and one for the default.
    labels: Arc<[Labels]>,
    warnings: Arc<[String]>,
}

/// What a file calls the parts of a rule that the library knows without a name.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// The line on which it begins. `None`: nobody has written it.
    pub line: Option<usize>,
    pub client_lists: Vec<String>,
    pub domain_lists: Vec<String>,
    pub listeners: Vec<String>,
}

impl PartialEq for Ruled {
    /// Those that were made ready in one go: rules themselves cannot be compared.
    fn eq(&self, other: &Ruled) -> bool {
        Arc::ptr_eq(&self.rules, &other.rules)
    }
}

impl Eq for Ruled {}

impl Ruled {
    /// Reads the lists, looks up what rules name, and makes them ready. `None` if there are none.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn build(
        written: &Written,
        file: &ConfigFile,
        config: &Config,
    ) -> Result<Option<Ruled>, Vec<Complaint>> {
        let mut builder = Builder { file, config, written, complaints: Vec::new() };
        let lists = builder.lists();
        let rules: Vec<_> = written.rules.iter().map(|rule| builder.rule(rule, &lists)).collect();
        let otherwise = written.default.as_ref().map(|rule| builder.rule(rule, &lists).verdict);
        builder.complaints.extend(people::unasked(written, file, config));
        if !builder.complaints.is_empty() {
            return Err(builder.complaints);
        }
        let unused = builder.unused();
        if rules.is_empty() && otherwise.is_none() {
            return match unused.is_empty() {
                true => Ok(None),
                false => Ok(Some(Ruled::of(
                    RuleSet::new([]).compile().expect("it is empty"),
                    [],
                    unused,
                ))),
            };
        }
        let set = RuleSet::new(rules)
            .otherwise(otherwise.unwrap_or(Verdict::Allow))
            .in_zone(config.time_zone.for_rules());
        let rules = set.compile().map_err(|error| vec![builder.refused(&error)])?;
        let mut warnings: Vec<_> =
            rules.warnings().iter().filter_map(|warning| builder.warning(warning)).collect();
        warnings.extend(people::unknown(written, file, config));
        warnings.extend(unused);
        let labels = written.rules.iter().chain(&written.default).map(|rule| builder.labels(rule));
        Ok(Some(Ruled::of(rules, labels, warnings)))
    }

    fn of(rules: Rules, labels: impl IntoIterator<Item = Labels>, warnings: Vec<String>) -> Ruled {
        let mut labels: Vec<_> = labels.into_iter().collect();
        labels.resize_with(rules.rules().len() + 1, Labels::default);
        Ruled { rules: Arc::new(rules), labels: labels.into(), warnings: warnings.into() }
    }

    /// The rules themselves.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// What the file calls the parts of each rule; the default is the last.
    pub fn labels(&self) -> &[Labels] {
        &self.labels
    }

    /// What there is to say of them, though they can be used.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

struct Builder<'a> {
    file: &'a ConfigFile,
    config: &'a Config,
    written: &'a Written,
    complaints: Vec<Complaint>,
}

impl<'a> Builder<'a> {
    fn complain(&mut self, span: Range<usize>, problem: Problem) {
        self.complaints.push(problem.about(self.file, span));
    }

    fn lists(&mut self) -> BTreeMap<&'a str, List> {
        let written = self.written;
        let mut lists = BTreeMap::new();
        for (name, list) in &written.lists {
            match List::read(&list.path.value, list.content) {
                Ok(read) => drop(lists.insert(name.as_str(), read)),
                Err(Unread::Missing(problem)) => {
                    let problem = format!("list `{name}`: {problem}");
                    self.complain(list.path.span.clone(), problem.into());
                }
                Err(Unread::Wrong(complaint)) => self.complaints.push(complaint),
            }
        }
        lists
    }

    /// A rule with what it names.
    fn rule(
        &mut self,
        written: &WrittenRule,
        lists: &BTreeMap<&str, List>,
    ) -> proxy_core::rules::Rule {
        let mut rule = written.rule.clone();
        for named in &written.client_lists {
            if let Some(List::Networks(list)) = self.list(named, Content::Networks, lists) {
                rule.when.client_lists.push(Arc::clone(list));
            }
        }
        for named in &written.domain_lists {
            if let Some(List::Domains(list)) = self.list(named, Content::Domains, lists) {
                rule.when.domain_lists.push(Arc::clone(list));
            }
        }
        for named in &written.listeners {
            rule.when.listeners.extend(self.listener(named));
        }
        if let Some(to) = &written.to {
            match self.written.routes.get(&to.value) {
                Some(upstream) => {
                    let upstream = NamedUpstream::new(&*to.value, upstream.value.clone());
                    rule.verdict = Verdict::Route(upstream);
                }
                None => {
                    let problem = no_such("route", &to.value, self.written.routes.keys());
                    self.complain(to.span.clone(), problem);
                }
            }
        }
        rule
    }

    /// A list by its name. One that could not be read has been complained about.
    fn list<'l>(
        &mut self,
        named: &Placed<String>,
        content: Content,
        lists: &'l BTreeMap<&str, List>,
    ) -> Option<&'l List> {
        let written = self.written;
        match written.lists.get(&named.value) {
            Some(list) if list.content == content => lists.get(named.value.as_str()),
            Some(list) => {
                let problem = format!(
                    "`{}` is a list of {}, not of {}",
                    named.value,
                    list.content.key(),
                    content.key()
                );
                self.complain(named.span.clone(), problem.into());
                None
            }
            None => {
                let known = written.lists.iter().filter(|(_, list)| list.content == content);
                let problem = no_such("list", &named.value, known.map(|(name, _)| name));
                self.complain(named.span.clone(), problem);
                None
            }
        }
    }

    /// The place of a listener among all of them: first what is bound, then what was passed.
    fn listener(&mut self, named: &Placed<ListenerName>) -> Option<usize> {
        let all = self.config.listeners();
        let place = match &named.value {
            ListenerName::Number(number) => Some(number - 1).filter(|&place| place < all.len()),
            ListenerName::Address(address) => all.iter().position(|it| it == address),
        };
        if place.is_none() {
            let problem = format!("there is no such listener; there are {}", all.join(", "));
            self.complain(named.span.clone(), problem.into());
        }
        place
    }

    /// Why the library does not take the rules, and where that stands.
    fn refused(&self, error: &RulesError) -> Complaint {
        let keys: &[&str] = match error.part {
            RulePart::Name => &["name"],
            RulePart::Verdict => &["verdict"],
            RulePart::Denial => &["redirect", "status", "message"],
            RulePart::Delay => &["delay"],
            RulePart::When(condition) => conditions::keys(condition),
            _ => &[],
        };
        let rule = self.written.rules.get(error.place).or(self.written.default.as_ref());
        let span = rule.map_or(0..0, |rule| rule.place(keys));
        self.file.complaint(span, error.to_string())
    }

    /// What the library warns of, where it stands. In front of a fixed upstream there are no
    /// tunnels that could be meant.
    fn warning(&self, warning: &Warning) -> Option<String> {
        let keys: &[&str] = match warning.problem {
            Shortcoming::UrlInTunnel
            | Shortcoming::FieldsInTunnel
            | Shortcoming::ResponseInTunnel
            | Shortcoming::RedirectOfTunnel
                if self.config.upstream.is_some() =>
            {
                return None;
            }
            Shortcoming::UrlInTunnel | Shortcoming::HostInPath => &["url", "url-regex", "scheme"],
            Shortcoming::FieldsInTunnel => &["header"],
            Shortcoming::ResponseInTunnel => {
                &["response-type", "response-longer-than", "response-status"]
            }
            Shortcoming::OnlyHttps => &["scheme"],
            Shortcoming::RedirectOfTunnel => &["redirect"],
            Shortcoming::EmptyList => &["domain-list", "client-list"],
            _ => &["name"],
        };
        let rule = self.written.rules.get(warning.place)?;
        Some(self.file.complaint(rule.place(keys), format!("warning: {warning}")).to_string())
    }

    /// Lists and routes that no rule names: a rule is missing, perhaps.
    fn unused(&self) -> Vec<String> {
        let rules = || self.written.rules.iter().chain(&self.written.default);
        let mut unused: Vec<(Range<usize>, String)> = Vec::new();
        for (name, list) in &self.written.lists {
            let names = |rule: &WrittenRule| {
                rule.client_lists.iter().chain(&rule.domain_lists).any(|it| it.value == *name)
            };
            if !rules().any(names) {
                unused.push((list.span.clone(), format!("no rule is about the list `{name}`")));
            }
        }
        for (name, route) in &self.written.routes {
            let leads = |rule: &WrittenRule| rule.to.as_ref().is_some_and(|to| to.value == *name);
            if !rules().any(leads) {
                unused.push((route.span.clone(), format!("no rule leads to the route `{name}`")));
            }
        }
        unused.sort_by_key(|(span, _)| span.start);
        let told = |(span, problem)| self.file.complaint(span, format!("warning: {problem}"));
        unused.into_iter().map(told).map(|it| it.to_string()).collect()
    }

    fn labels(&self, rule: &WrittenRule) -> Labels {
        let names = |named: &[Placed<String>]| named.iter().map(|it| it.value.clone()).collect();
        let all = self.config.listeners();
        let listener = |named: &Placed<ListenerName>| match &named.value {
            ListenerName::Address(address) => address.clone(),
            ListenerName::Number(number) => all.get(number - 1).cloned().unwrap_or_default(),
        };
        Labels {
            line: Some(self.file.line(rule.span.start)),
            client_lists: names(&rule.client_lists),
            domain_lists: names(&rule.domain_lists),
            listeners: rule.listeners.iter().map(listener).collect(),
        }
    }
}

impl Labels {
    /// What a rule wants, where the file has a name for it.
    pub fn wanted(&self, condition: Condition) -> Option<String> {
        let names = match condition {
            Condition::ClientList => &self.client_lists,
            Condition::DomainList => &self.domain_lists,
            Condition::Listener => &self.listeners,
            _ => return None,
        };
        Some(names.join(", "))
    }
}
