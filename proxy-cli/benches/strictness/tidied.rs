//! Messages of other proxies, with what is no more than another habit made ours, so that the
//! judge of canonical messages finds only what matters.

use crate::recorder;
use crate::search::find;

/// What a message is to whom it is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}

/// Makes the habits of others ours: `Host` not first, `Connection: keep-alive`, a request in
/// HTTP/1.0 or in absolute-form for its own host. Everything else stays as it is.
pub(crate) fn tidied(bytes: &[u8], side: Side) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), bytes);
    while let Some(length) = recorder::whole(rest).filter(|length| *length > 0) {
        out.extend_from_slice(&message(&rest[..length], side));
        rest = &rest[length..];
    }
    out.extend_from_slice(&message(rest, side));
    out
}

fn message(bytes: &[u8], side: Side) -> Vec<u8> {
    let Some(end) = find(bytes, b"\r\n\r\n") else { return bytes.to_vec() };
    let mut lines: Vec<&[u8]> = Vec::new();
    let mut head = &bytes[..end];
    while let Some(at) = find(head, b"\r\n") {
        lines.push(&head[..at]);
        head = &head[at + 2..];
    }
    lines.push(head);
    let start = lines.remove(0).to_vec();
    let name_is = |line: &[u8], name: &str| {
        let line = String::from_utf8_lossy(line).to_ascii_lowercase();
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'))
    };
    lines.retain(|line| {
        let keeps = String::from_utf8_lossy(line).to_ascii_lowercase() == "connection: keep-alive";
        let closes_request =
            side == Side::Request && name_is(line, "connection") && line.ends_with(b" close");
        let timeout = side == Side::Response && name_is(line, "keep-alive");
        !keeps && !closes_request && !timeout
    });
    let host =
        lines.iter().position(|line| name_is(line, "host")).filter(|_| side == Side::Request);
    let host = host.map(|at| lines.remove(at).to_vec());
    let mut out = this_version(&start, host.as_deref());
    out.extend_from_slice(b"\r\n");
    if side == Side::Request {
        // In HTTP/1.0 there need not be one.
        let is_old = start.ends_with(b" HTTP/1.0");
        let host = host.or(is_old.then(|| b"Host: none".to_vec()));
        if let Some(line) = host {
            out.extend_from_slice(&line);
            out.extend_from_slice(b"\r\n");
        }
    }
    for line in lines {
        out.extend_from_slice(line);
        // A value that is empty may have no space before it.
        let is_empty =
            line.iter().position(|&byte| byte == b':') == Some(line.len().wrapping_sub(1));
        out.extend_from_slice(if is_empty { b" \r\n" } else { b"\r\n" });
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&bytes[end + 4..]);
    out
}

fn this_version(start: &[u8], host: Option<&[u8]>) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(start) else { return start.to_vec() };
    let text = match text.strip_suffix(" HTTP/1.0") {
        Some(before) => format!("{before} HTTP/1.1"),
        None => text
            .strip_prefix("HTTP/1.0 ")
            .map_or(text.to_owned(), |rest| format!("HTTP/1.1 {rest}")),
    };
    let own = host.and_then(|line| std::str::from_utf8(line).ok()?.split_once(": "));
    match own {
        Some((_, own)) => text.replacen(&format!(" http://{own}/"), " /", 1).into_bytes(),
        None => text.into_bytes(),
    }
}
