//! [`Refusal`]: a refusal in words of one's own.

use std::sync::Arc;

use crate::policy::rules::Denial;

/// A refusal with [`Reason::DeniedByRule`](crate::Reason::DeniedByRule), in words of one's own. The
/// client gets the page that tells of every failure, in the form it asks for, with these words in
/// place of the proxy's; the log shows the rule.
///
/// ```
/// use proxy_core::{Action, ConnectionHandler, Exchange, ForwardHandler, Refusal};
/// use proxy_core::rules::Denial;
///
/// struct NoGames;
///
/// impl ConnectionHandler for NoGames {
///     fn request(&self, exchange: &mut Exchange<'_>) -> Action {
///         if exchange.request().host().ends_with("games.example") {
///             let denial = Denial::new().with_message("Not during lessons.");
///             return Action::Refuse(Refusal::new(denial).by_rule("no-games"));
///         }
///         ForwardHandler.request(exchange)
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Refusal {
    pub(crate) rule: Option<Arc<str>>,
    pub(crate) denial: Arc<Denial>,
}

impl Refusal {
    /// A refusal as `denial` has it.
    ///
    /// # Panics
    /// If its status is not from 400 to 599, or demands a field of its own, or it redirects to
    /// anything but an `http://` or `https://` URL.
    pub fn new(denial: impl Into<Arc<Denial>>) -> Refusal {
        let denial = denial.into();
        if let Some(problem) = denial.problem() {
            panic!("{problem}");
        }
        Refusal { rule: None, denial }
    }

    /// Says by which rule: the log shows it.
    pub fn by_rule(self, rule: impl Into<Arc<str>>) -> Refusal {
        Refusal { rule: Some(rule.into()), ..self }
    }
}
