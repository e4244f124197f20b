//! From a route to a connection: an idle one, or one that is planned and dialed.

use std::error::Error;
use std::time::Duration;

use super::client::Session;
use super::destination::{is_own, permitted};
use super::dial::{Dialed, Dialer};
use super::env::{Env, Work, guarded};
use super::message::{Asker, Message};
use super::story::Asides;
use super::transaction::{Stage, Transaction, UpstreamSide};
use super::{Cx, Owner, Step};
use crate::error::Reason;
use crate::http1::{BodyLength, TargetForm};
use crate::metrics::Way;
use crate::net::Stream;
use crate::policy::Guarding;
use crate::runtime::sockets::{Close, SocketId};
use crate::upstream::{ConnectError, Destination, Dial, Dialing, Idle, PlanReply, Retry};

/// How long an idle connection counts as just used: so young, it is good enough for a request
/// that cannot be sent twice. Servers close idle connections after seconds.
const JUST_USED: Duration = Duration::from_secs(1);

/// How often a request may be sent off: once more than once.
const ATTEMPTS: u32 = 2;

impl Session {
    /// Finds a connection to the transaction's upstream.
    pub(super) fn connect(
        &mut self,
        mut transaction: Box<Transaction>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        transaction.begin_search(cx.now);
        transaction.upstream.attempts += 1;
        transaction.upstream.address = None;
        if let Some(idle) = self.take_pinned(&transaction, cx) {
            transaction.upstream.pinned = true;
            return self.reuse(transaction, idle, env, cx);
        }
        // An older connection than the settings is not there; a newer one may lead elsewhere.
        if transaction.takes_used() && self.is_current(env) {
            let freshness = if transaction.is_repeatable() { Duration::MAX } else { JUST_USED };
            let UpstreamSide { key, guarding, .. } = &transaction.upstream;
            while let Some(idle) = env.idle.take(key, *guarding, cx.now, freshness) {
                if transaction.can_use(idle.socket, cx) {
                    return self.reuse(transaction, idle, env, cx);
                }
                cx.sockets.close(idle.socket, Close::Orderly);
            }
        }
        let upstream = &mut transaction.upstream;
        upstream.reused = false;
        upstream.pinned = false;
        if env.places.is_some() && upstream.place.is_none() {
            return self.find_place(transaction, env, cx);
        }
        self.seek(transaction, env, cx)
    }

    /// Goes on with a connection that was used before.
    pub(super) fn reuse(
        &mut self,
        mut transaction: Box<Transaction>,
        idle: Idle,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let Idle { socket, guarding: _, place } = idle;
        transaction.upstream.reused = true;
        transaction.upstream.place = place;
        cx.sockets[socket].owner = Owner::Task(self.key);
        self.connected(transaction, socket, env, cx)
    }

    /// Makes a new connection: asks the connector.
    pub(super) fn seek(
        &mut self,
        transaction: Box<Transaction>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let upstream = &transaction.upstream;
        let destination = Destination::new(&upstream.key, upstream.attempts);
        let connector = &self.settings.connector;
        match guarded("UpstreamConnector::fast", || connector.fast(&destination)) {
            Some(Some(planned)) => self.follow(transaction, planned, env, cx),
            Some(None) => self.plan(transaction, env, cx),
            None => self.fail(transaction, Reason::ConnectorFailed, env, cx),
        }
    }

    /// Asks the connector on the worker pool.
    fn plan(&mut self, mut transaction: Box<Transaction>, env: &mut Env, cx: &mut Cx) -> Step {
        let connector = self.settings.connector.clone();
        let (authority, attempt) =
            (transaction.upstream.key.clone(), transaction.upstream.attempts);
        let asker = Asker { task: self.key, request: transaction.id };
        let submitted = env.submit_replying(
            Work::Names,
            move |pending| {
                let reply = PlanReply::new(move |planned| pending.send(Some(planned)));
                guarded("UpstreamConnector::plan", || {
                    connector.plan_for(&Destination::new(&authority, attempt), reply);
                });
            },
            move |planned| Message::Planned(asker, planned),
        );
        match submitted {
            Ok(()) => {
                transaction.stage = Stage::Planning;
                cx.timers.arm(&mut self.timer, self.key, cx.now, self.settings.timeouts.resolve);
                self.transaction = Some(transaction);
                Step::Wait
            }
            Err(reason) => self.fail(transaction, reason, env, cx),
        }
    }

    /// The connector has planned.
    pub(super) fn planned(
        &mut self,
        asker: Asker,
        planned: Option<Result<Dialing, ConnectError>>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let mut transaction = match self.transaction.take() {
            Some(transaction)
                if transaction.id == asker.request
                    && matches!(transaction.stage, Stage::Planning) =>
            {
                transaction
            }
            // The client's wait was over before.
            other => {
                self.transaction = other;
                return Step::Wait;
            }
        };
        transaction.end_stage(cx.now);
        let step = match planned {
            Some(planned) => self.follow(transaction, planned, env, cx),
            None => self.fail(transaction, Reason::ConnectorFailed, env, cx),
        };
        self.go_on(step, env, cx)
    }

    /// Does as the connector has planned.
    fn follow(
        &mut self,
        mut transaction: Box<Transaction>,
        planned: Result<Dialing, ConnectError>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let error = match planned {
            Ok(dialing) => return self.dial(transaction, dialing, env, cx),
            Err(error) => error,
        };
        Asides::note(&mut transaction.asides, || match error.source() {
            Some(source) => format!("there is no way: {error}: {source}"),
            None => format!("there is no way: {error}"),
        });
        match error.retry() {
            Retry::Same if transaction.upstream.attempts < ATTEMPTS => {
                self.connect(transaction, env, cx)
            }
            _ => self.fail(transaction, error.reason(), env, cx),
        }
    }

