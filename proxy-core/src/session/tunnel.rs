//! [`Tunnel`]: bytes both ways, for `CONNECT` (RFC 9110 §9.3.6) and WebSocket (RFC 6455).
//!
//! Each direction ends on its own: FIN is passed on as FIN and the other direction goes on.
//! A reset is passed on as a reset, so that a cut transfer never looks complete; for the same reason
//! an idle tunnel is closed by a reset while one end has not taken all that was sent to it.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use super::client::Session;
use super::env::Env;
use super::message::Seat;
use super::settings::Settings;
use super::transaction::{Stage, Transaction};
use super::wire::{self, Bulk, Flushed, Input};
use super::{Cx, Step, TaskKey};
use crate::error::Reason;
use crate::logger::{Event, Kind, OwnedRecord};
use crate::runtime::buffer::Buffer;
use crate::runtime::sockets::{Close, SocketId};
use crate::runtime::timers::{Due, Timer};
use crate::upstream::Place;

/// Two connections and what flows between them.
#[derive(Debug)]
pub(super) struct Tunnel {
    key: TaskKey,
    /// Those of the exchange it has come from.
    settings: Rc<Settings>,
    client: SocketId,
    upstream: SocketId,
    up: Direction,
    down: Direction,
    timer: Timer,
    started: Instant,
    /// What the log is told, but for what is known only when it is told.
    story: OwnedRecord,
    _seat: Seat,
    /// A tunnel is one of the connections to its upstream.
    _place: Option<Place>,
}

/// One direction of a tunnel.
#[derive(Debug, Default)]
struct Direction {
    pending: Buffer,
    bulk: Bulk,
    bytes: u64,
    /// FIN has been read.
    ended: bool,
    /// FIN has been sent on.
    closed: bool,
}

/// How often a tunnel goes on at once before others have their turn.
const STEPS: usize = 16;

