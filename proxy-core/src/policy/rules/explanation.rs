//! [`Explanation`]: a decision, told.

use std::fmt;

use super::compiled::Rules;
use super::condition::Condition;
use super::rule::Mode;
use super::subject::{Facts, Subject};
use super::verdict::Verdict;

/// How a decision came about: each rule in turn, and what became of it.
///
/// It is the decision itself, made by the same checks in the same order; only that everything is
/// written down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The rules in their order. The last is `default`.
    pub steps: Vec<Step>,
    /// The name of the rule that decides.
    pub rule: String,
    /// What it decides.
    pub verdict: Verdict,
}

/// What became of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// Its name.
    pub rule: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Its conditions as far as they were looked at: the first that does not hold is the last.
    pub findings: Vec<Finding>,
}

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It matches, and decides.
    Decides,
    /// It matches, but [only reports](Mode::Report).
    Reports,
    /// One of its conditions does not hold.
    Fails,
    /// Whatever can be told of it holds; the rest depends on the response.
    AwaitsResponse,
    /// A rule before it has decided.
    NotReached,
}

/// A condition that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Which.
    pub condition: Condition,
    /// Whether it holds.
    pub holds: bool,
    /// What the rule wants.
    pub wanted: String,
    /// What there is.
    pub found: String,
}

impl Rules {
    /// Decides, and tells how. If the subject has a response, rules about responses have their say;
    /// otherwise they wait.
    pub fn explain(&self, subject: &Subject<'_>) -> Explanation {
        let facts = Facts::new(subject, self.zone());
        let mut decided = None;
        let mut steps = Vec::new();
        for place in 0..=self.default_place() {
            let (rule, checks) = self.rule_at(place);
            let mut step = Step {
                rule: rule.name.clone(),
                outcome: Outcome::NotReached,
                findings: Vec::new(),
            };
            if decided.is_some() {
                steps.push(step);
                continue;
            }
            step.outcome = match rule.mode {
                Mode::Enforce => Outcome::Decides,
                Mode::Report => Outcome::Reports,
            };
            for check in checks {
                let condition = check.condition();
                if condition.is_about_responses() && subject.response.is_none() {
                    step.outcome = Outcome::AwaitsResponse;
                    break;
                }
                let holds = check.holds(&facts);
                step.findings.push(Finding {
                    condition,
                    holds,
                    wanted: condition.wanted(&rule.when),
                    found: condition.found(&facts, &rule.when),
                });
                if !holds {
                    step.outcome = Outcome::Fails;
                    break;
                }
            }
            if step.outcome == Outcome::Decides {
                decided = Some((rule.name.clone(), rule.verdict.clone()));
            }
            steps.push(step);
        }
        let (rule, verdict) = decided.expect("the default has no conditions");
        Explanation { steps, rule, verdict }
    }
}

impl Outcome {
    /// The stable word for it, in `snake_case`.
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Decides => "decides",
            Outcome::Reports => "reports",
            Outcome::Fails => "fails",
            Outcome::AwaitsResponse => "awaits_response",
            Outcome::NotReached => "not_reached",
        }
    }
}

impl fmt::Display for Explanation {
    /// A line for each rule, and one for each of its conditions that were looked at.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.steps.iter().map(|step| step.rule.len()).max().unwrap_or_default();
        for step in &self.steps {
            let outcome = match step.outcome {
                Outcome::Decides => "matches and decides",
                Outcome::Reports => "matches, but only reports",
                Outcome::Fails => "does not match",
                Outcome::AwaitsResponse => "waits for the response",
                Outcome::NotReached => "is not looked at",
            };
            writeln!(f, "{:width$}  {outcome}", step.rule)?;
            for Finding { condition, holds, wanted, found } in &step.findings {
                let sign = if *holds { '+' } else { '-' };
                writeln!(f, "{:width$}    {sign} {condition} {found} (wanted: {wanted})", "")?;
            }
        }
        write!(f, "verdict: {} (rule `{}`)", self.verdict, self.rule)
    }
}
