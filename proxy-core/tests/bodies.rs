//! Where a body ends, in both directions and in every framing.

mod support;

use crossbeam_channel::Receiver;
use support::{Client, Origin, Stage, anonymous};

/// An origin that reads a head and then `length` bytes, tells both, and answers 204.
fn reading(length: usize) -> (Origin, Receiver<String>) {
    let (tell, told) = crossbeam_channel::unbounded();
    let origin = Origin::new(move |visit| {
        while let Some(head) = visit.head() {
            let body = String::from_utf8(visit.bytes(length)).unwrap();
            tell.send(format!("{}\r\n\r\n{body}", anonymous(&head))).unwrap();
            visit.send("HTTP/1.1 204 No Content\r\n\r\n");
        }
    });
    (origin, told)
}

/// A POST to `origin` with these fields and this body.
fn post(origin: &Origin, fields: &str, body: &str) -> String {
    format!("POST {} HTTP/1.1\r\nHost: x\r\n{fields}\r\n{body}", origin.url("/"))
}

/// Asks for `/` and gives the exact bytes of the response, with the proxy's name left out.
fn raw(client: &mut Client, origin: &Origin, body: usize) -> String {
    let head = client.send(origin.get("/")).head();
    let body = String::from_utf8(client.bytes(body)).unwrap();
    format!("{}\r\n\r\n{body}", anonymous(&head))
}

#[test]
fn a_request_body_of_known_length_goes_up_as_it_is() {
    let (origin, seen) = reading(5);
    let stage = Stage::forward();
    let mut client = stage.client();
    for length in ["5", "005"] {
        client.send(post(&origin, &format!("Content-length: {length}\r\n"), "hello"));
        assert_eq!(client.answer().status, 204);
        assert_eq!(
            seen.recv().unwrap(),
            format!(
                "POST / HTTP/1.1\r\nHost: {}\r\nContent-length: 5\r\nVia: 1.1 PROXY\r\n\r\nhello",
                origin.address
            )
        );
        stage.logs("POST 204 -", 5, 0);
    }
    stage.survives();
}

#[test]
fn a_chunked_request_goes_up_in_chunks_made_canonical() {
    for (sent, expected, payload) in [
        ("0\r\n\r\n", "0\r\n\r\n", 0),
        ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", 11),
        ("0a;x;y=1 ;z=\"\\\"\"\r\n0123456789\r\n00;e\r\n\r\n", "a\r\n0123456789\r\n0\r\n\r\n", 10),
        ("1\r\n\r\r\n1\r\n\n\r\n0\r\n\r\n", "1\r\n\r\r\n1\r\n\n\r\n0\r\n\r\n", 2),
        (
            "1\r\na\r\n0\r\nX-Sum:  1\r\nContent-Length: 9\r\nHost: y\r\nx-sum: 2\r\n\r\n",
            "1\r\na\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n",
            1,
        ),
    ] {
        let (origin, seen) = reading(expected.len());
        let stage = Stage::forward();
        let mut client = stage.client();
        client.send(post(&origin, "Trailer: X-Sum\r\nTransfer-Encoding: Chunked\r\n", sent));
        assert_eq!(client.answer().status, 204);
        assert_eq!(
            seen.recv().unwrap(),
            format!(
                "POST / HTTP/1.1\r\nHost: {}\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\
                 Via: 1.1 PROXY\r\n\r\n{expected}",
                origin.address
            )
        );
        stage.logs("POST 204 -", payload, 0);
        stage.survives();
    }
}

#[test]
fn a_request_without_a_body_gets_none() {
    let (origin, seen) = reading(0);
    let stage = Stage::forward();
    let mut client = stage.client();
    for (fields, expected) in [("", ""), ("Content-Length: 0\r\n", "Content-Length: 0\r\n")] {
        assert_eq!(client.send(post(&origin, fields, "")).answer().status, 204);
        let head = seen.recv().unwrap();
        assert!(head.ends_with(&format!("\r\n{expected}Via: 1.1 PROXY\r\n\r\n")), "{head}");
        stage.logs("POST 204 -", 0, 0);
    }
    stage.survives();
}

