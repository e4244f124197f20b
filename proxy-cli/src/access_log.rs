//! [`AccessLog`]: where the access log goes, and in which format.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use proxy_core::{
    Background, Filter, LogFile, LogOverflow, NoLog, ProxyBuilder, Redacted, RequestLogger, Tee,
    Veiled,
};

use crate::config::{Config, LogFormat};
use crate::logs::{Format, Queries, Rotating, Target, Users, WrittenLog};
use crate::privacy::LogAddresses;

/// Where the access log goes: to one place, as the settings say, or to several, as the sections do.
pub struct AccessLog {
    logger: Arc<dyn RequestLogger>,
    files: Vec<LogFile>,
    /// Those that do not hold up the others.
    apart: Vec<Arc<Background>>,
}

/// A log that cannot be opened.
#[derive(Debug)]
pub struct Unopened {
    to: String,
    source: io::Error,
}

/// How long a log that is apart may take for its last records.
const GRACE: Duration = Duration::from_secs(5);

impl AccessLog {
    /// Opens all files.
    ///
    /// # Errors
    /// If one cannot be opened for appending.
    pub fn open(config: &Config) -> Result<AccessLog, Unopened> {
        let mut log = AccessLog { logger: Arc::new(NoLog), files: Vec::new(), apart: Vec::new() };
        if config.logs.is_empty() {
            log.logger = log.single(config)?;
            return Ok(log);
        }
        // A slow one must not cost the others records; but where none may be lost, all wait for it.
        let is_apart = config.logs.len() > 1 && config.log_overflow == LogOverflow::Drop;
        let mut tee = Tee::new();
        for written in &config.logs {
            let logger = log.one_of_several(written, config)?;
            if is_apart {
                let background = Background::new(logger, config.limits.log_queue);
                let background = Arc::new(background.map_err(unopened(&written.to))?);
                log.apart.push(Arc::clone(&background));
                tee = tee.with(background);
            } else {
                tee = tee.with(logger);
            }
        }
        log.logger = Arc::new(tee);
        Ok(log)
    }

    /// Has the proxy log here.
    pub fn attach(&self, builder: ProxyBuilder) -> ProxyBuilder {
        builder.logger(self.logger())
    }

    /// What logs here.
    pub fn logger(&self) -> Arc<dyn RequestLogger> {
        Arc::clone(&self.logger)
    }

    /// Opens the files anew: the old ones have been moved away.
    pub fn reopen(&self) {
        for file in &self.files {
            // A failure has been told through the `log` facade; the old file is kept.
            let _ = file.reopen();
        }
    }

    /// Has everything written that waits. Gives how many records were dropped on their way to one of
    /// several logs.
    pub fn finish(&self) -> u64 {
        let lost = |log: &Arc<Background>| {
            let counts = log.shutdown(GRACE);
            counts.dropped + counts.panicked
        };
        self.apart.iter().map(lost).sum()
    }

    /// The one that the settings describe.
    fn single(&mut self, config: &Config) -> Result<Arc<dyn RequestLogger>, Unopened> {
        let writer: Box<dyn Write + Send> = match &config.log_file {
            Some(path) => Box::new(self.append(&Target::File(path.clone()))?),
            None => Box::new(io::stdout()),
        };
        let logger = Format::Named(config.log_format).logger(writer);
        Ok(logger.map_or_else(no_log, |logger| veiled(logger, config.log_addresses)))
    }

    /// One that a section describes.
    fn one_of_several(
        &mut self,
        written: &WrittenLog,
        config: &Config,
    ) -> Result<Arc<dyn RequestLogger>, Unopened> {
        let app_name = written.app_name.as_deref();
        let syslog = written.to.syslog(written.facility, app_name);
        let writer: Box<dyn Write + Send> = match (syslog, &written.to, &written.rotation) {
            (Some(syslog), ..) => Box::new(syslog),
            (None, Target::File(_), None) => Box::new(self.append(&written.to)?),
            (None, Target::File(_), Some(rotation)) => {
                let file = self.append(&written.to)?;
                let zone = config.time_zone.zone();
                let rotating = Rotating::new(file, rotation.clone(), zone);
                Box::new(rotating.map_err(unopened(&written.to))?)
            }
            (None, ..) => Box::new(io::stdout()),
        };
        let Some(logger) = written.format.logger(writer) else { return Ok(no_log()) };
        let addresses = written.addresses.unwrap_or(config.log_addresses);
        let logger = veiled(redacted(logger, written), addresses);
        let selection = written.selection.clone();
        Ok(match selection.is_everything() {
            true => logger,
            false => Arc::new(Filter::new(move |record| selection.includes(record), logger)),
        })
    }

    fn append(&mut self, to: &Target) -> Result<LogFile, Unopened> {
        let file = to.file().and_then(|file| file.ok_or_else(|| io::ErrorKind::NotFound.into()));
        let file = file.map_err(unopened(to))?;
        self.files.push(file.clone());
        Ok(file)
    }
}

fn no_log() -> Arc<dyn RequestLogger> {
    Arc::new(NoLog)
}

fn unopened(to: &Target) -> impl Fn(io::Error) -> Unopened {
    let to = match to {
        Target::File(path) => format!("file {}", path.display()),
        other => other.to_string(),
    };
    move |source| Unopened { to: to.clone(), source }
}

fn redacted(logger: Box<dyn RequestLogger>, written: &WrittenLog) -> Arc<dyn RequestLogger> {
    let is_whole = written.queries == Queries::Whole
        && written.hidden_parameters.is_empty()
        && written.users == Users::Whole;
    let logger: Arc<dyn RequestLogger> = Arc::from(logger);
    if is_whole {
        return logger;
    }
    let mut redacted = Redacted::new(logger);
    if !written.hidden_parameters.is_empty() {
        redacted = redacted.without_parameters(written.hidden_parameters.iter().cloned());
    }
    if written.queries == Queries::Hidden {
        redacted = redacted.without_queries();
    }
    Arc::new(match written.users {
        Users::Whole => redacted,
        Users::Pseudonyms => redacted.with_pseudonyms_of_users(),
        Users::Hidden => redacted.without_users(),
    })
}

fn veiled(
    logger: impl Into<Arc<dyn RequestLogger>>,
    addresses: LogAddresses,
) -> Arc<dyn RequestLogger> {
    let logger = logger.into();
    match addresses {
        LogAddresses::Whole => logger,
        LogAddresses::Truncated => Arc::new(Veiled::truncated(logger)),
        LogAddresses::Pseudonyms => Arc::new(Veiled::pseudonyms(logger)),
    }
}

/// What decides where a configuration logs: where it differs, another log is opened.
pub fn differs(one: &Config, other: &Config) -> bool {
    type Parts<'c> = (&'c Option<PathBuf>, LogFormat, LogAddresses, &'c [WrittenLog], &'c str);
    fn parts(config: &Config) -> Parts<'_> {
        let Config { log_file, log_format, log_addresses, logs, time_zone, .. } = config;
        let rotates = logs.iter().any(|log| log.rotation.is_some());
        // Days are those of a zone.
        let zone = if rotates { time_zone.name() } else { "" };
        (log_file, *log_format, *log_addresses, &logs[..], zone)
    }
    parts(one) != parts(other)
}

impl std::fmt::Display for Unopened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot open the log {}", self.to)
    }
}

impl std::error::Error for Unopened {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
