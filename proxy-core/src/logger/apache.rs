//! [`ApacheLogger`]: the lines of Apache's access log.

use std::fmt;
use std::io::Write;

use super::RequestLogger;
use super::line::Lines;
use super::output::Output;
use super::record::{AccessRecord, Event};

/// Writes the lines that Apache's `mod_log_config` writes, for the programs that read those.
///
/// [`common`](ApacheLogger::common) is Apache's `%h %l %u %t "%r" %>s %b`,
/// [`combined`](ApacheLogger::combined) has `"%{Referer}i" "%{User-Agent}i"` behind it:
///
/// ```text
/// 127.0.0.1 - - [23/Nov/2026:18:40:12 +0000] "GET http://example.com/a HTTP/1.1" 200 1234
/// 127.0.0.1 - - [23/Nov/2026:18:40:12 +0000] "GET http://example.com/a HTTP/1.1" 200 1234 "-" "curl/8.5.0"
/// ```
///
/// The fields are: the client's address; `-`, for an identity, which is not known; the name of the
/// [user](crate::User), or `-`; when the request began, in UTC; the request line; the status; the content bytes sent
/// to the client, `-` for none. What is missing is `-`: the status of a client that was told
/// none, the request line where none was understood, a field that was not in the request.
///
/// As in Apache's, in what is quoted a `\` stands before each quote and backslash; backspace,
/// line feed, return and tabs are shown as `\b`, `\n`, `\r`, `\t`, `\v`, and any other byte that
/// is not printable ASCII as `\x0a`. In the user's name, which is not quoted, spaces, quotes and
/// backslashes are shown so, too. So a client cannot forge a line, or the beginning or the end of a
/// quotation.
///
/// Two things differ from Apache's: of a target's userinfo nothing is shown, where Apache hides
/// only the password; and of a request that was not understood, where Apache shows the line it
/// got, the log has `"-"`.
///
/// A tunnel has one line, when it is over. [Reasons](crate::Reason) and phases have no place
/// here; [`JsonLogger`](super::JsonLogger) tells them.
///
/// Buffering and failures are those of [`TextLogger`](super::TextLogger).
///
/// ```
/// use proxy_core::{ApacheLogger, Proxy};
///
/// let logger = ApacheLogger::combined(std::io::stdout());
/// let proxy = Proxy::builder().listen("127.0.0.1:0").logger(logger).start()?;
/// # Ok::<(), proxy_core::BuildError>(())
/// ```
pub struct ApacheLogger<W: Write + Send> {
    output: Output<W>,
    format: Format,
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Common,
    Combined,
}

impl<W: Write + Send> ApacheLogger<W> {
    /// Writes Apache's common log format to anything that can be written to. It needs no buffer
    /// of its own.
    pub fn common(writer: W) -> Self {
        ApacheLogger { output: Output::new(writer), format: Format::Common }
    }

    /// The same in the combined format.
    pub fn combined(writer: W) -> Self {
        ApacheLogger { output: Output::new(writer), format: Format::Combined }
    }
}

impl<W: Write + Send + 'static> RequestLogger for ApacheLogger<W> {
    fn log(&self, record: &AccessRecord<'_>) {
        if record.event == Event::Close {
            self.output.line(|line| write_line(line, record, self.format));
        }
    }

    fn flush(&self) {
        self.output.flush();
    }

    fn lost(&self) -> u64 {
        self.output.lost()
    }
}

impl<W: Write + Send> fmt::Debug for ApacheLogger<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApacheLogger").field("format", &self.format).finish_non_exhaustive()
    }
}

fn write_line(line: &mut Lines, record: &AccessRecord<'_>, format: Format) {
    // A socket for both families has IPv4 clients as ::ffff:192.0.2.1; Apache shows 192.0.2.1.
    line.ip(record.client.ip().to_canonical());
    line.raw(" - ");
    // A quote in it must not seem to begin what is quoted.
    line.quotable(record.user.unwrap_or_default().as_bytes());
    line.raw(" [");
    line.apache_time(record.time);
    line.raw("] \"");
    match record.version {
        Some(version) => {
            escaped(line, record.method.as_bytes());
            line.raw(" ");
            escaped(line, record.target.as_bytes());
            line.raw(" HTTP/");
            line.raw(version.number());
        }
        None => line.raw("-"),
    }
    line.raw("\" ");
    match record.status {
        Some(status) => line.integer(status.into()),
        None => line.raw("-"),
    }
    line.raw(" ");
    match record.bytes_out {
        0 => line.raw("-"),
        bytes => line.integer(bytes),
    }
    if let Format::Combined = format {
        for field in [record.referer, record.user_agent] {
            line.raw(" \"");
            escaped(line, field.unwrap_or(b"-"));
            line.raw("\"");
        }
    }
}

