//! Whole messages, read by us and by `ureq-proto`: where both accept one, both must see the same
//! body and the same end. And what we send on, it must read as we have read it.
//!
//! `ureq-proto` shares httparse with us for the syntax of heads, but decides by its own code what
//! frames a message, and has its own decoder of chunks. It is more lenient than we are, so that
//! only one of the two directions can be checked: what we accept. The first byte chooses between
//! requests and responses.

use proxy_core::Limits;
use proxy_core::http1::{
    Body, BodyLength, Coding, FieldEdits, HeadScanner, Persistence, RequestHead, RequestRewrite,
    ResponseHead, ResponseRewrite,
};
use ureq_proto::client::state::RecvResponse;
use ureq_proto::client::{Call, RecvResponseResult, SendRequestResult};
use ureq_proto::http::Request;
use ureq_proto::server::{RecvRequestResult, Reply};

/// A message's content, and how many bytes the message has.
type Read = (Vec<u8>, usize);

pub fn check(input: &[u8]) {
    match input.split_first() {
        Some((kind, message)) if kind % 2 == 0 => compare_requests(message),
        Some((_, message)) => compare_responses(message),
        None => {}
    }
}

fn compare_requests(input: &[u8]) {
    let limits = Limits::default();
    let Ok(Some(length)) = HeadScanner::new().scan(input, &limits) else { return };
    let mut request = RequestHead::new();
    let Ok(()) = request.parse(&input[..length], &limits) else { return };
    if request.body_length() == BodyLength::None {
        return; // the other one takes some methods to have a body, whatever the fields say
    }
    let Some((ours, sent)) = our_body(request.body_length(), &input[length..]) else { return };
    let ours = (ours.0, ours.1 + length);
    if let Some(theirs) = their_request(input) {
        assert_eq!(ours, theirs, "as it came");
    }
    let mut out = Vec::new();
    let edits = &FieldEdits::default();
    let (forwarding, privacy) = (None, None);
    let rewrite = RequestRewrite { via: "fuzz", host: "a.test", forwarding, privacy, edits };
    request.write_upstream(&mut out, &rewrite);
    out.extend(sent);
    // Methods and targets that the `http` crate does not know, it refuses.
    if let Some(theirs) = their_request(&out) {
        assert_eq!((ours.0, out.len()), theirs, "as it goes on: {}", out.escape_ascii());
    }
}

fn compare_responses(input: &[u8]) {
    let limits = Limits::default();
    let asked = b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n";
    let mut request = RequestHead::new();
    request.parse(asked, &limits).expect("well-formed");
    let Ok(Some(length)) = HeadScanner::new().scan(input, &limits) else { return };
    let mut response = ResponseHead::new();
    let Ok(()) = response.parse(&input[..length], &request, &limits) else { return };
    if response.status() < 200 {
        return;
    }
    let Some((ours, sent)) = our_body(response.body_length(), &input[length..]) else { return };
    let ours = (ours.0, ours.1 + length);
    if let Some(theirs) = their_response(input) {
        assert_eq!(ours, theirs, "as it came");
    }
    let mut out = Vec::new();
    let (coding, edits) = (Coding::AsIs, &FieldEdits::default());
    let persistence = Persistence::Close;
    response.write_client(
        &mut out,
        &ResponseRewrite { via: "fuzz", date: "now", persistence, coding, edits },
    );
    out.extend(sent);
    if let Some(theirs) = their_response(&out) {
        assert_eq!((ours.0, out.len()), theirs, "as it goes on: {}", out.escape_ascii());
    }
}

/// The content, and the bytes that go on; `None` if the body is wrong or not complete.
fn our_body(length: BodyLength, input: &[u8]) -> Option<(Read, Vec<u8>)> {
    let decoded = pass(length, Coding::Decoded, input)?;
    let sent = pass(length, Coding::AsIs, input)?;
    assert_eq!(decoded.1, sent.1);
    Some((decoded, sent.0))
}

fn pass(length: BodyLength, coding: Coding, input: &[u8]) -> Option<Read> {
    let limits = Limits::default();
    let (mut body, mut out, mut used) = (Body::new(length, coding), Vec::new(), 0);
    while !body.is_done() {
        let step = body.advance(&input[used..], &mut out, &limits).ok()?;
        out.extend_from_slice(&input[used..][step.pass]);
        used += step.consumed;
        if step.consumed == 0 {
            body.end_of_input().ok()?;
            break;
        }
    }
    Some((out, used))
}

/// The same by the other implementation; `None` if it refuses it or wants more.
fn their_request(input: &[u8]) -> Option<Read> {
    let mut reply = Reply::new().ok()?;
    reply.force_recv_body();
    let (head, request) = reply.try_request(input).ok()?;
    request?;
    let mut body = match reply.proceed()? {
        RecvRequestResult::RecvBody(body) => body,
        RecvRequestResult::Send100(waits) => waits.accept(&mut [0; 64]).ok()?.1,
        RecvRequestResult::ProvideResponse(_) => return Some((Vec::new(), head)),
    };
    read(head, input, |rest, room| body.read(rest, room).ok().map(|read| (read, body.is_ended())))
}

fn their_response(input: &[u8]) -> Option<Read> {
    let mut call = waiting_call()?;
    let (head, response) = call.try_response(input, false).ok()?;
    response?;
    let mut body = match call.proceed()? {
        RecvResponseResult::RecvBody(body) => body,
        RecvResponseResult::Redirect(_) => return None, // it reads no body of those
        RecvResponseResult::Cleanup(_) => return Some((Vec::new(), head)),
    };
    let mut rest = 0;
    read(head, input, |left, room| {
        let read = body.read(left, room).ok()?;
        rest = left.len() - read.0;
        Some((read, body.can_proceed() && (read.0 == 0 || rest == 0)))
    })
}

/// A client of the other implementation that has sent `GET /` and waits for the answer.
fn waiting_call() -> Option<Call<RecvResponse>> {
    let request = Request::get("http://a.test/").body(()).ok()?;
    let mut call = Call::new(request).ok()?.proceed();
    call.write(&mut [0; 512]).ok()?;
    match call.proceed().ok()?? {
        SendRequestResult::RecvResponse(call) => Some(call),
        _ => None,
    }
}

fn read(
    mut at: usize,
    input: &[u8],
    mut step: impl FnMut(&[u8], &mut [u8]) -> Option<((usize, usize), bool)>,
) -> Option<Read> {
    let mut content = Vec::new();
    let mut room = vec![0; input.len() + 1];
    loop {
        let ((used, written), is_ended) = step(&input[at..], &mut room)?;
        content.extend_from_slice(&room[..written]);
        at += used;
        if is_ended {
            return Some((content, at));
        }
        if used == 0 && written == 0 {
            return None;
        }
    }
}
