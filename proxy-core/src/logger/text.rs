//! [`TextLogger`]: a line for people.

use std::fmt;
use std::io::{self, Write};

use super::RequestLogger;
use super::line::Lines;
use super::output::Output;
use super::record::{AccessRecord, Event, Kind};

/// Writes one line for each record, in columns, for people to read and `grep` to search:
///
/// ```text
/// 2026-11-23T18:40:12.123Z 127.0.0.1:50412       200 GET      1.2 kB    34 ms  http://example.com/a
/// 2026-11-23T18:40:13.004Z 127.0.0.1:50413       504 GET         0 B   10.0 s  http://example.org/ connect_timeout
/// 2026-11-23T18:40:13.870Z 127.0.0.1:50414       200 CONNECT     0 B    12 ms  example.com:443 OPEN
/// 2026-11-23T18:40:13.870Z 127.0.0.1:50414       200 CONNECT 34.5 kB    3.1 s  example.com:443 CLOSE 1.2 kB up
/// ```
///
/// The columns are: when the request began (UTC), the client, the status it was sent, the
/// method, the content bytes it was sent, how long it took, and the target; behind it, where
/// there is one, the [reason](crate::Reason) why it did not end plainly, with the
/// [rule](crate::rules) that was asked (`rule:no-ads`); the [user](crate::User) (`user:ann`); and the rule that would have decided and
/// only reports (`report:trial`). A tunnel has a line
/// when it is opened and one when it is closed, which tells the bytes in both directions.
/// What is not known is shown as `-`.
///
/// A client cannot forge a line or a column: every byte of its method and its target that is
/// not visible ASCII, and the backslash, is shown as `\x0a`.
///
/// Lines are buffered up to 64 KiB and written out in one piece when the logger is flushed, and
/// when it is dropped. If writing fails the lines are lost, which is told to the `log` crate
/// once until it works again.
pub struct TextLogger<W: Write + Send>(Output<W>);

impl<W: Write + Send> TextLogger<W> {
    /// Writes to anything that can be written to. It needs no buffer of its own.
    pub fn new(writer: W) -> Self {
        TextLogger(Output::new(writer))
    }
}

impl TextLogger<io::Stdout> {
    /// Writes to the standard output.
    pub fn stdout() -> Self {
        TextLogger::new(io::stdout())
    }
}

impl<W: Write + Send + 'static> RequestLogger for TextLogger<W> {
    fn log(&self, record: &AccessRecord<'_>) {
        self.0.line(|line| write_line(line, record));
    }

    fn flush(&self) {
        self.0.flush();
    }

    fn lost(&self) -> u64 {
        self.0.lost()
    }
}

impl<W: Write + Send> fmt::Debug for TextLogger<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextLogger").finish_non_exhaustive()
    }
}

/// `255.255.255.255:65535`; a longer IPv6 address pushes its line to the right.
const CLIENT: usize = 21;
/// `OPTIONS`, `CONNECT`.
const METHOD: usize = 7;
/// `99.9 kB`.
const SIZE: usize = 7;
/// `59.9 min`.
const DURATION: usize = 8;

