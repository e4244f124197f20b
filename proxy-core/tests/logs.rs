//! What the log tells of real traffic: its formats, the phases, and that nothing goes uncounted.

mod support;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use proxy_core::{
    AccessRecord, Action, ApacheLogger, ConnectError, ConnectionHandler, Destination, Dialing,
    Event, Exchange, JsonLogger, Limits, LogFile, LogOverflow, Proxy, ProxyBuilder, Reason, Tee,
    UpstreamConnector, http1::Version,
};
use support::{Client, Nobody, Origin, PATIENCE, Stage, timeouts};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const EMPTY: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// A file of one test's own, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        Scratch(
            PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
                .join(format!("{name}-{}", std::process::id())),
        )
    }

    fn lines(&self) -> Vec<String> {
        fs::read_to_string(&self.0).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

#[test]
fn a_combined_log_has_a_line_for_everything_that_ended() {
    let (plain, json) = (Scratch::new("combined"), Scratch::new("json"));
    let origin = Origin::always(OK);
    let loggers = Tee::new()
        .with(ApacheLogger::combined(LogFile::append(&plain.0).unwrap()))
        .with(JsonLogger::new(LogFile::append(&json.0).unwrap()));
    let proxy =
        Proxy::builder().listen("127.0.0.1:0").event_loops(1).logger(loggers).start().unwrap();
    let mut client = Client::connect(proxy.local_addrs()[0]);
    let fields =
        "Host: x\r\nUser-Agent: say \"caf\u{e9}\"\r\nReferer: http://u:p@example.com/a\r\n";
    client.send(format!("GET {} HTTP/1.1\r\n{fields}\r\n", origin.url("/a"))).answer();
    client.send(format!("HEAD {} HTTP/1.0\r\n\r\n", origin.url("/"))).head();
    Client::connect(proxy.local_addrs()[0]).send("nonsense\r\n\r\n").answer();
    let mut tunnel = Client::connect(proxy.local_addrs()[0]);
    let authority = origin.address;
    let connect =
        format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: t\r\n\r\n");
    assert!(tunnel.send(connect).head().starts_with("HTTP/1.1 200 "));
    tunnel.send("GET / HTTP/1.1\r\n\r\n").answer();
    tunnel.end().rest().unwrap();
    let log = proxy.shutdown(PATIENCE).log;
    assert_eq!((log.logged, log.panicked, log.dropped), (5, 0, 0), "a tunnel has two records");

    let mut ends: Vec<_> = plain
        .lines()
        .iter()
        .map(|line| {
            let (client, rest) = line.split_once(" - - [").unwrap();
            let (time, rest) = rest.split_once("] ").unwrap();
            assert_eq!((client, time.len()), ("127.0.0.1", "10/Oct/2000:13:55:36 +0000".len()));
            rest.to_owned()
        })
        .collect();
    ends.sort();
    let mut expected = [
        format!(
            r#""GET {} HTTP/1.1" 200 2 "http://example.com/a" "say \"caf\xc3\xa9\"""#,
            origin.url("/a")
        ),
        format!(r#""HEAD {} HTTP/1.0" 200 - "-" "-""#, origin.url("/")),
        format!(r#""CONNECT {authority} HTTP/1.1" 200 {} "-" "t""#, OK.len()),
    ];
    expected.sort();
    let refused = ends.remove(0);
    assert!(refused.starts_with(r#""-" 400 "#) && refused.ends_with(r#" "-" "-""#), "{refused}");
    assert_eq!(ends, expected);

    let json = json.lines();
    assert_eq!(json.len(), 5);
    assert!(json[0].contains(r#""version":"1.1""#), "{}", json[0]);
    assert!(json[0].contains(r#""user_agent":"say \"café\"""#), "{}", json[0]);
}

/// Plans in this way.
struct Plans<F>(F);

impl<F> UpstreamConnector for Plans<F>
where
    F: Fn() -> Result<Dialing, ConnectError> + Send + Sync + 'static,
{
    fn plan(&self, _: &Destination<'_>) -> Result<Dialing, ConnectError> {
        (self.0)()
    }
}

#[test]
fn phases_that_took_place_have_a_duration() {
    let origin = Origin::always(OK);
    let address = origin.address;
    let stage =
        Stage::with(|builder| builder.connector(Plans(move || Ok(Dialing::addresses([address])))));
    let mut client = stage.client();
    client.send(origin.get("/")).answer();
    let record = stage.closed();
    let record = record.as_record();
    let [wait, resolve, connect, first_byte] =
        [record.wait, record.resolve, record.connect, record.first_byte].map(Option::unwrap);
    assert!(wait + resolve + connect <= first_byte && first_byte <= record.duration);
    assert_eq!((record.version, record.referer), (Some(Version::Http11), None));

    client.send(origin.get("/")).answer();
    let record = stage.closed();
    let record = record.as_record();
    assert!(record.upstream_reused && record.wait.is_some());
    assert_eq!((record.resolve, record.connect), (None, None), "an idle connection was there");
    stage.finish();
}

#[test]
fn a_phase_in_which_it_failed_has_a_duration_and_those_after_it_have_none() {
    const SHORT: Duration = Duration::from_millis(50);
    let (let_go, hold) = bounded::<()>(0);
    let stage = Stage::with(|builder| {
        builder.timeouts(timeouts(|timeouts| timeouts.resolve = SHORT)).connector(Plans(
            move || {
                let _ = hold.recv_timeout(PATIENCE);
                Ok(Dialing::addresses([]))
            },
        ))
    });
    assert_eq!(
        stage.client().send("GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n").answer().status,
        504
    );
    let record = stage.closed();
    let record = record.as_record();
    assert_eq!(record.reason, Some(Reason::DnsTimeout));
    assert!(record.wait.is_some() && record.resolve >= Some(SHORT), "{record:?}");
    assert_eq!((record.connect, record.first_byte), (None, None));
    drop(let_go);
    stage.finish();

    let nobody = Nobody::listens();
    let stage = Stage::forward();
    let request = format!("GET http://{} HTTP/1.1\r\nHost: x\r\n\r\n", nobody.address);
    assert_eq!(stage.client().send(request).answer().status, 502);
    let record = stage.closed();
    let record = record.as_record();
    assert_eq!((record.reason, record.resolve), (Some(Reason::ConnectRefused), None));
    assert!(record.connect.is_some() && record.first_byte.is_none());
    stage.finish();
}

#[test]
fn a_request_that_was_not_sent_on_has_no_phases() {
    struct No;
    impl ConnectionHandler for No {
        fn request(&self, _: &mut Exchange<'_>) -> Action {
            Action::Reject(Reason::Denied)
        }
    }
    let stage = Stage::with(|builder| builder.handler(No));
    stage.client().send("GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n").answer();
    let record = stage.closed();
    let record = record.as_record();
    assert_eq!((record.wait, record.resolve), (None, None));
    assert_eq!((record.connect, record.first_byte), (None, None));
    stage.finish();
}

#[test]
fn both_records_of_a_tunnel_have_its_fields() {
    let origin = Origin::always(EMPTY);
    let stage = Stage::forward();
    let authority = origin.address;
    let head =
        format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: t\r\n\r\n");
    let mut client = stage.client();
    client.send(head).head();
    drop(client);
    let records = [stage.record(), stage.record()];
    let [open, close] = records.each_ref().map(|record| record.as_record());
    assert_eq!((open.event, close.event), (Event::Open, Event::Close));
    for record in [&open, &close] {
        assert_eq!(record.version, Some(Version::Http11));
        assert_eq!(record.user_agent, Some(&b"t"[..]));
        assert!(record.wait.is_some() && record.connect.is_some());
    }
    assert_eq!((open.id, open.time), (close.id, close.time));
    stage.finish();
}

/// A builder whose loops may each have so many records waiting.
fn few_may_wait(builder: ProxyBuilder, queue: usize) -> ProxyBuilder {
    let mut limits = Limits::default();
    limits.log_queue = queue;
    builder.limits(limits)
}

#[test]
fn records_and_counted_drops_are_the_exchanges() {
    let origin = Origin::always(EMPTY);
    let (let_go, hold) = bounded::<()>(0);
    let logger = move |_: &AccessRecord<'_>| {
        let _ = hold.recv();
    };
    let builder = Proxy::builder().listen("127.0.0.1:0").event_loops(1).logger(logger);
    let proxy = few_may_wait(builder, 5).start().unwrap();
    let mut client = Client::connect(proxy.local_addrs()[0]);
    for _ in 0..20 {
        assert_eq!(client.send(origin.get("/")).answer().status, 204);
    }
    // The answer is there before its record.
    let patience = Instant::now() + PATIENCE;
    let now = loop {
        let now = proxy.metrics().snapshot();
        if now.log.dropped == 15 {
            break now;
        }
        assert!(Instant::now() < patience, "{now:?}");
        std::thread::yield_now();
    };
    assert_eq!((now.log_queued, now.log_limit), (Some(5), 5));
    assert_eq!(now.traffic.unwrap().requests.total(), 20, "whatever becomes of their records");
    drop(let_go);
    let log = proxy.shutdown(PATIENCE).log;
    assert_eq!((log.logged, log.dropped), (5, 15));
}

#[test]
fn a_log_that_may_lose_nothing_lets_nobody_in_until_it_has_caught_up() {
    let (origin, asked) = Origin::observed(EMPTY);
    let (let_go, hold) = bounded::<()>(0);
    let logger = move |_: &AccessRecord<'_>| {
        let _ = hold.recv();
    };
    let builder = Proxy::builder().listen("127.0.0.1:0").event_loops(1).logger(logger);
    let builder = builder.log_overflow(LogOverflow::Block);
    let proxy = few_may_wait(builder, 5).start().unwrap();
    let [mut busy, mut early] = [0, 1].map(|_| Client::connect(proxy.local_addrs()[0]));
    // Both are let in before the log is full.
    assert_eq!(early.send(origin.get("/early")).answer().status, 204);
    for _ in 0..4 {
        let answer = busy.send(origin.get("/")).answer();
        assert_eq!((answer.status, answer.field("Connection")), (204, None));
    }
    // Five wait. One more of each who is there, and then they have to go.
    let mut late = Client::connect(proxy.local_addrs()[0]);
    late.send(origin.get("/late"));
    for client in [&mut busy, &mut early] {
        let answer = client.send(origin.get("/last")).answer();
        assert_eq!((answer.status, answer.field("Connection")), (204, Some("close")));
        client.expect_end();
    }
    // The loop has come round since it was told of the new client.
    let so_far: Vec<_> = asked.try_iter().collect();
    assert_eq!(so_far.len(), 7);
    assert!(!so_far.iter().any(|head| head.contains("/late")), "it waits to be accepted");
    assert_eq!(proxy.log_counts().dropped, 0);

    drop(let_go);
    assert_eq!(late.answer().status, 204, "it is served when the log has caught up");
    drop(late);
    let log = proxy.shutdown(PATIENCE).log;
    assert_eq!((log.logged, log.dropped), (8, 0));
}
