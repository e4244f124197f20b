//! [`Dialer`]: connection attempts to the addresses of one upstream (RFC 8305 §5).

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use super::race::{Next, Race};
use super::{Cx, Owner};
use crate::error::Reason;
use crate::limits::Timeouts;
use crate::net::Stream;
use crate::runtime::sockets::{Close, SocketId};

/// The sockets of a [`Race`] between addresses, which says what is to be tried when.
#[derive(Debug)]
pub(super) struct Dialer {
    race: Race<SocketId>,
}

/// What dialing has come to.
#[derive(Debug)]
pub(super) enum Dialed {
    Connected(SocketId),
    /// Go on when a socket has an event, or at this time.
    Pending(Instant),
    Failed(Reason),
}

impl Dialer {
    /// To whichever of these addresses answers first. There must be one.
    pub(super) fn new(addresses: Vec<SocketAddr>, timeouts: &Timeouts, now: Instant) -> Dialer {
        Dialer { race: Race::new(addresses, timeouts, now) }
    }

    /// Does what can be done now.
    pub(super) fn step(&mut self, owner: Owner, cx: &mut Cx) -> Dialed {
        if let Some(winner) = self.settle(cx) {
            self.race.won(winner).for_each(|other| cx.sockets.close(other, Close::Orderly));
            return Dialed::Connected(winner);
        }
        loop {
            match self.race.next(cx.now) {
                Next::Try(address) => {
                    let begun = Stream::connect(address)
                        .and_then(|stream| cx.sockets.insert_connecting(stream, owner));
                    match begun {
                        Ok(socket) => self.race.begun(socket, cx.now),
                        Err(error) => self.race.not_begun(reason(&error), cx.now),
                    }
                }
                Next::GiveUp(socket) => cx.sockets.close(socket, Close::Orderly),
                Next::Wait(until) => return Dialed::Pending(until),
                Next::Lost(reason) => return Dialed::Failed(reason),
            }
        }
    }

    /// Looks at the attempts that have had an event, and gives the one that has succeeded.
    fn settle(&mut self, cx: &mut Cx) -> Option<SocketId> {
        loop {
            let (socket, outcome) = self.race.attempts().find_map(|socket| {
                let connection = &mut cx.sockets[socket];
                if !connection.is_writable() {
                    return None;
                }
                match connection.finish_connecting() {
                    Ok(true) => Some((socket, Ok(()))),
                    Ok(false) => None,
                    Err(error) => Some((socket, Err(error))),
                }
            })?;
            match outcome {
                Ok(()) => return Some(socket),
                Err(error) => {
                    self.race.failed(socket, reason(&error), cx.now);
                    cx.sockets.close(socket, Close::Orderly);
                }
            }
        }
    }

    /// Closes all attempts.
    pub(super) fn cancel(mut self, cx: &mut Cx) {
        self.race.end().for_each(|socket| cx.sockets.close(socket, Close::Orderly));
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
