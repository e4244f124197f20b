//! [`JsonLogger`]: a line for programs.

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use super::RequestLogger;
use super::line::Lines;
use super::output::Output;
use super::record::{AccessRecord, Event, Kind};

/// Writes one JSON object (RFC 8259) for each record, on a line of its own.
///
/// Every object has all these keys, in this order. Keys keep their meaning; new ones may be
/// added at the end.
///
/// | key | value |
/// |---|---|
/// | `event` | `"open"`: a tunnel was opened; `"close"`: it is over |
/// | `kind` | `"exchange"` or `"tunnel"` |
/// | `id` | the number of the request; both records of a tunnel have it |
/// | `time` | when the request began: `"2026-11-23T18:40:12.123Z"` |
/// | `client` | address and port: `"192.0.2.7:50412"` |
/// | `method`, `target`, `host` | as the client sent them, the target without userinfo; `"-"` when not understood |
/// | `version` | the version of the request: `"1.1"` or `"1.0"`; `null` when not understood |
/// | `status` | the status code the client was sent, or `null` |
/// | `reason` | the code of the [reason](crate::Reason) why it did not end plainly, or `null` |
/// | `bytes_in`, `bytes_out` | content bytes from and to the client; of a tunnel, all bytes |
/// | `duration_ms` | from `time` to the event, in milliseconds with a fraction |
/// | `wait_ms` | from `time` until an upstream was looked for, or `null` |
/// | `resolve_ms` | how long the connector took, if it was asked on the worker pool, or `null` |
/// | `connect_ms` | how long dialing took, or `null` |
/// | `first_byte_ms` | from `time` to the head of the upstream's response, or `null` |
/// | `upstream` | address and port, or `null` |
/// | `client_reused`, `upstream_reused` | whether the connection had carried a request before |
/// | `attempts` | how many upstream connections were tried |
/// | `referer`, `user_agent` | what the request's fields say, the referer without userinfo, or `null` |
/// | `rule` | the name of the [rule](crate::rules) that decided; `"default"` if none did; `null` if there are none |
/// | `reported` | the name of the rule that would have decided and only reports, or `null` |
/// | `user` | the name of the [user](crate::User), or `null` where none is known |
///
/// The [record](AccessRecord) says more of each. `referer` and `user_agent` need not be text; what
/// is not UTF-8 in them is shown as U+FFFD.
///
/// Quotes, backslashes, control characters and the line separators U+2028 and U+2029 in
/// strings are escaped, so an object is always one line and a client cannot forge another.
///
/// Buffering and failures are those of [`TextLogger`](super::TextLogger).
pub struct JsonLogger<W: Write + Send>(Output<W>);

impl<W: Write + Send> JsonLogger<W> {
    /// Writes to anything that can be written to. It needs no buffer of its own.
    pub fn new(writer: W) -> Self {
        JsonLogger(Output::new(writer))
    }
}

impl JsonLogger<io::Stdout> {
    /// Writes to the standard output.
    pub fn stdout() -> Self {
        JsonLogger::new(io::stdout())
    }
}

impl<W: Write + Send + 'static> RequestLogger for JsonLogger<W> {
    fn log(&self, record: &AccessRecord<'_>) {
        self.0.line(|line| write_object(line, record));
    }

    fn flush(&self) {
        self.0.flush();
    }

    fn lost(&self) -> u64 {
        self.0.lost()
    }
}

impl<W: Write + Send> fmt::Debug for JsonLogger<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLogger").finish_non_exhaustive()
    }
}

