//! [`HostName`]: a host in the one form by which hosts are compared.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The labels that a name in a rule or a list may have. A host may have more: it is compared by
/// its last ones.
pub(super) const LABELS: usize = 32;

/// Names longer than this are of no use (RFC 1035 §2.3.4), and cost memory.
const USUAL: usize = 256;

/// A host as it is compared: in lower case, without the dot that a full name may end with, an address
/// in its shortest form. And its suffixes, from label to label, hashed once for all that it
/// is looked for in.
pub(super) struct HostName {
    usual: [u8; USUAL],
    len: usize,
    /// In place of `usual`, for what is longer.
    unusual: Vec<u8>,
    suffixes: [Suffix; LABELS],
    count: usize,
    marks: u64,
}

/// The end of a name, from a label on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Suffix {
    pub(super) start: u32,
    pub(super) hash: u32,
}

impl HostName {
    pub(super) fn new(host: &str) -> HostName {
        let mut name = HostName {
            usual: [0; USUAL],
            len: 0,
            unusual: Vec::new(),
            suffixes: [Suffix::default(); LABELS],
            count: 0,
            marks: 0,
        };
        if let Some(address) = address(host) {
            let mut room = &mut name.usual[..];
            match address {
                IpAddr::V4(address) => write!(room, "{address}"),
                IpAddr::V6(address) => write!(room, "[{address}]"),
            }
            .expect("the longest address has 39 characters");
            name.len = USUAL - room.len();
        } else {
            let host = host.trim_end_matches('.').as_bytes();
            name.len = host.len();
            let copy = match name.usual.get_mut(..host.len()) {
                Some(room) => room,
                None => {
                    name.unusual = vec![0; host.len()];
                    &mut name.unusual
                }
            };
            copy.copy_from_slice(host);
            copy.make_ascii_lowercase();
        }
        name.hash_suffixes();
        name
    }

    pub(super) fn bytes(&self) -> &[u8] {
        if self.unusual.is_empty() { &self.usual[..self.len] } else { &self.unusual }
    }

    /// The name and what is left of it without its first labels, the shortest first.
    pub(super) fn suffixes(&self) -> &[Suffix] {
        &self.suffixes[..self.count]
    }

    /// The whole name among its suffixes, unless it has too many labels for anything to equal it.
    pub(super) fn whole(&self) -> Option<Suffix> {
        self.suffixes().last().copied().filter(|suffix| suffix.start == 0)
    }

    /// A bit for each suffix: a name in a list can be one of them only if it has its bit here.
    pub(super) fn marks(&self) -> u64 {
        self.marks
    }

    fn hash_suffixes(&mut self) {
        let bytes = if self.unusual.is_empty() { &self.usual[..self.len] } else { &self.unusual };
        let mut state = BASIS;
        for (at, &byte) in bytes.iter().enumerate().rev() {
            state = step(state, byte);
            if (at == 0 || bytes[at - 1] == b'.') && self.count < LABELS {
                self.suffixes[self.count] = Suffix { start: at as u32, hash: fold(state) };
                self.count += 1;
                self.marks |= mark(fold(state));
            }
        }
    }
}

/// The hash of a whole name, as [`HostName`] has it for its suffixes.
pub(super) fn hash(name: &[u8]) -> u32 {
    fold(name.iter().rev().fold(BASIS, |state, &byte| step(state, byte)))
}

/// One of 64 bits, by the upper bits of a hash: the lower ones choose the place in a table.
pub(super) fn mark(hash: u32) -> u64 {
    1 << (hash >> 26)
}

// FNV-1a, from the end of the name. Nobody but who runs the proxy chooses what is in a table, so
// nobody can make its entries collide.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;

