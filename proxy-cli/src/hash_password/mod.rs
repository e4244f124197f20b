//! `proxy-cli hash-password`: a line for the file of users.

mod typed;

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};
use proxy_core::{Password, hash_password};

use crate::tell::tell;
use crate::{WRONG, fail};

/// What was asked for.
#[derive(Debug, Default)]
pub struct Arguments {
    user: Option<String>,
}

/// The name of the subcommand.
pub const NAME: &str = "hash-password";

/// The longest password that is read, in bytes: clients send no longer ones.
const LONGEST: u64 = 512;

impl Arguments {
    pub fn from_matches(matches: &ArgMatches) -> Arguments {
        Arguments { user: matches.get_one("user").cloned() }
    }
}

/// `proxy-cli hash-password`.
pub fn command() -> Command {
    let name =
        |text: &str| match text.is_empty() || text.contains(|c: char| c == ':' || c.is_control()) {
            true => Err("no user has an empty name, or one with a colon or a control character"),
            false => Ok(text.to_owned()),
        };
    Command::new(NAME)
        .about("Make a line for the file of users")
        .long_about(
            "Reads a password, twice and without showing it where it is typed, else a line of \
             standard input, and prints a line for the file that the setting `users` names: \
             USER:HASH. The hash is argon2id's.",
        )
        .arg(
            Arg::new("user")
                .value_name("USER")
                .value_parser(name)
                .help("Whose password it is; without it, only the hash is printed"),
        )
}

/// Reads a password and prints the line.
pub fn run(arguments: &Arguments) -> ExitCode {
    let password = match read() {
        Ok(password) => password,
        Err(error) => return fail(&error),
    };
    if let Some(problem) = problem(password.expose()) {
        tell!("proxy-cli: {problem}");
        return ExitCode::from(WRONG);
    }
    let Some(hash) = hash_password(&password) else {
        tell!("proxy-cli: the system has no randomness to give");
        return ExitCode::FAILURE;
    };
    let line = match &arguments.user {
        Some(user) => format!("{user}:{hash}\n"),
        None => format!("{hash}\n"),
    };
    match io::stdout().write_all(line.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn read() -> io::Result<Password> {
    if io::stdin().is_terminal() {
        let password = typed::ask("password: ")?;
        let again = typed::ask("the same again: ")?;
        return match password.expose() == again.expose() {
            true => Ok(password),
            false => Err(io::Error::other("these are two different passwords")),
        };
    }
    let mut line = String::new();
    // One more than fits, and the end of a line, so that what is too long is noticed.
    io::stdin().lock().take(LONGEST + 3).read_line(&mut line)?;
    let password = line.strip_suffix('\n').map_or(&*line, |it| it.strip_suffix('\r').unwrap_or(it));
    Ok(Password::new(password.to_owned()))
}

/// What is wrong with a password: with one of those no client could log in.
fn problem(password: &str) -> Option<&'static str> {
    if password.is_empty() {
        Some("an empty password is none")
    } else if password.len() as u64 > LONGEST {
        Some("no client sends a password of more than 512 bytes")
    } else if password.contains(char::is_control) {
        Some("no client can send a control character in a password (RFC 7617 section 2)")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_client_can_send_is_no_password() {
        for (password, is_one) in
            [("", false), ("a", true), ("a:b c", true), ("ü\t", false), ("\u{85}", false)]
        {
            assert_eq!(problem(password).is_none(), is_one, "{password:?}");
        }
        assert!(problem(&"x".repeat(512)).is_none() && problem(&"x".repeat(513)).is_some());
    }

    #[test]
    fn a_user_has_a_name() {
        let parse = |arguments: &[&str]| {
            let matches = command().try_get_matches_from([&[NAME], arguments].concat())?;
            Ok::<_, clap::Error>(Arguments::from_matches(&matches).user)
        };
        assert_eq!(parse(&[]).unwrap(), None);
        assert_eq!(parse(&["ann b"]).unwrap().as_deref(), Some("ann b"));
        assert!(parse(&["a:b"]).is_err() && parse(&[""]).is_err());
    }
}
