//! Whoever keeps a proxy waiting, it does not wait for ever. All times but the one a story is
//! about have their defaults, which are longer than any story lasts.

mod support;

use std::io::{self, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use proxy_core::{ConnectError, Destination, Dialing, Reason, Timeouts, UpstreamConnector};
use support::{Client, Crowd, Origin, PATIENCE, Stage};

const SHORT: Duration = Duration::from_millis(100);
/// A body that no buffers between two ends can hold.
const ENDLESS: usize = 1 << 40;

fn impatient(set: impl FnOnce(&mut Timeouts)) -> Stage {
    let mut timeouts = Timeouts::default();
    set(&mut timeouts);
    Stage::with(|builder| builder.timeouts(timeouts))
}

/// An origin that says `begun` to a request and then nothing, and tells when the proxy has hung
/// up.
fn stalling(begun: &'static str) -> (Origin, Receiver<()>) {
    let (tell, told) = crossbeam_channel::unbounded();
    let origin = Origin::new(move |visit| {
        visit.head();
        visit.send(begun);
        let _ = visit.rest();
        let _ = tell.send(());
    });
    (origin, told)
}

/// Sends a byte every now and then until the proxy has something to say.
fn drip(client: &mut Client) {
    let mut stream = client.stream();
    stream.set_read_timeout(Some(SHORT / 10)).unwrap();
    for _ in 0..PATIENCE.as_millis() / (SHORT / 10).as_millis() {
        stream.write_all(b"x").unwrap();
        if stream.peek(&mut [0]).is_ok() {
            return stream.set_read_timeout(Some(PATIENCE)).unwrap();
        }
    }
    panic!("the proxy says nothing");
}

#[test]
fn an_origin_that_does_not_answer() {
    for begun in ["", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nX: y\r\n"] {
        let (origin, hung_up) = stalling(begun);
        let stage = impatient(|timeouts| timeouts.response_head = SHORT);
        let mut client = stage.client();
        let answer = client.send(origin.get("/")).answer();
        assert_eq!((answer.status, answer.field("connection")), (504, None));
        stage.logs("GET 504 response_head_timeout", 0, answer.body.len());
        hung_up.recv_timeout(PATIENCE).unwrap();
        stage.survives();
    }
}

#[test]
fn an_origin_that_stops_in_the_middle_of_its_answer() {
    let (origin, hung_up) = stalling("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    let stage = impatient(|timeouts| timeouts.body_idle = SHORT);
    let mut client = stage.client();
    assert!(client.send(origin.get("/")).head().starts_with("HTTP/1.1 200 "));
    assert_eq!(client.rest().unwrap(), b"hello");
    stage.logs("GET 200 response_body_timeout", 0, 5);
    hung_up.recv_timeout(PATIENCE).unwrap();
    stage.survives();
}

#[test]
fn an_origin_that_stops_where_only_the_end_of_the_connection_is_the_end() {
    let (origin, hung_up) = stalling("HTTP/1.1 200 OK\r\n\r\nhello");
    let stage = impatient(|timeouts| timeouts.body_idle = SHORT);
    let mut client = stage.client();
    assert!(client.send(origin.get("/")).head().starts_with("HTTP/1.1 200 "));
    assert_eq!(client.bytes(5), b"hello");
    assert_eq!(client.rest().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    stage.logs("GET 200 response_body_timeout", 0, 5);
    hung_up.recv_timeout(PATIENCE).unwrap();
    stage.survives();
}

#[test]
fn an_origin_that_does_not_read_its_request() {
    let (release, released) = crossbeam_channel::bounded::<()>(0);
    let origin = Origin::new(move |visit| {
        visit.head();
        let _ = released.recv();
    });
    let stage = impatient(|timeouts| timeouts.body_idle = SHORT);
    let mut client = stage.client();
    client.send(format!(
        "PUT {} HTTP/1.1\r\nHost: x\r\nContent-Length: {ENDLESS}\r\n\r\n",
        origin.url("/")
    ));
    let sender = flood(client.stream());
    let answer = client.answer();
    assert_eq!((answer.status, answer.field("connection")), (504, Some("close")));
    assert!(answer.text().contains("upstream_write_timeout"), "{}", answer.text());
    sender.join().unwrap();
    let record = stage.closed();
    let record = record.as_record();
    assert_eq!((record.status, record.reason), (Some(504), Some(Reason::UpstreamWriteTimeout)));
    assert!(record.bytes_in > 0 && record.bytes_out == answer.body.len() as u64);
    drop((client, release));
    stage.survives();
}

/// Writes for as long as somebody reads, or has not hung up.
fn flood(stream: &TcpStream) -> thread::JoinHandle<()> {
    let mut stream = stream.try_clone().unwrap();
    thread::spawn(move || while stream.write_all(&[b'x'; 65536]).is_ok() {})
}

#[test]
fn a_client_that_does_not_read_its_response() {
    let (tell, hung_up) = crossbeam_channel::unbounded();
    let origin = Origin::new(move |visit| {
        visit.head();
        visit.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {ENDLESS}\r\n\r\n"));
        flood(visit.stream()).join().unwrap();
        let _ = tell.send(());
    });
    let stage = impatient(|timeouts| timeouts.body_idle = SHORT);
    let mut client = stage.client();
    assert!(client.send(origin.get("/")).head().starts_with("HTTP/1.1 200 "));
    hung_up.recv_timeout(PATIENCE).unwrap();
    let record = stage.closed();
    let record = record.as_record();
    assert_eq!((record.status, record.reason), (Some(200), Some(Reason::ClientWriteTimeout)));
    // What the proxy got rid of is there, and the end shows that it is not all.
    let got = io::copy(&mut client.stream(), &mut io::sink()).unwrap();
    assert!(0 < got && got <= record.bytes_out);
    stage.survives();
}

#[test]
fn a_client_that_does_not_finish_the_head_of_its_request() {
    for begun in ["G", "GET http://a.example/ HTTP/1.1\r\nHost: "] {
        let stage = impatient(|timeouts| timeouts.request_head = SHORT);
        let mut client = stage.client();
        client.send(begun);
        // Each byte is progress, and yet the end is near: the time is that of the whole head.
        drip(&mut client);
        let answer = client.answer();
        assert_eq!((answer.status, answer.field("connection")), (408, Some("close")));
        stage.logs("- 408 request_head_timeout", 0, answer.body.len());
        drop(client);
        stage.survives();
    }
}

#[test]
fn a_client_that_does_not_finish_the_body_of_its_request() {
    let (origin, hung_up) = stalling("");
    let stage = impatient(|timeouts| timeouts.body_idle = SHORT);
    let mut client = stage.client();
    let url = origin.url("/");
    client.send(format!("PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello"));
    let answer = client.answer();
    assert_eq!((answer.status, answer.field("connection")), (408, Some("close")));
    client.expect_end();
    stage.logs("PUT 408 request_body_timeout", 5, answer.body.len());
    hung_up.recv_timeout(PATIENCE).unwrap();
    drop(client);
    stage.survives();
}

#[test]
fn a_refused_client_that_does_not_finish_the_body_of_its_request() {
    let stage = impatient(|timeouts| timeouts.body_idle = SHORT);
    let mut client = stage.client();
    client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello");
    let answer = client.answer();
    assert_eq!(answer.status, 400);
    // It was answered: that the rest did not come costs it the connection and nothing else.
    client.expect_end();
    stage.logs("PUT 400 not_a_proxy_request", 5, answer.body.len());
    drop(client);
    stage.survives();
}

#[test]
fn a_client_that_asks_for_nothing_is_left_without_a_word() {
    let stage = impatient(|timeouts| timeouts.keep_alive = SHORT);
    stage.client().expect_end();
    // Empty lines are nothing, too.
    stage.client().send("\r\n\r\n").expect_end();
    let mut client = stage.client();
    assert_eq!(client.send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").answer().status, 200);
    client.expect_end();
    stage.logs("OPTIONS 200 -", 0, 0);
    stage.survives();
}

#[test]
fn a_client_that_goes_on_after_its_last_response() {
    let stage = impatient(|timeouts| timeouts.linger = SHORT);
    let mut client = stage.client();
    client.send("nonsense\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.status, 400);
    // The client does not end its side: the proxy closes nevertheless, which ends the writing.
    client.expect_end();
    flood(client.stream()).join().unwrap();
    stage.logs("- 400 bad_request_line", 0, answer.body.len());
    stage.survives();
}

/// A connector that plans for as long as its other end is not dropped.
struct Undecided(Receiver<()>);

impl Undecided {
    fn new() -> (Sender<()>, Undecided) {
        let (release, released) = crossbeam_channel::bounded(0);
        (release, Undecided(released))
    }
}

impl UpstreamConnector for Undecided {
    fn plan(&self, _: &Destination<'_>) -> Result<Dialing, ConnectError> {
        let _ = self.0.recv();
        Err(ConnectError::new(Reason::DnsFailed))
    }
}

#[test]
fn a_name_that_takes_too_long() {
    let (release, connector) = Undecided::new();
    let mut timeouts = Timeouts::default();
    timeouts.resolve = SHORT;
    let stage = Stage::with(|builder| builder.timeouts(timeouts).connector(connector));
    let mut client = stage.client();
    client.send("GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, answer.field("connection")), (504, None));
    stage.logs("GET 504 dns_timeout", 0, answer.body.len());
    // What comes of it at last is nobody's business any more.
    drop(release);
    assert_eq!(client.send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").answer().status, 200);
    stage.logs("OPTIONS 200 -", 0, 0);
    assert_eq!(stage.finish(), []);
}

// Elsewhere a full backlog refuses.
#[cfg(target_os = "linux")]
#[test]
fn an_upstream_that_does_not_take_the_connection() {
    let crowd = Crowd::new();
    let stage = impatient(|timeouts| timeouts.connect = SHORT);
    let mut client = stage.client();
    client.send(format!("GET http://{}/ HTTP/1.1\r\nHost: x\r\n\r\n", crowd.address));
    let answer = client.answer();
    assert_eq!((answer.status, answer.field("connection")), (504, None));
    stage.logs("GET 504 connect_timeout", 0, answer.body.len());
    stage.survives();
}

#[test]
fn an_origin_whose_answer_trickles_in_before_it_has_begun() {
    // Each byte is something, and yet no answer: the time is that of the whole head.
    let (tell, hung_up) = crossbeam_channel::unbounded();
    let origin = Origin::new(move |visit| {
        visit.head();
        let mut stream = visit.stream();
        stream.set_read_timeout(Some(SHORT / 10)).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").unwrap();
        for _ in 0..PATIENCE.as_millis() / (SHORT / 10).as_millis() {
            let ended = matches!(stream.peek(&mut [0]), Ok(0));
            if ended || stream.write_all(b"x").is_err() {
                return tell.send(()).unwrap();
            }
        }
    });
    let stage = impatient(|timeouts| timeouts.response_head = SHORT);
    let answer = stage.client().send(origin.get("/")).answer();
    assert_eq!(answer.status, 504);
    stage.logs("GET 504 response_head_timeout", 0, answer.body.len());
    hung_up.recv_timeout(PATIENCE).expect("the proxy has hung up");
    stage.survives();
}

#[test]
fn a_refused_client_whose_body_trickles_in() {
    let stage = impatient(|timeouts| timeouts.body_idle = SHORT);
    let mut client = stage.client();
    client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n");
    assert_eq!(client.answer().status, 400);
    // The rest is read so that the connection can be kept, but not for ever.
    let mut stream = client.stream();
    stream.set_read_timeout(Some(SHORT / 10)).unwrap();
    let ended = (0..PATIENCE.as_millis() / (SHORT / 10).as_millis())
        .any(|_| stream.write_all(b"x").is_err() || matches!(stream.peek(&mut [0]), Ok(0)));
    assert!(ended, "the proxy hangs up");
    assert_eq!(stage.outcome(), (Some(400), Some(Reason::NotAProxyRequest)));
}
