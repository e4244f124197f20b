//! SIGHUP: the configuration is read again, and the program goes on.
#![cfg(unix)]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;

use support::Program;

/// It listens on a port that the system chooses, whatever else the file says.
fn start(settings: &str) -> Program {
    let mut program = Program::start(&[], &format!("{LISTEN}{settings}"), &[]);
    program.says("connections at once");
    program
}

impl Program {
    /// Has it read other settings. It never sees a half of them, whenever it looks.
    fn reload(&self, settings: &str) {
        let written = self.folder.join("written.toml");
        fs::write(&written, settings).unwrap();
        fs::rename(written, self.folder.join("proxy.toml")).unwrap();
        self.signal("-HUP");
    }

    /// The status line of an answer to a request for nothing that is there.
    fn status(&self) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }
}

const LISTEN: &str = "listen = \"127.0.0.1:0\"\n";

#[test]
fn the_file_is_read_again_and_a_bad_one_changes_nothing() {
    let mut program = start("");
    // A forward proxy needs the whole URI.
    assert_eq!(program.status(), "HTTP/1.1 400 Bad Request");
    program.reload(&format!("{LISTEN}allow-client = \"192.0.2.0/24\"\n"));
    program.says("reloaded: ");
    assert_eq!(program.status(), "HTTP/1.1 403 Forbidden");

    program.reload(&format!("{LISTEN}allow-klient = \"127.0.0.1\"\n"));
    program.says("did you mean `allow-client`?");
    program.says("not reloaded: everything is as it was");
    assert_eq!(program.status(), "HTTP/1.1 403 Forbidden");

    program.reload(&format!("{LISTEN}workers = 9\nlane-queue = 5\n"));
    assert_eq!(program.says("at the next start"), "at the next start only: workers, lane-queue");
    program.says("reloaded: ");
    assert_eq!(program.status(), "HTTP/1.1 400 Bad Request");
    program.signal("-TERM");
    program.says("stopped: ");
    assert_eq!(program.ends(), Some(0));
}

#[test]
fn listeners_come_and_go() {
    let mut program = start("");
    let first = program.address;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let used = taken.local_addr().unwrap();
    program.reload(&format!("listen = [\"127.0.0.1:0\", \"{used}\"]\n"));
    program.says(&format!("cannot listen on {used}"));
    program.says("another program listens there");
    program.says("not reloaded");
    program.reload(&format!("listen = [\"127.0.0.1:0\", \"{first}\"]\n"));
    program.says(&format!("this proxy listens on {first}"));
    program.says("not reloaded");

    program.reload("listen = [\"127.0.0.1:0\", \"127.0.0.2:0\"]\n");
    let second = program.says("listening on 127.0.0.2:");
    program.says("reloaded");
    program.reload("listen = \"127.0.0.2:0\"\n");
    program.says(&format!("no longer listening on {first}"));
    program.says("reloaded");
    TcpListener::bind(first).expect("the port is free");
    program.address = second["listening on ".len()..].parse().unwrap();
    assert_eq!(program.status(), "HTTP/1.1 400 Bad Request");
}

#[test]
fn the_log_goes_where_the_newest_file_says() {
    let mut program = start("");
    let log = |name: &str| program.folder.join(name);
    let (one, two, moved) = (log("one"), log("two"), log("moved"));
    let to = |path: &PathBuf| format!("{LISTEN}log-file = {path:?}\nlog-format = \"common\"\n");
    program.reload(&to(&one));
    program.says("reloaded");
    program.status();
    program.reload(&to(&program.folder.join("missing/log")));
    program.says("cannot open the log file");
    program.says("not reloaded");
    program.status();
    program.reload(&to(&two));
    program.says("reloaded");
    program.status();
    let lines = |path| fs::read_to_string(path).unwrap_or_default().lines().count();
    while lines(&two) == 0 {
        std::thread::yield_now();
    }
    // Unchanged, it is opened anew: it may have been moved away.
    fs::rename(&two, &moved).unwrap();
    program.reload(&to(&two));
    program.says("reloaded");
    program.status();
    program.signal("-TERM");
    program.says("stopped");
    program.ends();
    assert_eq!((lines(&one), lines(&moved), lines(&two)), (2, 1, 1));
}

#[test]
fn that_nobody_reads_what_it_says_is_no_reason_to_stop() {
    let mut program = start("");
    program.words = None;
    program.reload("nonsense");
    program.reload(&format!("{LISTEN}allow-client = \"192.0.2.0/24\"\n"));
    while program.status() != "HTTP/1.1 403 Forbidden" {
        std::thread::yield_now();
    }
    program.signal("-TERM");
    assert_eq!(program.ends(), Some(0));
}

#[test]
fn rules_and_their_lists_are_read_again_and_bad_ones_change_nothing() {
    let mut program = start("");
    let list = program.folder.join("list.txt");
    let rules = "[list.own]\nnetworks = 'list.txt'\n\
                 [[rule]]\nname = 'it'\nclient-list = 'own'\nverdict = 'deny'\nstatus = 451\n";
    fs::write(&list, "192.0.2.0/24\n").unwrap();
    program.reload(&format!("{LISTEN}{rules}"));
    program.says("reloaded: ");
    // A forward proxy needs the whole URI; but rules are asked first.
    assert_eq!(program.status(), "HTTP/1.1 400 Bad Request");
    fs::write(&list, "127.0.0.0/8\n").unwrap();
    program.signal("-HUP");
    program.says("reloaded: ");
    assert_eq!(program.status(), "HTTP/1.1 451 Unavailable For Legal Reasons");

    fs::write(&list, "192.0.2.0/24\n10.0.0.1/8\n").unwrap();
    program.signal("-HUP");
    program.says("list.txt:2:1: the address has bits set behind its prefix");
    program.says("not reloaded: everything is as it was");
    assert_eq!(program.status(), "HTTP/1.1 451 Unavailable For Legal Reasons");
    fs::remove_file(&list).unwrap();
    program.signal("-HUP");
    program.says("cannot be read: ");
    program.says("not reloaded: everything is as it was");
    assert_eq!(program.status(), "HTTP/1.1 451 Unavailable For Legal Reasons");

    fs::write(&list, "# nobody\n").unwrap();
    program.signal("-HUP");
    program.says("warning: rule `it`: one of its lists has nothing in it");
    program.says("reloaded: ");
    assert_eq!(program.status(), "HTTP/1.1 400 Bad Request");
}
