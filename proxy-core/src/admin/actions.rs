//! [`AdminActions`]: what is asked of the program around a proxy.

use std::fmt;
use std::str::FromStr;

/// What the admin address asks of the program that runs the proxy: what a proxy cannot do by itself.
///
/// All of it is called on the worker pool of the admin address's own proxy, and may block. A method
/// that is left as it is says that there is no such thing here.
pub trait AdminActions: Send + Sync + 'static {
    /// The configuration in effect, as text for people, for `/config`. No secret may stand in it.
    fn config(&self) -> Option<String> {
        None
    }

    /// Reads the configuration again and goes on by it. Gives what there is to say about it, such
    /// as settings that wait for a restart.
    ///
    /// # Errors
    /// What is wrong with it; nothing has changed then.
    fn reload(&self) -> Result<Vec<String>, ActionError> {
        Err(ActionError::Unsupported)
    }

    /// Begins to stop: no new connections, and what is under way comes to its end. It does not wait
    /// for that.
    ///
    /// # Errors
    /// Why not.
    fn drain(&self) -> Result<(), ActionError> {
        Err(ActionError::Unsupported)
    }

    /// How much is told in diagnostics.
    fn log_level(&self) -> Option<LogLevel> {
        None
    }

    /// Has more or less told.
    ///
    /// # Errors
    /// Why not.
    fn set_log_level(&self, level: LogLevel) -> Result<(), ActionError> {
        let _ = level;
        Err(ActionError::Unsupported)
    }
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionError {
    /// This program has no such thing.
    Unsupported,
    /// It went wrong, or was refused: in words for people, each a message by itself.
    Failed(Vec<String>),
}

/// A program that can do none of it.
pub(super) struct NoActions;

impl AdminActions for NoActions {}

/// How much is told in diagnostics: all that is at least as urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// What may need somebody's attention.
    Warn,
    /// What happens.
    Info,
    /// What happens to each request that fails.
    Debug,
    /// All.
    Trace,
}

impl LogLevel {
    /// All of them, from the least to the most.
    pub const ALL: [LogLevel; 6] = [
        LogLevel::Off,
        LogLevel::Error,
        LogLevel::Warn,
        LogLevel::Info,
        LogLevel::Debug,
        LogLevel::Trace,
    ];

    /// The stable word for it: `off`, `error`, `warn`, `info`, `debug` or `trace`.
    pub const fn word(self) -> &'static str {
        match self {
            LogLevel::Off => "off",
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for LogLevel {
    type Err = String;

    fn from_str(word: &str) -> Result<LogLevel, String> {
        let found = LogLevel::ALL.into_iter().find(|level| level.word() == word);
        found.ok_or_else(|| "expected off, error, warn, info, debug or trace".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_as_what_it_was() {
        for level in LogLevel::ALL {
            assert_eq!(level.word().parse(), Ok(level));
        }
        assert!("verbose".parse::<LogLevel>().is_err());
        assert!(LogLevel::Off < LogLevel::Error && LogLevel::Debug < LogLevel::Trace);
    }

    #[test]
    fn who_does_nothing_says_so() {
        assert_eq!(NoActions.config(), None);
        assert_eq!(NoActions.reload(), Err(ActionError::Unsupported));
        assert_eq!(NoActions.drain(), Err(ActionError::Unsupported));
        assert_eq!(NoActions.set_log_level(LogLevel::Off), Err(ActionError::Unsupported));
    }
}
