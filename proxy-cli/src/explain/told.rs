//! An [`Answer`] for people: lines that fit into 80 columns.

use std::fmt::Write;

use proxy_core::rules::{Condition, Finding, Outcome, Step};

use super::answer::Answer;
use super::asked::Asked;
use super::{limits, moment};
use crate::config::Config;
use crate::rules::{Labels, keys};

const COLUMNS: usize = 80;

/// What is shown of a long list of values. JSON has all of it.
const SHOWN: usize = 100;

/// Everything, line by line.
pub fn text(answer: &Answer, asked: &Asked, config: &Config) -> String {
    let mut lines = Lines(String::new());
    let head = &asked.head;
    lines.0 += &format!("{} {}\n", head.method(), head.target());
    let mut from = format!("from {}", asked.client.address.ip().to_canonical());
    if let Some(user) = &answer.user {
        from += &format!(", user {}", user.name);
        if !user.groups.is_empty() {
            from += &format!(" of {}", user.groups.join(", "));
        }
    }
    if config.listeners().len() > 1 {
        from += &format!(", at {}", asked.listener);
    }
    if config.ruled.as_ref().is_some_and(|ruled| ruled.rules().know_hours()) {
        let shown = moment::local(asked.time, &config.time_zone.zone());
        from += &format!(", {shown} ({})", config.time_zone.name());
    }
    lines.0 += &format!("{from}\n\n");
    if let Some(ruled) = &config.ruled {
        steps(&answer.explanation.steps, ruled.labels(), asked, &mut lines);
        lines.0.push('\n');
    }
    result(answer, &mut lines);
    for limit in limits::of(answer, asked, config) {
        lines.labelled("limit", &limit.text());
    }
    answer.notes.iter().for_each(|it| lines.labelled("note", it));
    lines.0
}

/// A line or some for each rule that was looked at.
fn steps(steps: &[Step], labels: &[Labels], asked: &Asked, lines: &mut Lines) {
    let looked = steps.iter().filter(|step| step.outcome != Outcome::NotReached);
    let width = looked.map(|step| step.rule.len()).max().unwrap_or_default();
    let mut unlooked = Vec::new();
    for (step, labels) in steps.iter().zip(labels) {
        let word = match step.outcome {
            Outcome::Decides => "yes",
            Outcome::Reports => "report",
            Outcome::Fails => "no",
            Outcome::AwaitsResponse => "wait",
            _ => {
                unlooked.push(&*step.rule);
                continue;
            }
        };
        // Of those that fail, why; of the others, all.
        let failing = step.outcome == Outcome::Fails;
        let findings = step.findings.iter().filter(|finding| finding.holds != failing);
        let mut told: Vec<_> = findings.map(|finding| told(finding, labels, asked)).collect();
        match step.outcome {
            Outcome::AwaitsResponse => told.push("for the response".to_owned()),
            Outcome::Decides | Outcome::Reports if step.findings.is_empty() => {
                told.push("always".to_owned());
            }
            _ => {}
        }
        let label = format!("{word:6}  {:width$}  ", step.rule);
        for (index, told) in told.iter().enumerate() {
            let label = if index == 0 { &label } else { "" };
            lines.wrapped(label, width + 10, told);
        }
    }
    if !unlooked.is_empty() {
        lines.wrapped("-       ", 8, &format!("not looked at: {}", unlooked.join(", ")));
    }
}

/// A condition, and whether it holds.
fn told(finding: &Finding, labels: &Labels, asked: &Asked) -> String {
    let condition = finding.condition;
    let (what, yes, no) = match condition {
        Condition::ClientList => ("client", "is in the list", "is not in the list"),
        Condition::DomainList => ("host", "is in the list", "is not in the list"),
        _ => {
            let key = keys(condition).first().copied();
            (key.unwrap_or(condition.word()), "matches", "does not match")
        }
    };
    let found =
        shortened(if condition == Condition::Listener { &asked.listener } else { &finding.found });
    let wanted = labels.wanted(condition).unwrap_or_else(|| finding.wanted.clone());
    format!("{what} {found} {} {}", if finding.holds { yes } else { no }, shortened(&wanted))
}

fn result(answer: &Answer, lines: &mut Lines) {
    match &answer.refused {
        None if answer.awaits_response() => {
            lines.labelled("result", "allowed, but for rules that wait for the response");
        }
        None => lines.labelled("result", "allowed"),
        Some(refused) if refused.is_silent() => {
            lines.labelled("result", &format!("the connection is closed, {}", refused.because));
        }
        Some(refused) => {
            let told =
                format!("refused with {} {}, {}", refused.status, refused.reason, refused.because);
            lines.labelled("result", &told);
        }
    }
    if let Some(delay) = answer.delay() {
        lines.labelled("delay", &crate::duration::show(delay));
    }
    if let Some(denial) = answer.denial() {
        denial.message().iter().for_each(|message| lines.labelled("message", message));
        denial.redirect().iter().for_each(|url| lines.labelled("sent to", url));
    }
    answer.goes_to.iter().for_each(|it| lines.labelled("goes to", it));
    answer.guard.iter().for_each(|it| lines.labelled("guard", it));
    if !answer.limits.is_empty() {
        let limits: Vec<_> =
            answer.limits.iter().map(|(name, value)| format!("{name} {value}")).collect();
        lines.labelled("limits", &limits.join(", "));
    }
}

/// A list of values that is not too long to be read.
fn shortened(values: &str) -> String {
    if values.len() <= SHOWN {
        return values.to_owned();
    }
    let all: Vec<_> = values.split(", ").collect();
    let mut shown = String::new();
    for (index, value) in all.iter().enumerate() {
        if index > 0 && shown.len() + value.len() > SHOWN {
            return format!("{shown} and {} more", all.len() - index);
        }
        write!(shown, "{}{value}", if index == 0 { "" } else { ", " })
            .expect("writing to a string does not fail");
    }
    shown
}

struct Lines(String);

impl Lines {
    fn labelled(&mut self, label: &str, text: &str) {
        self.wrapped(&format!("{label:8}"), 8, text);
    }

    /// Text behind a label, in as many lines as it takes: those that follow are indented.
    fn wrapped(&mut self, label: &str, indent: usize, text: &str) {
        let mut line = format!("{label:indent$}");
        let mut is_begun = false;
        for word in text.split_whitespace() {
            if is_begun && line.chars().count() + 1 + word.chars().count() > COLUMNS {
                self.0 += line.trim_end();
                self.0.push('\n');
                line = " ".repeat(indent);
                is_begun = false;
            }
            if is_begun {
                line.push(' ');
            }
            line += word;
            is_begun = true;
        }
        self.0 += line.trim_end();
        self.0.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_go_on_below_their_beginning() {
        let mut lines = Lines(String::new());
        lines.labelled("note", &"word ".repeat(30));
        let lengths: Vec<_> = lines.0.lines().map(str::len).collect();
        assert_eq!(lengths, [77, 77, 17]);
        assert!(lines.0.lines().skip(1).all(|line| line.starts_with("        word")));
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let hosts: Vec<_> = (0..40).map(|number| format!("host{number}.example")).collect();
        let shown = shortened(&hosts.join(", "));
        assert!(shown.starts_with("host0.example, host1.example, ") && shown.ends_with(" more"));
        assert!(shown.len() < 120, "{shown}");
        assert_eq!(shortened("a, b"), "a, b");
    }
}
