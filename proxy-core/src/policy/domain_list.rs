//! [`DomainList`]: many domains, and whether a host is in one of them.

use std::fmt;
use std::io::BufRead;
use std::net::IpAddr;

use super::host_name::{self, HostName, Suffix};
use super::list::{ListError, each_line};

/// Domains; a host is in the list if it is one of them or a subdomain of one.
///
/// It is made for millions: 12 to 23 bytes for each domain beside its name, and a look-up that
/// takes as long for a million as for ten.
///
/// ```
/// use proxy_core::rules::DomainList;
///
/// let list = DomainList::parse(
///     "# one on a line\n\
///      ads.example\n\
///      0.0.0.0 tracker.example  # or as in a hosts file\n",
/// )?;
/// assert!(list.contains("ads.example") && list.contains("WWW.ads.example."));
/// assert!(!list.contains("badads.example") && !list.contains("example"));
/// # Ok::<(), proxy_core::rules::ListError>(())
/// ```
#[derive(Clone, Default)]
pub struct DomainList {
    /// The names end to end, each behind its length.
    names: Vec<u8>,
    /// A table of names by their hash, which a slot holds in its upper half; the lower half is the
    /// place of the name, from 1. Empty slots are 0.
    slots: Vec<u64>,
    len: usize,
}

/// What each hosts file names beside what it is there for: the machine itself.
const OWN_NAMES: [&str; 12] = [
    "localhost",
    "localhost.localdomain",
    "local",
    "broadcasthost",
    "ip6-localhost",
    "ip6-loopback",
    "ip6-localnet",
    "ip6-mcastprefix",
    "ip6-allnodes",
    "ip6-allrouters",
    "ip6-allhosts",
    "0.0.0.0",
];

impl DomainList {
    /// An empty list.
    pub fn new() -> DomainList {
        DomainList::default()
    }

