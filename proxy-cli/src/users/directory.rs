//! [`Directory`]: users with all that is known of them.

use proxy_core::{Authentication, Authenticator, GroupFile, Login, User};

use super::section::Sections;

/// Adds to a user that somebody else knows the groups, and what the configuration says.
pub struct Directory {
    passwords: Box<dyn Authenticator>,
    groups: GroupFile,
    sections: Sections,
}

impl Directory {
    pub fn new(passwords: impl Authenticator, groups: GroupFile, sections: Sections) -> Directory {
        Directory { passwords: Box::new(passwords), groups, sections }
    }

    /// All that is known of a user of this name, whoever that is.
    pub fn user(&self, name: &str) -> User {
        let mut user = User::new(name);
        self.complete(&mut user);
        user
    }

    pub fn groups(&self) -> &GroupFile {
        &self.groups
    }

    fn complete(&self, user: &mut User) {
        user.groups.extend(self.groups.of(&user.name).map(str::to_owned));
        if let Some(section) = self.sections.of(&user.name) {
            section.limit(user);
        }
    }
}

impl Authenticator for Directory {
    fn check(&self, login: &Login<'_>) -> Authentication {
        let mut answer = self.passwords.check(login);
        if let Authentication::Accepted(user) = &mut answer {
            self.complete(user);
        }
        answer
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proxy_core::{Client, Password};

    use super::*;
    use crate::users::section::UserSection;

    struct Everybody;

    impl Authenticator for Everybody {
        fn check(&self, login: &Login<'_>) -> Authentication {
            Authentication::Accepted(User::new(login.user))
        }
    }

    #[test]
    fn a_user_has_groups_and_limits() {
        let section = UserSection {
            until: Some(UNIX_EPOCH + Duration::from_secs(1)),
            from: vec!["10.0.0.0/8".parse().unwrap()],
            to: vec![".a.test".parse().unwrap()],
            ..UserSection::default()
        };
        let sections = [("ann".to_owned(), section)].into_iter().collect();
        let groups = GroupFile::parse("staff: ann bob").unwrap();
        let directory = Directory::new(Everybody, groups, sections);
        let check = |name| {
            let client = Client::new("192.0.2.1:1".parse().unwrap(), 0);
            match directory.check(&Login::new(name, &Password::new(String::new()), &client)) {
                Authentication::Accepted(user) => user,
                other => panic!("{other:?}"),
            }
        };
        let ann = check("ann");
        assert!(ann.is_in("staff") && ann.until.is_some());
        assert_eq!((ann.from.len(), ann.to.len()), (1, 1));
        let bob = check("bob");
        assert!(bob.is_in("staff") && bob.until.is_none() && bob.from.is_empty());
        assert_eq!(check("cy"), User::new("cy"));
        assert_eq!((directory.user("ann"), directory.user("cy")), (ann, check("cy")));
    }
}
