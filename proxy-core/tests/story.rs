//! What the log of the program tells of exchanges that fail, at level `debug`: the steps in order, each
//! with the number of the request.

mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use log::{LevelFilter, Log, Metadata, Record};
use proxy_core::rules::{Denial, Rule, RuleSet, Verdict};
use proxy_core::{OwnedRecord, Reason, RulesHandler};
use support::{Nobody, Origin, Stage, timeouts};

/// Keeps what is told of failed exchanges.
struct Told;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// There is one log for all tests here.
static TURN: Mutex<()> = Mutex::new(());

impl Log for Told {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if record.target() == "proxy_core::session::story" {
            assert_eq!(record.level(), log::Level::Debug);
            LINES.lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

fn listen(level: LevelFilter) -> MutexGuard<'static, ()> {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    // Only the first of them can be the logger of this process; they are all the same.
    let _ = log::set_logger(&Told);
    log::set_max_level(level);
    LINES.lock().unwrap().clear();
    turn
}

/// What has been told of an exchange, without its number and without times.
fn story(of: &OwnedRecord) -> Vec<String> {
    let begin = format!("request {}: ", of.as_record().id);
    let lines = std::mem::take(&mut *LINES.lock().unwrap());
    let bare = |line: &String| line.strip_prefix(&*begin).expect("its number").to_owned();
    lines.iter().map(bare).map(|line| without_times(&line)).collect()
}

/// `after 31.4ms` and `at once` as `~`.
fn without_times(line: &str) -> String {
    let is_time = |word: &&str| {
        let number = word.trim_end_matches(|c: char| c.is_alphabetic() || ",:".contains(c));
        number != *word && number.contains('.') && number.parse::<f64>().is_ok()
    };
    let shown = |word: &str| {
        let end = word.trim_start_matches(|c: char| c.is_alphanumeric() || c == '.').to_owned();
        format!("~{end}")
    };
    let words = line.split(' ').map(|word| if is_time(&word) { shown(word) } else { word.into() });
    let line = words.collect::<Vec<String>>().join(" ");
    line.replace("after ~", "~").replace("at once", "~").replace("in ~", "~")
}

/// The last lines of each story.
fn end(reason: Reason, told: &str, who: &str) -> [String; 3] {
    [
        format!("failed ~: {reason}: {}", reason.explanation()),
        told.to_owned(),
        format!("what {who} can do: {}", reason.remedy()),
    ]
}

#[test]
fn a_connection_that_is_refused() {
    let _turn = listen(LevelFilter::Debug);
    let (stage, nobody) = (Stage::forward(), Nobody::listens());
    let mut client = stage.client();
    let from = client.stream().local_addr().unwrap();
    let request = format!("GET http://{0}/x HTTP/1.1\r\nHost: {0}\r\n\r\n", nobody.address);
    for before in ["", ", on a connection that had carried others"] {
        assert_eq!(client.send(&request).answer().status, 502);
        let mut expected = vec![
            format!("accepted from {from}{before}"),
            format!("read GET http://{}/x HTTP/1.1, with 1 field and no body", nobody.address),
            format!("an upstream was looked for ~: {}", nobody.address),
            "dialed in vain, and knew so ~".to_owned(),
        ];
        let who = "those who run the server";
        expected.extend(end(Reason::ConnectRefused, "told the client 502", who));
        assert_eq!(story(&stage.closed()), expected);
    }
}

#[test]
fn a_rule_that_refuses() {
    let _turn = listen(LevelFilter::Debug);
    let rules = RuleSet::new([Rule::new("no", Verdict::deny(Denial::new()))]).compile().unwrap();
    let stage = Stage::with(|builder| builder.handler(RulesHandler::new(rules)));
    assert_eq!(
        stage.client().send("CONNECT a.test:443 HTTP/1.1\r\nHost: a\r\n\r\n").answer().status,
        403
    );
    let told = story(&stage.closed());
    assert_eq!(
        told[1..3],
        ["read CONNECT a.test:443 HTTP/1.1, with 1 field and no body", "decided by the rule `no`"]
    );
    assert_eq!(
        told[3..],
        end(Reason::DeniedByRule, "told the client 403", "those who run this proxy")
    );
}

#[test]
fn the_way_that_could_not_be_gone() {
    let _turn = listen(LevelFilter::Debug);
    let stage = Stage::forward();
    let request = "GET http://169.254.169.254/ HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(stage.client().send(request).answer().status, 403);
    let told = story(&stage.closed());
    assert_eq!(told[2], "an upstream was looked for ~: 169.254.169.254:80");
    assert!(told[3].starts_with("169.254.169.254:80 is not dialled: it is "), "{told:?}");
    assert!(told[4].starts_with("failed ~: destination_not_allowed: "), "{told:?}");
}

#[test]
fn malformed_requests_are_shown_with_a_mark() {
    let _turn = listen(LevelFilter::Debug);
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let stage = Stage::forward();
    let head = format!("POST http://{0}/ HTTP/1.1\r\nHost: {0}\r\n", origin.address);
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
    for (request, read, shown, mark, reason) in [
        (
            "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n".to_owned(),
            "read no request",
            "Host: a\\x00b\\r\\n",
            7,
            Reason::BadRequestField,
        ),
        (
            "G(T / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "read no request",
            "G(T / HTTP/1.1\\r\\n",
            1,
            Reason::BadRequestLine,
        ),
        (
            format!("{head}Content-Length: 1, 1\r\n\r\n"),
            "read no request",
            "Content-Length: 1, 1\\r\\n",
            17,
            Reason::BadRequestLength,
        ),
        (
            format!("{chunked}5\r\nhello\r\nx\r\n"),
            "read POST ",
            "lo\\r\\nx\\r\\n",
            6,
            Reason::BadRequestBody,
        ),
    ] {
        stage.client().send(&request).answer();
        let told = story(&stage.closed());
        assert!(told[1].starts_with(read), "{told:?}");
        // In order: a body is found to be malformed when its head has long gone on.
        let failed =
            told.iter().position(|line| line.starts_with(&format!("failed ~: {reason}: ")));
        let failed = failed.unwrap_or_else(|| panic!("{told:?}"));
        let excerpt = failed - 2;
        let place =
            told[excerpt].strip_suffix(shown).unwrap_or_else(|| panic!("{shown}: {told:?}"));
        assert!(place.starts_with("at byte ") && place.ends_with(": "), "{told:?}");
        assert_eq!(told[excerpt + 1], format!("{:1$}^", "", place.len() + mark));
    }
}

#[test]
fn malformed_responses_are_shown_with_a_mark() {
    let _turn = listen(LevelFilter::Debug);
    for (response, shown, mark, reason) in [
        ("HTTP/1.1 200 OK\r\nA b\r\n\r\n", "A b\\r\\n", 1, Reason::BadResponse),
        ("HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 20 OK\\r\\n", 11, Reason::BadResponse),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5x\r\n",
            "5x\\r\\n",
            1,
            Reason::BadResponseBody,
        ),
    ] {
        let (origin, stage) = (Origin::always(response), Stage::forward());
        assert_eq!(stage.client().send(origin.get("/")).answer().status, 502);
        let told = story(&stage.closed());
        let sent = told.iter().position(|line| line == "sent the head").unwrap();
        let place =
            told[sent + 1].strip_suffix(shown).unwrap_or_else(|| panic!("{shown}: {told:?}"));
        assert_eq!(told[sent + 2], format!("{:1$}^", "", place.len() + mark));
        assert_eq!(
            told[sent + 3..],
            end(reason, "told the client 502", "those who run the server")
        );
    }
}

