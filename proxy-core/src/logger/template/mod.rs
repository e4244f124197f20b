//! [`Template`]: lines of one's own.

mod error;
mod field;
mod logger;

use std::str::FromStr;

use error::Problem;
pub use error::TemplateError;
use field::{Field, Style};
pub use logger::TemplateLogger;

use super::line::Lines;
use super::record::{AccessRecord, Event};

/// What a line of the access log consists of: text, and fields in braces.
///
/// ```
/// use proxy_core::{Template, TemplateLogger};
///
/// let template: Template = "{time} {client} {request.host} {status} {reason}".parse()?;
/// let logger = TemplateLogger::new(template, std::io::stdout());
///
/// let error = "{request.hots}".parse::<Template>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "there is no field `request.hots`, in column 2; did you mean `request.host`?"
/// );
/// # drop(logger);
/// # Ok::<(), proxy_core::TemplateError>(())
/// ```
///
/// | field | value |
/// |---|---|
/// | `event`, `kind`, `id` | `open` or `close`; `exchange` or `tunnel`; the number of the request |
/// | `time`, `time.unix`, `time.apache` | when the request began: RFC 3339, seconds since 1970, as Apache has it; in UTC |
/// | `time.end` | when it was over, RFC 3339 |
/// | `time.total` | from its beginning to its end, in milliseconds, as are all durations |
/// | `time.wait`, `time.resolve`, `time.connect`, `time.first_byte` | [the phases](AccessRecord) |
/// | `client`, `client.ip`, `client.port`, `client.reused` | who asked, and whether its connection had carried a request before |
/// | `user` | the name of the [user](crate::User) |
/// | `request.method`, `request.target`, `request.host`, `request.version` | as asked |
/// | `request.referer`, `request.user_agent` | its fields |
/// | `request.bytes`, `response.bytes` | content bytes from the client and to it; of a tunnel all bytes |
/// | `status` | what the client was told |
/// | `reason`, `reason.side` | why it did not end plainly, and who can mend that: `client`, `upstream` or `proxy` |
/// | `rule`, `rule.reported` | the [rule](crate::rules) that decided, and the one that would have |
/// | `upstream`, `upstream.ip`, `upstream.port`, `upstream.reused`, `upstream.attempts` | who was asked |
///
/// What is not known is `-`. A value is one word: each byte of it that is not visible ASCII, `"` and
/// `\` are shown as `\x0a`. So whatever a client sends, it ends neither a line nor a column nor a
/// quotation. `{status:json}` writes a value as JSON does: text in quotes, numbers bare, and `null`
/// for what is not known.
///
/// `{{` and `}}` stand for one brace. A tunnel has a line when it is over; one that says `{event}`
/// also has one for a tunnel that is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
    /// Whether it tells tunnels that are opened from those that are over.
    tells_events: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(Field, Style),
}

/// What stands behind a field that is to be written as JSON.
const JSON: &str = "json";

impl Template {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of all fields.
    pub fn fields() -> impl Iterator<Item = &'static str> {
        Field::ALL.iter().map(|(name, _)| *name)
    }

    /// Whether there is a line for such a record.
    fn is_for(&self, record: &AccessRecord<'_>) -> bool {
        record.event == Event::Close || self.tells_events
    }

    fn write(&self, line: &mut Lines, record: &AccessRecord<'_>) {
        for part in &self.parts {
            match part {
                Part::Text(text) => line.raw(text),
                Part::Field(field, style) => field.value(record).write(line, *style),
            }
        }
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Template, TemplateError> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(next) = text[at..].chars().next() {
            let rest = &text[at..];
            let length = next.len_utf8();
            if rest.starts_with("{{") || rest.starts_with("}}") {
                literal.push(next);
                at += 2;
            } else if next == '{' {
                let Some(end) = rest.find('}') else {
                    return Err(TemplateError::new(text, at..text.len(), Problem::Open));
                };
                if !literal.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                }
                parts.push(field(text, at + 1..at + end)?);
                at += end + 1;
            } else if next == '}' {
                return Err(TemplateError::new(text, at..at + 1, Problem::Close));
            } else if next.is_control() && next != '\t' {
                // A record is a line, and stays one.
                return Err(TemplateError::new(text, at..at + length, Problem::Control));
            } else {
                literal.push(next);
                at += length;
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        if !parts.iter().any(|part| matches!(part, Part::Field(..))) {
            return Err(TemplateError::new(text, 0..text.len(), Problem::NoField));
        }
        let tells_events = parts.iter().any(|part| matches!(part, Part::Field(Field::Event, _)));
        Ok(Template { text: text.to_owned(), parts, tells_events })
    }
}

/// Reads what stands between braces.
fn field(text: &str, span: std::ops::Range<usize>) -> Result<Part, TemplateError> {
    let inside = &text[span.clone()];
    let (name, style) = match inside.split_once(':') {
        None => (inside, Style::Word),
        Some((name, JSON)) => (name, Style::Json),
        Some((name, _)) => {
            let span = span.start + name.len() + 1..span.end;
            return Err(TemplateError::new(text, span, Problem::Style));
        }
    };
    let found = Field::ALL.iter().find(|(known, _)| *known == name);
    let (_, field) = found.ok_or_else(|| {
        TemplateError::new(text, span.start..span.start + name.len(), Problem::NoSuchField)
    })?;
    Ok(Part::Field(*field, style))
}

#[cfg(test)]
mod tests;
