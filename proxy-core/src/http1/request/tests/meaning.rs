//! What an accepted request means.

use super::*;

#[test]
fn where_a_request_is_for() {
    // Request line without version; host, port, authority, path.
    for (line, host, port, authority, path) in [
        ("GET /a?b", "h", Some(8), "h:8", "/a?b"),
        ("GET //x/y", "h", Some(8), "h:8", "//x/y"),
        ("OPTIONS *", "h", Some(8), "h:8", "*"),
        ("GET http://A.b/c?d", "A.b", None, "A.b", "/c?d"),
        ("GET http://a:65535/", "a", Some(65535), "a:65535", "/"),
        ("GET http://a:80", "a", Some(80), "a:80", "/"),
        ("GET http://a", "a", None, "a", "/"),
        ("GET http://a?b/c", "a", None, "a", "/?b/c"),
        ("GET http://a/?", "a", None, "a", "/?"),
        ("GET https://[::1]:8443/x", "[::1]", Some(8443), "[::1]:8443", "/x"),
        ("GET http://[2001:db8::1]", "[2001:db8::1]", None, "[2001:db8::1]", "/"),
        ("OPTIONS http://a", "a", None, "a", "*"),
        ("OPTIONS http://a:1", "a", Some(1), "a:1", "*"),
        ("OPTIONS http://a/", "a", None, "a", "/"),
        ("OPTIONS http://a?q", "a", None, "a", "/?q"),
        ("CONNECT a.b:443", "a.b", Some(443), "a.b:443", ""),
        ("CONNECT [::1]:1", "[::1]", Some(1), "[::1]:1", ""),
    ] {
        let request = parse(format!("{line} HTTP/1.1\r\nHost: h:8\r\n\r\n")).unwrap();
        let found = (request.host(), request.port(), request.authority(), request.path());
        assert_eq!(found, (host, port, authority, path), "{line}");
        let (method, target) = line.split_once(' ').unwrap();
        assert_eq!((request.method(), request.target()), (method, target));
        let scheme = target.split_once("://").map(|(scheme, _)| scheme);
        assert_eq!(request.scheme(), scheme, "{line}");
    }
    let old = parse("GET /a HTTP/1.0\r\n\r\n").unwrap();
    assert_eq!((old.host(), old.port(), old.authority(), old.path()), ("", None, "", "/a"));
    assert_eq!(old.version(), Version::Http10);
}

#[test]
fn fields_are_given_as_received() {
    let head = "GET / HTTP/1.1\r\nHost:a\r\nCookie: \t x \r\nEmpty:\r\ncookie: y\r\n\r\n";
    let request = parse(head).unwrap();
    let fields: Vec<_> =
        request.fields().map(|f| (f.name, f.value.escape_ascii().to_string())).collect();
    let expected = [("Host", "a"), ("Cookie", "x"), ("Empty", ""), ("cookie", "y")];
    assert_eq!(fields, expected.map(|(name, value)| (name, value.to_owned())));
    assert_eq!(request.field("COOKIE"), Some(&b"x"[..]));
    assert_eq!(request.field("absent"), None);
}

