use super::*;
use crate::limits::Limits;

/// What the next hop gets for a request with this head, in which lines end with LF.
fn upstream(head: &str) -> String {
    let mut request = RequestHead::new();
    request.parse(head.replace('\n', "\r\n").as_bytes(), &Limits::default()).unwrap();
    let mut out = Vec::new();
    request.write_upstream(
        &mut out,
        &RequestRewrite {
            via: "me",
            host: "fallback",
            forwarding: None,
            privacy: None,
            edits: &FieldEdits::default(),
        },
    );
    String::from_utf8(out).unwrap().replace("\r\n", "\n")
}

/// What the client gets for a response with this head to such a request, but for the `Date` that
/// is added.
fn client(line: &str, head: &str, persistence: Persistence, coding: Coding) -> String {
    let edits = FieldEdits::default();
    dated_client(line, head, persistence, coding, &edits).replace("Date: now\n", "")
}

fn dated_client(
    line: &str,
    head: &str,
    persistence: Persistence,
    coding: Coding,
    edits: &FieldEdits,
) -> String {
    let (limits, mut request, mut response) =
        (Limits::default(), RequestHead::new(), ResponseHead::new());
    request.parse(format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes(), &limits).unwrap();
    response.parse(head.replace('\n', "\r\n").as_bytes(), &request, &limits).unwrap();
    let mut out = Vec::new();
    let rewrite = ResponseRewrite { via: "me", date: "now", persistence, coding, edits };
    response.write_client(&mut out, &rewrite);
    String::from_utf8(out).unwrap().replace("\r\n", "\n")
}

#[test]
fn a_request_keeps_its_order_and_case() {
    assert_eq!(
        upstream(
            "GET http://Example.com:81/a?b HTTP/1.1\nuser-agent: x\nHOST: other\n\
             Accept:  text/html\t\nX-Empty:\nX-Twice: 1\nX-Twice: 2\nVia: 1.0 fred\n\n"
        ),
        "GET /a?b HTTP/1.1\nHost: Example.com:81\nuser-agent: x\nAccept: text/html\n\
         X-Empty: \nX-Twice: 1\nX-Twice: 2\nVia: 1.0 fred\nVia: 1.1 me\n\n"
    );
}

#[test]
fn request_lines_for_each_form() {
    for (head, expected) in [
        ("GET /x HTTP/1.1\nHost: a\n\n", "GET /x HTTP/1.1\nHost: a\nVia: 1.1 me\n\n"),
        ("GET http://b?q HTTP/1.1\nHost: a\n\n", "GET /?q HTTP/1.1\nHost: b\nVia: 1.1 me\n\n"),
        ("OPTIONS http://b HTTP/1.1\nHost: a\n\n", "OPTIONS * HTTP/1.1\nHost: b\nVia: 1.1 me\n\n"),
        ("OPTIONS * HTTP/1.1\nHost: a\n\n", "OPTIONS * HTTP/1.1\nHost: a\nVia: 1.1 me\n\n"),
        ("CONNECT b:1 HTTP/1.1\nHost: a\n\n", "CONNECT b:1 HTTP/1.1\nHost: b:1\nVia: 1.1 me\n\n"),
        ("GET /x HTTP/1.0\n\n", "GET /x HTTP/1.1\nHost: fallback\nVia: 1.0 me\n\n"),
    ] {
        assert_eq!(upstream(head), expected);
    }
}

#[test]
fn hop_by_hop_fields_of_a_request_end_here() {
    assert_eq!(
        upstream(
            "GET / HTTP/1.1\nHost: a\nConnection: keep-alive, X-Private, te\nKeep-Alive: 300\n\
             Proxy-Connection: keep-alive\nProxy-Authorization: Basic eDp5\nTE: trailers\n\
             Upgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__\nx-private: 1\nX-Public: 2\n\
             X-PRIVATE: 3\nTrailer: X\nAuthorization: Basic eDp5\n\n"
        ),
        "GET / HTTP/1.1\nHost: a\nX-Public: 2\nAuthorization: Basic eDp5\nVia: 1.1 me\n\n"
    );
}

