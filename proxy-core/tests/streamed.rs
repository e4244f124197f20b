//! Responses whose body a handler sends while it goes out.

mod support;

use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use proxy_core::{
    Action, BodySender, ConnectionHandler, Exchange, ForwardHandler, Limits, Reason, Response,
    ResponseAction, TrySendError, body_stream,
};
use support::{Client, Nobody, Origin, PATIENCE, Stage, timeouts, until};

/// Answers with a stream and leaves its sender to the test; but for some paths.
struct Streams {
    limit: usize,
    senders: Sender<BodySender>,
}

impl ConnectionHandler for Streams {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        match exchange.request().path() {
            "/later" => {
                let later = Duration::from_millis(150);
                exchange.after(later, Action::Respond(Response::new(204)))
            }
            "/whole" => Action::Respond(Response::new(200).with_body("whole")),
            path => {
                let (sender, stream) = body_stream(self.limit);
                if path == "/panics" {
                    thread::spawn(move || {
                        sender.try_send("half").unwrap();
                        panic!("on purpose, {sender:?} at hand");
                    });
                } else {
                    self.senders.send(sender).unwrap();
                }
                let status = if path == "/nothing" { 204 } else { 200 };
                Action::Respond(Response::new(status).with_stream(stream))
            }
        }
    }
}

/// A proxy all of whose answers are streams with that limit.
fn streaming(limit: usize) -> (Stage, Receiver<BodySender>) {
    let (senders, streams) = unbounded();
    (Stage::with(|builder| builder.handler(Streams { limit, senders })), streams)
}

fn request(method: &str, path: &str, version: &str) -> String {
    format!("{method} http://a.test{path} HTTP/{version}\r\nHost: a.test\r\n\r\n")
}

fn get(path: &str) -> String {
    request("GET", path, "1.1")
}

/// Asks for a stream: its sender, when the head of the response has come, and the head.
fn ask(client: &mut Client, asking: &str, streams: &Receiver<BodySender>) -> (BodySender, String) {
    client.send(asking);
    let sender = streams.recv_timeout(PATIENCE).unwrap();
    (sender, client.head())
}

/// Waits until nobody takes what is sent.
#[track_caller]
fn closes(sender: &BodySender) {
    let patience = Instant::now() + PATIENCE;
    while !sender.is_closed() {
        assert!(Instant::now() < patience, "nobody says that it is closed");
        thread::yield_now();
    }
}

#[test]
fn pieces_arrive_as_they_are_sent_and_the_connection_is_kept() {
    let (stage, streams) = streaming(1024);
    let mut client = stage.client();
    let (sender, head) = ask(&mut client, &get("/"), &streams);
    assert_eq!(support::fields(&head, "transfer-encoding"), ["chunked"]);
    assert_eq!(support::fields(&head, "content-length"), [""; 0]);
    assert_eq!(support::fields(&head, "connection"), [""; 0]);
    client.expect_silence();
    for piece in ["first", "", "the second", "3"] {
        sender.try_send(piece).unwrap();
        if !piece.is_empty() {
            let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
            assert_eq!(client.bytes(chunk.len()), chunk.as_bytes());
        }
    }
    client.expect_silence();
    assert!(!sender.is_closed());
    sender.finish();
    assert_eq!(client.bytes(5), b"0\r\n\r\n");
    stage.logs("GET 200 -", 0, "firstthe second3".len());

    let (sender, _) = ask(&mut client, &get("/again"), &streams);
    sender.finish();
    assert_eq!(client.chunks().unwrap().0, b"");
    let record = stage.closed();
    assert!(record.as_record().client_reused);
    stage.survives_without_forwarding();
}

