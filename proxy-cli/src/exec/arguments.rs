//! [`Arguments`]: the flags of `proxy-cli exec`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::allowed::Allowed;

/// What was asked for.
#[derive(Debug, Default)]
pub struct Arguments {
    pub allow: Vec<Allowed>,
    pub allow_from: Vec<PathBuf>,
    pub deny_all: bool,
    pub config: Option<PathBuf>,
    pub log: Option<PathBuf>,
    pub learn: Option<PathBuf>,
    pub isolate: bool,
    pub quiet: bool,
    pub verbose: bool,
    /// The command and its arguments: at least one.
    pub command: Vec<OsString>,
}

/// The name of the subcommand.
pub const NAME: &str = "exec";

impl Arguments {
    pub fn from_matches(matches: &ArgMatches) -> Arguments {
        let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
        Arguments {
            allow: matches.get_many("allow").into_iter().flatten().cloned().collect(),
            allow_from: matches.get_many("allow-from").into_iter().flatten().cloned().collect(),
            deny_all: matches.get_flag("deny-all"),
            config: path("config"),
            log: path("log"),
            learn: path("learn"),
            isolate: matches.get_flag("isolate"),
            quiet: matches.get_flag("quiet"),
            verbose: matches.get_flag("verbose"),
            command: matches.get_many("command").into_iter().flatten().cloned().collect(),
        }
    }
}

/// `proxy-cli exec`.
pub fn command() -> Command {
    let on = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    let file = |name: &'static str| {
        Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(PathBuf))
    };
    Command::new(NAME)
        .about("Run a command behind a proxy of its own, and tell what it asked for")
        .long_about(
            "Runs a command behind a proxy of its own, and tells at the end, on standard error, \
             what it asked for.\n\n\
             The proxy listens on a free loopback port and ends with the command, which finds it \
             in http_proxy, https_proxy and all_proxy, in either case; localhost is excepted \
             (no_proxy). A command can ignore these variables: to see what it does if it does not \
             mean to hide, that is enough; to confine it, it is not, and takes --isolate.",
        )
        .after_long_help(
            "Exit codes: that of the command, or 128 and the number of the signal that ended it; \
             127 if it was not found, 126 if it could not be run; 125 if the proxy could not be \
             started, 2 for wrong usage or configuration.\n\n\
             SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 are passed on to the command.",
        )
        .arg(
            Arg::new("allow")
                .long("allow")
                .value_name("HOST[:PORT]")
                .action(ArgAction::Append)
                .value_parser(|text: &str| text.parse::<Allowed>())
                .help(
                    "Let the command go to this host, and to no others but those that are allowed, \
                     too; `.example.com` is that domain and all that is in it",
                ),
        )
        .arg(
            file("allow-from")
                .action(ArgAction::Append)
                .help("Allow the hosts in this file, one a line, as --learn writes it"),
        )
        .arg(on("deny-all").help("Refuse all hosts that are not allowed, also where none is"))
        .arg(file("config").help("Read the proxy's settings from this TOML file"))
        .arg(file("log").help("Append the access log to this file"))
        .arg(file("learn").help(
            "Write the hosts that were asked for to this file, also those that were refused: \
             with --allow-from, the same run would pass",
        ))
        .arg(on("isolate").help(
            "Leave the command no way out but the proxy (Linux): it gets a network of its own, \
             with nothing in it but its loopback interface",
        ))
        .arg(on("quiet").short('q').help("Do not tell at the end what was asked for"))
        .arg(
            on("verbose")
                .short('v')
                .help("Tell on standard error what happens to each failing request"),
        )
        .arg(
            Arg::new("command")
                .value_name("COMMAND")
                .value_parser(value_parser!(OsString))
                .num_args(1..)
                .required(true)
                // What stands behind it is its own, also what looks like a flag of this program.
                .trailing_var_arg(true)
                .help("The command and its arguments"),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Arguments, clap::Error> {
        let matches = command().try_get_matches_from([&[NAME], arguments].concat())?;
        Ok(Arguments::from_matches(&matches))
    }

    #[test]
    fn the_flags_are_consistent() {
        command().debug_assert();
    }

    #[test]
    fn flags_behind_the_command_are_its_own() {
        for arguments in [
            &["--allow", "a.test", "--", "curl", "-v", "--allow", "b.test"][..],
            &["--allow", "a.test", "curl", "-v", "--allow", "b.test"],
        ] {
            let parsed = parse(arguments).unwrap();
            assert_eq!(parsed.command, ["curl", "-v", "--allow", "b.test"]);
            assert_eq!(parsed.allow, ["a.test".parse().unwrap()]);
            assert!(!parsed.verbose);
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (arguments, expected) in [
            (&["--deny-all"][..], "<COMMAND>..."),
            (&["--allow", "https://a.test", "--", "curl"], "not a URL"),
            (&["--alow", "a.test", "--", "curl"], "--allow"),
        ] {
            let error = parse(arguments).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
