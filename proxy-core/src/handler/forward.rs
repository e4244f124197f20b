//! [`ForwardHandler`]: a forward proxy.

use super::{Action, ConnectionHandler, Exchange, Response};
use crate::error::Reason;
use crate::http1::TargetForm;

/// Sends each request where it asks to go, and opens the tunnels that are asked for.
///
/// A request that does not belong to a forward proxy is told so: an origin-form target
/// (RFC 9112 §3.2.1) is never routed by its `Host`, since its sender did not mean a proxy.
#[derive(Clone, Copy, Debug, Default)]
pub struct ForwardHandler;

impl ConnectionHandler for ForwardHandler {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let request = exchange.request();
        match request.form() {
            TargetForm::Absolute => match request.scheme() {
                Some(scheme) if scheme.eq_ignore_ascii_case("http") => Action::forward(),
                _ => Action::Reject(Reason::UnsupportedScheme),
            },
            TargetForm::Authority => Action::tunnel(),
            // `OPTIONS *` asks about the server it is sent to (RFC 9110 §9.3.7): this one.
            TargetForm::Asterisk => Action::Respond(Response::new(200)),
            TargetForm::Origin => Action::Reject(Reason::NotAProxyRequest),
        }
    }
}
