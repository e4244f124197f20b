//! [`Gate`]: what becomes of the requests of a command.

use proxy_core::http1::TargetForm;
use proxy_core::{Action, ConnectionHandler, Exchange, ForwardHandler, Reason};

use super::allowed::AllowList;

/// A forward proxy that goes only where it may.
pub struct Gate {
    /// `None`: everywhere.
    allowed: Option<AllowList>,
}

impl Gate {
    pub fn new(allowed: Option<AllowList>) -> Gate {
        Gate { allowed }
    }

    fn is_open_for(&self, host: &str, port: u16) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.allows(host, port))
    }
}

impl ConnectionHandler for Gate {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let request = exchange.request();
        let leads_elsewhere =
            matches!(request.form(), TargetForm::Absolute | TargetForm::Authority);
        // The port of an `http` URI that names none (RFC 9110 §4.2.1); other schemes are refused
        // behind this, and a tunnel always names one.
        if leads_elsewhere && !self.is_open_for(request.host(), request.port().unwrap_or(80)) {
            return Action::Reject(Reason::DeniedByRule);
        }
        ForwardHandler.request(exchange)
    }
}
