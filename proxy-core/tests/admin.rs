//! The admin address: what it answers, and whom it lets in.
#![cfg(feature = "admin")]

mod support;

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use proxy_core::admin::{
    ActionError, AdminActions, AdminHandler, AdminToken, EventsLogger, LogLevel,
};
use proxy_core::{
    AccessRecord, Action, ConnectionHandler, Exchange, ProxyHandle, RequestLogger, Tee,
};
use support::{Answer, Client, Origin, PATIENCE, Stage};

/// A proxy, and the address at which it is looked at.
struct Office {
    stage: Stage,
    admin: ProxyHandle,
    events: EventsLogger,
}

impl Office {
    fn open() -> Office {
        Office::with(|handler| handler)
    }

    fn with(change: impl FnOnce(AdminHandler) -> AdminHandler) -> Office {
        let events = EventsLogger::new();
        let logger = Tee::new().with(events.clone());
        let stage = Stage::with(|builder| builder.logger(logger));
        Office::about(stage, events, change)
    }

    fn about(
        stage: Stage,
        events: EventsLogger,
        change: impl FnOnce(AdminHandler) -> AdminHandler,
    ) -> Office {
        let handler = AdminHandler::new(stage.handle().control()).with_events(events.clone());
        let admin = change(handler).into_builder().listen("127.0.0.1:0").start().unwrap();
        Office { stage, admin, events }
    }

    fn client(&self) -> Client {
        Client::connect(self.admin.local_addrs()[0])
    }

    /// Asks on a connection of its own.
    fn ask(&self, request: &str) -> Answer {
        self.ask_with(request, "Host: localhost\r\nAdmin-Request: 1\r\n")
    }

    fn ask_with(&self, request: &str, fields: &str) -> Answer {
        let mut client = self.client();
        client.send(format!("{request} HTTP/1.1\r\n{fields}\r\n"));
        client.answer()
    }

    fn status(&self, request: &str, fields: &str) -> u16 {
        self.ask_with(request, fields).status
    }
}

fn field<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.field(name).unwrap_or_default()
}

/// The text behind a key of an object: enough for what is asked here.
fn value<'a>(object: &'a str, key: &str) -> &'a str {
    let key = format!("\"{key}\":");
    let at = object.find(&key).unwrap_or_else(|| panic!("no {key} in {object}")) + key.len();
    let rest = &object[at..];
    rest[..rest.find([',', '}', ']']).unwrap()].trim_matches('"')
}

