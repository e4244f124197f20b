//! [`ProxyBuilder`] → [`Proxy`] → [`ProxyHandle`] (L5): the one place that wires everything.

mod acceptor;
mod build;
mod builder;
mod control;
mod entrance;
mod handle;
mod inventory;
mod metrics;
mod parting;
mod reload;

pub use build::{BuildError, Proxy};
pub use builder::ProxyBuilder;
pub use control::{ConnectionList, ProxyControl};
pub use handle::{ProxyHandle, ShutdownReport};
pub use reload::ReloadReport;
