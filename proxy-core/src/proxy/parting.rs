//! [`SocketAccept`]: accepting from a socket, and what becomes of those who wait when it ends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, Waker};

use crate::net::{Parting, Stream, WAYS, keep_away, pass_options_on};

/// Accepts from a socket, and can be woken.
pub(super) struct SocketAccept {
    poll: Poll,
    events: Events,
    listener: mio::net::TcpListener,
    waker: Arc<Waker>,
    /// The socket has been accepted from until it had nothing more.
    drained: bool,
}

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);

/// How long a client whose handshake has begun may take to complete it, when a socket is handed
/// over: a round trip, over nearly every line there is. Shorter than the second after which a
/// client that was kept away tries again: it is to find the other socket alone.
const HANDSHAKES: Duration = Duration::from_millis(500);
/// Who comes later than this, after new connections are kept away, is taken for a sign that they
/// are not.
const LATE: Duration = Duration::from_millis(250);
/// How many are accepted when the time is over at most: more than a queue holds (4,096, see
/// `net/listener.rs`), so that a crowd which does not cease cannot keep a proxy from stopping.
const LAST_CLIENTS: usize = 10_000;

impl SocketAccept {
    pub(super) fn new(listener: std::net::TcpListener) -> io::Result<SocketAccept> {
        listener.set_nonblocking(true)?;
        let mut listener = mio::net::TcpListener::from_std(listener);
        pass_options_on(&listener)?;
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        Ok(SocketAccept { poll, events: Events::with_capacity(2), listener, waker, drained: false })
    }

    /// Makes a blocked [`accept`](Self::accept) return.
    pub(super) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Blocks until the next connection, or until woken.
    pub(super) fn accept(&mut self) -> io::Result<(Stream, SocketAddr)> {
        loop {
            if self.drained {
                self.poll.poll(&mut self.events, None)?;
                self.drained = false;
                if self.events.iter().any(|event| event.token() == WAKER) {
                    return Err(io::ErrorKind::Interrupted.into());
                }
            }
            match self.accept_waiting() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.drained = true,
                result => return result,
            }
        }
    }

    /// Blocks until there may be a connection, or the time is over.
    fn wait(&mut self, time: Duration) -> io::Result<()> {
        self.poll.poll(&mut self.events, Some(time))
    }

    /// Accepts one that waits.
    fn accept_waiting(&mut self) -> io::Result<(Stream, SocketAddr)> {
        let (stream, peer) = self.listener.accept()?;
        Ok((Stream::accepted(stream).map_err(lost)?, peer))
    }
}

/// What a connection has come to that could not even be set up: its client is gone already.
pub(super) fn lost(error: io::Error) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, error)
}

/// What is done with those who wait at a socket that accepts no more.
pub(super) struct Farewell<H, S> {
    /// Whether there is room for one more.
    has_room: H,
    serve: S,
}

impl<H: Fn() -> bool, S: Fn(Stream, SocketAddr)> Farewell<H, S> {
    pub(super) fn new(has_room: H, serve: S) -> Self {
        Farewell { has_room, serve }
    }

    /// Serves those who wait, as `parting` says, for `time` at most.
    pub(super) fn say(self, accept: &mut SocketAccept, parting: Parting, time: Duration) {
        if time.is_zero() || parting == Parting::Leave {
            return;
        }
        let end = Instant::now() + time.min(HANDSHAKES * WAYS.len() as u32);
        if parting == Parting::HandOver {
            self.hand_over(accept, end);
        }
        self.serve_until(accept, Instant::now());
    }

    /// Serves those who come until nobody does: new connections are kept away in one way after the
    /// other, until one is seen to work.
    fn hand_over(&self, accept: &mut SocketAccept, end: Instant) {
        let mut refusal = None;
        for &way in WAYS {
            match keep_away(&accept.listener, way) {
                Ok(()) => {
                    let began = Instant::now();
                    let last = self.serve_until(accept, end.min(began + HANDSHAKES));
                    if last.is_none_or(|last| last < began + LATE) || Instant::now() >= end {
                        return;
                    }
                }
                Err(error) => refusal = Some(error),
            }
        }
        if let Some(error) = refusal {
            log::warn!("new connections are not kept from a socket that is closed: {error}");
        }
    }

    /// Serves those who wait and those who come until then. Gives when the last came.
    fn serve_until(&self, accept: &mut SocketAccept, until: Instant) -> Option<Instant> {
        let (mut last, mut left) = (None, LAST_CLIENTS);
        while left > 0 {
            if Instant::now() >= until {
                left -= 1;
            }
            if !(self.has_room)() {
                log::warn!("the proxy is full: those who still wait are not served");
                break;
            }
            match accept.accept_waiting() {
                Ok((socket, peer)) => {
                    last = Some(Instant::now());
                    (self.serve)(socket, peer);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    io::ErrorKind::WouldBlock => {
                        // When the time is over there is one more look into the queue.
                        let time = until.saturating_duration_since(Instant::now());
                        if time.is_zero() || accept.wait(time).is_err() {
                            break;
                        }
                    }
                    _ => {
                        log::error!("those who still wait cannot be accepted: {error}");
                        break;
                    }
                },
            }
        }
        last
    }
}
