//! [`ProxyHandle::inventory`]: what a running proxy holds.

use std::time::{Duration, Instant};

use crossbeam_channel::TrySendError;

use super::handle::ProxyHandle;
use crate::runtime::mailbox::Outlet;
use crate::session::{Inventory, Message};

impl ProxyHandle {
    /// Counts what the proxy holds: connections by what they do, jobs, places, buffers. Made for
    /// tests that are to show that nothing is left behind, and for whoever watches a proxy.
    ///
    /// Each event loop counts in its own thread, between two events, and looks at each connection
    /// it has: at ten thousand of them that takes well under a millisecond. Nothing is counted
    /// while nobody asks. The counts of different loops are not those of the same instant.
    ///
    /// Waits for the loops, for `patience` in all. A loop that a handler holds up for longer is
    /// said to be [missing](Inventory::missing_loops).
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use proxy_core::Proxy;
    ///
    /// let proxy = Proxy::builder().listen("127.0.0.1:0").start()?;
    /// let inventory = proxy.inventory(Duration::from_secs(5));
    /// assert!(inventory.is_empty(), "{inventory:?}");
    /// # Ok::<(), proxy_core::BuildError>(())
    /// ```
    pub fn inventory(&self, patience: Duration) -> Inventory {
        self.control.inventory(patience)
    }
}

/// What loops hold, of those that answer until then, and how many do not. Those that have ended hold
/// nothing, and owe no answer.
pub(super) fn count<'a>(
    loops: impl ExactSizeIterator<Item = &'a Outlet<Message>>,
    until: Instant,
) -> Inventory {
    let (count, counts) = crossbeam_channel::bounded(loops.len());
    // A loop that has not heard so many questions before is held up: that is the answer.
    let asked = loops.map(|outlet| outlet.send(Message::Count(count.clone())));
    let owing = asked.filter(|asked| !matches!(asked, Err(TrySendError::Disconnected(_)))).count();
    // Only the loops can answer now: if they all have, or have ended, nobody is waited for.
    drop(count);
    let mut all = Inventory::default();
    while let Ok(one) = counts.recv_deadline(until) {
        all.add(&one);
    }
    all.missing_loops = owing - all.loops;
    all
}
