//! Whether there are the users and the groups that throttles are about.

use proxy_core::throttle::Scope;

use super::WrittenThrottle;
use crate::complaint::{Complaint, did_you_mean};
use crate::settings::nearest;
use crate::users::Door;

/// Everything that is wrong about whom throttles are for. `door` is who asks for passwords.
pub fn check(throttles: &[WrittenThrottle], door: Option<&Door>) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for throttle in throttles.iter().filter(|throttle| throttle.scope == Scope::User) {
        let about = |problem: String| {
            Complaint::about(format!("[[throttle]] `{}`", throttle.name), problem)
        };
        let Some(door) = door else {
            let problem = "it is for users, and nobody is asked who they are: set `users` or \
                           `authenticator`";
            complaints.push(about(problem.to_owned()));
            continue;
        };
        let members = &throttle.members;
        complaints.extend(members.users.iter().filter_map(|name| {
            let meant = door.lacks(name)?;
            let problem = format!("users: the file of users has no user `{name}`");
            Some(about(problem).note(meant.map(did_you_mean)))
        }));
        let groups: Vec<_> = door.groups().names().collect();
        let unknown = members.groups.iter().filter(|name| !groups.contains(&name.as_str()));
        complaints.extend(unknown.map(|name| {
            let problem = format!("groups: there is no group `{name}`");
            about(problem).note(nearest(name, groups.iter().copied()).map(did_you_mean))
        }));
    }
    complaints
}