/// What a client sent, inside quotes. Unlike in [`Lines::word`], a space is plain.
fn escaped(line: &mut Lines, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => {
                line.raw("\\");
                line.byte(byte);
            }
            b' '..=b'~' => line.byte(byte),
            0x08 => line.raw("\\b"),
            b'\n' => line.raw("\\n"),
            b'\r' => line.raw("\\r"),
            b'\t' => line.raw("\\t"),
            0x0b => line.raw("\\v"),
            _ => {
                line.raw("\\x");
                line.hex(byte);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::Version;
    use crate::logger::written::Written;
    use std::time::{Duration, SystemTime};

    fn record() -> AccessRecord<'static> {
        let mut record = AccessRecord::new(([127, 0, 0, 1], 50412).into());
        record.time = SystemTime::UNIX_EPOCH + Duration::from_millis(971_211_336_999);
        record.method = "GET";
        record.target = "/apache_pb.gif";
        record.version = Some(Version::Http10);
        record.status = Some(200);
        record.bytes_out = 2326;
        record.referer = Some(b"http://www.example.com/start.html");
        record.user_agent = Some(b"Mozilla/4.08 [en] (Win98; I ;Nav)");
        record
    }

    fn line(record: &AccessRecord<'_>, format: Format) -> String {
        let mut lines = Lines::new();
        write_line(&mut lines, record, format);
        String::from_utf8(lines.as_bytes().to_vec()).unwrap()
    }

    /// The request that Apache's documentation has for its example, in UTC.
    #[test]
    fn the_documented_example() {
        let common =
            r#"127.0.0.1 - - [10/Oct/2000:20:55:36 +0000] "GET /apache_pb.gif HTTP/1.0" 200 2326"#;
        assert_eq!(line(&record(), Format::Common), common);
        assert_eq!(
            line(&record(), Format::Combined),
            common.to_owned()
                + r#" "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)""#
        );
    }

    #[test]
    fn what_is_missing_is_a_dash() {
        let unknown = AccessRecord::new(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 443).into());
        assert_eq!(
            line(&unknown, Format::Combined),
            r#"2001:db8::1 - - [01/Jan/1970:00:00:00 +0000] "-" - - "-" "-""#
        );
    }

    /// Seen from Apache 2.4.
    #[test]
    fn what_apache_itself_writes() {
        let mut tricky = record();
        tricky.time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_465_225);
        tricky.target = "/\"x\\y";
        tricky.version = Some(Version::Http11);
        tricky.status = Some(404);
        tricky.bytes_out = 0;
        tricky.referer = Some(b"caf\xc3\xa9 \xff\ta");
        tricky.user_agent = Some(b"\" 200 1\\\"");
        assert_eq!(
            line(&tricky, Format::Combined),
            r#"127.0.0.1 - - [23/Nov/2026:20:20:25 +0000] "GET /\"x\\y HTTP/1.1" 404 - "caf\xc3\xa9 \xff\ta" "\" 200 1\\\"""#
        );
    }

    #[test]
    fn an_empty_field_is_not_a_missing_one() {
        let mut empty = record();
        empty.referer = Some(b"");
        empty.user_agent = None;
        assert!(line(&empty, Format::Combined).ends_with(r#" 200 2326 "" "-""#));
    }

    #[test]
    fn an_ipv4_client_of_a_socket_for_both_families_is_shown_as_one() {
        let mut mapped = record();
        mapped.client = "[::ffff:192.0.2.1]:5".parse().unwrap();
        assert!(line(&mapped, Format::Common).starts_with("192.0.2.1 - - ["));
    }

    #[test]
    fn a_user_cannot_begin_a_quotation() {
        let mut record = record();
        record.user = Some("a \"GET\\");
        assert!(line(&record, Format::Common).starts_with(r"127.0.0.1 - a\x20\x22GET\x5c ["));
    }

    #[test]
    fn a_client_cannot_forge_a_line_or_end_a_quotation() {
        for (sent, shown) in [
            (&b"curl/8 (a; b)"[..], "curl/8 (a; b)"),
            (b"\" 200 1", r#"\" 200 1"#),
            (b"\\\"", r#"\\\""#),
            (b"a\r\nb\tc\x08\x0b", r"a\r\nb\tc\b\v"),
            (b"\0\x07\x0c\x1b[2J\x7f", r"\x00\x07\x0c\x1b[2J\x7f"),
            (b"caf\xc3\xa9 \xff", r"caf\xc3\xa9 \xff"),
        ] {
            let mut lines = Lines::new();
            escaped(&mut lines, sent);
            assert_eq!(str::from_utf8(lines.as_bytes()).unwrap(), shown);
        }
    }

    #[test]
    fn a_tunnel_has_one_line_when_it_is_over() {
        let written = Written::default();
        let logger = ApacheLogger::common(written.clone());
        let mut tunnel = record();
        tunnel.method = "CONNECT";
        tunnel.target = "example.com:443";
        for event in [Event::Open, Event::Close] {
            tunnel.event = event;
            logger.log(&tunnel);
        }
        logger.flush();
        let text = written.text();
        assert_eq!(text.lines().count(), 1);
        assert!(text.contains(r#""CONNECT example.com:443 HTTP/1.0" 200 2326"#), "{text}");
    }
}
