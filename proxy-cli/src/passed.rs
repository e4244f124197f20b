//! [`Passed`]: sockets that listen already and that a service manager has passed to this process.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};

use proxy_core::ProxyBuilder;

/// Sockets that were passed, by the protocol of systemd: `LISTEN_FDS` of them, from descriptor 3
/// on, for the process `LISTEN_PID`. Whoever passes them holds them open, so that a client may
/// connect also while this program is replaced by another one.
#[derive(Debug, Default)]
pub struct Passed(Vec<(TcpListener, SocketAddr)>);

/// A socket that was passed and cannot be used.
#[derive(Debug)]
pub struct Unusable {
    /// Counted from 1.
    number: usize,
    problem: Problem,
}

#[derive(Debug)]
#[cfg_attr(not(unix), expect(dead_code, reason = "nothing is passed"))]
enum Problem {
    /// No TCP socket, or none that listens.
    NoListener,
    Failed(io::Error),
}

impl Passed {
    /// Takes what was passed. To be called once, before there are threads: it takes the variables
    /// out of the environment.
    ///
    /// # Errors
    /// If there is anything else among them than TCP sockets that listen.
    #[cfg(unix)]
    pub fn take() -> Result<Passed, Unusable> {
        let mut descriptors = listenfd::ListenFd::from_env();
        let mut passed = Vec::new();
        for index in 0..descriptors.len() {
            let unusable = |problem| Unusable { number: index + 1, problem };
            let socket = match descriptors.take_tcp_listener(index) {
                Ok(Some(socket)) => socket,
                Ok(None) => continue, // it is taken only once
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    return Err(unusable(Problem::NoListener));
                }
                Err(error) => return Err(unusable(Problem::Failed(error))),
            };
            if !listens(&socket) {
                return Err(unusable(Problem::NoListener));
            }
            let address = socket.local_addr().map_err(|error| unusable(Problem::Failed(error)))?;
            passed.push((socket, address));
        }
        Ok(Passed(passed))
    }

    /// Takes what was passed: nothing, on this system.
    #[cfg(not(unix))]
    pub fn take() -> Result<Passed, Unusable> {
        Ok(Passed::default())
    }

    /// Where they listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().map(|(_, address)| *address).collect()
    }

    /// Has a proxy accept from them. They stay here, too: for a proxy that is built later.
    ///
    /// # Errors
    /// If the system has no more descriptors.
    pub fn attach(&self, builder: ProxyBuilder) -> io::Result<ProxyBuilder> {
        self.0.iter().try_fold(builder, |builder, (socket, _)| {
            Ok(builder.listener(proxy_core::TcpListener::inherited(socket.try_clone()?)))
        })
    }
}

/// Whether it was told to listen. Where the system does not say, accepting shows it.
#[cfg(unix)]
fn listens(socket: &TcpListener) -> bool {
    #[cfg(target_os = "linux")]
    return socket2::SockRef::from(socket).is_listener().unwrap_or(true);
    #[cfg(not(target_os = "linux"))]
    return socket.local_addr().is_ok();
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number;
        match self.problem {
            Problem::NoListener => write!(
                f,
                "socket {number} of those that were passed (LISTEN_FDS) is not a TCP socket that \
                 listens: a unit needs ListenStream= with an address and a port, or a port, and no \
                 Accept=yes"
            ),
            Problem::Failed(_) => {
                write!(f, "socket {number} of those that were passed (LISTEN_FDS) cannot be used")
            }
        }
    }
}

impl std::error::Error for Unusable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::NoListener => None,
            Problem::Failed(error) => Some(error),
        }
    }
}
