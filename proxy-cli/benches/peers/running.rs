//! [`Running`]: a program that listens, pinned to its cores, gone when this process is.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Long enough for any of the programs to start on a busy machine.
pub(crate) const START: Duration = Duration::from_secs(10);

/// How the other lines begin that ours says to a person who has just started it.
const EXPECTED: [&str; 3] = ["try: ", "at most ", "administration at "];

/// A program under way. Dropping it ends it.
pub(crate) struct Running {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    child: Child,
    /// What ends it where killing it would not: a parent whose children live on.
    farewell: Option<Command>,
}

impl Running {
    /// Starts a program that chooses its own port and says `listening on ADDRESS` on its
    /// standard error, as ours do.
    pub(crate) fn announced(
        name: &'static str,
        cores: &str,
        program: &Path,
        arguments: &[OsString],
    ) -> io::Result<Running> {
        let mut command = pinned(cores, program, arguments);
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        let lines = child.stderr.take().expect("standard error was asked to be piped");
        match announcement(name, lines) {
            Ok(address) => Ok(Running { address, child, farewell: None }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Starts a program that was told to listen on `address`.
    pub(crate) fn told(
        address: SocketAddr,
        cores: &str,
        program: &Path,
        arguments: &[OsString],
        farewell: Option<Command>,
    ) -> io::Result<Running> {
        let child = pinned(cores, program, arguments).spawn()?;
        Ok(Running { address, child, farewell })
    }

    /// Starts nginx, whose configuration has it listen on `address`.
    pub(crate) fn nginx(
        address: SocketAddr,
        cores: &str,
        configuration: &Path,
    ) -> io::Result<Running> {
        let program = installed("nginx", "nginx-light")?;
        let arguments: [OsString; 6] = [
            "-p".into(),
            directory().into(),
            "-e".into(),
            "stderr".into(),
            "-c".into(),
            configuration.into(),
        ];
        // Killing its master would leave its worker behind: it has a command for stopping.
        let mut stop = Command::new(&program);
        stop.args(&arguments).args(["-s", "stop"]);
        Running::told(address, cores, &program, &arguments, Some(stop))
    }

    /// The process, the first of its tree.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it ended by itself, which none of them should.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // `wait` is bounded: what the farewell does not end is killed.
        let ended = self.farewell.as_mut().is_some_and(|farewell| {
            farewell.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        });
        if !ended {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// Finds a program on the path, and where Debian keeps servers, which is not on everybody's.
pub(crate) fn installed(program: &str, package: &str) -> io::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
        .ok_or_else(|| io::Error::other(format!("not installed (Debian package {package})")))
}

/// A port that is free now. The peers cannot be asked which one they chose.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Where Cargo wants benchmarks to keep their files.
pub(crate) fn directory() -> &'static str {
    env!("CARGO_TARGET_TMPDIR")
}

/// The command that runs `program` on `cores`. `taskset` and `setpriv` become the program
/// (`exec`), so the process that is started is the one to be measured; `setpriv` has the
/// kernel end it when this process is killed and cannot clean up.
fn pinned(cores: &str, program: &Path, arguments: &[OsString]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "taskset", "-c", cores]);
    command.arg(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Waits for the announcement, and keeps reading after it: a program must never wait for us
/// to read what it says.
fn announcement(name: &'static str, lines: ChildStderr) -> io::Result<SocketAddr> {
    let (found, address) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(lines).lines().map_while(Result::ok) {
            match announced_address(&line) {
                Some(address) => {
                    let _ = found.send(address);
                }
                None if EXPECTED.iter().any(|begin| line.starts_with(begin)) => {}
                None => eprintln!("{name}: {line}"),
            }
        }
    });
    address.recv_timeout(START).map_err(|error| match error {
        RecvTimeoutError::Disconnected => io::Error::other("ended before it listened"),
        RecvTimeoutError::Timeout => io::Error::other("did not say where it listens"),
    })
}

fn announced_address(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once("listening on ")?;
    let address = address.split_whitespace().next()?;
    address.trim_start_matches("http://").trim_end_matches([',', '.', '/']).parse().ok()
}
