//! [`TakenOver`]: a client connection that blocking code speaks with, on the worker pool.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use super::client::Session;
use super::env::{Env, Work};
use super::message::{Asker, Message, Seat};
use super::status::{ConnectionId, ConnectionState, ConnectionStatus, RequestStatus};
use super::transaction::{Stage, Transaction};
use super::{Cx, Step};
use crate::error::Reason;
use crate::handler::TakeOver;
use crate::logger::OwnedRecord;
use crate::runtime::sockets::Close;

/// What the loop keeps of the connection: its seat, and what the log is told at the end.
#[derive(Debug)]
pub(super) struct TakenOver {
    request: u64,
    started: Instant,
    listener: usize,
    requests: u32,
    story: OwnedRecord,
    _seat: Seat,
}

impl Session {
    /// Hands the client's connection to blocking code.
    pub(super) fn hand_over(
        &mut self,
        mut transaction: Box<Transaction>,
        take_over: TakeOver,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        // The connection follows its job only once that has its place in the queue: a client
        // that finds it full is still here to be told.
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let asker = Asker { task: self.key, request: transaction.id };
        let submitted = env.submit(
            Work::Connections,
            move || {
                if let Ok((socket, early)) = receiver.recv() {
                    (take_over.0)(socket, early);
                }
            },
            move |returned| Message::Returned(asker, returned),
        );
        if let Err(reason) = submitted {
            return self.fail(transaction, reason, env, cx);
        }
        let early = Bytes::copy_from_slice(self.client.inbound.as_slice());
        self.client.inbound.clear(&mut cx.spares);
        let socket = cx.sockets.take(self.client.socket).and_then(|stream| stream.into_blocking());
        transaction.stage = Stage::Answering;
        match socket {
            Ok(socket) => {
                // There is room for one, and this is it.
                let _ = sender.send((socket, early));
                Step::TakenOver(transaction)
            }
            Err(error) => {
                log::debug!("request {}: it cannot be taken over: {error}", transaction.id);
                transaction.reason = Some(Reason::ClientClosed);
                env.record_close(&transaction, &self.client.who, cx.now);
                env.recycle(transaction);
                Step::End(Close::Orderly)
            }
        }
    }
}

impl TakenOver {
    pub(super) fn new(
        session: Session,
        mut transaction: Box<Transaction>,
        env: &mut Env,
        cx: &Cx,
    ) -> TakenOver {
        transaction.count_bytes(&env.meter);
        let time = env.time_of_day(transaction.started, cx.now);
        let story = transaction
            .record(&session.client.who, time, transaction.age(cx.now))
            .to_owned_record();
        let taken = TakenOver {
            request: transaction.id,
            started: transaction.started,
            listener: session.client.who.listener,
            requests: session.requests,
            story,
            _seat: session.seat,
        };
        env.recycle(transaction);
        taken
    }

    /// The blocking code is done.
    pub(super) fn returned(
        &self,
        asker: Asker,
        returned: Option<()>,
        env: &mut Env,
        cx: &Cx,
    ) -> Step {
        debug_assert_eq!(asker.request, self.request, "a session is taken over once");
        self.end(returned.is_none().then_some(Reason::HandlerFailed), env, cx)
    }

    /// The time to drain is over. The code runs on, but nobody waits for it.
    pub(super) fn cut(&self, env: &mut Env, cx: &Cx) -> Step {
        self.end(Some(Reason::ShutDown), env, cx)
    }

    /// What it does.
    pub(super) fn status(&self, id: ConnectionId, cx: &Cx) -> ConnectionStatus {
        let record = self.story.as_record();
        ConnectionStatus {
            id,
            client: record.client,
            listener: self.listener,
            state: ConnectionState::TakenOver,
            elapsed: cx.now.saturating_duration_since(self.started),
            requests: self.requests.into(),
            request: Some(RequestStatus::of(&record)),
        }
    }

    /// The code that waits for it has panicked. Says who the client is.
    pub(super) fn fail_internally(&self, env: &mut Env, cx: &Cx) -> SocketAddr {
        self.end(Some(Reason::InternalError), env, cx);
        self.story.as_record().client
    }

    fn end(&self, reason: Option<Reason>, env: &mut Env, cx: &Cx) -> Step {
        let mut record = self.story.as_record();
        record.reason = reason;
        record.duration = cx.now.saturating_duration_since(self.started);
        env.meter.ended_as(&record);
        env.record(&record, cx.now);
        Step::End(Close::Orderly)
    }
}
