//! [`JsonText`]: JSON of any shape, in the manner of the access log's.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use super::json::{string, write_object};
use super::line::Lines;
use super::record::AccessRecord;

/// A JSON text (RFC 8259) on one line, put together from its beginning to its end. Escapes are those
/// of [`JsonLogger`](super::JsonLogger).
///
/// Commas are set by themselves. That an object has keys, and an array none, is up to the caller.
pub(crate) struct JsonText(Lines);

impl JsonText {
    /// An object, with what `write` puts into it.
    pub(crate) fn object(write: impl FnOnce(&mut JsonText)) -> JsonText {
        let mut json = JsonText(Lines::new());
        json.within('{', '}', write);
        json
    }

    /// The text.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0.as_bytes().to_vec()
    }

    /// A key; its value is to follow.
    pub(crate) fn key(&mut self, key: &str) -> &mut JsonText {
        self.text(key);
        self.0.raw(":");
        self
    }

    /// An object within.
    pub(crate) fn map(&mut self, write: impl FnOnce(&mut JsonText)) {
        self.separate();
        self.within('{', '}', write);
    }

    /// An array with a value for each item.
    pub(crate) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut JsonText, T),
    ) {
        self.separate();
        self.within('[', ']', |json| items.into_iter().for_each(|item| write(json, item)));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.separate();
        string(&mut self.0, text);
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.separate();
        self.0.integer(number);
    }

    pub(crate) fn truth(&mut self, truth: bool) {
        self.separate();
        self.0.raw(if truth { "true" } else { "false" });
    }

    /// An address and a port, as text.
    pub(crate) fn address(&mut self, address: SocketAddr) {
        self.separate();
        self.0.raw("\"");
        self.0.address(address);
        self.0.raw("\"");
    }

    /// A time of day, as text.
    pub(crate) fn time(&mut self, time: SystemTime) {
        self.separate();
        self.0.raw("\"");
        self.0.time(time);
        self.0.raw("\"");
    }

    /// Milliseconds with a fraction.
    pub(crate) fn milliseconds(&mut self, duration: Duration) {
        self.separate();
        self.0.milliseconds(duration);
    }

    /// A value, or `null`.
    pub(crate) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut JsonText, T)) {
        match value {
            Some(value) => write(self, value),
            None => {
                self.separate();
                self.0.raw("null");
            }
        }
    }

    /// The object of a record, as the access log has it.
    pub(crate) fn of_record(record: &AccessRecord<'_>) -> JsonText {
        let mut json = JsonText(Lines::new());
        write_object(&mut json.0, record);
        json
    }

    fn within(&mut self, open: char, close: char, write: impl FnOnce(&mut JsonText)) {
        self.0.byte(open as u8);
        write(self);
        self.0.byte(close as u8);
    }

    /// No value and no key ends with one of these: they end with a quote, a letter, a digit or a
    /// closing bracket.
    fn separate(&mut self) {
        if !matches!(self.0.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.0.raw(",");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_between_and_nowhere_else() {
        let json = JsonText::object(|json| {
            json.key("none").list([0_u64; 0], JsonText::number);
            json.key("two:").list(["a,", "{b\"\n"], JsonText::text);
            json.key("map").map(|json| {
                json.key("yes").truth(true);
                json.key("no").optional(None, JsonText::number);
                json.key("five").optional(Some(5), JsonText::number);
            });
            json.key("empty").map(|_| {});
            json.key("at").address(([127, 0, 0, 1], 80).into());
            json.key("time").time(SystemTime::UNIX_EPOCH);
            json.key("ms").milliseconds(Duration::from_micros(1500));
        });
        assert_eq!(
            String::from_utf8(json.into_bytes()).unwrap(),
            concat!(
                r#"{"none":[],"two:":["a,","{b\"\u000a"],"map":{"yes":true,"no":null,"five":5},"#,
                r#""empty":{},"at":"127.0.0.1:80","time":"1970-01-01T00:00:00.000Z","ms":1.500}"#
            )
        );
    }
}