    /// Begins to connect as planned.
    fn dial(
        &mut self,
        mut transaction: Box<Transaction>,
        dialing: Dialing,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let guarding = match &dialing.vouched {
            None => transaction.upstream.guarding,
            Some(vouched) => {
                log::debug!(
                    "request {}: the connector vouches for the way to {}: {}",
                    transaction.id,
                    transaction.upstream.key,
                    vouched.reason()
                );
                Guarding::Vouched
            }
        };
        let addresses = match dialing.dial {
            Dial::Addresses(addresses) => addresses,
            Dial::Connected(socket) => {
                let added = Stream::adopt(socket)
                    .and_then(|stream| cx.sockets.insert(stream, Owner::Task(self.key)));
                return match added {
                    Ok(socket) => {
                        cx.sockets[socket].learn_peer();
                        let peer = cx.sockets[socket].peer();
                        if peer.is_some_and(|peer| is_own(peer, &self.settings.own_addresses)) {
                            cx.sockets.close(socket, Close::Orderly);
                            return self.fail(transaction, Reason::LoopDetected, env, cx);
                        }
                        self.connected(transaction, socket, env, cx)
                    }
                    Err(error) => {
                        Asides::note(&mut transaction.asides, || {
                            format!("the connector's socket is of no use: {error}")
                        });
                        self.fail(transaction, Reason::ConnectFailed, env, cx)
                    }
                };
            }
        };
        match permitted(&mut transaction.asides, addresses, guarding, &self.settings) {
            Ok(addresses) => {
                let dialer = Dialer::new(addresses, &self.settings.timeouts, cx.now);
                transaction.stage = Stage::Dialing(Box::new(dialer));
                self.keep_dialing(transaction, env, cx)
            }
            Err(reason) => self.fail(transaction, reason, env, cx),
        }
    }

    /// Looks what has become of the connection attempts.
    pub(super) fn keep_dialing(
        &mut self,
        mut transaction: Box<Transaction>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let Stage::Dialing(dialer) = &mut transaction.stage else {
            unreachable!("called in this stage only");
        };
        match dialer.step(Owner::Task(self.key), cx) {
            Dialed::Connected(socket) => self.connected(transaction, socket, env, cx),
            Dialed::Pending(until) => {
                let after = until.saturating_duration_since(cx.now);
                cx.timers.arm(&mut self.timer, self.key, cx.now, after);
                self.transaction = Some(transaction);
                Step::Wait
            }
            Dialed::Failed(reason) => self.fail(transaction, reason, env, cx),
        }
    }

    /// There is a connection to the upstream: on to the exchange, or to the tunnel.
    fn connected(
        &mut self,
        mut transaction: Box<Transaction>,
        socket: SocketId,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        transaction.end_stage(cx.now);
        let upstream = &mut transaction.upstream;
        env.meter.connected(if upstream.reused { Way::Reused } else { Way::Opened });
        upstream.address = cx.sockets[socket].peer();
        upstream.head_sent = false;
        transaction.stage = Stage::Talking(socket);
        if transaction.request.form() != TargetForm::Authority {
            self.transaction = Some(transaction);
            return Step::Again;
        }
        // RFC 9110 §9.3.6: a 2xx without Content-Length or Transfer-Encoding, and from its
        // empty line on the connection is a tunnel.
        env.out.clear();
        env.out.extend_from_slice(b"HTTP/1.1 200 Connection established\r\n\r\n");
        transaction.status = Some(200);
        match super::wire::send(
            self.client.socket,
            &mut self.client.outbound,
            &mut env.out,
            &[],
            cx,
        ) {
            Ok(()) => Step::Tunnel(transaction),
            Err(_) => self.fail(transaction, Reason::ClientClosed, env, cx),
        }
    }

    /// The upstream connection was lost before a byte of a response had come. A request that
    /// can be repeated and went out on an idle connection is sent once more, on a fresh one:
    /// the connection had been closed before it got there (RFC 9110 §9.2.2, RFC 9112 §9.3.1).
    pub(super) fn lost(
        &mut self,
        mut transaction: Box<Transaction>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let upstream = &transaction.upstream;
        if !transaction.is_repeatable() || !upstream.reused || upstream.attempts >= ATTEMPTS {
            return self.fail(transaction, Reason::UpstreamClosed, env, cx);
        }
        // Its place is that of the next attempt.
        let place = transaction.upstream.place.take();
        transaction.drop_upstream(cx);
        transaction.upstream.place = place;
        transaction.upstream.deaf = false;
        self.connect(transaction, env, cx)
    }
}

impl Transaction {
    /// Whether a connection will do that was used before. A tunnel needs one of its own; and a
    /// second attempt is for the case that an idle connection had gone stale: never another one.
    pub(super) fn takes_used(&self) -> bool {
        self.upstream.attempts == 1 && self.request.form() != TargetForm::Authority
    }

    /// Whether the request can go out on this connection, which was used before. Bytes that nobody
    /// has asked for must not become an answer. What cannot be repeated is worth a look, too, at
    /// whether the upstream has closed it since we last heard of it.
    pub(super) fn can_use(&self, socket: SocketId, cx: &mut Cx) -> bool {
        let connection = &mut cx.sockets[socket];
        !connection.is_readable() && (self.is_repeatable() || connection.is_quiet())
    }

    /// Whether the request may be sent twice (RFC 9110 §9.2.2), and can: the bytes of a body
    /// are not kept.
    pub(super) fn is_repeatable(&self) -> bool {
        self.request.is_idempotent()
            && matches!(self.request.body_length(), BodyLength::None | BodyLength::Exact(0))
    }
}
