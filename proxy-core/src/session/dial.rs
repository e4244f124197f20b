//! [`Dialer`]: connection attempts to the addresses of one upstream (RFC 8305 §5).

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::env::Settings;
use super::{Cx, Owner};
use crate::error::Reason;
use crate::net::Stream;
use crate::runtime::sockets::{Close, SocketId};

/// Attempts under way, and addresses not yet tried.
///
/// An address that does not answer is not waited for: after a short while the next one is
/// tried beside it, and the first that answers wins. An address that refuses makes room for
/// the next one at once.
#[derive(Debug)]
pub(super) struct Dialer {
    untried: std::vec::IntoIter<SocketAddr>,
    attempts: Vec<SocketId>,
    next_at: Instant,
    until: Instant,
    last: Reason,
}

/// What dialing has come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Dialed {
    Connected(SocketId),
    /// Look again when a socket has an event, or at this time.
    Pending(Instant),
    Failed(Reason),
}

impl Dialer {
    /// The proxy's own addresses are not dialed: the request would come back for ever.
    pub(super) fn new(
        mut addresses: Vec<SocketAddr>,
        settings: &Settings,
        now: Instant,
    ) -> Result<Dialer, Reason> {
        if addresses.is_empty() {
            return Err(Reason::ConnectFailed);
        }
        addresses.retain(|address| !is_own(address, &settings.own_addresses));
        if addresses.is_empty() {
            return Err(Reason::LoopDetected);
        }
        Ok(Dialer {
            untried: addresses.into_iter(),
            attempts: Vec::new(),
            next_at: now,
            until: now + settings.timeouts.connect,
            last: Reason::ConnectFailed,
        })
    }

    pub(super) fn step(&mut self, owner: Owner, stagger: Duration, cx: &mut Cx) -> Dialed {
        if let Some(socket) = self.settle(cx) {
            self.give_up(cx);
            return Dialed::Connected(socket);
        }
        if cx.now >= self.until {
            self.give_up(cx);
            return Dialed::Failed(Reason::ConnectTimeout);
        }
        while self.attempts.is_empty() || cx.now >= self.next_at {
            let Some(address) = self.untried.next() else { break };
            match Stream::connect(address)
                .and_then(|stream| cx.sockets.insert_connecting(stream, owner))
            {
                Ok(socket) => {
                    self.attempts.push(socket);
                    self.next_at = cx.now + stagger;
                }
                Err(error) => self.last = reason(&error),
            }
        }
        if self.attempts.is_empty() {
            return Dialed::Failed(self.last);
        }
        let more = !self.untried.as_slice().is_empty();
        Dialed::Pending(if more { self.next_at.min(self.until) } else { self.until })
    }

    /// Looks at the attempts that have had an event: the one that succeeded is taken out,
    /// those that failed are closed.
    fn settle(&mut self, cx: &mut Cx) -> Option<SocketId> {
        let mut index = 0;
        while let Some(&socket) = self.attempts.get(index) {
            let connection = &mut cx.sockets[socket];
            let outcome =
                if connection.is_writable() { connection.finish_connecting() } else { Ok(false) };
            match outcome {
                Ok(true) => {
                    self.attempts.swap_remove(index);
                    return Some(socket);
                }
                Ok(false) => index += 1,
                Err(error) => {
                    self.last = reason(&error);
                    self.attempts.swap_remove(index);
                    cx.sockets.close(socket, Close::Orderly);
                }
            }
        }
        None
    }

    fn give_up(&mut self, cx: &mut Cx) {
        for socket in self.attempts.drain(..) {
            cx.sockets.close(socket, Close::Orderly);
        }
    }

    /// Closes all attempts.
    pub(super) fn cancel(mut self, cx: &mut Cx) {
        self.give_up(cx);
    }
}

fn reason(error: &io::Error) -> Reason {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Reason::ConnectRefused,
        io::ErrorKind::TimedOut => Reason::ConnectTimeout,
        _ if is_exhaustion(error) => Reason::OutOfDescriptors,
        _ => Reason::ConnectFailed,
    }
}

/// Whether the process or the system has run out of descriptors or ports.
fn is_exhaustion(error: &io::Error) -> bool {
    /// EMFILE and ENFILE, the same on every Unix; WSAEMFILE on Windows. std has no kind for
    /// them.
    const CODES: [i32; 2] = if cfg!(windows) { [10024, 10055] } else { [24, 23] };
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.raw_os_error().is_some_and(|code| CODES.contains(&code))
}

fn is_own(address: &SocketAddr, own: &[SocketAddr]) -> bool {
    own.iter().any(|own| {
        let same_host =
            own.ip() == address.ip() || own.ip().is_unspecified() && address.ip().is_loopback();
        own.port() == address.port() && (same_host || address.ip().is_unspecified())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxys_own_addresses_are_recognised() {
        let own = ["127.0.0.1:8888".parse().unwrap(), "[::]:9999".parse().unwrap()];
        for (address, expected) in [
            ("127.0.0.1:8888", true),
            ("0.0.0.0:8888", true),
            ("127.0.0.1:8889", false),
            ("127.0.0.2:8888", false),
            ("[::1]:9999", true),
            ("127.0.0.1:9999", true),
            ("192.0.2.1:9999", false),
        ] {
            assert_eq!(is_own(&address.parse().unwrap(), &own), expected, "{address}");
        }
    }

    #[test]
    fn nothing_left_to_dial_is_a_loop() {
        assert!(is_own(&"[::1]:80".parse().unwrap(), &["[::]:80".parse().unwrap()]));
    }
}
