//! The configuration as its users meet it: files, flags, and what is said when they are wrong.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A file that is removed when its test ends.
struct File(PathBuf);

impl File {
    /// The name is to be unique among these tests.
    fn new(name: &str, text: impl AsRef<[u8]>) -> File {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&path, text).unwrap();
        File(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = fs::remove_file(&self.0);
    }
}

fn program(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proxy-cli"));
    command.args(flags).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(flags: &[&str]) -> Output {
    program(flags).output().unwrap()
}

/// What is said of a file with this text; the file is called `FILE` there.
fn said_of(name: &str, text: impl AsRef<[u8]>) -> String {
    let file = File::new(name, text);
    let output = run(&["--config", file.path(), "--test"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap().replace(file.path(), "FILE")
}

fn printed(flags: &[&str]) -> String {
    let output = run(&[flags, &["--print-config"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn has_line(text: &str, line: &str) -> bool {
    text.lines().any(|it| it == line)
}

#[test]
fn an_unknown_setting_is_shown_with_the_nearest_name() {
    let said = said_of("unknown.toml", "# ours\nworkers = 8\nlisen = \"127.0.0.1:8888\"\n");
    assert_eq!(
        said,
        "\
FILE:3:1: unknown setting `lisen`
    3 | lisen = \"127.0.0.1:8888\"
      | ^^^^^ did you mean `listen`?
"
    );
}

#[test]
fn a_wrong_value_is_shown_with_what_it_should_be() {
    let said = said_of("value.toml", "connect-timeout = \"10 parsecs\"\n");
    assert_eq!(
        said,
        "\
FILE:1:19: connect-timeout: the units of time are ms, s, m, h and d
    1 | connect-timeout = \"10 parsecs\"
      |                   ^^^^^^^^^^^^
"
    );
    let said = said_of("word.toml", "log-format = \"jsn\"");
    assert_eq!(
        said,
        "\
FILE:1:14: log-format: must be one of text, json, logfmt, common, combined, squid, off
    1 | log-format = \"jsn\"
      |              ^^^^^ did you mean `json`?
"
    );
}

#[test]
fn the_one_wrong_address_of_several_is_shown() {
    let said = said_of("listen.toml", "listen = [\n\t\"127.0.0.1:0\",\n\t\"::1:80\",\n]\n");
    assert_eq!(
        said,
        "\
FILE:3:2: listen: an IPv6 address is written in brackets, such as \"[::1]:8888\"
    3 | \t\"::1:80\",
      | \t^^^^^^^^
"
    );
}

#[test]
fn everything_wrong_is_said_at_once() {
    let said = said_of("several.toml", "fields = 1000\nhead-bytes = true\n\n[timeouts]\n");
    assert_eq!(
        said,
        "\
FILE:1:10: fields: must be at most 256
    1 | fields = 1000
      |          ^^^^
FILE:2:14: head-bytes: a size such as 4096 or \"32 KiB\" is expected, not a truth value
    2 | head-bytes = true
      |              ^^^^
FILE:4:2: unknown setting `timeouts`
    4 | [timeouts]
      |  ^^^^^^^^ settings stand in no section
"
    );
}

#[test]
fn what_is_not_toml_is_shown_where_it_breaks_off() {
    let said = said_of("syntax.toml", "workers = 8\nlog-format = \"json\n");
    assert!(said.starts_with("FILE:2:"), "{said}");
    assert!(said.contains("    2 | log-format = \"json\n      | "), "{said}");
    let said = said_of("twice.toml", "workers = 8\nworkers = 9\n");
    assert!(said.starts_with("FILE:2:1: duplicate key\n"), "{said}");
    let said = said_of("latin1.toml", b"# gr\xfc\xdfe\nworkers = 8\n");
    assert!(said.starts_with("FILE:1:5: this is not UTF-8\n"), "{said}");
}

#[test]
fn a_file_that_cannot_be_read_ends_with_2() {
    let output = run(&["--config", "no-such.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("no-such.toml: cannot be read: "), "{said}");
}

#[test]
fn settings_that_cannot_work_together_are_shown_where_they_stand() {
    let said = said_of("own.toml", "listen = '127.0.0.1:81'\nupstream = '127.0.0.1:81'\n");
    assert_eq!(
        said,
        "\
FILE:2:12: upstream: the proxy itself listens there
    2 | upstream = '127.0.0.1:81'
      |            ^^^^^^^^^^^^^^
"
    );
    let output = run(&["--listen", "127.0.0.1:81", "--upstream", "127.0.0.1:81", "--test"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "--upstream 127.0.0.1:81: the proxy itself listens there\n");
}

#[test]
fn more_connections_than_the_system_allows_are_refused() {
    let output = run(&["--connections", "100000000"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("--connections 100000000: the system's "), "{said}");
}

#[test]
fn a_flag_beats_the_file_and_the_file_the_default() {
    let file = File::new("beaten.toml", "workers = 5\nlisten = ['127.0.0.1:1']\nfields = 50\n");
    let printed = printed(&["--config", file.path(), "--workers", "6", "--listen", "[::1]:2"]);
    for line in ["workers = 6", "listen = [\"[::1]:2\"]", "fields = 50", "log-format = \"text\""] {
        assert!(has_line(&printed, line), "{line} is missing in\n{printed}");
    }
}

#[test]
fn what_is_printed_can_be_used_and_prints_itself() {
    let flags = [
        "--listen=127.0.0.1:0",
        "--listen=localhost:0",
        "--upstream=http://Shop.example",
        "--log-format=json",
        "--connections=7",
        "--request-body=5 MB",
        "--head-bytes=1MiB",
        "--connect-timeout=1500ms",
        "--drain-timeout=0s",
    ];
    let first = printed(&flags);
    let file = File::new("printed.toml", &first);
    assert_eq!(printed(&["--config", file.path()]), first);
    assert!(has_line(&first, "upstream = \"http://shop.example:80\""), "{first}");
    assert!(has_line(&first, "connect-timeout = \"1500ms\""), "{first}");
    // What is not set must not be settled by printing it.
    let defaults = printed(&[]);
    for unset in ["# upstream =", "# event-loops =", "# connections ="] {
        assert!(has_line(&defaults, unset), "{unset} is missing in\n{defaults}");
    }
}

#[test]
fn a_good_configuration_is_good_also_while_its_port_is_in_use() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let file = File::new("good.toml", format!("listen = \"{address}\"\n"));
    let output = run(&["--config", file.path(), "--test"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "the configuration is good\n");
}

#[test]
fn a_proxy_runs_from_a_file_alone() {
    let file = File::new("run.toml", "listen = \"127.0.0.1:0\"\nconnections = 3\n");
    let mut child = program(&["--config", file.path()]).spawn().unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    let lines: Vec<_> = said.lines().take(3).map(Result::unwrap).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lines[0].starts_with("listening on 127.0.0.1:"), "{lines:?}");
    assert_eq!(lines[2], "at most 3 connections at once, as set");
}

#[test]
fn numbers_that_are_none_of_the_possible_ones_are_not_taken_for_others() {
    for (value, expected) in [
        ("-1", "a size such as 4096 or \"32 KiB\" is expected, not a negative number"),
        ("9_000_000_000_000_000_000_000", "is expected, not a number as large as this"),
    ] {
        let said = said_of(&format!("number{value}.toml"), format!("request-body = {value}\n"));
        assert!(said.contains(expected), "{said}");
    }
}
