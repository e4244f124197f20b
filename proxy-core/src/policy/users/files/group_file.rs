//! [`GroupFile`]: who belongs to which groups.

use std::collections::HashMap;

use super::{LineError, is_name, lines};

/// Who belongs to which groups, from a file as Apache's `AuthGroupFile` has it: a line for each
/// group, `NAME: USER USER`. Empty lines, and those that begin with `#`, say nothing. A group may have
/// several lines.
///
/// ```
/// use proxy_core::GroupFile;
///
/// let groups = GroupFile::parse("staff: ann bob\nadmins: ann\n").unwrap();
/// assert_eq!(groups.of("ann").collect::<Vec<_>>(), ["staff", "admins"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupFile {
    names: Vec<Box<str>>,
    /// The groups of each user, by their places among the names.
    of_user: HashMap<Box<str>, Vec<usize>>,
}

/// What is wrong with a line of a [`GroupFile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GroupFileError {
    /// There is no colon.
    #[error("expected `GROUP: USER USER`")]
    NoColon,
    /// The name is empty, or holds a control character.
    #[error("expected the name of a group before the colon")]
    Name,
    /// A user's name holds a colon.
    #[error("no user has a colon in the name: is this a file of passwords?")]
    User,
}

impl GroupFile {
    /// Reads what stands in a file.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the lines.
    pub fn parse(text: &str) -> Result<GroupFile, Vec<LineError<GroupFileError>>> {
        let (mut groups, mut errors) = (GroupFile::default(), Vec::new());
        for (line, content) in lines(text) {
            if let Err(problem) = groups.add(content) {
                errors.push(LineError { line, problem });
            }
        }
        if errors.is_empty() { Ok(groups) } else { Err(errors) }
    }

    /// The groups of a user, in the order of the file.
    pub fn of(&self, user: &str) -> impl Iterator<Item = &str> {
        let places = self.of_user.get(user).into_iter().flatten();
        places.map(|&place| &*self.names[place])
    }

    /// All groups there are, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// All users who are in any group.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.of_user.keys().map(|name| &**name)
    }

    fn add(&mut self, line: &str) -> Result<(), GroupFileError> {
        let (name, users) = line.split_once(':').ok_or(GroupFileError::NoColon)?;
        let name = name.trim();
        if !is_name(name) {
            return Err(GroupFileError::Name);
        }
        let known = self.names.iter().position(|own| **own == *name);
        let place = known.unwrap_or_else(|| {
            self.names.push(name.into());
            self.names.len() - 1
        });
        for user in users.split_whitespace() {
            if !is_name(user) {
                return Err(GroupFileError::User);
            }
            let groups = self.of_user.entry(user.into()).or_default();
            if !groups.contains(&place) {
                groups.push(place);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_the_groups_they_stand_in() {
        let text = "# office\nstaff: ann bob\r\n\nadmins :\tann\nstaff: cy ann\nnobody:\n";
        let groups = GroupFile::parse(text).unwrap();
        let of = |user| groups.of(user).collect::<Vec<_>>().join(" ");
        assert_eq!(["ann", "bob", "cy", "dan"].map(of), ["staff admins", "staff", "staff", ""]);
        assert_eq!(groups.names().collect::<Vec<_>>(), ["staff", "admins", "nobody"]);
        assert_eq!(groups.users().count(), 3);
    }

    #[test]
    fn everything_wrong_is_told_by_its_line() {
        let errors = GroupFile::parse("staff\n: ann\nann:x:y\n").unwrap_err();
        let told: Vec<_> = errors.iter().map(|it| (it.line, it.problem)).collect();
        let expected =
            [(1, GroupFileError::NoColon), (2, GroupFileError::Name), (3, GroupFileError::User)];
        assert_eq!(told, expected);
    }
}