#[test]
fn requests_in_the_pipeline_have_their_turn_after_it() {
    let (stage, streams) = streaming(1024);
    let mut client = stage.client();
    client.send(get("/1") + &get("/2") + &get("/whole"));
    let first = streams.recv_timeout(PATIENCE).unwrap();
    first.try_send("one").unwrap();
    stage.settle();
    assert!(streams.is_empty(), "the second waits for the end of the first");
    first.finish();
    let second = streams.recv_timeout(PATIENCE).unwrap();
    second.try_send("two").unwrap();
    second.finish();
    let texts: Vec<_> = (0..3).map(|_| client.answer().text().to_owned()).collect();
    assert_eq!(texts, ["one", "two", "whole"]);
    for bytes in [3, 3, 5] {
        stage.logs("GET 200 -", 0, bytes);
    }
    stage.survives_without_forwarding();
}

#[test]
fn what_is_cut_does_not_look_whole() {
    let (stage, streams) = streaming(1024);
    type Act = fn(BodySender);
    let acts: [Act; 2] = [BodySender::abort, drop];
    for (act, reason) in acts.into_iter().zip(["closed_by_handler", "handler_failed"]) {
        let mut client = stage.client();
        let (sender, _) = ask(&mut client, &get("/"), &streams);
        sender.try_send("half").unwrap();
        assert_eq!(client.bytes(9), b"4\r\nhalf\r\n");
        act(sender);
        client.expect_end();
        stage.logs(&format!("GET 200 {reason}"), 0, 4);

        // Who was told that the body ends with the connection can only be told by a reset.
        let mut old = stage.client();
        let (sender, _) = ask(&mut old, &request("GET", "/", "1.0"), &streams);
        sender.try_send("half").unwrap();
        assert_eq!(old.bytes(4), b"half");
        act(sender);
        assert_eq!(old.expect_reset(), b"");
        stage.logs(&format!("GET 200 {reason}"), 0, 4);
    }
    stage.survives_without_forwarding();
}

#[test]
fn what_is_cut_is_cut_at_once_however_slow_the_client_is() {
    let (stage, streams) = streaming(64 * 1024);
    let mut client = stage.client();
    let (sender, _) = ask(&mut client, &get("/"), &streams);
    let piece = vec![b'x'; 64 * 1024];
    while sender.send(piece.clone(), Duration::from_millis(100)).is_ok() {}
    sender.abort();
    assert_eq!(stage.outcome(), (Some(200), Some(Reason::ClosedByHandler)));
    assert!(client.chunks().is_err());
    stage.survives_without_forwarding();
}

#[test]
fn a_sender_that_panics_cuts_its_body() {
    let (stage, _streams) = streaming(1024);
    let mut client = stage.client();
    client.send(get("/panics")).head();
    assert!(client.chunks().is_err());
    assert_eq!(stage.outcome(), (Some(200), Some(Reason::HandlerFailed)));
    stage.survives_without_forwarding();
}

#[test]
fn an_old_client_gets_it_until_the_connection_ends() {
    let (stage, streams) = streaming(1024);
    for asking in [
        request("GET", "/", "1.0"),
        "GET http://a.test/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".to_owned(),
    ] {
        let mut client = stage.client();
        let (sender, head) = ask(&mut client, &asking, &streams);
        assert_eq!(support::fields(&head, "transfer-encoding"), [""; 0]);
        assert_eq!(support::fields(&head, "content-length"), [""; 0]);
        assert_eq!(support::fields(&head, "connection"), ["close"]);
        for piece in ["one", "two"] {
            sender.try_send(piece).unwrap();
            assert_eq!(client.bytes(3), piece.as_bytes());
        }
        sender.finish();
        client.expect_end();
        stage.logs("GET 200 -", 0, 6);
    }
    stage.survives_without_forwarding();
}

#[test]
fn where_no_body_is_wanted_the_sender_is_told_so() {
    let (stage, streams) = streaming(1024);
    let mut client = stage.client();
    for (asking, outcome) in
        [(request("HEAD", "/", "1.1"), "HEAD 200 -"), (get("/nothing"), "GET 204 -")]
    {
        let (sender, head) = ask(&mut client, &asking, &streams);
        assert_eq!(support::fields(&head, "content-length"), [""; 0]);
        closes(&sender);
        assert!(matches!(sender.try_send("x"), Err(TrySendError::Closed(_))));
        stage.logs(outcome, 0, 0);
    }
    // Nothing stands between the answers.
    assert_eq!(client.send(get("/whole")).answer().text(), "whole");
    stage.logs("GET 200 -", 0, 5);
    stage.survives_without_forwarding();
}

