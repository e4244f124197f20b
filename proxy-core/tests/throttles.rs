//! Throttles of requests, connections and volumes: what clients are told, and what the log.

mod support;

use std::time::{Duration, Instant};

use proxy_core::rules::{Denial, Rule, RuleSet, Verdict};
use proxy_core::throttle::{Allowance, Excess, Mode, Rate, Scope, Throttle, Volume};
use proxy_core::{BuildError, Proxy, ProxyBuilder, Reason, RulesHandler};
use support::{Client, Origin, Stage, until};

const NOTHING: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const HOUR: Duration = Duration::from_secs(3600);

fn throttled(throttle: Throttle) -> impl FnOnce(ProxyBuilder) -> ProxyBuilder {
    |builder| builder.throttles([throttle])
}

/// So many an hour: no test lasts so long that another one would come.
fn hourly(requests: u64) -> Allowance {
    Allowance::Requests(Rate::new(requests, HOUR).with_burst(requests))
}

/// What the log tells of the next exchange: its status, its reason and the rule, and what was only
/// reported.
fn logged(stage: &Stage) -> String {
    let record = stage.closed();
    let record = record.as_record();
    let status = record.status.map_or(0, |status| status);
    let reason = record.reason.map_or("-", |reason| reason.code());
    let or_none = |name: Option<&str>| name.unwrap_or("-").to_owned();
    format!("{status} {reason} {} {}", or_none(record.rule), or_none(record.reported))
}

#[test]
fn who_asks_too_often_is_told_when_to_ask_again() {
    let origin = Origin::always(NOTHING);
    let stage = Stage::with(throttled(Throttle::new("often", Scope::client(), hourly(2))));
    let mut client = stage.client();
    for _ in 0..2 {
        assert_eq!(client.send(origin.get("/")).answer().status, 204);
        assert_eq!(logged(&stage), "204 - - -");
    }
    let answer = client.send(origin.get("/")).answer();
    assert_eq!((answer.status, answer.text().contains("reason: rate_limited")), (429, true));
    assert_eq!(answer.field("retry-after"), Some("1800"));
    assert_eq!(logged(&stage), "429 rate_limited often -");
    // On another connection, too, and for a tunnel.
    let mut other = stage.client();
    let connect = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address);
    let answer = other.send(connect).answer();
    assert_eq!((answer.status, answer.field("connection")), (429, Some("close")));
    assert_eq!(logged(&stage), "429 rate_limited often -");
    let [state] = &stage.handle().throttles().states()[..] else { panic!("there is one") };
    assert_eq!((&*state.name, state.over, state.entries, state.forgotten), ("often", 2, 1, 0));
    assert_eq!(stage.finish(), []);
}

#[test]
fn what_rules_refuse_is_not_counted_and_rules_have_counts_of_their_own() {
    let origin = Origin::always(NOTHING);
    let rules = RuleSet::new([
        Rule::new("no", Verdict::deny(Denial::new()))
            .when(|it| it.urls = vec!["*/no".parse().unwrap()]),
        Rule::new("some", Verdict::Allow).when(|it| it.urls = vec!["*/some".parse().unwrap()]),
        Rule::new("others", Verdict::Allow),
    ]);
    let rules = rules.compile().unwrap();
    let stage = Stage::with(|builder| {
        let throttle = Throttle::new("one", Scope::Rule, hourly(1));
        builder.handler(RulesHandler::new(rules)).throttles([throttle])
    });
    let mut client = stage.client();
    let mut ask = |path| client.send(origin.get(path)).answer().status;
    assert_eq!([ask("/no"), ask("/no"), ask("/some"), ask("/other")], [403, 403, 204, 204]);
    assert_eq!([ask("/some"), ask("/other"), ask("/no")], [429, 429, 403]);
}

