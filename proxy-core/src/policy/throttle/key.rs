//! [`Key`]: whose count it is.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

/// Whose count it is, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Everybody's.
    All,
    /// That of the clients of a network, of which this is the first address.
    Client(IpAddr),
    /// That of a host or a rule.
    Name(Arc<[u8]>),
}

/// Whose count it is, as it is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who<'a> {
    All,
    Client(IpAddr),
    Name(&'a [u8]),
}

impl Key {
    pub(super) fn who(&self) -> Who<'_> {
        match self {
            Key::All => Who::All,
            Key::Client(address) => Who::Client(*address),
            Key::Name(name) => Who::Name(name),
        }
    }
}

impl Who<'_> {
    pub(super) fn to_key(self) -> Key {
        match self {
            Who::All => Key::All,
            Who::Client(address) => Key::Client(address),
            Who::Name(name) => Key::Name(name.into()),
        }
    }
}

impl Hash for Who<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Who::All => {}
            // A table has keys of one kind: nothing need tell them apart.
            Who::Client(IpAddr::V4(address)) => state.write_u32(address.to_bits()),
            Who::Client(IpAddr::V6(address)) => state.write_u128(address.to_bits()),
            Who::Name(name) => state.write(name),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::All => f.write_str("-"),
            Key::Client(address) => write!(f, "{address}"),
            Key::Name(name) => f.write_str(&String::from_utf8_lossy(name)),
        }
    }
}
