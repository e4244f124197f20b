//! [`Exchange`]: what a handler sees of a request and its response.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Action, Decision, DecisionReply, Delay, Plan, Refusal};
use crate::http1::{FieldEdits, NO_EDITS, RequestHead, ResponseHead};
use crate::policy::{User, UserLimit};
use crate::upstream::Authority;

/// The client of a connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Client {
    /// The address it connects from.
    pub address: SocketAddr,
    /// Which of the proxy's listeners it connected to, counted from 0: the addresses first, and
    /// then the other listeners, each in the order in which they were added to the builder. After
    /// a [reload](crate::ProxyHandle::reload) that moved it, this is its new place.
    pub listener: usize,
}

impl Client {
    /// A client, as tests of a handler or of [rules](crate::rules) need one.
    pub fn new(address: SocketAddr, listener: usize) -> Client {
        Client { address, listener }
    }
}

/// One request, and its response as soon as there is one. It lives on its event loop and is
/// lent to the handler's methods.
#[derive(Debug)]
pub struct Exchange<'a> {
    id: u64,
    client: &'a Client,
    request: &'a RequestHead,
    response: Option<&'a ResponseHead>,
    state: &'a mut HandlerState,
}

/// What a handler keeps with an exchange, wants changed of it, and has decided about it. What rules
/// note of each exchange is here; the rest has no memory until it is used, for most want none of it.
#[derive(Debug, Default)]
pub(crate) struct HandlerState {
    /// The rule that has decided, and the one that would have: for the log.
    rule: Option<Arc<str>>,
    reported: Option<Arc<str>>,
    /// Who it is, where that was found out.
    user: Option<Arc<User>>,
    /// By which rules the request has passed, and the place of the one among them.
    passed: Option<(RulesId, usize)>,
    kept: Option<Box<Kept>>,
}

#[derive(Debug, Default)]
pub(crate) struct Kept {
    extensions: Extensions,
    request_edits: FieldEdits,
    response_edits: FieldEdits,
    /// Where rules are behind other rules: those that are.
    passed: Vec<(RulesId, usize)>,
    /// What the client is told where it is refused by a rule.
    refusal: Option<Refusal>,
    /// How it is to say who it is, where it is asked to.
    challenge: Option<Arc<str>>,
    /// Why it is not served, though it is known who it is.
    user_limit: Option<UserLimit>,
    /// After how long it may try again, where that is known.
    retry_after: Option<Duration>,
}

/// Which rules: an address.
pub(super) type RulesId = usize;

impl HandlerState {
    /// Forgets everything for another exchange, and returns what is an embedder's: to drop it may
    /// panic.
    pub(crate) fn end(&mut self) -> Option<Box<Kept>> {
        let HandlerState { rule, reported, user, passed, kept } = self;
        *rule = None;
        *reported = None;
        *user = None;
        *passed = None;
        kept.take()
    }

    pub(crate) fn request_edits(&self) -> &FieldEdits {
        self.kept.as_ref().map_or(&NO_EDITS, |kept| &kept.request_edits)
    }

    pub(crate) fn response_edits(&self) -> &FieldEdits {
        self.kept.as_ref().map_or(&NO_EDITS, |kept| &kept.response_edits)
    }

    pub(crate) fn rule(&self) -> Option<&Arc<str>> {
        self.rule.as_ref()
    }

    pub(crate) fn reported(&self) -> Option<&str> {
        self.reported.as_deref()
    }

    pub(crate) fn user(&self) -> Option<&Arc<User>> {
        self.user.as_ref()
    }

    pub(crate) fn challenge(&self) -> Option<&str> {
        self.kept.as_ref()?.challenge.as_deref()
    }

    /// How the client is to say who it is, should it be told 401 or 407.
    pub(super) fn set_challenge(&mut self, challenge: Arc<str>) {
        self.kept().challenge = Some(challenge);
    }

    pub(crate) fn user_limit(&self) -> Option<UserLimit> {
        self.kept.as_ref()?.user_limit
    }

    /// Why the user is not served.
    pub(super) fn set_user_limit(&mut self, limit: UserLimit) {
        self.kept().user_limit = Some(limit);
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.kept.as_ref()?.retry_after
    }

