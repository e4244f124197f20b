//! Files of users and of groups. The input is both.

use std::collections::BTreeSet;
use std::fmt::Write;

use proxy_core::{Authentication, Authenticator, Client, GroupFile, Login, Password, PasswordFile};

pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    users(text);
    groups(text);
}

/// The lines that say something, as the documentation has it.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.split('\n').map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// A complaint is about a line that is there, and each of them has one at most.
fn point_into(text: &str, numbers: impl Iterator<Item = usize>) {
    let numbers: Vec<_> = numbers.collect();
    let count = text.split('\n').count();
    assert!(!numbers.is_empty() && numbers.iter().all(|line| (1..=count).contains(line)));
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
}

fn users(text: &str) {
    let file = match PasswordFile::parse(text) {
        Ok(file) => file,
        Err(errors) => {
            point_into(text, errors.iter().map(|error| error.line));
            for error in &errors {
                let line = text.split('\n').nth(error.line - 1).unwrap();
                let secret = line.split_once(':').map_or(line, |(_, hash)| hash).trim();
                // A short one may be like a word of what is said.
                let is_shown = secret.len() >= 24 && error.to_string().contains(secret);
                assert!(!is_shown, "{error} shows a hash, or a password");
            }
            return;
        }
    };
    assert_eq!((file.len(), file.names().count()), (lines(text).count(), file.len()));
    for line in lines(text) {
        let (name, hash) = line.split_once(':').expect("the file was taken");
        assert!(file.contains(name) && file.names().any(|own| own == name), "{name}");
        // The quick ones are looked at, and nobody gets in who is not there.
        let quick = ["$2b$04$", "$2y$04$", "$5$rounds=1000$", "$argon2id$v=19$m=8,t=1,p=1$"];
        if file.len() == 1 && quick.iter().any(|begin| hash.starts_with(begin)) {
            let client = Client::new(([192, 0, 2, 1], 1).into(), 0);
            let password = Password::new("right".to_owned());
            let check = |user: &str| file.check(&Login::new(user, &password, &client));
            assert_eq!(check(&format!("{name}x")), Authentication::Rejected);
            assert_ne!(check(name), Authentication::Unavailable);
        }
    }
}

fn groups(text: &str) {
    let file = match GroupFile::parse(text) {
        Ok(file) => file,
        Err(errors) => return point_into(text, errors.iter().map(|error| error.line)),
    };
    let names: Vec<_> = file.names().collect();
    let members = |group: &str| -> BTreeSet<&str> {
        file.users().filter(|user| file.of(user).any(|own| own == group)).collect()
    };
    // What was written has its say, and nothing else has.
    for line in lines(text) {
        let (name, users) = line.split_once(':').expect("the file was taken");
        assert!(names.contains(&name.trim()));
        let members = members(name.trim());
        assert!(users.split_whitespace().all(|user| members.contains(user)), "{line}");
    }
    // Printed, it can be read again. (Only the first line may begin with a byte order mark.)
    let mut printed = "\n".to_owned();
    for name in &names {
        let users: Vec<_> = members(name).into_iter().collect();
        writeln!(printed, "{name}: {}", users.join(" ")).unwrap();
    }
    let again = GroupFile::parse(&printed).expect("it was printed from one");
    assert_eq!(again.names().collect::<Vec<_>>(), names);
    for user in file.users() {
        let sorted = |file: &GroupFile| file.of(user).map(str::to_owned).collect::<BTreeSet<_>>();
        assert_eq!(sorted(&again), sorted(&file), "{user}");
    }
}