#[test]
fn each_answer_is_typed_and_for_this_moment() {
    let office = Office::open();
    for (path, media_type, part) in [
        ("/", "text/html; charset=utf-8", "<title>proxy</title>"),
        ("/live.js", "text/javascript; charset=utf-8", "EventSource"),
        ("/healthz", "text/plain; charset=utf-8", "ok\n"),
        ("/readyz", "text/plain; charset=utf-8", "ready\n"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8", "# TYPE proxy_"),
        ("/status.json", "application/json", "\"draining\":false"),
        ("/connections", "application/json", "\"connections\":["),
        ("/bans", "application/json", "\"bans\":[]"),
    ] {
        let answer = office.ask(&format!("GET {path}"));
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(field(&answer, "content-type"), media_type);
        assert_eq!(field(&answer, "cache-control"), "no-store");
        assert_eq!(field(&answer, "x-content-type-options"), "nosniff");
        assert!(answer.text().contains(part), "{path}: {}", answer.text());
        // RFC 9110 §9.3.2: the same, without the body.
        let mut client = office.client();
        client
            .send(format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        assert!(client.head().starts_with("HTTP/1.1 200 "));
        client.expect_end();
    }
}

/// RFC 9110 §8.6: what `HEAD` says of the length is what `GET` would have; that of a stream, nobody knows.
#[test]
fn head_of_the_events_claims_no_length() {
    let office = Office::open();
    let mut client = office.client();
    client.send("HEAD /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("text/event-stream"), "{head}");
    assert!(!head.to_ascii_lowercase().contains("content-length"), "{head}");
    client.expect_end();
}

#[test]
fn where_metrics_are_off_that_is_said_and_nothing_is_told_to_be_none() {
    let events = EventsLogger::new();
    let office = Office::about(Stage::with(|builder| builder.metrics(false)), events, |it| it);
    let answer = office.ask("GET /metrics");
    let metrics = answer.text();
    assert!(metrics.starts_with("# Metrics are off: "), "{metrics}");
    assert!(!metrics.contains("proxy_requests_total"), "{metrics}");
    assert_eq!(value(office.ask("GET /status.json").text(), "metrics"), "false");
    let counting = Office::open();
    assert!(!counting.ask("GET /metrics").text().contains("are off"));
    assert_eq!(value(counting.ask("GET /status.json").text(), "metrics"), "true");
}

#[test]
fn what_is_not_there_is_said_and_what_could_be_done_instead() {
    let office = Office::open();
    assert_eq!(office.ask("GET /x").status, 404);
    assert_eq!(office.ask("GET /connections/0-1").status, 404);
    for (request, allowed) in [
        ("POST /status.json", "GET, HEAD"),
        ("GET /reload", "POST"),
        ("GET /connections/0-1-1", "DELETE"),
        ("PUT /bans", "GET, HEAD, POST, DELETE"),
        ("OPTIONS /loglevel", "GET, HEAD, POST, PUT"),
    ] {
        let answer = office.ask(request);
        assert_eq!((answer.status, field(&answer, "allow")), (405, allowed), "{request}");
    }
    for request in ["GET /config", "POST /reload", "POST /drain", "GET /loglevel"] {
        assert_eq!(office.ask(request).status, 501, "{request}");
    }
    for request in [
        "GET /status.json?x=1",
        "GET /connections?most=0",
        "GET /connections?most=1&most=2",
        "POST /bans",
        "POST /bans?network=x",
        "POST /bans?network=192.0.2.7&time=1",
        "DELETE /bans?network=192.0.2.7&time=1s",
        "GET /events?hots=a",
        "GET /events?status=%",
    ] {
        let answer = office.ask(request);
        assert_eq!(answer.status, 400, "{request}");
        assert!(answer.text().len() > 10, "{}", answer.text());
    }
}

#[test]
fn bans_come_and_go() {
    let office = Office::open();
    let answer = office.ask("POST /bans?network=192.0.2.0%2F24&time=1h");
    assert_eq!(answer.status, 201);
    assert_eq!(value(answer.text(), "seconds_left"), "3600");
    assert!(office.stage.handle().bans().list()[0].network.contains([192, 0, 2, 9].into()));
    let listed = office.ask("GET /bans").text().to_owned();
    assert_eq!(value(&listed, "network"), "192.0.2.0/24");
    assert_eq!(value(&listed, "cause"), "by_hand");
    assert_eq!(office.ask("DELETE /bans?network=192.0.2.0/24").status, 200);
    assert_eq!(office.ask("DELETE /bans?network=192.0.2.0/24").status, 404);
    assert!(office.stage.handle().bans().list().is_empty());
}

#[test]
fn a_connection_is_seen_and_closed() {
    let office = Office::open();
    let (origin, arrivals, _go) = Origin::hesitant();
    let mut client = office.stage.client();
    let local = client.stream().local_addr().unwrap().to_string();
    let address = origin.address;
    client.send(format!("GET http://{address}/slow HTTP/1.1\r\nHost: {address}\r\n\r\n"));
    arrivals.recv_timeout(PATIENCE).unwrap();
    let listed = office.ask("GET /connections").text().to_owned();
    assert_eq!(value(&listed, "state"), "waiting");
    assert_eq!(value(&listed, "client"), local);
    assert_eq!(value(&listed, "total"), "1");
    assert_eq!(value(&listed, "target"), format!("http://{address}/slow"));
    let id = value(&listed, "id");
    assert_eq!(office.ask(&format!("DELETE /connections/{id}")).status, 200);
    assert!(client.try_answer().is_err());
    assert_eq!(office.ask(&format!("DELETE /connections/{id}")).status, 404);
}

#[test]
fn records_are_told_as_they_are_made() {
    let office = Office::open();
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let mut all = office.client();
    let mut some = office.client();
    for (client, path) in [(&mut all, "/events"), (&mut some, "/events?host=other.test&refused")] {
        client.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        let head = client.head();
        assert!(head.contains("Content-Type: text/event-stream\r\n"), "{head}");
        assert!(chunk(client).starts_with(": "), "a comment comes first");
    }
    assert_eq!(office.stage.client().send(origin.get("/a")).answer().status, 204);
    let event = chunk(&mut all);
    assert!(event.starts_with("data: {\"event\":\"close\"") && event.ends_with("}\n\n"), "{event}");
    assert_eq!(value(&event, "status"), "204");
    office.events.end();
    assert_eq!(chunk(&mut all), "", "the last chunk");
    assert_eq!(chunk(&mut some), "", "nothing was for this one");
}

/// The content of the next chunk.
fn chunk(client: &mut Client) -> String {
    let mut size = Vec::new();
    while !size.ends_with(b"\r\n") {
        size.extend(client.bytes(1));
    }
    let size = usize::from_str_radix(String::from_utf8(size).unwrap().trim_end(), 16).unwrap();
    let content = client.bytes(size + 2);
    String::from_utf8(content[..size].to_vec()).unwrap()
}

#[test]
fn who_reads_slowly_is_told_how_much_was_missed() {
    const MANY: u64 = 1000;
    let office = Office::open();
    let mut client = office.client();
    client.send("GET /events HTTP/1.0\r\nHost: localhost\r\n\r\n");
    client.head();
    // As long as targets may be: more than all buffers between can hold.
    let target = "x".repeat(16_000);
    let mut record = AccessRecord::new(([192, 0, 2, 7], 1).into());
    record.target = &target;
    (0..MANY).for_each(|_| office.events.log(&record));
    let (tell, told) = bounded(1);
    let reading = std::thread::spawn(move || {
        let mut text = Vec::new();
        while !text.ends_with(b"\n\n") || !ends_with_last(&text) {
            let mut piece = [0; 65_536];
            let count = client.some(&mut piece);
            text.extend_from_slice(&piece[..count]);
        }
        tell.send(()).unwrap();
        text.extend(client.rest().unwrap());
        String::from_utf8(text).unwrap()
    });
    record.target = "last";
    let mut logged = MANY;
    let until = Instant::now() + PATIENCE;
    while told.recv_timeout(Duration::from_millis(1)).is_err() {
        assert!(Instant::now() < until, "there is no room");
        office.events.log(&record);
        logged += 1;
    }
    office.events.end();
    let text = reading.join().unwrap();
    let (mut seen, mut lost) = (0, 0);
    for event in text.split("\n\n").filter(|event| !event.is_empty()) {
        if let Some(losses) = event.strip_prefix("event: lost\ndata: ") {
            lost += value(losses, "lost").parse::<u64>().unwrap();
        } else if event.starts_with("data: ") {
            seen += 1;
        }
    }
    assert!(seen > 0 && lost > 0, "{seen} seen, {lost} lost");
    assert_eq!(seen + lost, logged, "{seen} seen, {lost} lost");
}

fn ends_with_last(text: &[u8]) -> bool {
    let tail = &text[text.len().saturating_sub(1000)..];
    String::from_utf8_lossy(tail).contains("\"target\":\"last\"")
}

#[test]
fn only_so_many_watch_and_a_place_becomes_free() {
    let office = Office::open();
    let watch = || {
        let mut client = office.client();
        client.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        client
    };
    let mut watching: Vec<_> = (0..16).map(|_| watch()).collect();
    for client in &mut watching {
        assert!(client.head().starts_with("HTTP/1.1 200 "));
    }
    assert_eq!(watch().answer().status, 503);
    drop(watching);
    // Each loop hears of it in its own time.
    while watch().head().starts_with("HTTP/1.1 503 ") {}
}

#[test]
fn a_page_of_another_site_has_no_say() {
    let office = Office::with(|handler| handler.with_host("Proxy.Example"));
    let address = office.admin.local_addrs()[0];
    for host in ["localhost", "127.0.0.1", "[::1]:80", "proxy.example:9901", &address.to_string()] {
        assert_eq!(office.status("GET /status.json", &format!("Host: {host}\r\n")), 200, "{host}");
    }
    for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example"] {
        assert_eq!(office.status("GET /status.json", &format!("Host: {host}\r\n")), 421, "{host}");
    }
    for said in ["Origin: http://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"] {
        for request in ["GET /events", "GET /", "POST /bans?network=192.0.2.7"] {
            let fields = format!("Host: localhost\r\nAdmin-Request: 1\r\n{said}\r\n");
            assert_eq!(office.status(request, &fields), 403, "{request} {said}");
        }
    }
    let form = "Host: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                Content-Length: 0\r\n";
    assert_eq!(office.status("POST /bans?network=192.0.2.7", form), 403);
    // No CORS: a browser that asks whether it may is not told that it may.
    let asked = office.ask_with(
        "OPTIONS /bans",
        "Host: localhost\r\nOrigin: http://evil.example\r\n\
         Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: admin-request\r\n",
    );
    assert_eq!(asked.status, 403);
    assert!(!asked.head.to_ascii_lowercase().contains("access-control"), "{}", asked.head);
    assert!(office.stage.handle().bans().list().is_empty());
    let json = "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n";
    let mut client = office.client();
    client.send(format!("POST /bans?network=192.0.2.7 HTTP/1.1\r\n{json}\r\n{{}}"));
    assert_eq!(client.answer().status, 201);
}

#[test]
fn it_is_no_proxy() {
    let office = Office::open();
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let address = origin.address;
    let mut client = office.client();
    // An address is nobody's name, so this one is taken for the admin address itself; it still goes
    // nowhere.
    client.send(format!("GET http://{address}/ HTTP/1.1\r\nHost: {address}\r\n\r\n"));
    let answer = client.answer();
    assert!(answer.status == 200 && answer.text().contains("<title>proxy</title>"));
    let fields = "Host: example.com\r\n";
    assert_eq!(office.status("GET http://example.com/", fields), 421);
    assert_eq!(office.status(&format!("CONNECT {address}"), &format!("Host: {address}\r\n")), 421);
    assert_eq!(origin.visits(), 0);
}

#[test]
fn a_token_is_asked_for_and_guessing_ends() {
    const TOKEN: &str = "0123456789abcdef";
    let office = Office::with(|handler| handler.with_token(AdminToken::new(TOKEN).unwrap()));
    let host = "Host: anything.example\r\n";
    let answer = office.ask_with("GET /status.json", host);
    assert_eq!((answer.status, field(&answer, "www-authenticate")), (401, "Bearer"));
    assert_eq!(field(&answer, "cache-control"), "no-store");
    let right = format!("{host}Authorization: Bearer {TOKEN}\r\n");
    assert_eq!(office.status("GET /status.json", &right), 200);
    assert_eq!(office.status("POST /bans?network=192.0.2.7", &right), 201);
    assert_eq!(office.status("GET /healthz", "Host: localhost\r\n"), 200);
    let wrong = format!("{host}Authorization: Bearer {TOKEN}x\r\n");
    for _ in 0..10 {
        assert_eq!(office.status("GET /status.json", &wrong), 401);
    }
    let mut client = office.client();
    client.say(format!("GET /status.json HTTP/1.1\r\n{right}\r\n"));
    assert!(client.try_answer().is_err(), "it is not even told whether this one is right");
    assert_eq!(office.admin.bans().list().len(), 1);
}

/// A program whose reload takes until it is let go.
struct Program {
    reloads: Receiver<Result<Vec<String>, ActionError>>,
    begun: Sender<()>,
    drains: Sender<()>,
}

impl AdminActions for Program {
    fn config(&self) -> Option<String> {
        Some("workers = 8\n".to_owned())
    }

    fn reload(&self) -> Result<Vec<String>, ActionError> {
        self.begun.send(()).unwrap();
        self.reloads.recv_timeout(PATIENCE).unwrap()
    }

    fn drain(&self) -> Result<(), ActionError> {
        self.drains.send(()).unwrap();
        Ok(())
    }

    fn log_level(&self) -> Option<LogLevel> {
        Some(LogLevel::Warn)
    }
}

#[test]
fn what_the_program_does_is_told_as_it_says() {
    let (outcome, reloads) = bounded(1);
    let (begun, has_begun) = bounded(9);
    let (drains, drained) = bounded(9);
    let office = Office::with(|handler| handler.with_actions(Program { reloads, begun, drains }));
    assert_eq!(office.ask("GET /config").text(), "workers = 8\n");

    let mut client = office.client();
    client.send("POST /reload HTTP/1.1\r\nHost: localhost\r\nAdmin-Request: 1\r\n\r\n");
    has_begun.recv_timeout(PATIENCE).unwrap();
    assert_eq!(office.ask("GET /healthz").status, 200, "while a worker is busy");
    assert_eq!(office.ask("GET /status.json").status, 200);
    outcome.send(Ok(vec!["at the next start only: workers".to_owned()])).unwrap();
    let answer = client.answer();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text(), "{\"notes\":[\"at the next start only: workers\"]}\n");

    outcome.send(Err(ActionError::Failed(vec!["f:1: \"x\"".to_owned()]))).unwrap();
    let answer = office.ask("POST /reload");
    assert_eq!(answer.status, 422);
    assert_eq!(answer.text(), "{\"complaints\":[\"f:1: \\\"x\\\"\"]}\n");

    assert_eq!(office.ask("POST /drain").status, 202);
    drained.recv_timeout(PATIENCE).unwrap();
    assert_eq!(value(office.ask("GET /loglevel").text(), "level"), "warn");
    assert_eq!(office.ask("PUT /loglevel?level=loud").status, 400);
    assert_eq!(office.ask("PUT /loglevel").status, 400);
    assert_eq!(office.ask("POST /loglevel").status, 400);
    for method in ["POST", "PUT"] {
        let answer = office.ask(&format!("{method} /loglevel?level=debug"));
        assert_eq!(answer.status, 501, "this one cannot: {method}");
    }
}

/// There are few connections, so those who ask for nothing must not have them for long.
#[test]
fn silent_clients_do_not_shut_others_out() {
    let office = Office::open();
    let silent: Vec<Client> = (0..40).map(|_| office.client()).collect();
    assert_eq!(office.status("GET /healthz", "Host: localhost\r\n"), 200);
    drop(silent);
}

#[test]
fn it_is_not_ready_while_it_drains() {
    let mut office = Office::open();
    let (origin, arrivals, go) = Origin::hesitant();
    let address = origin.address;
    let mut client = office.stage.client();
    client.send(format!("GET http://{address}/ HTTP/1.1\r\nHost: {address}\r\n\r\n"));
    arrivals.recv_timeout(PATIENCE).unwrap();
    let handle = office.stage.take_handle();
    let draining = std::thread::spawn(move || handle.shutdown(PATIENCE));
    while office.ask("GET /readyz").status == 200 {}
    assert_eq!(office.ask("GET /readyz").status, 503);
    assert_eq!(office.ask("GET /healthz").status, 200);
    assert_eq!(value(office.ask("GET /status.json").text(), "draining"), "true");
    drop(go);
    assert_eq!(client.answer().text(), "ok");
    draining.join().unwrap();
    assert_eq!(value(office.ask("GET /connections").text(), "total"), "0");
}

/// Lets nobody through but those who are meant.
struct Vouching;

impl ConnectionHandler for Vouching {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let upstream = exchange.request().authority().parse().unwrap();
        Action::Forward(proxy_core::Plan::to(std::sync::Arc::new(upstream)).vouched())
    }
}

#[test]
fn clients_of_the_proxy_do_not_come_through_it() {
    let events = EventsLogger::new();
    let listener = proxy_core::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy_core::Listener::local_addr(&listener).unwrap();
    for stage in [
        Stage::with(|builder| builder.keep_away_from(address)),
        Stage::with(|builder| builder.keep_away_from(address).handler(Vouching)),
    ] {
        let mut client = stage.client();
        client
            .send(format!("GET http://{address}/status.json HTTP/1.1\r\nHost: {address}\r\n\r\n"));
        assert_eq!(client.answer().status, 403);
        let record = stage.closed();
        assert_eq!(record.as_record().reason, Some(proxy_core::Reason::DestinationNotAllowed));
    }
    let stage = Stage::with(|builder| builder.keep_away_from(address));
    let office = Office::about(stage, events, |handler| handler);
    let mut client = office.stage.client();
    client.send(format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n\r\n"));
    assert_eq!(client.answer().status, 403);
    office.admin.shutdown(Duration::ZERO);
}
