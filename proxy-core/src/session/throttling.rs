//! What throttles have to say in a session: whether a request is carried out, and when more of a body
//! is read.
//!
//! Nothing is asked where no throttle counts. Where bytes may not be read yet, that direction waits
//! on the session's timer and looks at nothing until then: the system's buffers fill, and hold up
//! whoever sends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::client::Session;
use super::env::Env;
use super::transaction::{Stage, Transaction};
use super::{Cx, Step};
use crate::error::Reason;
use crate::handler::{Action, Client, HandlerState};
use crate::http1::RequestHead;
use crate::policy::throttle::{Asking, Flow, Held, Leave, Moment, Over, Throttles};

/// What throttles have to do with a transaction: nothing, most often, and so there is no room for it
/// in the transaction itself.
#[derive(Debug, Default)]
pub(super) struct Throttled {
    /// Something of the account is not as it was at first.
    is_used: bool,
    /// Kept for the transaction that gets the memory of this one.
    account: Option<Box<Account>>,
}

/// What throttles know of a transaction.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// The request has been counted.
    is_admitted: bool,
    /// The rule by which it was. Others may have their say about the response, and bytes go on to be
    /// counted for this one.
    pub(super) rule: Option<Arc<str>>,
    /// Seconds after which the client may ask again, where it is told so.
    retry_after: Option<u64>,
    /// The places it has among those there may be at once.
    pub(super) held: Vec<Held>,
    pub(super) up: Brake,
    pub(super) down: Brake,
}

/// What holds one direction up.
#[derive(Debug, Default)]
pub(super) struct Brake {
    /// Bytes that were waited for, and may be read.
    credit: u64,
    /// Nothing is read until then.
    until: Option<Instant>,
}

impl Throttled {
    /// Makes it ready for another transaction.
    #[inline]
    pub(super) fn renew(&mut self) {
        if std::mem::take(&mut self.is_used)
            && let Some(account) = &mut self.account
        {
            account.clear();
        }
    }

    /// The account, if there is anything in it.
    #[inline]
    fn account(&self) -> Option<&Account> {
        self.account.as_deref().filter(|_| self.is_used)
    }

    /// The account, in which something is to be noted.
    fn account_mut(&mut self) -> &mut Account {
        self.is_used = true;
        self.account.get_or_insert_default()
    }

    /// The account goes on in a tunnel.
    pub(super) fn take_account(&mut self) -> Account {
        match std::mem::take(&mut self.is_used) {
            true => self.account.as_deref_mut().map(std::mem::take).unwrap_or_default(),
            false => Account::default(),
        }
    }

    #[inline]
    fn is_admitted(&self) -> bool {
        self.account().is_some_and(|account| account.is_admitted)
    }

    /// Seconds after which the client may ask again, where it is told so.
    #[inline]
    pub(super) fn retry_after(&self) -> Option<u64> {
        self.account()?.retry_after
    }

    /// Nothing of the request is read now.
    #[inline]
    pub(super) fn holds_up(&self) -> bool {
        self.account().is_some_and(|account| account.up.holds())
    }

    /// Whether something was waited for that has not been read.
    #[inline]
    pub(super) fn has_credit(&self) -> bool {
        self.account().is_some_and(|account| account.up.credit > 0 || account.down.credit > 0)
    }

    /// When a direction that waits may go on, the first of them.
    #[inline]
    fn until(&self) -> Option<Instant> {
        let account = self.account()?;
        [account.up.until, account.down.until].into_iter().flatten().min()
    }

    /// Directions that have waited long enough go on.
    fn release(&mut self, now: Instant) {
        let account = self.account_mut();
        account.up.release(now);
        account.down.release(now);
    }
}

impl Account {
    #[cold]
    fn clear(&mut self) {
        let Account { is_admitted, rule, retry_after, held, up, down } = self;
        *is_admitted = false;
        *rule = None;
        *retry_after = None;
        held.clear();
        *up = Brake::default();
        *down = Brake::default();
    }
}

impl Brake {
    /// Nothing is read now.
    pub(super) fn holds(&self) -> bool {
        self.until.is_some()
    }

    /// Goes on, if it is time.
    pub(super) fn release(&mut self, now: Instant) {
        self.until = self.until.filter(|until| *until > now);
    }

