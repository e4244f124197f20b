//! The texts that rules are made of: a list of domains, a list of networks, and a pattern on each
//! line. The input is all of these.

use std::io::BufReader;
use std::net::IpAddr;

use proxy_core::Network;
use proxy_core::rules::{
    Days, DomainList, Glob, HostPattern, ListError, NetworkList, Span, UrlPattern,
};

pub fn check(input: &[u8]) {
    domains(input);
    networks(input);
    if let Ok(text) = std::str::from_utf8(input) {
        text.lines().for_each(pattern);
    }
}

/// What stands on the lines, as the documentation has it.
fn lines(input: &[u8]) -> impl Iterator<Item = &str> {
    let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    input.split(|&byte| byte == b'\n').map(|line| {
        let said = line.split(|&byte| byte == b'#').next().unwrap_or_default();
        std::str::from_utf8(said).expect("the list was taken").trim_ascii()
    })
}

/// A complaint is about a line that is there.
fn points_into(input: &[u8], error: &ListError) {
    let count = input.split(|&byte| byte == b'\n').count();
    assert!((1..=count).contains(&error.line), "{error} of {count} lines");
    assert!(error.word.len() <= 256, "{} bytes are shown", error.word.len());
}

fn domains(input: &[u8]) {
    let whole = DomainList::load(input);
    let in_pieces = DomainList::load(BufReader::with_capacity(3, input));
    let (list, again) = match (whole, in_pieces) {
        (Ok(list), Ok(again)) => (list, again),
        (Err(one), Err(other)) => {
            assert_eq!(one, other);
            return points_into(input, &one);
        }
        (one, other) => panic!("{one:?}, and in pieces {other:?}"),
    };
    assert_eq!((list.len(), list.memory()), (again.len(), again.memory()));
    // At most 253 bytes of a name and one for its length, and a table that is three eighths full.
    assert!(list.memory() <= list.len() * (254 + 22) + 64, "{} bytes", list.memory());
    for line in lines(input) {
        let mut words = line.split_ascii_whitespace().rev();
        let Some(last) = words.next() else { continue };
        let is_alone = words.next().is_none();
        let name = last.strip_prefix("*.").or_else(|| last.strip_prefix('.')).unwrap_or(last);
        if is_alone {
            assert!(list.contains(name) && again.contains(name), "{name}");
            assert!(list.contains(&name.to_ascii_uppercase()), "{name}");
            // What ends in a digit may be an address, which has no subdomains.
            if !name.ends_with(|c: char| c.is_ascii_hexdigit() || c == '.') && name.len() < 200 {
                assert!(list.contains(&format!("www.{name}")), "{name}");
            }
        }
    }
}

fn networks(input: &[u8]) {
    let whole = NetworkList::load(input);
    assert_eq!(whole, NetworkList::load(BufReader::with_capacity(3, input)));
    let list = match whole {
        Ok(list) => list,
        Err(error) => return points_into(input, &error),
    };
    let mut all: Vec<(Network, bool)> = Vec::new();
    for line in lines(input).filter(|line| !line.is_empty()) {
        let bare = line.strip_prefix('!').unwrap_or(line).trim_ascii();
        all.push((bare.parse().expect("the list was taken"), bare == line));
    }
    assert_eq!(list.len(), all.len());
    // Each network begins and ends somewhere, and there it is decided who is in.
    for (network, _) in all.iter().take(64) {
        let text = network.to_string();
        let first: IpAddr = text.split('/').next().unwrap().parse().unwrap();
        for address in [Some(first), next(first), before(first)].into_iter().flatten() {
            let around = all.iter().filter(|(network, _)| network.contains(address));
            let longest = around.max_by_key(|(network, _)| network.prefix());
            let expected = longest.is_some_and(|(_, is_in)| *is_in);
            assert_eq!(list.contains(address), expected, "{address}");
        }
    }
}

fn next(address: IpAddr) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(it) => IpAddr::V4(it.to_bits().checked_add(1)?.into()),
        IpAddr::V6(it) => IpAddr::V6(it.to_bits().checked_add(1)?.into()),
    })
}

fn before(address: IpAddr) -> Option<IpAddr> {
    Some(match address {
        IpAddr::V4(it) => IpAddr::V4(it.to_bits().checked_sub(1)?.into()),
        IpAddr::V6(it) => IpAddr::V6(it.to_bits().checked_sub(1)?.into()),
    })
}

/// What is accepted can be printed and read again, and what a host pattern means without a star it
/// is like.
fn pattern(text: &str) {
    if let Ok(host) = text.parse::<HostPattern>() {
        assert_eq!(host.to_string(), text);
        if !text.contains(['*', '?']) {
            let name = text.strip_prefix('.').unwrap_or(text);
            assert!(host.matches(name) && host.matches(&name.to_ascii_uppercase()), "{text}");
        }
    }
    if let Ok(url) = text.parse::<UrlPattern>() {
        assert_eq!(url.to_string().parse().as_ref(), Ok(&url));
    }
    if let Ok(glob) = text.parse::<Glob>() {
        assert!(glob.matches(text.as_bytes()), "a pattern is like itself");
    }
    if let Ok(days) = text.parse::<Days>() {
        assert_eq!(days.to_string().parse(), Ok(days));
    }
    if let Ok(span) = text.parse::<Span>() {
        assert_eq!(span.to_string(), text);
    }
}
