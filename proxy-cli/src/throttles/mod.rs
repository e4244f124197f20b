//! Throttles of the configuration file: how much there may be of what, for whom.
//!
//! ```text
//! [[throttle]] ── keys ──▶ WrittenThrottle ──▶ Throttle of the library
//!                           ├─▶ --print-config
//!                           └─▶ members: are there such users and groups?
//! ```
//!
//! What was used of volumes is kept by `usage_file`.

mod amount;
mod keys;
mod members;
#[cfg(test)]
mod tests;
mod written;

pub use keys::{KEY, take};
pub use members::check;
pub use written::{Amount, WrittenThrottle, scope_word};
