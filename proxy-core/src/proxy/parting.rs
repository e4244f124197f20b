//! [`SocketAccept`]: accepting from a socket, and what becomes of those who wait when it ends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, Waker};

use crate::net::{Parting, Socket, keep_away};

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
/// How many are accepted after the end at most: more than a queue holds (4,096, see
/// `net/listener.rs`), so that a crowd which does not cease cannot keep a proxy from stopping.
const LAST_CLIENTS: usize = 10_000;

impl SocketAccept {
    pub(super) fn new(listener: std::net::TcpListener) -> io::Result<SocketAccept> {
        listener.set_nonblocking(true)?;
        let mut listener = mio::net::TcpListener::from_std(listener);
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
    pub(super) fn accept(&mut self) -> io::Result<(Socket, SocketAddr)> {
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
    fn accept_waiting(&mut self) -> io::Result<(Socket, SocketAddr)> {
        let (stream, peer) = self.listener.accept()?;
        Ok((std::net::TcpStream::from(stream).into(), peer))
    }
}

/// The last that is done with a socket, for `time` at most: those who wait are served, while there
/// is room for them.
pub(super) fn farewell(
    accept: &mut SocketAccept,
    parting: Parting,
    time: Duration,
    has_room: impl Fn() -> bool,
    serve: impl Fn(Socket, SocketAddr),
) {
    if time.is_zero() || parting == Parting::Leave {
        return;
    }
    let until = Instant::now() + time.min(HANDSHAKES);
    let is_handed_over = parting == Parting::HandOver && keeps_away(accept);
    for _ in 0..LAST_CLIENTS {
        if !has_room() {
            return log::warn!("the proxy is full: those who still wait are not served");
        }
        match accept.accept_waiting() {
            Ok((socket, peer)) => serve(socket, peer),
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                io::ErrorKind::WouldBlock => {
                    let left = until.saturating_duration_since(Instant::now());
                    // When the time is over there is one more look into the queue.
                    if !is_handed_over || left.is_zero() || accept.wait(left).is_err() {
                        return;
                    }
                }
                _ => return log::error!("those who still wait cannot be accepted: {error}"),
            },
        }
    }
}

/// Whether new connections are kept away from here on.
fn keeps_away(accept: &SocketAccept) -> bool {
    match keep_away(&accept.listener) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::Unsupported => false,
        Err(error) => {
            log::warn!("new connections cannot be kept from a socket that is closed: {error}");
            false
        }
    }
}
