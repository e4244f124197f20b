//! [`Ban`]: who is kept out, for how long, and why.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Offence;
use crate::policy::Network;

/// Clients that are kept out until a time. Shown, it is a line from which it can be read again:
/// `192.0.2.7/32 1767225600 2 failed_login`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ban {
    /// Their addresses.
    pub network: Network,
    /// When it ends.
    pub until: SystemTime,
    /// How often they have been banned one time after another, this one included.
    pub times: u32,
    /// What for.
    pub cause: Cause,
}

/// Why somebody is banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Somebody said so.
    ByHand,
    /// It did this too often.
    Offence(Offence),
}

/// A line that is no [`Ban`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a network, the second of its end, how often, and what for, as in `192.0.2.7/32 1767225600 1 malformed`"
)]
pub struct BanError;

impl Ban {
    /// A ban by hand.
    pub fn by_hand(network: Network, until: SystemTime) -> Ban {
        Ban { network, until, times: 1, cause: Cause::ByHand }
    }
}

impl Cause {
    /// The stable word for it, in `snake_case`.
    pub const fn word(self) -> &'static str {
        match self {
            Cause::ByHand => "by_hand",
            Cause::Offence(offence) => offence.word(),
        }
    }

    fn of(word: &str) -> Option<Cause> {
        let offences = Offence::ALL.into_iter().map(Cause::Offence);
        offences.chain([Cause::ByHand]).find(|cause| cause.word() == word)
    }
}

impl fmt::Display for Ban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = self.until.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        write!(f, "{} {until} {} {}", self.network, self.times, self.cause.word())
    }
}

impl FromStr for Ban {
    type Err = BanError;

    fn from_str(line: &str) -> Result<Ban, BanError> {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        let [network, until, times, cause] = words[..] else { return Err(BanError) };
        let until = Duration::from_secs(until.parse().map_err(|_| BanError)?);
        Ok(Ban {
            network: network.parse().map_err(|_| BanError)?,
            until: UNIX_EPOCH.checked_add(until).ok_or(BanError)?,
            times: times.parse().map_err(|_| BanError)?,
            cause: Cause::of(cause).ok_or(BanError)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_can_be_read_again() {
        for line in [
            "192.0.2.7/32 1767225600 2 failed_login",
            "2001:db8::/64 0 1 by_hand",
            "::/0 1767225600 4294967295 rate_exceeded",
        ] {
            assert_eq!(line.parse::<Ban>().unwrap().to_string(), line);
        }
    }

    #[test]
    fn what_is_no_ban_is_refused() {
        for line in [
            "",
            "192.0.2.7/32 1767225600 2",
            "192.0.2.7/32 1767225600 2 malformed more",
            "192.0.2.7/33 1767225600 2 malformed",
            "192.0.2.7/32 soon 2 malformed",
            "192.0.2.7/32 18446744073709551615 1 malformed",
            "192.0.2.7/32 1767225600 -2 malformed",
            "192.0.2.7/32 1767225600 2 bored",
        ] {
            assert_eq!(line.parse::<Ban>(), Err(BanError), "{line}");
        }
    }
}
