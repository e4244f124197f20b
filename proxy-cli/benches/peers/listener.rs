//! [`listen`]: the socket that the origin and the null relay accept from.

use mio::net::TcpListener;
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

/// More than any scenario connects at once. The standard library's 128 overflow when 256
/// clients arrive together, and a client whose SYN is dropped comes again a second later.
const BACKLOG: i32 = 4096;

/// Listens on a free port of the loopback and announces it for
/// [`Running::announced`](crate::running::Running::announced).
pub(crate) fn listen() -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let listener = TcpListener::from_std(socket.into());
    eprintln!("listening on {}", listener.local_addr()?);
    Ok(listener)
}
