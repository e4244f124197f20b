//! A decision that has to ask somebody else: it is made on the worker pool and may block there,
//! while the event loops go on serving everybody.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use proxy_core::{
    Action, BuildError, ConnectionHandler, Exchange, ForwardHandler, Proxy, Reason, Response,
};

/// Lets a directory decide which hosts may be reached.
struct AsksTheDirectory {
    directory: SocketAddr,
}

impl ConnectionHandler for AsksTheDirectory {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        // What must not be sent on is refused here already, and nobody is asked about it.
        let action = ForwardHandler.request(exchange);
        let (Action::Forward(_) | Action::Tunnel(_)) = action else {
            return action;
        };
        let directory = self.directory;
        exchange.defer(move |request, _client| {
            let began = Instant::now();
            let answer = ask(directory, request.host());
            let thread = thread::current();
            println!(
                "{}: {answer:?} after {:.1?}, on {}",
                request.host(),
                began.elapsed(),
                thread.name().unwrap_or("a thread"),
            );
            match answer {
                Ok(true) => action,
                Ok(false) => Action::Reject(Reason::Denied),
                Err(_) => Action::Respond(
                    Response::new(503)
                        .with_field("Content-Type", "text/plain")
                        .with_body("the directory does not answer, try again later\n"),
                ),
            }
        })
    }
}

/// Asks the directory about a host, in plain blocking code. The client waits for as long as
/// this takes, and a thread of the pool with it: so there is a limit.
fn ask(directory: SocketAddr, host: &str) -> io::Result<bool> {
    let patience = Duration::from_secs(5);
    let mut stream = TcpStream::connect_timeout(&directory, patience)?;
    stream.set_read_timeout(Some(patience))?;
    writeln!(stream, "{host}")?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(answer == "yes\n")
}

/// The directory: somebody else's server in real life, a thread and a list here. It thinks for
/// a second about each question.
fn start_directory(hosts: Vec<String>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let answer = move |mut stream: TcpStream| -> io::Result<()> {
        let mut host = String::new();
        BufReader::new(&stream).read_line(&mut host)?;
        thread::sleep(Duration::from_secs(1));
        let known = hosts.iter().any(|known| known.eq_ignore_ascii_case(host.trim_end()));
        stream.write_all(if known { b"yes\n" } else { b"no\n" })
    };
    thread::spawn(move || {
        thread::scope(|scope| {
            for stream in listener.incoming().flatten() {
                scope.spawn(|| answer(stream));
            }
        });
    });
    Ok(address)
}

fn main() -> Result<(), BuildError> {
    let mut hosts: Vec<String> = std::env::args().skip(1).collect();
    if hosts.is_empty() {
        hosts.push("example.com".to_owned());
    }
    println!("the directory allows {hosts:?} (others can be given as arguments)");
    let directory = start_directory(hosts)?;
    let proxy =
        Proxy::builder().listen("127.0.0.1:0").handler(AsksTheDirectory { directory }).start()?;
    let address = proxy.local_addrs()[0];
    println!("listening on {address}");
    println!("try: curl -x http://{address} http://example.com/ http://example.org/");
    examples::until_enter();
    proxy.shutdown(Duration::from_secs(5));
    Ok(())
}
