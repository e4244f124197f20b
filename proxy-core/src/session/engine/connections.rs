//! The connections of a loop, told to whoever asks, and closed when somebody wants that.

use crossbeam_channel::Sender;

use super::super::client::Session;
use super::super::status::{ConnectionId, ConnectionState, ConnectionStatus, RequestStatus};
use super::super::transaction::{Progress, Stage, Transaction};
use super::super::{Cx, Step, TaskKey};
use super::{Engine, Entry, Task};
use crate::error::Reason;

/// A question for a part of the connections that a loop has.
pub(crate) struct Listing {
    /// Where to begin: 0, or where the last answer has ended.
    pub(crate) from: usize,
    /// How many are wanted.
    pub(crate) most: usize,
    pub(crate) answer: Sender<Listed>,
}

/// A part of the connections that a loop has.
pub(crate) struct Listed {
    /// The number of the loop.
    pub(crate) number: usize,
    /// How many it has in all.
    pub(crate) open: usize,
    pub(crate) connections: Vec<ConnectionStatus>,
    /// Where the next part begins.
    pub(crate) next: Option<usize>,
    /// For the next question.
    pub(crate) answer: Sender<Listed>,
}

/// So many places are looked at before others have their turn: telling of one costs about a
/// microsecond.
const PART: usize = 256;

impl Engine {
    /// Tells a part of the connections.
    pub(super) fn list(&self, cx: &Cx, listing: Listing) {
        let Listing { from, most, answer } = listing;
        let places = self.tasks.capacity();
        let mut next = from;
        let mut connections = Vec::new();
        while next < places && next - from < PART && connections.len() < most {
            if let Some(entry) = self.tasks.get(next) {
                connections.push(self.status(next, entry, cx));
            }
            next += 1;
        }
        let listed = Listed {
            number: self.env.number(),
            open: self.tasks.len(),
            connections,
            next: (next < places).then_some(next),
            answer: answer.clone(),
        };
        // Whoever has asked may have gone.
        drop(answer.try_send(listed));
    }

    /// Closes a connection, whatever it does. Whether it was there, and is not any more.
    pub(super) fn close_by_operator(&mut self, cx: &mut Cx, key: TaskKey) -> bool {
        if self.entry(key).is_none() {
            return false;
        }
        self.run(key, cx, |task, env, cx| match task {
            Task::Session(session) => session.close_by_operator(env, cx),
            Task::Tunnel(tunnel) => tunnel.cut(Reason::ClosedByOperator, env, cx),
            // It is with code that nobody can interrupt.
            Task::TakenOver(_) => Step::Wait,
        });
        self.entry(key).is_none()
    }

    fn status(&self, index: usize, entry: &Entry, cx: &Cx) -> ConnectionStatus {
        let key = index as TaskKey | TaskKey::from(entry.generation) << 32;
        let id = ConnectionId { number: self.env.number(), key };
        match &entry.task {
            Task::Session(session) => session.status(id, cx),
            Task::Tunnel(tunnel) => tunnel.status(id, cx),
            Task::TakenOver(taken) => taken.status(id, cx),
        }
    }
}

impl Session {
    fn status(&self, id: ConnectionId, cx: &Cx) -> ConnectionStatus {
        let who = &self.client.who;
        let (state, since) = match (&self.transaction, self.client.begun()) {
            (Some(transaction), _) => (transaction.state(), transaction.started),
            (None, Some(begun)) => (ConnectionState::Reading, begun),
            (None, None) if self.is_under_way() => (ConnectionState::Leaving, self.idle_since),
            (None, None) => (ConnectionState::Idle, self.idle_since),
        };
        ConnectionStatus {
            id,
            client: who.address,
            listener: who.listener,
            state,
            elapsed: cx.now.saturating_duration_since(since),
            requests: self.requests.into(),
            request: self.transaction.as_ref().map(|transaction| {
                // When it began by the clock is not told.
                let time = std::time::SystemTime::UNIX_EPOCH;
                RequestStatus::of(&transaction.record(who, time, transaction.age(cx.now)))
            }),
        }
    }
}

impl Transaction {
    fn state(&self) -> ConnectionState {
        match &self.stage {
            Stage::Deciding => ConnectionState::Deciding,
            Stage::Delayed(_) => ConnectionState::Delayed,
            Stage::Queued(_) => ConnectionState::Queued,
            Stage::Planning => ConnectionState::Resolving,
            Stage::Dialing(_) => ConnectionState::Connecting,
            Stage::Talking(_) if self.progress != Progress::Awaited => ConnectionState::Relaying,
            Stage::Talking(_) if self.request_body.is_done() => ConnectionState::Waiting,
            Stage::Talking(_) => ConnectionState::Sending,
            Stage::Answering if self.streamed.is_some() => ConnectionState::Streaming,
            Stage::Answering => ConnectionState::Answering,
        }
    }
}
