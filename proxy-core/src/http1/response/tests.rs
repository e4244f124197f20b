use super::*;
use crate::http1::drip;

/// The request that is answered.
fn request(line: &str) -> RequestHead {
    let mut request = RequestHead::new();
    let head = format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n");
    request.parse(head.as_bytes(), &Limits::default()).unwrap();
    request
}

fn parse_to(line: &str, head: impl AsRef<[u8]>) -> Result<ResponseHead, Error> {
    let (head, limits, request) = (head.as_ref(), Limits::default(), request(line));
    let in_steps = in_steps(head, &request, &limits);
    // The short way comes to the same.
    let mut response = ResponseHead::new();
    let length = response.parse_whole(head, &request, &limits);
    assert_eq!(length, in_steps.as_ref().ok().map(|(length, _)| *length));
    if let Ok((_, expected)) = &in_steps {
        assert_eq!(format!("{response:?}"), format!("{expected:?}"));
    }
    in_steps.map(|(_, response)| response)
}

fn in_steps(
    head: &[u8],
    request: &RequestHead,
    limits: &Limits,
) -> Result<(usize, ResponseHead), Error> {
    let end = drip::scan(head, limits)?.ok_or(Error::Truncated)?;
    let mut response = ResponseHead::new();
    response.parse(&head[..end], request, limits)?;
    Ok((end, response))
}

fn parse(head: impl AsRef<[u8]>) -> Result<ResponseHead, Error> {
    parse_to("GET /", head)
}

#[test]
fn status_lines() {
    for (line, expected) in [
        ("HTTP/1.1 200 OK", Ok((200, "OK"))),
        ("HTTP/1.0 404 Not  Found ", Ok((404, "Not  Found "))),
        ("HTTP/1.1 200 ", Ok((200, ""))),
        // A MUST that servers forget; see ResponseHead::read.
        ("HTTP/1.1 200", Ok((200, ""))),
        ("HTTP/1.1 999 x\ty", Ok((999, "x\\ty"))),
        ("HTTP/1.1 200 caf\u{e9}", Ok((200, "caf\\xc3\\xa9"))),
        ("HTTP/1.1 100 ", Ok((100, ""))),
        ("HTTP/1.1 099 x", Err(Error::StartLine)),
        ("HTTP/1.1 000 x", Err(Error::StartLine)),
        ("HTTP/1.1 20 OK", Err(Error::StartLine)),
        ("HTTP/1.1 2000 OK", Err(Error::StartLine)),
        ("HTTP/1.1 200OK", Err(Error::StartLine)),
        ("HTTP/1.1  200 OK", Err(Error::StartLine)),
        ("HTTP/1.1 200\tOK", Err(Error::StartLine)),
        ("HTTP/1.1 +20 OK", Err(Error::StartLine)),
        ("HTTP/1.1 OK", Err(Error::StartLine)),
        ("HTTP/1.1", Err(Error::Version)),
        ("HTTP/1.1\t200 OK", Err(Error::Version)),
        ("HTTP/2.0 200 OK", Err(Error::Version)),
        ("HTTP/1.10 200 OK", Err(Error::Version)),
        ("http/1.1 200 OK", Err(Error::Version)),
        ("ICY 200 OK", Err(Error::Version)),
        (" HTTP/1.1 200 OK", Err(Error::Version)),
        ("HTTP/1.1 200 O\x01K", Err(Error::StartLine)),
        ("HTTP/1.1 200 OK\x7f", Err(Error::StartLine)),
    ] {
        for fields in ["", "A: b\r\n"] {
            let response = parse(format!("{line}\r\n{fields}\r\n"));
            let found =
                response.map(|r| (r.status(), r.reason_phrase().escape_ascii().to_string()));
            let expected = expected.map(|(status, reason)| (status, reason.to_owned()));
            assert_eq!(found, expected, "{line:?}");
        }
    }
}

#[test]
fn field_lines() {
    for (line, expected) in [
        ("A:b", Ok(())),
        ("A:", Ok(())),
        ("A: caf\u{e9}\t", Ok(())),
        ("A : b", Err(Error::Field)),
        (" A: b", Err(Error::Field)),
        ("A: b\r\n c", Err(Error::Field)),
        ("A", Err(Error::Field)),
        (": b", Err(Error::Field)),
        ("A: b\x01", Err(Error::Field)),
        ("A: b\nB: c", Err(Error::Field)),
        ("A: b\rB: c", Err(Error::Field)),
    ] {
        let result = parse(format!("HTTP/1.1 200 OK\r\n{line}\r\nX: y\r\n\r\n"));
        assert_eq!(result.map(drop), expected, "{line:?}");
    }
}

