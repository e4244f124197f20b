//! A client's side of an exchange: what it sends and reads.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;

use super::canonical::{self, Ending};
use super::search::find;
use super::support::{PATIENCE, Stage};

/// How the bytes of a row come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Whole,
    Pieces,
    /// In one write with another message.
    Followed,
}

pub const MANNERS: [Manner; 3] = [Manner::Whole, Manner::Pieces, Manner::Followed];

pub fn connect(stage: &Stage) -> TcpStream {
    let stream = TcpStream::connect(stage.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Writes the proxy's name as `PROXY`.
pub fn anonymous(mut bytes: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"proxy-core-";
    let mut out = Vec::with_capacity(bytes.len());
    while let Some(at) = find(bytes, NAME) {
        out.extend_from_slice(&bytes[..at]);
        out.extend_from_slice(b"PROXY");
        bytes = bytes.get(at + NAME.len() + 8..).unwrap_or_default();
    }
    out.extend_from_slice(bytes);
    out
}

/// A few places to cut: in the first line end, in the middle, before the last byte.
pub fn pieces(bytes: &[u8]) -> Vec<&[u8]> {
    let first_line = find(bytes, b"\r\n").map_or(0, |at| at + 1);
    let mut cuts =
        vec![0, 1, first_line, bytes.len() / 2, bytes.len().saturating_sub(1), bytes.len()];
    cuts.retain(|&cut| cut <= bytes.len());
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect()
}

/// Sends; an error means that the proxy has closed, which shows in what it answers.
pub fn send(stream: &mut TcpStream, bytes: &[u8], manner: Manner) {
    let parts = if manner == Manner::Pieces { pieces(bytes) } else { vec![bytes] };
    for part in parts {
        let _ = stream.write_all(part);
        thread::yield_now();
    }
}

/// Reads until there is enough, or to the end. Says whether that was a reset.
pub fn read(stream: &mut TcpStream, into: &mut Vec<u8>, enough: impl Fn(&[u8]) -> bool) -> bool {
    let mut buffer = [0; 16 * 1024];
    while !enough(into) {
        match stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(count) => into.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return true,
            // Nothing comes, for so long: shows that in what is compared.
            Err(error) => {
                into.extend_from_slice(format!("<{error}>").as_bytes());
                return false;
            }
        }
    }
    false
}

/// The statuses of whole answers, and what they say of the reason; a tunnel's 200 is one, and
/// what comes behind it are the origin's.
pub fn answers(received: &[u8], method: &str) -> Result<(Vec<u16>, Vec<String>), String> {
    const TUNNEL: &[u8] = b"HTTP/1.1 200 Connection established\r\n";
    let (mut statuses, mut reasons) = (Vec::new(), Vec::new());
    let mut rest = received;
    if received.starts_with(TUNNEL) {
        let head = find(received, b"\r\n\r\n").ok_or("half an answer")?;
        statuses.push(200);
        reasons.push(String::new());
        rest = &received[head + 4..];
    }
    let reading = canonical::responses(rest, &[method; 16]).map_err(|what| format!("{what:?}"))?;
    for message in &reading.messages {
        statuses.push(message.status());
        let reason = message.value("Proxy-Status").unwrap_or_default();
        reasons.push(String::from_utf8_lossy(reason).into_owned());
    }
    match reading.ending {
        Ending::Whole => Ok((statuses, reasons)),
        other => Err(format!("{other:?}")),
    }
}

/// How `Proxy-Status` tells of a reason.
pub fn told(reason: &str) -> String {
    format!("details=\"{reason}\"")
}

pub fn count(received: &[u8]) -> usize {
    answers(received, "GET").map_or(0, |(statuses, _)| statuses.len())
}
