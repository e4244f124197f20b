//! [`Contestant`]: a proxy that runs, with an address for each of our clients.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::running::{Running, START, directory, free_address, installed};

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The program of this package, as a forward proxy.
    Ours,
    /// HAProxy, as a reverse proxy.
    Haproxy,
    /// nginx, as a reverse proxy.
    Nginx,
    /// Squid, as a forward proxy.
    Squid,
}

impl Kind {
    pub(crate) const ALL: [Kind; 4] = [Kind::Ours, Kind::Haproxy, Kind::Nginx, Kind::Squid];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Ours => "ours",
            Kind::Haproxy => "HAProxy",
            Kind::Nginx => "nginx",
            Kind::Squid => "Squid",
        }
    }

    /// Whether it is asked in absolute-form.
    pub(crate) fn forwards(self) -> bool {
        matches!(self, Kind::Ours | Kind::Squid)
    }

    /// What it says about its version.
    pub(crate) fn version(self) -> String {
        let (program, flag) = match self {
            Kind::Ours => return format!("proxy-cli {}", env!("CARGO_PKG_VERSION")),
            Kind::Haproxy => ("haproxy", "-v"),
            Kind::Nginx => ("nginx", "-v"),
            Kind::Squid => ("squid", "-v"),
        };
        let said = installed(program, "").and_then(|path| Command::new(path).arg(flag).output());
        let Ok(said) = said else { return program.to_owned() };
        let text = if said.stdout.is_empty() { said.stderr } else { said.stdout };
        let text = String::from_utf8_lossy(&text).into_owned();
        let begins = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
        let number = text.split([' ', '/', '\n']).find(begins).unwrap_or_default();
        format!("{} {number}", self.name())
    }
}

/// A proxy that accepts connections.
pub(crate) struct Contestant {
    pub(crate) kind: Kind,
    /// Where each client finds it.
    pub(crate) addresses: Vec<SocketAddr>,
    _running: Running,
}

impl Contestant {
    /// Starts a proxy; a reverse proxy has an address in front of each of the origins.
    ///
    /// # Errors
    ///
    /// When it is not installed or does not start.
    pub(crate) fn start(kind: Kind, origins: &[SocketAddr]) -> io::Result<Contestant> {
        let cores = cores()?;
        let listen: Vec<_> = origins.iter().map(|_| free_address()).collect::<Result<_, _>>()?;
        let (running, addresses) = match kind {
            Kind::Ours => {
                let program = Path::new(env!("CARGO_BIN_EXE_proxy-cli"));
                let arguments = ["--listen", "127.0.0.1:0"].map(OsString::from);
                let running = Running::announced("proxy-cli", &cores, program, &arguments)?;
                let address = running.address;
                (running, vec![address; origins.len()])
            }
            Kind::Haproxy => (haproxy(&cores, &listen, origins)?, listen),
            Kind::Nginx => (nginx(&cores, &listen, origins)?, listen),
            Kind::Squid => (squid(&cores, listen[0])?, vec![listen[0]; origins.len()]),
        };
        let started = Instant::now();
        for address in &addresses {
            while TcpStream::connect(address).is_err() {
                if started.elapsed() > START {
                    return Err(io::Error::other("does not accept connections"));
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(Contestant { kind, addresses, _running: running })
    }
}

fn haproxy(cores: &str, listen: &[SocketAddr], origins: &[SocketAddr]) -> io::Result<Running> {
    let program = installed("haproxy", "haproxy")?;
    let mut text = include_str!("haproxy.cfg").to_owned();
    for (number, (listen, origin)) in listen.iter().zip(origins).enumerate() {
        text += &format!("listen l{number}\n    bind {listen}\n    server s {origin}\n");
    }
    let file = written("strictness-haproxy.cfg", &text)?;
    let arguments = ["-db".into(), "-f".into(), file.into_os_string()];
    Running::told(listen[0], cores, &program, &arguments, None)
}

fn nginx(cores: &str, listen: &[SocketAddr], origins: &[SocketAddr]) -> io::Result<Running> {
    let servers: String = listen
        .iter()
        .zip(origins)
        .map(|(listen, origin)| {
            format!("    server {{\n        listen {listen};\n        location / {{ proxy_pass http://{origin}; }}\n    }}\n")
        })
        .collect();
    let text = include_str!("nginx.conf").replace("@SERVERS@", &servers);
    let file = written("strictness-nginx.conf", &text)?;
    Running::nginx(listen[0], cores, &file)
}

fn squid(cores: &str, listen: SocketAddr) -> io::Result<Running> {
    let program = installed("squid", "squid")?;
    let text = include_str!("squid.conf").replace("@LISTEN@", &listen.to_string());
    let file = written("strictness-squid.conf", &text)?;
    // -N: in the foreground, in this one process.
    let arguments = ["-N".into(), "-f".into(), file.into_os_string()];
    Running::told(listen, cores, &program, &arguments, None)
}

fn written(name: &str, text: &str) -> io::Result<PathBuf> {
    let file = Path::new(directory()).join(name);
    fs::write(&file, text)?;
    Ok(file)
}

/// All cores there are: nothing is measured here.
fn cores() -> io::Result<String> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    Ok(line.unwrap_or("0").trim().to_owned())
}
