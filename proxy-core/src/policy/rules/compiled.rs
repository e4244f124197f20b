//! [`Rules`]: a [`RuleSet`] made ready to decide; [`Decision`].

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::check::{Check, Numbers};
use super::condition::Condition;
use super::rule::{Mode, Rule, RuleSet};
use super::subject::{Facts, Subject};
use super::verdict::Verdict;
use super::warning::Warning;
use super::zone::Zone;

/// Rules, ready to decide. A decision takes no lock and is the same whenever it is asked for: it
/// depends on its [`Subject`] alone. It allocates nothing, but for URLs of more than 16 KiB, and for
/// what a regular expression needs at first.
///
/// ```
/// use std::time::SystemTime;
/// use proxy_core::http1::RequestHead;
/// use proxy_core::rules::{Denial, Rule, RuleSet, Subject, Verdict};
/// use proxy_core::{Client, Limits};
///
/// let own = vec![".example.com".parse()?];
/// let rules = RuleSet::new([Rule::new("own", Verdict::Allow).when(|it| it.hosts = own)])
///     .otherwise(Verdict::deny(Denial::new()))
///     .compile()?;
///
/// let client = Client::new(([192, 0, 2, 7], 50412).into(), 0);
/// let mut request = RequestHead::new();
/// request.parse(b"CONNECT www.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", &Limits::default())?;
/// let decision = rules.decide(&Subject::new(&client, &request, SystemTime::now()));
/// assert_eq!((&**decision.rule(), decision.verdict()), ("own", &Verdict::Allow));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Rules {
    /// As they were written. The last is what is decided where none of the others is: it has no
    /// conditions.
    rules: Vec<Rule>,
    names: Vec<Arc<str>>,
    /// Those of all rules, end to end, and for each rule which are its own.
    checks: Vec<Check>,
    own: Vec<Range<u32>>,
    /// The places of the rules that decide about requests, and of those that wait for responses.
    of_requests: Vec<usize>,
    of_responses: Vec<usize>,
    zone: Zone,
    tarpits: usize,
    warnings: Vec<Warning>,
}

/// What rules have decided, and which.
#[derive(Clone, Copy)]
pub struct Decision<'r> {
    rules: &'r Rules,
    place: usize,
    reported: Option<usize>,
}

/// Why a [`RuleSet`] cannot be made ready.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule `{rule}`: {problem}")]
#[non_exhaustive]
pub struct RulesError {
    /// Its place among the rules, from 0. What is decided otherwise comes behind the last.
    pub place: usize,
    /// Its name.
    pub rule: String,
    /// What of it is wrong.
    pub part: RulePart,
    /// What is wrong with that.
    pub problem: &'static str,
}

/// A part of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RulePart {
    /// Its name.
    Name,
    /// Its verdict.
    Verdict,
    /// How it refuses.
    Denial,
    /// How long it keeps waiting.
    Delay,
    /// A condition.
    When(Condition),
}

/// The name of what is decided where no rule matches.
pub(super) const DEFAULT: &str = "default";

/// The longest that anybody is kept waiting.
const LONGEST_DELAY: Duration = Duration::from_secs(3600);

impl RuleSet {
    /// Makes the rules ready to decide.
    ///
    /// # Errors
    /// The first rule that cannot be meant.
    pub fn compile(self) -> Result<Rules, RulesError> {
        let RuleSet { mut rules, otherwise, zone, tarpits } = self;
        let mut names = HashSet::new();
        for (place, rule) in rules.iter().enumerate() {
            let is_new = names.insert(rule.name.as_str());
            let problem = problem(rule, is_new);
            if let Some((part, problem)) = problem {
                return Err(RulesError { place, rule: rule.name.clone(), part, problem });
            }
        }
        let place = rules.len();
        let otherwise = Rule::new(DEFAULT, otherwise);
        if let Some((part, problem)) = verdict_problem(&otherwise) {
            return Err(RulesError { place, rule: otherwise.name, part, problem });
        }
        rules.push(otherwise);
        let mut numbers = Numbers::default();
        let (of_responses, of_requests) =
            (0..rules.len()).partition(|&place| rules[place].when.are_about_responses());
        let (mut checks, mut own) = (Vec::new(), Vec::new());
        for rule in &rules {
            let begin = checks.len() as u32;
            checks.append(&mut Check::all(&rule.when, &mut numbers));
            own.push(begin..checks.len() as u32);
        }
        Ok(Rules {
            warnings: Warning::all(&rules),
            names: rules.iter().map(|rule| rule.name.as_str().into()).collect(),
            checks,
            own,
            rules,
            of_requests,
            of_responses,
            zone,
            tarpits,
        })
    }
}

fn problem(rule: &Rule, is_new: bool) -> Option<(RulePart, &'static str)> {
    let is_name_byte = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if !(1..=64).contains(&rule.name.len()) || !rule.name.bytes().all(is_name_byte) {
        return Some((RulePart::Name, "a name has 1 to 64 letters, digits, `-`, `_` and `.`"));
    }
    if rule.name == DEFAULT {
        return Some((RulePart::Name, "this is the name of what is decided where no rule matches"));
    }
    if !is_new {
        return Some((RulePart::Name, "another rule has this name"));
    }
    let is_range = |first: u16, last: u16| 100 <= first && first <= last && last <= 599;
    if rule.when.statuses.iter().any(|range| !is_range(range.first, range.last)) {
        let part = RulePart::When(Condition::Status);
        return Some((part, "a status is from 100 to 599, and a range goes from low to high"));
    }
    verdict_problem(rule)
}

