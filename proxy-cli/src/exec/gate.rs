//! [`Gate`]: what becomes of the requests of a command.

use proxy_core::http1::TargetForm;
use proxy_core::{
    Action, Admission, Client, ConnectionHandler, Exchange, Reach, Reason, Response, ResponseAction,
};

use super::allowed::AllowList;

/// A forward proxy that goes only where it may: where the list of the command's own allows it to, and
/// then where the handler behind it does, which may have rules.
///
/// The list is none of these rules itself: the first rule that matches decides, and both must agree
/// here. And it knows an address however it is written.
pub struct Gate<H> {
    /// `None`: everywhere.
    allowed: Option<AllowList>,
    inner: H,
}

impl<H> Gate<H> {
    pub fn new(allowed: Option<AllowList>, inner: H) -> Gate<H> {
        Gate { allowed, inner }
    }

    fn is_open_for(&self, host: &str, port: u16) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.allows(host, port))
    }
}

impl<H: ConnectionHandler> ConnectionHandler for Gate<H> {
    fn reach(&self) -> Reach {
        self.inner.reach()
    }

    fn connected(&self, client: &Client) -> Admission {
        self.inner.connected(client)
    }

    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let request = exchange.request();
        let leads_elsewhere =
            matches!(request.form(), TargetForm::Absolute | TargetForm::Authority);
        // The port of an `http` URI that names none (RFC 9110 §4.2.1); other schemes are refused
        // behind this, and a tunnel always names one.
        if leads_elsewhere && !self.is_open_for(request.host(), request.port().unwrap_or(80)) {
            return Action::Reject(Reason::DeniedByRule);
        }
        self.inner.request(exchange)
    }

    fn response(&self, exchange: &mut Exchange<'_>) -> ResponseAction {
        self.inner.response(exchange)
    }

    fn failed(&self, exchange: &mut Exchange<'_>, reason: Reason) -> Option<Response> {
        self.inner.failed(exchange, reason)
    }
}
