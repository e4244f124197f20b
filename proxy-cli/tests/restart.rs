//! Stopping and restarting, as service managers and their users meet it.
#![cfg(target_os = "linux")]

mod support;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use support::Leash;

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running program. It is killed when a test ends without having stopped it.
struct Program {
    child: Child,
    address: SocketAddr,
    diagnostics: BufReader<ChildStderr>,
    _leash: Leash,
}

fn command(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proxy-cli"));
    command.args(flags);
    command
}

/// The program as a service manager starts it that has sockets for it: here one, for the process
/// with the number that the shell puts in the place of `$PID`.
fn passed(socket: impl Into<OwnedFd>, pid: &str, flags: &[&str]) -> Command {
    let mut command = Command::new("sh");
    let script = format!("PID=$$; LISTEN_FDS=1 LISTEN_PID={pid} exec \"$@\" 3<&0 </dev/null");
    command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_proxy-cli")]).args(flags);
    command.stdin(Stdio::from(socket.into()));
    command
}

fn output(command: &mut Command) -> Output {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap()
}

impl Program {
    fn start(command: &mut Command) -> Program {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let leash = Leash::on(&child);
        let mut diagnostics = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        diagnostics.read_line(&mut first).unwrap();
        let address = first.trim_end().strip_prefix("listening on ").expect(&first).parse();
        Program { child, address: address.unwrap(), diagnostics, _leash: leash }
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Waits for its end; gives what it has said since its first line.
    fn end(mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        self.diagnostics.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap(), said)
    }

    /// Has it stop, which it does with success.
    #[track_caller]
    fn stop(self) -> String {
        self.signal("-TERM");
        let (status, said) = self.end();
        assert_eq!(status.code(), Some(0), "{said}");
        said
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks on a connection of its own; the answer of a forward proxy to `OPTIONS *` is its own.
fn ask(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"OPTIONS * HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.starts_with("HTTP/1.1 2") {
        true => Ok(()),
        false => Err(io::Error::other(answer)),
    }
}

/// Has clients ask without a pause while `meanwhile` happens, which can wait until more have been
/// answered. Each of them is answered.
#[track_caller]
fn nobody_notices(address: SocketAddr, meanwhile: impl FnOnce(&dyn Fn())) {
    const CLIENTS: usize = 4;
    const MORE: usize = 50;
    let (over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let client = || {
        while !over.load(Ordering::Relaxed) {
            ask(address)?;
            answered.fetch_add(1, Ordering::Relaxed);
        }
        io::Result::Ok(())
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        meanwhile(&|| {
            let enough = answered.load(Ordering::Relaxed) + MORE;
            while answered.load(Ordering::Relaxed) < enough
                && !clients.iter().any(thread::ScopedJoinHandle::is_finished)
            {
                thread::yield_now();
            }
        });
        over.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().unwrap().expect("every client is answered");
        }
    });
}

#[test]
fn nobody_notices_that_the_program_at_a_passed_socket_is_another_one() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let start = || Program::start(&mut passed(socket.try_clone().unwrap(), "$PID", &[]));
    let mut program = start();
    assert_eq!(program.address, address);
    nobody_notices(address, |more_are_answered| {
        for _ in 0..3 {
            more_are_answered();
            program.signal("-TERM");
            // The old one ends, and there is none for a while; or both are there for a while.
            program = start();
            more_are_answered();
        }
    });
    program.stop();
}

#[test]
fn nobody_notices_that_a_program_takes_over_a_shared_port() {
    let start = |at: &str| Program::start(&mut command(&["--listen", at, "--reuse-port"]));
    let mut program = start("127.0.0.1:0");
    let address = program.address;
    nobody_notices(address, |more_are_answered| {
        for _ in 0..3 {
            more_are_answered();
            let next = start(&address.to_string());
            more_are_answered();
            std::mem::replace(&mut program, next).stop();
        }
    });
    program.stop();
}

#[test]
fn a_port_is_not_shared_unless_both_say_so() {
    let first = Program::start(&mut command(&["--listen", "127.0.0.1:0"]));
    let at = first.address.to_string();
    let second = output(&mut command(&["--listen", &at, "--reuse-port"]));
    assert_eq!(second.status.code(), Some(1));
    first.stop();
}

#[test]
fn sockets_for_another_process_are_not_touched() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let program = Program::start(&mut passed(socket, "1", &["--listen", "127.0.0.1:0"]));
    assert_ne!(program.address, address);
    program.stop();
}

#[test]
fn an_address_that_is_set_is_bound_beside_passed_sockets_unless_it_is_theirs() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let at = address.to_string();
    let flags = ["--listen", &at, "--listen", "127.0.0.1:0"];
    let program = Program::start(&mut passed(socket, "$PID", &flags));
    assert_ne!(program.address, address, "what it binds comes first");
    ask(program.address).unwrap();
    ask(address).unwrap();
    assert!(program.stop().starts_with(&format!("listening on {address}\n")));
}

