//! Clients that go away, at each moment they can: what was done for them ends, and the log says
//! so once.

mod support;

use crossbeam_channel::{Receiver, Sender};
use proxy_core::{ConnectError, Destination, Dialing, Reason, UpstreamConnector};
use support::{Origin, PATIENCE, Stage};

/// An origin that tells when a request is there, says `begun`, and tells what it sees then: the
/// rest of the request, or that it was cut.
fn watching(begun: &'static str) -> (Origin, Receiver<&'static str>) {
    let (tell, told) = crossbeam_channel::unbounded();
    let origin = Origin::new(move |visit| {
        visit.head();
        visit.send(begun);
        tell.send("asked").unwrap();
        tell.send(if visit.rest().is_ok() { "ended" } else { "cut" }).unwrap();
    });
    (origin, told)
}

#[test]
fn before_it_has_said_anything() {
    let stage = Stage::forward();
    drop(stage.client());
    stage.client().reset();
    stage.client().end().expect_end();
    stage.client().send("\r\n").end().expect_end();
    // There was no request, so there is no record.
    stage.survives();
}

#[test]
fn in_the_middle_of_a_head() {
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send("GET http://a.exam");
    stage.settle();
    client.reset();
    stage.logs("- - client_closed", 0, 0);

    // One that only ends its side is still told.
    let mut client = stage.client();
    let answer = client.send("GET http://a.exam").end().answer();
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("request_incomplete"));
    client.expect_end();
    stage.logs("- 400 request_incomplete", 0, answer.body.len());
    stage.survives();
}

/// A connector that tells when it is asked, and plans for as long as it is not told to stop.
struct Undecided(Sender<()>, Receiver<()>);

impl UpstreamConnector for Undecided {
    fn plan(&self, _: &Destination<'_>) -> Result<Dialing, ConnectError> {
        self.0.send(()).unwrap();
        let _ = self.1.recv();
        Err(ConnectError::new(Reason::DnsFailed))
    }
}

#[test]
fn while_a_name_is_looked_up() {
    let (tell, asked) = crossbeam_channel::unbounded();
    let (release, released) = crossbeam_channel::bounded(0);
    let stage = Stage::with(|builder| builder.connector(Undecided(tell, released)));
    let mut client = stage.client();
    client.send("GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n");
    asked.recv_timeout(PATIENCE).unwrap();
    client.reset();
    stage.logs("GET - client_closed", 0, 0);
    drop(release);
    stage.settle();
    assert_eq!(stage.finish(), []);
}

// Elsewhere a full backlog refuses.
#[cfg(target_os = "linux")]
#[test]
fn while_a_connection_is_attempted() {
    let crowd = support::Crowd::new();
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(format!("GET http://{}/ HTTP/1.1\r\nHost: x\r\n\r\n", crowd.address));
    stage.settle();
    client.reset();
    stage.logs("GET - client_closed", 0, 0);
    stage.survives();
}

#[test]
fn while_it_waits_for_an_answer() {
    for begun in ["", "HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 200 OK\r\nX"] {
        let (origin, told) = watching(begun);
        let stage = Stage::forward();
        let mut client = stage.client();
        client.send(origin.get("/"));
        assert_eq!(told.recv_timeout(PATIENCE), Ok("asked"));
        client.reset();
        // The origin need not go on either.
        assert_eq!(told.recv_timeout(PATIENCE), Ok("cut"));
        stage.logs("GET - client_closed", 0, 0);
        stage.survives();
    }
}

#[test]
fn in_the_middle_of_its_request() {
    let stage = Stage::forward();
    for (framing, body) in
        [("Content-Length: 10", "hello"), ("Transfer-Encoding: chunked", "5\r\nhello\r\n")]
    {
        for abruptly in [false, true] {
            let (origin, told) = watching("");
            let mut client = stage.client();
            client
                .send(format!("PUT {} HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n", origin.url("/")));
            assert_eq!(told.recv_timeout(PATIENCE), Ok("asked"));
            client.send(body);
            stage.settle();
            if abruptly {
                client.reset();
            } else {
                drop(client);
            }
            // Not for a moment must this look like all of it.
            assert_eq!(told.recv_timeout(PATIENCE), Ok("cut"));
            stage.logs("PUT - client_closed", 5, 0);
        }
    }
    stage.survives();
}

#[test]
fn in_the_middle_of_its_response() {
    let (origin, told) = watching("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(origin.get("/")).head();
    assert_eq!(client.bytes(5), b"hello");
    client.reset();
    assert_eq!(told.recv_timeout(PATIENCE), Ok("asked"));
    assert_eq!(told.recv_timeout(PATIENCE), Ok("cut"));
    stage.logs("GET 200 client_closed", 0, 5);
    stage.survives();
}

#[test]
fn without_reading_a_response_that_is_longer_than_all_buffers() {
    let (tell, told) = crossbeam_channel::unbounded();
    let origin = Origin::new(move |visit| {
        visit.head();
        visit.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = [b"10000\r\n", &[b'x'; 65536][..], b"\r\n"].concat();
        while std::io::Write::write_all(&mut visit.stream(), &chunk).is_ok() {}
        tell.send("cut").unwrap();
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(origin.get("/")).head();
    drop(client);
    assert_eq!(told.recv_timeout(PATIENCE), Ok("cut"));
    assert_eq!(stage.outcome(), (Some(200), Some(Reason::ClientClosed)));
    stage.survives();
}

#[test]
fn between_two_requests() {
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let stage = Stage::forward();
    for abruptly in [false, true] {
        let mut client = stage.client();
        assert_eq!(client.send(origin.get("/")).answer().status, 204);
        if abruptly {
            client.reset();
        }
        stage.logs("GET 204 -", 0, 0);
    }
    stage.survives();
}

#[test]
fn with_requests_in_the_pipeline() {
    let (origin, told) = watching("");
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send(origin.get("/1") + &origin.get("/2"));
    assert_eq!(told.recv_timeout(PATIENCE), Ok("asked"));
    client.reset();
    assert_eq!(told.recv_timeout(PATIENCE), Ok("cut"));
    let record = stage.closed();
    let record = record.as_record();
    assert_eq!((record.target, record.reason), (&*origin.url("/1"), Some(Reason::ClientClosed)));
    assert_eq!(origin.visits(), 1, "nobody would hear the second answer");
    stage.survives();
}

#[test]
fn after_it_was_refused_and_before_it_has_sent_its_body() {
    let stage = Stage::forward();
    for abruptly in [false, true] {
        let mut client = stage.client();
        client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello");
        let answer = client.answer();
        assert_eq!(answer.status, 400);
        stage.settle();
        if abruptly {
            client.reset();
        } else {
            drop(client);
        }
        // Why it was refused is what matters.
        stage.logs("PUT 400 not_a_proxy_request", 5, answer.body.len());
    }
    stage.survives();
}
