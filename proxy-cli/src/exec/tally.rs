//! [`Tally`]: what a command asked for, host by host.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use proxy_core::{AccessRecord, Event, Reason, RequestLogger};

/// Counts requests, from the records of the log thread. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<Counts>>);

/// What was counted, by host and port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub hosts: BTreeMap<Place, Count>,
    /// What hosts that found no place any more have together.
    pub others: Count,
    /// Requests that named no host, as those to the proxy itself or that were not understood.
    pub without_host: Count,
}

/// Where a request was to go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// In lower case; an IPv6 address in its brackets.
    pub host: String,
    pub port: u16,
}

/// What is counted of a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub requests: u64,
    /// Content bytes from the command, and to it.
    pub sent: u64,
    pub received: u64,
    /// How often each reason ended a request, a rule with its name.
    pub reasons: BTreeMap<String, u64>,
    /// How many requests the list of allowed hosts has refused.
    pub denied: u64,
    /// How many were refused for another cause: no list can allow them.
    pub out_of_reach: u64,
}

/// Hosts that are told apart. A command that asks for more, as a crawler does, must not fill the
/// memory; and nobody reads a longer table.
const HOSTS: usize = 4096;

impl Tally {
    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        // A panic between two additions leaves counts that can still be shown.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl RequestLogger for Tally {
    fn log(&self, record: &AccessRecord<'_>) {
        // A tunnel has a record when it is opened, too.
        if record.event == Event::Close {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).add(record);
        }
    }
}

impl Counts {
    /// What was counted in all.
    pub fn total(&self) -> Count {
        let mut total = Count::default();
        for count in self.hosts.values().chain([&self.others, &self.without_host]) {
            total.requests += count.requests;
            total.sent += count.sent;
            total.received += count.received;
            total.denied += count.denied;
            total.out_of_reach += count.out_of_reach;
        }
        total
    }

    fn add(&mut self, record: &AccessRecord<'_>) {
        let count = match Place::of(record) {
            None => &mut self.without_host,
            Some(place) if self.hosts.len() < HOSTS || self.hosts.contains_key(&place) => {
                self.hosts.entry(place).or_default()
            }
            Some(_) => &mut self.others,
        };
        count.requests += 1;
        count.sent += record.bytes_in;
        count.received += record.bytes_out;
        match record.reason {
            // The command went away by itself, or was over: nothing to tell of.
            None | Some(Reason::ClientClosed | Reason::ShutDown) => {}
            Some(reason) => {
                let told = match record.rule {
                    Some(rule) if reason == Reason::DeniedByRule => format!("{reason}: {rule}"),
                    _ => reason.to_string(),
                };
                *count.reasons.entry(told).or_default() += 1;
                match (reason, record.rule) {
                    // One without a name is the list of the command's own.
                    (Reason::DeniedByRule, None) => count.denied += 1,
                    (Reason::DeniedByRule, Some(_)) => count.out_of_reach += 1,
                    (
                        Reason::DestinationNotAllowed
                        | Reason::PortNotAllowed
                        | Reason::LoopDetected,
                        _,
                    ) => count.out_of_reach += 1,
                    _ => {}
                }
            }
        }
    }
}

