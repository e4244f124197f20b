//! [`Usage`]: what was used of a volume, as it is kept from one run to the next.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;

use super::gauge::Gauge;
use super::key::Key;
use super::running::Running;
use super::throttle::Scope;
use super::throttles::Throttles;
use super::volume::{Number, Period, Used};

/// What one has used of a [`Volume`](super::Volume). Shown, it is a line from which it can be read
/// again: `uplink 2026-11 1234567 192.0.2.7`.
///
/// The line is the name of the throttle, the day or the month, the bytes, and whose they are: `-` for
/// those of all together, or the first address of a network, or a host, a user or a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    pub(super) throttle: Arc<str>,
    pub(super) period: Period,
    pub(super) number: Number,
    pub(super) bytes: u64,
    pub(super) key: Key,
}

/// A line that is no [`Usage`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a throttle, a day or a month, bytes, and whose they are, as in `uplink 2026-11 1234567 192.0.2.7`"
)]
pub struct UsageError;

impl Usage {
    /// The name of the throttle.
    pub fn throttle(&self) -> &str {
        &self.throttle
    }

    /// How many bytes were used.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whose they are, as in the line.
    pub fn whose(&self) -> String {
        self.key.to_string()
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.throttle)?;
        self.period.write(self.number, f)?;
        write!(f, " {} {}", self.bytes, self.key)
    }
}

impl FromStr for Usage {
    type Err = UsageError;

    fn from_str(line: &str) -> Result<Usage, UsageError> {
        let mut words = line.splitn(4, ' ');
        let mut next = || words.next().filter(|word| !word.is_empty()).ok_or(UsageError);
        let (throttle, period, bytes, key) = (next()?, next()?, next()?, next()?);
        let (period, number) = Period::read(period).ok_or(UsageError)?;
        if key.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(UsageError);
        }
        Ok(Usage {
            throttle: throttle.into(),
            period,
            number,
            bytes: bytes.parse().map_err(|_| UsageError)?,
            key: match key.parse::<IpAddr>() {
                Ok(address) => Key::Client(address),
                Err(_) if key == "-" => Key::All,
                Err(_) => Key::Name(key.as_bytes().into()),
            },
        })
    }
}

impl Throttles {
    /// What was used of volumes, to be [restored](Self::restore) after a restart. What belongs to an
    /// earlier day or month is left out, and so is who has a control character in the name: it would
    /// not be one line.
    pub fn usage(&self) -> Vec<Usage> {
        self.usage_at(SystemTime::now())
    }

    pub(super) fn usage_at(&self, today: SystemTime) -> Vec<Usage> {
        let mut usage = Vec::new();
        for running in self.running() {
            let Gauge::Volume(volume) = &running.gauge else { continue };
            let number = volume.number(today);
            running.meters.each(|key, cell| {
                let used = cell.used();
                if used.number < number || used.bytes == 0 || !key.is_shown() {
                    return;
                }
                usage.push(Usage {
                    throttle: Arc::clone(&running.throttle.name),
                    period: volume.period(),
                    number: used.number,
                    bytes: used.bytes,
                    key: key.clone(),
                });
            });
        }
        usage
    }

    /// Takes over what an earlier run has used: it is added to what this one has. Left out is what
    /// belongs to another day or month than this, or to no throttle that there is.
    pub fn restore(&self, usage: impl IntoIterator<Item = Usage>) {
        self.restore_at(usage, SystemTime::now());
    }

    pub(super) fn restore_at(&self, usage: impl IntoIterator<Item = Usage>, today: SystemTime) {
        for used in usage {
            let is_meant = |running: &&Running| running.throttle.name == used.throttle;
            let Some(running) = self.running().iter().find(is_meant) else { continue };
            let Gauge::Volume(volume) = &running.gauge else { continue };
            let number = volume.number(today);
            let key = match (running.throttle.scope, used.key) {
                (Scope::All, key @ Key::All) | (Scope::Client { .. }, key @ Key::Client(_)) => key,
                // A host or a user may look like an address, and a rule like everybody.
                (Scope::Host | Scope::User | Scope::Rule, key) => {
                    Key::Name(key.to_string().as_bytes().into())
                }
                _ => continue,
            };
            if used.period != volume.period() || used.number != number {
                continue;
            }
            running.meters.change(
                key.who(),
                |cell| cell.value,
                |cell| {
                    let mut there = cell.used();
                    there.turn_to(number);
                    let bytes = there.bytes.saturating_add(used.bytes);
                    cell.set_used(Used { bytes, number });
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_read_again() {
        for line in [
            "uplink 2026-11 1234567 -",
            "clients 2026-11-25 0 192.0.2.7",
            "clients 2026-11-25 18446744073709551615 2001:db8::",
            "hosts 2026-11 7 a.test",
            "rules 2026-11 7 a rule of three words",
        ] {
            assert_eq!(line.parse::<Usage>().unwrap().to_string(), line);
        }
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for line in [
            "",
            "uplink",
            "uplink 2026-11 1234567",
            "uplink 2026-11 1234567 ",
            "uplink 2026-13 1234567 -",
            "uplink 2026-11 -1 -",
            "uplink 2026-11 many -",
            " 2026-11 7 -",
            "uplink 2026-11 18446744073709551616 -",
            "uplink 2026-11 7 a\tb",
        ] {
            assert_eq!(line.parse::<Usage>(), Err(UsageError), "{line}");
        }
    }
}