/// Sends `pieces` of 64 KiB each, as fast as they are taken. Says how many were, and why no more.
fn send_much(sender: &BodySender, pieces: usize) -> (usize, Option<TrySendError>) {
    let piece = vec![b'x'; 64 * 1024];
    for number in 0..pieces {
        if let Err(error) = sender.send(piece.clone(), PATIENCE) {
            return (number, Some(error));
        }
    }
    (pieces, None)
}

#[test]
fn a_slow_client_holds_its_sender_up_and_gets_all_of_it() {
    const LIMIT: usize = 256 * 1024;
    let (stage, streams) = streaming(LIMIT);
    let mut client = stage.client();
    let (sender, _) = ask(&mut client, &get("/"), &streams);
    // What the client has not read is with the system, up to some MB, and then with the sender.
    let piece = vec![b'x'; 64 * 1024];
    let mut sent = 0;
    let last = loop {
        match sender.send(piece.clone(), Duration::from_millis(100)) {
            Ok(()) => sent += piece.len(),
            Err(error) => break error,
        }
        assert!(sent < 64 << 20, "a client that reads nothing must hold its sender up");
    };
    assert!(matches!(last, TrySendError::Full(ref back) if *back == piece), "handed back whole");
    let held = stage.handle().inventory(PATIENCE);
    assert!(held.buffered_bytes <= 65 * 1024, "{held:?}");
    let sending = thread::spawn(move || {
        let much = send_much(&sender, 256);
        sender.finish();
        much
    });
    let body = client.chunks().unwrap().0;
    assert_eq!(sending.join().unwrap(), (256, None));
    assert_eq!(body.len(), sent + 256 * piece.len());
    assert!(body.iter().all(|byte| *byte == b'x'));
    stage.logs("GET 200 -", 0, body.len());
    stage.survives_without_forwarding();
}

#[test]
fn a_client_that_takes_nothing_has_the_time_of_a_pause() {
    let (senders, streams) = unbounded();
    let stage = Stage::with(|builder| {
        let pause = timeouts(|timeouts| timeouts.body_idle = Duration::from_millis(200));
        builder.handler(Streams { limit: 64 * 1024, senders }).timeouts(pause)
    });
    let mut client = stage.client();
    let (sender, _) = ask(&mut client, &get("/"), &streams);
    let (_, why) = send_much(&sender, 4096);
    assert!(matches!(why, Some(TrySendError::Closed(_))), "{why:?}");
    assert!(sender.is_closed());
    assert_eq!(stage.outcome(), (Some(200), Some(Reason::ClientWriteTimeout)));
    assert_eq!(stage.finish(), []);
}

#[test]
fn a_client_may_not_read_more_slowly_than_it_must() {
    let (senders, streams) = unbounded();
    let mut limits = Limits::default();
    limits.min_rate = 1 << 40;
    let stage = Stage::with(|builder| {
        let window = timeouts(|timeouts| timeouts.min_rate_window = Duration::from_millis(100));
        builder.handler(Streams { limit: 64 * 1024, senders }).timeouts(window).limits(limits)
    });
    let mut client = stage.client();
    let (sender, _) = ask(&mut client, &get("/"), &streams);
    // Nobody waits for it while there is nothing for it.
    assert_eq!(stage.client().send(get("/later")).answer().status, 204);
    assert_eq!(stage.outcome(), (Some(204), None));
    sender.try_send("still there").unwrap();
    assert_eq!(client.bytes(16), b"b\r\nstill there\r\n");
    send_much(&sender, 4096);
    assert_eq!(stage.outcome(), (Some(200), Some(Reason::ClientTooSlow)));
    assert_eq!(stage.finish(), []);
}

