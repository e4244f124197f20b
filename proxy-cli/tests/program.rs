//! The program as its users meet it: flags, streams, exit codes.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread;

use support::Leash;

/// A running program. It is killed when a test ends without having stopped it.
struct Program {
    child: Child,
    address: SocketAddr,
    log: BufReader<ChildStdout>,
    _leash: Leash,
}

fn command(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proxy-cli"));
    command.args(flags).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(flags: &[&str]) -> Output {
    command(flags).output().unwrap()
}

impl Program {
    fn start(flags: &[&str]) -> Program {
        let mut child = command(&[&["--listen", "127.0.0.1:0"], flags].concat()).spawn().unwrap();
        let leash = Leash::on(&child);
        let log = BufReader::new(child.stdout.take().unwrap());
        let mut diagnostics = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        diagnostics.read_line(&mut first).unwrap();
        let address =
            first.trim_end().strip_prefix("listening on ").expect(&first).parse().unwrap();
        // Read on, so that the program never waits for this test.
        thread::spawn(move || std::io::copy(&mut diagnostics, &mut std::io::sink()));
        Program { child, address, log, _leash: leash }
    }

    /// Sends a request and reads the answer to the end of the connection.
    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn log_line(&mut self) -> String {
        let mut line = String::new();
        self.log.read_line(&mut line).unwrap();
        line
    }

    #[cfg(unix)]
    fn stop(mut self, signal: &str) -> std::process::ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers one request and tells what it was.
fn origin() -> (SocketAddr, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = thread::spawn(move || {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            stream.read_line(&mut head).unwrap();
        }
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").unwrap();
        head
    });
    (address, thread)
}

#[test]
fn it_forwards_and_logs_a_line_for_people() {
    let mut program = Program::start(&[]);
    let (origin, served) = origin();
    let answer = program.ask(&format!(
        "GET http://{origin}/x HTTP/1.1\r\nHost: {origin}\r\nConnection: close\r\n\r\n"
    ));
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("hello"), "{answer}");
    assert!(served.join().unwrap().starts_with("GET /x HTTP/1.1\r\n"));
    let line = program.log_line();
    assert!(
        line.contains(" 200 GET ") && line.ends_with(&format!("http://{origin}/x\n")),
        "{line}"
    );
}

#[test]
fn in_front_of_an_upstream_it_keeps_the_clients_host_and_logs_json() {
    let (origin, served) = origin();
    let mut program =
        Program::start(&["--upstream", &format!("http://{origin}"), "--log-format", "json"]);
    program.ask("GET /x HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n");
    assert!(served.join().unwrap().contains("Host: shop.example\r\n"));
    let line = program.log_line();
    assert!(line.starts_with('{') && line.contains(r#""status":200"#), "{line}");
}

#[test]
#[cfg(unix)]
fn asked_to_stop_it_ends_with_0() {
    for signal in ["-TERM", "-INT"] {
        let program = Program::start(&[]);
        assert_eq!(program.stop(signal).code(), Some(0), "{signal}");
    }
}

/// Whoever counts lines must be able to tell whether all of them are there.
#[test]
#[cfg(unix)]
fn at_the_end_it_tells_how_many_records_it_logged() {
    let mut child = command(&["--listen", "127.0.0.1:0"]).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("listening on ").expect(&line);
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"nonsense\r\n\r\n").unwrap();
    client.read_to_end(&mut Vec::new()).unwrap();
    drop(client);
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with(" cut; 1 records logged, 0 dropped\n"), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_is_meant() {
    let output = run(&["--lisen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--listen"));
}

#[test]
fn a_port_in_use_ends_with_1_and_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&["--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains(&format!("cannot listen on {address}")), "{message}");
    assert!(message.contains("choose another port with --listen, or stop it"), "{message}");
}

#[test]
fn help_names_every_flag_and_version_the_version() {
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    for flag in
        ["--listen", "--upstream", "--log-format", "--event-loops", "--workers", "--version"]
    {
        assert!(help.contains(flag), "{flag} is missing in\n{help}");
    }
    let version = String::from_utf8(run(&["--version"]).stdout).unwrap();
    assert_eq!(version, format!("proxy-cli {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
#[cfg(unix)]
fn a_log_file_is_appended_to_and_opened_anew_when_asked() {
    let folder = std::env::temp_dir().join(format!("proxy-cli-log-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (log, moved) = (folder.join("access.log"), folder.join("access.log.1"));
    let program = Program::start(&["--log-file", log.to_str().unwrap(), "--log-format", "common"]);
    let refused = "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let lines = |path: &std::path::Path, count: usize| loop {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if text.lines().count() >= count {
            break text;
        }
        thread::yield_now();
    };
    program.ask(refused);
    assert!(lines(&log, 1).starts_with("127.0.0.1 - - ["));
    std::fs::rename(&log, &moved).unwrap();
    let pid = program.child.id().to_string();
    assert!(Command::new("kill").args(["-USR1", &pid]).status().unwrap().success());
    // The new file is there as soon as the old one has been let go.
    while !log.exists() {
        thread::yield_now();
    }
    program.ask(refused);
    assert!(lines(&log, 1).contains("\"GET /x HTTP/1.1\" 400 "));
    assert_eq!(lines(&moved, 1).lines().count(), 1);
    assert_eq!(program.stop("-TERM").code(), Some(0));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn in_front_of_an_upstream_it_tells_who_the_client_is_and_believes_nobody() {
    let (origin, served) = origin();
    let program = Program::start(&["--upstream", &format!("http://{origin}")]);
    program
        .ask("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1\r\nConnection: close\r\n\r\n");
    assert!(served.join().unwrap().contains("\r\nX-Forwarded-For: 127.0.0.1\r\n"));
}

/// What it says until it is set up.
#[cfg(unix)]
fn said_at_start(flags: &[&str]) -> String {
    let mut child = command(flags).spawn().unwrap();
    let mut diagnostics = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("connections at once") {
        assert_ne!(diagnostics.read_line(&mut said).unwrap(), 0, "{said}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    said
}

#[test]
#[cfg(unix)]
fn whom_it_serves_is_said_where_others_can_reach_it() {
    let exposed = ["--listen", "0.0.0.0:0", "--allow-client", "127.0.0.0/8"];
    let said = said_at_start(&exposed);
    assert!(said.contains("try: curl -x http://127.0.0.1:"), "{said}");
    let rules = "serving clients in 127.0.0.0/8, and nobody else\n\
                 connecting to public addresses\ntunnelling to port 443\n";
    assert!(said.contains(rules), "{said}");
    let more = ["--allow-destination", "private", "--deny-destination", "1.0.0.0/8"];
    let said = said_at_start(&[&exposed[..], &more, &["--connect-port", "any"]].concat());
    let rules = "connecting to public addresses, and to private; not to 1.0.0.0/8\n\
                 tunnelling to any port\n";
    assert!(said.contains(rules), "{said}");
    let said = said_at_start(&["--listen", "127.0.0.1:0", "--allow-client", "10.0.0.0/8"]);
    assert!(said.contains("serving clients in 10.0.0.0/8, and nobody else\n"), "{said}");
    for loopback in ["127.0.0.1:0", "[::ffff:127.0.0.1]:0"] {
        let said = said_at_start(&["--listen", loopback]);
        assert!(!said.contains("serving") && !said.contains("public"), "{said}");
    }
}