    /// Reads a list: one domain on a line, or as in a hosts file, where an address stands in front
    /// of one or more names. `#` begins a comment. A dot or `*.` before a domain, and a dot behind it,
    /// change nothing. Names of the machine itself, as `localhost`, are left out where a hosts file has
    /// them. Names in other scripts are written in their ASCII form (RFC 5890), `xn--…`, in which
    /// clients send them.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<DomainList, ListError> {
        DomainList::load(text.as_bytes())
    }

    /// Reads a list from a file, or wherever else it is, to its end. One line of it at a time
    /// is in memory.
    ///
    /// ```no_run
    /// use std::fs::File;
    /// use std::io::BufReader;
    /// use proxy_core::rules::DomainList;
    ///
    /// let list = DomainList::load(BufReader::new(File::open("ads.txt")?))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The first line that is wrong, is longer than 16 KiB, or cannot be read; or lies 1 GiB from the
    /// beginning: no list is that long.
    pub fn load(reader: impl BufRead) -> Result<DomainList, ListError> {
        let mut list = DomainList::new();
        each_line(reader, |number, line| list.add_line(number, line))?;
        list.shrink_to_fit();
        Ok(list)
    }

    fn add_line(&mut self, number: usize, line: &str) -> Result<(), ListError> {
        let mut words = line.split_ascii_whitespace();
        let first = words.next().unwrap_or_default();
        let wrong = |problem| Err(ListError::new(number, first, problem));
        if first.starts_with(['|', '@', '!', '[']) {
            return wrong(
                "this is from a filter list for browsers, whose lines say more than a domain: take \
                 the form of the list that is for hosts files or name servers",
            );
        }
        let Some(second) = words.next() else { return self.insert_at(number, first) };
        if first.parse::<IpAddr>().is_err() && !is_scoped(first) {
            return wrong(
                "two words: expected a domain alone, or an address and names, as in a hosts file",
            );
        }
        for name in std::iter::once(second).chain(words) {
            if !OWN_NAMES.contains(&name) {
                self.insert_at(number, name)?;
            }
        }
        Ok(())
    }

    fn insert_at(&mut self, line: usize, name: &str) -> Result<(), ListError> {
        self.insert(name).map_err(|problem| ListError::new(line, name, problem))
    }

    /// Adds a domain, unless it is there.
    ///
    /// # Errors
    /// If it is none, or the list is full.
    pub fn insert(&mut self, domain: &str) -> Result<(), DomainError> {
        let bare = domain.strip_prefix("*.").or_else(|| domain.strip_prefix('.')).unwrap_or(domain);
        let bare = bare.strip_suffix('.').unwrap_or(bare);
        if host_name::ends_in_number(bare) {
            // An address has more forms than one.
            return self.insert_name(HostName::new(bare).bytes());
        }
        let mut lower = [0; 253];
        let name = lower.get_mut(..bare.len()).ok_or(DomainError::Malformed)?;
        name.copy_from_slice(bare.as_bytes());
        name.make_ascii_lowercase();
        self.insert_name(name)
    }

    /// Adds a name in its one form.
    fn insert_name(&mut self, name: &[u8]) -> Result<(), DomainError> {
        if !host_name::is_domain(name) {
            return Err(DomainError::Malformed);
        }
        if self.len >= self.slots.len() / 4 * 3 {
            self.grow();
        }
        let hash = host_name::hash(name);
        let free = match self.search(hash, name) {
            Ok(_) => return Ok(()),
            Err(free) => free,
        };
        let place = place_behind(self.names.len())?;
        self.names.push(name.len() as u8);
        self.names.extend_from_slice(name);
        self.slots[free] = u64::from(hash) << 32 | u64::from(place);
        self.len += 1;
        Ok(())
    }

    /// Whether `host` is in one of the domains.
    pub fn contains(&self, host: &str) -> bool {
        self.contains_name(&HostName::new(host))
    }

    pub(super) fn contains_name(&self, host: &HostName) -> bool {
        host.suffixes().iter().any(|&suffix| self.has(host, suffix))
    }

    /// Whether `host` itself is in the list.
    pub(super) fn has_whole(&self, host: &HostName) -> bool {
        host.whole().is_some_and(|whole| self.has(host, whole))
    }

    /// The marks of all names: see [`HostName::marks`].
    pub(super) fn marks(&self) -> u64 {
        let names = self.slots.iter().filter(|&&slot| slot != 0);
        names.fold(0, |marks, slot| marks | host_name::mark((slot >> 32) as u32))
    }

    fn has(&self, host: &HostName, suffix: Suffix) -> bool {
        !self.slots.is_empty()
            && self.search(suffix.hash, &host.bytes()[suffix.start as usize..]).is_ok()
    }

    /// How many domains there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The memory it takes, in bytes.
    pub fn memory(&self) -> usize {
        self.names.capacity() + self.slots.capacity() * size_of::<u64>()
    }

    /// Gives back memory that was set aside for more domains.
    pub fn shrink_to_fit(&mut self) {
        self.names.shrink_to_fit();
        self.slots.shrink_to_fit();
    }

    /// The slot of a name, or the one it would get. There must be a free one.
    fn search(&self, hash: u32, name: &[u8]) -> Result<usize, usize> {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return Err(at);
            }
            if (slot >> 32) as u32 == hash && self.name(slot as u32) == name {
                return Ok(at);
            }
            at = (at + 1) & mask;
        }
    }

    fn name(&self, place: u32) -> &[u8] {
        let at = place as usize;
        &self.names[at..at + usize::from(self.names[at - 1])]
    }

    fn grow(&mut self) {
        let larger = vec![0; (self.slots.len() * 2).max(8)];
        let mask = larger.len() - 1;
        for slot in std::mem::replace(&mut self.slots, larger) {
            if slot != 0 {
                let mut at = (slot >> 32) as usize & mask;
                while self.slots[at] != 0 {
                    at = (at + 1) & mask;
                }
                self.slots[at] = slot;
            }
        }
    }
}

/// Where a name is that is added behind this many bytes. 4 GiB of names are more than there are
/// domains.
fn place_behind(bytes: usize) -> Result<u32, DomainError> {
    let place = bytes.checked_add(1).and_then(|place| u32::try_from(place).ok());
    place.ok_or(DomainError::Full)
}

