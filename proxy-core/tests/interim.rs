//! Responses that come before their time: interim ones, and final ones to half a request.

mod support;

use proxy_core::Limits;
use support::{Origin, Stage, anonymous};

#[test]
fn a_client_that_waits_for_permission_gets_it_from_the_origin() {
    let origin = Origin::new(|visit| {
        let head = visit.head().unwrap();
        assert!(head.contains("\r\nExpect: 100-continue\r\n"), "{head}");
        visit.send("HTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(visit.bytes(5), b"hello");
        visit.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
        visit.head();
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(format!(
        "PUT {} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        origin.url("/")
    ));
    assert_eq!(anonymous(&client.head()), "HTTP/1.1 100 Continue\r\nVia: 1.1 PROXY");
    let answer = client.send("hello").answer();
    assert_eq!((answer.text(), answer.field("connection")), ("hi", None));
    stage.logs("PUT 200 -", 5, 2);
    stage.survives();
}

#[test]
fn a_client_that_waits_for_permission_may_be_refused_by_the_origin() {
    let origin = Origin::new(|visit| {
        visit.head();
        visit.send("HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno");
        visit.head();
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(format!(
        "PUT {} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        origin.url("/")
    ));
    let answer = client.answer();
    // It may send the body nevertheless, or not: the connection cannot go on.
    assert_eq!((answer.status, answer.field("connection")), (417, Some("close")));
    client.expect_end();
    stage.logs("PUT 417 -", 0, 2);
    drop(client);
    stage.survives();
}

#[test]
fn a_client_that_waits_for_permission_may_be_refused_here() {
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, answer.field("connection")), (400, Some("close")));
    client.expect_end();
    stage.logs("PUT 400 not_a_proxy_request", 0, answer.body.len());
    drop(client);
    stage.survives();
}

#[test]
fn interim_responses_come_down_in_their_order() {
    let origin = Origin::always(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x\r\nX: y\r\n\r\n\
         HTTP/1.1 103 Early Hints\r\nLink: </b.css>\r\n\r\n\
         HTTP/1.1 199 \r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    );
    let stage = Stage::forward();
    let mut client = stage.client();
    for _ in 0..2 {
        client.send(origin.get("/"));
        for expected in [
            "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nVia: 1.1 PROXY",
            "HTTP/1.1 103 Early Hints\r\nLink: </b.css>\r\nVia: 1.1 PROXY",
            "HTTP/1.1 199 \r\nVia: 1.1 PROXY",
        ] {
            assert_eq!(anonymous(&client.head()), expected);
        }
        assert_eq!(client.answer().text(), "hi");
        stage.logs("GET 200 -", 0, 2);
    }
    assert_eq!(origin.visits(), 1);
    stage.survives();
}

#[test]
fn an_interim_response_does_not_wait_for_the_final_one() {
    let (allow, allowed) = crossbeam_channel::bounded::<()>(1);
    let origin = Origin::new(move |visit| {
        visit.head();
        visit.send("HTTP/1.1 102 Processing\r\n\r\n");
        allowed.recv().unwrap();
        visit.send("HTTP/1.1 204 No Content\r\n\r\n");
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    assert!(client.send(origin.get("/")).head().starts_with("HTTP/1.1 102 "));
    allow.send(()).unwrap();
    assert_eq!(client.answer().status, 204);
    stage.logs("GET 204 -", 0, 0);
    stage.survives();
}

#[test]
fn an_old_client_gets_no_interim_responses() {
    let origin = Origin::always(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    );
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(format!("GET {} HTTP/1.0\r\n\r\n", origin.url("/")));
    assert_eq!(client.answer().text(), "hi");
    stage.logs("GET 200 -", 0, 2);
    stage.survives();
}

#[test]
fn an_origin_that_never_comes_to_the_point_is_interrupted() {
    let origin = Origin::new(|visit| {
        visit.head();
        for _ in 0..3 {
            visit.send("HTTP/1.1 102 Processing\r\n\r\n");
        }
        assert!(visit.head().is_none(), "the proxy hangs up");
    });
    let mut limits = Limits::default();
    limits.interim_responses = 2;
    let stage = Stage::with(|builder| builder.limits(limits));
    let mut client = stage.client();
    client.send(origin.get("/"));
    let answer = loop {
        match client.answer() {
            interim if interim.status < 200 => {}
            answer => break answer,
        }
    };
    assert_eq!(answer.status, 502);
    stage.logs("GET 502 too_many_interim", 0, answer.body.len());
    stage.survives();
}

#[test]
fn a_switch_of_protocols_that_nobody_asked_for_is_an_error() {
    for fields in ["Connection: Upgrade\r\nUpgrade: websocket\r\n", "", "Upgrade: h2c\r\n"] {
        let origin =
            Origin::always(format!("HTTP/1.1 101 Switching\r\n{fields}\r\nsecret bytes").leak());
        let stage = Stage::forward();
        let mut client = stage.client();
        client.send(format!(
            "GET {} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n\
             Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
            origin.url("/")
        ));
        let answer = client.answer();
        assert_eq!(answer.status, 502);
        stage.logs("GET 502 unexpected_upgrade", 0, answer.body.len());
        stage.survives();
    }
}

#[test]
fn a_final_response_does_not_wait_for_the_rest_of_the_request() {
    // The origin refuses and closes, with most of the body unread.
    let origin = Origin::new(|visit| {
        visit.head();
        assert_eq!(visit.bytes(5), b"hello");
        visit.send("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmuch");
        visit.end();
        let _ = visit.rest();
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nhello",
        origin.url("/")
    ));
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (413, "much"));
    assert_eq!(answer.field("connection"), Some("close"));
    // What was under way is thrown away, so that it does not reset the connection.
    client.send(vec![b'x'; 100_000]);
    client.expect_end();
    stage.logs("POST 413 -", 5, 4);
    drop(client);
    stage.survives();
}

#[test]
fn an_answer_that_comes_before_a_reset_is_not_lost() {
    let origin = Origin::new(|visit| {
        visit.head();
        assert_eq!(visit.bytes(5), b"hello");
        visit.send("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno");
        // As a server's close does that leaves bytes unread.
        visit.reset();
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nhello",
        origin.url("/")
    ));
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (401, "no"));
    stage.logs("POST 401 -", 5, 2);
    drop(client);
    stage.survives();
}

#[test]
fn a_request_goes_on_while_its_response_has_begun() {
    // An origin that echoes: its response begins before the request has ended.
    let origin = Origin::new(|visit| {
        visit.head();
        visit.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
        for _ in 0..2 {
            let piece = visit.bytes(5);
            visit.send(piece);
        }
        visit.head();
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n",
        origin.url("/")
    ));
    assert!(client.head().starts_with("HTTP/1.1 200 "));
    assert_eq!(client.send("hello").bytes(5), b"hello");
    assert_eq!(client.send("world").bytes(5), b"world");
    client.expect_end();
    stage.logs("POST 200 -", 10, 10);
    drop(client);
    stage.survives();
}

#[test]
fn a_request_that_goes_bad_takes_its_response_with_it() {
    let origin = Origin::new(|visit| {
        visit.head();
        visit.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        let cut = visit.rest();
        assert_eq!(cut.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    });
    let stage = Stage::forward();
    for (end, reason) in [("nonsense", "bad_request_body"), ("", "client_closed")] {
        let mut client = stage.client();
        let url = origin.url("/");
        client
            .send(format!("POST {url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
        assert!(client.head().starts_with("HTTP/1.1 200 "));
        assert_eq!(client.bytes(5), b"hello");
        client.send(end).end();
        // More than five bytes were announced: no more come.
        assert_eq!(client.rest().unwrap(), b"");
        stage.logs(&format!("POST 200 {reason}"), 0, 5);
    }
    stage.survives();
}

#[test]
fn a_client_that_ends_its_side_after_its_request_gets_the_answer() {
    let (allow, allowed) = crossbeam_channel::bounded::<()>(1);
    let origin = Origin::new(move |visit| {
        visit.request();
        allowed.recv().unwrap();
        visit.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(origin.get("/")).end();
    stage.settle();
    allow.send(()).unwrap();
    assert_eq!(client.answer().text(), "hi");
    client.expect_end();
    stage.logs("GET 200 -", 0, 2);
    drop(client);
    stage.survives();
}
