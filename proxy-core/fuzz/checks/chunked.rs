//! Chunked bodies: pieces change nothing, what goes on is canonical, decoding before and after
//! gives the same, and a body that is not complete never looks so. The first two bytes are the
//! sizes of the pieces.

use crate::canonical::{Ending, Upgrade};
use proxy_core::Limits;
use proxy_core::http1::{Body, BodyLength, Coding, Error};

pub fn check(input: &[u8]) {
    let [first, second, input @ ..] = input else { return };
    let pieces = [usize::from(*first).max(1), usize::from(*second).max(1)];
    let whole = pass(input, Coding::AsIs, &[input.len().max(1)]);
    let cut = pass(input, Coding::AsIs, &pieces);
    let dripped = pass(input, Coding::AsIs, &[1]);
    // Where it goes wrong, more may have gone on before: it does, the smaller the pieces are.
    assert_eq!(whole.error, dripped.error);
    assert_eq!(whole.error, cut.error);
    assert!(
        dripped.out.starts_with(&whole.out) && dripped.out.starts_with(&cut.out)
            || whole.error.is_none()
    );
    if whole.error.is_none() {
        assert_eq!(whole.out, dripped.out);
        assert_eq!(whole.out, cut.out);
        assert_eq!((whole.used, whole.payload), (cut.used, cut.payload));
    }

    let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let decoded = pass(input, Coding::Decoded, &pieces);
    assert_eq!(decoded.error, whole.error);
    for sent in [&whole, &cut, &dripped] {
        let message = [head, sent.out.as_slice()].concat();
        let reading = crate::canonical::requests(&message, Upgrade::Refused)
            .unwrap_or_else(|problem| panic!("{problem:?}: {}", message.escape_ascii()));
        let is_whole = reading.ending == Ending::Whole;
        assert_eq!(is_whole, sent.is_done, "{}", message.escape_ascii());
        if is_whole {
            assert_eq!(reading.messages[0].body, decoded.out);
            assert_eq!(decoded.payload, decoded.out.len() as u64);
            assert_eq!(decoded.used, sent.used);
        }
    }
}

struct Passed {
    out: Vec<u8>,
    used: usize,
    payload: u64,
    is_done: bool,
    error: Option<Error>,
}

/// Has a body go through as a session does it, in pieces of these sizes, over and over.
fn pass(input: &[u8], coding: Coding, pieces: &[usize]) -> Passed {
    let mut limits = Limits::default();
    (limits.trailer_bytes, limits.chunk_line_bytes) = (128, 32);
    let mut body = Body::new(BodyLength::Chunked, coding);
    let (mut out, mut used, mut come, mut error) = (Vec::new(), 0, 0, None);
    let mut sizes = pieces.iter().cycle();
    while come < input.len() && !body.is_done() && error.is_none() {
        come = input.len().min(come + sizes.next().expect("it never ends"));
        while !body.is_done() {
            let mut patch = Vec::new();
            match body.advance(&input[used..come], &mut patch, &limits) {
                Ok(step) => {
                    out.extend(patch);
                    out.extend_from_slice(&input[used..come][step.pass]);
                    used += step.consumed;
                    if step.consumed == 0 {
                        break;
                    }
                }
                Err(wrong) => {
                    error = Some(wrong);
                    break;
                }
            }
        }
    }
    let (payload, is_done) = (body.payload(), body.is_done());
    Passed { out, used, payload, is_done, error }
}
