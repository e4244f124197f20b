//! For tests: shows a message to the code as a network would, in pieces of any size.

use super::{Body, BodyLength, Coding, Error, HeadScanner};
use crate::limits::Limits;

/// What may come behind a message.
const NEXT: &[u8] = b"GET /next HTTP/1.1\r\nHost: next\r\n\r\n";

/// Finds the end of a head whole, byte by byte, and with another message behind it. The answer
/// is the same each time.
pub(crate) fn scan(input: &[u8], limits: &Limits) -> Result<Option<usize>, Error> {
    let whole = HeadScanner::new().scan(input, limits);
    assert_eq!(scan_cut(input, (1..=input.len()).collect(), limits), whole, "byte by byte");
    if whole != Ok(None) {
        let followed = [input, NEXT].concat();
        assert_eq!(HeadScanner::new().scan(&followed, limits), whole, "with bytes behind it");
    }
    whole
}

/// Finds the end of a head that comes in pieces, which end at `cuts`.
pub(crate) fn scan_cut(
    input: &[u8],
    cuts: Vec<usize>,
    limits: &Limits,
) -> Result<Option<usize>, Error> {
    let mut scanner = HeadScanner::new();
    cuts.into_iter()
        .map(|end| scanner.scan(&input[..end], limits))
        .find(|result| *result != Ok(None))
        .unwrap_or(Ok(None))
}

/// What became of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relayed {
    pub(crate) out: Vec<u8>,
    pub(crate) consumed: usize,
    pub(crate) payload: u64,
    pub(crate) is_done: bool,
}

/// Relays a body whole, byte by byte, and, if it has an end, with another message behind it.
/// The receiver gets the same each time.
pub(crate) fn relay(
    length: BodyLength,
    coding: Coding,
    input: &[u8],
    limits: &Limits,
) -> Result<Relayed, Error> {
    let whole = relay_cut(length, coding, input, vec![input.len()], limits);
    let bytes = (1..=input.len()).collect();
    assert_eq!(relay_cut(length, coding, input, bytes, limits), whole, "byte by byte");
    if whole.as_ref().map_or(true, |relayed| relayed.is_done) {
        let followed = [input, NEXT].concat();
        let all = vec![followed.len()];
        let with_next = relay_cut(length, coding, &followed, all, limits);
        assert_eq!(with_next, whole, "with bytes behind it");
    }
    whole
}

/// Relays a body that comes in pieces, which end at `cuts`, as a session does: unconsumed
/// bytes are shown again with those that follow.
pub(crate) fn relay_cut(
    length: BodyLength,
    coding: Coding,
    input: &[u8],
    cuts: Vec<usize>,
    limits: &Limits,
) -> Result<Relayed, Error> {
    let mut body = Body::new(length, coding);
    let (mut out, mut at) = (Vec::new(), 0);
    for end in cuts {
        loop {
            let rest = &input[at..end];
            let step = body.advance(rest, &mut out, limits)?;
            assert!(step.pass.end <= step.consumed && step.consumed <= rest.len());
            out.extend_from_slice(&rest[step.pass]);
            at += step.consumed;
            if step.consumed == 0 {
                break;
            }
        }
    }
    Ok(Relayed { out, consumed: at, payload: body.payload(), is_done: body.is_done() })
}
