//! [`NetworkList`]: many networks, and whether an address is in one of them.

use std::fmt;
use std::io::BufRead;
use std::net::IpAddr;

use super::Network;
use super::list::{ListError, each_line};

/// Networks, some of which may be left out of others: of all that contain an address, the one
/// with the longest prefix decides.
///
/// ```
/// use proxy_core::rules::NetworkList;
///
/// let list = NetworkList::parse(
///     "10.0.0.0/8\n\
///      !10.7.0.0/16  # but not the guests\n\
///      10.7.0.1      # and yet this one\n",
/// )?;
/// let contains = |address: &str| list.contains(address.parse().unwrap());
/// assert!(contains("10.1.2.3") && !contains("10.7.2.3") && contains("10.7.0.1"));
/// # Ok::<(), proxy_core::rules::ListError>(())
/// ```
///
/// A look-up is a binary search: the networks are made into ranges that do not overlap when the
/// list is made.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct NetworkList {
    /// Where the list begins to contain addresses and where it ceases to, by turns: an address is
    /// in it if an odd number of these is not above it.
    v4: Box<[u32]>,
    v6: Box<[u128]>,
    len: usize,
}

/// Whether a network belongs to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Membership {
    In,
    Out,
}

/// A network as numbers.
struct Block<N> {
    first: N,
    last: N,
    membership: Membership,
}

impl NetworkList {
    /// Reads a list: a network or an address on a line, `!` before one that is left out; `#` begins
    /// a comment. What is in no network is not in the list. Where the same network stands there
    /// twice, the last line counts.
    ///
    /// # Errors
    /// The first line that is no network.
    pub fn parse(text: &str) -> Result<NetworkList, ListError> {
        NetworkList::load(text.as_bytes())
    }

    /// Reads a list from a file, or wherever else it is, to its end.
    ///
    /// # Errors
    /// The first line that is no network, is longer than 16 KiB, or cannot be read; or lies 1 GiB
    /// from the beginning: no list is that long.
    pub fn load(reader: impl BufRead) -> Result<NetworkList, ListError> {
        let mut entries = Vec::new();
        each_line(reader, |number, line| {
            let (membership, word) = match line.strip_prefix('!') {
                Some(rest) => (Membership::Out, rest.trim_ascii()),
                None => (Membership::In, line),
            };
            let network = word.parse().map_err(|error| ListError::new(number, word, error))?;
            entries.push((network, membership));
            Ok(())
        })?;
        Ok(NetworkList::new(entries))
    }

    fn new(entries: Vec<(Network, Membership)>) -> NetworkList {
        let len = entries.len();
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (network, membership) in entries {
            let (first, last) = network.bounds();
            match (first, last) {
                (IpAddr::V4(first), IpAddr::V4(last)) => {
                    v4.push(Block { first: first.to_bits(), last: last.to_bits(), membership });
                }
                (IpAddr::V6(first), IpAddr::V6(last)) => {
                    v6.push(Block { first: first.to_bits(), last: last.to_bits(), membership });
                }
                _ => unreachable!("a network has addresses of one family"),
            }
        }
        NetworkList {
            v4: edges(v4, |last: u32| last.checked_add(1)),
            v6: edges(v6, |last: u128| last.checked_add(1)),
            len,
        }
    }

    /// Whether `address` is in the list. An IPv4 address in its IPv6 form counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let below = match address.to_canonical() {
            IpAddr::V4(address) => self.v4.partition_point(|&edge| edge <= address.to_bits()),
            IpAddr::V6(address) => self.v6.partition_point(|&edge| edge <= address.to_bits()),
        };
        below % 2 == 1
    }

    /// How many networks it was made of.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it was made of none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether no address is in it: there are no networks, or all are left out.
    pub(super) fn contains_nothing(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

impl FromIterator<Network> for NetworkList {
    fn from_iter<T: IntoIterator<Item = Network>>(networks: T) -> Self {
        let all_in = |network| (network, Membership::In);
        NetworkList::new(networks.into_iter().map(all_in).collect())
    }
}

impl fmt::Debug for NetworkList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetworkList({})", self.len)
    }
}

