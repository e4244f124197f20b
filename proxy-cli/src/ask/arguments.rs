//! [`Question`]: what the subcommands for a running proxy are asked for.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use proxy_core::{ConnectionId, Network};

use crate::duration;

/// A question, and whom to ask.
#[derive(Debug)]
pub struct Question {
    pub address: String,
    pub token_file: Option<PathBuf>,
    /// To show what comes as it comes.
    pub json: bool,
    pub subject: Subject,
}

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Subject {
    Status,
    /// All connections, at most so many.
    Connections(Option<u64>),
    /// To close one.
    Close(ConnectionId),
    Bans,
    /// To ban somebody, for a time.
    Ban(Network, Option<Duration>),
    Lift(Network),
    Drain,
    Reload,
    /// Records as they are made, by a query.
    Events(String),
}

/// The names of the subcommands.
pub const NAMES: [&str; 6] = ["status", "connections", "bans", "drain", "reload", "events"];

/// Where the documents put it.
const ADDRESS: &str = "127.0.0.1:9901";

/// Filters of events that have a value.
const FILTERS: [(&str, &str, &str); 6] = [
    ("host", "HOST", "Only requests for this host; .example.com for a domain, * for any bytes"),
    ("client", "ADDR/BITS", "Only those of clients in this network"),
    ("user", "NAME", "Only those of this user"),
    ("status", "N|Nxx", "Only those answered with this status, or with one of a class: 4xx"),
    ("reason", "CODE", "Only those that ended for this reason"),
    ("slower", "TIME", "Only those that took longer, as 500ms or 2s"),
];

impl Question {
    pub fn from_matches(name: &str, matches: &ArgMatches) -> Question {
        let subject = match name {
            "connections" => match matches.get_one("close") {
                Some(id) => Subject::Close(*id),
                None => Subject::Connections(matches.get_one("most").copied()),
            },
            "bans" => match matches.subcommand() {
                Some((task, matches)) => {
                    let network = *matches.get_one("network").expect("it is required");
                    match task {
                        "add" => Subject::Ban(network, matches.get_one("time").copied()),
                        _ => Subject::Lift(network),
                    }
                }
                None => Subject::Bans,
            },
            "drain" => Subject::Drain,
            "reload" => Subject::Reload,
            "events" => Subject::Events(query(matches)),
            _ => Subject::Status,
        };
        // Those of `bans add` may stand behind it, or before.
        let own = matches.subcommand().map_or(matches, |(_, own)| own);
        let places = [own, matches];
        let address = places.iter().find_map(|place| place.get_one::<String>("admin"));
        let token_file = places.iter().find_map(|place| place.get_one::<PathBuf>("token-file"));
        Question {
            address: address.map_or_else(|| ADDRESS.to_owned(), String::clone),
            token_file: token_file.cloned(),
            json: places.iter().any(|place| place.get_flag("json")),
            subject,
        }
    }
}

impl Subject {
    /// Method and target.
    pub fn request(&self) -> (&'static str, String) {
        match self {
            Subject::Status => ("GET", "/status.json".to_owned()),
            Subject::Connections(None) => ("GET", "/connections".to_owned()),
            Subject::Connections(Some(most)) => ("GET", format!("/connections?most={most}")),
            Subject::Close(id) => ("DELETE", format!("/connections/{id}")),
            Subject::Bans => ("GET", "/bans".to_owned()),
            Subject::Ban(network, time) => {
                let time = time.map(|time| format!("&time={}", duration::show(time)));
                ("POST", format!("/bans?network={network}{}", time.unwrap_or_default()))
            }
            Subject::Lift(network) => ("DELETE", format!("/bans?network={network}")),
            Subject::Drain => ("POST", "/drain".to_owned()),
            Subject::Reload => ("POST", "/reload".to_owned()),
            Subject::Events(query) if query.is_empty() => ("GET", "/events".to_owned()),
            Subject::Events(query) => ("GET", format!("/events?{query}")),
        }
    }
}

/// The filters that were given.
fn query(matches: &ArgMatches) -> String {
    let mut parts = Vec::new();
    for (name, ..) in FILTERS {
        if let Some(value) = matches.get_one::<String>(name) {
            parts.push(format!("{name}={}", encoded(value)));
        }
    }
    if matches.get_flag("refused") {
        parts.push("refused".to_owned());
    }
    parts.join("&")
}

/// Percent-encoded, but for what stands for itself everywhere (RFC 3986 §2.3).
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            other => encoded += &format!("%{other:02X}"),
        }
    }
    encoded
}