    /// Until when nothing is read.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// How many bytes may be read: 0 if they are to be waited for. No more than `wanted` will come.
    pub(super) fn may_read(
        &mut self,
        flow: Flow,
        throttles: &Throttles,
        asking: &Asking<'_>,
        moment: Moment,
        wanted: u64,
    ) -> usize {
        if self.until.is_some_and(|until| until > moment.now) {
            return 0;
        }
        self.until = None;
        match throttles.leave(flow, asking, moment, wanted, &mut self.credit) {
            Leave::Read(most) => usize::try_from(most).unwrap_or(usize::MAX),
            Leave::Wait(time) => {
                self.until = Some(moment.now + time);
                0
            }
        }
    }

    /// Bytes have been read.
    pub(super) fn passed(
        &mut self,
        flow: Flow,
        throttles: &Throttles,
        asking: &Asking<'_>,
        moment: Moment,
        bytes: usize,
        reported: &mut Option<Arc<str>>,
    ) -> Result<(), Over> {
        let report = |name: &Arc<str>| {
            reported.get_or_insert_with(|| Arc::clone(name));
        };
        throttles.passed(flow, asking, moment, bytes as u64, &mut self.credit, report)
    }

    /// Gives back what was waited for and not read.
    pub(super) fn give_back(
        &self,
        flow: Flow,
        throttles: &Throttles,
        asking: &Asking<'_>,
        moment: Moment,
    ) {
        if self.credit > 0 {
            throttles.give_back(flow, asking, moment, self.credit);
        }
    }
}

impl Session {
    /// Does what the handler has decided, if throttles let it; or after a while.
    pub(super) fn admit(
        &mut self,
        mut transaction: Box<Transaction>,
        action: Action,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let moment = env.moment(cx);
        let mut reported = None;
        let Transaction { throttled, request, handler, .. } = &mut *transaction;
        let Account { is_admitted, rule, held, .. } = throttled.account_mut();
        *is_admitted = true;
        *rule = handler.rule().cloned();
        let asking = asking(&self.client.who, request, handler, rule.as_deref());
        let report = |name: &Arc<str>| {
            reported.get_or_insert_with(|| Arc::clone(name));
        };
        let throttles = &self.settings.throttles;
        let admitted = throttles.admit_request(&asking, moment, held, report);
        if let Some(name) = reported {
            transaction.view(&self.client.who).note_reported(&name);
        }
        match admitted {
            Ok(wait) if wait.is_zero() => self.act(transaction, action, env, cx),
            Ok(wait) => {
                let later = transaction.view(&self.client.who).after(wait, action);
                self.act(transaction, later, env, cx)
            }
            Err(over) if over.is_dropped => {
                transaction.note_over(&over, &self.client.who);
                self.close_silently(transaction, over.reason, env, cx)
            }
            Err(over) => {
                transaction.note_over(&over, &self.client.who);
                self.fail(transaction, over.reason, env, cx)
            }
        }
    }

    /// Whether the action is one that throttles have a say in, and have not had it yet.
    #[inline]
    pub(super) fn is_to_be_admitted(&self, transaction: &Transaction, action: &Action) -> bool {
        self.settings.throttles.count_requests()
            && !transaction.throttled.is_admitted()
            && matches!(
                action,
                Action::Forward(_) | Action::Tunnel(_) | Action::Respond(_) | Action::TakeOver(_)
            )
    }

    /// How many bytes may be read in this direction: 0 if they are to be waited for.
    #[inline]
    pub(super) fn may_read(
        &self,
        flow: Flow,
        transaction: &mut Transaction,
        env: &mut Env,
        cx: &Cx,
    ) -> usize {
        match self.settings.throttles.count(flow) {
            true => self.ask_to_read(flow, transaction, env, cx),
            false => usize::MAX,
        }
    }

    #[cold]
    fn ask_to_read(
        &self,
        flow: Flow,
        transaction: &mut Transaction,
        env: &mut Env,
        cx: &Cx,
    ) -> usize {
        let Stage::Talking(upstream) = transaction.stage else { return usize::MAX };
        let client = self.client.socket;
        let is_there = match flow {
            Flow::Up if transaction.request_body.is_done() => false,
            Flow::Up => cx.sockets[client].is_readable() || !self.client.inbound.needs_more(),
            Flow::Down => cx.sockets[upstream].is_readable(),
        };
        if !is_there {
            return usize::MAX;
        }
        let Transaction { throttled, request, handler, request_body, response_body, .. } =
            transaction;
        let Account { up, down, rule, .. } = throttled.account_mut();
        let asking = asking(&self.client.who, request, handler, rule.as_deref());
        let (brake, body) = match flow {
            Flow::Up => (up, request_body),
            Flow::Down => (down, response_body),
        };
        // Of a response whose head has not come, nothing is known.
        let wanted = body.remaining().filter(|&left| left > 0).unwrap_or(u64::MAX);
        brake.may_read(flow, &self.settings.throttles, &asking, env.moment(cx), wanted)
    }

