//! [`Tunnel`]: bytes both ways, for `CONNECT` (RFC 9110 §9.3.6) and WebSocket (RFC 6455).
//!
//! Each direction ends on its own: FIN is passed on as FIN and the other direction goes on.
//! A reset is passed on as a reset, so that a cut transfer never looks complete; for the same reason
//! an idle tunnel is closed by a reset while one end has not taken all that was sent to it.

mod direction;

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use direction::Direction;

use super::client::Session;
use super::env::Env;
use super::message::Seat;
use super::settings::Settings;
use super::status::{ConnectionId, ConnectionState, ConnectionStatus, RequestStatus};
use super::transaction::{Stage, Transaction};
use super::{Cx, Step, TaskKey, story};
use crate::error::Reason;
use crate::logger::{Event, Kind, OwnedRecord};
use crate::policy::User;
use crate::policy::throttle::{Asking, Flow, Held};
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
    /// Where its client has come from, and how many requests it has sent.
    listener: usize,
    requests: u32,
    /// What the log is told, but for what is known only when it is told.
    story: OwnedRecord,
    /// Whose bytes they are.
    user: Option<Arc<User>>,
    /// What throttles know of it; most have nothing to know.
    charge: Option<Box<Charge>>,
    _seat: Seat,
    /// A tunnel is one of the connections to its upstream.
    _place: Option<Place>,
}

/// What throttles know of a tunnel.
#[derive(Debug, Default)]
struct Charge {
    /// The throttle that has ended it, and one that would have slowed it down and only reports.
    over: Option<Arc<str>>,
    reported: Option<Arc<str>>,
    /// By which rule its bytes go.
    rule: Option<Arc<str>>,
    /// Its places among those there may be at once.
    _held: Vec<Held>,
}

impl Charge {
    fn of(rule: Option<Arc<str>>, held: Vec<Held>) -> Option<Box<Charge>> {
        let is_known = rule.is_some() || !held.is_empty();
        is_known.then(|| Box::new(Charge { rule, _held: held, ..Charge::default() }))
    }
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
        let throttled = transaction.throttled.take_account();
        let mut story = transaction.record(&session.client.who, time, transaction.age(cx.now));
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
            listener: session.client.who.listener,
            requests: session.requests,
            story: story.to_owned_record(),
            user: transaction.handler.user().cloned(),
            charge: Charge::of(throttled.rule, throttled.held),
            _seat: session.seat,
            _place: transaction.upstream.place.take(),
        };
        tunnel.up.brake = throttled.up;
        tunnel.down.brake = throttled.down;
        let mut early = session.client.inbound;
        tunnel.up.add(early.as_slice(), cx);
        early.clear(&mut cx.spares);
        // What is pending for the client is the head of our response: it does not count.
        tunnel.down.pending = session.client.outbound;
        tunnel.down.add(transaction.upstream.inbound.as_slice(), cx);
        transaction.upstream.inbound.clear(&mut cx.spares);
        // The record has it.
        cx.sockets[upstream].forget_peer();
        transaction.stage = Stage::Answering;
        transaction.count_bytes(&env.meter);
        env.recycle(transaction);
        env.meter.tunneled();
        let idle = tunnel.settings.timeouts.tunnel_idle;
        cx.timers.arm(&mut tunnel.timer, tunnel.key, cx.now, idle);
        tunnel.record(Event::Open, None, env, cx);
        tunnel
    }

    /// Goes on as far as possible.
    pub(super) fn advance(&mut self, env: &mut Env, cx: &mut Cx) -> Step {
        for _ in 0..STEPS {
            let most = [Flow::Up, Flow::Down].map(|flow| self.may_read(flow, env, cx));
            let up = self.up.relay(self.client, self.upstream, most[0], cx);
            let down = self.down.relay(self.upstream, self.client, most[1], cx);
            self.count_bytes(env);
            for flow in [Flow::Up, Flow::Down] {
                if let Err(reason) = self.passed(flow, env, cx) {
                    return self.end(Some(reason), Close::Abruptly, env, cx);
                }
            }
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
                if let Some(until) = self.held_until() {
                    let left = until.saturating_duration_since(cx.now);
                    cx.timers.arm(&mut self.timer, self.key, cx.now, left);
                }
                return Step::Wait;
            }
            self.arm_idle(cx);
        }
        Step::Later
    }

    pub(super) fn expired(&mut self, due: Due, env: &mut Env, cx: &mut Cx) -> Step {
        if !cx.timers.fires(&mut self.timer, due) {
            return Step::Wait;
        }
        if self.held_until().is_some() {
            // Nobody is to blame for the pause.
            self.up.brake.release(cx.now);
            self.down.brake.release(cx.now);
            self.arm_idle(cx);
            return self.advance(env, cx);
        }
        // Bytes that one end has not taken are lost now: an end would tell it that it has all.
        let is_all = self.pending().into_iter().all(Buffer::is_empty);
        let how = if is_all { Close::Orderly } else { Close::Abruptly };
        self.end(Some(Reason::TunnelIdle), how, env, cx)
    }

    /// If nothing moves for so long, it is over.
    fn arm_idle(&mut self, cx: &mut Cx) {
        let timeouts = &self.settings.timeouts;
        let half_closed = self.up.ended || self.down.ended;
        let idle = if half_closed { timeouts.tunnel_half_closed } else { timeouts.tunnel_idle };
        cx.timers.arm(&mut self.timer, self.key, cx.now, idle);
    }

    /// Ends the tunnel now.
    pub(super) fn cut(&mut self, reason: Reason, env: &mut Env, cx: &mut Cx) -> Step {
        self.end(Some(reason), Close::Abruptly, env, cx)
    }

    /// What it does.
    pub(super) fn status(&self, id: ConnectionId, cx: &Cx) -> ConnectionStatus {
        let mut record = self.story.as_record();
        (record.bytes_in, record.bytes_out) = (self.up.bytes, self.down.bytes);
        ConnectionStatus {
            id,
            client: record.client,
            listener: self.listener,
            state: ConnectionState::Tunnel,
            elapsed: cx.now.saturating_duration_since(self.started),
            requests: self.requests.into(),
            request: Some(RequestStatus::of(&record)),
        }
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
        self.give_back(env, cx);
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

    fn count_bytes(&mut self, env: &Env) {
        env.meter.passed(self.up.uncounted(), self.down.uncounted());
    }

    fn record(&mut self, event: Event, reason: Option<Reason>, env: &mut Env, cx: &Cx) {
        self.count_bytes(env);
        let mut record = self.story.as_record();
        record.event = event;
        record.reason = reason;
        if let Some(Charge { over, reported, .. }) = self.charge.as_deref() {
            record.rule = over.as_deref().or(record.rule);
            record.reported = record.reported.or(reported.as_deref());
        }
        record.bytes_in = self.up.bytes;
        record.bytes_out = self.down.bytes;
        record.duration = cx.now.saturating_duration_since(self.started);
        if event == Event::Close {
            env.meter.ended_as(&record);
        }
        if reason.is_some() {
            story::tell_of_tunnel(&record);
        }
        env.record(&record, cx.now);
    }
}

