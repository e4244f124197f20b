//! Heads of responses, as answers to different requests: what is accepted goes on in canonical
//! form. The first byte chooses the request.

use crate::canonical::Ending;
use proxy_core::Limits;
use proxy_core::http1::{
    BodyLength, Coding, FieldEdits, HeadScanner, Persistence, RequestHead, ResponseHead,
    ResponseRewrite, Version,
};

const REQUESTS: [&str; 5] = [
    "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "HEAD http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "GET http://a.test/ HTTP/1.0\r\n\r\n",
    "POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\n\r\n",
    "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
];

pub fn check(input: &[u8]) {
    let Some((&choice, input)) = input.split_first() else { return };
    let limits = Limits::default();
    let mut request = RequestHead::new();
    let asked = REQUESTS[usize::from(choice) % REQUESTS.len()];
    request.parse(asked.as_bytes(), &limits).expect("well-formed");

    let mut at_once = ResponseHead::new();
    let found = at_once.parse_whole(input, &request, &limits);
    let mut response = ResponseHead::new();
    let parsed = match HeadScanner::new().scan(input, &limits) {
        Ok(Some(length)) => {
            response.parse(&input[..length], &request, &limits).ok().map(|()| length)
        }
        _ => None,
    };
    assert_eq!(found, parsed, "the short way comes to something else");
    if parsed.is_none() {
        return;
    }
    assert_eq!(format!("{at_once:?}"), format!("{response:?}"));
    let switches = response.status() == 101;
    if switches && !(request.asks_websocket() && response.switches_to_websocket()) {
        return; // such a head does not go on
    }

    // As the session does: see `session/relay/response.rs`.
    let length = response.body_length();
    let is_old = request.version() == Version::Http10;
    let decoded = is_old && length == BodyLength::Chunked;
    let coding = if decoded { Coding::Decoded } else { Coding::AsIs };
    let ends = length == BodyLength::UntilClose || is_old;
    let persistence = if ends { Persistence::Close } else { Persistence::Keep };
    let edits = &FieldEdits::default();
    let mut out = Vec::new();
    response.write_client(
        &mut out,
        &ResponseRewrite { via: "fuzz", date: "now", persistence, coding, edits },
    );

    let reading = crate::canonical::responses(&out, &[request.method()])
        .unwrap_or_else(|problem| panic!("{problem:?}: {}", out.escape_ascii()));
    let expected = match length {
        _ if switches => Ending::Tunnel(out.len()),
        _ if response.is_interim() => Ending::Whole,
        BodyLength::Chunked if decoded => Ending::UntilClose,
        BodyLength::UntilClose => Ending::UntilClose,
        BodyLength::None | BodyLength::Exact(0) => Ending::Whole,
        BodyLength::Chunked | BodyLength::Exact(_) => Ending::Cut(0),
    };
    assert_eq!(reading.ending, expected, "{}", out.escape_ascii());
}
