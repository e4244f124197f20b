//! [`Session`]: one client connection, from request to request.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::env::Env;
use super::excerpt::Excerpt;
use super::message::{Refusal, Seat};
use super::pinned::Pinned;
use super::settings::{ListenerId, Settings};
use super::story::Asides;
use super::transaction::{Stage, Transaction};
use super::wire::{self, Flushed, Input};
use super::{Cx, Step, TaskKey};
use crate::error::Reason;
use crate::handler::Client;
use crate::http1::{self, HeadScanner, Sniff};
use crate::runtime::buffer::Buffer;
use crate::runtime::sockets::{Close, SocketId};
use crate::runtime::timers::{Due, Timer};

/// One client connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) key: TaskKey,
    /// What its requests are served by: the newest settings, or, while a request is under way,
    /// those with which it has begun.
    pub(super) settings: Rc<Settings>,
    pub(super) client: ClientSide,
    /// Where the client has come from.
    pub(super) listener: ListenerId,
    pub(super) timer: Timer,
    /// A client that has not begun a request by then does not stay.
    pub(super) idle_until: Instant,
    /// The request that is being served.
    pub(super) transaction: Option<Box<Transaction>>,
    /// How many requests have begun.
    pub(super) requests: u32,
    /// The connection was opened then, or its last request was over.
    pub(super) idle_since: Instant,
    /// The id of the last request that has begun, until the next is waited for; 0 is none's.
    last_request: u64,
    /// An upstream connection that is this client's alone.
    pub(super) pinned: Option<Box<Pinned>>,
    /// The last response has been sent; so many bytes are still read and thrown away.
    lingering: Option<usize>,
    /// Others need the seat: there is no time to linger.
    is_brief: bool,
    pub(super) seat: Seat,
}

/// The client's side of a session.
#[derive(Debug)]
pub(super) struct ClientSide {
    pub(super) who: Client,
    pub(super) socket: SocketId,
    /// Bytes from the client that were not used yet.
    pub(super) inbound: Buffer,
    /// Bytes for the client that its socket did not take yet.
    pub(super) outbound: Buffer,
    scanner: HeadScanner,
    /// When the first byte of a request has come whose head is not complete.
    begun: Option<Instant>,
    /// Who was banned when this client was found not to be: see [`Bans::version`](crate::policy::Bans::version).
    pub(super) bans: u64,
    /// A throttle that would have refused the connection, and only reports: for its first request.
    pub(super) reported: Option<Arc<str>>,
    /// A request has been served on this connection.
    pub(super) reused: bool,
}

impl ClientSide {
    /// When the first byte of a request has come whose head is not complete.
    pub(super) fn begun(&self) -> Option<Instant> {
        self.begun
    }
}

/// How often a task goes on at once before others have their turn.
const STEPS: usize = 16;

/// Bytes that are read and thrown away after a last response, so that its end reaches the
/// client: closing a socket with unread bytes resets it (RFC 9112 §9.6).
const LINGER_BYTES: usize = 1024 * 1024;

impl Session {
    pub(super) fn new(
        key: TaskKey,
        socket: SocketId,
        (who, listener): (Client, ListenerId),
        seat: Seat,
        env: &Env,
        cx: &mut Cx,
    ) -> Session {
        let client = ClientSide {
            who,
            socket,
            inbound: Buffer::default(),
            outbound: Buffer::default(),
            scanner: HeadScanner::new(),
            begun: None,
            bans: env.newest.bans.version(),
            reported: None,
            reused: false,
        };
        let mut timer = Timer::default();
        let settings = Rc::clone(&env.newest);
        let keep_alive = settings.timeouts.keep_alive;
        cx.timers.arm(&mut timer, key, cx.now, keep_alive);
        Session {
            key,
            settings,
            client,
            listener,
            timer,
            idle_until: cx.now + keep_alive,
            transaction: None,
            requests: 0,
            idle_since: cx.now,
            last_request: 0,
            pinned: None,
            lingering: None,
            is_brief: false,
            seat,
        }
    }

