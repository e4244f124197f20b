//! [`Authenticator`]: who can tell whether a password is right.

use super::{Password, User};
use crate::handler::Client;

/// Tells whether a password is right, and whose it is. An [`AuthHandler`](crate::AuthHandler) asks
/// it.
///
/// It is asked on the worker pool and may block, for a slow hash or for a directory; several threads
/// ask at the same time. It is asked once for many requests: what it accepts is remembered for a
/// while, and of requests with the same credentials at the same time one asks for all. If it panics
/// it is unavailable.
///
/// It should take as long for a user that it does not know as for a wrong password, so that nobody
/// learns from that who there is.
///
/// ```
/// use proxy_core::{AuthHandler, Authentication, Authenticator, Login, Proxy, User};
///
/// struct OneForAll;
///
/// impl Authenticator for OneForAll {
///     fn check(&self, login: &Login<'_>) -> Authentication {
///         match login.password.expose() {
///             "open sesame" => Authentication::Accepted(User::new(login.user)),
///             _ => Authentication::Rejected,
///         }
///     }
/// }
///
/// let proxy = Proxy::builder()
///     .listen("127.0.0.1:0")
///     .handler(AuthHandler::new(OneForAll))
///     .start()?;
/// # proxy.shutdown(std::time::Duration::ZERO);
/// # Ok::<(), proxy_core::BuildError>(())
/// ```
pub trait Authenticator: Send + Sync + 'static {
    /// Whether somebody is who they say they are.
    fn check(&self, login: &Login<'_>) -> Authentication;
}

/// What an [`Authenticator`] is asked about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Login<'a> {
    /// Who they say they are: some UTF-8 without control characters or colons.
    pub user: &'a str,
    /// What they say to prove it: the same, with colons; may be empty.
    pub password: &'a Password,
    /// From where they say so.
    pub client: &'a Client,
}

impl<'a> Login<'a> {
    /// A login, as tests of an authenticator need one.
    pub fn new(user: &'a str, password: &'a Password, client: &'a Client) -> Login<'a> {
        Login { user, password, client }
    }
}

/// What an [`Authenticator`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Authentication {
    /// It is this user.
    Accepted(User),
    /// It is not.
    Rejected,
    /// It cannot be told just now. Why not is for the authenticator to log.
    Unavailable,
}

impl<A: Authenticator + ?Sized> Authenticator for std::sync::Arc<A> {
    fn check(&self, login: &Login<'_>) -> Authentication {
        (**self).check(login)
    }
}