#[test]
fn a_request_waits_for_its_turn_and_not_for_longer_than_is_allowed() {
    let origin = Origin::always(NOTHING);
    let rate = Rate::per_second(20).with_burst(1);
    let throttle = Throttle::new("slow", Scope::Host, Allowance::Requests(rate))
        .over(Excess::Delay(Duration::from_millis(120)));
    let stage = Stage::with(throttled(throttle));
    let begun = Instant::now();
    let mut clients: Vec<_> = (0..4).map(|_| stage.client()).collect();
    clients.iter_mut().for_each(|client| client.say(origin.get("/")));
    let mut statuses: Vec<_> = clients.iter_mut().map(|it| it.answer().status).collect();
    // All four may have come at once, or with a machine that pauses, none too early.
    statuses.sort_unstable();
    assert_eq!(statuses[..3], [204; 3]);
    assert!(begun.elapsed() >= Duration::from_millis(100), "{:?}", begun.elapsed());
    let states = stage.handle().throttles().states();
    assert_eq!(states[0].over, u64::from(statuses[3] == 429));
}

#[test]
fn who_is_dropped_gets_no_answer_and_is_logged() {
    let origin = Origin::always(NOTHING);
    let throttle = Throttle::new("once", Scope::All, hourly(1)).over(Excess::Drop);
    let stage = Stage::with(throttled(throttle));
    let mut client = stage.client();
    assert_eq!(client.send(origin.get("/")).answer().status, 204);
    assert_eq!(logged(&stage), "204 - - -");
    client.send(origin.get("/")).expect_end();
    assert_eq!(logged(&stage), "0 rate_limited once -");
}

#[test]
fn a_throttle_that_reports_lets_all_pass_and_the_log_tells_of_it() {
    let origin = Origin::always(NOTHING);
    let throttle = Throttle::new("trial", Scope::client(), hourly(1)).in_mode(Mode::Report);
    let stage = Stage::with(throttled(throttle));
    let mut client = stage.client();
    for expected in ["204 - - -", "204 - - trial"] {
        assert_eq!(client.send(origin.get("/")).answer().status, 204);
        assert_eq!(logged(&stage), expected);
    }
}

#[test]
fn a_client_has_so_many_connections_and_no_more() {
    let origin = Origin::always(NOTHING);
    let two = Throttle::new("two", Scope::client(), Allowance::Connections(2));
    let stage = Stage::with(throttled(two));
    let mut clients = [stage.client(), stage.client()];
    for client in &mut clients {
        assert_eq!(client.send(origin.get("/")).answer().status, 204);
    }
    let answer = stage.client().answer();
    assert_eq!((answer.status, answer.field("retry-after")), (429, Some("1")));
    let [mut first, _second] = clients;
    first.end().expect_end();
    // The place is free as soon as the loop has seen its end, and that was before this.
    assert_eq!(stage.client().send(origin.get("/")).answer().status, 204);
}

#[test]
fn tunnels_are_among_the_requests_that_a_host_has_at_once() {
    let origin = Origin::new(|visit| drop(visit.rest()));
    let one = Throttle::new("one", Scope::Host, Allowance::Connections(1));
    let stage = Stage::with(throttled(one));
    let connect = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address);
    let mut tunnel = stage.client();
    assert!(tunnel.send(&connect).head().starts_with("HTTP/1.1 200"));
    let answer = stage.client().send(&connect).answer();
    assert_eq!(answer.status, 429);
    assert!(answer.text().contains("connections_limited"));
    tunnel.end().expect_end();
    assert!(stage.client().send(&connect).head().starts_with("HTTP/1.1 200"));
}

#[test]
fn connections_that_are_only_reported_are_in_the_log_of_their_first_request() {
    let origin = Origin::always(NOTHING);
    let one = Throttle::new("one", Scope::All, Allowance::Connections(1)).in_mode(Mode::Report);
    let stage = Stage::with(throttled(one));
    let mut clients = [stage.client(), stage.client()];
    for (client, expected) in clients.iter_mut().zip(["204 - - -", "204 - - one"]) {
        assert_eq!(client.send(origin.get("/")).answer().status, 204);
        assert_eq!(logged(&stage), expected);
    }
    assert_eq!(clients[1].send(origin.get("/")).answer().status, 204);
    assert_eq!(logged(&stage), "204 - - -");
}

