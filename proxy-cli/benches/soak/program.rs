//! [`Program`]: the real `proxy-cli`, with a configuration file and an access log.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::wire::PATIENCE;

/// Its event loops: for the most memory that it may need.
pub(crate) const EVENT_LOOPS: usize = 2;

/// What is not its default.
const SETTINGS: &str = "\
log-format = \"json\"
event-loops = 2
admin = \"127.0.0.1:0\"
workers = 4
connections = 1000
drain-timeout = \"20s\"
";

/// With what lines begin that say nothing is wrong.
const WORDS: [&str; 8] = [
    LISTENING,
    ADMINISTERED,
    "no longer listening on ",
    "try: ",
    "at most ",
    RELOADED,
    "stopping: ",
    "stopped: ",
];
const LISTENING: &str = "listening on ";
const ADMINISTERED: &str = "administration at http://";
const RELOADED: &str = "reloaded: ";
const NOT_RELOADED: &str = "not reloaded: ";

/// Of lines that are not waited for, no more than that are kept: so many say no more than these.
const MOST_LINES: u32 = 1_000;

/// The program under way. Dropping it ends it.
pub(crate) struct Program {
    pub(crate) address: SocketAddr,
    /// Where it is asked how it does.
    pub(crate) admin: SocketAddr,
    child: Child,
    folder: PathBuf,
    waits: Duration,
    said: Arc<Mutex<Vec<String>>>,
    reader: Option<thread::JoinHandle<()>>,
    rotations: u32,
    reloads: u32,
}

/// In what a configuration differs from the one at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    /// Other timeouts for what begins from now on.
    Timeouts,
    /// Another memory for names, so the one there is has to go.
    Names,
    /// It listens at one more address.
    Listener,
    /// It cannot be used, and so must not be.
    Bad,
}

impl Change {
    /// One after the other, and again from the first.
    pub(crate) const ALL: [Change; 5] =
        [Change::Timeouts, Change::Listener, Change::Bad, Change::Names, Change::None];
}

/// How it ended.
pub(crate) struct Farewell {
    pub(crate) status: ExitStatus,
    /// Records that it says to have logged and dropped.
    pub(crate) records: Option<(u64, u64)>,
    /// Connections that it had to cut.
    pub(crate) cut: Option<u64>,
    /// What it said that should not have been said.
    pub(crate) complaints: Vec<String>,
}

impl Program {
    /// Starts it with all its files in `folder`, to wait so long for whoever says nothing: not too
    /// long, so that it comes to pass often, and long enough for a machine that is busy with other
    /// things.
    pub(crate) fn start(folder: &Path, waits: Duration) -> io::Result<Program> {
        let configuration = folder.join("proxy.toml");
        fs::write(&configuration, settings(folder, waits, Change::None))?;
        let mut child = bound_to_us(env!("CARGO_BIN_EXE_proxy-cli"))
            .arg("--config")
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let said = Arc::new(Mutex::new(Vec::new()));
        let lines = child.stderr.take().expect("standard error was asked to be piped");
        let (found, address) = mpsc::channel();
        let file = File::create(folder.join("said.txt"))?;
        let reader = listen_to(lines, Arc::clone(&said), file, found)?;
        let mut program = Program {
            address: SocketAddr::from(([0; 4], 0)),
            admin: SocketAddr::from(([0; 4], 0)),
            child,
            folder: folder.to_owned(),
            waits,
            said,
            reader: Some(reader),
            rotations: 0,
            reloads: 0,
        };
        let next = || {
            let told = address.recv_timeout(PATIENCE);
            told.map_err(|_| io::Error::other(format!("it did not start: {:?}", program.said())))
        };
        // It tells of the one after the other.
        let (address, admin) = (next()?, next()?);
        (program.address, program.admin) = (address, admin);
        Ok(program)
    }

