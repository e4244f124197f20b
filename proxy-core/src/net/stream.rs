//! [`Stream`]: a non-blocking connection, whatever it runs over.

use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use mio::event::Source;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

use super::{Socket, transfer};

/// A connected (or connecting) non-blocking socket that a loop can poll.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(mio::net::TcpStream),
    #[cfg(unix)]
    Unix(mio::net::UnixStream),
    #[cfg(any(test, fuzzing))]
    Memory(super::memory::MemoryEnd),
}

impl Stream {
    /// Takes over a connected socket. Small writes leave at once from now on: a proxy that
    /// waits for more bytes adds its delay to everyone's.
    pub(crate) fn adopt(socket: Socket) -> io::Result<Stream> {
        match socket {
            Socket::Tcp(stream) => {
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(mio::net::TcpStream::from_std(stream)))
            }
            #[cfg(unix)]
            Socket::Unix(stream) => {
                stream.set_nonblocking(true)?;
                Ok(Stream::Unix(mio::net::UnixStream::from_std(stream)))
            }
            #[cfg(any(test, fuzzing))]
            Socket::Memory(end) => Ok(Stream::Memory(end)),
        }
    }

    /// Takes over a connection that a socket has accepted which [passes its options
    /// on](pass_options_on), and which mio has made non-blocking: where it does, no call is left to
    /// be made.
    pub(crate) fn accepted(stream: mio::net::TcpStream) -> io::Result<Stream> {
        if !INHERITS {
            stream.set_nodelay(true)?;
        }
        Ok(Stream::Tcp(stream))
    }

    /// The other way round: a blocking socket, no longer of any loop.
    pub(crate) fn into_blocking(self) -> io::Result<Socket> {
        match self {
            Stream::Tcp(stream) => {
                let stream = std::net::TcpStream::from(stream);
                stream.set_nonblocking(false)?;
                Ok(Socket::Tcp(stream))
            }
            #[cfg(unix)]
            Stream::Unix(stream) => {
                let stream = std::os::unix::net::UnixStream::from(stream);
                stream.set_nonblocking(false)?;
                Ok(Socket::Unix(stream))
            }
            #[cfg(any(test, fuzzing))]
            Stream::Memory(end) => Ok(Socket::Memory(end)),
        }
    }

    /// Begins to connect; the outcome shows when the stream becomes writable.
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Stream> {
        let stream = mio::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Stream::Tcp(stream))
    }

    /// Whether a connection attempt has come to its end: `Ok(true)` is connected, `Ok(false)`
    /// still under way.
    pub(crate) fn connected(&self) -> io::Result<bool> {
        match self {
            Stream::Tcp(stream) => {
                if let Some(error) = stream.take_error()? {
                    return Err(error);
                }
                match stream.peer_addr() {
                    Ok(_) => Ok(true),
                    Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
                    Err(error) => Err(error),
                }
            }
            #[cfg(unix)]
            Stream::Unix(_) => Ok(true),
            #[cfg(any(test, fuzzing))]
            Stream::Memory(_) => Ok(true),
        }
    }

    /// The other end's address, where it has one.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        match self {
            Stream::Tcp(stream) => stream.peer_addr().ok(),
            #[cfg(unix)]
            Stream::Unix(_) => None,
            #[cfg(any(test, fuzzing))]
            Stream::Memory(_) => None,
        }
    }

    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => transfer::receive(stream, into),
            #[cfg(unix)]
            Stream::Unix(stream) => transfer::receive(stream, into),
            #[cfg(any(test, fuzzing))]
            Stream::Memory(end) => end.read(into),
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => transfer::send(stream, bytes),
            #[cfg(unix)]
            Stream::Unix(stream) => transfer::send(stream, bytes),
            #[cfg(any(test, fuzzing))]
            Stream::Memory(end) => end.write(bytes),
        }
    }

    pub(crate) fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => transfer::send_vectored(stream, slices),
            #[cfg(unix)]
            Stream::Unix(stream) => transfer::send_vectored(stream, slices),
            #[cfg(any(test, fuzzing))]
            Stream::Memory(end) => end.write(slices.first().map_or(&[], |slice| slice)),
        }
    }

    /// Sends FIN: nothing more will be written, reading goes on.
    pub(crate) fn finish_writing(&self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
            #[cfg(any(test, fuzzing))]
            Stream::Memory(end) => {
                end.finish_writing();
                Ok(())
            }
        }
    }

    /// Makes the coming close an abrupt one (RST): the only way to tell a peer that what it
    /// got so far is not the whole of it.
    pub(crate) fn close_abruptly(&self) {
        match self {
            // Best effort: where it fails the peer sees an ordinary close.
            Stream::Tcp(stream) => drop(SockRef::from(stream).set_linger(Some(Duration::ZERO))),
            #[cfg(unix)]
            Stream::Unix(_) => {}
            #[cfg(any(test, fuzzing))]
            Stream::Memory(end) => end.close_abruptly(),
        }
    }
}

/// Whether an accepted socket has the options of the one that has accepted it.
const INHERITS: bool = cfg!(target_os = "linux");

/// Has a listening socket pass on to those it accepts what [`Stream::adopt`] would set.
pub(crate) fn pass_options_on(listener: &mio::net::TcpListener) -> io::Result<()> {
    if INHERITS {
        SockRef::from(listener).set_tcp_nodelay(true)?;
    }
    Ok(())
}

impl Source for Stream {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.register(registry, token, interests),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.register(registry, token, interests),
            #[cfg(any(test, fuzzing))]
            Stream::Memory(end) => {
                end.register(token);
                Ok(())
            }
        }
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.reregister(registry, token, interests),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.reregister(registry, token, interests),
            #[cfg(any(test, fuzzing))]
            Stream::Memory(end) => {
                end.register(token);
                Ok(())
            }
        }
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.deregister(registry),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.deregister(registry),
            #[cfg(any(test, fuzzing))]
            Stream::Memory(_) => Ok(()),
        }
    }
}
