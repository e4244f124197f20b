//! [`Syslog`]: lines as messages to a syslog server (RFC 5424).
//!
//! ```text
//!  a logger's lines ──▶ Header: a message of each line ──▶ Link: socket, kept or made anew
//! ```

mod backoff;
mod facility;
mod link;
mod message;

use std::io::{self, Write};
use std::time::{Instant, SystemTime};

use backoff::Backoff;
pub use facility::Facility;
use link::{Address, Failure, Link};
use message::Messages;
#[cfg(fuzzing)]
pub(crate) use message::rehearse;

/// Where loggers can write to whose lines are to be messages of syslog (RFC 5424): each line is one,
/// of severity `info`.
///
/// ```
/// use proxy_core::{Facility, LogfmtLogger, Proxy, Syslog};
///
/// let syslog = Syslog::udp("127.0.0.1:514").with_facility(Facility::LOCAL0);
/// let proxy = Proxy::builder().listen("127.0.0.1:0").logger(LogfmtLogger::new(syslog)).start()?;
/// # drop(proxy);
/// # Ok::<(), proxy_core::BuildError>(())
/// ```
///
/// | by | framing | what is lost |
/// |---|---|---|
/// | a Unix socket | a datagram each | nothing, as long as the server runs |
/// | UDP (RFC 5426) | a datagram each | whatever the network or the server drops: nobody is told |
/// | TCP (RFC 6587) | octet counting | what was on its way when the connection broke |
///
/// Datagrams are cut at 8 KiB, as servers would do. TCP is not encrypted.
///
/// A connection is made when the first line is written, and made anew when it has broken: at once,
/// and if that fails after 250 ms, then after twice as long each time, up to 30 s. Until then
/// writing fails and lines are lost, which a logger tells of. Connecting and sending may each take
/// two seconds, in which what logs is held up: beside other loggers, put it [into the
/// background](super::Background).
#[derive(Debug)]
pub struct Syslog {
    link: Link,
    backoff: Backoff,
    messages: Messages,
}

impl Syslog {
    /// To a server on this machine, most often at `/dev/log`.
    #[cfg(unix)]
    pub fn unix(path: impl Into<std::path::PathBuf>) -> Syslog {
        Syslog::to(Address::Unix(path.into()))
    }

    /// By UDP to `host:port`; 514 is the usual port.
    pub fn udp(address: impl Into<String>) -> Syslog {
        Syslog::to(Address::Udp(address.into()))
    }

    /// By TCP to `host:port`; 601 and 514 are usual ports.
    pub fn tcp(address: impl Into<String>) -> Syslog {
        Syslog::to(Address::Tcp(address.into()))
    }

    /// Says which kind of program this is. Default: [`Facility::DAEMON`].
    #[must_use]
    pub fn with_facility(mut self, facility: Facility) -> Syslog {
        self.messages.header.facility = facility;
        self
    }

    /// Says what it is called. Default: `proxy`. At most 48 visible ASCII characters; others become
    /// `_`, and what is longer is cut (RFC 5424 §6.2.5).
    #[must_use]
    pub fn with_app_name(mut self, name: &str) -> Syslog {
        self.messages.header.app_name = message::printable(name, 48);
        self
    }

    fn to(address: Address) -> Syslog {
        let messages = Messages::new(address.framing());
        Syslog { link: Link::new(address), backoff: Backoff::default(), messages }
    }

    /// Sends the messages that are not with the system yet.
    fn send(&mut self) -> Result<(), Failure> {
        self.link.connect()?;
        self.link.send(&mut self.messages)
    }

    fn try_send(&mut self) -> Result<(), Failure> {
        let was_connected = self.link.is_connected();
        match self.send() {
            // A server that was restarted is there again at once, most often. One that is too slow
            // is not helped by another connection.
            Err(failure) if was_connected && !failure.is_timeout() => self.send(),
            sent => sent,
        }
    }
}

/// Writes everything or fails.
impl Write for Syslog {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let now = Instant::now();
        if let Some(pause) = self.backoff.pause(now) {
            let address = self.link.address();
            let problem = format!("{address}: no connection, the next attempt is in {pause:?}");
            return Err(io::Error::new(io::ErrorKind::NotConnected, problem));
        }
        self.messages.take(lines, SystemTime::now());
        let sent = self.try_send();
        self.messages.clear();
        match sent {
            Ok(()) => {
                self.backoff.succeeded();
                Ok(lines.len())
            }
            Err(failure) => {
                // It may have taken long to fail.
                self.backoff.failed(Instant::now());
                let error = failure.into_error();
                let problem = format!("{}: {error}", self.link.address());
                Err(io::Error::new(error.kind(), problem))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        // Nothing is buffered in this process.
        Ok(())
    }
}

#[cfg(test)]
mod tests;