impl Place {
    /// Where a request was to go: `None` if it named no host.
    fn of(record: &AccessRecord<'_>) -> Option<Place> {
        // The host of an origin-form request is this proxy itself.
        let (default_port, authority) = match record.target.split_once("://") {
            Some((scheme, rest)) => {
                let is_https = scheme.eq_ignore_ascii_case("https");
                let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
                (if is_https { 443 } else { 80 }, authority)
            }
            None if record.method == "CONNECT" => (443, record.target),
            None => return None,
        };
        if record.host == "-" {
            return None;
        }
        // Behind the last colon, unless that stands inside an IPv6 address.
        let port = authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        Some(Place { host: record.host.to_ascii_lowercase(), port: port.unwrap_or(default_port) })
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Counts such records: method, target, host, bytes to the command, reason.
    pub fn counted(records: &[(&str, &str, &str, u64, Option<Reason>)]) -> Counts {
        let tally = Tally::default();
        for &(method, target, host, bytes_out, reason) in records {
            let mut record = AccessRecord::new(([127, 0, 0, 1], 1).into());
            (record.method, record.target, record.host) = (method, target, host);
            (record.bytes_in, record.bytes_out, record.reason) = (7, bytes_out, reason);
            tally.log(&record);
        }
        tally.counts()
    }

    fn places(records: &[(&str, &str, &str, u64, Option<Reason>)]) -> Vec<(String, u16)> {
        counted(records).hosts.into_keys().map(|place| (place.host, place.port)).collect()
    }

    #[test]
    fn hosts_are_told_apart_by_name_and_port() {
        let places = places(&[
            ("GET", "http://B.test/a:1?b=http://c", "B.test", 0, None),
            ("GET", "http://b.test:80", "b.test", 0, None),
            ("CONNECT", "b.test:443", "b.test", 0, None),
            ("GET", "http://[::1]/", "[::1]", 0, None),
            ("GET", "http://[::1]:8080/", "[::1]", 0, None),
            ("GET", "https://a.test/", "a.test", 0, Some(Reason::UnsupportedScheme)),
        ]);
        let expected =
            [("[::1]", 80), ("[::1]", 8080), ("a.test", 443), ("b.test", 80), ("b.test", 443)];
        assert_eq!(places, expected.map(|(host, port)| (host.to_owned(), port)));
    }

    #[test]
    fn what_names_no_host_is_counted_by_itself() {
        let counts = counted(&[
            ("GET", "/", "127.0.0.1", 0, Some(Reason::NotAProxyRequest)),
            ("-", "-", "-", 0, Some(Reason::BadRequestLine)),
        ]);
        assert!(counts.hosts.is_empty());
        assert_eq!(counts.without_host.requests, 2);
        assert_eq!(counts.total().requests, 2);
    }

    #[test]
    fn a_rule_is_told_by_its_name_and_is_not_the_list() {
        let tally = Tally::default();
        let mut record = AccessRecord::new(([127, 0, 0, 1], 1).into());
        (record.method, record.target, record.host) = ("CONNECT", "a.test:443", "a.test");
        record.reason = Some(Reason::DeniedByRule);
        record.rule = Some("no-games");
        tally.log(&record);
        let counts = tally.counts();
        let count = counts.hosts.values().next().unwrap();
        assert_eq!(count.reasons["denied_by_rule: no-games"], 1);
        assert_eq!((count.denied, count.out_of_reach), (0, 1));
    }

    #[test]
    fn a_tunnel_is_counted_once() {
        let tally = Tally::default();
        let mut record = AccessRecord::new(([127, 0, 0, 1], 1).into());
        (record.method, record.target, record.host) = ("CONNECT", "a.test:443", "a.test");
        for event in [Event::Open, Event::Close] {
            record.event = event;
            tally.log(&record);
        }
        assert_eq!(tally.counts().total().requests, 1);
    }

    #[test]
    fn reasons_are_counted_but_for_those_of_the_command_itself() {
        let ask = |reason| ("GET", "http://a.test/", "a.test", 3, reason);
        let counts = counted(&[
            ask(None),
            ask(Some(Reason::ClientClosed)),
            ask(Some(Reason::DeniedByRule)),
            ask(Some(Reason::DeniedByRule)),
            ask(Some(Reason::DestinationNotAllowed)),
            ask(Some(Reason::DnsFailed)),
        ]);
        let count = counts.hosts.values().next().unwrap();
        assert_eq!((count.requests, count.sent, count.received), (6, 42, 18));
        assert_eq!((count.denied, count.out_of_reach), (2, 1));
        let expected = [("denied_by_rule", 2), ("destination_not_allowed", 1), ("dns_failed", 1)];
        assert!(count.reasons.iter().map(|(code, times)| (code.as_str(), *times)).eq(expected));
    }

    #[test]
    fn a_crawler_does_not_fill_the_memory() {
        let names: Vec<_> =
            (0..HOSTS + 10).map(|i| (format!("http://{i}/"), i.to_string())).collect();
        let records: Vec<_> =
            names.iter().map(|(target, host)| ("GET", &**target, &**host, 1, None)).collect();
        let counts = counted(&records);
        assert_eq!((counts.hosts.len(), counts.others.requests), (HOSTS, 10));
        assert_eq!(counts.total().requests, (HOSTS + 10) as u64);
    }
}
