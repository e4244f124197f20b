//! Threads, polling, timers (L2). Knows sockets and jobs, never HTTP.
//!
//! An [`EventLoop`](event_loop) owns a poller and its connections and drives one
//! [`Protocol`](event_loop::Protocol): what a loop does with events is written there. What
//! may block runs on the [`WorkerPool`] and comes back through the loop's [mailbox](mailbox).

pub(crate) mod buffer;
pub(crate) mod calls;
pub(crate) mod count;
pub(crate) mod event_loop;
pub(crate) mod listeners;
pub(crate) mod mailbox;
mod pool;
pub(crate) mod pulse;
pub(crate) mod sockets;
pub(crate) mod timers;

pub use pool::{
    Lane, LaneStats, PoolShutdown, PoolStats, SubmitError, WorkerPool, WorkerPoolBuilder,
};
