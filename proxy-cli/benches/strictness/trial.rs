//! [`Trial`]: one row against one proxy.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::canonical::{self, Ending, Upgrade};
use crate::contestant::Kind;
use crate::recorder::{Recorder, Script};
use crate::rows::{After, Outcome, Reached, RequestRow, ResponseRow, Then};
use crate::search::{self, replaced};
use crate::tidied::{Side, tidied};

/// How long a proxy may say nothing before it is taken to wait for more.
const QUIET: Duration = Duration::from_millis(400);

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Refused with this status, or cut off in the middle so that it shows.
    Refused(u16),
    /// Passed on in canonical form.
    Canonical,
    /// Passed on in another one.
    Odd,
    /// Answered by the proxy itself.
    Answered,
    /// Closed without an answer, and nothing passed on.
    Closed,
    /// Waiting for something.
    Silent,
    /// Not to be compared: the row has no meaning for this kind of proxy.
    Skipped,
}

/// Runs a row of a request.
pub(crate) fn request(
    kind: Kind,
    proxy: SocketAddr,
    origin: &Recorder,
    row: &RequestRow,
) -> (Verdict, String) {
    // What flows in a tunnel is nobody's to judge.
    let sent = translated(kind, &row.sent, &row.outcome);
    let Some(sent) = sent.filter(|_| row.outcome.after != After::Tunnel) else {
        return (Verdict::Skipped, String::new());
    };
    origin.set(Script::Answers);
    let before = origin.visits();
    let (received, ended) = exchange(proxy, &placed(&sent, origin), row.ends);
    // What is on its way to the origin arrives while the proxy says nothing.
    let visits = origin.so_far(before);
    origin.hang_up(before);
    let visits: Vec<_> = visits.into_iter().filter(|visit| !visit.is_empty()).collect();
    let shown =
        format!("client: {}; origin: {}", received.escape_ascii(), visits.concat().escape_ascii());
    let status = first_status(&received);
    let readings: Result<Vec<_>, _> = visits
        .iter()
        .map(|visit| canonical::requests(&tidied(visit, Side::Request), Upgrade::Refused))
        .collect();
    let verdict = match readings {
        Err(_) => Verdict::Odd,
        Ok(readings) if readings.iter().any(|reading| !reading.messages.is_empty()) => {
            Verdict::Canonical
        }
        _ => match status {
            Some(status @ 400..) => Verdict::Refused(status),
            Some(_) => Verdict::Answered,
            None if ended => Verdict::Closed,
            None => Verdict::Silent,
        },
    };
    (verdict, shown)
}

/// Runs a row of a response.
pub(crate) fn response(
    kind: Kind,
    proxy: SocketAddr,
    origin: &Recorder,
    row: &ResponseRow,
) -> (Verdict, String) {
    let pass =
        Outcome { origin: Reached::Nothing, answers: Vec::new(), reason: None, after: After::Open };
    let Some(sent) = translated(kind, &row.request, &pass) else {
        return (Verdict::Skipped, String::new());
    };
    let before = origin.visits();
    let pieces = vec![placed(&row.sent, origin)];
    let (ends, early) = (row.then == Then::Ends, row.then == Then::Early);
    origin.set(Script::Plays { pieces, ends, early });
    let (received, ended) = exchange(proxy, &placed(&sent, origin), false);
    origin.hang_up(before);
    let shown = received.escape_ascii().to_string();
    let method = String::from_utf8_lossy(&row.request);
    let method = method.split(' ').next().unwrap_or_default();
    let verdict = match first_status(&received) {
        None if ended => Verdict::Closed,
        None => Verdict::Silent,
        // No row has one of these.
        Some(status @ 500..=505) => Verdict::Refused(status),
        Some(_) => match canonical::responses(&tidied(&received, Side::Response), &[method]) {
            Err(_) => Verdict::Odd,
            Ok(reading) => match reading.ending {
                Ending::Cut(_) if ended => Verdict::Refused(0),
                Ending::Cut(_) => Verdict::Silent,
                _ => Verdict::Canonical,
            },
        },
    };
    (verdict, shown)
}

/// Sends, and reads until the end or until nothing comes for a while.
fn exchange(proxy: SocketAddr, sent: &[u8], ends: bool) -> (Vec<u8>, bool) {
    let mut received = Vec::new();
    let Ok(mut client) = TcpStream::connect(proxy) else { return (received, true) };
    let _ = client.set_nodelay(true);
    let _ = client.set_read_timeout(Some(QUIET));
    let _ = client.write_all(sent);
    if ends {
        let _ = client.shutdown(Shutdown::Write);
    }
    let started = Instant::now();
    let mut buffer = [0; 16 * 1024];
    while started.elapsed() < Duration::from_secs(3) {
        match client.read(&mut buffer) {
            Ok(0) => return (received, true),
            Ok(count) => received.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                return (received, false);
            }
            Err(_) => return (received, true),
        }
    }
    (received, false)
}

/// The status of the first answer that is not interim.
fn first_status(received: &[u8]) -> Option<u16> {
    let text = String::from_utf8_lossy(received);
    text.split("\r\n")
        .filter_map(|line| line.strip_prefix("HTTP/1."))
        .filter_map(|line| line.get(2..5)?.parse().ok())
        .find(|status| *status >= 200 || *status == 101)
}

fn placed(bytes: &[u8], origin: &Recorder) -> Vec<u8> {
    search::placed(bytes, &origin.address.to_string())
}

/// The row as this kind of proxy is asked: a reverse proxy in origin-form, and not for what only
/// a forward proxy is asked.
fn translated(kind: Kind, sent: &[u8], outcome: &Outcome) -> Option<Vec<u8>> {
    if kind.forwards() {
        return Some(sent.to_vec());
    }
    let to_proxies_only = ["not_a_proxy_request", "unsupported_scheme", "connect_refused"];
    if outcome.reason.is_some_and(|reason| to_proxies_only.contains(&reason))
        || search::find(sent, b"CONNECT ").is_some()
        || sent.starts_with(b"POST / HTTP/1.1\r\nHost: {origin}")
    {
        return None;
    }
    let sent = replaced(sent, b"OPTIONS http://{origin} ", b"OPTIONS * ");
    let sent = replaced(&sent, b"http://{origin}/", b"/");
    let sent = replaced(&sent, b"http://{origin}?", b"/?");
    let sent = replaced(&sent, b"http://{origin} ", b"/ ");
    Some(replaced(&replaced(&sent, b"HTTP://{origin}/", b"/"), b"hTTp://{origin}/", b"/"))
}
