//! [`PasswordFile`]: users and the hashes of their passwords.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};

use super::stored_hash::{HashProblem, StoredHash};
use super::{LineError, is_name, lines};
use crate::policy::{Authentication, Authenticator, Login, User};

/// Users and the hashes of their passwords, from a file as Apache's `htpasswd` writes it: a line for
/// each, `NAME:HASH`. Empty lines, and those that begin with `#`, say nothing.
///
/// The hashes can be of these kinds: argon2id as a PHC string, bcrypt (`$2y$`, `$2b$`, `$2a$`), and
/// SHA-crypt (`$6$`, `$5$`). Weaker ones are refused.
///
/// A user who is not there costs as much time as one who is: the hash of another one, always the same
/// for the same name, is looked at in vain.
///
/// ```
/// use proxy_core::{AuthHandler, PasswordFile};
///
/// let file = "ann:$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n";
/// let users = PasswordFile::parse(file).map_err(|errors| errors[0].clone())?;
/// let handler = AuthHandler::new(users);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PasswordFile {
    hashes: Vec<StoredHash>,
    /// Whose is which.
    users: HashMap<Box<str>, usize>,
    hasher: RandomState,
}

/// What is wrong with a line of a [`PasswordFile`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordLineError {
    /// There is no colon.
    #[error("expected NAME:HASH")]
    NoColon,
    /// The name is empty, or holds a control character.
    #[error("expected the name of a user before the colon")]
    Name,
    /// There is a line for this user already.
    #[error("there is another line for {0:?}")]
    Twice(String),
    /// The hash is not taken. The line is not shown: it may hold a password.
    #[error(transparent)]
    Hash(#[from] HashProblem),
}

impl PasswordFile {
    /// Reads what stands in a file.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the lines.
    pub fn parse(text: &str) -> Result<PasswordFile, Vec<LineError<PasswordLineError>>> {
        let (mut hashes, mut users) = (Vec::new(), HashMap::new());
        let mut errors = Vec::new();
        for (line, content) in lines(text) {
            let entry = entry(content).and_then(|(name, hash)| match users.entry(name.into()) {
                Entry::Vacant(place) => {
                    place.insert(hashes.len());
                    Ok(hash)
                }
                Entry::Occupied(_) => Err(PasswordLineError::Twice(name.to_owned())),
            });
            match entry {
                Ok(hash) => hashes.push(hash),
                Err(problem) => errors.push(LineError { line, problem }),
            }
        }
        match errors.is_empty() {
            true => Ok(PasswordFile { hashes, users, hasher: RandomState::new() }),
            false => Err(errors),
        }
    }

    /// Whether there is a user of this name.
    pub fn contains(&self, user: &str) -> bool {
        self.users.contains_key(user)
    }

    /// Their names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.users.keys().map(|name| &**name)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}

fn entry(line: &str) -> Result<(&str, StoredHash), PasswordLineError> {
    let (name, hash) = line.split_once(':').ok_or(PasswordLineError::NoColon)?;
    if !is_name(name) {
        return Err(PasswordLineError::Name);
    }
    Ok((name, StoredHash::parse(hash)?))
}

impl Authenticator for PasswordFile {
    fn check(&self, login: &Login<'_>) -> Authentication {
        let known = self.users.get(login.user).copied();
        let in_vain = || {
            let hash = self.hasher.hash_one(login.user) as usize;
            hash.checked_rem(self.hashes.len())
        };
        let Some(place) = known.or_else(in_vain) else { return Authentication::Rejected };
        let is_right = self.hashes[place].verify(login.password);
        match is_right && known.is_some() {
            true => Authentication::Accepted(User::new(login.user)),
            false => Authentication::Rejected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::Client;
    use crate::policy::Password;

    const ANN: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

    fn check(file: &PasswordFile, user: &str, password: &str) -> Authentication {
        let client = Client::new("192.0.2.1:1".parse().unwrap(), 0);
        file.check(&Login::new(user, &Password::new(password.to_owned()), &client))
    }

    #[test]
    fn users_are_known_by_their_passwords() {
        let text = format!("\u{feff}# those of the office\r\n\r\n ann:{ANN} \r\nbörje b:{ANN}\n");
        let file = PasswordFile::parse(&text).unwrap();
        assert_eq!((file.len(), file.contains("ann"), file.contains("Ann")), (2, true, false));
        assert!(file.names().all(|name| file.contains(name)) && file.names().count() == 2);
        for name in ["ann", "börje b"] {
            assert_eq!(check(&file, name, "U*U"), Authentication::Accepted(User::new(name)));
            assert_eq!(check(&file, name, "U*V"), Authentication::Rejected);
        }
        // What is looked at in vain may be right: it is another one's.
        assert_eq!(check(&file, "cy", "U*U"), Authentication::Rejected);
        assert_eq!(
            check(&PasswordFile::parse("").unwrap(), "ann", "U*U"),
            Authentication::Rejected
        );
    }

    /// By the time that it takes, nobody can tell who is there. (One who is not looked at takes a
    /// ten-thousandth of it, on any machine.)
    #[test]
    fn who_is_not_there_is_looked_at_for_as_long() {
        let hash = crate::policy::hash_password(&Password::new("right".to_owned())).unwrap();
        let file = PasswordFile::parse(&format!("ann:{hash}\n")).unwrap();
        let shortest = |user: &str| {
            let time = |_| {
                let begun = std::time::Instant::now();
                assert_eq!(check(&file, user, "wrong"), Authentication::Rejected);
                begun.elapsed()
            };
            (0..5).map(time).min().unwrap()
        };
        let (known, unknown) = (shortest("ann"), shortest("nobody"));
        assert!(unknown * 4 > known, "{unknown:?}, and {known:?} for one who is there");
    }

    #[test]
    fn everything_wrong_is_told_by_its_line_and_no_line_is_shown() {
        let text = format!("ann:{ANN}\nsecret\n:{ANN}\n#\nann:{ANN}\nbob:secret\ncy:{ANN}:x\n");
        let errors = PasswordFile::parse(&text).unwrap_err();
        let told: Vec<_> = errors.iter().map(|it| it.line).collect();
        assert_eq!(told, [2, 3, 5, 6, 7]);
        assert_eq!(errors[2].to_string(), "line 5: there is another line for \"ann\"");
        assert!(errors.iter().all(|error| !error.to_string().contains("secret")));
    }
}
