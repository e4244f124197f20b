//! [`Veiled`]: records that do not say which address a client has.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::SystemTime;

use super::RequestLogger;
use super::pseudonyms::Pseudonyms;
use super::record::AccessRecord;

/// Gives a logger records in which clients' addresses are veiled. Their ports become 0.
///
/// ```
/// use proxy_core::{ApacheLogger, LogFile, Proxy, Veiled};
///
/// # let path = std::env::temp_dir().join(format!("proxy-core-veil-{}", std::process::id()));
/// let logger = Veiled::pseudonyms(ApacheLogger::combined(LogFile::append(&path)?));
/// let proxy = Proxy::builder().listen("127.0.0.1:0").logger(logger).start()?;
/// # drop(proxy);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Veiled<L> {
    veil: Veil,
    logger: L,
}

enum Veil {
    Truncated,
    Pseudonyms(Pseudonyms),
}

impl<L: RequestLogger> Veiled<L> {
    /// Leaves the first 24 bits of an IPv4 address and the first 48 of an IPv6 address, the rest is
    /// 0: enough to tell providers and places apart, not people.
    pub fn truncated(logger: L) -> Veiled<L> {
        Veiled { veil: Veil::Truncated, logger }
    }

    /// Puts a pseudonym in the place of each address, which looks like an IPv6 address in `100::/64`,
    /// where nobody is (RFC 6666). A client has the same one for as long as a day of UTC lasts and
    /// this logger exists; then another random key takes the place of the one they are made with.
    /// Keys are never written anywhere: a log alone does not say who had which, nor who of today is
    /// who of yesterday.
    pub fn pseudonyms(logger: L) -> Veiled<L> {
        Veiled { veil: Veil::Pseudonyms(Pseudonyms::default()), logger }
    }
}

impl Veil {
    fn over(&self, client: IpAddr, now: SystemTime) -> IpAddr {
        match self {
            Veil::Truncated => truncated(client),
            Veil::Pseudonyms(pseudonyms) => {
                let number = pseudonyms.of(client.to_canonical(), now);
                IpAddr::V6(Ipv6Addr::from((0x0100 << 112) | u128::from(number)))
            }
        }
    }
}

fn truncated(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(address) => Ipv4Addr::from(u32::from(address) & (!0 << 8)).into(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & (!0 << 80)).into(),
    }
}

impl<L: RequestLogger> RequestLogger for Veiled<L> {
    fn log(&self, record: &AccessRecord<'_>) {
        let now = record.ended();
        let client = SocketAddr::new(self.veil.over(record.client.ip(), now), 0);
        self.logger.log(&AccessRecord { client, ..record.clone() });
    }

    fn flush(&self) {
        self.logger.flush();
    }

    fn lost(&self) -> u64 {
        self.logger.lost()
    }

    fn is_off(&self) -> bool {
        self.logger.is_off()
    }
}

impl<L: fmt::Debug> fmt::Debug for Veiled<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Veiled").field("logger", &self.logger).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, UNIX_EPOCH};

    const DAY: u64 = 86_400;

    /// What a logger behind a veil gets to see of clients.
    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<SocketAddr>>>);

    impl RequestLogger for Seen {
        fn log(&self, record: &AccessRecord<'_>) {
            self.0.lock().unwrap().push(record.client);
        }
    }

    fn seen(veil: fn(Seen) -> Veiled<Seen>, clients: &[(&str, u64)]) -> Vec<String> {
        let seen = Seen::default();
        let logger = veil(seen.clone());
        for (client, at) in clients {
            let mut record = AccessRecord::new(SocketAddr::new(client.parse().unwrap(), 5000));
            record.time = UNIX_EPOCH + Duration::from_secs(*at);
            logger.log(&record);
        }
        let clients = seen.0.lock().unwrap();
        assert!(clients.iter().all(|client| client.port() == 0));
        clients.iter().map(|client| client.ip().to_string()).collect()
    }

    #[test]
    fn truncated_addresses_are_those_of_networks() {
        assert_eq!(
            seen(
                Veiled::truncated,
                &[("192.0.2.77", 0), ("2001:db8:1:2:3:4:5:6", 0), ("::ffff:192.0.2.77", 0)]
            ),
            ["192.0.2.0", "2001:db8:1::", "192.0.2.0"]
        );
    }

    #[test]
    fn a_pseudonym_lasts_a_day() {
        let clients = [
            ("192.0.2.77", DAY),
            ("192.0.2.77", 2 * DAY - 1),
            ("::ffff:192.0.2.77", 2 * DAY - 1),
            ("192.0.2.78", 2 * DAY - 1),
            ("192.0.2.77", 2 * DAY),
            ("192.0.2.77", 2 * DAY - 1),
            ("192.0.2.77", 2 * DAY + 5),
        ];
        let shown = seen(Veiled::pseudonyms, &clients);
        assert!(shown.iter().all(|shown| shown.starts_with("100::")), "{shown:?}");
        assert!(shown[0] == shown[1] && shown[1] == shown[2], "the same client: {shown:?}");
        assert_ne!(shown[0], shown[3], "another one");
        assert_ne!(shown[0], shown[4], "another day");
        assert!(shown[4] == shown[5] && shown[5] == shown[6], "a late record: {shown:?}");
    }

    #[test]
    fn a_clock_that_was_wrong_keeps_no_key() {
        let (wrong, right) = (400 * DAY, 100 * DAY);
        let clients = [("192.0.2.1", wrong), ("192.0.2.1", right), ("192.0.2.1", right + DAY)];
        let shown = seen(Veiled::pseudonyms, &clients);
        assert!(shown[0] != shown[1] && shown[1] != shown[2], "{shown:?}");
    }

    #[test]
    fn loggers_share_no_key() {
        let client = [("192.0.2.1", 0)];
        assert_ne!(seen(Veiled::pseudonyms, &client), seen(Veiled::pseudonyms, &client));
    }
}