impl Tunnel {
    /// What a session becomes when its exchange has turned into a tunnel. Bytes that came
    /// early on either side are the first to go through.
    pub(super) fn new(
        session: Session,
        mut transaction: Box<Transaction>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Tunnel {
        debug_assert!(session.pinned.is_none(), "nothing is kept while a request is under way");
        let Stage::Talking(upstream) = transaction.stage else {
            unreachable!("a transaction becomes a tunnel when its upstream is connected");
        };
        let time = env.time_of_day(transaction.started, cx.now);
        let mut story = transaction.record(&session.client.who, time, cx.now);
        story.kind = Kind::Tunnel;
        let mut tunnel = Tunnel {
            key: session.key,
            settings: session.settings,
            client: session.client.socket,
            upstream,
            up: Direction::default(),
            down: Direction::default(),
            timer: session.timer,
            started: transaction.started,
            story: story.to_owned_record(),
            _seat: session.seat,
            _place: transaction.upstream.place.take(),
        };
        let mut early = session.client.inbound;
        tunnel.up.add(early.as_slice(), cx);
        early.clear(&mut cx.spares);
        // What is pending for the client is the head of our response: it does not count.
        tunnel.down.pending = session.client.outbound;
        tunnel.down.add(transaction.upstream.inbound.as_slice(), cx);
        transaction.upstream.inbound.clear(&mut cx.spares);
        transaction.stage = Stage::Answering;
        env.recycle(transaction);
        let idle = tunnel.settings.timeouts.tunnel_idle;
        cx.timers.arm(&mut tunnel.timer, tunnel.key, cx.now, idle);
        tunnel.record(Event::Open, None, env, cx);
        tunnel
    }

    /// Goes on as far as possible.
    pub(super) fn advance(&mut self, env: &mut Env, cx: &mut Cx) -> Step {
        for _ in 0..STEPS {
            let up = self.up.relay(self.client, self.upstream, cx);
            let down = self.down.relay(self.upstream, self.client, cx);
            let moved = match (up, down) {
                (Ok(up), Ok(down)) => up || down,
                (Err(failed), _) | (_, Err(failed)) => {
                    let reason = if failed == self.client {
                        Reason::ClientClosed
                    } else {
                        Reason::TunnelReset
                    };
                    return self.end(Some(reason), Close::Abruptly, env, cx);
                }
            };
            if self.up.closed && self.down.closed {
                return self.end(None, Close::Orderly, env, cx);
            }
            if !moved {
                // A reset shows when its socket is read, but a client is not read from while
                // the upstream takes nothing. (Once its FIN has been answered with ours, a
                // connection is over in both directions without a reset.)
                if cx.sockets[self.client].has_hung_up() && !self.down.closed {
                    return self.end(Some(Reason::ClientClosed), Close::Abruptly, env, cx);
                }
                return Step::Wait;
            }
            let timeouts = &self.settings.timeouts;
            let half_closed = self.up.ended || self.down.ended;
            let idle = if half_closed { timeouts.tunnel_half_closed } else { timeouts.tunnel_idle };
            cx.timers.arm(&mut self.timer, self.key, cx.now, idle);
        }
        Step::Later
    }

    pub(super) fn expired(&mut self, due: Due, env: &mut Env, cx: &mut Cx) -> Step {
        if !cx.timers.fires(&mut self.timer, due) {
            return Step::Wait;
        }
        // Bytes that one end has not taken are lost now: an end would tell it that it has all.
        let is_all = self.pending().into_iter().all(Buffer::is_empty);
        let how = if is_all { Close::Orderly } else { Close::Abruptly };
        self.end(Some(Reason::TunnelIdle), how, env, cx)
    }

    /// Ends the tunnel now: the time to drain is over.
    pub(super) fn cut(&mut self, env: &mut Env, cx: &mut Cx) -> Step {
        self.end(Some(Reason::ShutDown), Close::Abruptly, env, cx)
    }

    /// The code that served it has panicked. Says who the client is.
    pub(super) fn fail_internally(&mut self, env: &mut Env, cx: &Cx) -> SocketAddr {
        self.record(Event::Close, Some(Reason::InternalError), env, cx);
        self.story.as_record().client
    }

    /// What waits in each direction.
    pub(super) fn pending(&self) -> [&Buffer; 2] {
        [&self.up.pending, &self.down.pending]
    }

    fn end(&mut self, reason: Option<Reason>, how: Close, env: &mut Env, cx: &mut Cx) -> Step {
        self.record(Event::Close, reason, env, cx);
        Step::End(how)
    }

    /// Closes both connections.
    pub(super) fn close(mut self: Box<Self>, how: Close, cx: &mut Cx) {
        self.up.pending.clear(&mut cx.spares);
        self.down.pending.clear(&mut cx.spares);
        cx.sockets.close(self.client, how);
        cx.sockets.close(self.upstream, how);
    }

    fn record(&self, event: Event, reason: Option<Reason>, env: &mut Env, cx: &Cx) {
        let mut record = self.story.as_record();
        record.event = event;
        record.reason = reason;
        record.bytes_in = self.up.bytes;
        record.bytes_out = self.down.bytes;
        record.duration = cx.now.saturating_duration_since(self.started);
        env.record(&record, cx.now);
    }
}

impl Direction {
    /// Adds bytes that came before the tunnel was open.
    fn add(&mut self, bytes: &[u8], cx: &mut Cx) {
        self.pending.extend(bytes, &mut cx.spares);
        self.bytes += bytes.len() as u64;
    }

    /// Passes on what is there. `Ok(true)` if something was. An error is the socket that failed.
    fn relay(&mut self, from: SocketId, to: SocketId, cx: &mut Cx) -> Result<bool, SocketId> {
        let was_pending = !self.pending.is_empty();
        match wire::flush(to, &mut self.pending, cx).map_err(|_| to)? {
            Flushed::All => {}
            Flushed::Part => return Ok(true),
            Flushed::Nothing => return Ok(false),
        }
        if self.ended {
            if !self.closed {
                cx.sockets[to].finish_writing();
                self.closed = true;
                return Ok(true);
            }
            return Ok(was_pending);
        }
        match self.pass(from, to, cx).map_err(|_| from)? {
            Input::Looked(sent) => {
                let sent = sent.map_err(|_| to)?;
                self.bulk.note(sent, cx);
                self.bytes += sent as u64;
                Ok(true)
            }
            Input::Ended => {
                self.ended = true;
                Ok(true)
            }
            Input::Blocked => Ok(was_pending),
        }
    }

    /// Passes on what can be read at once. An error within is that of the socket it goes to.
    fn pass(
        &mut self,
        from: SocketId,
        to: SocketId,
        cx: &mut Cx,
    ) -> io::Result<Input<io::Result<usize>>> {
        let pending = &mut self.pending;
        if self.bulk.is_worth_it(u64::MAX, from, to, cx)
            && cx.sockets[from].is_readable()
            && let Some(passed) = wire::pass(from, to, u64::MAX, pending, cx)
        {
            return passed;
        }
        let mut head = Vec::new();
        wire::receive(from, &mut Buffer::default(), cx, |input, cx| {
            (input.len(), wire::send(to, pending, &mut head, input, cx).map(|()| input.len()))
        })
    }
}
