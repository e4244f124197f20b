//! [`Ledger`]: every request that was begun, what must have come of it, and what did.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How often a request must stand in the access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Exactly once.
    Once,
    /// Once or never: its client reset the connection at a moment when nobody but the kernel knows
    /// whether the proxy had read anything of it.
    AtMostOnce,
    /// Never: the proxy never had it.
    Never,
}

/// By what a record is known to be about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// By its number, in the `User-Agent`: the head is one that is understood.
    Number,
    /// By the client's address and port: nothing in it is understood.
    Address,
}

/// What the record must say. What is `None` or empty may be anything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) presence: Presence,
    pub(crate) key: Key,
    pub(crate) is_tunnel: bool,
    pub(crate) status: Option<u16>,
    /// One of these; `""` is none.
    pub(crate) reasons: &'static [&'static str],
    pub(crate) bytes_in: Option<u64>,
    pub(crate) bytes_out: Option<u64>,
}

impl Expected {
    /// A request that ends plainly, with this status.
    pub(crate) fn plain(status: u16) -> Expected {
        Expected::ending(Some(status), &[""])
    }

    /// A request that ends with one of these reasons.
    pub(crate) fn ending(status: Option<u16>, reasons: &'static [&'static str]) -> Expected {
        Expected {
            presence: Presence::Once,
            key: Key::Number,
            is_tunnel: false,
            status,
            reasons,
            bytes_in: None,
            bytes_out: None,
        }
    }

    /// The same, with so many bytes of content.
    pub(crate) fn bytes(self, bytes_in: u64, bytes_out: u64) -> Expected {
        Expected { bytes_in: Some(bytes_in), bytes_out: Some(bytes_out), ..self }
    }

    /// The same, known by the client's address.
    pub(crate) fn by_address(self) -> Expected {
        Expected { key: Key::Address, ..self }
    }

    /// The same, of a tunnel.
    pub(crate) fn tunnel(self) -> Expected {
        Expected { is_tunnel: true, ..self }
    }

    /// The same, of which the proxy never heard.
    pub(crate) fn never(self) -> Expected {
        Expected { presence: Presence::Never, ..self }
    }

    /// The same, if it is there.
    pub(crate) fn perhaps(self) -> Expected {
        Expected { presence: Presence::AtMostOnce, ..self }
    }
}

/// What its client saw of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing yet.
    Open,
    /// What it must have seen.
    Good,
    /// Something else.
    Bad(String),
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Who began it.
    pub(crate) actor: &'static str,
    /// What it was, in a few words.
    pub(crate) what: String,
    /// The client's address.
    pub(crate) from: SocketAddr,
    pub(crate) expected: Expected,
    pub(crate) outcome: Outcome,
}

/// All requests of a run. Shared by all actors.
#[derive(Default)]
pub(crate) struct Ledger {
    entries: Mutex<Vec<Entry>>,
    troubles: Mutex<Vec<String>>,
    failures: AtomicU64,
}

impl Ledger {
    /// A request is about to be sent. Returns its number.
    pub(crate) fn begin(
        &self,
        actor: &'static str,
        what: impl Into<String>,
        from: SocketAddr,
        expected: Expected,
    ) -> u64 {
        let mut entries = self.entries.lock().expect("no holder panics");
        let what = what.into();
        entries.push(Entry { actor, what, from, expected, outcome: Outcome::Open });
        entries.len() as u64 - 1
    }

    /// What must have come of it is known only now.
    pub(crate) fn amend(&self, number: u64, amend: impl FnOnce(&mut Expected)) {
        let mut entries = self.entries.lock().expect("no holder panics");
        amend(&mut entries[number as usize].expected);
    }

    /// Its client has seen its end.
    pub(crate) fn settle(&self, number: u64, seen: &Result<(), String>) {
        let mut entries = self.entries.lock().expect("no holder panics");
        entries[number as usize].outcome = match seen {
            Ok(()) => Outcome::Good,
            Err(what) => {
                self.failures.fetch_add(1, Relaxed);
                Outcome::Bad(what.clone())
            }
        };
    }

    /// Something went wrong that belongs to no request.
    pub(crate) fn trouble(&self, what: String) {
        self.failures.fetch_add(1, Relaxed);
        self.troubles.lock().expect("no holder panics").push(what);
    }

    /// How many requests were begun, and how often something went wrong.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.entries.lock().expect("no holder panics").len() as u64, self.failures.load(Relaxed))
    }

    /// All of it: nobody begins anything any more.
    pub(crate) fn close(&self) -> (Vec<Entry>, Vec<String>) {
        let entries = std::mem::take(&mut *self.entries.lock().expect("no holder panics"));
        let troubles = std::mem::take(&mut *self.troubles.lock().expect("no holder panics"));
        (entries, troubles)
    }
}
