//! The list of hosts that would have let a run pass.

use std::collections::BTreeMap;

use proxy_core::DestinationGuard;

use super::allowed::address_of;
use super::table::bytes;
use super::tally::{Count, Counts};

/// Ports that a host in the list need not name: it stands for any port then, and those are the
/// ones that people mean.
const USUAL: [u16; 2] = [80, 443];

/// A file for `--allow-from`: the hosts that were asked for, in the order of the alphabet, also
/// those that were refused for being on no list. What no list can allow stands in a comment: what
/// `guard` refuses by its address, or has refused.
pub fn list(counts: &Counts, guard: &DestinationGuard) -> String {
    let mut hosts: BTreeMap<&str, Vec<(u16, &Count)>> = BTreeMap::new();
    for (place, count) in &counts.hosts {
        hosts.entry(&place.host).or_default().push((place.port, count));
    }
    let mut lines = Vec::new();
    for (host, ports) in hosts {
        let is_refused = address_of(host).is_some_and(|address| guard.check(address).is_err());
        let told = |counts: &[&Count]| told(counts, is_refused);
        if ports.iter().all(|(port, _)| USUAL.contains(port)) {
            let counts: Vec<_> = ports.iter().map(|(_, count)| *count).collect();
            lines.push((host.to_owned(), told(&counts)));
        } else {
            let each = |(port, count): (u16, &Count)| (format!("{host}:{port}"), told(&[count]));
            lines.extend(ports.into_iter().map(each));
        }
    }
    let passing = lines.iter().filter(|(_, told)| matches!(told, Told::Passes(_)));
    let width = passing.map(|(entry, _)| entry.len()).max().unwrap_or(0);
    let mut text =
        String::from("# Hosts for `proxy-cli exec --allow-from`, as a run has asked for them.\n");
    for (entry, told) in &lines {
        text += &match told {
            Told::Passes(what) => format!("{entry:width$}  # {what}\n"),
            Told::Never(what) => format!("# {entry}: {what}\n"),
        };
    }
    match counts.others.requests {
        0 => {}
        requests => text += &format!("# {requests} requests more, to hosts that found no place.\n"),
    }
    text
}

enum Told {
    Passes(String),
    Never(String),
}

fn told(counts: &[&Count], is_refused: bool) -> Told {
    let requests: u64 = counts.iter().map(|count| count.requests).sum();
    let denied: u64 = counts.iter().map(|count| count.denied).sum();
    let out_of_reach: u64 = counts.iter().map(|count| count.out_of_reach).sum();
    let received = counts.iter().map(|count| count.received).sum();
    let times = if requests == 1 { "1 request".to_owned() } else { format!("{requests} requests") };
    if is_refused || out_of_reach == requests {
        return Told::Never(format!(
            "{times}, refused for its address or port, which no list allows"
        ));
    }
    Told::Passes(match denied {
        0 => format!("{times}, {}", bytes(received)),
        denied if denied == requests => format!("{times}, refused in this run"),
        denied => format!("{times}, {}; {denied} refused in this run", bytes(received)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::allowed::AllowList;
    use super::super::tally::tests::counted;
    use super::*;
    use proxy_core::Reason;

    #[test]
    fn it_is_short_sorted_and_lets_the_same_run_pass() {
        let denied = Some(Reason::DeniedByRule);
        let counts = counted(&[
            ("CONNECT", "z.test:443", "z.test", 2000, None),
            ("GET", "http://z.test/", "z.test", 0, None),
            ("GET", "http://a.test:8080/", "a.test", 10, None),
            ("GET", "http://a.test/", "a.test", 10, denied),
            ("GET", "http://b.test/", "b.test", 10, denied),
            ("GET", "http://b.test/", "b.test", 10, None),
            (
                "GET",
                "http://169.254.169.254/",
                "169.254.169.254",
                1,
                Some(Reason::DestinationNotAllowed),
            ),
            // It was not even looked at, but would have been.
            ("CONNECT", "[fe80::1]:443", "[fe80::1]", 1, denied),
            ("GET", "/", "127.0.0.1", 1, Some(Reason::NotAProxyRequest)),
        ]);
        let list = list(&counts, &DestinationGuard::on_loopback());
        assert_eq!(
            list,
            "# Hosts for `proxy-cli exec --allow-from`, as a run has asked for them.\n\
             # 169.254.169.254: 1 request, refused for its address or port, which no list allows\n\
             # [fe80::1]: 1 request, refused for its address or port, which no list allows\n\
             a.test:80    # 1 request, refused in this run\n\
             a.test:8080  # 1 request, 10 B\n\
             b.test       # 2 requests, 20 B; 1 refused in this run\n\
             z.test       # 2 requests, 2.0 kB\n"
        );
        let mut read = AllowList::default();
        read.parse("f", &list).unwrap();
        for (host, port) in [("z.test", 443), ("z.test", 80), ("a.test", 8080), ("a.test", 80)] {
            assert!(read.allows(host, port), "{host}:{port}");
        }
        assert!(!read.allows("169.254.169.254", 80) && !read.allows("a.test", 443));
    }

    #[test]
    fn a_run_without_requests_needs_no_host() {
        assert_eq!(list(&Counts::default(), &DestinationGuard::on_loopback()).lines().count(), 1);
    }
}
