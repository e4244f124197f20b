//! Decisions that need nothing but what they are given (L3): no socket, no clock.

mod address_class;
mod bans;
mod bounded;
mod clients;
mod connect_ports;
mod destinations;
mod domain_list;
mod forwarding;
mod glob;
mod guard;
mod host_name;
mod list;
mod network;
mod network_list;
pub mod rules;
pub mod throttle;
mod users;

pub use address_class::AddressClass;
pub use bans::{Ban, BanError, BanPolicy, Bans, Cause, Offence, Threshold};
pub(crate) use clients::Clients;
pub use connect_ports::{ConnectPorts, PortRange, PortRangeError};
pub use destinations::{Destinations, DestinationsError};
pub use forwarding::ForwardingPolicy;
pub use guard::DestinationGuard;
pub(crate) use guard::Guarding;
pub use network::{Network, NetworkError};
#[cfg(fuzzing)]
pub(crate) use users::rehearse_credentials;
pub use users::{
    Authentication, Authenticator, Login, LoginFailures, LoginPolicy, Password, User, UserLimit,
};
pub(crate) use users::{Credentials, CredentialsError, LoginKey, RecentLogins};
#[cfg(feature = "htpasswd")]
pub use users::{
    GroupFile, GroupFileError, HashProblem, LineError, PasswordFile, PasswordLineError,
    hash_password,
};
