//! [`Arguments`]: the flags of `proxy-cli explain`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::size;

/// What was asked for.
#[derive(Debug, Default)]
pub struct Arguments {
    pub config: Option<PathBuf>,
    /// Method and URL. `None`: a line of the access log, on standard input.
    pub request: Option<(String, String)>,
    pub client: Option<SocketAddr>,
    /// Who has logged in.
    pub user: Option<String>,
    /// An address as in `listen`, or a number from 1.
    pub listener: Option<String>,
    pub at: Option<String>,
    pub fields: Vec<String>,
    pub response_status: Option<u16>,
    pub response_type: Option<String>,
    pub response_length: Option<u64>,
    pub json: bool,
}

/// The name of the subcommand.
pub const NAME: &str = "explain";

impl Arguments {
    pub fn from_matches(matches: &ArgMatches) -> Arguments {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        Arguments {
            config: matches.get_one::<PathBuf>("config").cloned(),
            request: text("method").zip(text("url")),
            client: matches.get_one("client").copied(),
            user: text("user"),
            listener: text("listener"),
            at: text("at"),
            fields: matches.get_many("header").into_iter().flatten().cloned().collect(),
            response_status: matches.get_one("response-status").copied(),
            response_type: text("response-type"),
            response_length: matches.get_one("response-length").copied(),
            json: matches.get_flag("json"),
        }
    }
}

/// `proxy-cli explain`.
pub fn command() -> Command {
    let value =
        |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
    Command::new(NAME)
        .about("Tell what the proxy would do with a request, and why")
        .long_about(
            "Tells what a proxy with this configuration would do with a request, and why: each \
             rule in turn with the condition that matched or failed, and then what is decided, \
             where the request goes, and what else has a say. Nothing is sent and no name is \
             resolved.\n\n\
             Without METHOD and URL it reads a line of the access log (log-format = \"json\") from \
             standard input, and tells of that request.",
        )
        .after_long_help(
            "Examples:\n\
             \x20 proxy-cli explain --config proxy.toml GET http://example.com/\n\
             \x20 proxy-cli explain --config proxy.toml CONNECT example.com:443\n\
             \x20 proxy-cli explain --config proxy.toml --at \"mon 09:30\" GET https://example.com/\n\
             \x20 grep '\"id\":1207,' access.log | proxy-cli explain --config proxy.toml\n\n\
             Exit codes: 0 the request is allowed, 3 it is refused, 2 wrong usage or configuration.",
        )
        .arg(
            value("config", "FILE")
                .value_parser(value_parser!(PathBuf))
                .help("The configuration, as the proxy has it"),
        )
        .arg(
            value("client", "ADDR")
                .value_parser(client)
                .help("Who asks [default: 127.0.0.1, or as the log has it]"),
        )
        .arg(value("user", "NAME").help(
            "Who has logged in, with the right password [default: nobody, or as the log has it]",
        ))
        .arg(value("listener", "ADDR:PORT|N").help(
            "Where the client came in: as it stands in `listen`, or 2 for the second [default: the \
             first]",
        ))
        .arg(value("at", "TIME").help(
            "When: `mon 09:30`, `2026-11-25 09:30`, both in the time-zone of the configuration, or \
             `2026-11-25T08:30:00Z` [default: now, or as the log has it]",
        ))
        .arg(
            value("header", "NAME: VALUE")
                .action(ArgAction::Append)
                .help("A field of the request; several are possible"),
        )
        .arg(
            value("response-status", "N")
                .value_parser(value_parser!(u16).range(200..600))
                .help("What the server answers: without these three flags, rules about it wait"),
        )
        .arg(value("response-type", "TYPE").help("The type of that answer, as video/mp4"))
        .arg(
            value("response-length", "SIZE")
                .value_parser(size::parse)
                .help("The length of that answer, as 4096 or 20MB"),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Tell it as JSON"))
        .arg(Arg::new("method").value_name("METHOD").requires("url").help("GET, CONNECT, …"))
        .arg(Arg::new("url").value_name("URL").help(
            "What is asked for: http://HOST/PATH, or HOST:PORT after CONNECT. For https:// and \
             wss:// it is CONNECT that the proxy is asked for, and that is what is told of",
        ))
}

fn client(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse().or_else(|_| text.parse::<IpAddr>().map(|ip| (ip, 0).into()));
    address.map_err(|_| "expected an address, as 192.0.2.7 or 2001:db8::7".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        command().debug_assert();
    }

    #[test]
    fn a_method_needs_a_url() {
        assert!(command().try_get_matches_from([NAME, "GET"]).is_err());
        let matches = command().try_get_matches_from([NAME, "GET", "http://a.test/"]).unwrap();
        let request = Arguments::from_matches(&matches).request.unwrap();
        assert_eq!(request, ("GET".to_owned(), "http://a.test/".to_owned()));
    }

    #[test]
    fn a_client_needs_no_port() {
        for (text, address) in
            [("192.0.2.7", "192.0.2.7:0"), ("::1", "[::1]:0"), ("[::1]:5", "[::1]:5")]
        {
            assert_eq!(client(text), Ok(address.parse().unwrap()));
        }
        assert!(client("example.com").is_err());
    }
}
