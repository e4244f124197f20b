//! [`AccessLog`]: where the access log goes, and in which format.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proxy_core::{
    ApacheLogger, JsonLogger, LogFile, NoLog, ProxyBuilder, RequestLogger, TextLogger, Veiled,
};

use crate::config::{Config, LogFormat};
use crate::privacy::LogAddresses;

/// Where the access log goes.
pub struct AccessLog {
    /// `None`: standard output.
    file: Option<LogFile>,
}

/// A log file that cannot be opened.
#[derive(Debug)]
pub struct Unopened {
    path: PathBuf,
    source: io::Error,
}

impl AccessLog {
    /// Opens the file, if it is one.
    ///
    /// # Errors
    /// If it cannot be opened for appending.
    pub fn open(path: Option<&Path>) -> Result<AccessLog, Unopened> {
        let file = path.map(|path| {
            LogFile::append(path).map_err(|source| Unopened { path: path.to_owned(), source })
        });
        Ok(AccessLog { file: file.transpose()? })
    }

    /// Has the proxy log here.
    pub fn attach(&self, config: &Config, builder: ProxyBuilder) -> ProxyBuilder {
        builder.logger(self.logger(config))
    }

    /// What logs here.
    pub fn logger(&self, config: &Config) -> Arc<dyn RequestLogger> {
        let logger = self.whole(config.log_format);
        match config.log_addresses {
            LogAddresses::Whole => logger,
            LogAddresses::Truncated => Arc::new(Veiled::truncated(logger)),
            LogAddresses::Pseudonyms => Arc::new(Veiled::pseudonyms(logger)),
        }
    }

    fn whole(&self, format: LogFormat) -> Arc<dyn RequestLogger> {
        let writer: Box<dyn Write + Send> = match &self.file {
            Some(file) => Box::new(file.clone()),
            None => Box::new(io::stdout()),
        };
        match format {
            LogFormat::Text => Arc::new(TextLogger::new(writer)),
            LogFormat::Json => Arc::new(JsonLogger::new(writer)),
            LogFormat::Common => Arc::new(ApacheLogger::common(writer)),
            LogFormat::Combined => Arc::new(ApacheLogger::combined(writer)),
            LogFormat::Off => Arc::new(NoLog),
        }
    }

    /// Opens the file anew: the old one has been moved away.
    pub fn reopen(&self) {
        if let Some(file) = &self.file {
            // A failure has been told through the `log` facade; the old file is kept.
            let _ = file.reopen();
        }
    }
}

impl std::fmt::Display for Unopened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot open the log file {}", self.path.display())
    }
}

impl std::error::Error for Unopened {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
