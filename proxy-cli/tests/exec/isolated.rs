//! `--isolate`: a command that would go around its proxy.

use std::env;
use std::os::unix::net::{UnixListener, UnixStream};

use super::*;

/// Where the process that this test starts, in the place of a command, is to go by itself.
const AROUND: &str = "PROXY_CLI_TEST_AROUND";
const SOCKET: &str = "PROXY_CLI_TEST_SOCKET";

/// What that process does: it ignores its proxy, and then heeds it.
fn command(around: &str) {
    let ask = |address: &str| {
        let mut stream = TcpStream::connect(address).ok()?;
        let request =
            format!("GET http://{around}/ HTTP/1.1\r\nHost: {around}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        Some(answer)
    };
    assert_eq!(ask(around), None, "it got out");
    let path = env::var(SOCKET).unwrap();
    assert_eq!(
        UnixStream::connect(path).unwrap_err().kind(),
        std::io::ErrorKind::ConnectionRefused
    );
    let interfaces = fs::read_to_string("/proc/net/dev").unwrap();
    assert_eq!(interfaces.lines().skip(2).map(str::trim_start).count(), 1, "{interfaces}");
    let proxy = env::var("http_proxy").unwrap();
    let answer = ask(proxy.strip_prefix("http://").unwrap()).expect("the proxy is there");
    assert!(answer.ends_with("hello"), "{answer}");
}

/// Whether the system has no namespaces for users. Then it is told why, and what to do.
fn is_impossible(output: &Output) -> bool {
    let said = text(&output.stderr);
    if output.status.code() != Some(125) {
        return false;
    }
    assert!(said.starts_with("proxy-cli: no network of its own can be had"), "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");
    // These two come first. What fails behind them is a bug.
    assert!(
        said.contains("namespaces are refused") || said.contains("mounts of its own are refused"),
        "{said}"
    );
    true
}

#[test]
fn a_command_that_ignores_its_proxy_gets_nowhere_and_one_that_heeds_it_does() {
    if let Ok(around) = env::var(AROUND) {
        return command(&around);
    }
    let origin = origin(1).to_string();
    let socket = Scratch::new("socket");
    let _listener = UnixListener::bind(&socket.0).unwrap();
    UnixStream::connect(&socket.0).expect("from outside there is a way");
    let this = env::current_exe().unwrap();
    let test = thread::current().name().unwrap().to_owned();
    let arguments =
        ["--isolate", "--allow", &origin, "--", this.to_str().unwrap(), "--exact", &test];
    let mut command = exec(&arguments);
    command.env(AROUND, &origin).env(SOCKET, &socket.0).stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = text(&output.stderr);
    if is_impossible(&output) {
        return;
    }
    assert!(output.status.success(), "{}{said}", text(&output.stdout));
    assert!(text(&output.stdout).contains("1 passed"), "it did not run");
    assert!(said.starts_with("proxy-cli: 1 request, 0 B sent, 5 B received\n"), "{said}");
}

#[test]
fn streams_exit_codes_and_signals_are_as_without() {
    let mut child =
        exec(&["--isolate", "-q", "--", "sh", "-c", "cat; kill -TERM $$"]).spawn().unwrap();
    // It fails where the command was not started, which is seen below.
    let _ = child.stdin.take().unwrap().write_all(b"in");
    let output = child.wait_with_output().unwrap();
    if is_impossible(&output) {
        return;
    }
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(128 + 15), "in"));
    assert_eq!(run(&["--isolate", "--", "/no/such/command"]).status.code(), Some(127));
}