fn write_line(line: &mut Lines, record: &AccessRecord<'_>) {
    line.time(record.time);
    line.raw(" ");
    line.left(CLIENT, |line| line.address(record.client));
    line.raw(" ");
    match record.status {
        Some(status) => line.integer(status.into()),
        None => line.raw("  -"),
    }
    line.raw(" ");
    line.left(METHOD, |line| line.word(record.method));
    line.raw(" ");
    line.right(SIZE, |line| line.size(record.bytes_out));
    line.raw(" ");
    line.right(DURATION, |line| line.duration(record.duration));
    line.raw("  ");
    line.word(record.target);
    match (record.kind, record.event) {
        (Kind::Exchange, _) => {}
        (Kind::Tunnel, Event::Open) => line.raw(" OPEN"),
        (Kind::Tunnel, Event::Close) => {
            line.raw(" CLOSE ");
            line.size(record.bytes_in);
            line.raw(" up");
        }
    }
    if let Some(reason) = record.reason {
        line.raw(" ");
        line.raw(reason.code());
        if let Some(rule) = record.rule {
            line.raw(" rule:");
            line.word(rule);
        }
    }
    if let Some(user) = record.user {
        line.raw(" user:");
        line.word(user);
    }
    if let Some(reported) = record.reported {
        line.raw(" report:");
        line.word(reported);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Reason;
    use std::time::{Duration, SystemTime};

    fn record() -> AccessRecord<'static> {
        let mut record = AccessRecord::new(([127, 0, 0, 1], 50412).into());
        record.time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_459_212_123);
        record.method = "GET";
        record.target = "http://example.com/a";
        record.host = "example.com";
        record.status = Some(200);
        record.bytes_out = 1234;
        record.duration = Duration::from_millis(34);
        record
    }

    fn line(record: &AccessRecord<'_>) -> String {
        let mut lines = Lines::new();
        write_line(&mut lines, record);
        String::from_utf8(lines.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn an_exchange() {
        assert_eq!(
            line(&record()),
            "2026-11-23T18:40:12.123Z 127.0.0.1:50412       200 GET      1.2 kB    34 ms  http://example.com/a"
        );
    }

    #[test]
    fn a_failure_tells_its_reason() {
        let mut failed = record();
        failed.status = Some(504);
        failed.bytes_out = 0;
        failed.duration = Duration::from_secs(10);
        failed.reason = Some(Reason::ConnectTimeout);
        assert_eq!(
            line(&failed),
            "2026-11-23T18:40:12.123Z 127.0.0.1:50412       504 GET         0 B   10.0 s  http://example.com/a connect_timeout"
        );
    }

    #[test]
    fn a_refusal_tells_its_rule_and_a_report_what_would_have_been() {
        let mut refused = record();
        refused.rule = Some("no-ads");
        assert!(!line(&refused).contains("no-ads"), "that it was allowed need not be told");
        refused.reported = Some("trial");
        refused.user = Some("ann b");
        assert!(line(&refused).ends_with("http://example.com/a user:ann\\x20b report:trial"));
        refused.reason = Some(Reason::DeniedByRule);
        refused.reported = None;
        let expected = "http://example.com/a denied_by_rule rule:no-ads user:ann\\x20b";
        assert!(line(&refused).ends_with(expected));
    }

    #[test]
    fn what_is_not_known_is_a_dash() {
        let mut unknown = AccessRecord::new(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 443).into());
        unknown.method = "";
        unknown.reason = Some(Reason::TlsToPlainPort);
        assert_eq!(
            line(&unknown),
            "1970-01-01T00:00:00.000Z [2001:db8::1]:443       - -           0 B     0 µs  - tls_to_plain_port"
        );
    }

    #[test]
    fn a_tunnel_is_seen_to_open_and_to_close() {
        let mut tunnel = record();
        tunnel.kind = Kind::Tunnel;
        tunnel.event = Event::Open;
        tunnel.method = "CONNECT";
        tunnel.target = "example.com:443";
        tunnel.bytes_out = 0;
        assert_eq!(
            line(&tunnel),
            "2026-11-23T18:40:12.123Z 127.0.0.1:50412       200 CONNECT     0 B    34 ms  example.com:443 OPEN"
        );
        tunnel.event = Event::Close;
        tunnel.bytes_in = 1200;
        tunnel.bytes_out = 34_560;
        tunnel.duration = Duration::from_millis(3_100);
        assert_eq!(
            line(&tunnel),
            "2026-11-23T18:40:12.123Z 127.0.0.1:50412       200 CONNECT 34.5 kB    3.1 s  example.com:443 CLOSE 1.2 kB up"
        );
    }

    #[test]
    fn a_client_cannot_forge_a_line_or_a_column() {
        let mut forged = record();
        forged.method = "G T";
        forged.target = "/\r\n2026-11-23T18:40:12.123Z OPEN\u{1b}[2J\u{9b}";
        assert_eq!(
            line(&forged),
            "2026-11-23T18:40:12.123Z 127.0.0.1:50412       200 G\\x20T   1.2 kB    34 ms  \
             /\\x0d\\x0a2026-11-23T18:40:12.123Z\\x20OPEN\\x1b[2J\\xc2\\x9b"
        );
    }
}
