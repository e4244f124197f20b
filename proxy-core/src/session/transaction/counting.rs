//! What a transaction has counted of itself: bytes as they go by, and its end.

use std::time::{Duration, Instant};

use super::Transaction;
use crate::metrics::{Meter, Phases};

impl Transaction {
    /// How long it has been under way.
    #[inline]
    pub(in crate::session) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }

    /// Counts the content bytes that were not counted yet.
    #[inline]
    pub(in crate::session) fn count_bytes(&mut self, meter: &Meter) {
        if !meter.is_on() {
            return;
        }
        let (bytes_in, bytes_out) = self.uncounted();
        meter.passed(bytes_in, bytes_out);
        self.counted.0 += bytes_in;
        self.counted.1 += bytes_out;
    }

    fn uncounted(&self) -> (u64, u64) {
        // A response that is replaced takes back what it would have been.
        (
            self.request_body.payload().saturating_sub(self.counted.0),
            self.bytes_out().saturating_sub(self.counted.1),
        )
    }

    /// Counts that it is over, after so long.
    #[inline]
    pub(in crate::session) fn count_end(&self, meter: &Meter, duration: Duration) {
        if !meter.is_on() {
            return;
        }
        let (bytes_in, bytes_out) = self.uncounted();
        meter.passed(bytes_in, bytes_out);
        let phases = Phases {
            wait: self.upstream.wait,
            resolve: self.upstream.resolve,
            connect: self.upstream.connect,
            first_byte: self.first_byte,
            duration,
        };
        let method = self.understood.then(|| self.request.method_bytes());
        meter.ended(method, self.status, self.reason, &phases);
    }
}
