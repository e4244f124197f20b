//! [`Calendar`]: times as `2026-11-23T18:40:12.123Z` (RFC 3339), in UTC.
//!
//! The standard library knows no local time. UTC sorts, has no gaps, and says what it is.

use std::time::{Duration, SystemTime};

/// Writes times. Keeps the date of the last one: nearly all records of a day have the same.
#[derive(Debug)]
pub(super) struct Calendar {
    /// Days since 1970-01-01.
    day: u64,
    date: [u8; DATE],
}

const DATE: usize = "2026-11-23".len();
const DAY_SECONDS: u64 = 86_400;
/// The last second of the year 9999: what is later does not fit the format.
const LAST_SECOND: u64 = 253_402_300_799;

impl Calendar {
    pub(super) fn new() -> Self {
        Calendar { day: 0, date: *b"1970-01-01" }
    }

    /// A time, rounded down to milliseconds. Times before 1970 and after 9999 are shown as the
    /// nearest that can be.
    pub(super) fn stamp(&mut self, time: SystemTime) -> [u8; 24] {
        let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let second = since_epoch.as_secs().min(LAST_SECOND);
        let (day, second_of_day) = (second / DAY_SECONDS, second % DAY_SECONDS);
        if day != self.day {
            self.day = day;
            self.date = date(day);
        }
        let mut stamp = *b"0000-00-00T00:00:00.000Z";
        stamp[..DATE].copy_from_slice(&self.date);
        digits(&mut stamp[11..13], second_of_day / 3600);
        digits(&mut stamp[14..16], second_of_day / 60 % 60);
        digits(&mut stamp[17..19], second_of_day % 60);
        digits(&mut stamp[20..23], since_epoch.subsec_millis().into());
        stamp
    }
}

/// The date of a day, counted from 1970-01-01. Goes year by year: it is asked once a day.
fn date(mut day: u64) -> [u8; DATE] {
    let mut year = 1970;
    while day >= 365 + leap_day(year) {
        day -= 365 + leap_day(year);
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + leap_day(year), 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    let mut date = *b"0000-00-00";
    digits(&mut date[0..4], year);
    digits(&mut date[5..7], month);
    digits(&mut date[8..10], day + 1);
    date
}

/// 1 in a leap year, else 0.
fn leap_day(year: u64) -> u64 {
    let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    leap.into()
}

/// Fills a field with the last digits of a number.
fn digits(field: &mut [u8], mut number: u64) {
    for digit in field.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(time: SystemTime) -> String {
        String::from_utf8(Calendar::new().stamp(time).to_vec()).unwrap()
    }

    #[test]
    fn known_times() {
        for (millis, shown) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_795_459_212_123, "2026-11-23T18:40:12.123Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(stamp(SystemTime::UNIX_EPOCH + Duration::from_millis(millis)), shown);
        }
    }

    #[test]
    fn agrees_with_another_calendar_over_four_centuries() {
        let months =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let mut calendar = Calendar::new();
        // A step that meets every day of the year and every second of the day sooner or later.
        for step in 0..40_000_u64 {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(step * 315_559);
            let ours = calendar.stamp(time);
            let ours = str::from_utf8(&ours).unwrap();
            // Sun, 06 Nov 1994 08:49:37 GMT
            let theirs = httpdate::fmt_http_date(time);
            let month = 1 + months.iter().position(|month| *month == &theirs[8..11]).unwrap();
            let (day, year, clock) = (&theirs[5..7], &theirs[12..16], &theirs[17..25]);
            assert_eq!(ours, format!("{year}-{month:02}-{day}T{clock}.000Z"));
        }
    }

    #[test]
    fn times_that_cannot_be_shown_become_the_nearest() {
        assert_eq!(
            stamp(SystemTime::UNIX_EPOCH - Duration::from_secs(1)),
            "1970-01-01T00:00:00.000Z"
        );
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(LAST_SECOND + 1);
        assert_eq!(stamp(far), "9999-12-31T23:59:59.000Z");
    }
}
