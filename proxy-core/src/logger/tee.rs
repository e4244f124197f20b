//! [`Tee`]: one record, several loggers.

use std::fmt;
use std::panic::{self, AssertUnwindSafe};

use super::RequestLogger;
use super::record::AccessRecord;

/// Gives each record to several loggers, one after another, in the order they were added.
///
/// They share the thread that calls: what one takes long for, the next waits for. A slow one
/// goes [into the background](super::Background). If one panics, the others get the record and
/// the flush all the same, and then the panic goes on.
///
/// ```
/// use proxy_core::{ApacheLogger, Filter, JsonLogger, LogFile, Proxy, Tee};
///
/// # let path = std::env::temp_dir().join(format!("proxy-core-tee-{}", std::process::id()));
/// let failures = Filter::new(|record| record.reason.is_some(), JsonLogger::stdout());
/// let everything = ApacheLogger::combined(LogFile::append(&path)?);
/// let logger = Tee::new().with(everything).with(failures);
/// let proxy = Proxy::builder().listen("127.0.0.1:0").logger(logger).start()?;
/// # drop(proxy);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct Tee {
    loggers: Vec<Box<dyn RequestLogger>>,
}

impl Tee {
    /// No loggers yet: like [`NoLog`](super::NoLog).
    pub fn new() -> Tee {
        Tee::default()
    }

    /// One logger more.
    #[must_use]
    pub fn with(mut self, logger: impl RequestLogger) -> Tee {
        self.loggers.push(Box::new(logger));
        self
    }

    fn each(&self, call: impl Fn(&dyn RequestLogger)) {
        let mut panicked = None;
        for logger in &self.loggers {
            // A logger is called again after a panic anyway: see `RequestLogger`.
            if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(|| call(&**logger))) {
                // Not dropped: any type can be thrown, also one that panics when it is.
                std::mem::forget(panicked.replace(payload));
            }
        }
        if let Some(payload) = panicked {
            panic::resume_unwind(payload);
        }
    }
}

impl RequestLogger for Tee {
    fn log(&self, record: &AccessRecord<'_>) {
        self.each(|logger| logger.log(record));
    }

    fn lost(&self) -> u64 {
        self.loggers.iter().map(|logger| logger.lost()).sum()
    }

    fn flush(&self) {
        self.each(|logger| logger.flush());
    }
}

impl fmt::Debug for Tee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tee").field("loggers", &self.loggers.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Story(Arc<Mutex<Vec<String>>>);

    struct Teller(&'static str, Story);

    impl RequestLogger for Teller {
        fn log(&self, record: &AccessRecord<'_>) {
            self.1.0.lock().unwrap().push(format!("{} {}", self.0, record.id));
        }

        fn flush(&self) {
            self.1.0.lock().unwrap().push(format!("{} flushed", self.0));
        }
    }

    #[test]
    fn each_logger_gets_each_record_in_order() {
        let story = Story::default();
        let tee = Tee::new().with(Teller("a", story.clone())).with(Teller("b", story.clone()));
        tee.log(&AccessRecord::new(([127, 0, 0, 1], 5).into()));
        tee.flush();
        assert_eq!(*story.0.lock().unwrap(), ["a 0", "b 0", "a flushed", "b flushed"]);
    }

    #[test]
    fn a_panic_of_one_costs_the_others_nothing_and_is_not_hidden() {
        let story = Story::default();
        let tee = Tee::new()
            .with(|_: &AccessRecord<'_>| panic::resume_unwind(Box::new("first")))
            .with(Teller("a", story.clone()))
            .with(|_: &AccessRecord<'_>| panic::resume_unwind(Box::new("second")));
        let record = AccessRecord::new(([127, 0, 0, 1], 5).into());
        assert!(panic::catch_unwind(AssertUnwindSafe(|| tee.log(&record))).is_err());
        assert_eq!(*story.0.lock().unwrap(), ["a 0"]);
    }
}
