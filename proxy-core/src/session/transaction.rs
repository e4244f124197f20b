//! [`Transaction`]: one request and its response, from the first byte to the log line.

mod counting;

use std::time::{Duration, Instant, SystemTime};

use super::Cx;
use super::dial::Dialer;
use super::pace::Pace;
use super::story::Asides;
use super::streamed::Streamed;
use super::throttling::Throttled;
use super::wire::Bulk;
use crate::error::Reason;
use crate::handler::{Action, Client, Exchange, HandlerState};
use crate::http1::{Body, BodyLength, Coding, HeadScanner, Persistence, RequestHead, ResponseHead};
use crate::logger::AccessRecord;
use crate::policy::Guarding;
use crate::runtime::buffer::Buffer;
use crate::runtime::sockets::{Close, SocketId};
use crate::upstream::{Place, Ticket};

/// How far a transaction has come.
#[derive(Debug, Default)]
pub(super) enum Stage {
    /// The handler has not decided yet.
    #[default]
    Deciding,
    /// What was decided is to be done later.
    Delayed(Box<Action>),
    /// The upstream has as many connections as it may have: one of them is waited for.
    Queued(Ticket),
    /// The connector plans on the worker pool.
    Planning,
    /// Connections are being attempted.
    Dialing(Box<Dialer>),
    /// An upstream connection is there: the request goes up, the response comes down.
    Talking(SocketId),
    /// The upstream is done with; the rest of the response is on its way to the client.
    Answering,
}

/// One request and its response. Its memory is used again for the next one.
#[derive(Debug)]
pub(super) struct Transaction {
    /// Given when the request has begun in earnest: see [`Env::next_id`](super::env::Env::next_id).
    pub(super) id: u64,
    pub(super) stage: Stage,
    pub(super) started: Instant,

    pub(super) request: RequestHead,
    /// `request` holds this transaction's request: it was well-formed.
    pub(super) understood: bool,
    pub(super) request_body: Body,

    pub(super) upstream: UpstreamSide,

    pub(super) response: ResponseHead,
    pub(super) response_scanner: HeadScanner,
    pub(super) response_body: Body,
    pub(super) progress: Progress,
    pub(super) interims: u32,
    /// The status the client was told.
    pub(super) status: Option<u16>,
    /// Content bytes of a response that the proxy or a handler made.
    pub(super) answered: u64,
    /// Where more of that response comes from.
    pub(super) streamed: Option<Box<Streamed>>,
    /// Content bytes that were counted already, from the client and to it.
    counted: (u64, u64),
    /// What is to become of the client's connection afterwards.
    pub(super) persistence: Persistence,

    /// How fast the bodies come.
    pub(super) upload: Bulk,
    pub(super) download: Bulk,

    /// Whether it moves fast enough, once somebody is waited for.
    pub(super) pace: Option<Box<Pace>>,
    pub(super) throttled: Throttled,
    pub(super) reason: Option<Reason>,
    /// What has gone wrong, if anybody is to be told.
    pub(super) asides: Option<Box<Asides>>,
    pub(super) client_reused: bool,
    pub(super) first_byte: Option<Duration>,
    /// What the handler keeps with it.
    pub(super) handler: HandlerState,
}

/// How far the response has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Its head is not there yet.
    Awaited,
    /// Its head has been sent on.
    Begun,
    /// All of it has come from the upstream.
    Complete,
}

/// The upstream's side of a transaction.
#[derive(Debug)]
pub(super) struct UpstreamSide {
    /// `host:port`: the upstream, as idle connections are kept by.
    pub(super) key: String,
    /// Whether the guard has a say in where it leads.
    pub(super) guarding: Guarding,
    pub(super) attempts: u32,
    /// Its place among the connections to this upstream, where these are limited.
    pub(super) place: Option<Place>,
    /// The connection was an idle one.
    pub(super) reused: bool,
    /// The connection is this client's alone.
    pub(super) pinned: bool,
    pub(super) address: Option<std::net::SocketAddr>,
    /// When the stage began that is being timed.
    since: Instant,
    /// The phases that the log tells: see [`AccessRecord`].
    wait: Option<Duration>,
    resolve: Option<Duration>,
    connect: Option<Duration>,
    pub(super) head_sent: bool,
    /// It takes no more of the request. It may have answered before.
    pub(super) deaf: bool,
    pub(super) inbound: Buffer,
    pub(super) outbound: Buffer,
}

