//! [`TimeZone`]: whose hours rules tell.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::{TimeZone as Zone, db};

use crate::settings::{Wrong, nearest};

/// A time zone and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone {
    name: String,
    /// `None`: the one of this machine, which is looked up when it is needed.
    zone: Option<Zone>,
}

/// The zone of this machine.
const LOCAL: &str = "local";

impl TimeZone {
    /// The zone of this machine.
    pub fn local() -> TimeZone {
        TimeZone { name: LOCAL.to_owned(), zone: None }
    }

    /// The zone of this name, in the database of the system, or in the one that the program brings
    /// along.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(name: &str) -> Result<TimeZone, Wrong> {
        if name == LOCAL {
            return Ok(TimeZone::local());
        }
        // What is looked up may be a file; names of zones have neither dots nor backslashes.
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b));
        match db().get(name).ok().filter(|_| is_name) {
            // In its usual form: the database does not care for case.
            Some(zone) => {
                let name = zone.iana_name().unwrap_or(name).to_owned();
                Ok(TimeZone { name, zone: Some(zone) })
            }
            None => {
                let known: Vec<_> = db().available().map(|name| name.to_string()).collect();
                let meant = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
                let problem =
                    "no such time zone is known, as Europe/Berlin, UTC or local".to_owned();
                Err(Wrong { meant, ..problem.into() })
            }
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zone itself. That of a machine which does not say is UTC.
    pub fn zone(&self) -> Zone {
        self.zone.clone().unwrap_or_else(|| Zone::try_system().unwrap_or(Zone::UTC))
    }

    /// The same for the library.
    pub fn for_rules(&self) -> proxy_core::rules::Zone {
        let zone = self.zone();
        proxy_core::rules::Zone::by(move |time| offset(&zone, time))
    }
}

/// Seconds east of Greenwich. Times that are too far away to be told are at Greenwich.
fn offset(zone: &Zone, time: SystemTime) -> i32 {
    Timestamp::try_from(time).map_or(0, |time| zone.to_offset(time).seconds())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn offset_at(zone: &str, seconds: u64) -> i32 {
        let zone = TimeZone::named(zone).unwrap().zone();
        offset(&zone, SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn a_zone_knows_its_summer() {
        let (winter, summer) = (1_768_478_400, 1_784_116_800); // 2026-01-15 and 2026-07-15, at noon
        assert_eq!(offset_at("Europe/Berlin", winter), 3600);
        assert_eq!(offset_at("Europe/Berlin", summer), 7200);
        assert_eq!(offset_at("UTC", summer), 0);
    }

    #[test]
    fn names_are_those_of_the_database_whatever_their_case() {
        assert_eq!(TimeZone::named("europe/berlin").unwrap().name(), "Europe/Berlin");
        assert_eq!(TimeZone::named("local"), Ok(TimeZone::local()));
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for name in ["", "Mars", "../etc/passwd", "/etc/localtime", "Europe/"] {
            assert!(TimeZone::named(name).is_err(), "{name}");
        }
        let wrong = TimeZone::named("Europe/Berln").unwrap_err();
        assert_eq!(wrong.meant.as_deref(), Some("Europe/Berlin"));
    }
}