/// Goes over blocks from the lowest address to the highest, and notes where membership changes.
/// Blocks of networks never overlap in part: one contains the other, or they are apart.
fn edges<N: Copy + Ord>(mut blocks: Vec<Block<N>>, after: impl Fn(N) -> Option<N>) -> Box<[N]> {
    // What contains others comes before them. Of equal ones the last to be written comes last, as
    // the innermost: the sort is stable.
    blocks.sort_by(|one, other| (one.first, other.last).cmp(&(other.first, one.last)));
    let mut edges = Vec::new();
    let mut now = Membership::Out;
    // From `at` on, addresses are as `membership` says. A change at the same place as the one
    // before replaces it.
    let mut change = |at: N, membership: Membership| {
        if membership == now {
            return;
        }
        now = membership;
        match edges.last() {
            Some(&last) if last == at => drop(edges.pop()),
            _ => edges.push(at),
        }
    };
    let mut open: Vec<Block<N>> = Vec::new();
    let around = |open: &[Block<N>]| open.last().map_or(Membership::Out, |block| block.membership);
    for block in blocks {
        while let Some(ended) = open.pop_if(|outer| outer.last < block.first) {
            let next = after(ended.last).expect("a block follows, so this one is not the last");
            change(next, around(&open));
        }
        change(block.first, block.membership);
        open.push(block);
    }
    while let Some(ended) = open.pop() {
        if let Some(next) = after(ended.last) {
            change(next, around(&open));
        }
    }
    edges.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn contains(list: &str, address: &str) -> bool {
        NetworkList::parse(list).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn the_longest_prefix_decides_whatever_the_order() {
        for list in [
            "10.0.0.0/8\n!10.7.0.0/16\n10.7.7.0/24\n!10.7.7.7",
            "!10.7.7.7\n10.7.7.0/24\n!10.7.0.0/16\n10.0.0.0/8",
        ] {
            for (address, expected) in [
                ("9.255.255.255", false),
                ("10.0.0.0", true),
                ("10.6.255.255", true),
                ("10.7.0.0", false),
                ("10.7.6.255", false),
                ("10.7.7.0", true),
                ("10.7.7.6", true),
                ("10.7.7.7", false),
                ("10.7.7.8", true),
                ("10.7.8.0", false),
                ("10.8.0.0", true),
                ("::ffff:10.8.0.0", true),
                ("10.255.255.255", true),
                ("11.0.0.0", false),
                ("::1", false),
            ] {
                assert_eq!(contains(list, address), expected, "{address} in {list:?}");
            }
        }
    }

    #[test]
    fn the_ends_of_the_address_space() {
        for list in ["0.0.0.0/0\n::/0", "0.0.0.0/1\n128.0.0.0/1\n::/1\n8000::/1"] {
            for address in
                ["0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]
            {
                assert!(contains(list, address), "{address} in {list:?}");
            }
        }
        assert!(!contains("0.0.0.0/0\n!255.255.255.255", "255.255.255.255"));
        assert!(!contains("", "0.0.0.0"));
    }

    #[test]
    fn of_the_same_network_twice_the_last_counts() {
        assert!(!contains("10.0.0.0/8\n!10.0.0.0/8", "10.0.0.1"));
        assert!(contains("!10.0.0.0/8\n10.0.0.0/8", "10.0.0.1"));
    }

    #[test]
    fn a_wrong_line_is_named() {
        let error = NetworkList::parse("10.0.0.0/8 # all\n\n! 10.0.0.1/8").unwrap_err();
        assert_eq!((error.line, &*error.word), (3, "10.0.0.1/8"));
        assert_eq!(error.to_string(), "line 3: the address has bits set behind its prefix");
    }

    proptest! {
        /// Against the definition: of all networks around an address, the longest.
        #[test]
        fn it_is_what_the_longest_prefix_says(
            networks in prop::collection::vec((0_u32..256, 24_u8..=32, any::<bool>()), 0..24),
            addresses in prop::collection::vec(0_u32..256, 32),
        ) {
            let mut text = String::new();
            let mut parsed: Vec<(Network, bool)> = Vec::new();
            for (low, prefix, is_in) in networks {
                let low = low & u32::MAX.checked_shl(u32::from(32 - prefix)).unwrap_or(0);
                let network = format!("192.0.2.{low}/{prefix}");
                text += &format!("{}{network}\n", if is_in { "" } else { "!" });
                parsed.push((network.parse().unwrap(), is_in));
            }
            let list = NetworkList::parse(&text).unwrap();
            for low in addresses {
                let address = format!("192.0.2.{low}").parse().unwrap();
                let around = parsed.iter().filter(|(network, _)| network.contains(address));
                // Of equal ones `max_by_key` gives the last, too.
                let longest = around.max_by_key(|(network, _)| network.prefix());
                let expected = longest.is_some_and(|(_, is_in)| *is_in);
                prop_assert_eq!(list.contains(address), expected);
            }
        }
    }
}
