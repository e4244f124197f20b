//! [`FixedUpstreamHandler`]: a proxy in front of one upstream.

use std::sync::Arc;

use super::{Action, ConnectionHandler, Exchange, Plan, Reach};
use crate::error::Reason;
use crate::http1::TargetForm;
use crate::upstream::Authority;

/// Sends every request to one upstream. The client's `Host` is kept.
#[derive(Clone, Debug)]
pub struct FixedUpstreamHandler {
    upstream: Arc<Authority>,
}

impl FixedUpstreamHandler {
    /// In front of `upstream`.
    pub fn new(upstream: Authority) -> Self {
        FixedUpstreamHandler { upstream: Arc::new(upstream) }
    }
}

impl ConnectionHandler for FixedUpstreamHandler {
    fn reach(&self) -> Reach {
        Reach::Chosen
    }

    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let request = exchange.request();
        match request.form() {
            TargetForm::Authority => Action::Reject(Reason::ConnectNotAllowed),
            // A server must accept the absolute form too (RFC 9112 §3.2.2), but is not the one
            // for a target that does not match its connection (RFC 9110 §7.4).
            TargetForm::Absolute
                if !request.scheme().is_some_and(|s| s.eq_ignore_ascii_case("http")) =>
            {
                Action::Reject(Reason::Misdirected)
            }
            _ => Action::Forward(Plan::to(Arc::clone(&self.upstream)).vouched()),
        }
    }
}
