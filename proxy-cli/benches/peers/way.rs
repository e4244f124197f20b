//! [`Way`]: how a client says through a proxy whom it wants to reach.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any answer takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The form of a request's target (RFC 9112 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A path: the proxy knows where the origin is, or does not look.
    Origin,
    /// A URL, as for a forward proxy.
    Absolute,
    /// A path, inside a tunnel that `CONNECT` opens.
    Tunnel,
}

impl Way {
    const ALL: [(Way, &str); 3] =
        [(Way::Origin, "origin"), (Way::Absolute, "absolute"), (Way::Tunnel, "tunnel")];

    /// The word for it on a command line.
    pub(crate) fn word(self) -> &'static str {
        Way::ALL.iter().find(|(way, _)| *way == self).expect("each way has its word").1
    }

    /// What a word on the command line means.
    pub(crate) fn of(word: &str) -> Option<Way> {
        Way::ALL.iter().find(|(_, known)| *known == word).map(|(way, _)| *way)
    }

    /// The target of a request for `path`.
    pub(crate) fn target(self, origin: SocketAddr, path: &str) -> String {
        match self {
            Way::Origin | Way::Tunnel => path.to_owned(),
            Way::Absolute => format!("http://{origin}{path}"),
        }
    }

    /// A request without a body.
    pub(crate) fn get(self, origin: SocketAddr, path: &str) -> Vec<u8> {
        let target = self.target(origin, path);
        format!("GET {target} HTTP/1.1\r\nHost: {origin}\r\n\r\n").into_bytes()
    }

    /// Connects to a proxy, and through it where that comes first.
    pub(crate) fn open(self, proxy: SocketAddr, origin: SocketAddr) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect_timeout(&proxy, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        if self == Way::Tunnel {
            write!(stream, "CONNECT {origin} HTTP/1.1\r\nHost: {origin}\r\n\r\n")?;
            let mut answer = Vec::new();
            // Byte by byte: what comes behind the head is the tunnel's.
            let mut byte = [0];
            while !answer.ends_with(b"\r\n\r\n") && answer.len() < 4096 {
                stream.read_exact(&mut byte)?;
                answer.push(byte[0]);
            }
            if answer.get(8..12) != Some(b" 200") {
                let answer = String::from_utf8_lossy(&answer).into_owned();
                return Err(io::Error::other(format!("no tunnel: {answer:?}")));
            }
        }
        Ok(stream)
    }
}
