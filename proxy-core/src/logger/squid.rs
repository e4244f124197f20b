//! [`SquidLogger`]: the lines of Squid's native access log.

use std::fmt;
use std::io::Write;

use super::RequestLogger;
use super::line::Lines;
use super::output::Output;
use super::record::{AccessRecord, Event, Kind};
use crate::error::Reason;

/// Writes the lines of Squid's native `access.log`, for the programs that read those.
///
/// ```text
/// 1795459212.157     34 127.0.0.1 TCP_MISS/200 1234 GET http://example.com/a - HIER_DIRECT/192.0.2.1 -
/// 1795459213.004    712 127.0.0.1 TCP_TUNNEL/200 5678 CONNECT example.com:443 ann HIER_DIRECT/192.0.2.1 -
/// 1795459213.870      0 127.0.0.1 TCP_DENIED/403 150 GET http://ads.example/ - HIER_NONE/- -
/// ```
///
/// The fields are: when it was over, in seconds since 1970; how long it took, in milliseconds; the
/// client's address; what the proxy did, and the status; the bytes sent to the client; the method;
/// the target; the name of the [user](crate::User), or `-`; whom the proxy asked, and at which
/// address; and `-` for the type of the content.
///
/// | what the proxy did | when |
/// |---|---|
/// | `TCP_MISS` | an upstream was asked, or was to be asked and could not be |
/// | `TCP_TUNNEL` | the same of `CONNECT`, and of what became a tunnel by `101` |
/// | `TCP_DENIED` | the proxy [refused](AccessRecord::is_refusal) the request |
/// | `TCP_DENIED_REPLY` | it refused the upstream's response |
/// | `NONE` | nothing was asked for that could be understood, or the proxy answered by itself |
///
/// Behind the first two stands `_ABORTED` where the response was cut, and `_TIMEOUT` where that was
/// for want of time. The status of a client that was told none is `000`. A request that was not
/// understood has the method `NONE` and the target `error:invalid-request`, as with Squid.
///
/// What differs from Squid's: bytes are those of the content, without the head; the type of the
/// content is not known. A byte of a target or of a user's name that is not visible ASCII is shown
/// as `%0a`, so a client cannot forge a line or a field.
///
/// A tunnel has one line, when it is over. [Reasons](crate::Reason) and phases have no place here.
///
/// Buffering and failures are those of [`TextLogger`](super::TextLogger).
pub struct SquidLogger<W: Write + Send>(Output<W>);

impl<W: Write + Send> SquidLogger<W> {
    /// Writes to anything that can be written to. It needs no buffer of its own.
    pub fn new(writer: W) -> Self {
        SquidLogger(Output::new(writer))
    }
}

impl<W: Write + Send + 'static> RequestLogger for SquidLogger<W> {
    fn log(&self, record: &AccessRecord<'_>) {
        if record.event == Event::Close {
            self.0.line(|line| write_line(line, record));
        }
    }

    fn flush(&self) {
        self.0.flush();
    }

    fn lost(&self) -> u64 {
        self.0.lost()
    }
}

impl<W: Write + Send> fmt::Debug for SquidLogger<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SquidLogger").finish_non_exhaustive()
    }
}

/// Six places for milliseconds, as Squid's `%6tr`.
const ELAPSED: usize = 6;

fn write_line(line: &mut Lines, record: &AccessRecord<'_>) {
    line.unix_time(record.ended());
    line.raw(" ");
    let elapsed = record.duration.as_millis().try_into().unwrap_or(u64::MAX);
    line.right(ELAPSED, |line| line.integer(elapsed));
    line.raw(" ");
    line.ip(record.client.ip().to_canonical());
    line.raw(" ");
    line.raw(tag(record));
    line.raw(ending(record));
    line.raw("/");
    match record.status {
        Some(status) => line.integer(status.into()),
        None => line.raw("000"),
    }
    line.raw(" ");
    line.integer(record.bytes_out);
    line.raw(" ");
    if record.version.is_some() {
        field(line, record.method, Percent::Escaped);
        line.raw(" ");
        field(line, record.target, Percent::Kept);
    } else {
        line.raw("NONE error:invalid-request");
    }
    line.raw(" ");
    field(line, record.user.unwrap_or_default(), Percent::Escaped);
    match record.upstream {
        Some(upstream) => {
            line.raw(" HIER_DIRECT/");
            line.ip(upstream.ip().to_canonical());
        }
        None => line.raw(" HIER_NONE/-"),
    }
    line.raw(" -");
}

