//! An [`Answer`] for programs: one object.

use std::collections::BTreeMap;

use proxy_core::rules::{Condition, Verdict};
use serde::Serialize;

use super::answer::Answer;
use super::asked::Asked;
use super::logged::Outcome;
use super::{limits, moment};
use crate::config::Config;

#[derive(Serialize)]
struct Object<'a> {
    allowed: bool,
    /// The codes of the access log.
    reason: Option<&'static str>,
    status: Option<u16>,
    because: Option<&'a str>,
    rule: &'a str,
    verdict: &'static str,
    message: Option<&'a str>,
    redirect: Option<&'a str>,
    delay_ms: Option<u128>,
    upstream: Option<&'a str>,
    request: Request<'a>,
    rules: Vec<Rule<'a>>,
    goes_to: Option<&'a str>,
    guard: Option<&'a str>,
    limits: BTreeMap<&'static str, &'a str>,
    throttles: Vec<limits::Shown<'a>>,
    notes: &'a [String],
    logged: Option<&'a Outcome>,
}

#[derive(Serialize)]
struct Request<'a> {
    method: &'a str,
    target: &'a str,
    host: &'a str,
    client: String,
    user: Option<&'a str>,
    groups: &'a [String],
    listener: &'a str,
    time: String,
}

#[derive(Serialize)]
struct Rule<'a> {
    name: &'a str,
    line: Option<usize>,
    outcome: &'static str,
    findings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Finding<'a> {
    condition: &'static str,
    holds: bool,
    wanted: String,
    found: &'a str,
}

/// The object, in lines of its own.
pub fn text<'a>(answer: &'a Answer, asked: &'a Asked, config: &Config) -> String {
    let verdict = &answer.explanation.verdict;
    let denial = answer.denial();
    let labels = config.ruled.as_ref().map(|ruled| ruled.labels()).unwrap_or_default();
    let rules = answer.explanation.steps.iter().enumerate().map(|(index, step)| {
        let labels = labels.get(index);
        let finding = |it: &'a proxy_core::rules::Finding| Finding {
            condition: it.condition.word(),
            holds: it.holds,
            wanted: labels
                .and_then(|labels| labels.wanted(it.condition))
                .unwrap_or_else(|| it.wanted.clone()),
            found: match it.condition {
                Condition::Listener => &asked.listener,
                _ => &it.found,
            },
        };
        Rule {
            name: &step.rule,
            line: labels.and_then(|labels| labels.line),
            outcome: step.outcome.word(),
            findings: step.findings.iter().map(finding).collect(),
        }
    });
    let throttles = limits::of(answer, asked, config);
    let object = Object {
        allowed: answer.refused.is_none(),
        reason: answer.refused.as_ref().map(|refused| refused.reason.code()),
        status: answer.refused.as_ref().filter(|it| !it.is_silent()).map(|it| it.status),
        because: answer.refused.as_ref().map(|refused| &*refused.because),
        rule: &answer.explanation.rule,
        verdict: word(verdict),
        message: denial.and_then(|denial| denial.message()),
        redirect: denial.and_then(|denial| denial.redirect()),
        delay_ms: answer.delay().map(|delay| delay.as_millis()),
        upstream: match verdict {
            Verdict::Route(upstream) => Some(upstream.authority().as_str()),
            _ => None,
        },
        request: Request {
            method: asked.head.method(),
            target: asked.head.target(),
            host: asked.head.host(),
            client: asked.client.address.ip().to_canonical().to_string(),
            user: answer.user.as_ref().map(|user| &*user.name),
            groups: answer.user.as_ref().map(|user| &*user.groups).unwrap_or_default(),
            listener: &asked.listener,
            time: moment::stamp(asked.time),
        },
        rules: rules.collect(),
        goes_to: answer.goes_to.as_deref(),
        guard: answer.guard.as_deref(),
        limits: answer.limits.iter().map(|(name, value)| (*name, &**value)).collect(),
        throttles: throttles.iter().map(limits::Limit::shown).collect(),
        notes: &answer.notes,
        logged: asked.logged.as_ref().map(|logged| &logged.outcome),
    };
    serde_json::to_string_pretty(&object).expect("all of its keys are text") + "\n"
}

/// The word for a verdict in a configuration.
fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "allow",
        Verdict::Deny(_) => "deny",
        Verdict::Route(_) => "route",
        Verdict::Tarpit(..) => "tarpit",
        Verdict::SilentDrop => "silent_drop",
        _ => "another",
    }
}
