//! [`Env`]: what all sessions of a loop share.

use std::any::Any;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::clock::Clock;
use super::message::{Drain, Message};
use super::settings::{Newest, Settings};
use super::transaction::Transaction;
use super::{Cx, Owner, story};
use crate::error::Reason;
use crate::handler::Client;
use crate::limits::Limits;
use crate::logger::{AccessRecord, LogSender};
use crate::metrics::Meter;
use crate::policy::Offence;
use crate::policy::throttle::Moment;
use crate::runtime::calls::Calls;
use crate::runtime::mailbox::Outlet;
use crate::runtime::sockets::Close;
use crate::runtime::{Lane, WorkerPool};
use crate::upstream::{Called, Idle, IdleUpstreams, Next, Place, Places, share};

/// The kinds of work that the worker pool does for sessions. Each has a lane of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Resolving names, and whatever else a connector does.
    Names,
    /// Deferred decisions.
    Decisions,
    /// Blocking code that speaks with clients.
    Connections,
}

impl Work {
    /// All of them, in the order of [`Lanes`].
    pub(crate) const ALL: [(Work, &str); 3] = [
        (Work::Names, "names"),
        (Work::Decisions, "decisions"),
        (Work::Connections, "connections"),
    ];
}

/// The worker pool, and its lane for each kind of work.
#[derive(Clone)]
pub(crate) struct Lanes {
    pub(crate) pool: Arc<WorkerPool>,
    pub(crate) lanes: [Lane; Work::ALL.len()],
}

/// What all sessions of a loop share.
pub(crate) struct Env {
    /// What begins now is served by them.
    pub(super) newest: Rc<Settings>,
    /// Where those are found that a reload brings.
    source: Arc<Newest>,
    pub(super) idle: IdleUpstreams,
    /// `None` where there may be any number of connections to an upstream.
    pub(super) places: Option<Places>,
    /// Connections that have become idle, for those who wait for them.
    handed_over: Vec<(Called, Idle)>,
    pub(super) log: LogSender,
    /// How other threads call sessions.
    pub(super) calls: Arc<Calls>,
    pub(super) meter: Meter,
    /// Where outgoing heads are written.
    pub(super) out: Vec<u8>,
    pub(super) draining: Option<Drain>,
    lanes: Lanes,
    /// Where results of jobs come back. It has room for [`Limits::lane_queue`] of each kind of
    /// work, and no more of it than that is ever under way: a result always finds its place.
    results: Outlet<Message>,
    under_way: [usize; Work::ALL.len()],
    /// Boxed as their sessions have them: they are handed over as they are.
    #[allow(clippy::vec_box)]
    spare: Vec<Box<Transaction>>,
    /// The request that was recorded last; 0 is no request's id.
    last_recorded: u64,
    next_id: u64,
    /// This loop's number, and how many there are.
    among: (usize, usize),
    pub(super) clock: Clock,
    /// When the first record came that is not on its way to the logger yet.
    unsent_since: Option<Instant>,
}

/// What a request that waits for its upstream gets.
#[derive(Debug)]
pub(super) enum Granted {
    /// A connection that was used before it.
    Connection(Idle),
    /// The right to make a new one.
    Place(Place),
}

/// How many ended transactions are kept for their memory.
const SPARE_TRANSACTIONS: usize = 64;

/// How much memory for outgoing heads is kept.
const KEPT_OUT: usize = 64 * 1024;

impl Env {
    /// `among`: this loop's number, and how many there are.
    pub(crate) fn new(
        source: Arc<Newest>,
        lanes: Lanes,
        (results, calls): (Outlet<Message>, Arc<Calls>),
        log: LogSender,
        among: (usize, usize),
    ) -> Env {
        let newest = Rc::new(Settings::clone(&source.get()));
        let mut env = Env {
            idle: idle_upstreams(&newest.limits),
            newest,
            source,
            places: None,
            handed_over: Vec::new(),
            log,
            calls,
            meter: Meter::new(None),
            out: Vec::new(),
            draining: None,
            lanes,
            results,
            under_way: [0; Work::ALL.len()],
            spare: Vec::new(),
            last_recorded: 0,
            next_id: among.0 as u64 + 1,
            among,
            clock: Clock::new(Instant::now()),
            unsent_since: None,
        };
        env.limit_places();
        env
    }

    /// Has what happens counted.
    pub(crate) fn counting(mut self, meter: Meter) -> Env {
        self.meter = meter;
        self
    }

