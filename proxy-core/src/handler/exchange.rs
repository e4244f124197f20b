//! [`Exchange`]: what a handler sees of a request and its response.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use super::action::Decision;
use super::{Action, Plan};
use crate::http1::{FieldEdits, NO_EDITS, RequestHead, ResponseHead};
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
    /// A client, as tests of a handler or of [rules](crate::Rules) need one.
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

/// What a handler keeps with an exchange and wants changed of it. Most want neither: it has no
/// memory until it is used.
#[derive(Debug, Default)]
pub(crate) struct HandlerState(Option<Box<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    extensions: Extensions,
    request_edits: FieldEdits,
    response_edits: FieldEdits,
}

impl HandlerState {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn request_edits(&self) -> &FieldEdits {
        self.0.as_ref().map_or(&NO_EDITS, |kept| &kept.request_edits)
    }

    pub(crate) fn response_edits(&self) -> &FieldEdits {
        self.0.as_ref().map_or(&NO_EDITS, |kept| &kept.response_edits)
    }

    fn kept(&mut self) -> &mut Kept {
        self.0.get_or_insert_default()
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
        Action::Defer(Decision(Box::new(decide)))
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
