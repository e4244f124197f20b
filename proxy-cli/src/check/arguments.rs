//! [`Arguments`]: the flags of `proxy-cli check`.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

/// What was asked for.
#[derive(Debug, Default)]
pub struct Arguments {
    pub config: Option<PathBuf>,
}

/// The name of the subcommand.
pub const NAME: &str = "check";

impl Arguments {
    pub fn from_matches(matches: &ArgMatches) -> Arguments {
        Arguments { config: matches.get_one("config").cloned() }
    }
}

/// `proxy-cli check`.
pub fn command() -> Command {
    Command::new(NAME)
        .about("Show what upstreams get to know of clients")
        .long_about(
            "Sends a request as of a browser through a proxy with this configuration, to a server \
             that is started for it, and shows what arrives there, marked by what it gives away. \
             All of it happens on this machine; nothing is asked of anybody else.",
        )
        .arg(
            Arg::new("privacy")
                .long("privacy")
                .action(ArgAction::SetTrue)
                .required(true)
                .help("Check what is told of clients"),
        )
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("The configuration; without it, the defaults"),
        )
}