#[test]
fn a_tunnel_that_ends_for_a_reason() {
    let _turn = listen(LevelFilter::Debug);
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    let idle = timeouts(|timeouts| timeouts.tunnel_idle = Duration::from_millis(20));
    let stage = Stage::with(|builder| builder.timeouts(idle));
    let mut client = stage.client();
    let connect = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address);
    assert!(client.send(connect).head().starts_with("HTTP/1.1 200 "));
    let record = stage.closed();
    let told = story(&record);
    let reason = record.as_record().reason.unwrap();
    let opened = told.iter().position(|line| line.starts_with("opened a tunnel: ")).unwrap();
    assert_eq!(told[opened], "opened a tunnel: 0 bytes have gone up, and 0 down");
    assert!(told[opened - 1].starts_with(&format!("connected to {}", origin.address)), "{told:?}");
    assert!(told[opened + 1].starts_with(&format!("failed ~: {reason}: ")), "{told:?}");
}

#[test]
fn what_goes_well_and_what_nobody_listens_to_is_not_told() {
    let _turn = listen(LevelFilter::Debug);
    let (origin, stage) = (Origin::always("HTTP/1.1 204 No Content\r\n\r\n"), Stage::forward());
    assert_eq!(stage.client().send(origin.get("/")).answer().status, 204);
    assert!(story(&stage.closed()).is_empty());
    log::set_max_level(LevelFilter::Info);
    assert_eq!(stage.client().send("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n").answer().status, 400);
    assert!(story(&stage.closed()).is_empty());
}
