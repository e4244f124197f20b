//! Diagnostics on standard error: what the library tells through the `log` facade.

use crate::tell::tell;
use log::{Level, LevelFilter, Log, Metadata, Record};

struct Stderr;

impl Log for Stderr {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // Other crates may log, too; below warnings only the proxy's own words matter here.
        if record.level() <= Level::Warn || record.target().starts_with("proxy_") {
            tell!("{}: {}", record.level().as_str().to_ascii_lowercase(), record.args());
        }
    }

    fn flush(&self) {}
}

/// To be called once, before anything is logged.
pub fn install(verbose: bool) {
    log::set_max_level(if verbose { LevelFilter::Debug } else { LevelFilter::Warn });
    log::set_logger(&Stderr).expect("it is installed once");
}
