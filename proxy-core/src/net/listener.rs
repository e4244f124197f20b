//! [`Listener`]: where clients come from.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use socket2::{Domain, Protocol, SockAddr, Socket as RawSocket, Type};

use super::Socket;

/// A source of client connections.
///
/// The proxy asks each of its listeners once, when it starts, to [`open`](Listener::open).
/// Accepting runs on a thread of its own, beside the event loops: a listener may block there
/// as long as it likes without holding up a connection that is already open.
///
/// The default is [`TcpListener`]. Another one need not be a socket at all:
///
/// ```
/// use std::io;
/// use std::net::SocketAddr;
/// use proxy_core::{Accept, Intake, Listener, Socket, Wake};
///
/// /// Hands connected sockets to a proxy from inside the program.
/// struct HandedOver(crossbeam_channel::Receiver<std::net::TcpStream>);
///
/// impl Listener for HandedOver {
///     fn local_addr(&self) -> Option<SocketAddr> {
///         None
///     }
///
///     fn open(&self) -> io::Result<Intake> {
///         let (stop, stopped) = crossbeam_channel::bounded(1);
///         let wake: Wake = Box::new(move || drop(stop.try_send(())));
///         Ok(Intake::Blocking(Box::new(Waiting(self.0.clone(), stopped)), wake))
///     }
/// }
///
/// struct Waiting(crossbeam_channel::Receiver<std::net::TcpStream>, crossbeam_channel::Receiver<()>);
///
/// impl Accept for Waiting {
///     fn accept(&mut self) -> io::Result<(Socket, SocketAddr)> {
///         crossbeam_channel::select! {
///             recv(self.0) -> stream => {
///                 let stream = stream.map_err(|_| io::ErrorKind::UnexpectedEof)?;
///                 let peer = stream.peer_addr()?;
///                 Ok((stream.into(), peer))
///             }
///             recv(self.1) -> _ => Err(io::ErrorKind::Interrupted.into()),
///         }
///     }
/// }
///
/// let (sender, receiver) = crossbeam_channel::bounded(16);
/// let proxy = proxy_core::Proxy::builder().listener(HandedOver(receiver)).start()?;
/// drop(sender);
/// proxy.shutdown(std::time::Duration::ZERO);
/// # Ok::<(), proxy_core::BuildError>(())
/// ```
pub trait Listener: Send + Sync + 'static {
    /// The address clients reach it at, if it has one. Port 0 has become a real port here.
    ///
    /// One without an address counts as reached from this machine only: a listener that has
    /// clients elsewhere must tell where, or the proxy takes fewer precautions than it should.
    fn local_addr(&self) -> Option<SocketAddr>;

    /// Begins to accept. Called once for each start of a proxy.
    ///
    /// # Errors
    /// An error stops the proxy from starting and is passed on to the caller.
    fn open(&self) -> io::Result<Intake>;
}

/// How the connections of a [`Listener`] are had.
#[non_exhaustive]
pub enum Intake {
    /// A listening TCP socket, which the proxy polls and accepts from.
    Socket(std::net::TcpListener),
    /// Anything that blocks until the next connection is there, and how to wake it.
    Blocking(Box<dyn Accept>, Wake),
}

/// Makes a blocked [`Accept::accept`] return, with whatever error. Called when the proxy
/// shuts down, from another thread.
pub type Wake = Box<dyn Fn() + Send + Sync>;

/// The blocking half of a [`Listener`], on a thread of its own.
pub trait Accept: Send + 'static {
    /// Blocks until the next connection, and gives it with its client's address.
    ///
    /// # Errors
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) says that no more will come and ends
    /// the thread. Any other error is logged and accepting goes on, after a pause of 100 ms
    /// for errors other than [`Interrupted`](io::ErrorKind::Interrupted) and
    /// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted).
    fn accept(&mut self) -> io::Result<(Socket, SocketAddr)>;
}

/// The default [`Listener`]: a TCP socket.
#[derive(Debug)]
pub struct TcpListener(std::net::TcpListener);

/// Connections the kernel completes on its own while accepting pauses. It is cut to the
/// system's limit (`net.core.somaxconn`, 4,096 on current Linux).
const BACKLOG: i32 = 4096;

impl TcpListener {
    /// Binds to the first of the addresses that can be bound. Port 0 takes a free port.
    ///
    /// # Errors
    /// Whatever the system says, most often that the address is in use.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        let mut last = None;
        for address in address.to_socket_addrs()? {
            match listen(address) {
                Ok(listener) => return Ok(TcpListener(listener)),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "no address to listen on")
        }))
    }
}

fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restarted proxy must get its port back although old connections linger. On Windows
    // the option means something else: it would let two programs share the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

impl From<std::net::TcpListener> for TcpListener {
    fn from(listener: std::net::TcpListener) -> Self {
        TcpListener(listener)
    }
}

impl Listener for TcpListener {
    fn local_addr(&self) -> Option<SocketAddr> {
        self.0.local_addr().ok()
    }

    fn open(&self) -> io::Result<Intake> {
        Ok(Intake::Socket(self.0.try_clone()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_0_becomes_a_real_port() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_ne!(listener.local_addr().unwrap().port(), 0);
    }

    #[test]
    fn a_port_in_use_is_an_error() {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = TcpListener::bind(first.local_addr().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