/// What the proxy did.
fn tag(record: &AccessRecord<'_>) -> &'static str {
    let asked_upstream = record.upstream.is_some() || record.attempts > 0;
    if record.is_refusal() {
        // Rules are asked about responses, too.
        match record.reason == Some(Reason::DeniedByRule) && record.upstream.is_some() {
            true => "TCP_DENIED_REPLY",
            false => "TCP_DENIED",
        }
    } else if record.kind == Kind::Tunnel || (asked_upstream && record.method == "CONNECT") {
        "TCP_TUNNEL"
    } else if asked_upstream {
        "TCP_MISS"
    } else {
        "NONE"
    }
}

/// How it ended, where that was in the middle.
fn ending(record: &AccessRecord<'_>) -> &'static str {
    let was_asked = record.upstream.is_some() || record.attempts > 0;
    match record.reason {
        _ if !was_asked || record.is_refusal() => "",
        Some(
            Reason::ClientClosed
            | Reason::RequestIncomplete
            | Reason::UpstreamClosedEarly
            | Reason::BadResponseBody
            | Reason::TunnelReset,
        ) => "_ABORTED",
        Some(
            Reason::ClientTooSlow
            | Reason::ClientWriteTimeout
            | Reason::ResponseBodyTimeout
            | Reason::TunnelIdle,
        ) => "_TIMEOUT",
        _ => "",
    }
}

/// What becomes of a per cent sign in a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Percent {
    /// It is a part of a URL.
    Kept,
    Escaped,
}

/// What a client sent, as one field; `-` for nothing.
fn field(line: &mut Lines, text: &str, percent: Percent) {
    if text.is_empty() {
        return line.raw("-");
    }
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && (byte != b'%' || percent == Percent::Kept) {
            line.byte(byte);
        } else {
            line.raw("%");
            line.hex(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::Version;
    use std::time::{Duration, SystemTime};

    fn record() -> AccessRecord<'static> {
        let mut record = AccessRecord::new(([127, 0, 0, 1], 50412).into());
        record.time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_459_212_123);
        record.duration = Duration::from_micros(34_900);
        record.method = "GET";
        record.target = "http://example.com/a%20b";
        record.version = Some(Version::Http11);
        record.status = Some(200);
        record.bytes_out = 1234;
        record.upstream = Some(([192, 0, 2, 1], 80).into());
        record.attempts = 1;
        record
    }

    fn line(record: &AccessRecord<'_>) -> String {
        let mut lines = Lines::new();
        write_line(&mut lines, record);
        String::from_utf8(lines.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_request_that_was_sent_on() {
        assert_eq!(
            line(&record()),
            "1795459212.157     34 127.0.0.1 TCP_MISS/200 1234 GET http://example.com/a%20b - \
             HIER_DIRECT/192.0.2.1 -"
        );
    }

    #[test]
    fn each_end_has_its_tag() {
        type Change = fn(&mut AccessRecord<'_>);
        let changes: [(Change, &str); 9] = [
            (|it| it.kind = Kind::Tunnel, " TCP_TUNNEL/200 "),
            (
                |it| {
                    it.method = "CONNECT";
                    it.status = Some(503);
                    it.upstream = None;
                    it.reason = Some(Reason::ConnectRefused);
                },
                " TCP_TUNNEL/503 ",
            ),
            (
                |it| {
                    it.reason = Some(Reason::DnsFailed);
                    it.upstream = None;
                },
                " TCP_MISS/200 1234 GET http://example.com/a%20b - HIER_NONE/- -",
            ),
            (|it| it.reason = Some(Reason::DeniedByRule), " TCP_DENIED_REPLY/200 "),
            (|it| it.reason = Some(Reason::RateLimited), " TCP_DENIED/200 "),
            (|it| it.reason = Some(Reason::ClientClosed), " TCP_MISS_ABORTED/200 "),
            (|it| it.reason = Some(Reason::ResponseBodyTimeout), " TCP_MISS_TIMEOUT/200 "),
            (
                |it| {
                    it.upstream = None;
                    it.attempts = 0;
                },
                " NONE/200 ",
            ),
            (|it| it.status = None, " TCP_MISS/000 "),
        ];
        for (change, expected) in changes {
            let mut changed = record();
            change(&mut changed);
            let shown = line(&changed);
            assert!(shown.contains(expected), "{expected}: {shown}");
        }
    }

    #[test]
    fn what_was_not_understood_is_told_as_squid_does() {
        let mut unknown = AccessRecord::new("[::ffff:192.0.2.7]:5".parse().unwrap());
        unknown.status = Some(400);
        unknown.reason = Some(Reason::BadRequestLine);
        assert_eq!(
            line(&unknown),
            "0.000      0 192.0.2.7 NONE/400 0 NONE error:invalid-request - HIER_NONE/- -"
        );
    }

    #[test]
    fn a_client_cannot_forge_a_line_or_a_field() {
        let mut forged = record();
        forged.method = "G T%";
        forged.target = "/a b\r\n\u{e9}%41";
        forged.user = Some("ann 100%");
        assert!(
            line(&forged).contains(" G%20T%25 /a%20b%0d%0a%c3%a9%41 ann%20100%25 HIER"),
            "{}",
            line(&forged)
        );
        assert_eq!(line(&forged).split_ascii_whitespace().count(), 10);
    }
}