/// What throttles have to say.
impl Tunnel {
    /// How many bytes may be read in this direction: 0 if they are to be waited for.
    fn may_read(&mut self, flow: Flow, env: &mut Env, cx: &Cx) -> usize {
        let from = match flow {
            Flow::Up => self.client,
            Flow::Down => self.upstream,
        };
        if !self.settings.throttles.count(flow) || !cx.sockets[from].is_readable() {
            return usize::MAX;
        }
        let moment = env.moment(cx);
        let Tunnel { story, user, charge, up, down, settings, .. } = self;
        let asking = asking(story, user.as_deref(), charge.as_deref());
        let direction = if flow == Flow::Up { up } else { down };
        direction.brake.may_read(flow, &settings.throttles, &asking, moment, u64::MAX)
    }

    /// Bytes may have been passed on in this direction. An error is why no more are.
    fn passed(&mut self, flow: Flow, env: &mut Env, cx: &Cx) -> Result<(), Reason> {
        let Tunnel { story, user, charge, up, down, settings, .. } = self;
        let direction = if flow == Flow::Up { up } else { down };
        let before = std::mem::replace(&mut direction.charged, direction.bytes);
        let bytes = (direction.bytes - before) as usize;
        if !settings.throttles.count(flow) || bytes == 0 {
            return Ok(());
        }
        let asking = asking(story, user.as_deref(), charge.as_deref());
        let (throttles, moment) = (&settings.throttles, env.moment(cx));
        let mut reported = None;
        let passed = direction.brake.passed(flow, throttles, &asking, moment, bytes, &mut reported);
        if let Some(name) = reported {
            charge.get_or_insert_default().reported.get_or_insert(name);
        }
        passed.map_err(|it| {
            charge.get_or_insert_default().over = Some(it.name);
            it.reason
        })
    }

    /// When a direction that waits may go on.
    fn held_until(&self) -> Option<Instant> {
        [self.up.brake.until(), self.down.brake.until()].into_iter().flatten().min()
    }

    /// What it has waited for in vain is there for others.
    fn give_back(&self, env: &mut Env, cx: &Cx) {
        let throttles = &self.settings.throttles;
        let asking = asking(&self.story, self.user.as_deref(), self.charge.as_deref());
        for (flow, direction) in [(Flow::Up, &self.up), (Flow::Down, &self.down)] {
            direction.brake.give_back(flow, throttles, &asking, env.moment(cx));
        }
    }
}

fn asking<'a>(
    story: &'a OwnedRecord,
    user: Option<&'a User>,
    charge: Option<&'a Charge>,
) -> Asking<'a> {
    let record = story.as_record();
    let rule = charge.and_then(|charge| charge.rule.as_deref());
    Asking { client: record.client.ip(), host: record.host, user, rule }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thousands may be open and quiet: with its sockets and its record's texts, one fits in 1 KiB.
    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_quiet_tunnel_needs_little_memory() {
        assert!(size_of::<Tunnel>() <= 736, "{}", size_of::<Tunnel>());
    }
}
