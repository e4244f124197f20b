//! The admin address: a second small proxy beside the one that serves, and what the program does for
//! it.
//!
//! ```text
//!  AdminSettings ── bind ──▶ Bound ── start ──▶ Admin
//!                              │                  │ Actions
//!           the proxy keeps away from it          ▼
//!                                        Wish ──▶ Service::run
//! ```

mod actions;
mod bound;
mod settings;
mod shown;

pub use actions::{Done, Wish, Wishes, wishes};
pub use bound::{Admin, Bound, Place};
pub use settings::{AdminSettings, UNIX, check_address, read_word};