/// Without a scanner before it, the parser is as strict.
#[test]
fn a_parser_alone_takes_no_bare_line_feed() {
    let limits = Limits::default();
    for head in [
        "HTTP/1.1 200 OK\n\r\n",
        "HTTP/1.1 200 OK\nA: b\r\n\r\n",
        "HTTP/1.1 200\nA: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n\n",
        "HTTP/1.1 200 OK\r\n\n",
        "HTTP/1.1 200 OK\n\n",
        "\nHTTP/1.1 200 OK\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nmore",
        "HTTP/1.1 200 OK\r\n",
        "",
    ] {
        let mut response = ResponseHead::new();
        assert!(response.parse(head.as_bytes(), &request("GET /"), &limits).is_err(), "{head:?}");
    }
}

#[test]
fn a_response_head_cannot_begin_with_an_empty_line() {
    let head = parse("\r\nHTTP/1.1 200 OK\r\n\r\n");
    assert_eq!(head.map(drop), Err(Error::StartLine));
}

#[test]
fn limits_are_exact() {
    let mut limits = Limits { fields: 1, ..Limits::default() };
    let to = request("GET /");
    let mut response = ResponseHead::new();
    assert_eq!(response.parse(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", &to, &limits), Ok(()));
    let two = b"HTTP/1.1 200 OK\r\nA: b\r\nA: b\r\n\r\n";
    assert_eq!(response.parse(two, &to, &limits), Err(Error::TooManyFields));
    limits.head_bytes = two.len() - 1;
    assert_eq!(response.parse(two, &to, &limits), Err(Error::HeadTooLarge));
}

#[test]
fn the_length_depends_on_the_request() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    for (line, expected) in [
        ("GET /", BodyLength::Exact(5)),
        ("HEAD /", BodyLength::None),
        ("CONNECT a:1", BodyLength::None),
    ] {
        assert_eq!(parse_to(line, head).unwrap().body_length(), expected, "{line}");
    }
    let both = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(parse(both).map(drop), Err(Error::Length));
    assert_eq!(parse_to("HEAD /", both).map(drop), Err(Error::Length));
}

#[test]
fn interim_responses() {
    for (status, expected) in [(100, true), (101, false), (103, true), (199, true), (200, false)] {
        let response = parse(format!("HTTP/1.1 {status} \r\n\r\n")).unwrap();
        assert_eq!(response.is_interim(), expected, "{status}");
    }
}

#[test]
fn persistence() {
    for (head, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n", true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: Close\r\n", false),
        ("HTTP/1.1 200 OK\r\n", false),
        ("HTTP/1.1 204 No Content\r\n", true),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n", true),
        // Whether these bytes follow, nobody knows.
        ("HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n", false),
        ("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n", false),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 1\r\n", true),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n", true),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive, close\r\n", false),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", false),
    ] {
        let response = parse(format!("{head}\r\n")).unwrap();
        assert_eq!(response.wants_persistence(), expected, "{head:?}");
    }
}

#[test]
fn switches() {
    for (head, expected) in [
        ("HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n", true),
        ("HTTP/1.1 200 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n", false),
        ("HTTP/1.0 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n", false),
        ("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n", false),
        ("HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n", false),
        ("HTTP/1.1 101 x\r\nConnection: upgrade\r\n", false),
    ] {
        let response = parse(format!("{head}\r\n")).unwrap();
        assert_eq!(response.switches_to_websocket(), expected, "{head:?}");
    }
}

#[test]
fn how_long_an_upstream_waits() {
    for (value, expected) in [
        ("timeout=5", Some(5)),
        ("max=100, TIMEOUT=15", Some(15)),
        ("timeout=", None),
        ("timeout=x", None),
        ("timeout", None),
        ("xtimeout=5", None),
        ("300", None),
        ("", None),
    ] {
        let head = format!("HTTP/1.1 204 x\r\nKeep-Alive: {value}\r\n\r\n");
        assert_eq!(parse(head).unwrap().keep_alive_timeout(), expected, "{value}");
    }
}

#[test]
fn nothing_of_one_response_is_left_in_the_next() {
    let (limits, to) = (Limits::default(), request("GET /"));
    let mut response = ResponseHead::new();
    let first = b"HTTP/1.0 204 Gone\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n";
    response.parse(first, &to, &limits).unwrap();
    response.parse(b"HTTP/1.1 304 \r\n\r\n", &to, &limits).unwrap();
    assert_eq!((response.reason_phrase(), response.fields().count()), (&b""[..], 0));
    assert!(response.wants_persistence());
    response.parse(b"HTTP/1.1 nonsense\r\n\r\n", &to, &limits).unwrap_err();
    assert_eq!((response.status(), response.field("connection")), (0, None));
}
