//! [`AuthHandler`]: only those who say who they are, in front of another handler.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::login::{Found, Logins};
use super::{
    Action, Admission, Client, ConnectionHandler, Exchange, ForwardHandler, Reach, Response,
    ResponseAction,
};
use crate::error::Reason;
use crate::http1::RequestHead;
use crate::policy::{
    Authenticator, Credentials, CredentialsError, LoginFailures, LoginPolicy, Network, User,
};

/// Serves only users who say who they are, and leaves their requests to the handler behind it, a
/// [`ForwardHandler`] unless said otherwise. That finds the [user](Exchange::user) with the exchange,
/// and so does the log.
///
/// Clients are asked for a name and a password by the scheme `Basic` (RFC 7617). Where the handler
/// behind goes [where clients ask](Reach::AsAsked) it is a proxy that asks, with 407 and
/// `Proxy-Authenticate`, also for `CONNECT` and to HTTP/1.0 (RFC 9110 §11.7); else a server, with 401
/// and `WWW-Authenticate` (§11.6). What was meant for it does not go on to upstreams.
///
/// `Basic` hides nothing: whoever sees what passes between a client and the proxy sees the password.
///
/// Passwords are looked at on the worker pool: see [`Authenticator`]. What was right is
/// [remembered](Self::remembering) for some minutes; what was wrong has
/// [consequences](Self::with_policy).
///
/// A request that is refused has one of these reasons: [`ProxyAuthenticationRequired`] or
/// [`AuthenticationRequired`]; [`ProxyAuthenticationFailed`] or [`AuthenticationFailed`];
/// [`TooManyFailedLogins`], [`UserNotAllowed`], [`AuthenticatorUnavailable`]; and [`WorkersBusy`],
/// where the queue of the worker pool is full, or 128 requests of one client wait there.
///
/// [`ProxyAuthenticationRequired`]: Reason::ProxyAuthenticationRequired
/// [`AuthenticationRequired`]: Reason::AuthenticationRequired
/// [`ProxyAuthenticationFailed`]: Reason::ProxyAuthenticationFailed
/// [`AuthenticationFailed`]: Reason::AuthenticationFailed
/// [`TooManyFailedLogins`]: Reason::TooManyFailedLogins
/// [`UserNotAllowed`]: Reason::UserNotAllowed
/// [`AuthenticatorUnavailable`]: Reason::AuthenticatorUnavailable
/// [`WorkersBusy`]: Reason::WorkersBusy
pub struct AuthHandler<H = ForwardHandler>(Arc<Parts<H>>);

struct Parts<H> {
    logins: Arc<Logins>,
    challenge: Arc<str>,
    /// Who need not say who they are.
    spared: Vec<Network>,
    behind: H,
    /// How many who were wrong wait for their answer.
    waiting: Arc<AtomicUsize>,
}

/// One of those who wait for their answer; dropped, it is none any more.
struct Waiting(Arc<AtomicUsize>);

/// How many wait at once before they are answered without: each of them holds a connection.
const MOST_WAITING: usize = 256;

impl AuthHandler {
    /// Has this authenticator say who may pass, in front of a [`ForwardHandler`].
    pub fn new(authenticator: impl Authenticator) -> AuthHandler {
        let handler = AuthHandler(Arc::new(Parts {
            logins: Arc::new(Logins::new(Arc::new(authenticator))),
            challenge: "".into(),
            spared: Vec::new(),
            behind: ForwardHandler,
            waiting: Arc::default(),
        }));
        handler.with_realm("proxy")
    }
}

impl<H> AuthHandler<H> {
    /// The same in front of another handler.
    pub fn in_front_of<O: ConnectionHandler>(self, handler: O) -> AuthHandler<O> {
        let Parts { logins, challenge, spared, waiting, .. } = self.parts();
        AuthHandler(Arc::new(Parts { logins, challenge, spared, behind: handler, waiting }))
    }