    /// Goes on as far as possible.
    pub(super) fn advance(&mut self, env: &mut Env, cx: &mut Cx) -> Step {
        for _ in 0..STEPS {
            let step = match self.transaction.take() {
                Some(transaction) => self.exchange(transaction, env, cx),
                None if self.lingering.is_some() => self.linger(cx),
                None => self.await_request(env, cx),
            };
            if !matches!(step, Step::Again) {
                return step;
            }
        }
        Step::Later
    }

    /// The client is not served.
    pub(super) fn turn_away(&mut self, refusal: Refusal, env: &mut Env, cx: &mut Cx) -> Step {
        self.is_brief = refusal.is_brief;
        self.refuse(refusal.reason, env, cx)
    }

    /// Answers before anything was asked.
    pub(super) fn refuse(&mut self, reason: Reason, env: &mut Env, cx: &mut Cx) -> Step {
        let mut transaction = env.begin(cx.now);
        self.begin(&mut transaction, env);
        let step = self.fail(transaction, reason, env, cx);
        self.go_on(step, env, cx)
    }

    /// Whether nothing has begun here, not even a head.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_under_way() && self.client.begun.is_none() && self.client.inbound.is_empty()
    }

    /// Whether a request is served, or the connection ends.
    pub(super) fn is_under_way(&self) -> bool {
        self.transaction.is_some() || self.lingering.is_some()
    }

    /// Reads until the head of a request is complete, and then has it decided about.
    fn await_request(&mut self, env: &mut Env, cx: &mut Cx) -> Step {
        self.unpin_if_over(cx);
        self.last_request = 0;
        let client = &mut self.client;
        if client.inbound.needs_more() && !cx.sockets[client.socket].is_readable() {
            return Step::Wait;
        }
        let mut transaction = env.begin(cx.now);
        let scanner = &mut client.scanner;
        let limits = &self.settings.limits;
        let looked = wire::receive(client.socket, &mut client.inbound, cx, |input, _| {
            let skipped = if scanner.is_fresh() { http1::skip_empty_lines(input) } else { 0 };
            let head = &input[skipped..];
            if scanner.is_fresh() {
                match http1::sniff(head) {
                    Sniff::Http => {}
                    Sniff::Tls => return (skipped, Err(Reason::TlsToPlainPort)),
                    Sniff::Http2 => return (skipped, Err(Reason::Http2ToPlainPort)),
                }
                if let Some(length) = transaction.request.parse_whole(head, limits) {
                    transaction.understood = true;
                    return (skipped + length, Ok(true));
                }
            }
            match scanner.scan(head, limits) {
                Ok(None) => (skipped, Ok(!head.is_empty())),
                Ok(Some(length)) => {
                    scanner.reset();
                    let parsed = transaction.request.parse(&head[..length], limits);
                    transaction.understood = parsed.is_ok();
                    let parsed = parsed.map_err(|error| {
                        let excerpt = Excerpt::of_request(&head[..length], error, limits);
                        Asides::show(&mut transaction.asides, excerpt);
                        error.in_request()
                    });
                    (skipped + length, parsed.map(|()| true))
                }
                Err(error) => {
                    let excerpt = Excerpt::of_request(head, error, limits);
                    Asides::show(&mut transaction.asides, excerpt);
                    (skipped, Err(error.in_request()))
                }
            }
        });
        let ended = match looked {
            Ok(Input::Looked(Ok(begun))) if !transaction.understood => {
                env.recycle(transaction);
                if begun && self.client.begun.is_none() {
                    self.client.begun = Some(cx.now);
                    cx.timers.arm(
                        &mut self.timer,
                        self.key,
                        cx.now,
                        self.settings.timeouts.request_head,
                    );
                }
                return Step::Again;
            }
            Ok(Input::Looked(Ok(_))) => None,
            Ok(Input::Looked(Err(reason))) => Some(reason),
            Ok(Input::Blocked) => {
                env.recycle(transaction);
                return Step::Wait;
            }
            // A client that ends between requests, or that resets, wants no answer.
            Ok(Input::Ended) if self.client.begun.is_none() => {
                env.recycle(transaction);
                return Step::End(Close::Orderly);
            }
            Ok(Input::Ended) => Some(Reason::RequestIncomplete),
            Err(_) if self.client.begun.is_none() => {
                env.recycle(transaction);
                return Step::End(Close::Orderly);
            }
            Err(_) => Some(Reason::ClientClosed),
        };
        self.begin(&mut transaction, env);
        match ended {
            Some(reason) => self.fail(transaction, reason, env, cx),
            None => self.decide(transaction, env, cx),
        }
    }

    fn begin(&mut self, transaction: &mut Transaction, env: &mut Env) {
        transaction.id = env.next_id();
        self.last_request = transaction.id;
        self.requests = self.requests.saturating_add(1);
        transaction.started = self.client.begun.take().unwrap_or(transaction.started);
        transaction.client_reused = std::mem::replace(&mut self.client.reused, true);
        if let Some(name) = self.client.reported.take() {
            transaction.view(&self.client.who).note_reported(&name);
        }
    }

    /// The response has been sent, or nothing more can be: one record, and on to the next
    /// request or to the end of the connection.
    pub(super) fn complete(
        &mut self,
        transaction: Box<Transaction>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let keep = transaction.persistence == http1::Persistence::Keep && !self.is_leaving(env);
        // A client that has not said that this was its last request may be sending the next one
        // just now: even if nothing of it can be seen yet, it must find the connection open.
        let was_the_last = transaction.understood
            && transaction.request_body.is_done()
            && !transaction.request.wants_persistence();
        env.record_close(&transaction, &self.client.who, cx.now);
        env.recycle(transaction);
        self.idle_since = cx.now;
        if keep {
            self.renew(env, cx);
            self.idle_until = cx.now + self.settings.timeouts.keep_alive;
            self.arm_idle(cx);
            return Step::Again;
        }
        let connection = &cx.sockets[self.client.socket];
        if was_the_last && self.client.inbound.is_empty() && !connection.is_readable()
            || self.is_brief
        {
            return Step::End(Close::Orderly);
        }
        connection.finish_writing();
        cx.timers.arm(&mut self.timer, self.key, cx.now, self.settings.timeouts.linger);
        self.client.inbound.clear(&mut cx.spares);
        self.lingering = Some(LINGER_BYTES);
        Step::Again
    }

    /// For a client that has not begun a request.
    pub(super) fn arm_idle(&mut self, cx: &mut Cx) {
        let until = self.pinned_until().map_or(self.idle_until, |it| it.min(self.idle_until));
        let after = until.saturating_duration_since(cx.now);
        cx.timers.arm(&mut self.timer, self.key, cx.now, after);
    }

    /// Throws away what the client still sends, until it ends, too.
    fn linger(&mut self, cx: &mut Cx) -> Step {
        let read = wire::receive(self.client.socket, &mut self.client.inbound, cx, |input, _| {
            (input.len(), input.len())
        });
        let left = self.lingering.unwrap_or_default();
        match read {
            Ok(Input::Looked(count)) if count < left => {
                self.lingering = Some(left - count);
                Step::Again
            }
            Ok(Input::Blocked) => Step::Wait,
            Ok(Input::Looked(_) | Input::Ended) | Err(_) => Step::End(Close::Orderly),
        }
    }

    /// The timers have an entry for this session.
    pub(super) fn expired(&mut self, due: Due, env: &mut Env, cx: &mut Cx) -> Step {
        if !cx.timers.fires(&mut self.timer, due) {
            return Step::Wait;
        }
        if self.is_delayed() {
            return self.end_delay(env, cx);
        }
        let Some(mut transaction) = self.transaction.take() else {
            if self.client.begun.is_none() {
                if self.lingering.is_some() || self.idle_until <= cx.now {
                    return Step::End(Close::Orderly);
                }
                // It was the time of what is kept for this client.
                self.unpin_if_over(cx);
                self.arm_idle(cx);
                return Step::Wait;
            }
            return self.refuse(Reason::RequestHeadTimeout, env, cx);
        };
        if self.is_throttled(&transaction) {
            return self.resume(transaction, env, cx);
        }
        let reason = match transaction.stage {
            Stage::Deciding | Stage::Delayed(_) => Reason::HandlerFailed,
            Stage::Queued(_) => Reason::UpstreamBusy,
            Stage::Planning => Reason::DnsTimeout,
            Stage::Dialing(_) => {
                let step = self.exchange(transaction, env, cx);
                return self.go_on(step, env, cx);
            }
            // There is nothing to take.
            Stage::Answering if self.awaits_pieces(&transaction) => {
                self.transaction = Some(transaction);
                return Step::Wait;
            }
            Stage::Talking(_) | Stage::Answering => {
                let pace = if self.takes_more(&mut transaction, cx) {
                    let after = self.settings.timeouts.body_idle;
                    Some(self.keep_pace(&mut transaction, after, cx))
                } else {
                    self.look_at_pace(&mut transaction, cx)
                };
                match pace {
                    Some(Ok(())) => {
                        self.transaction = Some(transaction);
                        return self.advance(env, cx);
                    }
                    Some(Err(too_slow)) => too_slow,
                    None if self.client.outbound.is_empty() => transaction.stalled(),
                    None => Reason::ClientWriteTimeout,
                }
            }
        };
        let step = match transaction.stage {
            Stage::Answering => self.end_answer(transaction, reason, env, cx),
            _ => self.fail(transaction, reason, env, cx),
        };
        self.go_on(step, env, cx)
    }

    /// Whether somebody who has not taken what is pending takes some of it now. The system tells of
    /// room only when a third of its buffer is free, 1.4 MB of up to 4 MiB on Linux: a slow reader
    /// may need longer for that than a pause may last, and yet it reads.
    fn takes_more(&mut self, transaction: &mut Transaction, cx: &mut Cx) -> bool {
        let mut takes = |socket, pending: &mut Buffer| {
            if pending.is_empty() {
                return false;
            }
            cx.sockets[socket].try_writing();
            matches!(wire::flush(socket, pending, cx), Ok(Flushed::All | Flushed::Part))
        };
        let client = takes(self.client.socket, &mut self.client.outbound);
        let upstream = match transaction.stage {
            Stage::Talking(socket) => takes(socket, &mut transaction.upstream.outbound),
            _ => false,
        };
        client || upstream
    }

    /// Continues after a step that did not come from [`advance`](Self::advance).
    pub(super) fn go_on(&mut self, step: Step, env: &mut Env, cx: &mut Cx) -> Step {
        match step {
            Step::Again => self.advance(env, cx),
            other => other,
        }
    }

    /// Ends the connection, since somebody who watches the proxy wants that.
    pub(super) fn close_by_operator(&mut self, env: &mut Env, cx: &mut Cx) -> Step {
        match self.is_idle() {
            true => Step::End(Close::Orderly),
            false => self.cut(Reason::ClosedByOperator, env, cx),
        }
    }

    /// Ends the session now, whatever it does.
    pub(super) fn cut(&mut self, reason: Reason, env: &mut Env, cx: &mut Cx) -> Step {
        let mut transaction = self.transaction.take();
        if self.client.begun.is_some() {
            // Half a head is a request, too, if one of which nothing is known.
            let mut half = env.begin(cx.now);
            self.begin(&mut half, env);
            transaction = Some(half);
        }
        if let Some(mut transaction) = transaction {
            transaction.reason = Some(reason);
            transaction.drop_upstream(cx);
            env.record_close(&transaction, &self.client.who, cx.now);
        }
        Step::End(Close::Abruptly)
    }

    /// The code that served this client has panicked: records the request that was under way, of
    /// which no more may be left than its id. Says who the client is.
    pub(super) fn fail_internally(&mut self, env: &mut Env, cx: &mut Cx) -> SocketAddr {
        let is_lost = self.last_request != 0 && !env.has_just_recorded(self.last_request);
        let open = self.transaction.take().or_else(|| {
            is_lost.then(|| {
                let mut unknown = env.begin(cx.now);
                unknown.id = self.last_request;
                unknown
            })
        });
        if let Some(mut transaction) = open {
            transaction.reason = Some(Reason::InternalError);
            env.record_close(&transaction, &self.client.who, cx.now);
        }
        self.client.who.address
    }

    /// Closes the connection. Whatever was under way has been recorded.
    pub(super) fn close(mut self: Box<Self>, how: Close, cx: &mut Cx) {
        debug_assert!(self.transaction.is_none(), "a transaction ends with a record");
        self.unpin(cx);
        self.client.inbound.clear(&mut cx.spares);
        self.client.outbound.clear(&mut cx.spares);
        cx.sockets.close(self.client.socket, how);
    }
}
