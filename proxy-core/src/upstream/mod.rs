//! The way to the upstream (L3): how a route becomes a connection.

mod authority;
mod connector;
mod direct;
mod idle;
mod name_stats;
mod names;
mod places;
mod plan_reply;
mod resolve;

pub(crate) use authority::write_key;
pub use authority::{Authority, AuthorityError};
pub use connector::{ConnectError, Destination, Dial, Dialing, Retry, UpstreamConnector, Vouched};
pub use direct::DirectConnector;
pub(crate) use idle::{Idle, IdleId, IdleUpstreams};
pub use name_stats::NameStats;
pub(crate) use places::{Called, Next, Place, Places, Ticket, share};
pub use plan_reply::PlanReply;
pub use resolve::{Resolve, SystemResolver};
