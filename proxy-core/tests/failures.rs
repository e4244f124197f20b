//! Upstreams that fail: the client is told why where that is still possible, and where it is
//! not, what it has got never looks whole.

mod support;

use std::io;
use std::net::SocketAddr;

use proxy_core::{Limits, Reason};
use socket2::{Domain, Socket, Type};
use support::{Answer, Origin, Stage};

/// Expects an error response with this reason.
#[track_caller]
fn told(answer: &Answer, reason: Reason) {
    assert_eq!(answer.status, reason.status(), "{}", answer.text());
    assert!(answer.text().contains(&format!("\nreason: {reason}\n")), "{}", answer.text());
    assert!(answer.text().contains(reason.explanation()));
}

/// Asks an origin that fails for this reason, and expects to be told so.
#[track_caller]
fn fails(origin: &Origin, reason: Reason) {
    let stage = Stage::forward();
    let mut client = stage.client();
    let answer = client.send(origin.get("/")).answer();
    told(&answer, reason);
    stage.logs(&format!("GET {} {reason}", reason.status()), 0, answer.body.len());
    // The client is not to blame: its connection goes on.
    assert_eq!(answer.field("connection"), None);
    assert_eq!(client.send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").answer().status, 200);
    stage.logs("OPTIONS 200 -", 0, 0);
    stage.survives();
}

/// An origin that answers whatever it is asked with `response`, and closes.
fn once(response: impl Into<Vec<u8>>) -> Origin {
    let response = response.into();
    Origin::new(move |visit| {
        visit.request();
        visit.send(&response);
    })
}

/// A port on which nobody listens, and that nobody else gets as long as the socket lives.
fn deaf() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

#[test]
fn an_upstream_that_refuses() {
    let (_socket, address) = deaf();
    let stage = Stage::forward();
    let mut client = stage.client();
    for body in ["", "hello"] {
        let length = body.len();
        client.send(format!(
            "POST http://{address}/ HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
        // What was sent of the request is read and thrown away, so that the connection goes on.
        let answer = client.answer();
        told(&answer, Reason::ConnectRefused);
        let record = stage.closed();
        let record = record.as_record();
        assert_eq!((record.status, record.reason), (Some(502), Some(Reason::ConnectRefused)));
        assert_eq!(record.bytes_out, answer.body.len() as u64);
        assert_eq!((record.upstream, record.attempts), (None, 1));
    }
    stage.survives();
}

#[test]
fn a_name_that_does_not_exist() {
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send("GET http://x.invalid/ HTTP/1.1\r\nHost: x.invalid\r\n\r\n");
    let answer = client.answer();
    told(&answer, Reason::DnsFailed);
    stage.logs("GET 502 dns_failed", 0, answer.body.len());
    stage.survives();
}

#[test]
fn an_upstream_that_closes_or_resets_before_it_answers() {
    fails(&once(""), Reason::UpstreamClosed);
    fails(&once("H"), Reason::UpstreamClosed);
    fails(&once("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"), Reason::UpstreamClosed);
    let resetting = Origin::new(|visit| {
        visit.head();
        visit.reset();
    });
    fails(&resetting, Reason::UpstreamClosed);
}

#[test]
fn an_upstream_that_closes_behind_an_interim_response() {
    let stage = Stage::forward();
    let mut client = stage.client();
    let origin = once("HTTP/1.1 103 Early Hints\r\n\r\n");
    client.send(origin.get("/"));
    assert!(client.head().starts_with("HTTP/1.1 103 "));
    let answer = client.answer();
    told(&answer, Reason::UpstreamClosed);
    stage.logs("GET 502 upstream_closed", 0, answer.body.len());
    stage.survives();
}

/// An origin whose second answer never comes: each first request of a connection is served.
fn forgetful() -> Origin {
    Origin::new(|visit| {
        visit.request();
        visit.send("HTTP/1.1 204 No Content\r\n\r\n");
        visit.request();
    })
}

#[test]
fn an_idle_connection_that_has_died_is_replaced_unseen() {
    let origin = forgetful();
    let stage = Stage::forward();
    let mut client = stage.client();
    for (attempts, visits) in [(1, 1), (2, 2)] {
        assert_eq!(client.send(origin.get("/")).answer().status, 204);
        let record = stage.closed();
        let record = record.as_record();
        assert_eq!((record.status, record.reason), (Some(204), None));
        assert_eq!((record.attempts, record.upstream_reused), (attempts, false));
        assert_eq!(origin.visits(), visits);
    }
    stage.survives();
}

#[test]
fn what_must_not_be_done_twice_is_not() {
    for (method, body) in [("POST", ""), ("PUT", "hello")] {
        let origin = forgetful();
        let stage = Stage::forward();
        let mut client = stage.client();
        assert_eq!(client.send(origin.get("/")).answer().status, 204);
        stage.logs("GET 204 -", 0, 0);
        let (url, length) = (origin.url("/"), body.len());
        client.send(format!(
            "{method} {url} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
        let answer = client.answer();
        told(&answer, Reason::UpstreamClosed);
        stage.logs(&format!("{method} 502 upstream_closed"), length, answer.body.len());
        assert_eq!(origin.visits(), 1);
        stage.survives();
    }
}

#[test]
fn a_malformed_response() {
    for response in [
        "nonsense\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n",
        "HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: y\r\n z\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 0\r\n\r\n",
        // A TLS alert: what an https server says to a plain request.
        "\x15\x03\x03\x00\x02\x02\x28",
    ] {
        fails(&once(response), Reason::BadResponse);
    }
}

#[test]
fn a_response_of_ambiguous_length() {
    for fields in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\n",
    ] {
        let response = format!("HTTP/1.1 200 OK\r\n{fields}\r\n5\r\nhello\r\n0\r\n\r\n");
        fails(&once(response), Reason::BadResponseLength);
    }
    let old = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    fails(&once(old), Reason::BadResponseLength);
}

#[test]
fn a_response_head_over_the_limits() {
    let mut limits = Limits::default();
    limits.head_bytes = 1000;
    limits.fields = 3;
    for response in [
        format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1000)),
        format!("HTTP/1.1 200 {}\r\n\r\n", "x".repeat(1000)),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: x\r\n".repeat(4)),
    ] {
        let origin = once(response);
        let stage = Stage::with(|builder| builder.limits(limits.clone()));
        let answer = stage.client().send(origin.get("/")).answer();
        told(&answer, Reason::ResponseHeadTooLarge);
        stage.logs("GET 502 response_head_too_large", 0, answer.body.len());
        stage.survives();
    }
}

#[test]
fn a_bad_chunk_behind_its_head_is_still_an_error_response() {
    for chunk in ["zz\r\n", "5\r\nhelloX", "5\nhello\r\n", "-1\r\n", "8000000000000000\r\n"] {
        let origin = once(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"));
        fails(&origin, Reason::BadResponseBody);
    }
}

/// What was read together with it is thrown away, and counts nowhere.
#[test]
fn good_chunks_before_a_bad_one_are_not_counted_as_sent() {
    for chunks in [
        "5\r\nhello\r\nzz\r\n",
        "5;x=y\r\nhello\r\nzz\r\n",
        "5\r\nhello\r\n005\r\nworldX",
        "5\r\nhello\r\n0\r\nX y\r\n\r\n",
    ] {
        let origin = once(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"));
        fails(&origin, Reason::BadResponseBody);
    }
    // The same where the first chunk has been sent.
    for rest in ["5;x=y\r\nworld\r\nzz\r\n", "5\r\nworld\r\n0\r\nX y\r\n\r\n"] {
        let (stage, got) = cut("1.1", CHUNKS, rest, false);
        assert_eq!(got.unwrap(), b"", "{rest:?}");
        stage.logs("GET 200 bad_response_body", 0, 5);
        stage.survives();
    }
}

/// Asks an origin that sends `begun`, a head and five bytes of content, and once the client has
/// got those, goes on with `rest` and ends its side, or resets. Gives what the client gets then.
fn cut(
    version: &str,
    begun: (&'static str, &'static str),
    rest: &'static str,
    reset: bool,
) -> (Stage, io::Result<Vec<u8>>) {
    let (go_on, may_go_on) = crossbeam_channel::bounded::<()>(1);
    let origin = Origin::new(move |visit| {
        visit.head();
        visit.send(begun.0).send(begun.1);
        may_go_on.recv().unwrap();
        visit.send(rest);
        if reset {
            visit.reset();
        }
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(format!("GET {} HTTP/{version}\r\nHost: x\r\n\r\n", origin.url("/"))).head();
    client.bytes(if version == "1.0" { "hello".len() } else { begun.1.len() });
    go_on.send(()).unwrap();
    (stage, client.rest())
}

const KNOWN: (&str, &str) = ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "hello");
const UNTIL_CLOSE: (&str, &str) = ("HTTP/1.1 200 OK\r\n\r\n", "hello");
const CHUNKS: (&str, &str) =
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n");
const HALF_A_CHUNK: (&str, &str) = (CHUNKS.0, "9\r\nhello");

#[test]
fn a_response_that_ends_too_early_lacks_its_end() {
    for (begun, reset) in
        [(KNOWN, false), (KNOWN, true), (CHUNKS, false), (CHUNKS, true), (HALF_A_CHUNK, false)]
    {
        let (stage, rest) = cut("1.1", begun, "", reset);
        assert_eq!(rest.unwrap(), b"", "{begun:?}");
        stage.logs("GET 200 upstream_closed_early", 0, 5);
        stage.survives();
    }
}

#[test]
fn a_response_whose_end_would_be_that_of_the_connection_is_cut_by_a_reset() {
    // For an old client that is so whenever the length is not known.
    for (version, begun, reset) in
        [("1.1", UNTIL_CLOSE, true), ("1.0", UNTIL_CLOSE, true), ("1.0", CHUNKS, false)]
    {
        let (stage, rest) = cut(version, begun, "", reset);
        assert_eq!(rest.unwrap_err().kind(), io::ErrorKind::ConnectionReset, "{begun:?}");
        stage.logs("GET 200 upstream_closed_early", 0, 5);
        stage.survives();
    }
}

#[test]
fn a_response_that_goes_bad_lacks_its_end() {
    for rest in ["zz\r\n", "5\r\nworldX", "0\r\nX y\r\n\r\n", "0\r\nX: y\n\n"] {
        let (stage, got) = cut("1.1", CHUNKS, rest, false);
        assert_eq!(got.unwrap(), b"", "{rest:?}");
        stage.logs("GET 200 bad_response_body", 0, 5);
        stage.survives();
        let (stage, got) = cut("1.0", CHUNKS, rest, false);
        assert_eq!(got.unwrap_err().kind(), io::ErrorKind::ConnectionReset, "{rest:?}");
        stage.logs("GET 200 bad_response_body", 0, 5);
        stage.survives();
    }
}

#[test]
fn a_request_that_goes_bad_never_looks_whole_to_the_origin() {
    let (tell, told_of) = crossbeam_channel::unbounded();
    let origin = Origin::new(move |visit| {
        visit.head();
        visit.bytes("5\r\nhello\r\n".len());
        // Another byte would be part of a last chunk, an end could be taken for one.
        tell.send(visit.rest().map_err(|error| error.kind())).unwrap();
    });
    let stage = Stage::forward();
    for rest in ["zz\r\n", "5\r\nworldX", "0\r\nX y\r\n\r\n", "5\nhello"] {
        let mut client = stage.client();
        client.send(format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            origin.url("/")
        ));
        // Served by the same loop: by then the first chunk has gone up.
        assert_eq!(
            stage.client().send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").answer().status,
            200
        );
        stage.logs("OPTIONS 200 -", 0, 0);
        let answer = client.send(rest).answer();
        told(&answer, Reason::BadRequestBody);
        assert_eq!(answer.field("connection"), Some("close"));
        client.expect_end();
        assert_eq!(told_of.recv().unwrap(), Err(io::ErrorKind::ConnectionReset), "{rest:?}");
        stage.logs("POST 400 bad_request_body", 5, answer.body.len());
    }
    stage.survives();
}