/// The subcommands.
pub fn commands() -> Vec<Command> {
    let network = || {
        Arg::new("network")
            .value_name("ADDR/BITS")
            .required(true)
            .value_parser(|text: &str| text.parse::<Network>())
            .help("Whom: an address, or a network such as 192.0.2.0/24")
    };
    let filter = |(name, value, help): (&'static str, &'static str, &'static str)| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    vec![
        with_address(Command::new("status").about("Show how a running proxy does")),
        with_address(Command::new("connections").about("List the connections of a running proxy"))
            .arg(
                Arg::new("most")
                    .long("most")
                    .value_name("N")
                    .value_parser(value_parser!(u64))
                    .help("List so many at most [default: 1000]"),
            )
            .arg(
                Arg::new("close")
                    .long("close")
                    .value_name("ID")
                    .conflicts_with("most")
                    .value_parser(|text: &str| text.parse::<ConnectionId>())
                    .help("Close the one with this id, whatever it does"),
            ),
        with_address(Command::new("bans").about("List, add and lift bans of a running proxy"))
            .subcommand(
                with_address(Command::new("add").about("Ban clients for a time"))
                    .arg(network())
                    .arg(
                        Arg::new("time")
                            .long("time")
                            .value_name("TIME")
                            .value_parser(duration::parse)
                            .help("How long, as 30s, 10m or 1d [default: 10m]"),
                    ),
            )
            .subcommand(with_address(Command::new("lift").about("End a ban")).arg(network())),
        with_address(
            Command::new("drain").about(
                "Have a running proxy stop when what is under way has ended, as SIGTERM does",
            ),
        ),
        with_address(Command::new("reload").about(
            "Have a running proxy read its configuration again, as SIGHUP does, and say what \
             came of it",
        )),
        with_address(Command::new("events").about("Show what a running proxy logs, as it happens"))
            .args(FILTERS.map(filter))
            .arg(
                Arg::new("refused")
                    .long("refused")
                    .action(ArgAction::SetTrue)
                    .help("Only what was refused"),
            ),
    ]
}

fn with_address(command: Command) -> Command {
    command
        .arg(
            Arg::new("admin")
                .long("admin")
                .value_name("ADDR:PORT|unix:PATH")
                .help(format!("The admin address of the proxy [default: {ADDRESS}]")),
        )
        .arg(
            Arg::new("token-file")
                .long("token-file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Send the token in this file"),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help("Show what comes as it comes: JSON"),
        )
        .after_help(
            "Exit codes: 0 done, 1 the proxy was not reached or did not do it, 2 wrong usage.",
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Question {
        let mut words = line.split(' ');
        let command = Command::new("proxy-cli").subcommands(commands());
        let matches = command.get_matches_from(std::iter::once("proxy-cli").chain(&mut words));
        let (name, matches) = matches.subcommand().unwrap();
        Question::from_matches(name, matches)
    }

    #[test]
    fn the_flags_are_consistent_and_all_are_known() {
        let commands = commands();
        let names: Vec<_> = commands.iter().map(|command| command.get_name().to_owned()).collect();
        assert_eq!(names, NAMES);
        commands.into_iter().for_each(Command::debug_assert);
    }

    #[test]
    fn each_question_is_a_request() {
        for (line, request) in [
            ("status", "GET /status.json"),
            ("connections", "GET /connections"),
            ("connections --most 5", "GET /connections?most=5"),
            ("connections --close 0-17-3", "DELETE /connections/0-17-3"),
            ("bans", "GET /bans"),
            ("bans add 192.0.2.0/24", "POST /bans?network=192.0.2.0/24"),
            ("bans add ::1 --time 90s", "POST /bans?network=::1/128&time=90s"),
            ("bans lift 192.0.2.7", "DELETE /bans?network=192.0.2.7/32"),
            ("drain", "POST /drain"),
            ("reload", "POST /reload"),
            ("events", "GET /events"),
            (
                "events --user a&b --host .example.com --refused",
                "GET /events?host=.example.com&user=a%26b&refused",
            ),
        ] {
            let (method, target) = asked(line).subject.request();
            assert_eq!(format!("{method} {target}"), request, "{line}");
        }
    }

    #[test]
    fn whom_to_ask_may_stand_before_and_behind() {
        assert_eq!(asked("status").address, "127.0.0.1:9901");
        assert_eq!(asked("bans --admin a:1 --json").address, "a:1");
        assert_eq!(asked("bans --admin a:1 add ::1").address, "a:1");
        let question = asked("bans add --admin a:1 --token-file t 192.0.2.7");
        assert_eq!((&*question.address, question.token_file), ("a:1", Some("t".into())));
    }
}
