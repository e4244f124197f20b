//! [`Contestant`]: a proxy that is ready for its turn.

use crate::machine::Machine;
use crate::running::{Running, START, directory, free_address, installed};
use crate::scenario::{Mode, Scenario};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// Who takes part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The program of this package.
    Ours,
    /// `relay.rs`.
    Relay,
    /// HAProxy, from `haproxy.cfg` or `haproxy-forward.cfg`.
    Haproxy,
    /// nginx, from `nginx.conf`.
    Nginx,
}

impl Kind {
    /// Everybody. Ours is first: the report compares the others with the first.
    pub(crate) const ALL: [Kind; 4] = [Kind::Ours, Kind::Relay, Kind::Haproxy, Kind::Nginx];

    /// What the table calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Ours => crate::report::OURS,
            Kind::Relay => "null relay",
            Kind::Haproxy => "haproxy",
            Kind::Nginx => "nginx",
        }
    }
}

/// A proxy that has answered a first request rightly.
pub(crate) struct Contestant {
    /// The program.
    pub(crate) running: Running,
}

impl Contestant {
    /// Starts a proxy for a scenario and waits until it answers.
    ///
    /// # Errors
    ///
    /// When it is not installed, cannot do what the scenario asks, or does not answer.
    pub(crate) fn start(
        kind: Kind,
        scenario: &Scenario,
        origin: SocketAddr,
        machine: &Machine,
    ) -> io::Result<Contestant> {
        let core = &machine.proxy_core;
        let mut running = match (kind, scenario.mode) {
            (Kind::Ours, mode) => {
                let mut arguments: Vec<OsString> =
                    ["--listen", "127.0.0.1:0", "--event-loops", "1"].map(OsString::from).into();
                if mode == Mode::Fixed {
                    arguments.extend(["--upstream".into(), format!("http://{origin}").into()]);
                }
                let program = Path::new(env!("CARGO_BIN_EXE_proxy-cli"));
                Running::announced("proxy-cli", core, program, &arguments)?
            }
            // The origin understands absolute-form targets, so the relay "forwards" them too.
            (Kind::Relay, _) => {
                let arguments = ["relay".into(), origin.to_string().into()];
                Running::announced("relay", core, &std::env::current_exe()?, &arguments)?
            }
            (Kind::Haproxy, mode) => haproxy(mode, origin, core)?,
            (Kind::Nginx, Mode::Fixed) => nginx(origin, core)?,
            (Kind::Nginx, Mode::Forward) => {
                // `proxy_pass` to the host of the request opens a connection for each request.
                return Err(io::Error::other("keeps no upstream connections when forwarding"));
            }
        };
        wait_until_it_answers(&mut running, scenario, origin)?;
        Ok(Contestant { running })
    }
}

fn haproxy(mode: Mode, origin: SocketAddr, core: &str) -> io::Result<Running> {
    let program = installed("haproxy", "haproxy")?;
    let listen = free_address()?;
    let template = match mode {
        Mode::Fixed => include_str!("haproxy.cfg"),
        Mode::Forward => include_str!("haproxy-forward.cfg"),
    };
    let configuration = written("haproxy.cfg", template, listen, origin)?;
    // -db: stay in the foreground, in this one process.
    let arguments = ["-db".into(), "-f".into(), configuration.into_os_string()];
    Running::told(listen, core, &program, &arguments, None)
}

fn nginx(origin: SocketAddr, core: &str) -> io::Result<Running> {
    let listen = free_address()?;
    let configuration = written("nginx.conf", include_str!("nginx.conf"), listen, origin)?;
    Running::nginx(listen, core, &configuration)
}

/// Writes a configuration from its template.
pub(crate) fn written(
    name: &str,
    template: &str,
    listen: SocketAddr,
    origin: SocketAddr,
) -> io::Result<PathBuf> {
    let file = Path::new(directory()).join(name);
    let text =
        template.replace("@LISTEN@", &listen.to_string()).replace("@ORIGIN@", &origin.to_string());
    fs::write(&file, text)?;
    Ok(file)
}

/// Asks until there is an answer: a server that was told its port does not say when it is
/// ready.
fn wait_until_it_answers(
    running: &mut Running,
    scenario: &Scenario,
    origin: SocketAddr,
) -> io::Result<()> {
    let started = Instant::now();
    loop {
        match first_answer(running.address, scenario, origin) {
            Ok(()) => return Ok(()),
            Err(error) if running.has_ended() || started.elapsed() > START => {
                return Err(io::Error::other(format!("does not answer: {error}")));
            }
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Fetches the body once and looks at it: a proxy that answers wrongly must not look fast.
fn first_answer(proxy: SocketAddr, scenario: &Scenario, origin: SocketAddr) -> io::Result<()> {
    let target = match scenario.mode {
        Mode::Fixed => scenario.path.to_owned(),
        Mode::Forward => format!("http://{origin}{}", scenario.path),
    };
    let mut stream = TcpStream::connect_timeout(&proxy, START)?;
    stream.set_read_timeout(Some(START))?;
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {origin}\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut part = [0; 16 * 1024];
    loop {
        let count = stream.read(&mut part)?;
        answer.extend_from_slice(&part[..count]);
        let head = answer.windows(4).position(|window| window == b"\r\n\r\n");
        let body_bytes = head.map_or(0, |head| answer.len() - head - 4);
        if count == 0 || body_bytes >= scenario.body_bytes {
            let first_line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
            if first_line.starts_with(b"HTTP/1.1 200") && body_bytes == scenario.body_bytes {
                return Ok(());
            }
            let first_line = String::from_utf8_lossy(first_line);
            return Err(io::Error::other(format!("{first_line:?}, {body_bytes} body bytes")));
        }
    }
}