#[test]
fn lengths() {
    for (fields, expected) in [
        ("", Ok(BodyLength::None)),
        ("Content-Length: 3\r\n", Ok(BodyLength::Exact(3))),
        ("Transfer-Encoding:\tchunked \r\n", Ok(BodyLength::Chunked)),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", Err(Error::Length)),
        ("Transfer-Encoding: gzip, chunked\r\n", Err(Error::TransferCoding)),
        ("Transfer-Encoding: \x0bchunked\r\n", Err(Error::Field)),
        ("Transfer-Encoding : chunked\r\n", Err(Error::Field)),
        ("Transfer-Encoding:\r\n chunked\r\n", Err(Error::Field)),
        ("Content-Length: 3\r\nContent-Length: 3\r\n", Err(Error::Length)),
        ("Content_Length: 3\r\n", Err(Error::Length)),
        // Naming a field away does not change what it says.
        ("Connection: content-length\r\nContent-Length: 3\r\n", Ok(BodyLength::Exact(3))),
        (
            "Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n",
            Ok(BodyLength::Chunked),
        ),
    ] {
        let length = with_fields(fields).map(|request| request.body_length());
        assert_eq!(length, expected, "{fields:?}");
    }
    for method in ["CONNECT a:1", "TRACE /"] {
        let head = format!("{method} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
        assert_eq!(parse(head).map(drop), Err(Error::Length));
    }
}

#[test]
fn persistence() {
    for (version, fields, expected) in [
        ("1.1", "", true),
        ("1.1", "Connection: keep-alive\r\n", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.1", "Connection: x, CLOSE ,y\r\n", false),
        ("1.1", "Connection: x\r\nConnection: close\r\n", false),
        ("1.1", "Connection: keep-alive, close\r\n", false),
        ("1.1", "Connection: closed\r\n", true),
        ("1.1", "Proxy-Connection: close\r\n", true),
        ("1.0", "Connection: keep-alive\r\n", false),
        ("1.0", "Proxy-Connection: keep-alive\r\n", false),
    ] {
        let request = parse(format!("GET / HTTP/{version}\r\nHost: a\r\n{fields}\r\n")).unwrap();
        assert_eq!(request.wants_persistence(), expected, "{version} {fields:?}");
    }
}

#[test]
fn connection_options_are_bounded() {
    let options = |count: usize| format!("Connection: {}\r\n", "x,".repeat(count));
    assert_eq!(with_fields(&options(32)).map(drop), Ok(()));
    assert_eq!(with_fields(&options(33)).map(drop), Err(Error::Field));
    assert_eq!(with_fields(&"Connection: close, ,,\r\n".repeat(50)).map(drop), Ok(()));
}

#[test]
fn expectations() {
    let body = "Content-Length: 1\r\n";
    for (version, fields, expected) in [
        ("1.1", format!("Expect: 100-continue\r\n{body}"), true),
        ("1.1", format!("{body}expect: 100-CONTINUE\r\n"), true),
        ("1.1", "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n".into(), true),
        ("1.0", format!("Expect: 100-continue\r\n{body}"), false),
        ("1.1", "Expect: 100-continue\r\n".into(), false),
        ("1.1", "Expect: 100-continue\r\nContent-Length: 0\r\n".into(), false),
        ("1.0", format!("Expect: 101-continue\r\n{body}"), false),
        ("1.1", format!("Expect:\r\nExpect: ,\r\n{body}"), false),
        ("1.1", format!("Expect: 100-continue\r\nExpect: 100-continue\r\n{body}"), true),
    ] {
        let request = parse(format!("PUT / HTTP/{version}\r\nHost: a\r\n{fields}\r\n")).unwrap();
        assert_eq!(request.expects_continue(), expected, "{version} {fields:?}");
    }
    for value in ["101-continue", "x 100-continue", "100-continue, x", "100-continue;a=b", "\"\""] {
        let refused = with_fields(&format!("Expect: {value}\r\n"));
        assert_eq!(refused.map(drop), Err(Error::Expectation), "{value}");
    }
}

#[test]
fn only_websocket_upgrades_are_asked_for() {
    let asked = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    for (line, fields, expected) in [
        ("GET / HTTP/1.1", asked.to_owned(), true),
        (
            "GET / HTTP/1.1",
            "connection: keep-alive, UPGRADE\r\nupgrade: WebSocket\r\n".into(),
            true,
        ),
        ("GET / HTTP/1.1", format!("{asked}Content-Length: 0\r\n"), true),
        ("GET / HTTP/1.0", asked.into(), false),
        ("POST / HTTP/1.1", asked.into(), false),
        ("get / HTTP/1.1", asked.into(), false),
        ("GET / HTTP/1.1", format!("{asked}Content-Length: 1\r\n"), false),
        ("GET / HTTP/1.1", format!("{asked}Upgrade: h2c\r\n"), false),
        ("GET / HTTP/1.1", "Upgrade: websocket\r\n".into(), false),
        ("GET / HTTP/1.1", "Connection: Upgrade\r\n".into(), false),
        ("GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: h2c\r\n".into(), false),
        ("GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n".into(), false),
        ("GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket/13\r\n".into(), false),
    ] {
        let request = parse(format!("{line}\r\nHost: a\r\n{fields}\r\n")).unwrap();
        assert_eq!(request.asks_websocket(), expected, "{line} {fields:?}");
    }
}

#[test]
fn hops_left() {
    for (method, fields, expected) in [
        ("TRACE", "Max-Forwards: 0\r\n", Ok(Some(0))),
        ("OPTIONS", "Max-Forwards: 10\r\n", Ok(Some(10))),
        ("OPTIONS", "", Ok(None)),
        ("GET", "Max-Forwards: 10\r\n", Ok(None)),
        ("GET", "Max-Forwards: x\r\n", Ok(None)),
        ("TRACE", "Max-Forwards: x\r\n", Err(Error::Field)),
        ("TRACE", "Max-Forwards: -1\r\n", Err(Error::Field)),
        ("TRACE", "Max-Forwards:\r\n", Err(Error::Field)),
        ("TRACE", "Max-Forwards: 1\r\nMax-Forwards: 1\r\n", Err(Error::Field)),
    ] {
        let request = parse(format!("{method} / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
        let hops = request.map(|request| request.max_forwards());
        assert_eq!(hops, expected, "{method} {fields:?}");
    }
}

#[test]
fn loops_are_seen_in_any_via() {
    let request = with_fields("Via: 1.0 x, 1.1 y\r\nvia: 1.1 me (proxy)\r\n").unwrap();
    assert!(request.via_contains("y") && request.via_contains("ME"));
    assert!(!request.via_contains("proxy") && !request.via_contains("1.1"));
}

#[test]
fn idempotent_methods() {
    for (line, expected) in
        [("GET /", true), ("DELETE /", true), ("POST /", false), ("get /", false)]
    {
        let request = parse(format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap();
        assert_eq!(request.is_idempotent(), expected, "{line}");
    }
}

#[test]
fn nothing_of_one_request_is_left_in_the_next() {
    let limits = Limits::default();
    let mut request = RequestHead::new();
    let first = b"OPTIONS http://a:1?x HTTP/1.1\r\nHost: b\r\nMax-Forwards: 1\r\n\
        Connection: close, upgrade\r\nContent-Length: 1\r\n\r\n";
    request.parse(first, &limits).unwrap();
    request.parse(b"GET /y HTTP/1.0\r\n\r\n", &limits).unwrap();
    assert_eq!((request.host(), request.path(), request.scheme()), ("", "/y", None));
    assert_eq!((request.port(), request.max_forwards()), (None, None));
    assert_eq!((request.body_length(), request.fields().count()), (BodyLength::None, 0));

    request.parse(first, &limits).unwrap();
    request.parse(b"nonsense", &limits).unwrap_err();
    assert_eq!((request.method(), request.target(), request.fields().count()), ("", "", 0));
    request.parse(first, &limits).unwrap();
    request.shrink();
    assert_eq!((request.method(), request.fields().count()), ("", 0));
}
