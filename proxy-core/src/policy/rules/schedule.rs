//! [`Schedule`]: hours of a day and days of a week.

use std::fmt;
use std::str::FromStr;

use super::zone::LocalTime;

/// Hours on days of the week. A span that ends before it begins goes on into the next day, and
/// belongs to the day on which it begins: `22:00-06:00` on Friday ends on Saturday at six.
///
/// ```
/// use proxy_core::rules::Schedule;
///
/// let lessons = Schedule::new(["mon-fri".parse()?], ["08:00-12:30".parse()?, "13:30-16:00".parse()?]);
/// assert_eq!(lessons.to_string(), "mon-fri 08:00-12:30, 13:30-16:00");
/// # Ok::<(), proxy_core::rules::ScheduleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    days: Vec<Days>,
    spans: Vec<Span>,
}

/// A day of the week, or several in a row: `mon`, `mon-fri`, `sat-mon`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    first: usize,
    last: usize,
}

/// A part of a day: `08:00-16:30`, from its first minute to the one before its last. `24:00` is
/// the end of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    from: u16,
    to: u16,
}

/// Why a text is no [`Days`] or no [`Span`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// It is no day of the week.
    #[error("expected a day, or the first and the last of several, as in mon-fri")]
    Days,
    /// It is no span of a day.
    #[error("expected two times of day, as in 08:00-16:30 or 22:00-06:00")]
    Span,
    /// It is empty.
    #[error("it ends when it begins: for the whole day write 00:00-24:00")]
    Empty,
}

pub(super) const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MINUTES: u16 = 24 * 60;

impl Schedule {
    /// These hours on these days. No days are all days, and no hours the whole day.
    pub fn new(
        days: impl IntoIterator<Item = Days>,
        hours: impl IntoIterator<Item = Span>,
    ) -> Schedule {
        Schedule { days: days.into_iter().collect(), spans: hours.into_iter().collect() }
    }

    /// Whether it is one of those hours.
    pub(super) fn includes(&self, now: LocalTime) -> bool {
        let on =
            |day: usize| self.days.is_empty() || self.days.iter().any(|days| days.include(day));
        let yesterday = (now.weekday + 6) % 7;
        if self.spans.is_empty() {
            return on(now.weekday);
        }
        self.spans.iter().any(|span| match span.from < span.to {
            true => on(now.weekday) && (span.from..span.to).contains(&now.minute),
            false => {
                on(now.weekday) && now.minute >= span.from || on(yesterday) && now.minute < span.to
            }
        })
    }
}

impl Days {
    fn include(self, day: usize) -> bool {
        match self.first <= self.last {
            true => (self.first..=self.last).contains(&day),
            false => day >= self.first || day <= self.last,
        }
    }
}

impl FromStr for Days {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let day = |word: &str| {
            NAMES.iter().position(|name| name.eq_ignore_ascii_case(word)).ok_or(ScheduleError::Days)
        };
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Ok(Days { first: day(first)?, last: day(last)? })
    }
}

impl FromStr for Span {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = |word: &str| {
            let (hours, minutes) = word.split_once(':')?;
            let is_number =
                |word: &str| word.len() == 2 && word.bytes().all(|b| b.is_ascii_digit());
            let (hours, minutes) = (is_number(hours) && is_number(minutes))
                .then(|| hours.parse::<u16>().ok().zip(minutes.parse::<u16>().ok()))??;
            let minute = hours * 60 + minutes;
            (minutes < 60 && minute <= DAY_MINUTES).then_some(minute)
        };
        let (from, to) = text.split_once('-').ok_or(ScheduleError::Span)?;
        let (from, to) = time(from).zip(time(to)).ok_or(ScheduleError::Span)?;
        match from == to || from == DAY_MINUTES {
            true => Err(ScheduleError::Empty),
            false => Ok(Span { from, to }),
        }
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => f.write_str(NAMES[self.first]),
            false => write!(f, "{}-{}", NAMES[self.first], NAMES[self.last]),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Span { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "";
        for days in &self.days {
            write!(f, "{before}{days}")?;
            before = ", ";
        }
        before = if self.days.is_empty() { "" } else { " " };
        for span in &self.spans {
            write!(f, "{before}{span}")?;
            before = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::zone::Zone;
    use super::super::zone::tests::wednesday;
    use super::*;

    fn schedule(days: &[&str], hours: &[&str]) -> Schedule {
        Schedule::new(
            days.iter().map(|it| it.parse().unwrap()),
            hours.iter().map(|it| it.parse().unwrap()),
        )
    }

    #[test]
    fn hours_begin_with_their_first_minute_and_end_before_their_last() {
        let lessons = schedule(&["mon-fri"], &["08:00-12:00", "13:00-16:00"]);
        for (hours, minutes, expected) in [
            (7, 59, false),
            (8, 0, true),
            (11, 59, true),
            (12, 0, false),
            (15, 59, true),
            (16, 0, false),
        ] {
            let now = Zone::utc().local(wednesday(hours, minutes));
            assert_eq!(lessons.includes(now), expected, "{now}");
        }
        let sunday = Zone::utc().local(wednesday(9, 0) + Duration::from_secs(4 * 86_400));
        assert_eq!(sunday.to_string(), "sun 09:00");
        assert!(!lessons.includes(sunday));
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let night = schedule(&["wed"], &["22:00-06:00"]);
        let day = Duration::from_secs(86_400);
        for (time, expected) in [
            (wednesday(5, 59), false),
            (wednesday(21, 59), false),
            (wednesday(22, 0), true),
            (wednesday(5, 59) + day, true),
            (wednesday(6, 0) + day, false),
            (wednesday(23, 0) + day, false),
        ] {
            let now = Zone::utc().local(time);
            assert_eq!(night.includes(now), expected, "{now}");
        }
    }

    #[test]
    fn days_go_round_the_week_and_nothing_said_is_always() {
        let weekend = schedule(&["sat-mon"], &[]);
        for days in 0..7 {
            let now = Zone::utc().local(wednesday(12, 0) + Duration::from_secs(days * 86_400));
            assert_eq!(weekend.includes(now), (3..=5).contains(&days), "{now}");
            assert!(
                schedule(&[], &["00:00-24:00"]).includes(now) && schedule(&[], &[]).includes(now)
            );
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["8:00-9:00", "08:00", "08:00-24:01", "08:60-09:00", "08-09", "+8:00-09:00", ""]
        {
            assert_eq!(text.parse::<Span>(), Err(ScheduleError::Span), "{text}");
        }
        for text in ["08:00-08:00", "24:00-06:00"] {
            assert_eq!(text.parse::<Span>(), Err(ScheduleError::Empty), "{text}");
        }
        for text in ["", "monday", "mon-", "mon-fri-sun"] {
            assert_eq!(text.parse::<Days>(), Err(ScheduleError::Days), "{text}");
        }
    }
}