    /// Where it has begun to listen last.
    pub(crate) fn newest_address(&self) -> SocketAddr {
        let said = self.said();
        let mut addresses = said.iter().rev().filter_map(|line| line.strip_prefix(LISTENING));
        addresses.find_map(|address| address.parse().ok()).unwrap_or(self.address)
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended, which it must not before it is asked to.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// How often its log was rotated and its configuration reloaded.
    pub(crate) fn counts(&self) -> (u32, u32) {
        (self.rotations, self.reloads)
    }

    /// Rotates the access log, as `logrotate` does, and waits until the new one is there.
    pub(crate) fn rotate(&mut self) -> io::Result<()> {
        self.rotations += 1;
        let name = self.folder.join("access.log");
        fs::rename(&name, self.folder.join(format!("access-{:05}.log", self.rotations)))?;
        self.signal("-USR1")?;
        let deadline = Instant::now() + PATIENCE;
        while !name.exists() {
            if Instant::now() > deadline {
                return Err(io::Error::other("the access log was not opened anew"));
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Has another configuration read, and waits until the program says that it has.
    pub(crate) fn reload(&mut self, change: Change) -> io::Result<()> {
        let word = match change {
            Change::Bad => NOT_RELOADED,
            _ => RELOADED,
        };
        let times = |said: &[String]| said.iter().filter(|line| line.starts_with(word)).count();
        let before = times(&self.said());
        self.reloads += 1;
        fs::write(self.folder.join("proxy.toml"), settings(&self.folder, self.waits, change))?;
        self.signal("-HUP")?;
        let deadline = Instant::now() + PATIENCE;
        while times(&self.said()) == before {
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("it never said {word:?}")));
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// All files of the access log, the oldest first.
    pub(crate) fn logs(&self) -> Vec<PathBuf> {
        let old = (1..=self.rotations).map(|number| format!("access-{number:05}.log"));
        old.chain(["access.log".to_owned()]).map(|name| self.folder.join(name)).collect()
    }

    /// Asks it to stop, and waits for its end.
    pub(crate) fn stop(&mut self) -> io::Result<Farewell> {
        self.signal("-TERM")?;
        // It drains for 20 s at most.
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if Instant::now() > deadline {
                return Err(io::Error::other("it did not end after SIGTERM"));
            }
            thread::sleep(Duration::from_millis(10));
        };
        if let Some(reader) = self.reader.take() {
            reader.join().map_err(|_| io::Error::other("nobody could listen to it"))?;
        }
        let said = self.said();
        let last = said.iter().rev().find(|line| line.starts_with("stopped: "));
        let number_before = |word: &str| -> Option<u64> {
            let (before, _) = last?.split_once(word)?;
            before.rsplit(' ').next()?.parse().ok()
        };
        Ok(Farewell {
            status,
            records: number_before(" records logged").zip(number_before(" dropped")),
            cut: number_before(" cut"),
            complaints: said
                .into_iter()
                .filter(|line| !WORDS.iter().any(|word| line.starts_with(word)))
                .filter(|line| !is_about_a_bad_file(line))
                .collect(),
        })
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().expect("no holder panics").clone()
    }

    fn signal(&self, signal: &str) -> io::Result<()> {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status()?;
        match status.success() {
            true => Ok(()),
            false => Err(io::Error::other(format!("kill {signal}: {status}"))),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command for a program that the kernel ends when this one is killed and cannot do so: by
/// `setpriv`, which becomes the program, where there is one.
fn bound_to_us(program: &str) -> Command {
    let setpriv = ["--pdeathsig", "KILL"];
    if Command::new("setpriv").args(setpriv).arg("true").status().is_ok_and(|it| it.success()) {
        let mut command = Command::new("setpriv");
        command.args(setpriv).arg(program);
        return command;
    }
    Command::new(program)
}

/// A configuration file.
fn settings(folder: &Path, waits: Duration, change: Change) -> String {
    let log = folder.join("access.log");
    let listen = match change {
        Change::Listener => "[\"127.0.0.1:0\", \"127.0.0.2:0\"]",
        _ => "\"127.0.0.1:0\"",
    };
    let more = match change {
        Change::None | Change::Listener => "",
        Change::Timeouts => "upstream-idle-timeout = \"1s\"\nconnect-timeout = \"7s\"\n",
        Change::Names => "names = 100\n",
        Change::Bad => "nonsense = true\n",
    };
    // A string of TOML has the escapes of Rust's, as far as paths need any.
    let log = format!("log-file = {:?}\n", log.to_string_lossy());
    let waits = waits.as_secs();
    let timeouts = format!(
        "request-head-timeout = \"{waits}s\"\nresponse-head-timeout = \"{waits}s\"\n\
         body-idle-timeout = \"{waits}s\"\nkeep-alive-timeout = \"{}s\"\n",
        waits + 5
    );
    format!("{SETTINGS}{log}{timeouts}listen = {listen}\n{more}")
}

/// What is told of a file that cannot be used, which is what must happen.
fn is_about_a_bad_file(line: &str) -> bool {
    line.starts_with(NOT_RELOADED) || line.contains("proxy.toml:") || line.starts_with("  ")
}

/// Reads what it says until it ends: it must never wait for us to do so.
fn listen_to(
    lines: ChildStderr,
    said: Arc<Mutex<Vec<String>>>,
    mut file: File,
    found: mpsc::Sender<SocketAddr>,
) -> io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name("listener".into()).spawn(move || {
        let mut others = 0;
        for line in BufReader::new(lines).lines().map_while(Result::ok) {
            let administered = line.strip_prefix(ADMINISTERED).and_then(|it| it.split('/').next());
            let address = line.strip_prefix(LISTENING).or(administered);
            if let Some(Ok(address)) = address.map(str::parse) {
                // The first two are waited for.
                let _ = found.send(address);
            }
            // What is waited for comes no more often than it is asked for.
            let is_expected =
                WORDS.iter().chain([&NOT_RELOADED]).any(|word| line.starts_with(word));
            others += u32::from(!is_expected);
            if is_expected || others <= MOST_LINES {
                // Whoever looks for a cause finds it there; without it the run goes on.
                let _ = writeln!(file, "{line}");
                said.lock().expect("no holder panics").push(line);
            }
        }
    })
}
