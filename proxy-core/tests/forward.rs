//! A forward proxy: what reaches the other side is canonical, to the byte.

mod support;

use std::net::SocketAddr;

use proxy_core::{ConnectError, Destination, Dialing, Kind, UpstreamConnector};
use support::{Origin, Stage, anonymous};

const EMPTY: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[test]
fn a_request_reaches_the_origin_in_canonical_form() {
    let (origin, seen) = Origin::observed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let stage = Stage::forward();
    let address = origin.address;
    let mut client = stage.client();
    client.send(format!(
        "GET HTTP://{address}/path?query HTTP/1.1\r\n\
         User-Agent:curl/8.5 \r\n\
         hOsT: elsewhere.example\r\n\
         ACCEPT:  */*\t\r\n\
         X-Twice: first\r\n\
         Connection: X-Dropped, keep-alive,x-dropped-too\r\n\
         x-dropped: 1\r\n\
         x-twice: second\r\n\
         Proxy-Connection: keep-alive\r\n\
         Keep-Alive: timeout=5\r\n\
         Proxy-Authorization: Basic c2VjcmV0\r\n\
         TE: trailers\r\n\
         Upgrade: h2c\r\n\
         HTTP2-Settings: AAMAAABk\r\n\
         Via: 1.0 other\r\n\
         X-Dropped-Too: 2\r\n\
         X-Empty:\r\n\
         Cookie: a=b; c=\"d\", e\r\n\
         X-Bytes: \u{00e9}\r\n\r\n"
    ));
    assert_eq!(client.answer().text(), "hi");
    assert_eq!(
        seen.recv().unwrap(),
        format!(
            "GET /path?query HTTP/1.1\r\n\
             Host: {address}\r\n\
             User-Agent: curl/8.5\r\n\
             ACCEPT: */*\r\n\
             X-Twice: first\r\n\
             x-twice: second\r\n\
             Via: 1.0 other\r\n\
             X-Empty: \r\n\
             Cookie: a=b; c=\"d\", e\r\n\
             X-Bytes: \u{00e9}\r\n\
             Via: 1.1 PROXY"
        )
    );
    stage.logs("GET 200 -", 0, 2);
    stage.survives();
}

#[test]
fn a_response_reaches_the_client_in_canonical_form() {
    let origin = Origin::always(
        "HTTP/1.1 299 \r\n\
         Set-Cookie: a=1\r\n\
         server:  x \r\n\
         Connection: x-dropped\r\n\
         Keep-Alive: timeout=5, max=100\r\n\
         X-Dropped: 1\r\n\
         Set-Cookie: b=2\r\n\
         Proxy-Authenticate: Basic\r\n\
         Via: 1.1 other\r\n\
         content-length: 002\r\n\r\nhi",
    );
    let stage = Stage::forward();
    let answer = stage.client().send(origin.get("/")).answer();
    assert_eq!(answer.text(), "hi");
    assert_eq!(
        anonymous(&answer.head),
        "HTTP/1.1 299 \r\n\
         Set-Cookie: a=1\r\n\
         server: x\r\n\
         Set-Cookie: b=2\r\n\
         Via: 1.1 other\r\n\
         content-length: 2\r\n\
         Via: 1.1 PROXY"
    );
    stage.logs("GET 299 -", 0, 2);
    stage.survives();
}

#[test]
fn every_method_goes_through_also_unknown_ones() {
    let (origin, seen) = Origin::observed(EMPTY);
    let stage = Stage::forward();
    let mut client = stage.client();
    let methods = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
        "M-SEARCH", "get", "!#~x",
    ];
    for method in methods {
        client.send(format!("{method} {} HTTP/1.1\r\nHost: x\r\n\r\n", origin.url("/")));
        assert_eq!(client.answer().status, 204, "{method}");
        let head = seen.recv().unwrap();
        assert_eq!(head.lines().next(), Some(&*format!("{method} / HTTP/1.1")));
    }
    for method in methods {
        stage.logs(&format!("{method} 204 -"), 0, 0);
    }
    assert_eq!(origin.visits(), 1, "one connection carried them all");
    stage.survives();
}