    /// What clients are shown where they are asked for a password (RFC 9110 §11.5). The default is
    /// `proxy`.
    ///
    /// # Panics
    /// If it is anything but visible ASCII and spaces.
    pub fn with_realm(self, realm: &str) -> Self {
        let is_plain = realm.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        assert!(is_plain, "{realm:?} cannot stand in a field");
        let realm = realm.replace('\\', "\\\\").replace('"', "\\\"");
        // RFC 7617 §2.1: how names and passwords are written that are not ASCII.
        let challenge = format!("Basic realm=\"{realm}\", charset=\"UTF-8\"");
        self.changed(|parts| parts.challenge = challenge.into())
    }

    /// Clients in these networks need not say who they are: then they are nobody. If they do say it,
    /// it must be true.
    pub fn sparing(self, networks: impl IntoIterator<Item = Network>) -> Self {
        let spared = networks.into_iter().collect();
        self.changed(|parts| parts.spared = spared)
    }

    /// How often somebody may be wrong.
    pub fn with_policy(self, policy: LoginPolicy) -> Self {
        self.with_logins(|logins| logins.policy = policy)
    }

    /// Counts who was wrong together with other handlers: with those before it, at a
    /// [reload](crate::ProxyHandle::reload).
    pub fn counting(self, failures: LoginFailures) -> Self {
        self.with_logins(|logins| logins.failures = failures)
    }

    /// Remembers so many logins that were right, each for so long and for one client: until then the
    /// authenticator is not asked again. The default is 16,384 for 5 minutes. No time is none.
    pub fn remembering(self, logins: usize, time: Duration) -> Self {
        self.with_logins(|own| own.remember(logins, time))
    }

    fn with_logins(self, change: impl FnOnce(&mut Logins)) -> Self {
        self.changed(|parts| {
            change(Arc::get_mut(&mut parts.logins).expect("nobody has been asked yet"));
        })
    }

    fn changed(self, change: impl FnOnce(&mut Parts<H>)) -> Self {
        let mut parts = self.parts();
        change(&mut parts);
        AuthHandler(Arc::new(parts))
    }

    fn parts(self) -> Parts<H> {
        let Ok(parts) = Arc::try_unwrap(self.0) else {
            unreachable!("it is shared only while it serves, and then nobody owns it")
        };
        parts
    }
}

impl<H: ConnectionHandler> ConnectionHandler for AuthHandler<H> {
    fn reach(&self) -> Reach {
        self.0.behind.reach()
    }

    fn connected(&self, client: &Client) -> Admission {
        self.0.behind.connected(client)
    }

    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let parts = &self.0;
        let (logins, now) = (&parts.logins, Instant::now());
        let client = exchange.client().address.ip();
        if let Some(time) = logins.failures.refuse_client(client, &logins.policy, now) {
            return too_often(time, exchange);
        }
        let sent = match parts.sent(exchange.request()) {
            Ok(None) if parts.spares(exchange.client()) => return parts.behind.request(exchange),
            Ok(None) => return parts.ask_for_it(exchange),
            Ok(Some(sent)) => sent,
            Err(Ambiguous) => return parts.malformed(exchange, now),
        };
        let (key, known) = logins.recent(client, sent, now);
        if let Some(user) = known {
            return parts.admit(user, exchange);
        }
        let credentials = match Credentials::parse(sent) {
            Ok(credentials) => credentials,
            Err(CredentialsError::OtherScheme) => return parts.ask_for_it(exchange),
            Err(CredentialsError::Malformed) => return parts.malformed(exchange, now),
        };
        let refused = logins.failures.refuse_user(&credentials.user, &logins.policy, now);
        if let Some(time) = refused {
            return too_often(time, exchange);
        }
        let Some(ticket) = logins.enter(key, client) else {
            return Action::Reject(Reason::WorkersBusy);
        };
        let (parts, client) = (Arc::clone(parts), exchange.client().clone());
        exchange.consult(move |reply| {
            ticket.check(&credentials, &client, move |found| {
                reply.then(move |exchange| parts.go_on(found, exchange));
            });
        })
    }

    fn response(&self, exchange: &mut Exchange<'_>) -> ResponseAction {
        self.0.behind.response(exchange)
    }

    fn failed(&self, exchange: &mut Exchange<'_>, reason: Reason) -> Option<Response> {
        self.0.behind.failed(exchange, reason)
    }
}