fn volume(bytes: u64) -> Throttle {
    Throttle::new("volume", Scope::client(), Allowance::Volume(Volume::monthly(bytes)))
}

/// A body of this length.
fn with_body(length: usize) -> &'static str {
    let body = "x".repeat(length);
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}").leak()
}

#[test]
fn a_volume_is_used_up_by_responses_and_ends_the_one_that_is_too_long() {
    let origin = Origin::always(with_body(60_000));
    let stage = Stage::with(throttled(volume(100_000)));
    let mut client = stage.client();
    assert_eq!(client.send(origin.get("/")).answer().body.len(), 60_000);
    assert_eq!(logged(&stage), "200 - - -");
    // The one that uses it up comes whole if its end is there when that is noticed.
    let _ = client.send(origin.get("/")).try_answer();
    let told = logged(&stage);
    assert!(["200 - - -", "200 quota_exceeded volume -"].contains(&&*told), "{told}");
    let answer = stage.client().send(origin.get("/")).answer();
    assert_eq!((answer.status, answer.text().contains("reason: quota_exceeded")), (429, true));
    let after: u64 = answer.field("retry-after").unwrap().parse().unwrap();
    assert!(after > 0 && after <= 31 * 86_400, "{after}");
    let usage = stage.handle().throttles().usage();
    assert!(usage[0].bytes() >= 100_000 && usage[0].bytes() < 130_000, "{}", usage[0]);
    assert_eq!(usage[0].whose(), "127.0.0.1");
}

#[test]
fn a_tunnel_ends_when_the_volume_is_used_up() {
    let origin = Origin::new(|visit| drop(visit.rest()));
    let stage = Stage::with(throttled(volume(1000)));
    let mut client = stage.client();
    let connect = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address);
    assert!(client.send(connect).head().starts_with("HTTP/1.1 200"));
    client.send("x".repeat(999));
    assert_eq!(stage.record().as_record().reason, None);
    client.send("x");
    client.expect_reset();
    assert_eq!(logged(&stage), "200 quota_exceeded volume -");
}

#[test]
fn counts_outlast_a_reload_by_their_names_and_a_restart_by_their_usage() {
    let origin = Origin::always(NOTHING);
    let mut stage = Stage::with(throttled(Throttle::new("often", Scope::client(), hourly(1))));
    let mut client = stage.client();
    let mut ask = || client.send(origin.get("/")).answer().status;
    assert_eq!([ask(), ask()], [204, 429]);
    stage.reload(throttled(Throttle::new("often", Scope::client(), hourly(1))));
    assert_eq!(ask(), 429);
    stage.reload(throttled(Throttle::new("other", Scope::client(), hourly(1))));
    assert_eq!([ask(), ask()], [204, 429]);
    stage.reload(throttled(volume(1000)));
    assert_eq!(ask(), 204);
    // Bytes are counted when they have been sent: the client may have them before.
    until(&stage, |all| all.idle_clients == 1);
    let used = stage.handle().throttles().usage();
    let line = used[0].to_string();
    assert!(line.starts_with("volume 20") && line.ends_with(" 127.0.0.1"), "{line}");
    // Another run has used it up.
    let more = line.replace(&format!(" {} ", used[0].bytes()), " 1000 ");
    let other = Stage::with(throttled(volume(1000)));
    other.handle().throttles().restore([more.parse().unwrap()]);
    assert_eq!(other.client().send(origin.get("/")).answer().status, 429);
}

#[test]
fn a_throttle_that_cannot_work_is_named() {
    let builder = Proxy::builder().listen("127.0.0.1:0");
    let twice =
        [Throttle::new("a", Scope::All, hourly(1)), Throttle::new("a", Scope::Host, hourly(1))];
    match builder.throttles(twice).build() {
        Err(BuildError::Throttle { name, .. }) => assert_eq!(&*name, "a"),
        _ => panic!("accepted"),
    }
}

