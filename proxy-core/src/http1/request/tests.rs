use super::*;
use crate::http1::drip;

mod grammar;
mod meaning;

/// Scans and parses a head, in all the ways it may come.
fn parse(head: impl AsRef<[u8]>) -> Result<RequestHead, Error> {
    parse_within(head, &Limits::default())
}

fn parse_within(head: impl AsRef<[u8]>, limits: &Limits) -> Result<RequestHead, Error> {
    let head = head.as_ref();
    let in_steps = in_steps(head, limits);
    // The short way comes to the same.
    let mut request = RequestHead::new();
    let length = request.parse_whole(head, limits);
    assert_eq!(length, in_steps.as_ref().ok().map(|(length, _)| *length));
    if let Ok((_, expected)) = &in_steps {
        assert_eq!(format!("{request:?}"), format!("{expected:?}"));
    }
    in_steps.map(|(_, request)| request)
}

fn in_steps(head: &[u8], limits: &Limits) -> Result<(usize, RequestHead), Error> {
    let end = drip::scan(head, limits)?.ok_or(Error::Truncated)?;
    let mut request = RequestHead::new();
    request.parse(&head[..end], limits)?;
    Ok((end, request))
}

/// A 1.1 request with these field lines.
fn with_fields(lines: &str) -> Result<RequestHead, Error> {
    parse(format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n"))
}
