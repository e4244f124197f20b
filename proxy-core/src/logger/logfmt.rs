//! [`LogfmtLogger`]: `key=value` pairs, a line for each record.

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use super::RequestLogger;
use super::json;
use super::line::Lines;
use super::output::Output;
use super::record::{AccessRecord, Event, Kind};

/// Writes each record as `key=value` pairs in one line, for programs that read logfmt and for
/// people who search it:
///
/// ```text
/// event=close kind=exchange id=7 time=2026-11-23T18:40:12.123Z client=127.0.0.1:50412 method=GET target=http://example.com/a host=example.com version=1.1 status=200 bytes_in=0 bytes_out=1234 duration_ms=34.056 wait_ms=0.030 connect_ms=12.000 first_byte_ms=33.100 upstream=192.0.2.1:80 client_reused=false upstream_reused=false attempts=1 user_agent=curl/8.5.0
/// ```
///
/// The keys are those of [`JsonLogger`](super::JsonLogger), with the same meanings and in the same
/// order; what is not known is left out. A value is quoted where it is empty, or holds anything but
/// visible ASCII without `"`, `=` and `\`; in quotes it is escaped as in JSON. So a client cannot
/// forge a line, a key or the end of a quotation.
///
/// Buffering and failures are those of [`TextLogger`](super::TextLogger).
pub struct LogfmtLogger<W: Write + Send>(Output<W>);

impl<W: Write + Send> LogfmtLogger<W> {
    /// Writes to anything that can be written to. It needs no buffer of its own.
    pub fn new(writer: W) -> Self {
        LogfmtLogger(Output::new(writer))
    }
}

impl LogfmtLogger<io::Stdout> {
    /// Writes to the standard output.
    pub fn stdout() -> Self {
        LogfmtLogger::new(io::stdout())
    }
}

impl<W: Write + Send + 'static> RequestLogger for LogfmtLogger<W> {
    fn log(&self, record: &AccessRecord<'_>) {
        self.0.line(|line| write_pairs(line, record));
    }

    fn flush(&self) {
        self.0.flush();
    }

    fn lost(&self) -> u64 {
        self.0.lost()
    }
}

impl<W: Write + Send> fmt::Debug for LogfmtLogger<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogfmtLogger").finish_non_exhaustive()
    }
}

fn write_pairs(line: &mut Lines, record: &AccessRecord<'_>) {
    line.raw(match record.event {
        Event::Open => "event=open",
        Event::Close => "event=close",
    });
    line.raw(match record.kind {
        Kind::Exchange => " kind=exchange id=",
        Kind::Tunnel => " kind=tunnel id=",
    });
    line.integer(record.id);
    line.raw(" time=");
    line.time(record.time);
    line.raw(" client=");
    line.address(record.client);
    text(line, " method=", Some(record.method));
    text(line, " target=", Some(record.target));
    text(line, " host=", Some(record.host));
    text(line, " version=", record.version.map(|version| version.number()));
    integer(line, " status=", record.status.map(u64::from));
    text(line, " reason=", record.reason.map(|reason| reason.code()));
    integer(line, " bytes_in=", Some(record.bytes_in));
    integer(line, " bytes_out=", Some(record.bytes_out));
    milliseconds(line, " duration_ms=", Some(record.duration));
    milliseconds(line, " wait_ms=", record.wait);
    milliseconds(line, " resolve_ms=", record.resolve);
    milliseconds(line, " connect_ms=", record.connect);
    milliseconds(line, " first_byte_ms=", record.first_byte);
    address(line, " upstream=", record.upstream);
    truth(line, " client_reused=", record.client_reused);
    truth(line, " upstream_reused=", record.upstream_reused);
    integer(line, " attempts=", Some(record.attempts.into()));
    bytes(line, " referer=", record.referer);
    bytes(line, " user_agent=", record.user_agent);
    text(line, " rule=", record.rule);
    text(line, " reported=", record.reported);
    text(line, " user=", record.user);
}

