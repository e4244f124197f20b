//! Times as people write them, and back.

use std::time::SystemTime;

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Reads `2026-11-25T08:30:00Z`, `2026-11-25 09:30`, or `mon 09:30`: a time of the week that `now`
/// is in.
pub fn read(text: &str, zone: &TimeZone, now: SystemTime) -> Result<SystemTime, String> {
    let text = text.trim();
    let written = text.parse::<Timestamp>().ok();
    let local = || text.parse::<DateTime>().ok().or_else(|| in_week(text, zone, now));
    let time = written.or_else(|| zone.to_timestamp(local()?).ok());
    time.and_then(|time| SystemTime::try_from(time).ok()).ok_or_else(|| {
        "expected a time, as \"mon 09:30\", \"2026-11-25 09:30\" or \"2026-11-25T08:30:00Z\""
            .to_owned()
    })
}

fn in_week(text: &str, zone: &TimeZone, now: SystemTime) -> Option<DateTime> {
    let (day, time) = text.split_once(' ')?;
    let day = DAYS.iter().position(|it| it.eq_ignore_ascii_case(day))?;
    let time: Time = time.trim().parse().ok()?;
    let today = zone.to_datetime(Timestamp::try_from(now).ok()?).date();
    let monday =
        today.checked_sub(i64::from(today.weekday().since(Weekday::Monday)).days()).ok()?;
    Some(monday.checked_add((day as i64).days()).ok()?.to_datetime(time))
}

/// Day and time of day, as clocks in the zone show them.
pub fn local(time: SystemTime, zone: &TimeZone) -> String {
    let Ok(time) = Timestamp::try_from(time) else { return "out of time".to_owned() };
    let local = zone.to_datetime(time);
    let day = DAYS[local.weekday().to_monday_zero_offset() as usize];
    format!("{day} {:02}:{:02}", local.hour(), local.minute())
}

/// As the access log has it.
pub fn stamp(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| "-".to_owned(), |it| format!("{it:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_each_form() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let now: SystemTime =
            "2026-11-25T12:00:00Z".parse::<Timestamp>().unwrap().try_into().unwrap();
        for (text, stamped, shown) in [
            ("2026-11-25T08:30:00Z", "2026-11-25T08:30:00.000Z", "wed 09:30"),
            ("2026-07-25 09:30", "2026-07-25T07:30:00.000Z", "sat 09:30"),
            ("Mon 09:30", "2026-11-23T08:30:00.000Z", "mon 09:30"),
            ("sun 23:59", "2026-11-29T22:59:00.000Z", "sun 23:59"),
        ] {
            let time = read(text, &berlin, now).unwrap();
            assert_eq!((&*stamp(time), &*local(time, &berlin)), (stamped, shown));
        }
        for text in ["", "noon", "mon", "mon 25:00", "xyz 09:30"] {
            assert!(read(text, &berlin, now).is_err(), "{text}");
        }
    }
}
