//! [`Resolve`]: from a name to addresses.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// Looks names up. The default is [`SystemResolver`]; another one can ask a name server of its
/// own, or know everything by heart:
///
/// ```
/// use std::io;
/// use std::net::SocketAddr;
/// use proxy_core::{DirectConnector, Proxy, Resolve};
///
/// struct Staging(SocketAddr);
///
/// impl Resolve for Staging {
///     fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
///         match name.ends_with(".staging.test") {
///             true => Ok(vec![self.0]),
///             false => Err(io::ErrorKind::NotFound.into()),
///         }
///     }
/// }
///
/// let connector = DirectConnector::with_resolver(Staging(([192, 0, 2, 1], 0).into()));
/// let proxy = Proxy::builder().listen("127.0.0.1:0").connector(connector).start()?;
/// # Ok::<(), proxy_core::BuildError>(())
/// ```
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a name, the best first. Runs on the worker pool and may block; it is
    /// not called for a name that is being looked up already. Ports are of no importance: that
    /// of the destination is used.
    ///
    /// `name` is in lower case and not an address.
    ///
    /// # Errors
    /// The client is told [`Reason::DnsFailed`](crate::Reason::DnsFailed), the debug log shows
    /// the error. No addresses are an error, too.
    fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>>;
}

/// Asks the system's resolver, as all programs do: `/etc/hosts` counts, and so does whatever
/// else the system is configured to ask.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        (name, 0).to_socket_addrs().map(Iterator::collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_here() {
        let addresses = SystemResolver.resolve("localhost").unwrap();
        assert!(!addresses.is_empty());
        assert!(addresses.iter().all(|address| address.ip().is_loopback()));
    }

    #[test]
    fn a_name_that_cannot_exist_is_an_error() {
        assert!(SystemResolver.resolve("does-not-exist.invalid").is_err());
    }
}