impl UpstreamSide {
    fn new(since: Instant) -> UpstreamSide {
        UpstreamSide {
            key: String::new(),
            guarding: Guarding::Guarded,
            attempts: 0,
            place: None,
            reused: false,
            pinned: false,
            address: None,
            since,
            wait: None,
            resolve: None,
            connect: None,
            head_sent: false,
            deaf: false,
            inbound: Buffer::default(),
            outbound: Buffer::default(),
        }
    }

    /// For another transaction: with the memory of the key.
    fn renew(&mut self, since: Instant) {
        debug_assert!(self.inbound.is_empty() && self.outbound.is_empty(), "they are given back");
        let key = std::mem::take(&mut self.key);
        *self = UpstreamSide { key, ..UpstreamSide::new(since) };
    }
}

/// A key longer than this gives its memory back after its transaction; heads see to theirs.
const KEPT_KEY: usize = 256;

impl Transaction {
    pub(super) fn new(started: Instant) -> Transaction {
        Transaction {
            id: 0,
            stage: Stage::Deciding,
            started,
            request: RequestHead::new(),
            understood: false,
            request_body: Body::new(BodyLength::None, Coding::AsIs),
            upstream: UpstreamSide::new(started),
            response: ResponseHead::new(),
            response_scanner: HeadScanner::new(),
            response_body: Body::new(BodyLength::None, Coding::AsIs),
            progress: Progress::Awaited,
            interims: 0,
            status: None,
            answered: 0,
            streamed: None,
            counted: (0, 0),
            persistence: Persistence::Close,
            upload: Bulk::default(),
            download: Bulk::default(),
            pace: None,
            throttled: Throttled::default(),
            reason: None,
            asides: None,
            client_reused: false,
            first_byte: None,
            handler: HandlerState::default(),
        }
    }

    /// Makes the memory of an ended transaction ready for another one. Field by field: to make a
    /// new one and move the memory over would copy all of it twice.
    pub(super) fn renew(&mut self, started_now: Instant) {
        let Transaction {
            id,
            stage,
            started,
            request: _,
            understood,
            request_body,
            upstream,
            response: _,
            response_scanner,
            response_body,
            progress,
            interims,
            status,
            answered,
            streamed: _, // an ended one has none
            counted,
            persistence,
            upload,
            download,
            pace,
            throttled: _, // it has been when the last one ended
            reason,
            asides,
            client_reused,
            first_byte,
            handler: _, // an ended one has none
        } = self;
        *id = 0;
        *stage = Stage::Deciding;
        *started = started_now;
        *understood = false;
        *request_body = Body::new(BodyLength::None, Coding::AsIs);
        upstream.renew(started_now);
        response_scanner.reset();
        *response_body = Body::new(BodyLength::None, Coding::AsIs);
        *progress = Progress::Awaited;
        *interims = 0;
        *status = None;
        *answered = 0;
        *counted = (0, 0);
        *persistence = Persistence::Close;
        *upload = Bulk::default();
        *download = Bulk::default();
        *pace = None;
        *reason = None;
        *asides = None;
        *client_reused = false;
        *first_byte = None;
    }

    /// Gives back the memory that unusually large heads and names have needed.
    pub(super) fn shrink(&mut self) {
        self.request.shrink();
        self.response.shrink();
        if self.upstream.key.capacity() > KEPT_KEY {
            self.upstream.key = String::new();
        }
    }

    /// What a handler gets to see.
    pub(super) fn view<'a>(&'a mut self, client: &'a Client) -> Exchange<'a> {
        let response = (self.progress != Progress::Awaited).then_some(&self.response);
        Exchange::new(self.id, client, &self.request, response, &mut self.handler)
    }

    /// An upstream is looked for from now on.
    pub(super) fn begin_search(&mut self, now: Instant) {
        self.upstream.wait.get_or_insert(now.saturating_duration_since(self.started));
        self.upstream.since = now;
    }

    /// The connector has planned, the dialing is over, or whatever the stage was about: notes
    /// how long it took.
    pub(super) fn end_stage(&mut self, now: Instant) {
        let upstream = &mut self.upstream;
        let phase = match self.stage {
            Stage::Queued(_) => &mut upstream.wait,
            Stage::Planning => &mut upstream.resolve,
            Stage::Dialing(_) => &mut upstream.connect,
            Stage::Deciding | Stage::Delayed(_) | Stage::Talking(_) | Stage::Answering => return,
        };
        *phase.get_or_insert_default() += now.saturating_duration_since(upstream.since);
        upstream.since = now;
    }

