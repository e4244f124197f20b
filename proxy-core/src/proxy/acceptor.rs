//! Accepting: most of it is done by an event loop; what may wait, by a thread for each listener.
//!
//! The thread of a socket lends it to a loop, which accepts from it without a word to anybody. When
//! there is no room for another connection, or the system refuses, the loop gives it back: a thread
//! can wait. When nobody is waiting any more the loop has it again. And at the end the thread sees to
//! those who are in the queue of the socket.
//!
//! A listener of the embedder's that blocks has its thread for itself.

use std::convert::Infallible;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded, select};

use super::parting::{Farewell, lost};
use crate::net::{Accept, Intake, Parting, Socket, Stream, Wake, pass_options_on};
use crate::session::{ListenerId, Loan, Reception};

/// Accepts from one listener.
pub(super) struct Acceptor {
    pub(super) reception: Arc<Reception>,
    pub(super) listener: ListenerId,
    pub(super) closed: Arc<Closed>,
    /// It is disconnected when `closed` is set.
    pub(super) closing: Receiver<Infallible>,
}

/// That an acceptor is to end, once it is set, and how long those have who wait to be accepted.
pub(super) type Closed = OnceLock<Duration>;

/// How long accepting pauses after an error that would only come again, and how often a full
/// proxy looks whether it was told to stop.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a loop that is held up, or whose inbox is full, may hold up the end of accepting.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Where the connections of a listener come in.
pub(super) enum Door {
    Socket(mio::net::TcpListener),
    Other(Box<dyn Accept>),
}

impl Door {
    /// What an intake comes to, and how to wake who waits there.
    pub(super) fn of(intake: Intake) -> io::Result<(Door, Wake)> {
        match intake {
            Intake::Blocking(accept, wake) => Ok((Door::Other(accept), wake)),
            Intake::Socket(listener) => {
                listener.set_nonblocking(true)?;
                let listener = mio::net::TcpListener::from_std(listener);
                pass_options_on(&listener)?;
                // Nobody waits at a socket: a loop is told of those who come.
                Ok((Door::Socket(listener), Box::new(|| {})))
            }
        }
    }
}

impl Acceptor {
    /// Accepts until told to stop, and then from those who wait, as `parting` says.
    pub(super) fn run(&self, door: Door, parting: Parting) {
        let mut tidings = Tidings::default();
        match door {
            Door::Other(mut accept) => self.accept_all(|| blocking(&mut *accept), &mut tidings),
            Door::Socket(socket) => {
                while !self.is_closed() {
                    self.lend(&socket);
                    self.accept_all(|| waiting(&socket), &mut tidings);
                }
                if let Some(&time) = self.closed.get() {
                    let has_room = || self.reception.has_room();
                    Farewell::new(has_room, |stream, peer| self.hand_over(stream, peer))
                        .say(socket, parting, time);
                }
            }
        }
    }

    fn is_closed(&self) -> bool {
        self.closed.get().is_some()
    }

    /// Has a loop accept from the socket until it gives it back.
    fn lend(&self, socket: &mio::net::TcpListener) {
        let (refused, returned) = bounded(1);
        // Most often the descriptors have run out.
        let Ok(socket) = another_handle(socket) else { return self.reception.pause(PAUSE) };
        let reception = Arc::clone(&self.reception);
        self.reception.lend(Loan { socket, listener: self.listener, reception, refused });
        select! {
            recv(returned) -> refused => {
                if refused.is_ok() {
                    self.reception.pause(PAUSE);
                }
            }
            // Nothing is ever sent: it is disconnected.
            recv(self.closing) -> _ => {
                self.reception.call_in(self.listener);
                // A loop that is held up does so later.
                let _ = returned.recv_timeout(LAST_WAIT);
            }
        }
    }

