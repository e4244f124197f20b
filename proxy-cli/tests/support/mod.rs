//! Programs under test: started, listened to, and never left running.

// Each test binary uses a part of this.
#![allow(dead_code, unused_imports)]

mod leash;
#[cfg(unix)]
mod program;

pub use leash::Leash;
#[cfg(unix)]
pub use program::{Program, command};