    /// What the log is told, if it has begun at `time` and has taken so long.
    pub(super) fn record(
        &self,
        who: &Client,
        time: SystemTime,
        duration: Duration,
    ) -> AccessRecord<'_> {
        let mut record = AccessRecord::new(who.address);
        record.id = self.id;
        record.time = time;
        if self.understood {
            let request = &self.request;
            record.method = request.method();
            record.target = request.target();
            record.host = request.host();
            record.version = Some(request.version());
            record.referer = request.field("referer");
            record.user_agent = request.field("user-agent");
        }
        record.status = self.status;
        record.reason = self.reason;
        record.bytes_in = self.request_body.payload();
        record.bytes_out = self.bytes_out();
        record.duration = duration;
        record.upstream = self.upstream.address;
        record.client_reused = self.client_reused;
        record.upstream_reused = self.upstream.reused;
        record.attempts = self.upstream.attempts;
        record.wait = self.upstream.wait;
        record.resolve = self.upstream.resolve;
        record.connect = self.upstream.connect;
        record.first_byte = self.first_byte;
        record.rule = self.handler.rule().map(|rule| &**rule);
        record.reported = self.handler.reported();
        record.user = self.handler.user().map(|user| &*user.name);
        record
    }

    /// Lets go of the upstream, whatever the stage, and throws away what was for it.
    pub(super) fn drop_upstream(&mut self, cx: &mut Cx) {
        self.end_stage(cx.now);
        match std::mem::replace(&mut self.stage, Stage::Answering) {
            Stage::Talking(socket) => cx.sockets.close(socket, Close::Abruptly),
            Stage::Dialing(dialer) => dialer.cancel(cx),
            Stage::Deciding
            | Stage::Delayed(_)
            | Stage::Queued(_)
            | Stage::Planning
            | Stage::Answering => {}
        }
        self.upstream.place = None;
        self.pace = None;
        self.upstream.inbound.clear(&mut cx.spares);
        self.upstream.outbound.clear(&mut cx.spares);
    }

    /// Why nothing has moved for too long while the upstream was connected and the client took
    /// all there was for it.
    pub(super) fn stalled(&self) -> Reason {
        match self.progress {
            Progress::Begun | Progress::Complete => Reason::ResponseBodyTimeout,
            Progress::Awaited if !self.upstream.outbound.is_empty() => Reason::UpstreamWriteTimeout,
            Progress::Awaited if self.request_body.is_done() || self.waits_to_be_told() => {
                Reason::ResponseHeadTimeout
            }
            Progress::Awaited => Reason::RequestBodyTimeout,
        }
    }

    /// Whether the client waits to be told to go on (RFC 9110 §10.1.1): then it is not to blame
    /// that nothing of its request comes.
    pub(super) fn waits_to_be_told(&self) -> bool {
        self.request.expects_continue() && self.request_body.payload() == 0 && self.interims == 0
    }

    /// Whether the request has left, whole.
    #[inline]
    pub(super) fn has_left(&self) -> bool {
        self.upstream.head_sent && self.request_body.is_done() && self.upstream.outbound.is_empty()
    }

    /// Whether the request has left, and nothing has come of the response.
    #[inline]
    pub(super) fn awaits_answer(&self, upstream: SocketId, cx: &Cx) -> bool {
        self.progress == Progress::Awaited && self.has_left() && !cx.sockets[upstream].is_readable()
    }

    /// Whether nothing of it can move until somebody has decided, connected or answered.
    pub(super) fn waits(&self) -> bool {
        match self.stage {
            Stage::Deciding
            | Stage::Delayed(_)
            | Stage::Queued(_)
            | Stage::Planning
            | Stage::Dialing(_) => true,
            Stage::Talking(_) => self.progress == Progress::Awaited && self.request_body.is_done(),
            Stage::Answering => false,
        }
    }

    /// Content bytes the client was sent.
    pub(super) fn bytes_out(&self) -> u64 {
        self.response_body.payload() + self.answered
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::Session;
    use super::*;

    /// Thousands may wait for slow upstreams: with the session, a transaction fits in 1 KiB, but for
    /// the heads.
    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_request_that_waits_needs_little_memory() {
        let session = size_of::<Session>();
        let transaction = size_of::<Transaction>();
        assert!(session + transaction <= 1024, "{session} and {transaction}");
    }
}
