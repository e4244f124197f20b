//! Throttles of the configuration file: how much there may be of what, for whom.
//!
//! ```text
//! [[throttle]] ──▶ WrittenThrottle ──▶ Throttle of the library
//!                   └─▶ --print-config
//! ```
//!
//! What was used of volumes is kept by `usage_file`.

mod amount;
mod written;

pub use written::{KEY, WrittenThrottle, take};