/// Hosts files have link-local addresses with their interface: `fe80::1%lo0`.
fn is_scoped(word: &str) -> bool {
    word.split_once('%').is_some_and(|(address, _)| address.parse::<IpAddr>().is_ok())
}

impl fmt::Debug for DomainList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DomainList({})", self.len)
    }
}

/// Why a text cannot be added to a [`DomainList`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DomainError {
    /// It is no domain.
    #[error("not a domain: expected letters, digits, `-` and `_`, with dots between them")]
    Malformed,
    /// There are 4 GiB of names in it.
    #[error("the list is full")]
    Full,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn plain_lines_hosts_lines_and_comments() {
        let list = DomainList::parse(
            "\u{feff}# a list\r\n\
             ads.example\r\n\
             \n\
             *.Wide.example # a comment\n\
             .dotted.example.\n\
             127.0.0.1 localhost\n\
             0.0.0.0 one.example two.example\n\
             ::1 localhost three.example\n\
             fe80::1%lo0 localhost\n\
             0.0.0.0 0.0.0.0",
        )
        .unwrap();
        for host in [
            "ads.example",
            "x.y.ads.example",
            "wide.example",
            "dotted.example",
            "one.example",
            "two.example",
            "three.example",
        ] {
            assert!(list.contains(host), "{host}");
        }
        for host in ["localhost", "example", "0.0.0.0", "xads.example", "ads.example.org", ""] {
            assert!(!list.contains(host), "{host}");
        }
        assert_eq!(list.len(), 6);
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, line, word) in [
            ("a.test\nb\u{fc}cher.test", 2, "b\u{fc}cher.test"),
            ("\n# x\n||ads.test^", 3, "||ads.test^"),
            ("a.test b.test", 1, "a.test"),
            ("0.0.0.0 a.test a..test", 1, "a..test"),
            ("http://a.test/", 1, "http://a.test/"),
            ("a.test\r\n\r\n! a filter", 3, "!"),
            ("a.test\n@@||a.test^$script", 2, "@@||a.test^$script"),
            ("[Adblock Plus 2.0]", 1, "[Adblock"),
            ("a.test\rb.test", 1, "a.test"),
            ("a.*", 1, "a.*"),
            ("*.*.test", 1, "*.*.test"),
        ] {
            let error = DomainList::parse(text).unwrap_err();
            assert_eq!((error.line, &*error.word), (line, word));
        }
    }

    #[test]
    fn an_address_in_a_list_is_that_address_however_it_is_written() {
        let list = DomainList::parse("192.0.2.1\n0.0.0.0 0xc0.0.2.2").unwrap();
        for host in ["192.0.2.1", "3221225985", "192.0.513", "[::ffff:c000:201]", "192.0.2.2"] {
            assert!(list.contains(host), "{host}");
        }
        for host in ["192.0.2.3", "0.2.1", "[::192.0.2.1]"] {
            assert!(!list.contains(host), "{host}");
        }
    }

    #[test]
    fn an_empty_list_contains_nothing() {
        let list = DomainList::new();
        assert!(list.is_empty() && !list.contains("a.test"));
    }

    #[test]
    fn a_list_can_be_full() {
        assert_eq!(place_behind(0), Ok(1));
        assert_eq!(place_behind(u32::MAX as usize - 1), Ok(u32::MAX));
        assert_eq!(place_behind(u32::MAX as usize), Err(DomainError::Full));
        assert_eq!(place_behind(usize::MAX), Err(DomainError::Full));
    }

    #[test]
    fn a_large_list_contains_what_was_put_in_and_nothing_else() {
        let name = |number: u32| format!("host-{number}.domain{}.example", number % 97);
        let mut list = DomainList::new();
        let mut known = HashSet::new();
        for number in (0..50_000).step_by(2) {
            list.insert(&name(number)).unwrap();
            list.insert(&name(number)).unwrap();
            known.insert(name(number));
        }
        list.shrink_to_fit();
        assert_eq!(list.len(), known.len());
        for number in 0..50_000 {
            assert_eq!(list.contains(&name(number)), known.contains(&name(number)), "{number}");
        }
        assert!(list.memory() <= 64 * list.len(), "{} bytes", list.memory());
    }
}