#[test]
fn throttles_count_as_offences_that_may_be_banned() {
    use proxy_core::{BanPolicy, Offence, Threshold};
    let origin = Origin::always(NOTHING);
    let stage = Stage::with(|builder| {
        let policy = BanPolicy::default().after(Offence::RateExceeded, Threshold::new(2, HOUR));
        let throttle = Throttle::new("often", Scope::client(), hourly(1));
        builder.throttles([throttle]).ban_policy(policy)
    });
    let mut client: Client = stage.client();
    let mut ask = || client.send(origin.get("/")).answer().status;
    assert_eq!([ask(), ask(), ask()], [204, 429, 429]);
    assert_eq!(logged(&stage), "204 - - -");
    for _ in 0..2 {
        assert_eq!(stage.outcome(), (Some(429), Some(Reason::RateLimited)));
    }
    assert_eq!(stage.handle().bans().list().len(), 1);
}

/// Nobody gets anything past a throttle by sending it before the tunnel is there.
#[test]
fn bytes_that_come_before_a_tunnel_is_open_are_counted() {
    let origin = Origin::new(|visit| drop(visit.rest()));
    let stage = Stage::with(throttled(volume(1000)));
    let connect = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address);
    let mut client = stage.client();
    client.send(connect + &"x".repeat(1000));
    client.expect_reset();
    assert_eq!(logged(&stage), "200 quota_exceeded volume -");
    assert_eq!(stage.handle().throttles().usage()[0].bytes(), 1000);
}

#[test]
fn bytes_are_those_of_the_rule_that_let_the_request_pass_whatever_others_say_of_the_response() {
    let origin = Origin::always(
        "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 5\r\n\r\nvideo",
    );
    let rules = RuleSet::new([
        Rule::new("video", Verdict::deny(Denial::new()))
            .when(|it| it.content_types = vec!["video/*".parse().unwrap()]),
        Rule::new("own", Verdict::Allow),
    ]);
    let rules = rules.compile().unwrap();
    let stage = Stage::with(|builder| {
        let used = Allowance::Volume(Volume::monthly(1 << 30));
        let throttle = Throttle::new("volume", Scope::Rule, used);
        builder.handler(RulesHandler::new(rules)).throttles([throttle])
    });
    assert_eq!(stage.client().send(origin.get("/")).answer().status, 403);
    assert_eq!(logged(&stage), "403 denied_by_rule video -");
    let usage = stage.handle().throttles().usage();
    assert_eq!(usage.iter().map(|used| used.whose()).collect::<Vec<_>>(), ["own"]);
}

/// Who waits for a turn costs a timer: no thread, no job, no upstream and no buffer.
#[test]
fn many_who_wait_hold_up_nobody() {
    const MANY: usize = 200;
    let origin = Origin::always(NOTHING);
    let rules = RuleSet::new([
        Rule::new("slow", Verdict::Allow).when(|it| it.urls = vec!["*/slow".parse().unwrap()]),
        Rule::new("others", Verdict::Allow),
    ]);
    let rules = rules.compile().unwrap();
    let stage = Stage::with(|builder| {
        let one = Allowance::Requests(Rate::new(1, Duration::from_secs(60)).with_burst(1));
        let throttle = Throttle::new("one", Scope::Rule, one).over(Excess::Delay(HOUR * 10));
        builder.handler(RulesHandler::new(rules)).throttles([throttle])
    });
    let mut client = stage.client();
    assert_eq!(client.send(origin.get("/slow")).answer().status, 204);
    let mut waiting: Vec<_> = (0..MANY).map(|_| stage.client()).collect();
    for client in &mut waiting {
        client.send(origin.get("/slow"));
    }
    let held = support::until(&stage, |held| held.busy_clients == MANY);
    assert_eq!((held.jobs, held.busy_upstreams, held.buffers), (0, 0, 0), "{held:?}");
    assert_eq!(client.send(origin.get("/other")).answer().status, 204);
    // Nobody waits for those who have gone.
    waiting.into_iter().for_each(Client::reset);
    support::until(&stage, |held| held.busy_clients == 0);
}
