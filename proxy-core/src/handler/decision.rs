//! [`Decision`]: one that takes time, and [`DecisionReply`]: how it goes on afterwards.

use std::fmt;

use super::{Action, Exchange};

/// A decision that takes time, to be made on the worker pool; see
/// [`Exchange::consult`](super::Exchange::consult).
pub struct Decision(Box<dyn FnOnce(DecisionReply) + Send>);

/// What is done on the loop, once it is known what there was to be known.
pub(crate) type Continuation = Box<dyn FnOnce(&mut Exchange<'_>) -> Action + Send>;

/// Takes what is to be done with a request whose handler has consulted somebody. It may be kept
/// until somebody else knows: no thread has to wait for it.
///
/// Dropped without an answer, the request ends with
/// [`Reason::HandlerFailed`](crate::Reason::HandlerFailed).
#[must_use = "dropped, the request fails"]
pub struct DecisionReply(Box<dyn FnOnce(Continuation) + Send>);

impl Decision {
    pub(super) fn new(consult: impl FnOnce(DecisionReply) + Send + 'static) -> Decision {
        Decision(Box::new(consult))
    }

    pub(crate) fn make(self, reply: DecisionReply) {
        (self.0)(reply);
    }
}

impl DecisionReply {
    pub(crate) fn new(reply: impl FnOnce(Continuation) + Send + 'static) -> DecisionReply {
        DecisionReply(Box::new(reply))
    }

    /// Goes on: `go_on` runs on the loop of the exchange and, like all that a handler does there,
    /// must not block. It does not run if the client has gone, or has waited too long.
    pub fn then(self, go_on: impl FnOnce(&mut Exchange<'_>) -> Action + Send + 'static) {
        (self.0)(Box::new(go_on));
    }
}

impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decision")
    }
}

impl fmt::Debug for DecisionReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecisionReply")
    }
}
