//! [`Record`]: what a line of the access log says, as far as it is judged.

use serde_json::Value;
use std::net::SocketAddr;

/// Before the number of a request in its `User-Agent`.
pub(crate) const AGENT: &str = "soak/";

/// A line of the access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) is_close: bool,
    pub(crate) is_tunnel: bool,
    pub(crate) client: SocketAddr,
    /// The number of the request, if its head was understood and has one.
    pub(crate) number: Option<u64>,
    pub(crate) status: Option<u16>,
    /// `""` is none.
    pub(crate) reason: String,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

impl Record {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// If it is no such object: torn, or not as documented.
    pub(crate) fn parse(line: &str) -> Result<Record, String> {
        let object: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let lacking = |key: &str| format!("no {key}, or a strange one");
        let number = |key: &str| object.get(key).and_then(Value::as_u64).ok_or(lacking(key));
        let is = |key: &str, yes: &str, no: &str| match text(key) {
            Some(word) if word == yes => Ok(true),
            Some(word) if word == no => Ok(false),
            _ => Err(lacking(key)),
        };
        let status = match object.get("status") {
            Some(Value::Null) => None,
            _ => Some(u16::try_from(number("status")?).map_err(|_| lacking("status"))?),
        };
        let reason = match object.get("reason") {
            Some(Value::Null) => String::new(),
            _ => text("reason").ok_or(lacking("reason"))?.to_owned(),
        };
        let agent = text("user_agent").and_then(|agent| agent.strip_prefix(AGENT));
        Ok(Record {
            is_close: is("event", "close", "open")?,
            is_tunnel: is("kind", "tunnel", "exchange")?,
            client: text("client").and_then(|it| it.parse().ok()).ok_or(lacking("client"))?,
            number: agent.and_then(|number| number.parse().ok()),
            status,
            reason,
            bytes_in: number("bytes_in")?,
            bytes_out: number("bytes_out")?,
        })
    }
}