/// RFC 9110 §7.6.1 excepts no field that is understood here for another reason.
#[test]
fn authentication_of_the_origin_can_be_named_away() {
    assert_eq!(
        upstream(
            "GET / HTTP/1.1\nHost: a\nConnection: authorization\nA: b\nAuthorization: NTLM x\n\n"
        ),
        "GET / HTTP/1.1\nHost: a\nA: b\nVia: 1.1 me\n\n"
    );
    let head = "HTTP/1.1 401 X\nConnection: WWW-Authenticate\nWWW-Authenticate: NTLM\n\
                Content-Length: 0\n\n";
    assert_eq!(
        client("GET /", head, Persistence::Keep, Coding::AsIs),
        "HTTP/1.1 401 X\nContent-Length: 0\nVia: 1.1 me\n\n"
    );
}

/// `Connection: host` and its like would let a client take away what others rely on.
#[test]
fn what_frames_and_routes_cannot_be_named_away() {
    assert_eq!(
        upstream(
            "POST / HTTP/1.1\nHost: a\nConnection: host, content-length, via, expect, close\n\
             Via: 1.1 x\nExpect: 100-continue\nContent-Length: 3\n\n"
        ),
        "POST / HTTP/1.1\nHost: a\nVia: 1.1 x\nExpect: 100-continue\nContent-Length: 3\n\
         Via: 1.1 me\n\n"
    );
}

#[test]
fn the_framing_of_a_request_is_said_once_and_plainly() {
    for (field, expected) in [
        ("content-length: 007", "content-length: 7\n"),
        ("Content-Length:0000", "Content-Length: 0\n"),
        ("transfer-Encoding: CHUNKED", "transfer-Encoding: chunked\n"),
        ("Trailer: X-Sum", ""),
        ("Transfer-Encoding: chunked\nTrailer: X", "Transfer-Encoding: chunked\nTrailer: X\n"),
    ] {
        let head = format!("POST / HTTP/1.1\nHost: a\n{field}\n\n");
        let expected = format!("POST / HTTP/1.1\nHost: a\n{expected}Via: 1.1 me\n\n");
        assert_eq!(upstream(&head), expected, "{field:?}");
    }
    assert!(!upstream("CONNECT a:1 HTTP/1.1\nHost: a\nContent-Length: 0\n\n").contains("Length"));
}

#[test]
fn expectations_go_on_only_if_they_can_be_met() {
    let sent = |version: &str, length: u8| {
        let head = format!(
            "PUT / HTTP/{version}\nHost: a\nExpect: 100-continue\nContent-Length: {length}\n\n"
        );
        upstream(&head).contains("Expect: 100-continue\n")
    };
    assert!(sent("1.1", 1));
    assert!(!sent("1.1", 0), "there is nothing to wait with");
    assert!(!sent("1.0", 1), "a 1.0 client does not wait");
}

#[test]
fn hops_are_counted_down_for_two_methods() {
    for (line, before, after) in [
        ("TRACE /", "10", "9"),
        ("OPTIONS *", "1", "0"),
        ("OPTIONS *", "0", "0"),
        ("GET /", "10", "10"),
        ("GET /", "many", "many"),
    ] {
        let out = upstream(&format!("{line} HTTP/1.1\nHost: a\nMax-Forwards: {before}\n\n"));
        assert!(out.contains(&format!("\nMax-Forwards: {after}\n")), "{out}");
    }
}

#[test]
fn an_upgrade_goes_on_only_to_websocket() {
    let to = |protocol: &str| {
        upstream(&format!(
            "GET / HTTP/1.1\nHost: a\nConnection: keep-alive, Upgrade\nUpgrade: {protocol}\n\
             Sec-WebSocket-Version: 13\n\n"
        ))
    };
    assert_eq!(
        to("WebSocket"),
        "GET / HTTP/1.1\nHost: a\nSec-WebSocket-Version: 13\nVia: 1.1 me\n\
         Connection: Upgrade\nUpgrade: websocket\n\n"
    );
    let without = "GET / HTTP/1.1\nHost: a\nSec-WebSocket-Version: 13\nVia: 1.1 me\n\n";
    assert_eq!(to("h2c"), without);
    assert_eq!(to("websocket, h2c"), without);
}

#[test]
fn a_response_keeps_its_order_and_case() {
    assert_eq!(
        client(
            "GET /",
            "HTTP/1.0 203 So-so\nserver: x\nConnection: X-Private\nX-Private: 1\n\
             Keep-Alive: timeout=5\nProxy-Authenticate: Basic\nUpgrade: h2c\nDATE:y\n\
             Proxy-Authentication-Info: z\nSet-Cookie: a\nSet-Cookie: b\nContent-Length: 02\n\n",
            Persistence::Keep,
            Coding::AsIs,
        ),
        "HTTP/1.1 203 So-so\nserver: x\nDATE: y\nSet-Cookie: a\nSet-Cookie: b\n\
         Content-Length: 2\nVia: 1.0 me\n\n"
    );
}

