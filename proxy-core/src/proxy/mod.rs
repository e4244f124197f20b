//! [`ProxyBuilder`] → [`Proxy`] → [`ProxyHandle`] (L5): the one place that wires everything.

mod acceptor;
mod builder;
mod handle;

pub use builder::{BuildError, Proxy, ProxyBuilder};
pub use handle::{ProxyHandle, ShutdownReport};