#[test]
fn what_is_passed_and_is_no_tcp_socket_that_listens_is_refused() {
    let unlistening = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let name = std::os::unix::net::SocketAddr::from_abstract_name(name("refused")).unwrap();
    let sockets: [OwnedFd; 4] = [
        UnixListener::bind_addr(&name).unwrap().into(),
        UdpSocket::bind("127.0.0.1:0").unwrap().into(),
        unlistening.unwrap().into(),
        std::fs::File::open("/dev/null").unwrap().into(),
    ];
    for socket in sockets {
        let refused = output(&mut passed(socket, "$PID", &[]));
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains("socket 1 of those that were passed (LISTEN_FDS) is not"), "{said}");
    }
}

#[test]
fn a_passed_socket_makes_no_open_proxy() {
    let socket = TcpListener::bind("0.0.0.0:0").unwrap();
    let refused = output(&mut passed(socket.try_clone().unwrap(), "$PID", &[]));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("--allow-client"), "{said}");
    let allowed = ["--allow-client", "127.0.0.0/8"];
    let program = Program::start(&mut passed(socket, "$PID", &allowed));
    assert!(program.stop().contains("serving clients in 127.0.0.0/8"));
}

/// A name for sockets that no other test and no other run has.
fn name(what: &str) -> String {
    format!("proxy-cli-{what}-{}", std::process::id())
}

/// Where a service manager is told something, and its name, which is that of no file.
fn manager(what: &str) -> (UnixDatagram, String) {
    let name = name(what);
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let manager = UnixDatagram::bind_addr(&address).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    (manager, name)
}

fn told(manager: &UnixDatagram) -> String {
    let mut word = [0; 512];
    let length = manager.recv(&mut word).unwrap();
    String::from_utf8_lossy(&word[..length]).into_owned()
}

#[test]
fn a_service_manager_is_told_when_it_listens_and_when_it_stops() {
    let (manager, name) = manager("notify");
    let told = || told(&manager);
    let mut command = command(&["--listen", "127.0.0.1:0"]);
    // `@` stands for the zero byte in front of an abstract name.
    let program = Program::start(command.env("NOTIFY_SOCKET", format!("@{name}")));
    assert_eq!(told(), format!("STATUS=listening on {}", program.address));
    assert_eq!(told(), "READY=1");
    ask(program.address).unwrap();
    program.stop();
    assert_eq!(told(), "STOPPING=1");
    assert!(told().starts_with("STATUS=stopping: no new connections"));
}

#[test]
fn a_reload_keeps_passed_sockets_and_begins_and_ends_with_a_word_to_the_manager() {
    let (manager, name) = manager("reload");
    let told = || told(&manager);
    let file = std::env::temp_dir().join(format!("{name}.toml"));
    std::fs::write(&file, "").unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = passed(socket, "$PID", &["--config", file.to_str().unwrap()]);
    let program = Program::start(command.env("NOTIFY_SOCKET", format!("@{name}")));
    let listening = format!("STATUS=listening on {}", program.address);
    assert_eq!([told(), told()], [&*listening, "READY=1"]);
    // One that is good, and one that is not: each ends with READY, for it serves.
    for text in ["drain-timeout = \"5s\"", "nonsense = 1"] {
        std::fs::write(&file, text).unwrap();
        program.signal("-HUP");
        assert!(told().starts_with("RELOADING=1\nMONOTONIC_USEC="));
        assert_eq!([told(), told()], [&*listening, "READY=1"]);
        ask(program.address).unwrap();
    }
    let said = program.stop();
    assert!(said.contains("what is under way has 5s") && said.contains("not reloaded"), "{said}");
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn a_manager_that_has_gone_does_not_keep_it_from_serving() {
    let mut command = command(&["--listen", "127.0.0.1:0"]);
    let program = Program::start(command.env("NOTIFY_SOCKET", format!("@{}", name("gone"))));
    ask(program.address).unwrap();
    assert!(program.stop().contains("the service manager cannot be told"));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let origin = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = origin.local_addr().unwrap();
    let mut program = Program::start(&mut command(&["--listen", "127.0.0.1:0"]));
    let mut tunnel = TcpStream::connect(program.address).unwrap();
    write!(tunnel, "CONNECT {at} HTTP/1.1\r\nHost: {at}\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    tunnel.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    program.signal("-TERM");
    // It drains: the tunnel alone has 30 s.
    let mut said = String::new();
    while !said.contains("stopping:") {
        assert_ne!(program.diagnostics.read_line(&mut said).unwrap(), 0, "{said}");
    }
    // The line is written before the next signal is waited for: it is sent until it is heeded.
    let status = loop {
        program.signal("-TERM");
        if let Some(status) = program.child.try_wait().unwrap() {
            break status;
        }
        thread::yield_now();
    };
    assert_eq!(status.code(), Some(130));
}