/// It says twice who it is. RFC 9110 §5.3: such a field has one value.
struct Ambiguous;

impl<H: ConnectionHandler> Parts<H> {
    fn is_proxy(&self) -> bool {
        self.behind.reach() == Reach::AsAsked
    }

    /// What the client sends to say who it is.
    fn sent<'a>(&self, request: &'a RequestHead) -> Result<Option<&'a [u8]>, Ambiguous> {
        let name = if self.is_proxy() { "proxy-authorization" } else { "authorization" };
        let mut values = request.fields().filter(|field| field.name.eq_ignore_ascii_case(name));
        match (values.next(), values.next()) {
            (first, None) => Ok(first.map(|field| field.value)),
            _ => Err(Ambiguous),
        }
    }

    fn spares(&self, client: &Client) -> bool {
        self.spared.iter().any(|network| network.contains(client.address.ip()))
    }

    fn ask_for_it(&self, exchange: &mut Exchange<'_>) -> Action {
        exchange.state().set_challenge(Arc::clone(&self.challenge));
        Action::Reject(match self.is_proxy() {
            true => Reason::ProxyAuthenticationRequired,
            false => Reason::AuthenticationRequired,
        })
    }

    fn malformed(&self, exchange: &mut Exchange<'_>, now: Instant) -> Action {
        let client = exchange.client().address.ip();
        let wait = self.logins.failures.note(client, None, &self.logins.policy, now);
        self.wrong(wait, exchange)
    }

    /// It was wrong: tells so after a while.
    fn wrong(&self, wait: Duration, exchange: &mut Exchange<'_>) -> Action {
        exchange.state().set_challenge(Arc::clone(&self.challenge));
        let answer = Action::Reject(match self.is_proxy() {
            true => Reason::ProxyAuthenticationFailed,
            false => Reason::AuthenticationFailed,
        });
        if wait.is_zero() {
            return answer;
        }
        let taken = self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |waiting| {
            (waiting < MOST_WAITING).then_some(waiting + 1)
        });
        match taken {
            Ok(_) => {
                exchange.extensions().insert(Waiting(Arc::clone(&self.waiting)));
                exchange.after(wait, answer)
            }
            Err(_) => answer,
        }
    }

    fn go_on(&self, found: Found, exchange: &mut Exchange<'_>) -> Action {
        match found {
            Found::User(user) => self.admit(user, exchange),
            Found::Wrong(wait) => self.wrong(wait, exchange),
            Found::Unavailable => Action::Reject(Reason::AuthenticatorUnavailable),
        }
    }

    fn admit(&self, user: Arc<User>, exchange: &mut Exchange<'_>) -> Action {
        let (client, host) = (exchange.client().address.ip(), exchange.request().host());
        let limit = user.limit(client, host, SystemTime::now);
        exchange.set_user(Arc::clone(&user));
        if let Some(limit) = limit {
            exchange.state().set_user_limit(limit);
            return Action::Reject(Reason::UserNotAllowed);
        }
        // RFC 9110 §11.7.2: `Proxy-Authorization` goes no further by itself.
        if !self.is_proxy() {
            exchange.request_edits().remove("authorization");
        }
        self.behind.request(exchange)
    }
}

/// Somebody is not heard before this time is over.
fn too_often(time: Duration, exchange: &mut Exchange<'_>) -> Action {
    exchange.state().set_retry_after(time);
    Action::Reject(Reason::TooManyFailedLogins)
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<H: fmt::Debug> fmt::Debug for AuthHandler<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthHandler")
            .field("challenge", &self.0.challenge)
            .field("behind", &self.0.behind)
            .finish_non_exhaustive()
    }
}
