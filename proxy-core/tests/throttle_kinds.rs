//! Each kind of throttle, for each of those whose count it can be, and each thing that can become of too
//! much: over real sockets.

mod support;

use std::time::{Duration, Instant};

use proxy_core::rules::{Rule, RuleSet, Verdict};
use proxy_core::throttle::{Allowance, Excess, Mode, Rate, Scope, Throttle, Volume};
use proxy_core::{Action, ConnectionHandler, Exchange, RulesHandler, User};
use support::{Origin, Stage};

const NOTHING: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const SCOPES: [Scope; 5] = [Scope::All, Scope::client(), Scope::Host, Scope::User, Scope::Rule];

/// Knows everybody as Ann, and leaves the rest to rules.
struct Ann(RulesHandler);

impl ConnectionHandler for Ann {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        exchange.set_user(User::new("ann"));
        self.0.request(exchange)
    }
}

/// A proxy under one throttle, where each request has a user and a rule.
fn stage(scope: Scope, allowance: Allowance, over: Excess, mode: Mode) -> Stage {
    let rules = RuleSet::new([Rule::new("own", Verdict::Allow)]).compile().unwrap();
    let throttle = Throttle::new("it", scope, allowance).over(over).in_mode(mode);
    Stage::with(|builder| builder.handler(Ann(RulesHandler::new(rules))).throttles([throttle]))
}

/// Status, reason, rule and what was reported of the exchange that ends next.
fn logged(stage: &Stage) -> String {
    let record = stage.closed();
    let record = record.as_record();
    let status = record.status.map_or(0, |status| status);
    let reason = record.reason.map_or("-", |reason| reason.code());
    let [rule, reported] = [record.rule, record.reported].map(|it| it.unwrap_or("-"));
    format!("{status} {reason} {rule} {reported}")
}

/// Connections are counted before anything else is known of them.
fn counts_connections(scope: Scope) -> bool {
    matches!(scope, Scope::All | Scope::Client { .. })
}

/// No test lasts so long that another one would come.
fn once() -> Allowance {
    Allowance::Requests(Rate::new(1, Duration::from_secs(36_000)))
}

#[test]
fn requests_are_refused_dropped_and_reported() {
    let origin = Origin::always(NOTHING);
    for scope in SCOPES {
        let refusing = stage(scope, once(), Excess::Refuse, Mode::Enforce);
        let mut client = refusing.client();
        assert_eq!(client.send(origin.get("/")).answer().status, 204);
        assert_eq!(logged(&refusing), "204 - own -");
        let answer = client.send(origin.get("/")).answer();
        assert_eq!(answer.status, 429, "{scope:?}");
        let after: u64 = answer.field("retry-after").unwrap().parse().unwrap();
        assert!((30_000..=36_000).contains(&after), "{after}");
        assert_eq!(logged(&refusing), "429 rate_limited it -");

        let dropping = stage(scope, once(), Excess::Drop, Mode::Enforce);
        let mut client = dropping.client();
        assert_eq!(client.send(origin.get("/")).answer().status, 204);
        assert_eq!(logged(&dropping), "204 - own -");
        client.send(origin.get("/")).expect_end();
        assert_eq!(logged(&dropping), "0 rate_limited it -", "{scope:?}");

        let reporting = stage(scope, once(), Excess::Refuse, Mode::Report);
        let mut client = reporting.client();
        for expected in ["204 - own -", "204 - own it"] {
            assert_eq!(client.send(origin.get("/")).answer().status, 204);
            assert_eq!(logged(&reporting), expected, "{scope:?}");
        }
    }
}

#[test]
fn requests_are_delayed() {
    let origin = Origin::always(NOTHING);
    for scope in SCOPES {
        let ten = Allowance::Requests(Rate::per_second(10).with_burst(1));
        let stage = stage(scope, ten, Excess::Delay(Duration::from_secs(60)), Mode::Enforce);
        let begun = Instant::now();
        let mut client = stage.client();
        for _ in 0..3 {
            assert_eq!(client.send(origin.get("/")).answer().status, 204);
        }
        assert!(begun.elapsed() >= Duration::from_millis(200), "{scope:?}");
    }
}

