//! The flags.

use clap::{Parser, ValueEnum};
use proxy_core::Authority;

/// A forward HTTP proxy, or one in front of a fixed upstream.
///
/// Without arguments it is a forward proxy on 127.0.0.1:8888: name it as the HTTP and HTTPS
/// proxy of your programs. The access log goes to standard output, everything else to standard
/// error.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Args {
    /// Where to listen; can be given several times. Port 0 takes a free port, which is printed
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8888")]
    pub listen: Vec<String>,

    /// Front this upstream instead of going where clients ask; their Host is kept
    #[arg(long, value_name = "http://HOST:PORT")]
    pub upstream: Option<Authority>,

    /// How the access log is written: for people, or one JSON object a line
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,

    /// Threads that carry connections [default: one for each core]
    #[arg(long, value_name = "N", value_parser = at_least::<1>)]
    pub event_loops: Option<usize>,

    /// Threads for what may block, such as resolving names; at least 2
    #[arg(long, value_name = "N", default_value = "8", value_parser = at_least::<2>)]
    pub workers: usize,

    /// Tell on standard error what happens to each failing request
    #[arg(short, long)]
    pub verbose: bool,
}

/// How the access log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Aligned lines for people
    Text,
    /// One JSON object a line
    Json,
}

fn at_least<const LEAST: usize>(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number >= LEAST => Ok(number),
        Ok(_) => Err(format!("must be at least {LEAST}")),
        Err(_) => Err("not a whole number".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_defaults_are_a_forward_proxy_on_loopback() {
        let args = Args::parse_from(["proxy-cli"]);
        assert_eq!(args.listen, ["127.0.0.1:8888"]);
        assert_eq!((args.upstream, args.log_format), (None, LogFormat::Text));
    }

    #[test]
    fn mistyped_values_are_refused_with_a_reason() {
        for (arguments, expected) in [
            (["--upstream", "https://example.com"], "only http:// upstreams"),
            (["--workers", "1"], "must be at least 2"),
            (["--event-loops", "many"], "not a whole number"),
            (["--log-format", "jsn"], "json"),
            (["--lisen", "127.0.0.1:1"], "--listen"),
        ] {
            let error = Args::try_parse_from(["proxy-cli"].iter().chain(&arguments)).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
