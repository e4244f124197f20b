//! [`Volume`]: so many bytes a day, or a month.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::policy::rules::Zone;

/// So many bytes in each day or month of the calendar, both ways together: a quota.
///
/// # When the clock is set
/// Days and months are those of the clock of the machine. Where it moves into another one, forward,
/// the count begins anew. Where it is set back, what was used stays used, and nobody waits for a month
/// that was never there. Where it is used then, and the clock set right again, that is moving into
/// another month.
#[derive(Clone, Debug)]
pub struct Volume {
    bytes: u64,
    period: Period,
    zone: Zone,
}

/// After what time a [`Volume`] is there again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From the first day of a month to its last.
    Month,
}

/// A day or a month: days since 1970-01-01, or months since January of the year 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number(pub(super) u32);

/// What was used, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) bytes: u64,
    pub(super) number: Number,
}

const DAY: i64 = 86_400;

impl Volume {
    /// So many bytes in each day of UTC.
    pub fn daily(bytes: u64) -> Volume {
        Volume { bytes, period: Period::Day, zone: Zone::utc() }
    }

    /// So many bytes in each month of UTC.
    pub fn monthly(bytes: u64) -> Volume {
        Volume { bytes, period: Period::Month, zone: Zone::utc() }
    }

    /// By the clocks of another zone than UTC.
    pub fn with_zone(self, zone: Zone) -> Volume {
        Volume { zone, ..self }
    }

    /// How many bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// In what.
    pub fn period(&self) -> Period {
        self.period
    }

    /// Which day or month it is.
    pub(super) fn number(&self, time: SystemTime) -> Number {
        let days = self.zone.seconds(time).div_euclid(DAY);
        match self.period {
            Period::Day => Number(u32::try_from(days).unwrap_or(0)),
            Period::Month => month_of(days),
        }
    }

    /// How long this day or month still lasts, as long as the zone's offset stays.
    pub(super) fn rest(&self, time: SystemTime) -> Duration {
        let second = self.zone.seconds(time);
        let next = match self.period {
            Period::Day => second.div_euclid(DAY) + 1,
            Period::Month => first_day(Number(month_of(second.div_euclid(DAY)).0 + 1)),
        };
        Duration::from_secs(u64::try_from(next * DAY - second).unwrap_or(0))
    }
}

impl Used {
    /// It is that day or month now.
    pub(super) fn turn_to(&mut self, now: Number) {
        if now > self.number {
            self.bytes = 0;
        }
        self.number = now;
    }
}

/// The month that a day is in.
fn month_of(days: i64) -> Number {
    // Years begin in March here, so that the day that comes and goes is their last one; and each
    // four hundred of them have the same number of days.
    let days = days.max(-719_468) + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let months = (era * 400 + year_of_era) * 12 + month_from_march + 2;
    Number(u32::try_from(months).unwrap_or(u32::MAX))
}

/// The first day of a month.
fn first_day(month: Number) -> i64 {
    let month = i64::from(month.0) - 2;
    let (year, month_from_march) = (month.div_euclid(12), month.rem_euclid(12));
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month_from_march + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

impl Period {
    /// A day as `2026-11-25`, a month as `2026-11`.
    pub(super) fn write(self, number: Number, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let month = match self {
            Period::Day => month_of(i64::from(number.0)),
            Period::Month => number,
        };
        write!(f, "{:04}-{:02}", month.0 / 12, month.0 % 12 + 1)?;
        match self {
            Period::Day => write!(f, "-{:02}", i64::from(number.0) - first_day(month) + 1),
            Period::Month => Ok(()),
        }
    }

    /// Reads what [`write`](Self::write) writes.
    pub(super) fn read(text: &str) -> Option<(Period, Number)> {
        let mut parts = text.split('-').map(|part| {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u32>().ok().filter(|_| is_number)
        });
        let (year, month) = (parts.next()??, parts.next()??);
        if year > 9999 || !(1..=12).contains(&month) {
            return None;
        }
        let month = Number(year * 12 + month - 1);
        let Some(day) = parts.next() else { return Some((Period::Month, month)) };
        let number = first_day(month) + i64::from(day?) - 1;
        let is_in_it = month_of(number) == month && parts.next().is_none();
        Some((Period::Day, Number(u32::try_from(number).ok().filter(|_| is_in_it)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(second)
    }

    struct Shown(Period, Number);

    impl fmt::Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.write(self.1, f)
        }
    }

    fn shown(volume: &Volume, second: u64) -> String {
        Shown(volume.period, volume.number(at(second))).to_string()
    }

    #[test]
    fn days_and_months_are_those_of_the_calendar() {
        for (second, day) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_795_564_800, "2026-11-25"),
            (4_107_542_399, "2100-02-28"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(shown(&Volume::daily(1), second), day);
            assert_eq!(shown(&Volume::monthly(1), second), day[..7]);
        }
        let east = Volume::daily(1).with_zone(Zone::fixed(3600));
        assert_eq!(shown(&east, 951_782_400 - 3600), "2000-02-29");
    }

    #[test]
    fn every_day_is_in_its_month_and_can_be_read_again() {
        for day in 0..60_000_u32 {
            let text = Shown(Period::Day, Number(day)).to_string();
            assert_eq!(Period::read(&text), Some((Period::Day, Number(day))));
            let month = month_of(i64::from(day));
            let next = Number(month.0 + 1);
            assert!((first_day(month)..first_day(next)).contains(&i64::from(day)), "{text}");
            assert_eq!(Period::read(&text[..7]), Some((Period::Month, month)));
        }
        for wrong in
            ["", "2026", "2026-13", "2026-00", "2026-02-30", "2026-1-1-1", "+2026-01", "x-1"]
        {
            assert_eq!(Period::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn it_says_when_there_is_more() {
        assert_eq!(Volume::daily(1).rest(at(DAY as u64 - 1)), Duration::from_secs(1));
        assert_eq!(Volume::daily(1).rest(at(0)), Duration::from_secs(86_400));
        let november = Volume::monthly(1).rest(at(1_795_564_800));
        assert_eq!(november, Duration::from_secs(6 * 86_400));
    }

    #[test]
    fn what_was_used_stays_used_when_the_clock_goes_back() {
        let mut used = Used::default();
        used.turn_to(Number(10));
        used.bytes = 7;
        used.turn_to(Number(9));
        assert_eq!(used, Used { bytes: 7, number: Number(9) });
        used.turn_to(Number(9));
        assert_eq!(used.bytes, 7);
        // Into a far future and back: what was used there counts, and the month ends in time.
        used.turn_to(Number(1000));
        used.bytes = 3;
        used.turn_to(Number(9));
        assert_eq!(used.bytes, 3);
        used.turn_to(Number(10));
        assert_eq!(used.bytes, 0);
    }
}