    /// So many bytes have been read in this direction, of which the last is there if `is_all`. An error
    /// is why no more are.
    #[inline]
    pub(super) fn passed(
        &self,
        flow: Flow,
        transaction: &mut Transaction,
        bytes: usize,
        is_all: bool,
        env: &mut Env,
        cx: &Cx,
    ) -> Result<(), Reason> {
        match self.settings.throttles.count(flow) && bytes > 0 {
            true => self.count_passed(flow, transaction, bytes, is_all, env, cx),
            false => Ok(()),
        }
    }

    #[cold]
    fn count_passed(
        &self,
        flow: Flow,
        transaction: &mut Transaction,
        bytes: usize,
        is_all: bool,
        env: &mut Env,
        cx: &Cx,
    ) -> Result<(), Reason> {
        let (moment, mut reported) = (env.moment(cx), None);
        let Transaction { throttled, request, handler, .. } = transaction;
        let Account { up, down, rule, .. } = throttled.account_mut();
        let asking = asking(&self.client.who, request, handler, rule.as_deref());
        let brake = match flow {
            Flow::Up => up,
            Flow::Down => down,
        };
        let throttles = &self.settings.throttles;
        let passed = brake.passed(flow, throttles, &asking, moment, bytes, &mut reported);
        if let Some(name) = reported {
            transaction.view(&self.client.who).note_reported(&name);
        }
        match passed {
            Err(over) if !is_all => {
                transaction.note_over(&over, &self.client.who);
                Err(over.reason)
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Nothing moves, and a direction waits for throttles: sees to it that it goes on in time. An
    /// error is the reason why it must end now.
    #[inline]
    pub(super) fn wait_for_throttles(
        &mut self,
        transaction: &mut Transaction,
        cx: &mut Cx,
    ) -> Result<(), Reason> {
        let Some(until) = transaction.throttled.until() else { return Ok(()) };
        // Who waits for throttles is not slow, and nobody is to blame for the pause.
        self.keep_pace(transaction, self.patience(transaction), cx)?;
        let left = until.saturating_duration_since(cx.now);
        cx.timers.arm(&mut self.timer, self.key, cx.now, left);
        Ok(())
    }

    /// The timer has come up: whether it was because of throttles.
    pub(super) fn is_throttled(&self, transaction: &Transaction) -> bool {
        matches!(transaction.stage, Stage::Talking(_)) && transaction.throttled.until().is_some()
    }

    /// A direction that has waited goes on.
    pub(super) fn resume(
        &mut self,
        mut transaction: Box<Transaction>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        transaction.throttled.release(cx.now);
        let after = self.patience(&transaction);
        match self.keep_pace(&mut transaction, after, cx) {
            Ok(()) => {
                self.transaction = Some(transaction);
                self.advance(env, cx)
            }
            Err(reason) => {
                let step = self.fail(transaction, reason, env, cx);
                self.go_on(step, env, cx)
            }
        }
    }
}

impl Env {
    /// Now, on all clocks.
    pub(super) fn moment(&mut self, cx: &Cx) -> Moment {
        Moment { now: cx.now, today: self.time_of_day(cx.now, cx.now) }
    }
}

impl Transaction {
    /// Something was too much: for the log, and for the client.
    fn note_over(&mut self, over: &Over, who: &Client) {
        self.throttled.account_mut().retry_after = Some(seconds(over.retry_after));
        self.view(who).note_rule(&over.name);
    }

    /// It is over: what it has waited for in vain is there for others.
    pub(super) fn give_back(&self, throttles: &Throttles, who: &Client, moment: Moment) {
        let Some(account) = self.throttled.account() else { return };
        let asking = asking(who, &self.request, &self.handler, account.rule.as_deref());
        account.up.give_back(Flow::Up, throttles, &asking, moment);
        account.down.give_back(Flow::Down, throttles, &asking, moment);
    }
}

fn asking<'a>(
    who: &Client,
    request: &'a RequestHead,
    handler: &'a HandlerState,
    rule: Option<&'a str>,
) -> Asking<'a> {
    let user = handler.user().map(|user| &**user);
    Asking { client: who.address.ip(), host: request.host(), user, rule }
}

/// Whole seconds, and never none: who asks at once is refused once more.
pub(super) fn seconds(time: Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}
