//! [`Link`]: the socket to a syslog server.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
#[cfg(unix)]
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use super::message::{Framing, Messages};

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    #[cfg(unix)]
    Unix(std::path::PathBuf),
    Udp(String),
    Tcp(String),
}

/// A socket, as long as there is one.
#[derive(Debug)]
pub(super) struct Link {
    address: Address,
    socket: Option<Socket>,
}

#[derive(Debug)]
enum Socket {
    #[cfg(unix)]
    Unix(UnixDatagram),
    Udp(UdpSocket, SocketAddr),
    Tcp(TcpStream),
}

/// Why messages are not with the system.
#[derive(Debug)]
pub(super) struct Failure(io::Error);

/// How long connecting may take for each address of a server, and how long sending.
const PATIENCE: Duration = Duration::from_secs(2);
/// Addresses of a name that are tried.
const ADDRESSES: usize = 3;

impl Address {
    pub(super) fn framing(&self) -> Framing {
        match self {
            Address::Tcp(_) => Framing::OctetCounting,
            _ => Framing::Datagrams,
        }
    }
}

impl Link {
    pub(super) fn new(address: Address) -> Link {
        Link { address, socket: None }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn is_connected(&self) -> bool {
        self.socket.is_some()
    }

    /// Sees to it that there is a socket that is not known to be of no use.
    pub(super) fn connect(&mut self) -> Result<(), Failure> {
        if let Some(Socket::Tcp(stream)) = &self.socket
            && has_ended(stream)
        {
            self.socket = None;
        }
        if self.socket.is_none() {
            self.socket = Some(Socket::connect(&self.address)?);
        }
        Ok(())
    }

    /// Gives the messages to the system. If that fails, those are left in `messages` that it has not
    /// taken as a whole, and the socket is closed.
    pub(super) fn send(&mut self, messages: &mut Messages) -> Result<(), Failure> {
        let Some(socket) = &mut self.socket else {
            return Err(Failure(io::ErrorKind::NotConnected.into()));
        };
        let sent = socket.send(messages);
        if sent.is_err() {
            self.socket = None;
        }
        Ok(sent?)
    }
}

impl Socket {
    fn connect(address: &Address) -> io::Result<Socket> {
        match address {
            #[cfg(unix)]
            Address::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                // A server that does not read would hold this up.
                socket.set_write_timeout(Some(PATIENCE))?;
                Ok(Socket::Unix(socket))
            }
            Address::Udp(address) => {
                let to = first(address.to_socket_addrs()?)?;
                // It is not connected: what a machine says of a port without a server would come as
                // an error of some later message, and may come from anybody.
                let socket = match to {
                    SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?,
                    SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?,
                };
                socket.set_write_timeout(Some(PATIENCE))?;
                Ok(Socket::Udp(socket, to))
            }
            Address::Tcp(address) => {
                let mut failed = None;
                for to in address.to_socket_addrs()?.take(ADDRESSES) {
                    match TcpStream::connect_timeout(&to, PATIENCE) {
                        Ok(stream) => {
                            stream.set_write_timeout(Some(PATIENCE))?;
                            stream.set_nodelay(true)?;
                            return Ok(Socket::Tcp(stream));
                        }
                        Err(error) => failed = Some(error),
                    }
                }
                Err(failed.unwrap_or_else(no_address))
            }
        }
    }

    fn send(&mut self, messages: &mut Messages) -> io::Result<()> {
        match self {
            #[cfg(unix)]
            Socket::Unix(socket) => each(messages, |message| socket.send(message)),
            Socket::Udp(socket, to) => each(messages, |message| socket.send_to(message, *to)),
            Socket::Tcp(stream) => {
                let (mut written, whole) = (0, messages.rest().len());
                while written < whole {
                    match stream.write(&messages.rest()[written..]) {
                        Ok(0) => {
                            messages.bytes_taken(written);
                            return Err(io::ErrorKind::WriteZero.into());
                        }
                        Ok(count) => written += count,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => {
                            messages.bytes_taken(written);
                            return Err(error);
                        }
                    }
                }
                messages.bytes_taken(written);
                Ok(())
            }
        }
    }
}

/// Sends each message as a datagram.
fn each(messages: &mut Messages, send: impl Fn(&[u8]) -> io::Result<usize>) -> io::Result<()> {
    while let Some(message) = messages.next() {
        match send(message) {
            Ok(_) => messages.next_taken(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether the server has closed the connection. What is sent into one that is closed is lost
/// without a word; servers of syslog have nothing to say otherwise.
fn has_ended(mut stream: &TcpStream) -> bool {
    if stream.set_nonblocking(true).is_err() {
        return true;
    }
    let read = stream.read(&mut [0; 64]);
    let is_over = match read {
        Ok(count) => count == 0,
        Err(error) => error.kind() != io::ErrorKind::WouldBlock,
    };
    is_over || stream.set_nonblocking(false).is_err()
}

fn first(mut addresses: impl Iterator<Item = SocketAddr>) -> io::Result<SocketAddr> {
    addresses.next().ok_or_else(no_address)
}

fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the name has no address")
}

impl Failure {
    /// Whether it took too long, instead of being refused.
    pub(super) fn is_timeout(&self) -> bool {
        matches!(self.0.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
    }

    pub(super) fn into_error(self) -> io::Error {
        match self.is_timeout() {
            true => io::Error::new(io::ErrorKind::TimedOut, "the server takes too long"),
            false => self.0,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure(error)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(unix)]
            Address::Unix(path) => write!(f, "syslog at {}", path.display()),
            Address::Udp(address) => write!(f, "syslog at udp://{address}"),
            Address::Tcp(address) => write!(f, "syslog at tcp://{address}"),
        }
    }
}

#[cfg(test)]
impl Link {
    /// Waits until the end of the stream has come from the server.
    pub(super) fn await_end(&self) {
        let Some(Socket::Tcp(stream)) = &self.socket else { panic!("there is no stream") };
        let mut stream = stream;
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    }
}
