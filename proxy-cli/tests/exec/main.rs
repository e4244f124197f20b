//! `proxy-cli exec` as its users meet it: what a command finds, where it gets, how it ends.
//!
//! Most commands here tell where their proxy is and wait; the test asks in their place.

#![cfg(unix)]

#[cfg(target_os = "linux")]
mod isolated;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread;

const PROGRAM: &str = env!("CARGO_BIN_EXE_proxy-cli");

fn exec(arguments: &[&str]) -> Command {
    exec_by(Command::new(PROGRAM), arguments)
}

/// The same by `command`, which runs the program.
fn exec_by(mut command: Command, arguments: &[&str]) -> Command {
    command.arg("exec").args(arguments);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Of its own, so that a signal that is sent to it is not taken for one of a terminal.
    command.process_group(0);
    command
}

fn run(arguments: &[&str]) -> Output {
    exec(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A command that has told where its proxy is, and waits.
struct Waiting {
    child: Child,
    output: BufReader<ChildStdout>,
    proxy: SocketAddr,
}

impl Waiting {
    fn start(flags: &[&str]) -> Waiting {
        let script = "echo $http_proxy; read line; exit 7";
        let mut child = exec(&[flags, &["--", "sh", "-c", script]].concat()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let proxy = line.trim_end().strip_prefix("http://").expect(&line).parse().unwrap();
        Waiting { child, output, proxy }
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.proxy).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, authority: &str) -> String {
        self.ask(&format!(
            "GET http://{authority}/ HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n"
        ))
    }

    /// Has the command end; gives what was told on standard error.
    fn end(mut self) -> String {
        self.child.stdin.take().unwrap().write_all(b"\n").unwrap();
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "standard output is the command's");
        let output = self.child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(7));
        text(&output.stderr).to_owned()
    }
}

/// Answers so many requests, each on a connection of its own.
fn origin(answers: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for _ in 0..answers {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap() > 0 {}
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
            stream.get_mut().write_all(answer).unwrap();
        }
    });
    address
}

/// A file that is gone when the test is over.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let name = format!("proxy-cli-exec-{name}-{}", std::process::id());
        Scratch(std::env::temp_dir().join(name))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.0).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn the_command_finds_its_proxy_in_either_case_and_nothing_that_leads_around_it() {
    let mut command = exec(&["--", "env"]);
    command.env("NO_PROXY", "example.com").env("https_proxy", "http://me:secret@parent.test");
    let output = command.stdin(Stdio::null()).output().unwrap();
    let of = |name: &str| {
        let lines = text(&output.stdout).lines();
        lines.filter_map(|line| line.strip_prefix(&format!("{name}="))).collect::<Vec<_>>()
    };
    let proxy = of("http_proxy");
    assert!(proxy.len() == 1 && proxy[0].starts_with("http://127.0.0.1:"), "{proxy:?}");
    for name in ["HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        assert_eq!(of(name), proxy, "{name}");
    }
    assert_eq!(of("no_proxy"), ["localhost,127.0.0.1,::1"]);
    assert_eq!(of("NO_PROXY"), of("no_proxy"));
    let said = text(&output.stderr);
    assert!(said.starts_with("proxy-cli: the proxy in https_proxy is not used"), "{said}");
    assert!(!said.contains("secret"), "{said}");
}

#[test]
fn its_streams_are_its_own_and_its_exit_code_is_passed_on() {
    let mut child = exec(&["--", "sh", "-c", "cat; echo err >&2; exit 42"]).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"in").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(42));
    assert_eq!(text(&output.stdout), "in");
    assert_eq!(text(&output.stderr), "err\nproxy-cli: no request came to the proxy\n");
    assert_eq!(text(&run(&["--quiet", "--", "true"]).stderr), "");
}

#[test]
fn how_a_command_failed_is_told_as_shells_do() {
    assert_eq!(run(&["--", "sh", "-c", "kill -KILL $$"]).status.code(), Some(128 + 9));
    let missing = run(&["--", "/no/such/command"]);
    assert_eq!(missing.status.code(), Some(127));
    assert!(text(&missing.stderr).contains("cannot run /no/such/command"));
    assert_eq!(run(&["--", "/"]).status.code(), Some(126));
    for wrong in [&["--allow", "*.test", "--", "true"][..], &["--no-such-flag", "--", "true"], &[]]
    {
        assert_eq!(run(wrong).status.code(), Some(2), "{wrong:?}");
    }
    let config = Scratch::new("upstream");
    fs::write(&config.0, "upstream = 'http://127.0.0.1:1'\n").unwrap();
    let fixed = run(&["--config", config.path(), "--", "true"]);
    assert_eq!(fixed.status.code(), Some(2));
    assert!(text(&fixed.stderr).starts_with("upstream: a command behind a proxy needs"));
}

