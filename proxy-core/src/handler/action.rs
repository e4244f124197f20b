//! [`Action`] and its kin: what a handler answers.

use std::fmt;
use std::sync::Arc;

use super::{Client, Response};
use crate::error::Reason;
use crate::http1::RequestHead;
use crate::upstream::Authority;

/// Whether a client is served at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Admission {
    /// Go on.
    Accept,
    /// Close the connection without a word. There is no exchange yet, so nothing is logged
    /// but a line at debug level.
    Close,
}

/// What becomes of a request.
#[derive(Debug)]
#[non_exhaustive]
pub enum Action {
    /// Send it to an upstream and relay the answer. For a `CONNECT` request this is the same
    /// as [`Tunnel`](Action::Tunnel).
    Forward(Plan),
    /// Connect to an upstream, tell the client that it succeeded, and relay bytes both ways.
    Tunnel(Plan),
    /// Answer at once.
    Respond(Response),
    /// Refuse, with the status and the words of the reason.
    Reject(Reason),
    /// Close the connection without an answer.
    Close,
    /// Decide later; see [`Exchange::defer`](super::Exchange::defer).
    Defer(Decision),
}

impl Action {
    /// Forwards the request to where it asks to go.
    pub fn forward() -> Action {
        Action::Forward(Plan::as_asked())
    }

    /// Opens the tunnel that a `CONNECT` request asks for.
    pub fn tunnel() -> Action {
        Action::Tunnel(Plan::as_asked())
    }
}

/// A decision that takes time, to be made on the worker pool.
pub struct Decision(pub(crate) DecisionJob);

pub(crate) type DecisionJob = Box<dyn FnOnce(&RequestHead, &Client) -> Action + Send>;

impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decision")
    }
}

/// How a request is sent on.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) route: Route,
}

impl Plan {
    /// To where the request asks to go.
    pub fn as_asked() -> Plan {
        Plan { route: Route::AsAsked }
    }

    /// To this upstream, whatever the request asks for. The request's `Host` is kept.
    pub fn to(upstream: Arc<Authority>) -> Plan {
        Plan { route: Route::To(upstream) }
    }
}

/// Where a request is sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Route {
    /// To the authority of its target.
    AsAsked,
    /// To this upstream.
    To(Arc<Authority>),
}

/// What becomes of a response.
#[derive(Debug)]
#[non_exhaustive]
pub enum ResponseAction {
    /// Relay it.
    Pass,
    /// Drop it and its connection, and send this instead.
    Replace(Response),
    /// Close the client's connection without an answer.
    Close,
}
