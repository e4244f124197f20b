//! [`Action`] and its kin: what a handler answers.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::{Decision, Delay, Refusal, Response};
use crate::error::Reason;
use crate::net::Socket;
use crate::policy::Guarding;
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

/// Who chooses where requests go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach {
    /// The clients: it is a forward proxy, or may act as one.
    AsAsked,
    /// The handler alone: no client can make it connect to a place of the client's choosing.
    Chosen,
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
    /// Refuse, in words of one's own.
    Refuse(Refusal),
    /// Close the connection without an answer.
    Close,
    /// Hand the client's connection to blocking code; see [`Action::take_over`].
    TakeOver(TakeOver),
    /// Decide later; see [`Exchange::defer`](super::Exchange::defer) and
    /// [`Exchange::consult`](super::Exchange::consult).
    Defer(Decision),
    /// Do something later; see [`Exchange::after`](super::Exchange::after).
    After(Delay),
}

impl Action {
    /// Forwards the request to where it asks to go. One that asks for another scheme than `http`
    /// is refused, with [`Reason::UnsupportedScheme`].
    pub fn forward() -> Action {
        Action::Forward(Plan::as_asked())
    }

    /// Opens the tunnel that a `CONNECT` request asks for.
    pub fn tunnel() -> Action {
        Action::Tunnel(Plan::as_asked())
    }

    /// Hands the client's connection to `speak`, for a protocol of one's own in plain blocking
    /// code. The head of the request has been read; the bytes that came behind it are the
    /// second argument; nothing has been answered.
    ///
    /// `speak` runs on the worker pool, in a lane of its own, and holds a thread of it for as
    /// long as it runs; further ones wait in the lane's queue, and when that is full the client
    /// is told [`Reason::WorkersBusy`]. The record of the exchange is logged when it returns;
    /// if it panics, with [`Reason::HandlerFailed`]. A shutdown waits for it until the deadline.
    pub fn take_over(speak: impl FnOnce(Socket, Bytes) + Send + 'static) -> Action {
        Action::TakeOver(TakeOver(Box::new(speak)))
    }
}

/// Blocking code that speaks another protocol with a client.
pub struct TakeOver(pub(crate) Box<dyn FnOnce(Socket, Bytes) + Send>);

impl fmt::Debug for TakeOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TakeOver")
    }
}

/// How a request is sent on.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) route: Route,
    pub(crate) guarding: Guarding,
}

impl Plan {
    /// To where the request asks to go.
    pub fn as_asked() -> Plan {
        Plan { route: Route::AsAsked, guarding: Guarding::Guarded }
    }

    /// To this upstream, whatever the request asks for. The request's `Host` is kept.
    pub fn to(upstream: impl Into<Arc<Authority>>) -> Plan {
        Plan { route: Route::To(upstream.into()), guarding: Guarding::Guarded }
    }

    /// Vouches for where it leads: the [`DestinationGuard`](crate::DestinationGuard) and the
    /// [`ConnectPorts`](crate::ConnectPorts) have no say. For upstreams that whoever runs the
    /// proxy has chosen, and never for one that the request has a part in choosing.
    #[must_use = "the plan that is vouched for is given back"]
    pub fn vouched(self) -> Plan {
        Plan { guarding: Guarding::Vouched, ..self }
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
    /// Drop it and its connection, and refuse in words of one's own.
    Refuse(Refusal),
    /// Close the client's connection without an answer.
    Close,
}
