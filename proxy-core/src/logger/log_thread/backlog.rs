//! [`LogOverflow`]: what a proxy does whose log cannot keep up; and [`Backlog`], how far behind it is.

use std::sync::Arc;

use super::{Account, Pushed};

/// What a proxy does when more records wait for its logger than
/// [`Limits::log_queue`](crate::Limits) allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogOverflow {
    /// It goes on, and drops and counts records: a logger never slows the proxy.
    #[default]
    Drop,
    /// It serves nobody whom it could not log, and loses no record. New clients wait to be accepted,
    /// in the queue of the system, until the log has caught up; those who are connected are served
    /// what they have asked for, or ask next, and then their connection is closed. So there are never
    /// more records than the limit and two for each connection. A logger that hangs for ever stops
    /// the proxy; one that fails, because of a full disk for instance, does not: it has taken its
    /// records.
    Block,
}

/// How far behind a log is.
#[derive(Debug, Default)]
pub(crate) struct Backlog(Vec<Waiting>);

/// What waits of one sender.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    account: Arc<Account>,
    pushed: Arc<Pushed>,
    limit: u64,
}

impl Backlog {
    pub(super) fn of(waiting: Vec<Waiting>) -> Backlog {
        Backlog(waiting)
    }

    /// Whether nobody is to be let in until the log has caught up.
    pub(crate) fn is_full(&self) -> bool {
        self.0.iter().any(|it| it.account.is_full(&it.pushed, it.limit))
    }
}

impl Waiting {
    pub(super) fn new(account: Arc<Account>, pushed: Arc<Pushed>, limit: u64) -> Waiting {
        Waiting { account, pushed, limit }
    }
}
