//! [`Calendar`]: times as `2026-11-23T18:40:12.123Z` (RFC 3339), and as Apache writes them; in
//! UTC.
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
const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
const DAY_SECONDS: u64 = 86_400;
/// The last second of the year 9999: what is later does not fit the format.
const LAST_SECOND: u64 = 253_402_300_799;

impl Calendar {
    pub(super) fn new() -> Self {
        Calendar { day: 0, date: *b"1970-01-01" }
    }

    /// A time as `2026-11-23T18:40:12.123Z`, rounded down. Times before 1970 and after 9999 are
    /// shown as the nearest that can be.
    pub(super) fn stamp(&mut self, time: SystemTime) -> [u8; 24] {
        let (second_of_day, millis) = self.look_up(time);
        let mut stamp = *b"0000-00-00T00:00:00.000Z";
        stamp[..DATE].copy_from_slice(&self.date);
        clock(&mut stamp[11..19], second_of_day);
        digits(&mut stamp[20..23], millis);
        stamp
    }

    /// The same time as `23/Nov/2026:18:40:12 +0000`: how Apache's logs have it.
    pub(super) fn apache_stamp(&mut self, time: SystemTime) -> [u8; 26] {
        let (second_of_day, _) = self.look_up(time);
        let mut stamp = *b"00/Jan/0000:00:00:00 +0000";
        let [year @ .., b'-', tens, units, b'-', day_tens, day_units] = self.date else {
            unreachable!("a date is written in this form");
        };
        let month = 10 * (tens - b'0') + (units - b'0');
        stamp[..2].copy_from_slice(&[day_tens, day_units]);
        stamp[3..6].copy_from_slice(MONTHS[usize::from(month) - 1]);
        stamp[7..11].copy_from_slice(&year);
        clock(&mut stamp[12..20], second_of_day);
        stamp
    }

    /// Sees to it that `date` is that of a time. Gives its second of the day, and milliseconds.
    fn look_up(&mut self, time: SystemTime) -> (u64, u64) {
        let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let second = since_epoch.as_secs().min(LAST_SECOND);
        let day = second / DAY_SECONDS;
        if day != self.day {
            self.day = day;
            self.date = date(day);
        }
        (second % DAY_SECONDS, since_epoch.subsec_millis().into())
    }
}

/// Fills in `18:40:12`; the colons are there.
fn clock(field: &mut [u8], second_of_day: u64) {
    digits(&mut field[0..2], second_of_day / 3600);
    digits(&mut field[3..5], second_of_day / 60 % 60);
    digits(&mut field[6..8], second_of_day % 60);
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
        let mut calendar = Calendar::new();
        // A step that meets every day of the year and every second of the day sooner or later.
        for step in 0..40_000_u64 {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(step * 315_559);
            let ours = calendar.stamp(time);
            let ours = str::from_utf8(&ours).unwrap();
            // Sun, 06 Nov 1994 08:49:37 GMT
            let theirs = httpdate::fmt_http_date(time);
            let name = &theirs[8..11];
            let month = 1 + MONTHS.iter().position(|m| *m == name.as_bytes()).unwrap();
            let (day, year, clock) = (&theirs[5..7], &theirs[12..16], &theirs[17..25]);
            assert_eq!(ours, format!("{year}-{month:02}-{day}T{clock}.000Z"));
            let apaches = calendar.apache_stamp(time);
            let apaches = str::from_utf8(&apaches).unwrap();
            assert_eq!(apaches, format!("{day}/{name}/{year}:{clock} +0000"));
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