#[test]
fn what_it_asked_for_is_told_at_the_end() {
    let log = Scratch::new("log");
    let origin = origin(2);
    let waiting = Waiting::start(&["--log", log.path()]);
    for _ in 0..2 {
        let answer = waiting.get(&origin.to_string());
        assert!(answer.ends_with("hello"), "{answer}");
    }
    let answer = waiting.get("169.254.169.254");
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    let said = waiting.end();
    let mut lines = said.lines();
    let first = lines.next().unwrap();
    assert!(first.starts_with("proxy-cli: 3 requests, 0 B sent, "), "{first}");
    assert!(first.ends_with("; 1 refused"), "{first}");
    let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    lines.next(); // the heading
    assert_eq!(cells(lines.next().unwrap()), [&origin.to_string(), "2", "0", "B", "10", "B"]);
    let refused = lines.next().unwrap();
    assert!(refused.starts_with("169.254.169.254:80 "), "{refused}");
    assert!(refused.ends_with("  1 destination_not_allowed"), "{refused}");
    assert_eq!(lines.next(), None);
    assert_eq!(log.text().lines().count(), 3);
}

#[test]
fn it_gets_where_it_may_and_nowhere_else() {
    let origin = origin(2);
    let (allowed, elsewhere) = (origin.to_string(), format!("127.0.0.1:{}", origin.port() ^ 1));
    let denied = |answer: &str| {
        answer.starts_with("HTTP/1.1 403 ") && answer.contains("\nreason: denied_by_rule\n")
    };
    let waiting = Waiting::start(&["--allow", &allowed]);
    assert!(waiting.get(&allowed).ends_with("hello"));
    assert!(denied(&waiting.get(&elsewhere)));
    assert!(denied(&waiting.get("[::1]")));
    // Whatever Host says: the target counts.
    let disguised =
        format!("GET http://{elsewhere}/ HTTP/1.1\r\nHost: {allowed}\r\nConnection: close\r\n\r\n");
    assert!(denied(&waiting.ask(&disguised)));
    let tunnel = |to: &str| format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n");
    assert!(denied(&waiting.ask(&tunnel("evil.test:443"))));
    let inside = format!("{}GET / HTTP/1.1\r\nHost: h\r\n\r\n", tunnel(&allowed));
    let answer = waiting.ask(&inside);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("hello"), "{answer}");
    assert!(waiting.end().contains("evil.test:443"));

    let waiting = Waiting::start(&["--deny-all"]);
    assert!(denied(&waiting.get(&allowed)));
    waiting.end();
}

#[test]
fn an_address_that_no_client_may_have_stays_refused_although_it_is_on_the_list() {
    let waiting = Waiting::start(&["--allow", "169.254.169.254"]);
    assert!(waiting.get("169.254.169.254").contains("\nreason: destination_not_allowed\n"));
    waiting.end();
}

#[test]
fn what_was_learned_lets_the_same_run_pass() {
    let list = Scratch::new("list");
    let origin = origin(1).to_string();
    let waiting = Waiting::start(&["--deny-all", "--learn", list.path()]);
    assert!(waiting.get(&origin).contains("denied_by_rule"));
    waiting.end();
    let learned = list.text();
    assert!(
        learned.ends_with(&format!("\n{origin}  # 1 request, refused in this run\n")),
        "{learned}"
    );

    let waiting = Waiting::start(&["--allow-from", list.path(), "--learn", list.path()]);
    assert!(waiting.get(&origin).ends_with("hello"));
    waiting.end();
    let learned = list.text();
    assert!(learned.ends_with(&format!("\n{origin}  # 1 request, 5 B\n")), "{learned}");

    let nowhere = run(&["--learn", "/no/such/folder/list", "--", "echo", "ran"]);
    assert_eq!((nowhere.status.code(), text(&nowhere.stdout)), (Some(2), ""));
    assert!(text(&nowhere.stderr).contains("/no/such/folder/list: cannot be written"));
}