    /// After how long it is worth another try, should the client be refused.
    pub(super) fn set_retry_after(&mut self, time: Duration) {
        self.kept().retry_after = Some(time);
    }

    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        self.kept.as_ref()?.refusal.as_ref()
    }

    /// The exchange is refused, in these words.
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        if let Some(rule) = &refusal.rule {
            self.rule = Some(Arc::clone(rule));
        }
        self.kept().refusal = Some(refusal);
    }

    /// The request has passed these rules by the one at this place.
    pub(super) fn pass(&mut self, rules: RulesId, place: usize) {
        match self.passed {
            Some((first, _)) if first != rules => self.kept().passed.push((rules, place)),
            _ => self.passed = Some((rules, place)),
        }
    }

    /// Where the request has passed these rules.
    pub(super) fn passed(&self, rules: RulesId) -> Option<usize> {
        let others = self.kept.iter().flat_map(|kept| &kept.passed);
        let mut all = self.passed.iter().chain(others);
        all.find(|(own, _)| *own == rules).map(|&(_, place)| place)
    }

    fn kept(&mut self) -> &mut Kept {
        self.kept.get_or_insert_default()
    }
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(
        id: u64,
        client: &'a Client,
        request: &'a RequestHead,
        response: Option<&'a ResponseHead>,
        state: &'a mut HandlerState,
    ) -> Self {
        Exchange { id, client, request, response, state }
    }

    /// The request's id, unique in its proxy: the access log shows the same.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Who asks.
    pub fn client(&self) -> &'a Client {
        self.client
    }

    /// What is asked.
    pub fn request(&self) -> &'a RequestHead {
        self.request
    }

    /// What the upstream answered: in [`response`](super::ConnectionHandler::response), and in
    /// [`failed`](super::ConnectionHandler::failed) where the failure came after it.
    pub fn response(&self) -> Option<&'a ResponseHead> {
        self.response
    }

    /// Values that a handler keeps with this exchange, from one of its methods to the next.
    pub fn extensions(&mut self) -> &mut Extensions {
        &mut self.state.kept().extensions
    }

    /// Changes to the fields of the request on its way to the upstream. They count if they are
    /// made in [`request`](super::ConnectionHandler::request); later it has gone.
    pub fn request_edits(&mut self) -> &mut FieldEdits {
        &mut self.state.kept().request_edits
    }

    /// Changes to the fields of the upstream's response on its way to the client. They count
    /// if they are made in [`request`](super::ConnectionHandler::request) or
    /// [`response`](super::ConnectionHandler::response). Responses of the proxy's or the
    /// handler's own are not changed by them.
    ///
    /// ```
    /// use proxy_core::{Action, ConnectionHandler, Exchange, ForwardHandler, ResponseAction};
    ///
    /// struct Quiet;
    ///
    /// impl ConnectionHandler for Quiet {
    ///     fn request(&self, exchange: &mut Exchange<'_>) -> Action {
    ///         exchange.request_edits().set("User-Agent", "-");
    ///         ForwardHandler.request(exchange)
    ///     }
    ///
    ///     fn response(&self, exchange: &mut Exchange<'_>) -> ResponseAction {
    ///         exchange.response_edits().remove("Server");
    ///         ResponseAction::Pass
    ///     }
    /// }
    /// ```
    pub fn response_edits(&mut self) -> &mut FieldEdits {
        &mut self.state.kept().response_edits
    }

    /// Has the log show the name of a rule that has decided about this exchange. Of several, the
    /// last.
    pub fn note_rule(&mut self, rule: &Arc<str>) {
        self.state.rule = Some(Arc::clone(rule));
    }

    /// Has the log show the name of a rule that would have decided about this exchange, and only
    /// reports. Of several, the first.
    pub fn note_reported(&mut self, rule: &Arc<str>) {
        self.state.reported.get_or_insert_with(|| Arc::clone(rule));
    }

    /// Who asks, if an [`AuthHandler`](super::AuthHandler) has found out, or another handler.
    pub fn user(&self) -> Option<&User> {
        self.state.user().map(|user| &**user)
    }

    /// Says who asks: the log shows the name. For handlers that find it out in a way of their own.
    pub fn set_user(&mut self, user: impl Into<Arc<User>>) {
        self.state.user = Some(user.into());
    }

    pub(super) fn state(&mut self) -> &mut HandlerState {
        self.state
    }

    /// Forwards the request to `upstream`, whatever it asks for. Where the proxy can be reached
    /// from beyond its machine, that must have a public address, unless
    /// [its plan is vouched for](Plan::vouched).
    pub fn forward_to(&self, upstream: &Arc<Authority>) -> Action {
        Action::Forward(Plan::to(Arc::clone(upstream)))
    }

    /// Decides later: `decide` runs on the worker pool, where it may block, with a copy of the
    /// request's head. No thread waits for it but the one it runs on; the client waits until
    /// it has decided. When the pool's queue is full, the request ends with
    /// [`Reason::WorkersBusy`](crate::Reason::WorkersBusy).
    ///
    /// ```
    /// use proxy_core::{Action, ConnectionHandler, Exchange, Reason};
    /// # fn ask_the_directory(host: &str) -> bool { host.len() > 3 }
    ///
    /// struct AsksFirst;
    ///
    /// impl ConnectionHandler for AsksFirst {
    ///     fn request(&self, exchange: &mut Exchange<'_>) -> Action {
    ///         exchange.defer(|request, _client| match ask_the_directory(request.host()) {
    ///             true => Action::forward(),
    ///             false => Action::Reject(Reason::Denied),
    ///         })
    ///     }
    /// }
    /// ```
    pub fn defer(
        &self,
        decide: impl FnOnce(&RequestHead, &Client) -> Action + Send + 'static,
    ) -> Action {
        let (request, client) = (self.request.clone(), self.client.clone());
        self.consult(move |reply| {
            let action = decide(&request, &client);
            reply.then(|_| action);
        })
    }

    /// Asks somebody who may take time, and goes on by what they say. `consult` runs on the worker
    /// pool, where it may block, and is given the [`DecisionReply`] by which it goes on; it need not
    /// use it itself, but may leave it with whoever will know. What it goes on with runs on the loop
    /// again, with the exchange at hand, so that another handler can be asked then.
    ///
    /// For the rest it is like [`defer`](Self::defer).
    ///
    /// ```
    /// use proxy_core::{Action, ConnectionHandler, Exchange, ForwardHandler};
    /// # fn department_of(address: std::net::IpAddr) -> String { address.to_string() }
    ///
    /// struct TellsTheDepartment;
    ///
    /// impl ConnectionHandler for TellsTheDepartment {
    ///     fn request(&self, exchange: &mut Exchange<'_>) -> Action {
    ///         let client = exchange.client().address.ip();
    ///         exchange.consult(move |reply| {
    ///             let department = department_of(client);
    ///             reply.then(move |exchange| {
    ///                 exchange.request_edits().set("X-Department", &department);
    ///                 ForwardHandler.request(exchange)
    ///             });
    ///         })
    ///     }
    /// }
    /// ```
    pub fn consult(&self, consult: impl FnOnce(DecisionReply) + Send + 'static) -> Action {
        Action::Defer(Decision::new(consult))
    }

    /// Does something later, in a day at most. Nothing waits meanwhile but the client and its
    /// connection; so bound how many of them do. If the proxy comes to its end, or the client is
    /// not served any more after a reload, `action` is taken at once.
    ///
    /// ```
    /// use std::time::Duration;
    /// use proxy_core::{Action, ConnectionHandler, Exchange, Reason};
    ///
    /// struct TriesPatience;
    ///
    /// impl ConnectionHandler for TriesPatience {
    ///     fn request(&self, exchange: &mut Exchange<'_>) -> Action {
    ///         exchange.after(Duration::from_secs(10), Action::Reject(Reason::Denied))
    ///     }
    /// }
    /// ```
    pub fn after(&self, delay: Duration, action: Action) -> Action {
        Action::After(Delay::new(delay, action))
    }
}

/// Values of any type, at most one of each.
#[derive(Default)]
pub struct Extensions(HashMap<TypeId, Box<dyn Any + Send>>);

impl Extensions {
    /// Keeps a value, and returns the one of its type that was there before.
    pub fn insert<T: Any + Send>(&mut self, value: T) -> Option<T> {
        let old = self.0.insert(TypeId::of::<T>(), Box::new(value));
        old.and_then(|old| old.downcast().ok()).map(|old| *old)
    }

    /// The value of type `T`, if one is kept.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// Takes out the value of type `T`, if one is kept.
    pub fn remove<T: Any>(&mut self) -> Option<T> {
        self.0.remove(&TypeId::of::<T>())?.downcast().ok().map(|value| *value)
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extensions({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_keep_one_value_of_each_type() {
        let mut extensions = Extensions::default();
        assert_eq!(extensions.get::<u32>(), None);
        assert_eq!(extensions.insert(1_u32), None);
        assert_eq!(extensions.insert("one"), None);
        assert_eq!(extensions.insert(2_u32), Some(1));
        assert_eq!(extensions.get::<&str>(), Some(&"one"));
        assert_eq!(extensions.remove::<u32>(), Some(2));
        assert_eq!(extensions.remove::<u32>(), None);
    }
}