#[test]
fn path_and_query_are_not_touched() {
    let (origin, seen) = Origin::observed(EMPTY);
    let stage = Stage::forward();
    let mut client = stage.client();
    for (sent, expected) in [
        ("", "/"),
        ("?q", "/?q"),
        ("/", "/"),
        ("/?", "/?"),
        ("//", "//"),
        ("/a/../../b/./c//", "/a/../../b/./c//"),
        ("/%7e%7E%2f%00%zz%", "/%7e%7E%2f%00%zz%"),
        ("/a;b=c/~'()*!$&+,=:@", "/a;b=c/~'()*!$&+,=:@"),
        ("/{}|\\^`\"<>[]", "/{}|\\^`\"<>[]"),
        ("/http://other.example/?http://x/?/", "/http://other.example/?http://x/?/"),
        ("/UPPER?Case=Kept", "/UPPER?Case=Kept"),
    ] {
        assert_eq!(client.send(origin.get(sent)).answer().status, 204, "{sent}");
        let head = seen.recv().unwrap();
        assert_eq!(head.lines().next(), Some(&*format!("GET {expected} HTTP/1.1")));
        let record = stage.closed();
        assert_eq!(record.as_record().target, origin.url(sent), "the log has it as it was sent");
    }
    stage.survives();
}

#[test]
fn options_of_a_whole_server_has_a_twin_in_absolute_form() {
    let (origin, seen) = Origin::observed(EMPTY);
    let stage = Stage::forward();
    let mut client = stage.client();
    for (sent, expected) in [("", "*"), ("/", "/"), ("?q", "/?q"), ("/*", "/*")] {
        client.send(format!("OPTIONS {} HTTP/1.1\r\nHost: x\r\n\r\n", origin.url(sent)));
        assert_eq!(client.answer().status, 204, "{sent}");
        let head = seen.recv().unwrap();
        assert_eq!(head.lines().next(), Some(&*format!("OPTIONS {expected} HTTP/1.1")));
        assert_eq!(head.lines().nth(1), Some(&*format!("Host: {}", origin.address)));
        stage.logs("OPTIONS 204 -", 0, 0);
    }
    // With `*` alone it is this server that is asked.
    client.send(format!("OPTIONS * HTTP/1.1\r\nHost: {}\r\n\r\n", origin.address));
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (200, ""));
    assert!(seen.is_empty());
    stage.logs("OPTIONS 200 -", 0, 0);
    stage.survives();
}

#[test]
fn max_forwards_counts_down_and_ends_here_at_zero() {
    let (origin, seen) = Origin::observed(EMPTY);
    let stage = Stage::forward();
    let mut client = stage.client();
    let mut ask = |method: &str, fields: &str| {
        client.send(format!("{method} {} HTTP/1.1\r\nHost: x\r\n{fields}\r\n", origin.url("/p")));
        client.answer()
    };
    for (method, sent, expected) in [
        ("OPTIONS", "10", "9"),
        ("TRACE", "1", "0"),
        ("OPTIONS", "007", "6"),
        ("GET", "0", "0"),
        ("GET", "soon", "soon"),
    ] {
        assert_eq!(
            ask(method, &format!("Max-Forwards: {sent}\r\n")).status,
            204,
            "{method} {sent}"
        );
        let head = seen.recv().unwrap();
        assert!(head.contains(&format!("\r\nMax-Forwards: {expected}\r\n")), "{head}");
        stage.logs(&format!("{method} 204 -"), 0, 0);
    }
    let answer = ask("OPTIONS", "Max-Forwards: 0\r\n");
    assert_eq!((answer.status, answer.text()), (200, ""));
    stage.logs("OPTIONS 200 -", 0, 0);

    let answer = ask(
        "TRACE",
        "Max-Forwards: 0\r\nX-Seen: yes\r\nCookie: a\r\nAuthorization: b\r\n\
         Proxy-Authorization: c\r\nReferer: http://d:e@f/\r\n",
    );
    let echo = format!(
        "TRACE {} HTTP/1.1\r\nHost: x\r\nMax-Forwards: 0\r\nX-Seen: yes\r\n\
         Referer: http://f/\r\n\r\n",
        origin.url("/p")
    );
    assert_eq!((answer.status, answer.text()), (200, &*echo));
    assert_eq!(answer.field("content-type"), Some("message/http"));
    stage.logs("TRACE 200 -", 0, echo.len());
    assert!(seen.is_empty(), "neither was passed on");
    stage.survives();
}

