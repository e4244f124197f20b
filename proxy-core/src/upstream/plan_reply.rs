//! [`PlanReply`]: the way back from a connector to the request that waits for its plan.

use std::fmt;

use super::{ConnectError, Dialing};

/// Where the plan for one destination goes: to the request that waits for it.
///
/// It may be kept and sent later, from any thread. The client's wait does not get longer by
/// that: it ends after [`Timeouts::resolve`](crate::Timeouts), and a plan that comes later is
/// dropped. A reply that is dropped without having been sent ends the request with
/// [`Reason::ConnectorFailed`](crate::Reason::ConnectorFailed).
#[must_use = "the request waits for it"]
pub struct PlanReply(Box<dyn FnOnce(Result<Dialing, ConnectError>) + Send>);

impl PlanReply {
    /// `send` is to notice if it is dropped instead of called.
    pub(crate) fn new(
        send: impl FnOnce(Result<Dialing, ConnectError>) + Send + 'static,
    ) -> PlanReply {
        PlanReply(Box::new(send))
    }

    /// Answers the request. Never blocks.
    pub fn send(self, planned: Result<Dialing, ConnectError>) {
        (self.0)(planned);
    }
}

impl fmt::Debug for PlanReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlanReply")
    }
}
