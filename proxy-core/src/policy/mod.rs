//! Decisions that need nothing but what they are given (L3): no socket, no clock.

mod forwarding;
mod network;

pub use forwarding::ForwardingPolicy;
pub use network::{Network, NetworkError};