/// Leads everywhere to one place, if the destination is the one that is expected.
struct Only(&'static str, SocketAddr);

impl UpstreamConnector for Only {
    fn plan(&self, destination: &Destination<'_>) -> Result<Dialing, ConnectError> {
        assert_eq!(format!("{}:{}", destination.host(), destination.port()), self.0);
        Ok(Dialing::addresses([self.1]))
    }
}

#[test]
fn the_authority_of_the_uri_decides_and_not_the_host_field() {
    for (authority, destination) in [
        ("One.Example", "one.example:80"),
        ("one.example:80", "one.example:80"),
        ("one.example:8080", "one.example:8080"),
        ("[2001:DB8::1]", "[2001:db8::1]:80"),
        ("one.example.", "one.example.:80"),
    ] {
        let (origin, seen) = Origin::observed(EMPTY);
        let address = origin.address;
        let stage = Stage::with(|builder| builder.connector(Only(destination, address)));
        let mut client = stage.client();
        client.send(format!("GET http://{authority}/ HTTP/1.1\r\nHost: two.example:81\r\n\r\n"));
        assert_eq!(client.answer().status, 204);
        let expected = format!("GET / HTTP/1.1\r\nHost: {authority}\r\nVia: 1.1 PROXY");
        assert_eq!(seen.recv().unwrap(), expected);
        let record = stage.closed();
        let record = record.as_record();
        assert_eq!((record.status, record.reason), (Some(204), None));
        assert!(authority.starts_with(record.host) && !record.host.is_empty());
        assert_eq!(stage.finish(), []);
    }
}

#[test]
fn a_record_tells_the_whole_story() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let stage = Stage::forward();
    let mut client = stage.client();
    for reused in [false, true] {
        client.send(origin.get("/x")).answer();
        let record = stage.closed();
        let record = record.as_record();
        assert_eq!(record.kind, Kind::Exchange);
        assert_eq!(record.client, client.stream().local_addr().unwrap());
        assert_eq!((record.method, record.target), ("GET", &*origin.url("/x")));
        assert_eq!(record.host, "127.0.0.1");
        assert_eq!((record.status, record.reason), (Some(200), None));
        assert_eq!((record.bytes_in, record.bytes_out), (0, 2));
        assert_eq!(record.upstream, Some(origin.address));
        assert_eq!((record.client_reused, record.upstream_reused), (reused, reused));
        assert_eq!(record.attempts, 1);
        assert!(record.connect <= record.first_byte && record.first_byte <= Some(record.duration));
        assert!(record.time.elapsed().unwrap() >= record.duration);
    }
    stage.survives();
}

#[test]
fn the_duration_begins_with_the_first_byte_of_the_request() {
    let origin = Origin::always(EMPTY);
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send("GE");
    stage.settle();
    let between = std::time::SystemTime::now();
    client.send(&origin.get("/")[2..]).answer();
    assert!(stage.closed().as_record().time < between);
    stage.survives();
}

#[test]
fn a_request_that_has_been_here_before_goes_round_no_more() {
    let (tell, told) = crossbeam_channel::unbounded();
    let origin = Origin::new(move |visit| {
        while let Some((head, _)) = visit.request() {
            tell.send(head).unwrap();
            visit.send(EMPTY);
        }
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(origin.get("/")).answer();
    stage.logs("GET 204 -", 0, 0);
    let head = told.recv().unwrap();
    let via = head.lines().find(|line| line.starts_with("Via: ")).unwrap();

    for via in
        [via.to_owned(), format!("{via} (comment), 1.1 other"), format!("Via: 1.0 other\r\n{via}")]
    {
        client.send(format!("GET {} HTTP/1.1\r\nHost: x\r\n{via}\r\n\r\n", origin.url("/")));
        let answer = client.answer();
        assert_eq!(answer.status, 508);
        assert!(answer.text().contains("loop_detected"));
        stage.logs("GET 508 loop_detected", 0, answer.body.len());
    }
    assert!(told.is_empty());
    stage.survives();
}

#[test]
fn the_proxy_does_not_connect_to_itself() {
    let stage = Stage::forward();
    let own = stage.address;
    for authority in [own.to_string(), format!("0.0.0.0:{}", own.port())] {
        let mut client = stage.client();
        client.send(format!("GET http://{authority}/ HTTP/1.1\r\nHost: x\r\n\r\n"));
        let answer = client.answer();
        assert_eq!(answer.status, 508, "{authority}");
        stage.logs("GET 508 loop_detected", 0, answer.body.len());
    }
    stage.survives();
}