    /// Accepts until told to stop, or until nobody waits any more where `accept` says so.
    fn accept_all(
        &self,
        mut accept: impl FnMut() -> io::Result<(Stream, SocketAddr)>,
        tidings: &mut Tidings,
    ) {
        while self.has_room(tidings) {
            match accept() {
                // Also if it is closed by now: whoever has been accepted is served.
                Ok((stream, peer)) => self.hand_over(stream, peer),
                Err(_) if self.is_closed() => return,
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return,
                    io::ErrorKind::UnexpectedEof => {
                        return log::info!("listener {} has ended", self.listener.0);
                    }
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    _ => {
                        // Most often the descriptors have run out.
                        if tidings.failing.is_news(Instant::now()) {
                            log::error!(
                                "accepting fails and is tried again every {PAUSE:?}: {error}"
                            );
                        }
                        // A word from a connection that has ended is a reason to try at once.
                        self.reception.pause(PAUSE);
                    }
                },
            }
        }
    }

    /// Waits until there is room for another connection. `false` when told to stop.
    fn has_room(&self, tidings: &mut Tidings) -> bool {
        while !self.is_closed() {
            if self.reception.has_room() {
                return true;
            }
            if self.reception.is_held_back() {
                if tidings.logging.is_news(Instant::now()) {
                    log::warn!(
                        "the access log fell behind: new connections wait until it catches up"
                    );
                }
            } else if tidings.full.is_news(Instant::now()) {
                log::warn!(
                    "all {} connections are in use: new ones wait until some end",
                    self.reception.limit()
                );
            }
            self.reception.pause(PAUSE);
        }
        false
    }

    fn hand_over(&self, stream: Stream, peer: SocketAddr) {
        let mut last_wait = None;
        self.reception
            .hand_over(stream, peer, self.listener, || self.is_closed() && is_over(&mut last_wait));
    }
}

/// Accepts one that waits at a socket.
pub(super) fn waiting(socket: &mio::net::TcpListener) -> io::Result<(Stream, SocketAddr)> {
    let (stream, peer) = socket.accept()?;
    Ok((Stream::accepted(stream).map_err(lost)?, peer))
}

/// Accepts from a listener of the embedder's. A panic is an error like others: it costs a pause.
fn blocking(accept: &mut dyn Accept) -> io::Result<(Stream, SocketAddr)> {
    let accepted: io::Result<(Socket, SocketAddr)> =
        catch_unwind(AssertUnwindSafe(|| accept.accept())).unwrap_or_else(|panic| {
            // Not dropped: any type can be thrown, also one that panics when it is.
            mem::forget(panic);
            Err(io::Error::other("the listener panicked"))
        });
    let (socket, peer) = accepted.map_err(|error| match error.kind() {
        // It blocks: that nobody waits is no reason to return.
        io::ErrorKind::WouldBlock => io::Error::other(error),
        _ => error,
    })?;
    Ok((Stream::adopt(socket).map_err(lost)?, peer))
}

/// Another handle of the same socket: a loop polls it apart.
fn another_handle(socket: &mio::net::TcpListener) -> io::Result<mio::net::TcpListener> {
    let socket = socket2::SockRef::from(socket).try_clone()?;
    Ok(mio::net::TcpListener::from_std(socket.into()))
}

/// Whether a wait that begins when this is first asked has been long enough.
fn is_over(last_wait: &mut Option<Instant>) -> bool {
    let now = Instant::now();
    now >= *last_wait.get_or_insert(now + LAST_WAIT)
}

/// What has been told of.
#[derive(Debug, Default)]
struct Tidings {
    failing: Trouble,
    full: Trouble,
    /// The log is behind.
    logging: Trouble,
}

/// Something that is told once, however often it happens: a proxy at its limit is there again
/// with each connection that takes the place of one that has ended.
#[derive(Debug, Default)]
struct Trouble {
    last: Option<Instant>,
}

/// What has not happened for so long is news when it happens again.
const FORGOTTEN: Duration = Duration::from_secs(60);

impl Trouble {
    /// It happens: is that to be told?
    fn is_news(&mut self, now: Instant) -> bool {
        let last = self.last.replace(now);
        last.is_none_or(|last| now.saturating_duration_since(last) >= FORGOTTEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told_once_and_again_only_after_a_time_without_it() {
        let (mut trouble, mut now) = (Trouble::default(), Instant::now());
        assert!(trouble.is_news(now));
        for _ in 0..1000 {
            now += Duration::from_secs(1);
            assert!(!trouble.is_news(now), "it has not ended since");
        }
        now += FORGOTTEN;
        assert!(trouble.is_news(now));
    }
}
