//! [`Format`]: how an access log is written.

use std::io::Write;

use proxy_core::{
    ApacheLogger, JsonLogger, LogfmtLogger, RequestLogger, SquidLogger, Template, TemplateLogger,
    TextLogger,
};

use crate::config::LogFormat;

/// How an access log is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    Named(LogFormat),
    Template(Template),
}

impl Format {
    /// What writes so to `writer`; `None` if nothing is to be written.
    pub fn logger(&self, writer: Box<dyn Write + Send>) -> Option<Box<dyn RequestLogger>> {
        Some(match self {
            Format::Template(template) => Box::new(TemplateLogger::new(template.clone(), writer)),
            Format::Named(format) => match format {
                LogFormat::Text => Box::new(TextLogger::new(writer)),
                LogFormat::Json => Box::new(JsonLogger::new(writer)),
                LogFormat::Logfmt => Box::new(LogfmtLogger::new(writer)),
                LogFormat::Common => Box::new(ApacheLogger::common(writer)),
                LogFormat::Combined => Box::new(ApacheLogger::combined(writer)),
                LogFormat::Squid => Box::new(SquidLogger::new(writer)),
                LogFormat::Off => return None,
            },
        })
    }
}
