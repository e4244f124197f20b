//! [`Entrance`]: a listener of a running proxy, and the thread that accepts from it.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Sender;

use super::acceptor::{Acceptor, Closed, Door};
use super::build::Bound;
use super::handle::{join, spawn};
use crate::net::Wake;
use crate::session::{ListenerId, Reception};

/// A listener of a running proxy. Dropped, it is closed: its thread has ended, and if it was a
/// socket, its port is free.
pub(super) struct Entrance {
    pub(super) id: ListenerId,
    /// The address as it was given, if one was.
    pub(super) given: Option<String>,
    pub(super) address: Option<SocketAddr>,
    wake: Wake,
    closed: Arc<Closed>,
    /// Dropped, it says that `closed` is set.
    closing: Option<Sender<Infallible>>,
    /// Dropped or used, it lets the thread go on: to its end, or to accepting.
    opening: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Entrance {
    /// Does all that may fail. Nothing is accepted before it is opened.
    pub(super) fn prepare(
        bound: Bound,
        id: ListenerId,
        reception: &Arc<Reception>,
    ) -> io::Result<Entrance> {
        let Bound { given, listener } = bound;
        let address = listener.local_addr();
        let (door, wake) = Door::of(listener.open()?)?;
        let parting = listener.parting();
        let (opening, opened) = crossbeam_channel::bounded(1);
        let closed = Arc::new(Closed::new());
        let (closes, closing) = crossbeam_channel::bounded(0);
        let acceptor = Acceptor {
            reception: Arc::clone(reception),
            listener: id,
            closed: Arc::clone(&closed),
            closing,
        };
        let thread = spawn(format!("proxy-accept-{}", id.0), move || {
            if opened.recv().is_ok() {
                acceptor.run(door, parting);
            }
            // It lives as long as its thread: with both the port is free again.
            drop(listener);
        })?;
        let (opening, thread) = (Some(opening), Some(thread));
        let closing = Some(closes);
        Ok(Entrance { id, given, address, wake, closed, closing, opening, thread })
    }

    /// Begins to accept.
    pub(super) fn open(&mut self) {
        if let Some(opening) = self.opening.take() {
            // It has room for this, and the thread waits for it.
            let _ = opening.send(());
        }
    }

    /// Accepts no more, but, for `parting` at most, those that wait already. Does not wait for the
    /// thread, as dropping it does.
    pub(super) fn shut(&mut self, parting: Duration) {
        // Who shuts it again has nothing to say any more.
        let _ = self.closed.set(parting);
        self.opening = None;
        self.closing = None;
        (self.wake)();
    }
}

impl Drop for Entrance {
    fn drop(&mut self) {
        self.shut(Duration::ZERO);
        if let Some(thread) = self.thread.take() {
            join(thread);
        }
    }
}
