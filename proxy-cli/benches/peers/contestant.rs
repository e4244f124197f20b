//! [`Contestant`]: a proxy that is ready for its turn.

use crate::answer::Answer;
use crate::configuration::{log_file, written};
use crate::entrant::{Entrant, Form, Kind};
use crate::machine::Machine;
use crate::running::{Running, START, free_address, installed};
use crate::scenario::{Mode, Scenario};
use crate::site::KB;
use crate::way::Way;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// A proxy that has answered a first request rightly.
pub(crate) struct Contestant {
    /// The program.
    pub(crate) running: Running,
    /// How clients ask it.
    pub(crate) way: Way,
    /// Where it reaches the origin.
    pub(crate) origin: SocketAddr,
    /// From its start to its first answer.
    pub(crate) took: Duration,
}

impl Contestant {
    /// Starts a proxy for a scenario and waits until it answers.
    ///
    /// # Errors
    ///
    /// When it is not installed, cannot do what the scenario asks, or does not answer.
    pub(crate) fn start(
        entrant: Entrant,
        scenario: &Scenario,
        origin: SocketAddr,
        machine: &Machine,
    ) -> io::Result<Contestant> {
        let cores = machine.proxy_cores(scenario.suite);
        let way = match (entrant.kind, scenario.mode) {
            (_, Mode::Fixed) | (Kind::Relay | Kind::Haproxy, Mode::Tunnel) => Way::Origin,
            (_, Mode::Forward) => Way::Absolute,
            (_, Mode::Tunnel) => Way::Tunnel,
        };
        let started = Instant::now();
        let mut running = match entrant.kind {
            Kind::Ours => ours(entrant.form, scenario.mode, origin, cores)?,
            Kind::Relay => {
                let arguments = ["relay".into(), origin.to_string().into()];
                Running::announced("relay", cores, &std::env::current_exe()?, &arguments)?
            }
            Kind::Haproxy => haproxy(entrant.form, scenario.mode, origin, cores)?,
            Kind::Nginx => {
                let listen = free_address()?;
                let template = include_str!("nginx.conf");
                let file = written("nginx.conf", template, listen, origin, entrant.form)?;
                Running::nginx(listen, cores, &file)?
            }
            Kind::Squid => {
                let listen = free_address()?;
                let template = include_str!("squid.conf");
                let file = written("squid.conf", template, listen, origin, entrant.form)?;
                // -N: in the foreground, in this one process.
                let arguments = ["-N".into(), "-f".into(), file.into_os_string()];
                Running::told(listen, cores, &installed("squid", "squid")?, &arguments, None)?
            }
            Kind::Tinyproxy => {
                let listen = free_address()?;
                let template = include_str!("tinyproxy.conf");
                let file = written("tinyproxy.conf", template, listen, origin, entrant.form)?;
                // -d: in the foreground.
                let arguments = ["-d".into(), "-c".into(), file.into_os_string()];
                let program = installed("tinyproxy", "tinyproxy")?;
                Running::told(listen, cores, &program, &arguments, None)?
            }
        };
        wait_until_it_answers(&mut running, way, origin)?;
        Ok(Contestant { running, way, origin, took: started.elapsed() })
    }
}

fn ours(form: Form, mode: Mode, origin: SocketAddr, cores: &str) -> io::Result<Running> {
    let loops = if form == Form::Two { "2" } else { "1" };
    // Connections to the origin are kept as the other contestants are told to keep them.
    let mut arguments: Vec<OsString> = [
        "--listen",
        "127.0.0.1:0",
        "--event-loops",
        loops,
        "--idle-upstreams",
        "4096",
        "--idle-per-upstream",
        "2048",
        "--upstream-idle-timeout",
        "60s",
    ]
    .map(OsString::from)
    .into();
    if mode == Mode::Fixed {
        arguments.extend(["--upstream".into(), format!("http://{origin}").into()]);
    }
    let (format, file) = match form {
        Form::Logging | Form::Observed | Form::LogOnly => ("json", log_file().into_os_string()),
        _ => ("off", "/dev/null".into()),
    };
    arguments.extend(["--log-format".into(), format.into(), "--log-file".into(), file]);
    match form {
        Form::Observed => arguments.extend(["--admin".into(), "127.0.0.1:0".into()]),
        Form::LogOnly | Form::Silent => arguments.push("--metrics=false".into()),
        _ => {}
    }
    Running::announced("proxy-cli", cores, Path::new(OURS), &arguments)
}

/// Our program.
pub(crate) const OURS: &str = env!("CARGO_BIN_EXE_proxy-cli");

fn haproxy(form: Form, mode: Mode, origin: SocketAddr, cores: &str) -> io::Result<Running> {
    let program = installed("haproxy", "haproxy")?;
    let listen = free_address()?;
    let template = match mode {
        Mode::Fixed => include_str!("haproxy.cfg"),
        Mode::Forward => include_str!("haproxy-forward.cfg"),
        Mode::Tunnel => include_str!("haproxy-tunnel.cfg"),
    };
    let configuration = written("haproxy.cfg", template, listen, origin, form)?;
    // -db: stay in the foreground, in this one process.
    let arguments = ["-db".into(), "-f".into(), configuration.into_os_string()];
    Running::told(listen, cores, &program, &arguments, None)
}

/// Asks until there is an answer: a server that was told its port does not say when it is
/// ready.
fn wait_until_it_answers(running: &mut Running, way: Way, origin: SocketAddr) -> io::Result<()> {
    let started = Instant::now();
    loop {
        match first_answer(running.address, way, origin) {
            Ok(()) => return Ok(()),
            Err(error) if running.has_ended() || started.elapsed() > START => {
                return Err(io::Error::other(format!("does not answer: {error}")));
            }
            // Short beside what starting takes, which is measured with it.
            Err(_) => thread::sleep(Duration::from_micros(500)),
        }
    }
}

/// Fetches a body once and looks at it: a proxy that answers wrongly must not look fast.
fn first_answer(proxy: SocketAddr, way: Way, origin: SocketAddr) -> io::Result<()> {
    let mut stream = way.open(proxy, origin)?;
    stream.write_all(&way.get(origin, "/1k"))?;
    whole_answer(&mut stream, KB as u64, &mut [0; 16 * 1024])
}

/// Reads a response of so much content.
pub(crate) fn whole_answer(
    stream: &mut impl Read,
    content: u64,
    buffer: &mut [u8],
) -> io::Result<()> {
    let mut answer = Answer::expecting(content);
    loop {
        let count = stream.read(buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if answer.take(&buffer[..count]).map_err(io::Error::other)? {
            return Ok(());
        }
    }
}