#[test]
fn a_stream_with_nothing_to_say_is_not_cut() {
    let (senders, streams) = unbounded();
    let stage = Stage::with(|builder| {
        let hasty = timeouts(|timeouts| {
            timeouts.body_idle = Duration::from_millis(20);
            timeouts.response_head = Duration::from_millis(20);
            timeouts.keep_alive = Duration::from_millis(20);
        });
        builder.handler(Streams { limit: 1024, senders }).timeouts(hasty)
    });
    let mut client = stage.client();
    let (sender, _) = ask(&mut client, &get("/"), &streams);
    for _ in 0..2 {
        // Many times as long as anything may stand still.
        assert_eq!(stage.client().send(get("/later")).answer().status, 204);
        assert!(!sender.is_closed());
        sender.try_send("event").unwrap();
        assert_eq!(client.bytes(10), b"5\r\nevent\r\n");
    }
    sender.finish();
    assert_eq!(client.bytes(5), b"0\r\n\r\n");
    let outcomes = [stage.outcome(), stage.outcome(), stage.outcome()];
    assert_eq!(outcomes, [(Some(204), None), (Some(204), None), (Some(200), None)]);
}

#[test]
fn a_client_that_has_gone_is_noticed_at_once() {
    let (stage, streams) = streaming(1024);
    let leave: [fn(Client); 2] = [drop, Client::reset];
    for (leave, sent) in leave.into_iter().zip([0, 5]) {
        let mut client = stage.client();
        let (sender, _) = ask(&mut client, &get("/"), &streams);
        if sent > 0 {
            sender.try_send("event").unwrap();
            client.bytes(10);
        }
        leave(client);
        // Nothing is sent that would show it.
        closes(&sender);
        stage.logs("GET 200 client_closed", 0, sent);
        assert!(matches!(sender.try_send("x"), Err(TrySendError::Closed(_))));
    }
    until(&stage, |all| all.seats == 0);
    stage.survives_without_forwarding();
}

#[test]
fn a_client_that_has_only_ended_its_side_gets_what_there_is() {
    let (stage, streams) = streaming(1024);
    let mut client = stage.client();
    let (sender, _) = ask(&mut client, &get("/"), &streams);
    let sending = thread::spawn(move || {
        sender.try_send("all of it").unwrap();
        sender.finish();
    });
    sending.join().unwrap();
    client.end();
    assert_eq!(client.chunks().unwrap().0, b"all of it");
    assert_eq!(stage.outcome(), (Some(200), None));
    stage.survives_without_forwarding();
}

#[test]
fn a_shutdown_waits_for_its_end() {
    let (mut stage, streams) = streaming(1024);
    let mut client = stage.client();
    let (sender, _) = ask(&mut client, &get("/"), &streams);
    let (handle, address) = (stage.take_handle(), stage.address);
    let stopping = thread::spawn(move || handle.shutdown(PATIENCE));
    let patience = Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < patience, "it still listens");
        thread::yield_now();
    }
    sender.try_send("the last").unwrap();
    sender.finish();
    assert_eq!(client.chunks().unwrap().0, b"the last");
    assert_eq!(stopping.join().unwrap().cut, 0);
    assert_eq!(stage.outcome(), (Some(200), None));
}

#[test]
fn when_a_shutdown_waits_no_longer_it_is_cut() {
    let (mut stage, streams) = streaming(1024);
    let mut client = stage.client();
    let (sender, _) = ask(&mut client, &get("/"), &streams);
    sender.try_send("event").unwrap();
    assert_eq!(client.bytes(10), b"5\r\nevent\r\n");
    let report = stage.take_handle().shutdown(Duration::ZERO);
    assert_eq!((report.drained, report.cut), (0, 1));
    assert_eq!(client.expect_reset(), b"");
    assert!(sender.is_closed());
    assert_eq!(sender.send("x", PATIENCE), Err(TrySendError::Closed("x".into())));
    assert_eq!(stage.outcome(), (Some(200), Some(Reason::ShutDown)));
}

/// Puts a stream in the place of what comes back.
struct Replaces(Sender<BodySender>);

