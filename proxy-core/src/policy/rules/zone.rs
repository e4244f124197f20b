//! [`Zone`]: whose hours a schedule tells; [`LocalTime`].

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::schedule::NAMES;

/// How far local time is from UTC, whenever it is asked.
///
/// The library knows no time zones: they are a database that changes several times a year. Whoever
/// has one gives a function.
///
/// ```
/// use proxy_core::rules::Zone;
///
/// let utc = Zone::utc();
/// let india = Zone::fixed(5 * 3600 + 30 * 60);
/// let own = Zone::by(|_now| 3600);
/// # drop((utc, india, own));
/// ```
#[derive(Clone)]
pub struct Zone(Offset);

#[derive(Clone)]
enum Offset {
    Fixed(i32),
    By(Arc<dyn Fn(SystemTime) -> i32 + Send + Sync>),
}

impl Zone {
    /// UTC: also the default.
    pub fn utc() -> Zone {
        Zone::fixed(0)
    }

    /// Always so many seconds east of Greenwich.
    pub fn fixed(seconds: i32) -> Zone {
        Zone(Offset::Fixed(seconds))
    }

    /// So many seconds east of Greenwich as the function says of a time. It runs on event loops,
    /// for each request whose fate depends on the hour, and must not block.
    pub fn by(offset: impl Fn(SystemTime) -> i32 + Send + Sync + 'static) -> Zone {
        Zone(Offset::By(Arc::new(offset)))
    }

    /// What clocks in this zone show.
    pub(super) fn local(&self, time: SystemTime) -> LocalTime {
        let second = self.seconds(time);
        // 1970-01-01 was a Thursday.
        let weekday = (second.div_euclid(86_400) + 3).rem_euclid(7) as usize;
        LocalTime { weekday, minute: (second.rem_euclid(86_400) / 60) as u16 }
    }

    /// The same, as seconds since clocks here showed the beginning of 1970.
    pub(in crate::policy) fn seconds(&self, time: SystemTime) -> i64 {
        let offset = match &self.0 {
            Offset::Fixed(seconds) => *seconds,
            Offset::By(offset) => offset(time),
        };
        let since = |earlier, later: SystemTime| {
            later.duration_since(earlier).map(|it| it.as_secs() as i64)
        };
        let epoch = SystemTime::UNIX_EPOCH;
        let utc = since(epoch, time).unwrap_or_else(|_| -since(time, epoch).unwrap_or_default());
        utc.saturating_add(offset.into())
    }
}

impl Default for Zone {
    fn default() -> Self {
        Zone::utc()
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Offset::Fixed(seconds) => write!(f, "Zone({seconds})"),
            Offset::By(_) => f.write_str("Zone(by a function)"),
        }
    }
}

/// What clocks show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LocalTime {
    /// From 0, which is Monday.
    pub(super) weekday: usize,
    /// Of the day.
    pub(super) minute: u16,
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:02}:{:02}", NAMES[self.weekday], self.minute / 60, self.minute % 60)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;

    /// 2026-11-25, a Wednesday, at this time of day in UTC.
    pub(in super::super) fn wednesday(hours: u64, minutes: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_564_800 + hours * 3600 + minutes * 60)
    }

    #[test]
    fn clocks_show_what_their_zone_says() {
        for (zone, hours, shown) in [
            (Zone::utc(), 0, "wed 00:00"),
            (Zone::fixed(-60), 0, "tue 23:59"),
            (Zone::fixed(5 * 3600 + 1800), 20, "thu 01:30"),
            (Zone::by(|_| 3600), 12, "wed 13:00"),
        ] {
            assert_eq!(zone.local(wednesday(hours, 0)).to_string(), shown);
        }
        assert_eq!(Zone::utc().local(SystemTime::UNIX_EPOCH).to_string(), "thu 00:00");
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(60);
        assert_eq!(Zone::utc().local(before).to_string(), "wed 23:59");
    }

    #[test]
    fn summer_begins_and_ends_where_the_function_of_a_zone_says() {
        // The clocks go from 02:00 to 03:00 at one moment, and back at a later one.
        let (spring, autumn) = (wednesday(1, 0), wednesday(1, 0) + Duration::from_secs(86_400));
        let zone = Zone::by(move |now| if spring <= now && now < autumn { 7200 } else { 3600 });
        let moment = Duration::from_secs(1);
        for (time, shown) in [
            (spring - moment, "wed 01:59"),
            (spring, "wed 03:00"),
            (autumn - moment, "thu 02:59"),
            (autumn, "thu 02:00"),
        ] {
            assert_eq!(zone.local(time).to_string(), shown);
        }
    }
}
