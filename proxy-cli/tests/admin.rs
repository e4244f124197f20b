//! The admin address, and the subcommands that ask it.
#![cfg(unix)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Output, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use support::{Leash, Program, command};

/// A program with an admin address.
struct Administered {
    program: Program,
    admin: String,
}

impl Administered {
    fn start(settings: &str) -> Administered {
        let flags = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
        let mut program = Program::start(&flags, settings, &[("token", "0123456789abcdef\n")]);
        let told = program.says("administration at ");
        let admin = told.rsplit(' ').next().unwrap().to_owned();
        Administered { program, admin }
    }

    fn ask(&self, words: &[&str]) -> Output {
        command().args(words).args(["--admin", &self.admin]).output().unwrap()
    }

    /// What is shown by a question that is answered.
    fn shown(&self, words: &[&str]) -> String {
        let output = self.ask(words);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), &*told), (Some(0), ""));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What is told of one that is not.
    fn told(&self, words: &[&str]) -> String {
        let output = self.ask(words);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    }
}

/// Tells of one request, and answers it when it is told to.
fn hesitant() -> (SocketAddr, Receiver<()>, Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (come, arrives) = mpsc::channel();
    let (go, may_go) = mpsc::channel();
    thread::spawn(move || {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            stream.read_line(&mut head).unwrap();
        }
        come.send(()).unwrap();
        let _ = may_go.recv();
        // Whoever has asked may have gone.
        let _ = stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    (address, arrives, go)
}

/// Sends a request for what an origin hesitates to answer.
fn request(it: &Administered, origin: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(it.program.address).unwrap();
    let head = format!("GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

#[test]
fn it_is_asked_and_told_what_to_do() {
    let mut it = Administered::start("log-format = \"off\"\n");
    let status = it.shown(&["status"]);
    assert!(status.contains(&it.program.address.to_string()), "{status}");
    let object = it.shown(&["status", "--json"]);
    assert!(object.starts_with("{\"version\":") && object.ends_with("}\n"), "{object}");
    let connections = it.shown(&["connections"]);
    assert_eq!(connections.trim_end(), "id  client  state  for  user  in  out  request");
    assert!(it.told(&["connections", "--close", "0-1-1"]).contains("no connection 0-1-1"));
    assert_eq!(
        it.shown(&["bans", "add", "192.0.2.7", "--time", "1m"]),
        "192.0.2.7/32 is banned for 60 s\n"
    );
    assert!(it.shown(&["bans"]).contains("192.0.2.7/32"));
    assert_eq!(it.shown(&["bans", "lift", "192.0.2.7"]), "192.0.2.7/32 is not banned any more\n");

    fs::write(it.program.folder.join("proxy.toml"), "lane-queue = 7\n").unwrap();
    let reloaded = it.shown(&["reload"]);
    assert!(reloaded.contains("at the next start only: lane-queue"), "{reloaded}");
    it.program.says("reloaded: ");
    fs::write(it.program.folder.join("proxy.toml"), "lane-queues = 7\n").unwrap();
    let told = it.told(&["reload"]);
    assert!(told.contains("did you mean `lane-queue`?"), "{told}");
    it.program.says("not reloaded: ");
    assert!(it.shown(&["drain"]).contains("it drains"));
    it.program.says("stopped: ");
    assert_eq!(it.program.ends(), Some(0));
    let told = it.told(&["status"]);
    assert!(told.contains("was proxy-cli started with --admin?"), "{told}");
}

#[test]
fn metrics_are_on_unless_they_are_turned_off_and_that_is_told() {
    let ask = |it: &Administered| {
        let mut stream = TcpStream::connect(&it.admin).unwrap();
        let head = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let mut it = Administered::start("");
    assert!(ask(&it).contains("\nproxy_requests_total{method=\"GET\",status=\"2xx\"} 0\n"));
    assert!(!it.shown(&["status"]).contains("metrics"));
    fs::write(it.program.folder.join("proxy.toml"), "metrics = false\n").unwrap();
    assert!(it.shown(&["reload"]).contains("at the next start only: metrics\n"));
    it.program.says("reloaded: ");
    assert!(ask(&it).contains("\nproxy_requests_total"), "what is counted goes on to be");

    let it = Administered::start("metrics = false\n");
    let told = ask(&it);
    assert!(told.contains("\n# Metrics are off: ") && !told.contains("proxy_requests_total"));
    let status = it.shown(&["status"]);
    assert!(status.contains("\nmetrics      off: requests are not counted\n"), "{status}");
}

#[test]
fn a_drain_and_the_signal_behind_it_are_one_stop() {
    let mut it = Administered::start("");
    let (origin, arrives, go) = hesitant();
    let mut client = request(&it, origin);
    arrives.recv().unwrap();
    it.shown(&["drain"]);
    it.program.says("stopping: ");
    it.program.signal("-TERM");
    // It is still asked, so it was not ended by the signal; and there is nothing else to wait for.
    assert!(it.shown(&["status"]).starts_with("draining"));
    go.send(()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok"), "{answer}");
    it.program.says("stopped: ");
    assert_eq!(it.program.ends(), Some(0));
}

#[test]
fn whoever_asks_three_times_does_not_wait() {
    let mut it = Administered::start("");
    let (origin, arrives, _go) = hesitant();
    let _client = request(&it, origin);
    arrives.recv().unwrap();
    it.shown(&["drain"]);
    it.program.says("stopping: ");
    // Two signals of a kind may become one, if the second comes before the first was taken.
    it.program.signal("-TERM");
    it.program.signal("-INT");
    assert_eq!(it.program.ends(), Some(130));
}

#[test]
fn a_token_can_be_changed_by_a_reload() {
    let mut it = Administered::start("admin-token-file = \"FOLDER/token\"\n");
    let token = it.program.folder.join("token").to_str().unwrap().to_owned();
    let told = it.told(&["status"]);
    assert!(told.contains("a token is needed"), "{told}");
    it.shown(&["status", "--token-file", &token]);
    let old = it.program.folder.join("old");
    fs::rename(&token, &old).unwrap();
    fs::write(&token, "fedcba9876543210").unwrap();
    it.program.signal("-HUP");
    it.program.says("reloaded: ");
    it.shown(&["status", "--token-file", &token]);
    let told = it.told(&["status", "--token-file", old.to_str().unwrap()]);
    assert!(told.contains("the token is wrong"), "{told}");
    // A bad one changes nothing.
    fs::write(&token, "short").unwrap();
    it.program.signal("-HUP");
    it.program.says("at least 16 characters");
    it.program.says("not reloaded: ");
}

#[test]
fn beyond_loopback_it_does_not_start_without_a_token() {
    let test = |flags: &[&str]| {
        let output = command().args(["--test"]).args(flags).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = test(&["--admin", "0.0.0.0:9901"]);
    assert_eq!(code, Some(2));
    assert!(told.starts_with("--admin 0.0.0.0:9901: whoever can reach"), "{told}");
    assert!(told.contains("--admin-token-file"), "{told}");
    let (code, told) = test(&["--admin-host", "proxy.example"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("it has no effect"), "{told}");
    let (code, told) = test(&["--admin", "127.0.0.1:8888"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("the proxy itself listens there"), "{told}");
    assert_eq!(test(&["--admin", "127.0.0.1:9901"]).0, Some(0));
}

#[test]
fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = command().args(["--listen", "127.0.0.1:0", "--admin", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains(&format!("cannot listen on {address} for --admin")), "{told}");
    assert!(told.contains("choose another port with --admin"), "{told}");
}

#[test]
fn what_is_no_admin_address_is_told() {
    // A proxy answers, but not as one.
    let it = Administered::start("");
    let proxy = it.program.address.to_string();
    let output = command().args(["status", "--admin", &proxy]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("status 400"), "{told}");
}

#[test]
fn a_file_can_be_the_address() {
    let folder = std::env::temp_dir().join(format!("proxy-cli-admin-file-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let address = format!("unix:{}", folder.join("admin.sock").display());
    let mut child = command()
        .args(["--listen", "127.0.0.1:0", "--log-format", "off", "--admin", &address])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let leash = Leash::on(&child);
    let mut words = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("administration at ") {
        assert_ne!(words.read_line(&mut said).unwrap(), 0, "{said}");
    }
    let ask = |question| command().args([question, "--admin", &address]).output().unwrap();
    let output = ask("status");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(ask("drain").status.code(), Some(0));
    drop(words);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    drop(leash);
    let output = ask("status");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("was proxy-cli started with --admin?"), "{told}");
    fs::remove_dir(&folder).unwrap();
}
