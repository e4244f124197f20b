//! [`UnixListener`]: clients that come by a Unix domain socket.

use std::fs::{self, Permissions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use mio::{Events, Interest, Poll, Token, Waker};
use socket2::{Domain, SockAddr, Socket as RawSocket, Type};

use super::{Accept, Intake, Listener, Socket, Wake};

/// A [`Listener`] on a Unix domain socket: for clients of this machine that may open its file, and
/// for nobody else.
///
/// Such a client has no address: as its own, [`0.0.0.0:0`](Self::CLIENT) stands in the log and
/// wherever clients are told apart. So all of them are one client to whatever counts by address, and
/// are banned for no offence; with
/// [`allow_clients`](crate::ProxyBuilder::allow_clients), `0.0.0.0` has to be among them.
///
/// The file is removed when the listener is dropped, as its proxy's end does.
///
/// ```no_run
/// use proxy_core::{Proxy, UnixListener};
///
/// // For the user it runs as, and nobody else.
/// let listener = UnixListener::bind("/run/user/1000/proxy.sock", 0o600)?;
/// let proxy = Proxy::builder().listener(listener).start()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct UnixListener {
    socket: std::os::unix::net::UnixListener,
    file: SocketFile,
}

/// Connections the kernel keeps while accepting pauses. It is cut to the system's limit.
const BACKLOG: i32 = 4096;

impl UnixListener {
    /// What stands for the address of its clients.
    pub const CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

    /// Listens on a file that is made for it, with these permissions, such as `0o600` or `0o660`:
    /// whoever may write to it can connect. They hold before anybody can.
    ///
    /// A socket that is there already, and that nobody listens on, has been left behind: it is
    /// replaced. (Of two processes that begin at the same moment, one can take that of the other for
    /// such a one.)
    ///
    /// # Errors
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) if somebody listens there,
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if a file is there that is no socket, which is
    /// left alone; else whatever the system says, most often that the directory is not there or that
    /// the path is too long: 107 bytes on Linux, 103 on macOS.
    pub fn bind(path: impl AsRef<Path>, mode: u32) -> io::Result<UnixListener> {
        let path = path.as_ref();
        let socket = RawSocket::new(Domain::UNIX, Type::STREAM, None)?;
        let address = SockAddr::unix(path)?;
        if let Err(error) = socket.bind(&address) {
            if error.kind() != io::ErrorKind::AddrInUse {
                return Err(error);
            }
            remove_stale(path)?;
            socket.bind(&address)?;
        }
        let file = SocketFile::new(path)?;
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        socket.listen(BACKLOG)?;
        Ok(UnixListener { socket: socket.into(), file })
    }

    /// The path of its file.
    pub fn path(&self) -> &Path {
        &self.file.path
    }
}

impl Listener for UnixListener {
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }

    fn open(&self) -> io::Result<Intake> {
        let socket = self.socket.try_clone()?;
        socket.set_nonblocking(true)?;
        let mut socket = mio::net::UnixListener::from_std(socket);
        let poll = Poll::new()?;
        poll.registry().register(&mut socket, CLIENTS, Interest::READABLE)?;
        let waker = Waker::new(poll.registry(), END)?;
        let wake: Wake = Box::new(move || {
            if let Err(error) = waker.wake() {
                log::error!("a listener on a Unix socket could not be woken: {error}");
            }
        });
        let waiting = Waiting { socket, poll, events: Events::with_capacity(2) };
        Ok(Intake::Blocking(Box::new(waiting), wake))
    }
}

const CLIENTS: Token = Token(0);
const END: Token = Token(1);

/// Waits for clients, and for the end.
struct Waiting {
    socket: mio::net::UnixListener,
    poll: Poll,
    events: Events,
}

impl Accept for Waiting {
    fn accept(&mut self) -> io::Result<(Socket, SocketAddr)> {
        loop {
            match self.socket.accept() {
                Ok((stream, _)) => {
                    return Ok((UnixStream::from(stream).into(), UnixListener::CLIENT));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            self.poll.poll(&mut self.events, None)?;
            if self.events.iter().any(|event| event.token() == END) {
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
    }
}

/// A socket's file, as long as it is ours.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
}

impl SocketFile {
    fn new(path: &Path) -> io::Result<SocketFile> {
        Ok(SocketFile { path: path.to_owned(), identity: identity(path)? })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody may have put another one in its place.
        if identity(&self.path).is_ok_and(|identity| identity == self.identity)
            && let Err(error) = fs::remove_file(&self.path)
        {
            log::warn!("{} could not be removed: {error}", self.path.display());
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Removes a socket that nobody listens on.
fn remove_stale(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "a file is there that is no socket",
        ));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
        // One whose queue is full is in use, and of one that may not be opened nothing is known.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(io::ErrorKind::AddrInUse.into())
        }
        Err(error) => Err(error),
    }
}