impl Replaces {
    fn stream(&self, status: u16) -> Response {
        let (sender, stream) = body_stream(1024);
        self.0.send(sender).unwrap();
        Response::new(status).with_stream(stream)
    }
}

impl ConnectionHandler for Replaces {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        ForwardHandler.request(exchange)
    }

    fn response(&self, _: &mut Exchange<'_>) -> ResponseAction {
        ResponseAction::Replace(self.stream(203))
    }

    fn failed(&self, _: &mut Exchange<'_>, _: Reason) -> Option<Response> {
        Some(self.stream(502))
    }
}

#[test]
fn what_stands_for_a_response_or_tells_of_a_failure_may_be_a_stream() {
    let (senders, streams) = unbounded();
    let stage = Stage::with(|builder| builder.handler(Replaces(senders)));
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let nobody = Nobody::listens();
    let failing = format!("GET http://{}/ HTTP/1.1\r\nHost: x\r\n\r\n", nobody.address);
    let mut client = stage.client();
    for (asking, status, reason) in [
        (origin.get("/"), 203, None),
        (failing, 502, Some(Reason::ConnectRefused)),
        (origin.get("/"), 203, None),
    ] {
        let (sender, head) = ask(&mut client, &asking, &streams);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        sender.try_send("something else").unwrap();
        sender.finish();
        assert_eq!(client.chunks().unwrap().0, b"something else");
        assert_eq!(stage.outcome(), (Some(status), reason));
    }
}

/// Answers with the same response again and again.
struct Repeats(Response);

impl ConnectionHandler for Repeats {
    fn request(&self, _: &mut Exchange<'_>) -> Action {
        Action::Respond(self.0.clone())
    }
}

#[test]
fn a_body_is_sent_once() {
    let (sender, stream) = body_stream(1024);
    let repeats = Repeats(Response::new(200).with_stream(stream));
    let stage = Stage::with(|builder| builder.handler(repeats));
    sender.try_send("once").unwrap();
    sender.finish();
    let mut client = stage.client();
    assert_eq!(client.send(get("/")).answer().text(), "once");
    let answer = client.send(get("/")).answer();
    assert!(answer.text().contains("handler_failed"), "{}", answer.text());
    assert_eq!(stage.outcome(), (Some(200), None));
    assert_eq!(stage.outcome(), (Some(500), Some(Reason::HandlerFailed)));
}

#[test]
fn a_request_whose_body_is_not_there_yet_does_not_hold_the_stream_up() {
    let (stage, streams) = streaming(1024);
    let mut client = stage.client();
    let asking = "PUT http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhe";
    let (sender, _) = ask(&mut client, asking, &streams);
    sender.try_send("event").unwrap();
    assert_eq!(client.bytes(10), b"5\r\nevent\r\n");
    client.send("llo");
    sender.finish();
    assert_eq!(client.bytes(5), b"0\r\n\r\n");
    assert_eq!(client.send(get("/whole")).answer().text(), "whole");
    stage.logs("PUT 200 -", 5, 5);
    stage.logs("GET 200 -", 0, 5);
}

#[test]
fn no_piece_is_lost_whichever_thread_it_comes_from() {
    const STREAMS: usize = 40;
    const PIECES: usize = 200;
    let (stage, streams) = streaming(64);
    let mut clients: Vec<_> = (0..STREAMS).map(|_| stage.client()).collect();
    let senders: Vec<_> =
        clients.iter_mut().map(|client| ask(client, &get("/"), &streams).0).collect();
    let sending = thread::spawn(move || {
        thread::scope(|scope| {
            for sender in senders.chunks(STREAMS / 4) {
                scope.spawn(move || {
                    for number in 0..PIECES {
                        for sender in sender {
                            sender.send(format!("{number} "), PATIENCE).unwrap();
                        }
                    }
                });
            }
        });
        senders.into_iter().for_each(BodySender::finish);
    });
    let expected: String = (0..PIECES).map(|number| format!("{number} ")).collect();
    for client in &mut clients {
        assert_eq!(String::from_utf8(client.chunks().unwrap().0).unwrap(), expected);
    }
    sending.join().unwrap();
}
