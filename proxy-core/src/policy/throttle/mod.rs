//! How much: throttles of connections, requests and bytes, and quotas.
//!
//! ```text
//!  Throttle ─┬─ Scope:     whose count it is       everybody, each client, host, user, rule
//!            ├─ Allowance: how much there may be   Connections, Requests, Upload, Download, Volume
//!            ├─ Excess:    what becomes of more    refused, delayed, dropped
//!            └─ Mode:      whether it is enforced  or only reported
//!
//!  Throttles ─▶ Running: Throttle, Meters ─▶ Table: Key ─▶ Cell
//! ```
//!
//! Each throttle keeps one number for each of those it counts. A rate is kept as the time at which
//! all that was taken would have come, so that no count has to be refreshed by a timer.
//!
//! # Bounds
//! A throttle has at most [`Throttle::entries`] counts. Where another one would be too many, eight are
//! picked at random and the one goes that owes least: it begins anew if it comes again. So a flood of
//! new clients drives out those who have asked for little, and whoever has taken much is
//! remembered. How many were forgotten that owed something is [told](ThrottleState::forgotten).
//! Connections are counted only while they are there, and so need no such bound.
//!
//! # When the clock is set
//! Rates are kept by a clock that does not jump. [`Volume`] says what becomes of days and months.

mod alone;
mod gauge;
mod gcra;
mod key;
mod meters;
mod rate;
mod running;
mod subject;
mod table;
#[expect(clippy::module_inception, reason = "one noun to a file, and it is this one")]
mod throttle;
mod throttles;
mod usage;
mod volume;

pub use super::rules::{Mode, Zone};
pub use alone::Places;
pub(crate) use gauge::Flow;
pub use rate::Rate;
pub(crate) use running::Held;
pub use subject::Asking;
pub use throttle::{Allowance, Excess, Members, Scope, Throttle, ThrottleError};
pub(crate) use throttles::{Leave, Moment, Over};
pub use throttles::{ThrottleState, Throttles};
pub use usage::{Usage, UsageError};
pub use volume::{Period, Volume};