    /// What begins from now on is served by the newest settings. Connections to upstreams do not
    /// outlive the settings under which they were made: the guard, or the connector, may now see
    /// them with other eyes.
    pub(super) fn renew(&mut self, cx: &mut Cx) {
        let newest = Rc::new(Settings::clone(&self.source.get()));
        discard(std::mem::replace(&mut self.newest, newest));
        self.close_idle(cx);
        self.idle = idle_upstreams(&self.newest.limits);
        self.limit_places();
    }

    /// Closes all connections that wait for use.
    pub(super) fn close_idle(&mut self, cx: &mut Cx) {
        self.idle.sweep(cx.now, true, |socket| cx.sockets.close(socket, Close::Orderly));
    }

    fn limit_places(&mut self) {
        let limits = &self.newest.limits;
        let mine = |limit| match limit {
            usize::MAX => usize::MAX,
            limit => share(limit, self.among.0, self.among.1),
        };
        let (most, most_waiting) =
            (mine(limits.connections_per_upstream), mine(limits.waiting_per_upstream));
        match &self.places {
            // Also without a limit: whoever waits still has to get his.
            Some(places) => places.limit(most, most_waiting),
            None if most == usize::MAX => {}
            None => self.places = Some(Places::new(most, most_waiting)),
        }
    }

    /// A transaction, with memory of an ended one where there is some.
    pub(super) fn begin(&mut self, now: Instant) -> Box<Transaction> {
        match self.spare.pop() {
            Some(mut transaction) => {
                transaction.renew(now);
                transaction
            }
            None => Box::new(Transaction::new(now)),
        }
    }

    /// Keeps a connection to `key` that has become idle: for whoever waits for one, or for a
    /// while. Where neither can be, hands it back.
    pub(super) fn keep_idle(
        &mut self,
        key: &str,
        idle: Idle,
        keep: Duration,
        cx: &mut Cx,
    ) -> Result<(), Idle> {
        let socket = idle.socket;
        match idle.place.as_ref().map_or(Next::Nobody, Place::next) {
            Next::NeedsAnother => return Err(idle),
            Next::Takes(called) => {
                cx.sockets[socket].owner = Owner::Task(called.task);
                self.handed_over.push((called, idle));
            }
            Next::Nobody => {
                let id = self.idle.put(key, idle, cx.now, keep)?;
                cx.sockets[socket].owner = Owner::Idle(id);
            }
        }
        Ok(())
    }

    /// Something that somebody has waited for, and who it is. To be asked until there is nothing.
    pub(super) fn granted(&mut self) -> Option<(Called, Granted)> {
        if let Some((called, idle)) = self.handed_over.pop() {
            return Some((called, Granted::Connection(idle)));
        }
        let (called, place) = self.places.as_ref()?.grant()?;
        Some((called, Granted::Place(place)))
    }

    /// Gives memory back that an unusually long answer has cost.
    pub(super) fn give_back_out(&mut self) {
        if self.out.capacity() > KEPT_OUT {
            self.out = Vec::new();
        }
    }

    /// Which of the loops this is.
    pub(super) fn number(&self) -> usize {
        self.among.0
    }

