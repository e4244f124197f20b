//! What becomes of a request (L3): [`ConnectionHandler`] and its answers.

mod action;
mod auth;
mod body_stream;
mod decision;
mod delay;
mod exchange;
mod fixed;
mod forward;
mod login;
mod pac;
mod refusal;
mod response;
mod ruled;

pub use action::{Action, Admission, Plan, Reach, ResponseAction, Route, TakeOver};
pub use auth::AuthHandler;
pub use body_stream::{BodySender, BodyStream, TrySendError, body_stream};
pub(crate) use body_stream::{Look, Reading};
pub(crate) use decision::Continuation;
pub use decision::{Decision, DecisionReply};
pub use delay::Delay;
pub(crate) use exchange::HandlerState;
pub use exchange::{Client, Exchange, Extensions};
pub use fixed::FixedUpstreamHandler;
pub use forward::ForwardHandler;
pub use pac::PacHandler;
pub use refusal::Refusal;
pub use response::Response;
pub use ruled::RulesHandler;

use crate::error::Reason;

/// Decides what becomes of connections, requests and responses.
///
/// All methods run on an event loop, beside thousands of other connections: they must not
/// block. What takes time belongs into [`Exchange::defer`]. Several loops call the same
/// handler at the same time.
///
/// Every method but [`request`](Self::request) has a default that changes nothing. A panic in
/// any of them costs the exchange it happened in, with [`Reason::HandlerFailed`].
///
/// A handler that refuses some hosts and leaves everything else to [`ForwardHandler`]:
///
/// ```
/// use proxy_core::{Action, ConnectionHandler, Exchange, ForwardHandler, Reason};
///
/// struct NoAds;
///
/// impl ConnectionHandler for NoAds {
///     fn request(&self, exchange: &mut Exchange<'_>) -> Action {
///         if exchange.request().host().starts_with("ads.") {
///             return Action::Reject(Reason::Denied);
///         }
///         ForwardHandler.request(exchange)
///     }
/// }
///
/// let proxy = proxy_core::Proxy::builder().listen("127.0.0.1:0").handler(NoAds).start()?;
/// # proxy.shutdown(std::time::Duration::ZERO);
/// # Ok::<(), proxy_core::BuildError>(())
/// ```
pub trait ConnectionHandler: Send + Sync + 'static {
    /// Who chooses where requests go. Asked once, when the proxy is built: a proxy that goes
    /// wherever its clients ask, and that others than its own machine can reach, must say which
    /// clients it serves ([`ProxyBuilder::allow_clients`](crate::ProxyBuilder::allow_clients)).
    /// The default is to be on the safe side.
    fn reach(&self) -> Reach {
        Reach::AsAsked
    }

    /// A client has connected. Nothing has been read from it yet.
    fn connected(&self, client: &Client) -> Admission {
        let _ = client;
        Admission::Accept
    }

    /// A request head has come and is well-formed.
    fn request(&self, exchange: &mut Exchange<'_>) -> Action;

    /// The head of a final response has come; [`Exchange::response`] has it. Not called for
    /// interim (1xx) responses, nor for those the proxy or a handler made.
    fn response(&self, exchange: &mut Exchange<'_>) -> ResponseAction {
        let _ = exchange;
        ResponseAction::Pass
    }

    /// The exchange has failed, and the client is about to be told. A response given here
    /// takes the place of the proxy's own; a `Proxy-Status` field (RFC 9209) with the reason is
    /// added unless it has one. Not called where nothing can be told any more, nor for a
    /// request that was never understood.
    fn failed(&self, exchange: &mut Exchange<'_>, reason: Reason) -> Option<Response> {
        let _ = (exchange, reason);
        None
    }
}
