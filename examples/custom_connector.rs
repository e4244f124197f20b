//! A connector that sends everything to one place, whatever name was asked for: through a Unix
//! socket, or to a fixed address.
//!
//! ```sh
//! cargo run --example custom_connector                         # to a small server of its own
//! cargo run --example custom_connector /var/run/docker.sock    # to a Unix socket
//! cargo run --example custom_connector 127.0.0.1:3000          # to an address
//! ```

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;
#[cfg(unix)]
use std::{
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
};

use proxy_core::{ConnectError, Destination, Dialing, Proxy, UpstreamConnector};
#[cfg(unix)]
use proxy_core::{Reason, Vouched};

/// Where everything goes.
#[derive(Debug)]
enum Place {
    Address(SocketAddr),
    #[cfg(unix)]
    Socket(PathBuf),
}

impl UpstreamConnector for Place {
    /// An address is known at once. The event loop connects to it, and no thread waits.
    fn fast(&self, _: &Destination<'_>) -> Option<Result<Dialing, ConnectError>> {
        match self {
            Place::Address(address) => Some(Ok(Dialing::addresses([*address]))),
            #[cfg(unix)]
            Place::Socket(_) => None,
        }
    }

    /// Everything else is brought as a connection: this runs on the worker pool and may block.
    fn plan(&self, destination: &Destination<'_>) -> Result<Dialing, ConnectError> {
        match self {
            Place::Address(_) => unreachable!("fast() knows the way to {}", destination.host()),
            #[cfg(unix)]
            Place::Socket(path) => match UnixStream::connect(path) {
                Ok(stream) => Ok(Dialing::connected(
                    stream,
                    Vouched::because("everything is meant to go through this socket"),
                )),
                Err(error) => Err(ConnectError::new(Reason::ConnectRefused).with_source(error)),
            },
        }
    }
}

impl Place {
    #[cfg(unix)]
    fn from_argument(argument: String) -> Result<Place, Box<dyn Error>> {
        Ok(argument.parse().map_or_else(|_| Place::Socket(argument.into()), Place::Address))
    }

    #[cfg(not(unix))]
    fn from_argument(argument: String) -> Result<Place, Box<dyn Error>> {
        Ok(Place::Address(argument.parse()?))
    }

    /// Where a small server of our own greets everybody.
    #[cfg(unix)]
    fn own() -> io::Result<Place> {
        let listener = UnixListener::bind(own_socket())?;
        thread::spawn(move || listener.incoming().flatten().for_each(greet));
        Ok(Place::Socket(own_socket()))
    }

    #[cfg(not(unix))]
    fn own() -> io::Result<Place> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        thread::spawn(move || listener.incoming().flatten().for_each(greet));
        Ok(Place::Address(address))
    }
}

#[cfg(unix)]
fn own_socket() -> PathBuf {
    std::env::temp_dir().join(format!("greetings-{}.sock", std::process::id()))
}

/// Reads the head of a request and answers.
fn greet(mut stream: impl Read + Write) {
    let lines = BufReader::new(&mut stream).lines().map_while(Result::ok);
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    // Whoever has gone misses it.
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n");
    let _ = stream.write_all(b"Connection: close\r\n\r\ngreetings\n");
}

fn main() -> Result<(), Box<dyn Error>> {
    let place = match std::env::args().nth(1) {
        Some(argument) => Place::from_argument(argument)?,
        None => Place::own()?,
    };
    println!("everything goes to {place:?}");
    let proxy = Proxy::builder().listen("127.0.0.1:0").connector(place).start()?;
    let address = proxy.local_addrs()[0];
    println!("listening on {address}");
    println!("try: curl -x http://{address} http://whatever.test/");
    examples::until_enter();
    proxy.shutdown(Duration::from_secs(5));
    #[cfg(unix)]
    let _ = std::fs::remove_file(own_socket()); // there is none if a place was given
    Ok(())
}