#[test]
fn connections_are_refused_dropped_and_reported() {
    let origin = Origin::always(NOTHING);
    let holder = Origin::new(|visit| drop(visit.rest()));
    // The same host as the other one, for another port is no other host.
    let connect = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", holder.address);
    for scope in SCOPES {
        for (over, mode) in [
            (Excess::Refuse, Mode::Enforce),
            (Excess::Drop, Mode::Enforce),
            (Excess::Refuse, Mode::Report),
        ] {
            let stage = stage(scope, Allowance::Connections(1), over, mode);
            let mut tunnel = stage.client();
            assert!(tunnel.send(&connect).head().starts_with("HTTP/1.1 200"));
            let mut second = stage.client();
            match (over, mode) {
                (_, Mode::Report) => {
                    assert_eq!(second.send(origin.get("/")).answer().status, 204);
                    assert_eq!(logged(&stage), "204 - own it", "{scope:?}");
                    continue;
                }
                (Excess::Drop, _) if counts_connections(scope) => second.expect_end(),
                (Excess::Drop, _) => {
                    second.send(origin.get("/")).expect_end();
                    assert_eq!(logged(&stage), "0 connections_limited it -", "{scope:?}");
                }
                _ => {
                    if !counts_connections(scope) {
                        second.send(origin.get("/"));
                    }
                    let answer = second.answer();
                    assert_eq!((answer.status, answer.field("retry-after")), (429, Some("1")));
                    assert!(answer.text().contains("connections_limited"), "{scope:?}");
                    drop(stage.closed());
                }
            }
            // Its place is free as soon as it has ended, and then others have it.
            drop(second);
            tunnel.end().expect_end();
            assert_eq!(logged(&stage), "200 - own -");
            assert_eq!(stage.client().send(origin.get("/")).answer().status, 204, "{scope:?}");
        }
    }
}

#[test]
fn volumes_are_refused_dropped_and_reported() {
    let origin = Origin::always(NOTHING);
    for scope in SCOPES {
        for (over, mode, expected) in [
            (Excess::Refuse, Mode::Enforce, "429 quota_exceeded it -"),
            (Excess::Drop, Mode::Enforce, "0 quota_exceeded it -"),
            (Excess::Refuse, Mode::Report, "204 - own it"),
        ] {
            // Less than the head of an answer, which comes whole if nothing is behind it.
            let volume = Allowance::Volume(Volume::monthly(10));
            let stage = stage(scope, volume, over, mode);
            let mut client = stage.client();
            assert_eq!(client.send(origin.get("/")).answer().status, 204);
            let first = if mode == Mode::Report { "204 - own it" } else { "204 - own -" };
            assert_eq!(logged(&stage), first, "{scope:?}");
            client.send(origin.get("/"));
            match over {
                Excess::Drop => client.expect_end(),
                _ => assert_eq!(
                    client.answer().field("retry-after").is_some(),
                    mode == Mode::Enforce
                ),
            }
            assert_eq!(logged(&stage), expected, "{scope:?}");
        }
    }
}

#[test]
fn bytes_wait_both_ways_or_are_reported() {
    const BODY: usize = 3000;
    let slow = Rate::per_second(20_000).with_burst(1000);
    let origin = Origin::new(|visit| {
        visit.head();
        visit.send("HTTP/1.1 100 Continue\r\n\r\n").skip(BODY as u64);
        visit.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {BODY}\r\n\r\n"));
        visit.send("x".repeat(BODY));
    });
    let request = origin.get("/").replacen("GET", "PUT", 1);
    // A body that came with its head would go on with it.
    let more = format!("\r\nExpect: 100-continue\r\nContent-Length: {BODY}\r\n\r\n");
    let request = request.replacen("\r\n\r\n", &more, 1);
    for scope in SCOPES {
        for allowance in [Allowance::Upload(slow), Allowance::Download(slow)] {
            for mode in [Mode::Enforce, Mode::Report] {
                let stage = stage(scope, allowance.clone(), Excess::Refuse, mode);
                let mut client = stage.client();
                let begun = Instant::now();
                assert!(client.send(&request).head().starts_with("HTTP/1.1 100"));
                client.send("x".repeat(BODY));
                assert_eq!(client.answer().body.len(), BODY);
                match mode {
                    // What is not there at once comes at 20 bytes a millisecond.
                    Mode::Enforce => {
                        let took = begun.elapsed();
                        assert!(
                            took >= Duration::from_millis(99),
                            "{scope:?} {allowance:?} {took:?}"
                        );
                        assert_eq!(logged(&stage), "200 - own -");
                    }
                    _ => assert_eq!(logged(&stage), "200 - own it", "{scope:?} {allowance:?}"),
                }
            }
        }
    }
}
