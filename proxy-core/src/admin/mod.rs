//! An address at which a running proxy is looked at and told what to do (L6; feature `admin`).
//!
//! [`AdminHandler`] answers it. It is a [`ConnectionHandler`](crate::ConnectionHandler) like any
//! other, of a second small proxy that your program runs beside the one it is about, and that
//! neither forwards nor tunnels anything:
//!
//! ```text
//!  people, tools ──▶ proxy with an AdminHandler ──▶ ProxyControl ──▶ the proxy it is about
//!                        ▲            │                                        │
//!                        │            └──▶ AdminActions: your program          │
//!                     /events ◀──────────── EventsLogger ◀── records ──────────┘
//! ```
//!
//! ```
//! use std::time::Duration;
//! use proxy_core::{JsonLogger, Proxy, Tee};
//! use proxy_core::admin::{AdminHandler, EventsLogger};
//!
//! let events = EventsLogger::new();
//! let logger = Tee::new().with(JsonLogger::stdout()).with(events.clone());
//! let proxy = Proxy::builder().listen("127.0.0.1:0").logger(logger).start()?;
//!
//! let handler = AdminHandler::new(proxy.control()).with_events(events.clone());
//! let admin = handler.into_builder().listen("127.0.0.1:0").start()?;
//! println!("curl http://{}/status.json", admin.local_addrs()[0]);
//!
//! proxy.shutdown(Duration::from_secs(5));
//! events.end();
//! admin.shutdown(Duration::from_secs(1));
//! # Ok::<(), proxy_core::BuildError>(())
//! ```
//!
//! What is asked and answered is told in `docs/admin-api.md`: the names of paths and of keys are
//! stable, new ones may be added.
//!
//! # Who is let in
//!
//! Whoever reaches the address reads what clients ask for and who they are, and can end their
//! connections. So:
//!
//! - Only clients on this machine are served, by loopback or by a `UnixListener`, unless there is an [`AdminToken`], which each request
//!   has to bring then.
//! - A web page that the user of a browser on this machine happens to look at has no say. `Host` must
//!   be an address, `localhost`, or a name that was [added](AdminHandler::with_host): a page cannot
//!   have its own name lead here (DNS rebinding). A request that a browser says is another site's
//!   (`Origin`, `Sec-Fetch-Site`) is refused. Whatever changes something needs a field that no form
//!   can send, and no page of another site may, since it would have to be allowed here first.
//! - Clients of your proxy could come through it, from this machine. Have it
//!   [keep away](crate::ProxyBuilder::keep_away_from) from the address.

mod actions;
mod answer;
mod endpoint;
mod event_filter;
mod events;
mod gate;
mod handler;
mod page;
mod query;
mod reports;
mod status;
mod token;

pub use actions::{ActionError, AdminActions, LogLevel};
pub use events::EventsLogger;
pub use handler::AdminHandler;
pub use token::{AdminToken, AdminTokenError};
