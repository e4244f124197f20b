//! [`Clock`]: the time of day, without a system call for each question.

use std::time::{Duration, Instant, SystemTime};

/// The time of day, as it was read a moment ago.
#[derive(Debug)]
pub(super) struct Clock {
    read_at: Instant,
    read: SystemTime,
    /// `read`, as `Date` has it (RFC 9110 §5.6.7).
    date: String,
}

/// How long a reading of the clock is good for: a clock that is set shows up in the log after
/// this time, and `Date` is late by as much at most.
const READING: Duration = Duration::from_secs(1);

impl Clock {
    pub(super) fn new(now: Instant) -> Clock {
        let read = SystemTime::now();
        Clock { read_at: now, read, date: httpdate::fmt_http_date(read) }
    }

    /// Reads the clock anew if the last reading is too old at `now`.
    pub(super) fn refresh(&mut self, now: Instant) {
        if now.saturating_duration_since(self.read_at) > READING {
            *self = Clock::new(Instant::now());
        }
    }

    /// What `Date` says: the time of the last [`refresh`](Self::refresh).
    pub(super) fn date(&self) -> &str {
        &self.date
    }

    /// The time of day at `instant`, which is not after `now`.
    pub(super) fn time_of_day(&mut self, instant: Instant, now: Instant) -> SystemTime {
        self.refresh(now);
        match instant.checked_duration_since(self.read_at) {
            Some(later) => self.read + later,
            None => self.read - self.read_at.duration_since(instant),
        }
    }
}
