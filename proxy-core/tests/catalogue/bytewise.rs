//! Rows without sockets, each byte by itself: the verdict and what goes on do not depend on how
//! the bytes come.

use proxy_core::http1::{
    Body, Coding, FieldEdits, HeadScanner, RequestHead, RequestRewrite, ResponseHead, Sniff,
    skip_empty_lines, sniff,
};
use proxy_core::{Limits, Reason};

use super::rows::{After, Reached, Received, RequestRow, ResponseRow};
use super::search::{find, placed};

/// Reasons that the session finds, not the parser.
const OF_THE_SESSION: [&str; 4] =
    ["not_a_proxy_request", "unsupported_scheme", "connect_refused", "request_incomplete"];

/// What became of bytes: what goes on, and why it ended, if it did.
#[derive(Debug, PartialEq, Eq)]
struct Passed {
    out: Vec<u8>,
    error: Option<Reason>,
}

/// Says what is wrong with a row of a request.
pub fn request(row: &RequestRow) -> Result<(), String> {
    let sent = placed(&row.sent, "127.0.0.1:8000");
    let whole = requests(&sent, [sent.len()]);
    let steps = requests(&sent, ends(sent.len()));
    if whole != steps {
        return Err(format!("whole: {whole:?}, in steps: {steps:?}"));
    }
    if let (Some(error), Some(reason)) = (whole.error, row.outcome.reason)
        && !OF_THE_SESSION.contains(&reason)
        && error.code() != reason
    {
        return Err(format!("{error}, not {reason}"));
    }
    if whole.error.is_none() && row.outcome.reason.is_some_and(|r| !OF_THE_SESSION.contains(&r)) {
        return Err(format!("it was accepted: {}", whole.out.escape_ascii()));
    }
    match &row.outcome.origin {
        Reached::Exactly(got) if row.outcome.after != After::Tunnel => {
            let got = placed(got, "127.0.0.1:8000");
            match whole.out.ends_with(&got) {
                true => Ok(()),
                false => Err(format!("passed on: {}", whole.out.escape_ascii())),
            }
        }
        _ => Ok(()),
    }
}

/// Says what is wrong with a row of a response.
pub fn response(row: &ResponseRow) -> Result<(), String> {
    let request_bytes = placed(&row.request, "127.0.0.1:8000");
    let head = find(&request_bytes, b"\r\n\r\n").ok_or("the request has no head")? + 4;
    let mut request = RequestHead::new();
    request.parse(&request_bytes[..head], &Limits::default()).map_err(|error| error.to_string())?;
    let whole = responses(&row.sent, &request, [row.sent.len()]);
    let steps = responses(&row.sent, &request, ends(row.sent.len()));
    if whole != steps {
        return Err(format!("whole: {whole:?}, in steps: {steps:?}"));
    }
    match (whole.error, &row.received) {
        (Some(error), Received::Refused(_, reason) | Received::Spoilt(_, reason))
            if error.code() != *reason =>
        {
            Err(format!("{error}, not {reason}"))
        }
        (Some(error), Received::Relayed(..)) => Err(format!("refused: {error}")),
        (None, Received::Spoilt(..)) => Err("it was accepted".to_owned()),
        _ => Ok(()),
    }
}

/// Where steps end: each byte by itself, or of so many that it does not take long.
fn ends(length: usize) -> impl Iterator<Item = usize> {
    let step = 1 + length / 5000;
    (1..=length).filter(move |end| end % step == 0 || *end == length)
}

fn requests(bytes: &[u8], ends: impl IntoIterator<Item = usize>) -> Passed {
    let limits = Limits::default();
    let (mut scanner, mut request) = (HeadScanner::new(), RequestHead::new());
    let mut body: Option<Body> = None;
    let (mut at, mut out, mut before) = (0, Vec::new(), 0);
    for end in ends {
        loop {
            let rest = &bytes[at..end];
            if let Some(under_way) = &mut body {
                let mut patch = Vec::new();
                let step = match under_way.advance(rest, &mut patch, &limits) {
                    Ok(step) => step,
                    Err(error) => return failed(out, before, error.in_request()),
                };
                out.extend_from_slice(&patch);
                out.extend_from_slice(&rest[step.pass]);
                at += step.consumed;
                if under_way.is_done() {
                    body = None;
                    before = out.len();
                    if !request.wants_persistence() {
                        return Passed { out, error: None };
                    }
                } else if step.consumed == 0 {
                    break;
                }
                continue;
            }
            if scanner.is_fresh() {
                at += skip_empty_lines(rest);
            }
            let rest = &bytes[at..end];
            match sniff(rest) {
                Sniff::Http => {}
                Sniff::Http2 => return failed(out, before, Reason::Http2ToPlainPort),
                _ => return failed(out, before, Reason::TlsToPlainPort),
            }
            let length = match scanner.scan(rest, &limits) {
                Ok(Some(length)) => length,
                Ok(None) => break,
                Err(error) => return failed(out, before, error.in_request()),
            };
            if let Err(error) = request.parse(&rest[..length], &limits) {
                return failed(out, before, error.in_request());
            }
            scanner.reset();
            at += length;
            let edits = &FieldEdits::default();
            let rewrite =
                RequestRewrite { via: "PROXY", host: "", forwarding: None, privacy: None, edits };
            request.write_upstream(&mut out, &rewrite);
            if request.method() == "CONNECT" {
                return Passed { out, error: None };
            }
            body = Some(Body::new(request.body_length(), Coding::AsIs));
        }
    }
    Passed { out, error: None }
}

fn responses(bytes: &[u8], request: &RequestHead, ends: impl IntoIterator<Item = usize>) -> Passed {
    let limits = Limits::default();
    let (mut scanner, mut response) = (HeadScanner::new(), ResponseHead::new());
    let mut body: Option<Body> = None;
    let (mut at, mut out, mut before) = (0, Vec::new(), 0);
    for end in ends {
        loop {
            let rest = &bytes[at..end];
            let Some(under_way) = &mut body else {
                let length = match scanner.scan(rest, &limits) {
                    Ok(Some(length)) => length,
                    Ok(None) => break,
                    Err(error) => return failed(out, before, error.in_response()),
                };
                if let Err(error) = response.parse(&rest[..length], request, &limits) {
                    return failed(out, before, error.in_response());
                }
                scanner.reset();
                at += length;
                before = out.len();
                if !response.is_interim() {
                    body = Some(Body::new(response.body_length(), Coding::AsIs));
                }
                continue;
            };
            let mut patch = Vec::new();
            let step = match under_way.advance(rest, &mut patch, &limits) {
                Ok(step) => step,
                Err(error) => return failed(out, before, error.in_response()),
            };
            out.extend_from_slice(&patch);
            out.extend_from_slice(&rest[step.pass]);
            at += step.consumed;
            if step.consumed == 0 || under_way.is_done() {
                break;
            }
        }
    }
    Passed { out, error: None }
}

/// Of the message that failed, more or less may have gone on: only the ones before count.
fn failed(mut out: Vec<u8>, before: usize, reason: Reason) -> Passed {
    out.truncate(before);
    Passed { out, error: Some(reason) }
}
