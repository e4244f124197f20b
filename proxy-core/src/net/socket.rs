//! [`Socket`]: a connected socket on its way into the proxy.

use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;

/// A connected socket, as a [`Listener`](crate::Listener) accepts it or an
/// [`UpstreamConnector`](crate::UpstreamConnector) brings it. The proxy makes it non-blocking
/// and owns it from then on.
#[derive(Debug)]
#[non_exhaustive]
pub enum Socket {
    /// A TCP connection.
    Tcp(TcpStream),
    /// A connection over a Unix domain socket.
    #[cfg(unix)]
    Unix(UnixStream),
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
