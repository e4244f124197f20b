//! Users: who is asked for a password, and who can tell whether it is right.
//!
//! ```text
//! users, groups, [user.…] ──▶ Logins, plain data ── open ──▶ Directory ──▶ Door ──▶ AuthHandler
//! ```

mod directory;
mod helper;
mod section;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use proxy_core::{
    AuthHandler, ConnectionHandler, GroupFile, LoginFailures, LoginPolicy, Network, PasswordFile,
};

use crate::complaint::Complaint;
use directory::Directory;
use helper::Helper;
pub use section::{KEY, Sections};

/// All that is set about users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logins {
    pub users: Option<PathBuf>,
    /// In the place of a file of users: a command, or nothing.
    pub command: Vec<String>,
    pub processes: usize,
    /// How long an answer of it may take.
    pub patience: Duration,
    pub groups: Option<PathBuf>,
    pub realm: Option<String>,
    /// Who is not asked.
    pub spared: Vec<Network>,
    /// How long what was right is remembered.
    pub time: Duration,
    pub policy: LoginPolicy,
    /// What each user may do.
    pub sections: Sections,
}

/// Who asks for passwords, once all files have been read.
#[derive(Clone, Debug)]
pub struct Door {
    /// How many users there are, if that is known.
    pub users: Option<usize>,
    /// Who they are.
    known: Option<Arc<PasswordFile>>,
    groups: GroupFile,
    directory: Arc<Directory>,
    failures: LoginFailures,
}

/// How many logins are remembered.
const REMEMBERED: usize = 16_384;

impl Default for Logins {
    fn default() -> Logins {
        Logins {
            users: None,
            command: Vec::new(),
            processes: 5,
            patience: Duration::from_secs(10),
            groups: None,
            realm: None,
            spared: Vec::new(),
            time: Duration::from_secs(300),
            policy: LoginPolicy::default(),
            sections: Sections::default(),
        }
    }
}

impl Logins {
    /// Reads the files. `None` if nobody is to be asked.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn open(&self) -> Result<Option<Door>, Vec<Complaint>> {
        let mut complaints = Vec::new();
        let users = match &self.users {
            Some(path) => passwords(path).map(Some).map_err(|wrong| complaints.extend(wrong)),
            None if self.command.is_empty() => return Ok(None),
            None => Ok(None),
        };
        let groups = match &self.groups {
            Some(path) => groups(path).map_err(|wrong| complaints.extend(wrong)),
            None => Ok(GroupFile::default()),
        };
        let (Ok(users), Ok(groups)) = (users, groups) else { return Err(complaints) };
        let sections = self.sections.clone();
        let users = users.map(Arc::new);
        let count = users.as_ref().map(|users| users.len());
        let (known, in_groups) = (users.clone(), groups.clone());
        let directory = match users {
            Some(users) => {
                let nobody = |name: &&String| !users.contains(name);
                let complaint = |name| {
                    Complaint::about(format!("[user.{name}]"), "the file of users has no such user")
                };
                complaints.extend(sections.names().filter(nobody).map(complaint));
                Directory::new(users, groups, sections)
            }
            None => {
                let helper = Helper::new(self.command.clone(), self.processes, self.patience);
                Directory::new(helper, groups, sections)
            }
        };
        if !complaints.is_empty() {
            return Err(complaints);
        }
        let (directory, failures) = (Arc::new(directory), LoginFailures::default());
        Ok(Some(Door { users: count, known, groups: in_groups, directory, failures }))
    }

    /// What is set, and has no effect if nobody is asked for a password.
    pub fn set_in_vain(&self) -> Option<&'static str> {
        if self.users.is_some() || !self.command.is_empty() {
            return None;
        }
        let set = [
            ("groups", self.groups.is_some()),
            ("realm", self.realm.is_some()),
            ("no_login_from", !self.spared.is_empty()),
        ];
        set.into_iter().find(|(_, is_set)| *is_set).map(|(name, _)| name)
    }
}

impl Door {
    /// Has it stand in front of a handler.
    pub fn in_front_of<H: ConnectionHandler>(&self, logins: &Logins, handler: H) -> AuthHandler<H> {
        AuthHandler::new(Arc::clone(&self.directory))
            .with_realm(logins.realm.as_deref().unwrap_or("proxy"))
            .with_policy(logins.policy.clone())
            .counting(self.failures.clone())
            .sparing(logins.spared.iter().copied())
            .remembering(REMEMBERED, logins.time)
            .in_front_of(handler)
    }

    /// Whether there is such a user, if that is known.
    pub fn has_user(&self, name: &str) -> Option<bool> {
        Some(self.known.as_ref()?.contains(name))
    }

    /// The groups there are.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.names()
    }

    /// Goes on counting where another one has counted.
    pub fn succeed(&mut self, before: &Door) {
        self.failures = before.failures.clone();
    }
}

/// Two of them are never the same: what is in the files may differ.
impl PartialEq for Door {
    fn eq(&self, other: &Door) -> bool {
        Arc::ptr_eq(&self.directory, &other.directory)
    }
}

impl Eq for Door {}

fn passwords(path: &Path) -> Result<PasswordFile, Vec<Complaint>> {
    let text = read(path)?;
    PasswordFile::parse(&text).map_err(|errors| {
        // Without the line: it may hold a password.
        let about = |line| format!("{}:{line}", shown(path));
        errors.iter().map(|it| Complaint::about(about(it.line), it.problem.to_string())).collect()
    })
}

fn groups(path: &Path) -> Result<GroupFile, Vec<Complaint>> {
    let text = read(path)?;
    GroupFile::parse(&text).map_err(|errors| {
        let line = |number: usize| {
            let before: usize = text.split_inclusive('\n').take(number - 1).map(str::len).sum();
            let length = text[before..].lines().next().map_or(0, str::len);
            before..before + length
        };
        let name = shown(path);
        let complaint = |it: &proxy_core::LineError<proxy_core::GroupFileError>| {
            Complaint::within(&name, &text, line(it.line), it.problem.to_string())
        };
        errors.iter().map(complaint).collect()
    })
}

fn read(path: &Path) -> Result<String, Vec<Complaint>> {
    fs::read_to_string(path)
        .map_err(|error| vec![Complaint::about(shown(path), format!("cannot be read: {error}"))])
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
