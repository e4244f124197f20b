//! [`Farewell`]: what becomes of those who wait at a socket when it is closed.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use super::acceptor::waiting;
use crate::net::{Parting, Stream, WAYS, keep_away};

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
    pub(super) fn say(self, socket: TcpListener, parting: Parting, time: Duration) {
        if time.is_zero() || parting == Parting::Leave {
            return;
        }
        let mut queue = Queue { socket, poll: None };
        let end = Instant::now() + time.min(HANDSHAKES * WAYS.len() as u32);
        if parting == Parting::HandOver {
            self.hand_over(&mut queue, end);
        }
        self.serve_until(&mut queue, Instant::now());
    }

    /// Serves those who come until nobody does: new connections are kept away in one way after the
    /// other, until one is seen to work.
    fn hand_over(&self, queue: &mut Queue, end: Instant) {
        let mut refusal = None;
        for &way in WAYS {
            match keep_away(&queue.socket, way) {
                Ok(()) => {
                    let began = Instant::now();
                    let last = self.serve_until(queue, end.min(began + HANDSHAKES));
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
    fn serve_until(&self, queue: &mut Queue, until: Instant) -> Option<Instant> {
        let (mut last, mut left) = (None, LAST_CLIENTS);
        while left > 0 {
            if Instant::now() >= until {
                left -= 1;
            }
            if !(self.has_room)() {
                log::warn!("the proxy is full: those who still wait are not served");
                break;
            }
            match waiting(&queue.socket) {
                Ok((socket, peer)) => {
                    last = Some(Instant::now());
                    (self.serve)(socket, peer);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    io::ErrorKind::WouldBlock => {
                        // When the time is over there is one more look into the queue.
                        let time = until.saturating_duration_since(Instant::now());
                        if time.is_zero() || queue.wait(time).is_err() {
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

/// Those who wait at a socket.
struct Queue {
    socket: TcpListener,
    /// Made when it is first needed: most have nothing to wait for.
    poll: Option<(Poll, Events)>,
}

impl Queue {
    /// Blocks until there may be somebody, or the time is over.
    fn wait(&mut self, time: Duration) -> io::Result<()> {
        let (poll, events) = match &mut self.poll {
            Some(poll) => poll,
            none => {
                let poll = Poll::new()?;
                poll.registry().register(&mut self.socket, Token(0), Interest::READABLE)?;
                none.insert((poll, Events::with_capacity(1)))
            }
        };
        poll.poll(events, Some(time))
    }
}
