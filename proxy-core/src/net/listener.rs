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

    /// What becomes of clients that wait to be accepted when the proxy stops. Asked once, at the
    /// start, and heeded for an [`Intake::Socket`]. Default: [`Parting::Serve`].
    fn parting(&self) -> Parting {
        Parting::Serve
    }
}

/// What becomes of clients whose connections are complete and that no proxy has accepted yet, when
/// the proxy stops.
///
/// The system completes connections by itself and keeps them in the queue of the listening
/// socket. It resets those that are there when the last handle of the socket is closed, although
/// their clients have done nothing wrong and may have sent a request already.
///
/// A proxy that is to stop at once (a dropped [`ProxyHandle`](crate::ProxyHandle), or a deadline of
/// zero) accepts nobody more, whatever is said here; nor does one that has reached its limit of
/// connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parting {
    /// The socket is this proxy's alone: who waits already is accepted and served.
    #[default]
    Serve,
    /// The address is shared with another process, which takes over
    /// ([`TcpListener::bind_shared`]): new connections are kept away from this socket, those
    /// that are on their way have half a second to arrive and are served, and then it is closed.
    /// Where they come nevertheless there are further tries, of half a second each, 2 s in all.
    HandOver,
    /// Somebody else holds the same socket open, such as a service manager: who waits is left
    /// to whoever accepts from it next ([`TcpListener::inherited`]).
    Leave,
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
    /// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted). A panic counts as one of these.
    fn accept(&mut self) -> io::Result<(Socket, SocketAddr)>;
}

/// The default [`Listener`]: a TCP socket.
#[derive(Debug)]
pub struct TcpListener {
    socket: std::net::TcpListener,
    parting: Parting,
}

/// Connections the kernel completes on its own while accepting pauses. It is cut to the
/// system's limit (`net.core.somaxconn`, 4,096 on current Linux).
const BACKLOG: i32 = 4096;

impl TcpListener {
    /// Binds to the first of the addresses that can be bound. Port 0 takes a free port.
    ///
    /// # Errors
    /// Whatever the system says, most often that the address is in use.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        bind(address, Sharing::No)
    }

    /// Binds to an address that other processes of the same user may be listening on, or begin
    /// to, if they bind it in this way, too (`SO_REUSEPORT`). The system deals new connections
    /// out among them. That is for the moments of a restart: the new process begins to listen
    /// before the old one stops, and so nobody is refused. See [`Parting::HandOver`].
    ///
    /// Two proxies that share an address by accident each get a part of the clients, which is
    /// hard to find; hence [`bind`](Self::bind) does not share.
    ///
    /// On Linux, with the feature `steering`, no connection is lost and none has to wait when the
    /// old process stops. Without it, a process with the capability `CAP_NET_ADMIN` loses none
    /// either, but a client that connects in the half second of its end may wait for a second.
    /// Without both, and on other systems, a client that connects in the very moment when the
    /// socket is closed may be reset.
    ///
    /// # Errors
    /// Those of [`bind`](Self::bind), also where the address is listened on without sharing; and
    /// [`Unsupported`](io::ErrorKind::Unsupported) where the system has no such option, as
    /// Windows.
    pub fn bind_shared(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        bind(address, Sharing::WithOthers)
    }

    /// A socket that listens already and that somebody else holds open, too: a service manager
    /// that passes it to each process it starts, say. Clients may connect at any time, also when
    /// no process is there to accept. See [`Parting::Leave`].
    pub fn inherited(socket: std::net::TcpListener) -> TcpListener {
        TcpListener { socket, parting: Parting::Leave }
    }
}

/// Whether others may listen on an address, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    No,
    WithOthers,
}

fn bind(address: impl ToSocketAddrs, sharing: Sharing) -> io::Result<TcpListener> {
    let parting = match sharing {
        Sharing::No => Parting::Serve,
        Sharing::WithOthers => Parting::HandOver,
    };
    let mut last = None;
    for address in address.to_socket_addrs()? {
        match listen(address, sharing) {
            Ok(socket) => return Ok(TcpListener { socket, parting }),
            Err(error) => last = Some(error),
        }
    }
    Err(last
        .unwrap_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no address to listen on")))
}

fn listen(address: SocketAddr, sharing: Sharing) -> io::Result<std::net::TcpListener> {
    let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restarted proxy must get its port back although old connections linger. On Windows
    // the option means something else: it would let two programs share the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if sharing == Sharing::WithOthers {
        #[cfg(unix)]
        socket.set_reuse_port(true)?;
        #[cfg(not(unix))]
        return Err(io::ErrorKind::Unsupported.into());
    }
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

impl From<std::net::TcpListener> for TcpListener {
    fn from(socket: std::net::TcpListener) -> Self {
        TcpListener { socket, parting: Parting::Serve }
    }
}

impl Listener for TcpListener {
    fn local_addr(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }

    fn open(&self) -> io::Result<Intake> {
        Ok(Intake::Socket(self.socket.try_clone()?))
    }

    fn parting(&self) -> Parting {
        self.parting
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

    #[test]
    #[cfg(unix)]
    fn a_port_is_shared_only_by_those_who_all_say_so() {
        let shared = TcpListener::bind_shared("127.0.0.1:0").unwrap();
        let address = shared.local_addr().unwrap();
        TcpListener::bind_shared(address).unwrap();
        let error = TcpListener::bind(address).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        let alone = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = TcpListener::bind_shared(alone.local_addr().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
