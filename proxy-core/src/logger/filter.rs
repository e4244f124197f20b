//! [`Filter`]: only some of the records.

use std::fmt;

use super::RequestLogger;
use super::record::AccessRecord;

/// Gives a logger those records that a predicate is true of.
///
/// The others are not dropped records: they were logged as they should be, which is not at all.
/// A tunnel's two records are asked about one by one.
///
/// ```
/// use proxy_core::{Event, Filter, TextLogger};
/// use std::time::Duration;
///
/// let slow = Filter::new(
///     |record| record.event == Event::Close && record.duration > Duration::from_secs(1),
///     TextLogger::stdout(),
/// );
/// # let _ = slow;
/// ```
pub struct Filter<P, L> {
    predicate: P,
    logger: L,
}

impl<P, L> Filter<P, L>
where
    P: Fn(&AccessRecord<'_>) -> bool + Send + Sync + 'static,
    L: RequestLogger,
{
    /// Puts a predicate in front of a logger.
    pub fn new(predicate: P, logger: L) -> Self {
        Filter { predicate, logger }
    }
}

impl<P, L> RequestLogger for Filter<P, L>
where
    P: Fn(&AccessRecord<'_>) -> bool + Send + Sync + 'static,
    L: RequestLogger,
{
    fn log(&self, record: &AccessRecord<'_>) {
        if (self.predicate)(record) {
            self.logger.log(record);
        }
    }

    fn flush(&self) {
        self.logger.flush();
    }

    fn lost(&self) -> u64 {
        self.logger.lost()
    }
}

impl<P, L: fmt::Debug> fmt::Debug for Filter<P, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").field("logger", &self.logger).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<(Vec<u64>, u32)>>);

    impl RequestLogger for Seen {
        fn log(&self, record: &AccessRecord<'_>) {
            self.0.lock().unwrap().0.push(record.id);
        }

        fn flush(&self) {
            self.0.lock().unwrap().1 += 1;
        }
    }

    #[test]
    fn only_what_the_predicate_is_true_of_gets_through() {
        let seen = Seen::default();
        let filter = Filter::new(|record| record.id % 2 == 1, seen.clone());
        let mut record = AccessRecord::new(([127, 0, 0, 1], 5).into());
        for id in 0..6 {
            record.id = id;
            filter.log(&record);
        }
        filter.flush();
        assert_eq!(*seen.0.lock().unwrap(), (vec![1, 3, 5], 1));
    }
}
