//! [`Echo`]: an upstream that says what it has been told.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};

use super::PATIENCE;

/// A server for one request.
pub struct Echo {
    address: SocketAddr,
    serving: JoinHandle<io::Result<String>>,
}

impl Echo {
    /// Starts it.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub fn start() -> io::Result<Echo> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let serving = thread::Builder::new().name("echo".into()).spawn(move || serve(&listener))?;
        Ok(Echo { address, serving })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The head of the request that has come, once it has been answered.
    ///
    /// # Errors
    /// If it could not be read.
    pub fn seen(self) -> io::Result<String> {
        self.serving.join().unwrap_or_else(|_| Err(io::Error::other("the echo has panicked")))
    }
}

fn serve(listener: &TcpListener) -> io::Result<String> {
    let (mut client, _) = listener.accept()?;
    client.set_read_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if lines.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    client.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")?;
    Ok(head)
}