pub(super) fn write_object(line: &mut Lines, record: &AccessRecord<'_>) {
    line.raw(match record.event {
        Event::Open => r#"{"event":"open""#,
        Event::Close => r#"{"event":"close""#,
    });
    line.raw(match record.kind {
        Kind::Exchange => r#","kind":"exchange","id":"#,
        Kind::Tunnel => r#","kind":"tunnel","id":"#,
    });
    line.integer(record.id);
    line.raw(r#","time":""#);
    line.time(record.time);
    line.raw(r#"","client":""#);
    line.address(record.client);
    line.raw(r#"","method":"#);
    string(line, record.method);
    line.raw(r#","target":"#);
    string(line, record.target);
    line.raw(r#","host":"#);
    string(line, record.host);
    line.raw(r#","version":"#);
    optional(line, record.version, |line, version| string(line, version.number()));
    line.raw(r#","status":"#);
    optional(line, record.status, |line, status| line.integer(status.into()));
    line.raw(r#","reason":"#);
    optional(line, record.reason, |line, reason| string(line, reason.code()));
    line.raw(r#","bytes_in":"#);
    line.integer(record.bytes_in);
    line.raw(r#","bytes_out":"#);
    line.integer(record.bytes_out);
    line.raw(r#","duration_ms":"#);
    line.milliseconds(record.duration);
    line.raw(r#","wait_ms":"#);
    optional(line, record.wait, Lines::milliseconds as fn(&mut Lines, Duration));
    line.raw(r#","resolve_ms":"#);
    optional(line, record.resolve, Lines::milliseconds as fn(&mut Lines, Duration));
    line.raw(r#","connect_ms":"#);
    optional(line, record.connect, Lines::milliseconds as fn(&mut Lines, Duration));
    line.raw(r#","first_byte_ms":"#);
    optional(line, record.first_byte, Lines::milliseconds as fn(&mut Lines, Duration));
    line.raw(r#","upstream":"#);
    optional(line, record.upstream, |line, address: SocketAddr| {
        line.raw("\"");
        line.address(address);
        line.raw("\"");
    });
    line.raw(r#","client_reused":"#);
    boolean(line, record.client_reused);
    line.raw(r#","upstream_reused":"#);
    boolean(line, record.upstream_reused);
    line.raw(r#","attempts":"#);
    line.integer(record.attempts.into());
    line.raw(r#","referer":"#);
    optional(line, record.referer, bytes);
    line.raw(r#","user_agent":"#);
    optional(line, record.user_agent, bytes);
    if (record.rule, record.reported, record.user) == (None, None, None) {
        // As long as there are no rules it is one constant, and costs hardly anything.
        return line.raw(r#","rule":null,"reported":null,"user":null}"#);
    }
    line.raw(r#","rule":"#);
    optional(line, record.rule, string);
    line.raw(r#","reported":"#);
    optional(line, record.reported, string);
    line.raw(r#","user":"#);
    optional(line, record.user, string);
    line.raw("}");
}

fn optional<T>(line: &mut Lines, value: Option<T>, write: impl FnOnce(&mut Lines, T)) {
    match value {
        Some(value) => write(line, value),
        None => line.raw("null"),
    }
}

fn boolean(line: &mut Lines, value: bool) {
    line.raw(if value { "true" } else { "false" });
}

pub(super) fn string(line: &mut Lines, text: &str) {
    line.raw("\"");
    escaped(line, text);
    line.raw("\"");
}

/// A string of what need not be text: JSON is (RFC 8259 §8.1).
pub(super) fn bytes(line: &mut Lines, bytes: &[u8]) {
    line.raw("\"");
    for chunk in bytes.utf8_chunks() {
        escaped(line, chunk.valid());
        if !chunk.invalid().is_empty() {
            line.raw("\u{fffd}");
        }
    }
    line.raw("\"");
}

fn escaped(line: &mut Lines, text: &str) {
    let harmless = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if text.bytes().all(harmless) {
        line.raw(text);
    } else {
        text.chars().for_each(|char| character(line, char));
    }
}

/// One character of a string, escaped where JSON or the promise of one line asks for it.
fn character(line: &mut Lines, char: char) {
    match char {
        '"' => line.raw("\\\""),
        '\\' => line.raw("\\\\"),
        // U+2028 and U+2029 end lines in JavaScript, and in some readers of logs. All that is
        // escaped here lies below U+10000: no surrogates needed.
        _ if char.is_control() || matches!(char, '\u{2028}' | '\u{2029}') => {
            line.raw("\\u");
            let code = u32::from(char);
            line.hex((code >> 8) as u8);
            line.hex(code as u8);
        }
        _ => line.raw(char.encode_utf8(&mut [0; 4])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Reason;
    use crate::http1::Version;
    use std::time::SystemTime;

    fn line(record: &AccessRecord<'_>) -> String {
        let mut lines = Lines::new();
        write_object(&mut lines, record);
        String::from_utf8(lines.as_bytes().to_vec()).unwrap()
    }

    fn quoted(text: &str) -> String {
        let mut lines = Lines::new();
        string(&mut lines, text);
        String::from_utf8(lines.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_full_record() {
        let mut record = AccessRecord::new(([127, 0, 0, 1], 50412).into());
        record.event = Event::Open;
        record.kind = Kind::Tunnel;
        record.id = 7;
        record.time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_459_212_123);
        record.method = "CONNECT";
        record.target = "example.com:443";
        record.host = "example.com";
        record.version = Some(Version::Http11);
        record.referer = Some(b"");
        record.user_agent = Some(b"caf\xe9 \"1\"");
        record.status = Some(200);
        record.reason = Some(Reason::TunnelReset);
        record.bytes_in = 1;
        record.bytes_out = 2;
        record.duration = Duration::from_micros(34_056);
        record.wait = Some(Duration::from_micros(30));
        record.resolve = Some(Duration::from_millis(1));
        record.connect = Some(Duration::from_millis(12));
        record.first_byte = Some(Duration::from_micros(7));
        record.upstream = Some(([192, 0, 2, 1], 443).into());
        record.client_reused = true;
        record.upstream_reused = true;
        record.attempts = 3;
        record.user = Some("ann");
        record.rule = Some("office");
        record.reported = Some("trial");
        assert_eq!(
            line(&record),
            concat!(
                r#"{"event":"open","kind":"tunnel","id":7,"time":"2026-11-23T18:40:12.123Z","#,
                r#""client":"127.0.0.1:50412","method":"CONNECT","target":"example.com:443","#,
                r#""host":"example.com","version":"1.1","status":200,"reason":"tunnel_reset","#,
                r#""bytes_in":1,"bytes_out":2,"duration_ms":34.056,"wait_ms":0.030,"#,
                r#""resolve_ms":1.000,"connect_ms":12.000,"#,
                r#""first_byte_ms":0.007,"upstream":"192.0.2.1:443","#,
                r#""client_reused":true,"upstream_reused":true,"attempts":3,"#,
                "\"referer\":\"\",\"user_agent\":\"caf\u{fffd} \\\"1\\\"\",\"rule\":\"office\",\"reported\":\"trial\",\"user\":\"ann\"}",
            )
        );
    }

    #[test]
    fn what_is_not_known_is_null() {
        assert_eq!(
            line(&AccessRecord::new(([0, 0, 0, 0, 0, 0, 0, 1], 80).into())),
            concat!(
                r#"{"event":"close","kind":"exchange","id":0,"time":"1970-01-01T00:00:00.000Z","#,
                r#""client":"[::1]:80","method":"-","target":"-","host":"-","version":null,"status":null,"#,
                r#""reason":null,"bytes_in":0,"bytes_out":0,"duration_ms":0.000,"#,
                r#""wait_ms":null,"resolve_ms":null,"connect_ms":null,"first_byte_ms":null,"#,
                r#""upstream":null,"client_reused":false,"upstream_reused":false,"attempts":0,"#,
                r#""referer":null,"user_agent":null,"rule":null,"reported":null,"user":null}"#,
            )
        );
    }

    #[test]
    fn a_client_cannot_forge_a_line_or_end_a_string() {
        for (text, json) in [
            ("", r#""""#),
            ("http://h/a?b=c%20 ~", r#""http://h/a?b=c%20 ~""#),
            (r#"","status":200"#, r#""\",\"status\":200""#),
            ("\\", r#""\\""#),
            ("a\r\nb\0\t\x7f", r#""a\u000d\u000ab\u0000\u0009\u007f""#),
            ("\u{85}\u{9b}\u{2028}\u{2029}", r#""\u0085\u009b\u2028\u2029""#),
            ("é€😀", r#""é€😀""#),
        ] {
            assert_eq!(quoted(text), json);
        }
    }
}
