//! The story of a client connection (L4): read, decide, connect, exchange, log.
//!
//! ```text
//!                    ┌────────────────────────────────────────────────────┐
//!                    ▼                                                    │ kept
//!   arrived ──▶ awaiting a request ──▶ deciding ──▶ planning ──▶ dialing  │
//!                    │     │              │  │ │       ▲          │        │
//!                    │     │      refused │  │ └─ queued          │        │
//!                    │     └─ malformed ──┤  │ idle  │ handed     │        │
//!                    │                    │  └───────▼ over       ▼        │
//!                    │                    │        talking ◀──────┘        │
//!                    │ closed             ▼          │   │                │
//!                    │                 answering ◀───┘   └─▶ tunnel       │
//!                    ▼                    │                    │          │
//!                  gone ◀── lingering ◀───┴────────────────────┼──────────┘
//!                    ▲                                         │
//!                    └─────────────────────────────────────────┘
//! ```
//!
//! | file | holds |
//! |---|---|
//! | [`engine`] | all tasks of one loop, who gets which event, and how many there are of what |
//! | [`client`] | a [`Session`](client::Session): one client connection, from request to request |
//! | [`transaction`] | one request and its response, and their [`Stage`](transaction::Stage) |
//! | [`decide`] | from a request to an action, and from an action to a stage |
//! | [`delay`] | actions that are taken later |
//! | [`queue`] | waiting for a connection where these are limited |
//! | [`connect`], [`destination`], [`dial`], [`race`] | from a route to a connection |
//! | [`pinned`] | a connection that is one client's alone |
//! | [`relay`] | both directions of an exchange |
//! | [`release`] | what becomes of the upstream's connection afterwards |
//! | [`settings`], [`renewal`] | what requests are served by, and what becomes of sessions when a reload brings other settings |
//! | [`pace`] | whether they move fast enough, where that is asked for |
//! | [`throttling`] | whether it is allowed so much, and so fast |
//! | [`answer`], [`streamed`] | the proxy's own responses, whole and piece by piece |
//! | [`error_page`], [`proxy_status`] | how they tell of a failure |
//! | [`story`], [`excerpt`] | how a failure came about, for those who look for the reason |
//! | [`tunnel`] | `CONNECT` and WebSocket: bytes both ways |
//! | [`taken_over`] | connections that blocking code speaks with |
//! | [`status`] | what a connection does, for whoever asks |
//! | [`wire`] | reading and writing with the loop's buffers |
//!
//! All of it in memory, with everything that may happen on both sides: `rehearsal`, for tests and
//! fuzzers.

mod answer;
mod client;
mod clock;
mod connect;
mod decide;
mod defer;
mod delay;
mod destination;
mod dial;
mod engine;
mod env;
mod error_page;
mod excerpt;
mod message;
mod pace;
mod pinned;
mod proxy_status;
mod queue;
mod race;
mod reception;
#[cfg(any(test, fuzzing))]
pub(crate) mod rehearsal;
mod relay;
mod release;
mod renewal;
mod settings;
mod status;
mod story;
mod streamed;
mod taken_over;
mod throttling;
mod transaction;
mod tunnel;
mod wire;

pub use engine::Inventory;
pub(crate) use engine::{Engine, Listing, Loan};
pub(crate) use env::{Env, Lanes, Work};
pub(crate) use message::{Drain, Message, Tally};
pub(crate) use reception::{LoopDoor, Reception};
pub(crate) use settings::{ListenerId, Newest, Settings};
pub use status::{
    ConnectionId, ConnectionIdError, ConnectionState, ConnectionStatus, RequestStatus,
};

use crate::runtime::event_loop::Context;
use crate::runtime::sockets::Close;
use crate::upstream::IdleId;

/// Whose a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A task's, by its key.
    Task(TaskKey),
    /// An idle upstream connection.
    Idle(IdleId),
}

/// Names a task of a loop: index and generation, so that what comes late finds nobody.
pub(crate) type TaskKey = u64;

/// The loop, as sessions see it.
pub(crate) type Cx = Context<Owner>;

/// What a step of a task came to.
#[derive(Debug)]
enum Step {
    /// There may be more to do at once.
    Again,
    /// Nothing more can be done until something happens.
    Wait,
    /// There is more to do, but others have their turn first.
    Later,
    /// The client's connection is over.
    End(Close),
    /// The exchange has become a tunnel.
    Tunnel(Box<transaction::Transaction>),
    /// The client's connection has been handed to blocking code.
    TakenOver(Box<transaction::Transaction>),
}
