//! Whether somebody is let in at all: what is asked before any rule.
//!
//! ```text
//! bans ──▶ served clients ──▶ login ──▶ what the user may do ──▶ rules
//! ```

use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use proxy_core::{Ban, Cause, Reason, User, UserLimit};

use super::answer::Refused;
use super::asked::Asked;
use super::moment;
use crate::config::Config;
use crate::kept_file::KeptFile;
use crate::users::Door;

/// Who asks.
#[derive(Debug, Default)]
pub struct Admission {
    /// All that is known of the user, if somebody has logged in.
    pub user: Option<User>,
    /// Why they are not let in.
    pub refused: Option<Refused>,
    /// What there is to say beside it.
    pub notes: Vec<String>,
}

/// A question about an earlier time is one that no file of bans answers.
const PRESENT: Duration = Duration::from_secs(60);

impl Admission {
    /// Looks at what the configuration says of clients and users. `is_answered`: the proxy itself
    /// answers such a request, whoever asks.
    pub fn new(asked: &Asked, config: &Config, is_answered: bool) -> Admission {
        let mut admission = Admission::default();
        let ip = asked.client.address.ip();
        admission.refuse(Reason::Banned, always_banned(ip, config));
        if admission.refused.is_none() && config.bans.always.iter().any(|it| it.contains(ip)) {
            admission.notes.push(format!("{ip} stands in `ban`, and in `never-ban`, too"));
        }
        if let Some(path) = &config.ban_file {
            admission.look_for_ban(path, asked, config);
        }
        admission.refuse(Reason::ClientNotAllowed, not_served(ip, config));
        match (&config.door, &asked.user) {
            _ if is_answered => {}
            (Some(door), Some(name)) => admission.log_in(name, door, asked, config),
            (Some(_), None) => admission.ask(ip, config),
            (None, Some(name)) => {
                let note =
                    format!("nobody is asked for a password: that it is {name} is not known");
                admission.notes.push(note);
            }
            (None, None) => {}
        }
        admission
    }

    /// The first reason is the one that is told.
    fn refuse(&mut self, reason: Reason, because: Option<String>) {
        let refused = |because| Refused { reason, status: reason.status(), because };
        self.refused = self.refused.take().or(because.map(refused));
    }

    /// Whoever is banned in the file, and would be if the proxy was started now.
    fn look_for_ban(&mut self, path: &Path, asked: &Asked, config: &Config) {
        if SystemTime::now().duration_since(asked.time).is_ok_and(|ago| ago > PRESENT) {
            return;
        }
        let text = match KeptFile::read(path) {
            Ok(text) => text,
            Err(error) => {
                self.notes.push(format!("{} cannot be read: {error}", path.display()));
                return;
            }
        };
        let ip = asked.client.address.ip();
        let is_in_force = |ban: &Ban| {
            ban.network.contains(ip)
                && asked.time < ban.until
                && (ban.cause == Cause::ByHand || !config.bans.spares(ban.network.address()))
        };
        let bans = text.lines().filter_map(|line| line.parse().ok());
        let longest = bans.filter(is_in_force).max_by_key(|ban| ban.until);
        let because = longest.map(|ban| {
            let (network, until) = (ban.network, moment::stamp(ban.until));
            format!("{network} is banned until {until}: {} (ban-file)", ban.cause.word())
        });
        self.refuse(Reason::Banned, because);
    }

    /// Nobody has said who they are.
    fn ask(&mut self, ip: IpAddr, config: &Config) {
        if config.logins.spared.iter().any(|network| network.contains(ip)) {
            return;
        }
        let reason = match config.upstream {
            None => Reason::ProxyAuthenticationRequired,
            Some(_) => Reason::AuthenticationRequired,
        };
        let because = "a password is asked for: --user tells what becomes of a user's request";
        self.refuse(reason, Some(because.to_owned()));
    }

    /// Somebody has said so, and knows the password, if there is such a user.
    fn log_in(&mut self, name: &str, door: &Door, asked: &Asked, config: &Config) {
        if door.lacks(name).is_some() {
            let reason = match config.upstream {
                None => Reason::ProxyAuthenticationFailed,
                Some(_) => Reason::AuthenticationFailed,
            };
            return self.refuse(reason, Some(format!("the file of users has no {name} (users)")));
        }
        if let (None, [program, ..]) = (door.users(), &*config.logins.command) {
            self.notes.push(format!("whether there is such a user, {program} knows"));
        }
        let user = door.user(name);
        let (ip, host) = (asked.client.address.ip(), asked.head.host());
        let limit = user.limit(ip, host, || asked.time);
        let because = limit.map(|limit| {
            let key = match limit {
                UserLimit::Expired => "expires",
                UserLimit::Source => "from",
                UserLimit::Destination => "to",
                _ => "what stands",
            };
            format!("{} ({key} in [user.{name}])", limit.explanation())
        });
        self.refuse(Reason::UserNotAllowed, because);
        self.user = Some(user);
    }
}

fn always_banned(ip: IpAddr, config: &Config) -> Option<String> {
    config.bans.bans_for_good(ip).then(|| format!("{ip} is banned for good (ban)"))
}

/// Who is not served is refused before any rule is asked.
fn not_served(ip: IpAddr, config: &Config) -> Option<String> {
    let is_served = config.allow_open_proxy
        || config.allow_client.is_empty()
        || config.allow_client.iter().any(|network| network.contains(ip));
    (!is_served).then(|| format!("{ip} is not served (allow-client)"))
}
