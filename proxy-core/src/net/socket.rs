//! [`Socket`]: a connected socket on its way into the proxy.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream, UdpSocket};
#[cfg(unix)]
use std::os::unix::net::UnixStream;

/// A connected socket, as a [`Listener`](crate::Listener) accepts it or an
/// [`UpstreamConnector`](crate::UpstreamConnector) brings it: the proxy makes it non-blocking
/// and owns it from then on. Or as [`Action::take_over`](crate::Action::take_over) hands it on:
/// blocking again.
#[derive(Debug)]
#[non_exhaustive]
pub enum Socket {
    /// A TCP connection.
    Tcp(TcpStream),
    /// A connection over a Unix domain socket.
    #[cfg(unix)]
    Unix(UnixStream),
    /// A connection that is played, in tests.
    #[cfg(any(test, fuzzing))]
    Memory(super::memory::MemoryEnd),
}

impl Socket {
    /// Another handle for the same connection, say for a second thread.
    ///
    /// # Errors
    /// If the system has no more descriptors.
    pub fn try_clone(&self) -> io::Result<Socket> {
        match self {
            Socket::Tcp(stream) => stream.try_clone().map(Socket::Tcp),
            #[cfg(unix)]
            Socket::Unix(stream) => stream.try_clone().map(Socket::Unix),
            #[cfg(any(test, fuzzing))]
            Socket::Memory(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Ends reading, writing or both.
    ///
    /// # Errors
    /// If the connection is gone already.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Socket::Tcp(stream) => stream.shutdown(how),
            #[cfg(unix)]
            Socket::Unix(stream) => stream.shutdown(how),
            #[cfg(any(test, fuzzing))]
            Socket::Memory(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// Whether this is an address of this machine: one can be bound to it.
pub(crate) fn is_this_machines(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

impl Read for Socket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.read(into),
            #[cfg(unix)]
            Socket::Unix(stream) => stream.read(into),
            #[cfg(any(test, fuzzing))]
            Socket::Memory(end) => end.read(into),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.write(bytes),
            #[cfg(unix)]
            Socket::Unix(stream) => stream.write(bytes),
            #[cfg(any(test, fuzzing))]
            Socket::Memory(end) => end.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // nothing is buffered
    }
}

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Socket::Tcp(stream)
    }
}

#[cfg(unix)]
impl From<UnixStream> for Socket {
    fn from(stream: UnixStream) -> Self {
        Socket::Unix(stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_this_machine_are_told_from_others() {
        for (address, expected) in [("127.0.0.1", true), ("192.0.2.1", false)] {
            assert_eq!(is_this_machines(address.parse().unwrap()), expected, "{address}");
        }
    }
}