fn verdict_problem(rule: &Rule) -> Option<(RulePart, &'static str)> {
    if let Some(problem) = rule.verdict.denial().and_then(|denial| denial.problem()) {
        return Some((RulePart::Denial, problem));
    }
    match rule.verdict {
        Verdict::Route(_) | Verdict::Tarpit(..) if rule.when.are_about_responses() => {
            Some((RulePart::Verdict, "when there is a response it is too late for this verdict"))
        }
        Verdict::Tarpit(delay, _) if delay.is_zero() || delay > LONGEST_DELAY => {
            Some((RulePart::Delay, "a delay is longer than nothing, and an hour at most"))
        }
        _ => None,
    }
}

impl Rules {
    /// Decides about a request. Rules about responses wait.
    pub fn decide(&self, subject: &Subject<'_>) -> Decision<'_> {
        let facts = Facts::new(subject, &self.zone);
        let (decides, reported) = self.first(&self.of_requests, &facts, self.default_place());
        Decision { rules: self, place: decides.unwrap_or(self.default_place()), reported }
    }

    /// Decides about a response, if any rule does. `before` is the
    /// [place](Decision::place) of the rule that has let the request pass: rules behind it have no
    /// say any more, for the first that matches decides.
    pub fn decide_response(&self, subject: &Subject<'_>, before: usize) -> Option<Decision<'_>> {
        if self.of_responses.first().is_none_or(|&first| first >= before) {
            return None;
        }
        let facts = Facts::new(subject, &self.zone);
        match self.first(&self.of_responses, &facts, before) {
            (None, None) => None,
            (decides, reported) => {
                Some(Decision { rules: self, place: decides.unwrap_or(before), reported })
            }
        }
    }

    /// The first of the rules at `places`, up to one, that matches, and the first that only reports.
    fn first(
        &self,
        places: &[usize],
        facts: &Facts<'_>,
        before: usize,
    ) -> (Option<usize>, Option<usize>) {
        let mut reported = None;
        for &place in places.iter().take_while(|&&place| place < before) {
            if !self.checks_of(place).iter().all(|check| check.holds(facts)) {
                continue;
            }
            match self.rules[place].mode {
                Mode::Enforce => return (Some(place), reported),
                Mode::Report => drop(reported.get_or_insert(place)),
            }
        }
        (None, reported)
    }

    /// What is to be said of the rules: which can never match, and which see less than one might
    /// think.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The rules in their order, without what is decided where none of them matches.
    pub fn rules(&self) -> &[Rule] {
        &self.rules[..self.default_place()]
    }

    /// What is decided where no rule matches.
    pub fn otherwise(&self) -> &Verdict {
        &self.rules[self.default_place()].verdict
    }

    /// Whether any rule is about the hour. Where none is, decisions do not depend on the time.
    pub fn know_hours(&self) -> bool {
        self.rules.iter().any(|rule| rule.when.schedule.is_some())
    }

    /// Whether any rule is about who the user is. Then somebody must find that out before: an
    /// [`AuthHandler`](crate::AuthHandler), for instance.
    pub fn know_users(&self) -> bool {
        self.rules.iter().any(|rule| !rule.when.users.is_empty() || !rule.when.groups.is_empty())
    }

    /// Whether any rule is about the response. Where none is, nobody need ask about it.
    pub fn know_responses(&self) -> bool {
        !self.of_responses.is_empty()
    }

    /// How many requests wait at once before they are refused.
    pub fn tarpits(&self) -> usize {
        self.tarpits
    }

    pub(super) fn default_place(&self) -> usize {
        self.rules.len() - 1
    }

    pub(super) fn rule_at(&self, place: usize) -> (&Rule, &[Check]) {
        (&self.rules[place], self.checks_of(place))
    }

    fn checks_of(&self, place: usize) -> &[Check] {
        let Range { start, end } = self.own[place];
        &self.checks[start as usize..end as usize]
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }
}

impl<'r> Decision<'r> {
    /// The name of the rule that decides; `default` if it is none.
    pub fn rule(&self) -> &'r Arc<str> {
        &self.rules.names[self.place]
    }

    /// What it decides.
    pub fn verdict(&self) -> &'r Verdict {
        &self.rules.rules[self.place].verdict
    }

    /// The name of the first rule that [only reports](Mode::Report) and would have decided before.
    pub fn reported(&self) -> Option<&'r Arc<str>> {
        self.reported.map(|place| &self.rules.names[place])
    }

    /// The place of the rule that decides, from 0; that of the default is behind the last.
    pub fn place(&self) -> usize {
        self.place
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl fmt::Debug for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decision")
            .field("rule", self.rule())
            .field("verdict", self.verdict())
            .field("reported", &self.reported())
            .finish()
    }
}
