//! Who a user is: what a client says of itself, and who can tell whether it is true.
//!
//! ```text
//! Authorization: Basic … ──▶ Credentials ──▶ Authenticator::check ──▶ User
//!                                 │    ▲                                │
//!                           LoginFailures: how often              RecentLogins: so that
//!                           somebody may guess                    the next one is quick
//! ```
//!
//! Nothing here waits or looks at a clock; an [`Authenticator`] may wait, for it is asked on the
//! worker pool.

mod authenticator;
mod credentials;
mod failures;
#[cfg(feature = "htpasswd")]
mod files;
mod password;
mod recent;
mod user;

pub use authenticator::{Authentication, Authenticator, Login};
#[cfg(fuzzing)]
pub(crate) use credentials::rehearse as rehearse_credentials;
pub(crate) use credentials::{Credentials, CredentialsError};
pub use failures::{LoginFailures, LoginPolicy};
#[cfg(feature = "htpasswd")]
pub use files::{
    GroupFile, GroupFileError, HashProblem, LineError, PasswordFile, PasswordLineError,
    hash_password,
};
pub use password::Password;
pub(crate) use recent::{LoginKey, RecentLogins};
pub use user::{User, UserLimit};
