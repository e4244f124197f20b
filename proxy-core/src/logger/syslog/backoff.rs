//! [`Backoff`]: how long to wait before another attempt to connect.

use std::time::{Duration, Instant};

/// Waits longer each time.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    /// How long the last wait was, and until when it lasts.
    waiting: Option<(Duration, Instant)>,
}

const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);

impl Backoff {
    /// How long it is until the next attempt; `None` if it may be made now.
    pub(super) fn pause(&self, now: Instant) -> Option<Duration> {
        let (_, until) = self.waiting?;
        Some(until.saturating_duration_since(now)).filter(|pause| !pause.is_zero())
    }

    pub(super) fn failed(&mut self, now: Instant) {
        let pause = self.waiting.map_or(SHORTEST, |(last, _)| LONGEST.min(last * 2));
        self.waiting = Some((pause, now + pause));
    }

    pub(super) fn succeeded(&mut self) {
        self.waiting = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_longer_up_to_a_bound() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        assert_eq!(backoff.pause(now), None);
        let mut waits = Vec::new();
        for _ in 0..10 {
            backoff.failed(now);
            waits.push(backoff.pause(now).unwrap().as_millis());
        }
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
        assert_eq!(backoff.pause(now + Duration::from_secs(30)), None, "it is time");
        backoff.succeeded();
        assert_eq!(backoff.pause(now), None);
        backoff.failed(now);
        assert_eq!(backoff.pause(now), Some(SHORTEST));
    }
}