#[test]
fn a_response_of_known_length_comes_down_as_it_is() {
    let origin = Origin::always(
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\nX: y\r\nContent-Length: 5\r\n\r\nhello",
    );
    let stage = Stage::forward();
    let mut client = stage.client();
    for _ in 0..2 {
        assert_eq!(
            raw(&mut client, &origin, 5),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\nVia: 1.1 PROXY\r\n\r\nhello"
        );
        stage.logs("GET 200 -", 0, 5);
    }
    assert_eq!(origin.visits(), 1);
    stage.survives();
}

#[test]
fn a_chunked_response_comes_down_in_chunks_made_canonical() {
    let origin = Origin::always(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n\
         05;ext=\"1\"\r\nhello\r\n6\r\n world\r\n0;last\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n",
    );
    let stage = Stage::forward();
    let mut client = stage.client();
    let body = "5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n";
    for _ in 0..2 {
        assert_eq!(
            raw(&mut client, &origin, body.len()),
            format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\
                 Via: 1.1 PROXY\r\n\r\n{body}"
            )
        );
        stage.logs("GET 200 -", 0, 11);
    }
    assert_eq!(origin.visits(), 1, "the trailer was read to its end");
    stage.survives();
}

#[test]
fn a_response_that_ends_with_its_connection_ends_the_clients() {
    let origin = Origin::new(|visit| {
        visit.head();
        visit.send("HTTP/1.1 200 OK\r\n\r\nhello");
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    assert_eq!(
        raw(&mut client, &origin, 5),
        "HTTP/1.1 200 OK\r\nVia: 1.1 PROXY\r\nConnection: close\r\n\r\nhello"
    );
    client.expect_end();
    stage.logs("GET 200 -", 0, 5);
    // The next request may have been on its way: a reset in answer to it could overtake what
    // the client has not read yet. So the proxy's half ends alone, and requests go nowhere.
    for _ in 0..3 {
        client.send(origin.get("/"));
        stage.settle();
    }
    assert_eq!(origin.visits(), 1);
    drop(client);
    stage.survives();
}

#[test]
fn responses_to_head_have_no_body_whatever_they_announce() {
    for (announced, kept) in [
        ("Content-Length: 1000\r\n", "Content-Length: 1000\r\n"),
        ("Transfer-Encoding: chunked\r\n", ""),
        ("", ""),
    ] {
        let response = format!("HTTP/1.1 200 OK\r\n{announced}\r\n").leak();
        let origin = Origin::always(response);
        let stage = Stage::forward();
        let mut client = stage.client();
        for _ in 0..2 {
            client.send(format!("HEAD {} HTTP/1.1\r\nHost: x\r\n\r\n", origin.url("/")));
            let expected = format!("HTTP/1.1 200 OK\r\n{kept}Via: 1.1 PROXY");
            assert_eq!(anonymous(&client.head()), expected);
            stage.logs("HEAD 200 -", 0, 0);
        }
        assert_eq!(origin.visits(), 1, "both connections go on");
        stage.survives();
    }
}

#[test]
fn statuses_that_allow_no_body_have_none() {
    for (response, expected, visits) in [
        ("204 No Content\r\n\r\n", "204 No Content\r\nVia: 1.1 PROXY", 1),
        ("304 Not Modified\r\nETag: x\r\n\r\n", "304 Not Modified\r\nETag: x\r\nVia: 1.1 PROXY", 1),
        // RFC 9110 §8.6: the length a 200 would have had.
        (
            "304 Not Modified\r\nContent-Length: 7\r\n\r\n",
            "304 Not Modified\r\nContent-Length: 7\r\nVia: 1.1 PROXY",
            1,
        ),
        // A 204 must not announce content. Who does may send it: that connection is not used again.
        ("204 No Content\r\nContent-Length: 5\r\n\r\n", "204 No Content\r\nVia: 1.1 PROXY", 2),
    ] {
        let origin = Origin::always(format!("HTTP/1.1 {response}").leak());
        let stage = Stage::forward();
        let mut client = stage.client();
        for _ in 0..2 {
            client.send(origin.get("/"));
            assert_eq!(anonymous(&client.head()), format!("HTTP/1.1 {expected}"));
            stage.logs(&format!("GET {} -", &response[..3]), 0, 0);
        }
        assert_eq!(origin.visits(), visits, "{response}");
        stage.survives();
    }
}

#[test]
fn bytes_behind_a_response_are_nobodys() {
    let origin = Origin::new(|visit| {
        visit.head();
        visit.send(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nX: forged\r\n\r\n",
        );
        visit.head();
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    for _ in 0..2 {
        let answer = client.send(origin.get("/")).answer();
        assert_eq!((answer.text(), answer.field("x")), ("hello", None));
        stage.logs("GET 200 -", 0, 5);
    }
    assert_eq!(origin.visits(), 2, "the connection that said too much is not used again");
    stage.survives();
}

#[test]
fn an_old_client_gets_a_response_without_chunks() {
    let origin = Origin::always(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n\
         5\r\nhello\r\n6;x\r\n world\r\n0\r\nX: y\r\n\r\n",
    );
    let stage = Stage::forward();
    let mut client = stage.client();
    // RFC 9112 §9.3: what a 1.0 client says of keep-alive is not believed by a proxy.
    client.send(format!("GET {} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", origin.url("/")));
    let expected = "HTTP/1.1 200 OK\r\nVia: 1.1 PROXY\r\nConnection: close\r\n\r\nhello world";
    assert_eq!(anonymous(&String::from_utf8(client.rest().unwrap()).unwrap()), expected);
    stage.logs("GET 200 -", 0, 11);
    stage.survives();
}

#[test]
fn an_old_client_gets_a_response_of_known_length_and_the_end() {
    let (origin, seen) = Origin::observed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(format!("POST {} HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi", origin.url("/")));
    let answer = client.answer();
    assert_eq!((answer.text(), answer.field("connection")), ("hello", Some("close")));
    client.expect_end();
    let head = seen.recv().unwrap();
    let expected = format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: 2\r\nVia: 1.0 PROXY",
        origin.address
    );
    assert_eq!(head, expected);
    stage.logs("POST 200 -", 2, 5);
    stage.survives();
}

#[test]
fn an_old_upstream_keeps_its_connection_only_if_it_says_so() {
    for (field, visits) in [("", 2), ("Connection: keep-alive\r\n", 1)] {
        let origin = Origin::always(
            format!("HTTP/1.0 200 OK\r\n{field}Content-Length: 5\r\n\r\nhello").leak(),
        );
        let stage = Stage::forward();
        let mut client = stage.client();
        for _ in 0..2 {
            assert_eq!(
                raw(&mut client, &origin, 5),
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nVia: 1.0 PROXY\r\n\r\nhello"
            );
            stage.logs("GET 200 -", 0, 5);
        }
        assert_eq!(origin.visits(), visits);
        stage.survives();
    }
}

#[test]
fn who_says_close_is_the_last_to_be_heard_on_that_connection() {
    let (origin, seen) =
        Origin::observed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
    let stage = Stage::forward();
    let mut client = stage.client();
    // The upstream's connection is not the client's.
    for visits in 1..=2 {
        let answer = client.send(origin.get("/")).answer();
        assert_eq!((answer.text(), answer.field("connection")), ("hi", None));
        assert_eq!(origin.visits(), visits);
        stage.logs("GET 200 -", 0, 2);
    }
    let last = format!("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", origin.url("/"));
    client.send(last + &origin.get("/never"));
    assert_eq!(client.answer().field("connection"), Some("close"));
    client.expect_end();
    stage.logs("GET 200 -", 0, 2);
    assert_eq!(seen.try_iter().filter(|head| head.contains("/never")).count(), 0);
    drop(client);
    stage.survives();
}

#[test]
fn a_response_without_a_date_gets_one_and_any_other_keeps_its_own() {
    let origin = Origin::new(|visit| {
        while let Some((head, _)) = visit.request() {
            let date = if head.starts_with("GET /dated") { "Date: then\r\n" } else { "" };
            visit.send(format!("HTTP/1.1 204 No Content\r\n{date}\r\n"));
        }
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    assert_eq!(client.send(origin.get("/dated")).answer().fields("date"), ["then"]);
    let answer = client.send(origin.get("/")).answer();
    let [date] = answer.fields("date")[..] else { panic!("{}", answer.head) };
    // RFC 9110 §5.6.7, as in `Tue, 15 Nov 1994 08:12:31 GMT`.
    assert!(date.len() == 29 && date.ends_with(" GMT"), "{date}");
}
