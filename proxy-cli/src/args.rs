//! [`Args`]: the flags, most of them made from the table of settings.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::config::Config;
use crate::settings::{self, Given, Group, Kind, Setting};
use crate::{ask, check, exec, explain, hash_password};

/// What was asked for.
#[derive(Debug, Default)]
pub struct Args {
    pub config: Option<PathBuf>,
    pub task: Task,
    pub verbose: bool,
    /// The settings that were given, each with its values.
    pub flags: Vec<(&'static str, Vec<String>)>,
    /// What was asked for instead of a proxy that serves.
    pub subcommand: Option<Subcommand>,
}

/// Something else to do than to serve. The other arguments are without meaning then.
#[derive(Debug)]
pub enum Subcommand {
    Ask(ask::Question),
    Check(check::Arguments),
    Exec(Box<exec::Arguments>),
    Explain(Box<explain::Arguments>),
    HashPassword(hash_password::Arguments),
}

/// What to do with the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task {
    #[default]
    Run,
    Test,
    Print,
}

impl Args {
    /// The arguments of this process. Ends it if they are wrong, or ask for help.
    pub fn parse() -> Args {
        Args::from_matches(&command().get_matches())
    }

    fn from_matches(matches: &ArgMatches) -> Args {
        let values = |setting: &Setting| {
            let values = matches.get_many::<String>(setting.name)?;
            Some((setting.name, values.cloned().collect()))
        };
        let task = match (matches.get_flag("test"), matches.get_flag("print-config")) {
            (true, _) => Task::Test,
            (_, true) => Task::Print,
            _ => Task::Run,
        };
        Args {
            config: matches.get_one("config").cloned(),
            task,
            verbose: matches.get_flag("verbose"),
            flags: settings::all().filter_map(values).collect(),
            subcommand: matches.subcommand().and_then(Subcommand::from_matches),
        }
    }
}

impl Subcommand {
    fn from_matches((name, matches): (&str, &ArgMatches)) -> Option<Subcommand> {
        match name {
            name if ask::NAMES.contains(&name) => {
                Some(Subcommand::Ask(ask::Question::from_matches(name, matches)))
            }
            check::NAME => Some(Subcommand::Check(check::Arguments::from_matches(matches))),
            exec::NAME => Some(Subcommand::Exec(Box::new(exec::Arguments::from_matches(matches)))),
            explain::NAME => {
                Some(Subcommand::Explain(Box::new(explain::Arguments::from_matches(matches))))
            }
            hash_password::NAME => {
                let arguments = hash_password::Arguments::from_matches(matches);
                Some(Subcommand::HashPassword(arguments))
            }
            _ => None,
        }
    }
}

fn command() -> Command {
    let on = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new("proxy-cli")
        .version(env!("CARGO_PKG_VERSION"))
        .max_term_width(100)
        .args_conflicts_with_subcommands(true)
        .disable_help_subcommand(true)
        .subcommands(ask::commands())
        .subcommand(check::command())
        .subcommand(exec::command())
        .subcommand(explain::command())
        .subcommand(hash_password::command())
        .about("A forward HTTP proxy, or one in front of a fixed upstream")
        .long_about(
            "A forward HTTP proxy, or one in front of a fixed upstream.\n\n\
             Without arguments it is a forward proxy on 127.0.0.1:8888: name it as the HTTP and \
             HTTPS proxy of your programs. The access log goes to standard output, everything \
             else to standard error.",
        )
        .after_long_help(
            "Signals: SIGTERM and Ctrl-C stop it when what is under way has ended, SIGHUP has it \
             read its --config file again, SIGUSR1 has it open its log file anew. With --admin, \
             the subcommands status, connections, bans, events, reload and drain ask it by HTTP.\n\n\
             Exit codes: 0 stopped as asked, 1 failed while starting or running, 2 wrong usage \
             or configuration, 130 ended at once by a second Ctrl-C or SIGTERM.",
        )
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Read settings from this TOML file; a flag beats the file"),
        )
        .arg(on("test").help("Check flags and file, and exit with 0 or 2; listen nowhere"))
        .arg(
            on("print-config")
                .conflicts_with("test")
                .help("Print all settings as they are in effect, as a file for --config, and exit"),
        )
        .arg(
            on("verbose")
                .short('v')
                .help("Tell on standard error what happens to each failing request"),
        )
        .args(
            settings::GROUPS
                .iter()
                .flat_map(|group| group.settings.iter().map(move |setting| flag(group, setting))),
        )
}

fn flag(group: &Group, setting: &'static Setting) -> Arg {
    let check = |text: &str| {
        let checked = setting.kind.set(&mut Config::default(), &[Given::Text(text)]);
        checked.map(|()| text.to_owned()).map_err(|wrong| match wrong.meant {
            Some(meant) => format!("{}; did you mean `{meant}`?", wrong.problem),
            None => wrong.problem,
        })
    };
    // As one would type it: the quotes and brackets are those of TOML.
    let default = setting.default().replace(['"', '[', ']'], "");
    let words = match setting.kind.range() {
        Some(words) if matches!(setting.kind, Kind::Word(_)) => format!(" [one of: {words}]"),
        // Bounds of numbers would be in the way here; who comes upon one is told.
        _ => String::new(),
    };
    let flag = Arg::new(setting.name)
        .long(setting.name)
        .value_name(setting.kind.value_name())
        .help_heading(group.title)
        .help(format!("{}{words} [default: {default}]", setting.help))
        // Those that few need are shown with --help only.
        .hide_short_help(group.title != settings::GROUPS[0].title)
        .action(if setting.kind.is_list() { ArgAction::Append } else { ArgAction::Set })
        .value_parser(check);
    match setting.kind {
        // To name it is to turn it on.
        Kind::Switch(_) => flag.num_args(0..=1).require_equals(true).default_missing_value("true"),
        _ => flag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Args, clap::Error> {
        let matches = command().try_get_matches_from([&["proxy-cli"], arguments].concat())?;
        Ok(Args::from_matches(&matches))
    }

    #[test]
    fn the_flags_are_consistent() {
        command().debug_assert();
    }

    #[test]
    fn nothing_is_given_unless_it_is() {
        let args = parse(&[]).unwrap();
        assert!(args.flags.is_empty() && args.config.is_none());
        assert_eq!(args.task, Task::Run);
    }

    #[test]
    fn every_setting_is_a_flag() {
        let args = parse(&["--fields", "7", "--listen", "a:1", "--listen", "b:1"]).unwrap();
        let expected = [
            ("listen", vec!["a:1".to_owned(), "b:1".to_owned()]),
            ("fields", vec!["7".to_owned()]),
        ];
        assert_eq!(args.flags, expected);
        let known =
            |setting: &Setting| command().get_arguments().any(|it| it.get_id() == setting.name);
        assert!(settings::all().all(known));
    }

    #[test]
    fn mistyped_values_are_refused_with_a_reason() {
        for (arguments, expected) in [
            (["--upstream", "https://example.com"], "only http:// upstreams"),
            (["--workers", "1"], "must be at least 3"),
            (["--event-loops", "many"], "a whole number is expected"),
            (["--log-format", "jsn"], "did you mean `json`?"),
            (["--connect-timeout", "10"], "a time needs a unit"),
            (["--lisen", "127.0.0.1:1"], "--listen"),
            (["--test", "--print-config"], "cannot be used with"),
        ] {
            let error = parse(&arguments).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
