//! [`Key`]: whose count it is.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;

/// Whose count it is, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Everybody's.
    All,
    /// That of the clients of a network, of which this is the first address.
    Client(IpAddr),
    /// That of a host, a user or a rule.
    Name(Arc<[u8]>),
    /// The same, where nobody will ask for the name.
    Digest(Digest),
}

/// A keyed hash of a name, so long that no two names have the same. It is no longer than an address,
/// and needs no memory of its own.
pub(super) type Digest = [u64; 2];

/// Whose count it is, as it is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who<'a> {
    All,
    Client(IpAddr),
    Name(&'a [u8]),
    Digest(Digest),
}

impl Key {
    /// Whether it can stand in a line, and be found again by it.
    pub(super) fn is_shown(&self) -> bool {
        match self {
            Key::All | Key::Client(_) => true,
            Key::Name(name) => !name.is_empty() && !name.iter().any(u8::is_ascii_control),
            Key::Digest(_) => false,
        }
    }

    pub(super) fn who(&self) -> Who<'_> {
        match self {
            Key::All => Who::All,
            Key::Client(address) => Who::Client(*address),
            Key::Name(name) => Who::Name(name),
            Key::Digest(digest) => Who::Digest(*digest),
        }
    }
}

impl<'a> Who<'a> {
    pub(super) fn to_key(self) -> Key {
        match self {
            Who::All => Key::All,
            Who::Client(address) => Key::Client(address),
            Who::Name(name) => Key::Name(name.into()),
            Who::Digest(digest) => Key::Digest(digest),
        }
    }

    /// The same without a name: for counts that come and go with each request, which must not cost
    /// memory each time.
    pub(super) fn nameless(self, hasher: &RandomState) -> Who<'a> {
        match self {
            Who::Name(name) => Who::Digest([0_u8, 1].map(|half| hasher.hash_one((half, name)))),
            other => other,
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
            Who::Digest([half, _]) => state.write_u64(*half),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::All => f.write_str("-"),
            Key::Client(address) => write!(f, "{address}"),
            Key::Name(name) => f.write_str(&String::from_utf8_lossy(name)),
            Key::Digest([one, other]) => write!(f, "{one:016x}{other:016x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_name_they_are_told_apart_all_the_same() {
        let hasher = RandomState::new();
        let digest = |name: &'static str| Who::Name(name.as_bytes()).nameless(&hasher);
        assert_eq!(digest("a.test"), digest("a.test"));
        assert_ne!(digest("a.test"), digest("b.test"));
        let Who::Digest([one, other]) = digest("a.test") else { panic!("it has a name still") };
        assert_ne!(one, other, "two hashes, and not one twice");
        assert_eq!(Who::All.nameless(&hasher), Who::All);
    }
}
