//! Users and groups that rules name: whether anybody is asked who they are, and whether there are such.

use super::written::{Written, WrittenRule};
use crate::complaint::{Complaint, did_you_mean};
use crate::config::Config;
use crate::config_file::ConfigFile;
use crate::section::{Placed, Problem};
use crate::settings::nearest;

/// What is wrong with rules about users where nobody is asked for a password: they would never match.
pub fn unasked(written: &Written, file: &ConfigFile, config: &Config) -> Vec<Complaint> {
    if config.logins.are_asked_for() {
        return Vec::new();
    }
    let complaint = |rule: &WrittenRule| {
        let named = [("user", rule.users.first()), ("group", rule.groups.first())];
        let (key, first) = named.into_iter().find_map(|(key, first)| Some((key, first?)))?;
        let problem = format!(
            "rule `{}`: {key}: nobody is known: without `users` or `authenticator` nobody is asked \
             for a password",
            rule.rule.name
        );
        Some(file.complaint(first.span.clone(), problem))
    };
    written.rules.iter().filter_map(complaint).collect()
}

/// What there is to say of names that nobody has.
pub fn unknown(written: &Written, file: &ConfigFile, config: &Config) -> Vec<String> {
    let Some(door) = &config.door else { return Vec::new() };
    let mut warnings = Vec::new();
    for rule in &written.rules {
        let mut warn = |named: &Placed<String>, problem: Problem| {
            let told = problem.about(file, named.span.clone());
            warnings.push(told.to_string());
        };
        let begin = format!("warning: rule `{}`", rule.rule.name);
        for user in &rule.users {
            if let Some(meant) = door.lacks(&user.value) {
                let problem = format!("{begin}: the file of users has no `{}`", user.value);
                warn(user, Problem::from(problem).note(meant.map(did_you_mean)));
            }
        }
        for group in &rule.groups {
            if door.groups().names().any(|own| own == group.value) {
                continue;
            }
            let (problem, meant) = match &config.logins.groups {
                Some(path) => (
                    format!("{begin}: {} has no group `{}`", path.display(), group.value),
                    nearest(&group.value, door.groups().names()).map(did_you_mean),
                ),
                None => (
                    format!("{begin}: nobody is in the group `{}`", group.value),
                    Some("`groups` names the file that says who is".to_owned()),
                ),
            };
            warn(group, Problem::from(problem).note(meant));
        }
    }
    warnings
}
