//! Heads of requests: whatever is accepted is accepted however it comes in pieces, and goes on
//! in canonical form with the same meaning.

use crate::canonical::{Ending, Upgrade};
use proxy_core::http1::{
    Claims, Error, FieldEdits, Forwarding, ForwardingFields, HeadScanner, RequestHead,
    RequestRewrite, TargetForm,
};
use proxy_core::{Limits, Privacy};

pub fn check(input: &[u8]) {
    let limits = limits();
    let whole = HeadScanner::new().scan(input, &limits);
    assert_eq!(whole, dripped(input, &limits), "pieces change where the head ends");
    let mut at_once = RequestHead::new();
    let found = at_once.parse_whole(input, &limits);
    let mut request = RequestHead::new();
    let parsed = match whole {
        Ok(Some(length)) => request.parse(&input[..length], &limits).ok().map(|()| length),
        _ => None,
    };
    assert_eq!(found, parsed, "the short way comes to something else");
    if parsed.is_none() {
        return;
    }
    assert_eq!(format!("{at_once:?}"), format!("{request:?}"));

    for forwarding in [None, Some(Claims::Drop), Some(Claims::Keep)] {
        let out = written(&request, forwarding);
        if request.form() == TargetForm::Authority {
            continue; // a tunnel: no head goes on
        }
        let reading = crate::canonical::requests(&out, Upgrade::Refused)
            .unwrap_or_else(|problem| panic!("{problem:?}: {}", out.escape_ascii()));
        let has_body = request.body_length() != proxy_core::http1::BodyLength::None;
        let is_whole = reading.ending == Ending::Whole;
        assert!(is_whole || has_body && reading.ending == Ending::Cut(0), "{reading:?}");

        // Read again, it means the same, and is written in the same way.
        let length = HeadScanner::new().scan(&out, &more(&limits)).unwrap().unwrap();
        assert_eq!(length, out.len());
        let mut again = RequestHead::new();
        again.parse(&out, &more(&limits)).unwrap();
        assert_eq!(again.method(), request.method());
        assert_eq!(again.path(), request.path());
        assert_eq!(again.body_length(), request.body_length());
        assert_eq!(again.asks_websocket(), request.asks_websocket());
        if !request.authority().is_empty() {
            assert_eq!((again.host(), again.port()), (request.host(), request.port()));
        }
    }
}

fn written(request: &RequestHead, claims: Option<Claims>) -> Vec<u8> {
    let forwarding = claims.map(|claims| Forwarding {
        fields: ForwardingFields::Both,
        client: [192, 0, 2, 1].into(),
        claims,
    });
    let edits = &FieldEdits::default();
    let mut out = Vec::new();
    let strict = Privacy::strict();
    let privacy = Some(&strict).filter(|_| claims == Some(Claims::Drop));
    let host = "upstream.test:80";
    let rewrite = RequestRewrite { via: "fuzz", host, forwarding, privacy, edits };
    request.write_upstream(&mut out, &rewrite);
    out
}

/// Small, so that inputs need not be large to exceed them.
fn limits() -> Limits {
    let mut limits = Limits::default();
    (limits.head_bytes, limits.fields, limits.target_bytes) = (1024, 16, 128);
    limits
}

/// What goes on may be somewhat longer than what came.
fn more(limits: &Limits) -> Limits {
    let mut limits = limits.clone();
    (limits.head_bytes, limits.fields) = (4096, 32);
    limits
}

fn dripped(input: &[u8], limits: &Limits) -> Result<Option<usize>, Error> {
    let mut scanner = HeadScanner::new();
    for end in 0..input.len() {
        let found = scanner.scan(&input[..end], limits)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    scanner.scan(input, limits)
}