fn text(line: &mut Lines, key: &str, value: Option<&str>) {
    bytes(line, key, value.map(str::as_bytes));
}

fn bytes(line: &mut Lines, key: &str, value: Option<&[u8]>) {
    let Some(value) = value else { return };
    line.raw(key);
    let is_plain = |&byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'=' | b'\\');
    if !value.is_empty() && value.iter().all(is_plain) {
        value.iter().for_each(|&byte| line.byte(byte));
    } else {
        json::bytes(line, value);
    }
}

fn integer(line: &mut Lines, key: &str, value: Option<u64>) {
    if let Some(value) = value {
        line.raw(key);
        line.integer(value);
    }
}

fn milliseconds(line: &mut Lines, key: &str, value: Option<Duration>) {
    if let Some(value) = value {
        line.raw(key);
        line.milliseconds(value);
    }
}

fn address(line: &mut Lines, key: &str, value: Option<SocketAddr>) {
    if let Some(value) = value {
        line.raw(key);
        line.address(value);
    }
}

fn truth(line: &mut Lines, key: &str, value: bool) {
    line.raw(key);
    line.raw(if value { "true" } else { "false" });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Reason;
    use crate::http1::Version;
    use std::time::SystemTime;

    fn line(record: &AccessRecord<'_>) -> String {
        let mut lines = Lines::new();
        write_pairs(&mut lines, record);
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
        record.status = Some(200);
        record.reason = Some(Reason::TunnelReset);
        record.duration = Duration::from_micros(34_056);
        record.wait = Some(Duration::from_micros(30));
        record.resolve = Some(Duration::from_millis(1));
        record.connect = Some(Duration::from_millis(12));
        record.first_byte = Some(Duration::from_micros(7));
        record.upstream = Some(([192, 0, 2, 1], 443).into());
        record.client_reused = true;
        record.attempts = 3;
        record.referer = Some(b"");
        record.user_agent = Some(b"caf\xe9 \"1\"");
        record.rule = Some("office");
        record.reported = Some("trial");
        record.user = Some("ann");
        assert_eq!(
            line(&record),
            "event=open kind=tunnel id=7 time=2026-11-23T18:40:12.123Z client=127.0.0.1:50412 \
             method=CONNECT target=example.com:443 host=example.com version=1.1 status=200 \
             reason=tunnel_reset bytes_in=0 bytes_out=0 duration_ms=34.056 wait_ms=0.030 \
             resolve_ms=1.000 connect_ms=12.000 first_byte_ms=0.007 upstream=192.0.2.1:443 \
             client_reused=true upstream_reused=false attempts=3 referer=\"\" \
             user_agent=\"caf\u{fffd} \\\"1\\\"\" rule=office reported=trial user=ann"
        );
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        assert_eq!(
            line(&AccessRecord::new(([0, 0, 0, 0, 0, 0, 0, 1], 80).into())),
            "event=close kind=exchange id=0 time=1970-01-01T00:00:00.000Z client=[::1]:80 \
             method=- target=- host=- bytes_in=0 bytes_out=0 duration_ms=0.000 \
             client_reused=false upstream_reused=false attempts=0"
        );
    }

    #[test]
    fn a_client_cannot_forge_a_line_a_key_or_the_end_of_a_quotation() {
        for (sent, shown) in [
            ("http://h/a?b=c", r#" target="http://h/a?b=c" "#),
            ("a status=200", r#" target="a status=200" "#),
            ("\" status=200", r#" target="\" status=200" "#),
            ("a\r\nevent=close", r#" target="a\u000d\u000aevent=close" "#),
            ("\\", r#" target="\\" "#),
        ] {
            let mut record = AccessRecord::new(([127, 0, 0, 1], 1).into());
            record.target = sent;
            assert!(line(&record).contains(shown), "{}", line(&record));
        }
    }
}
