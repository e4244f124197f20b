//! [`Way`]: a connection to an admin address, by TCP or by a file.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

#[cfg(unix)]
use std::os::unix::net::UnixStream;

use crate::admin::UNIX;

/// A connection.
pub enum Way {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Way {
    /// Connects to `HOST:PORT` or `unix:PATH`.
    ///
    /// # Errors
    /// Nobody is there, or it is not reached.
    pub fn to(address: &str) -> io::Result<Way> {
        match address.strip_prefix(UNIX) {
            None => TcpStream::connect(address).map(Way::Tcp),
            #[cfg(unix)]
            Some(path) => UnixStream::connect(path).map(Way::Unix),
            #[cfg(not(unix))]
            Some(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// How long each read and each write may take; `None`: for ever.
    pub fn set_patience(&self, patience: Option<Duration>) -> io::Result<()> {
        match self {
            Way::Tcp(stream) => {
                stream.set_read_timeout(patience)?;
                stream.set_write_timeout(patience)
            }
            #[cfg(unix)]
            Way::Unix(stream) => {
                stream.set_read_timeout(patience)?;
                stream.set_write_timeout(patience)
            }
        }
    }
}

impl Read for Way {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Way::Tcp(stream) => stream.read(into),
            #[cfg(unix)]
            Way::Unix(stream) => stream.read(into),
        }
    }
}

impl Write for Way {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Way::Tcp(stream) => stream.write(bytes),
            #[cfg(unix)]
            Way::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Way::Tcp(stream) => stream.flush(),
            #[cfg(unix)]
            Way::Unix(stream) => stream.flush(),
        }
    }
}