    /// An id that no other request of this proxy has.
    pub(super) fn next_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += self.among.1 as u64;
        id
    }

    /// Keeps the memory of an ended transaction. What a handler kept with it ends now.
    pub(super) fn recycle(&mut self, mut transaction: Box<Transaction>) {
        debug_assert!(transaction.upstream.place.is_none(), "a place goes with its connection");
        if let Some(kept) = transaction.handler.end() {
            discard(kept);
        }
        if let Some(streamed) = transaction.streamed.take() {
            discard(streamed);
        }
        // Whoever waits for its places waits no longer.
        transaction.throttled.renew();
        transaction.shrink();
        if self.spare.len() < SPARE_TRANSACTIONS {
            self.spare.push(transaction);
        }
    }

    /// Has `job` run on the worker pool. Exactly one message comes back: `reply` of what the
    /// job returned, or of `None` if it panicked or was never run.
    pub(super) fn submit<T: Send + 'static>(
        &mut self,
        work: Work,
        job: impl FnOnce() -> T + Send + 'static,
        reply: impl FnOnce(Option<T>) -> Message + Send + 'static,
    ) -> Result<(), Reason> {
        let job = move |pending: Pending<T, _>| {
            pending.send(guarded("a job on the worker pool", job));
        };
        self.submit_replying(work, job, reply)
    }

    /// The same for a job that replies itself, and may keep what it replies with for later.
    pub(super) fn submit_replying<T: 'static, F>(
        &mut self,
        work: Work,
        job: impl FnOnce(Pending<T, F>) + Send + 'static,
        reply: F,
    ) -> Result<(), Reason>
    where
        F: FnOnce(Option<T>) -> Message + Send + 'static,
    {
        if self.under_way[work as usize] >= self.newest.limits.lane_queue {
            return Err(Reason::WorkersBusy);
        }
        let pending =
            Pending { outlet: self.results.clone(), reply: Some(reply), result: PhantomData };
        // A job that is refused replies too, when it is dropped: each submission counts.
        self.under_way[work as usize] += 1;
        let lane = self.lanes.lanes[work as usize];
        self.lanes.pool.submit(lane, move || job(pending)).map_err(|_| Reason::WorkersBusy)
    }

    /// Jobs whose reply has not come yet.
    pub(super) fn jobs(&self) -> usize {
        self.under_way.iter().sum()
    }

    /// A reply has come.
    pub(super) fn reply_taken(&mut self, work: Work) {
        self.under_way[work as usize] -= 1;
    }

    /// Logs and counts that a transaction is over.
    pub(super) fn record_close(&mut self, transaction: &Transaction, who: &Client, now: Instant) {
        self.last_recorded = transaction.id;
        let duration = transaction.age(now);
        transaction.count_end(&self.meter, duration);
        if let Some(reason) = transaction.reason {
            story::tell(transaction, who, now);
            if let Some(offence) = Offence::of(reason) {
                self.newest.bans.note(who.address.ip(), offence, now);
            }
        }
        if transaction.throttled.has_credit() {
            let moment = Moment { now, today: self.time_of_day(now, now) };
            transaction.give_back(&self.newest.throttles, who, moment);
        }
        if self.log.is_off() {
            return;
        }
        let time = self.time_of_day(transaction.started, now);
        self.record(&transaction.record(who, time, duration), now);
    }

    /// Whether this request is the last one that was recorded.
    pub(super) fn has_just_recorded(&self, id: u64) -> bool {
        self.last_recorded == id
    }

    pub(super) fn record(&mut self, record: &AccessRecord<'_>, now: Instant) {
        if self.log.is_off() {
            return;
        }
        self.log.push(record);
        self.meter.recorded();
        self.unsent_since.get_or_insert(now);
    }

    /// Hands records to the logger, if there are `batch` of them or the first has waited for
    /// `delay`. Says when to call again.
    pub(super) fn flush_log(
        &mut self,
        now: Instant,
        batch: usize,
        delay: Duration,
    ) -> Option<Duration> {
        let since = self.unsent_since?;
        let waited = now.saturating_duration_since(since);
        if waited < delay && self.log.pending() < batch {
            return Some(delay - waited);
        }
        self.log.flush();
        self.unsent_since = (self.log.pending() > 0).then_some(now);
        self.unsent_since.map(|_| delay)
    }

    /// The time of day at `instant`.
    pub(super) fn time_of_day(&mut self, instant: Instant, now: Instant) -> SystemTime {
        self.clock.time_of_day(instant, now)
    }
}

fn idle_upstreams(limits: &Limits) -> IdleUpstreams {
    IdleUpstreams::new(limits.idle_upstreams, limits.idle_per_upstream)
}

/// A reply that is sent in any case, if only to say that there is no result.
pub(super) struct Pending<T, F: FnOnce(Option<T>) -> Message> {
    outlet: Outlet<Message>,
    reply: Option<F>,
    result: PhantomData<fn(T)>,
}

impl<T, F: FnOnce(Option<T>) -> Message> Pending<T, F> {
    pub(super) fn send(mut self, result: Option<T>) {
        self.reply(result);
    }

    fn reply(&mut self, result: Option<T>) {
        if let Some(reply) = self.reply.take() {
            // Its place was kept; it fails only where the loop has ended.
            drop(self.outlet.send(reply(result)));
        }
    }
}

impl<T, F: FnOnce(Option<T>) -> Message> Drop for Pending<T, F> {
    fn drop(&mut self) {
        self.reply(None);
    }
}

/// Runs a method of the embedder's. A panic is logged, and `None`.
pub(super) fn guarded<R>(what: &str, method: impl FnOnce() -> R) -> Option<R> {
    let returned = catch_unwind(AssertUnwindSafe(method));
    returned.map_err(|panic| told(panic, what, "the exchange ends with an error")).ok()
}

/// Drops what belongs to the embedder, in whole or in part, and is not needed any more. A panic is
/// logged, and costs nobody anything.
pub(super) fn discard<T>(value: T) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        told(panic, "dropping what a handler or connector has left", "nothing else is lost");
    }
}

/// Logs a panic of the embedder's code.
fn told(panic: Box<dyn Any + Send>, what: &str, consequence: &str) {
    // Not dropped: any type can be thrown, also one that panics when it is.
    std::mem::forget(panic);
    log::error!("{what} panicked; {consequence}");
}
