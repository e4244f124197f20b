//! Rules in front of a proxy: what each verdict is to a client, and what the log tells of it.

mod refusals;
mod responses;
#[path = "../support/mod.rs"]
mod support;
mod verdicts;

use std::time::{Duration, Instant, SystemTime};

use proxy_core::rules::{
    Conditions, Denial, Mode, NamedUpstream, RequestKind, Rule, RuleSet, Schedule, StatusRange,
    Verdict,
};
use proxy_core::{
    Action, ConnectionHandler, Exchange, FixedUpstreamHandler, Kind, Reason, Response, RulesHandler,
};
use support::{Origin, PATIENCE, Stage};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\n\
                  Content-Length: 2\r\n\r\nok";
const PLAIN: &str = "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n";
const TUNNEL: &str = "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n";

/// A proxy with these rules.
fn stage(rules: RuleSet) -> Stage {
    let rules = rules.compile().unwrap();
    Stage::with(|builder| builder.handler(RulesHandler::new(rules)))
}

/// A proxy with one rule, named `it`.
fn ruled(verdict: Verdict, set: impl FnOnce(&mut Conditions)) -> Stage {
    stage(RuleSet::new([Rule::new("it", verdict).when(set)]))
}

/// Expects the next record to have this status, reason, and rule.
#[track_caller]
fn logs(stage: &Stage, status: Option<u16>, reason: Option<Reason>, rule: &str) -> u64 {
    let record = stage.closed();
    let record = record.as_record();
    assert_eq!((record.status, record.reason, record.rule), (status, reason, Some(rule)));
    record.id
}