#[test]
fn the_framing_of_a_response() {
    let chunked = "Transfer-Encoding: Chunked\nTrailer: X\n";
    // Request line, status line and fields, coding, fields sent on.
    for (line, head, coding, expected) in [
        (
            "GET /",
            "200 OK\nContent-Length: 2, 2\ncontent-length: 2\n",
            Coding::AsIs,
            "Content-Length: 2\n",
        ),
        ("GET /", "200 OK\n", Coding::AsIs, ""),
        (
            "GET /",
            &format!("200 OK\n{chunked}"),
            Coding::AsIs,
            "Transfer-Encoding: chunked\nTrailer: X\n",
        ),
        ("GET /", &format!("200 OK\n{chunked}"), Coding::Decoded, ""),
        ("HEAD /", "200 OK\nContent-Length: 05\n", Coding::AsIs, "Content-Length: 5\n"),
        ("HEAD /", &format!("200 OK\n{chunked}"), Coding::AsIs, ""),
        ("GET /", "304 Not Modified\nContent-Length: 5\n", Coding::AsIs, "Content-Length: 5\n"),
        ("GET /", "204 No Content\nContent-Length: 0\n", Coding::AsIs, ""),
        ("HEAD /", "204 No Content\nContent-Length: 0\n", Coding::AsIs, ""),
        ("GET /", "103 Early Hints\nContent-Length: 0\n", Coding::AsIs, ""),
        ("CONNECT a:1", "200 OK\nContent-Length: 5\n", Coding::AsIs, ""),
    ] {
        let out = client(line, &format!("HTTP/1.1 {head}\n"), Persistence::Keep, coding);
        let status = head.lines().next().unwrap();
        assert_eq!(out, format!("HTTP/1.1 {status}\n{expected}Via: 1.1 me\n\n"), "{line} {head:?}");
    }
}

#[test]
fn the_end_of_a_connection_is_announced() {
    let head = "HTTP/1.1 200 \nConnection: keep-alive\nContent-Length: 0\n\n";
    assert_eq!(
        client("GET /", head, Persistence::Close, Coding::AsIs),
        "HTTP/1.1 200 \nContent-Length: 0\nVia: 1.1 me\nConnection: close\n\n"
    );
}

#[test]
fn a_switch_to_websocket_is_passed_on() {
    let head = "HTTP/1.1 101 Switching\nconnection: upgrade\nupgrade: WebSocket\nA: b\n\n";
    assert_eq!(
        client("GET /", head, Persistence::Close, Coding::AsIs),
        "HTTP/1.1 101 Switching\nA: b\nVia: 1.1 me\nConnection: Upgrade\nUpgrade: websocket\n\n"
    );
}

#[test]
fn a_missing_reason_is_an_empty_one() {
    let head = "HTTP/1.1 204\nA: b\n\n";
    let out = client("GET /", head, Persistence::Keep, Coding::AsIs);
    assert_eq!(out, "HTTP/1.1 204 \nA: b\nVia: 1.1 me\n\n");
}

#[test]
fn a_final_response_gets_the_date_it_lacks() {
    let dated = |head: &str, edits: &FieldEdits| {
        let head = format!("HTTP/1.1 {head}\n\n");
        let out = dated_client("GET /", &head, Persistence::Keep, Coding::AsIs, edits);
        super::super::list::members(out.replace('\n', ",").as_bytes())
            .filter(|line| line.to_ascii_lowercase().starts_with(b"date:"))
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect::<Vec<_>>()
    };
    let none = FieldEdits::default();
    assert_eq!(dated("204 ", &none), ["Date: now"]);
    assert_eq!(dated("204 \nConnection: date\ndate: then", &none), ["date: then"]);
    assert_eq!(dated("103 ", &none), [""; 0]);
    assert_eq!(dated("101 ", &none), [""; 0]);
    let mut edits = FieldEdits::default();
    edits.remove("date");
    assert_eq!(dated("204 \nDate: then", &edits), ["Date: now"]);
    edits.add("Date", "mine");
    assert_eq!(dated("204 \nDate: then", &edits), ["Date: mine"]);
}