/// Starts a command that says `ready` and `told` when it gets a signal, and sends it through.
fn told_of(signal: &str) -> Output {
    let script = format!(
        "trap 'echo told; kill -9 $p; exit 3' {signal}; sleep 60 & p=$!; echo ready; wait $p; exit 4"
    );
    // Whoever runs these tests in the background of a shell, or under nohup, has signals ignored, and
    // what is ignored is not passed on.
    let mut command = Command::new("env");
    command.args(["--default-signal", PROGRAM]);
    if cfg!(not(target_os = "linux")) {
        command = Command::new(PROGRAM);
    }
    let mut child = exec_by(command, &["--quiet", "--", "sh", "-c", &script]).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut ready = [0; 6];
    output.read_exact(&mut ready).unwrap();
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    let mut told = String::new();
    output.read_to_string(&mut told).unwrap();
    Output { stdout: told.into(), ..child.wait_with_output().unwrap() }
}

#[test]
fn signals_are_passed_on_once() {
    for signal in ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2"] {
        let output = told_of(signal);
        assert_eq!(output.status.code(), Some(3), "{signal}");
        assert_eq!(text(&output.stdout), "told\n", "{signal}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_the_caller_had_set_for_the_command_is_kept() {
    // Signals that are ignored, as under nohup, and the limit of descriptors.
    let script = format!(
        "trap '' HUP; ulimit -S -n 300; exec {PROGRAM} exec -q -- sh -c \
         'ulimit -S -n; kill -HUP $PPID; kill -HUP $$; echo alive'"
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(text(&output.stdout), "300\nalive\n");
    assert!(output.status.success());
}

#[test]
fn the_configuration_is_heeded_but_for_where_to_listen_and_whom_to_serve() {
    let (config, log) = (Scratch::new("config"), Scratch::new("config-log"));
    let settings = format!(
        "listen = '0.0.0.0:1'\nallow-client = '10.0.0.0/8'\ndeny-destination = 'loopback'\n\
         log-file = '{}'\nlog-format = 'json'\n",
        log.path()
    );
    fs::write(&config.0, settings).unwrap();
    let waiting = Waiting::start(&["--config", config.path()]);
    assert!(waiting.proxy.ip().is_loopback());
    assert!(waiting.get("127.0.0.1:1").contains("\nreason: destination_not_allowed\n"));
    waiting.end();
    assert!(log.text().starts_with("{\"event\":\"close\""), "{}", log.text());
}

#[test]
fn rules_of_the_configuration_and_the_list_must_both_agree() {
    let origin = origin(2);
    let allowed = origin.to_string();
    let config = Scratch::new("rules");
    let rules = "default = 'deny'\n\
                 [[rule]]\nname = 'here'\nhost = '127.0.0.1'\nmethod = 'GET'\nverdict = 'allow'\n";
    fs::write(&config.0, rules).unwrap();
    let refused = |answer: &str| answer.contains("\nreason: denied_by_rule\n");
    let waiting = Waiting::start(&["--config", config.path()]);
    assert!(waiting.get(&allowed).ends_with("hello"));
    assert!(refused(&waiting.get("elsewhere.test")));
    waiting.end();
    let waiting = Waiting::start(&["--config", config.path(), "--allow", "elsewhere.test"]);
    assert!(refused(&waiting.get(&allowed)), "by the list");
    assert!(refused(&waiting.get("elsewhere.test")), "by the rules");
    waiting.end();
    let waiting = Waiting::start(&["--config", config.path(), "--allow", &allowed]);
    assert!(waiting.get(&allowed).ends_with("hello"));
    waiting.end();
}

#[test]
fn a_command_is_no_user_and_that_is_told() {
    let config = Scratch::new("users");
    let rules = "authenticator = ['false']\ndefault = 'deny'\n\
                 [[rule]]\nname = 'ann'\nuser = 'ann'\nverdict = 'allow'\n";
    fs::write(&config.0, rules).unwrap();
    let waiting = Waiting::start(&["--config", config.path()]);
    assert!(waiting.get("elsewhere.test").contains("\nreason: denied_by_rule\n"));
    let told = waiting.end();
    assert!(told.contains("rules about users match nobody"), "{told}");
}