fn step(state: u64, byte: u8) -> u64 {
    (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

/// All bits of the state have a part in the lower ones, which choose the place in a table.
fn fold(state: u64) -> u32 {
    let mixed = (state ^ (state >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as u32
}

/// The address that a host is, however it is written. IPv4 addresses can be reached by their IPv6
/// form (RFC 4291 §2.5.5.2), too: it is the same host.
pub(super) fn address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(rest) => {
            let address: Ipv6Addr = rest.strip_suffix(']')?.parse().ok()?;
            Some(IpAddr::V6(address).to_canonical())
        }
        None => ipv4(host.trim_end_matches('.')).map(IpAddr::V4),
    }
}

/// An IPv4 address as resolvers read it, the way of C's `inet_aton`: one to four numbers, in base
/// 16 after `0x` and 8 after `0`, the last of which stands for all bytes that are left. So
/// `2130706433`, `127.1` and `0x7f.0.0.01` are 127.0.0.1 to whoever looks them up.
fn ipv4(host: &str) -> Option<Ipv4Addr> {
    if !ends_in_number(host) {
        return None;
    }
    let mut parts = host.split('.');
    let last = number(parts.next_back()?)?;
    let (mut bits, mut left) = (0, 32);
    for part in parts {
        let byte = number(part).filter(|&number| number < 256)?;
        left -= 8;
        if left == 0 {
            return None;
        }
        bits |= byte << left;
    }
    (left == 32 || last >> left == 0).then(|| Ipv4Addr::from_bits(bits | last))
}

fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    // What `from_str_radix` takes beyond digits is a sign.
    let is_unsigned = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    u32::from_str_radix(digits, radix).ok().filter(|_| is_unsigned)
}

/// Whether the last label begins with a digit: no top-level domain does, so that addresses can be
/// told from names (RFC 1123 §2.1).
pub(super) fn ends_in_number(host: &str) -> bool {
    let label = host.rfind('.').map_or(0, |dot| dot + 1);
    host.as_bytes().get(label).is_some_and(u8::is_ascii_digit)
}

/// Whether `name` is one that can stand in a rule or a list: labels of letters, digits, `-` and `_`
/// with dots between them, in lower case.
pub(super) fn is_domain(name: &[u8]) -> bool {
    let mut labels = 0;
    name.len() <= 253
        && name.split(|&byte| byte == b'.').all(|label| {
            labels += 1;
            (1..=63).contains(&label.len())
                && label.iter().all(|&byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
        })
        && labels <= LABELS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suffixes(host: &str) -> Vec<String> {
        let name = HostName::new(host);
        let text = |suffix: &Suffix| {
            let bytes = &name.bytes()[suffix.start as usize..];
            assert_eq!(suffix.hash, hash(bytes));
            String::from_utf8(bytes.to_vec()).unwrap()
        };
        name.suffixes().iter().map(text).collect()
    }

    #[test]
    fn a_host_has_one_form_however_it_is_written() {
        for (host, form) in [
            ("Example.COM", "example.com"),
            ("example.com.", "example.com"),
            ("example.com...", "example.com"),
            ("[2001:DB8:0:0::1]", "[2001:db8::1]"),
            ("[::]", "[::]"),
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1.", "192.0.2.1"),
            ("[::FFFF:192.0.2.1]", "192.0.2.1"),
            ("[::ffff:c000:201]", "192.0.2.1"),
            ("[::192.0.2.1]", "[::c000:201]"),
            ("", ""),
        ] {
            assert_eq!(HostName::new(host).bytes(), form.as_bytes());
        }
    }

    #[test]
    fn an_address_is_one_host_in_whatever_numbers_it_is_written() {
        for (host, form) in [
            ("2130706433", "127.0.0.1"),
            ("0x7F000001", "127.0.0.1"),
            ("017700000001", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("127.0.1", "127.0.0.1"),
            ("0x7f.00.0.01", "127.0.0.1"),
            ("192.168.65535", "192.168.255.255"),
            ("0", "0.0.0.0"),
            ("4294967295", "255.255.255.255"),
            // These are names to a resolver, of which it knows nothing.
            ("4294967296", "4294967296"),
            ("192.168.65536", "192.168.65536"),
            ("127.0.0.256", "127.0.0.256"),
            ("256.0.0.1", "256.0.0.1"),
            ("1.2.3.4.5", "1.2.3.4.5"),
            ("127..1", "127..1"),
            ("0x", "0x"),
            ("09", "09"),
            ("1.2.3.4x", "1.2.3.4x"),
            ("3com.test", "3com.test"),
            ("1.test", "1.test"),
        ] {
            assert_eq!(HostName::new(host).bytes(), form.as_bytes(), "{host}");
        }
    }

    #[test]
    fn suffixes_begin_at_labels() {
        assert_eq!(suffixes("A.b.test."), ["test", "b.test", "a.b.test"]);
        assert_eq!(suffixes(""), [""; 0]);
        assert_eq!(suffixes("[::1]"), ["[::1]"]);
    }

    #[test]
    fn a_name_of_any_length_is_compared_by_its_last_labels() {
        let long = format!("{}example.com", "a.".repeat(4000));
        let name = HostName::new(&long);
        assert_eq!((name.bytes(), name.suffixes().len()), (long.as_bytes(), LABELS));
        assert_eq!(name.whole(), None);
        assert_eq!(name.suffixes()[1].hash, hash(b"example.com"));
    }

    #[test]
    fn domains_are_names_that_can_be_looked_up() {
        for good in ["a", "example.com", "xn--bcher-kva.example", "_dmarc.a-b.test", "192.0.2.1"] {
            assert!(is_domain(good.as_bytes()), "{good}");
        }
        let (long, deep) = ("a".repeat(64), ["a"; 33].join("."));
        for bad in
            ["", ".", "a..b", ".a", "a.", "A", "b\u{fc}cher", "a b", "a/b", "*", &long, &deep]
        {
            assert!(!is_domain(bad.as_bytes()), "{bad}");
        }
    }
}
