//! Rules in front of a proxy: what each verdict is to a client, and what the log tells of it.

mod support;

use std::time::{Duration, Instant, SystemTime};

use proxy_core::rules::{
    Conditions, Denial, Mode, NamedUpstream, Rule, RuleSet, Schedule, StatusRange, Verdict,
};
use proxy_core::{
    Action, ConnectionHandler, Exchange, FixedUpstreamHandler, Kind, Reason, Response, RulesHandler,
};
use support::{Origin, PATIENCE, Stage};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\n\
                  Content-Length: 2\r\n\r\nok";
const PLAIN: &str = "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n";
const TUNNEL: &str = "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n";

/// A proxy with these rules.
fn stage(rules: RuleSet) -> Stage {
    let rules = rules.compile().unwrap();
    Stage::with(|builder| builder.handler(RulesHandler::new(rules)))
}

/// A proxy with one rule, named `it`.
fn ruled(verdict: Verdict, set: impl FnOnce(&mut Conditions)) -> Stage {
    stage(RuleSet::new([Rule::new("it", verdict).when(set)]))
}

/// Expects the next record to have this status, reason, and rule.
#[track_caller]
fn logs(stage: &Stage, status: Option<u16>, reason: Option<Reason>, rule: &str) -> u64 {
    let record = stage.closed();
    let record = record.as_record();
    assert_eq!((record.status, record.reason, record.rule), (status, reason, Some(rule)));
    record.id
}

#[test]
fn what_is_allowed_goes_on_and_the_log_names_the_rule() {
    let origin = Origin::always(OK);
    let here = || vec!["127.0.0.1".parse().unwrap()];
    let stage = ruled(Verdict::Allow, |it| it.hosts = here());
    assert_eq!(stage.client().send(origin.get("/")).answer().text(), "ok");
    logs(&stage, Some(200), None, "it");
    let mut tunnel = stage.client();
    tunnel.send(format!("CONNECT {} HTTP/1.1\r\nHost: h\r\n\r\n", origin.address));
    assert!(tunnel.head().starts_with("HTTP/1.1 200 "));
    assert_eq!(tunnel.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").answer().text(), "ok");
    drop(tunnel);
    logs(&stage, Some(200), None, "it");
}

#[test]
fn who_is_refused_is_told_by_whose_word_and_the_log_by_which_rule() {
    let denial = Denial::new().with_message("Not during <lessons>.").with_status(451);
    let stage = ruled(Verdict::deny(denial), |_| ());
    for request in [PLAIN, TUNNEL] {
        for (accept, form) in [
            ("*/*", "451 Unavailable For Legal Reasons\n\nNot during <lessons>.\n"),
            ("text/html", "<p>Not during &lt;lessons&gt;.</p>"),
            ("application/json", "\"status\":451,\"detail\":\"Not during <lessons>.\""),
        ] {
            let accepting = request.replace("\r\n\r\n", &format!("\r\nAccept: {accept}\r\n\r\n"));
            let answer = stage.client().send(accepting).answer();
            assert_eq!(answer.status, 451);
            assert!(answer.text().contains(form), "{}", answer.text());
            let status = answer.field("proxy-status").unwrap();
            assert!(status.ends_with("; error=http_request_denied; details=\"denied_by_rule\""));
            let id = logs(&stage, Some(451), Some(Reason::DeniedByRule), "it");
            let ids =
                [format!("request: {id}\n"), format!("<code>{id}<"), format!("\"request\":{id}}}")];
            assert!(ids.iter().any(|id| answer.text().contains(id)), "{id} in {}", answer.text());
        }
    }
}

#[test]
fn a_refusal_can_lead_elsewhere() {
    let denial = Denial::new().with_redirect("http://intranet.test/blocked");
    let stage = ruled(Verdict::deny(denial), |_| ());
    let answer = stage.client().send(PLAIN).answer();
    assert_eq!(
        (answer.status, answer.field("location")),
        (302, Some("http://intranet.test/blocked"))
    );
    logs(&stage, Some(302), Some(Reason::DeniedByRule), "it");
}

#[test]
fn a_refused_client_may_ask_for_something_else_on_the_same_connection() {
    let origin = Origin::always(OK);
    let stage = ruled(Verdict::deny(Denial::new()), |it| it.hosts = vec![".test".parse().unwrap()]);
    let mut client = stage.client();
    assert_eq!(client.send(PLAIN).answer().status, 403);
    logs(&stage, Some(403), Some(Reason::DeniedByRule), "it");
    assert_eq!(client.send(origin.get("/")).answer().status, 200);
    logs(&stage, Some(200), None, "default");
}

#[test]
fn a_route_leads_requests_and_tunnels_to_its_upstream() {
    let (origin, seen) = Origin::observed(OK);
    let authority: proxy_core::Authority = origin.address.to_string().parse().unwrap();
    let stage = ruled(Verdict::Route(NamedUpstream::new("cache", authority)), |_| ());
    assert_eq!(stage.client().send(PLAIN).answer().text(), "ok");
    assert!(seen.recv_timeout(PATIENCE).unwrap().starts_with("GET / HTTP/1.1\r\nHost: a.test\r\n"));
    logs(&stage, Some(200), None, "it");
    let mut tunnel = stage.client();
    assert!(tunnel.send(TUNNEL).head().starts_with("HTTP/1.1 200 "));
    assert_eq!(tunnel.send("GET /inside HTTP/1.1\r\nHost: h\r\n\r\n").answer().text(), "ok");
    drop(tunnel);
    let record = stage.closed();
    assert_eq!((record.as_record().kind, record.as_record().rule), (Kind::Tunnel, Some("it")));
    let secret = PLAIN.replace("http://", "https://");
    assert_eq!(stage.client().send(secret).answer().status, Reason::UnsupportedScheme.status());
}

#[test]
fn a_silent_drop_says_nothing() {
    let stage = ruled(Verdict::SilentDrop, |_| ());
    for request in [PLAIN, TUNNEL] {
        stage.client().send(request).expect_end();
        logs(&stage, None, Some(Reason::ClosedByHandler), "it");
    }
}

#[test]
fn a_tarpit_refuses_after_its_time_and_not_before() {
    let delay = Duration::from_millis(100);
    let stage = ruled(Verdict::tarpit(delay, Denial::new().with_message("Patience.")), |_| ());
    for request in [PLAIN, TUNNEL] {
        let begun = Instant::now();
        let answer = stage.client().send(request).answer();
        assert!(begun.elapsed() >= delay);
        assert_eq!(answer.status, 403);
        assert!(answer.text().contains("Patience."));
        logs(&stage, Some(403), Some(Reason::DeniedByRule), "it");
    }
}

/// For ever, as tests go.
fn long_tarpit(most: usize) -> Stage {
    let tarpit = Verdict::tarpit(Duration::from_secs(3600), Denial::new());
    let mut rules = RuleSet::new([Rule::new("it", tarpit)]);
    rules.tarpits = most;
    stage(rules)
}

#[test]
fn beyond_its_bound_a_tarpit_refuses_at_once_and_who_leaves_makes_room() {
    let stage = long_tarpit(2);
    let mut waiting: Vec<_> = (0..2).map(|_| stage.client()).collect();
    for client in &mut waiting {
        client.send(PLAIN);
    }
    stage.settle();
    assert_eq!(stage.client().send(PLAIN).answer().status, 403);
    logs(&stage, Some(403), Some(Reason::DeniedByRule), "it");
    waiting.iter_mut().for_each(|client| client.expect_silence());
    waiting.pop().unwrap().reset();
    logs(&stage, None, Some(Reason::ClientClosed), "it");
    // There is room for one again, and not for two.
    let mut next = stage.client();
    next.send(PLAIN);
    stage.settle();
    next.expect_silence();
    assert_eq!(stage.client().send(PLAIN).answer().status, 403);
    logs(&stage, Some(403), Some(Reason::DeniedByRule), "it");
}

#[test]
fn a_shutdown_does_not_wait_for_a_tarpit() {
    let mut stage = long_tarpit(8);
    let mut client = stage.client();
    client.send(PLAIN);
    stage.settle();
    let report = stage.take_handle().shutdown(PATIENCE);
    assert_eq!(report.cut, 0);
    let answer = client.answer();
    assert_eq!((answer.status, answer.field("connection")), (403, Some("close")));
    assert_eq!(stage.finish().len(), 1);
}

#[test]
fn a_rule_that_reports_lets_pass_and_is_told_of() {
    let origin = Origin::always(OK);
    let trial = || Rule::new("trial", Verdict::SilentDrop).in_mode(Mode::Report);
    let late = Rule::new("late", Verdict::SilentDrop).in_mode(Mode::Report);
    let stage = stage(RuleSet::new([trial(), late.when(|it| it.longer_than = Some(1))]));
    assert_eq!(stage.client().send(origin.get("/")).answer().status, 200);
    let record = stage.closed();
    let record = record.as_record();
    assert_eq!((record.rule, record.reported), (Some("default"), Some("trial")));
}

#[test]
fn responses_are_refused_by_status_type_and_length() {
    let origin = Origin::always(OK);
    let refused = |set: fn(&mut Conditions)| {
        let stage = ruled(Verdict::deny(Denial::new().with_message("Too much.")), set);
        let mut client = stage.client();
        let answer = client.send(origin.get("/")).answer();
        let is_refused = answer.status == 403;
        if is_refused {
            assert!(answer.text().contains("Too much.") && !answer.text().contains("ok"));
            logs(&stage, Some(403), Some(Reason::DeniedByRule), "it");
            assert_eq!(client.send(origin.get("/")).answer().status, 403, "it goes on");
        } else {
            logs(&stage, Some(200), None, "default");
        }
        is_refused
    };
    assert!(refused(|it| it.content_types = vec!["text/*".parse().unwrap()]));
    assert!(!refused(|it| it.content_types = vec!["video/*".parse().unwrap()]));
    assert!(refused(|it| it.longer_than = Some(1)));
    assert!(!refused(|it| it.longer_than = Some(2)));
    assert!(refused(|it| it.statuses = vec![StatusRange { first: 200, last: 299 }]));
    assert!(!refused(|it| it.statuses = vec![StatusRange { first: 300, last: 599 }]));
}

#[test]
fn a_response_can_be_dropped_without_a_word() {
    let origin = Origin::always(OK);
    let stage = ruled(Verdict::SilentDrop, |it| it.longer_than = Some(1));
    stage.client().send(origin.get("/")).expect_end();
    logs(&stage, None, Some(Reason::ClosedByHandler), "it");
}

#[test]
fn hours_are_told_by_the_clock_that_was_given() {
    let lessons = Schedule::new(["wed".parse().unwrap()], ["08:00-16:00".parse().unwrap()]);
    // 2026-11-25 is a Wednesday.
    for (hour, status) in [(7, 200), (8, 403), (15, 403), (16, 200)] {
        let origin = Origin::always(OK);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_564_800 + hour * 3600);
        let rule = Rule::new("it", Verdict::deny(Denial::new()));
        let rules = RuleSet::new([rule.when(|it| it.schedule = Some(lessons.clone()))]);
        let handler = RulesHandler::new(rules.compile().unwrap()).with_clock(move || now);
        let stage = Stage::with(|builder| builder.handler(handler));
        assert_eq!(stage.client().send(origin.get("/")).answer().status, status, "{hour}");
    }
}

#[test]
fn rules_stand_in_front_of_any_handler_and_its_hooks_are_called() {
    struct Own(FixedUpstreamHandler);
    impl ConnectionHandler for Own {
        fn request(&self, exchange: &mut Exchange<'_>) -> Action {
            self.0.request(exchange)
        }

        fn failed(&self, _: &mut Exchange<'_>, reason: Reason) -> Option<Response> {
            (reason == Reason::DeniedByRule).then(|| Response::new(404).with_body("mine"))
        }
    }
    let origin = Origin::always(OK);
    let fixed = FixedUpstreamHandler::new(origin.address.to_string().parse().unwrap());
    let secret = vec!["*/secret".parse().unwrap()];
    let rule = Rule::new("it", Verdict::deny(Denial::new())).when(|it| it.urls = secret);
    let rules = RuleSet::new([rule]).compile().unwrap();
    let handler = RulesHandler::new(rules).in_front_of(Own(fixed));
    let stage = Stage::with(|builder| builder.handler(handler));
    let mut client = stage.client();
    assert_eq!(client.send("GET /open HTTP/1.1\r\nHost: h\r\n\r\n").answer().text(), "ok");
    let answer = client.send("GET /%73ecret HTTP/1.1\r\nHost: h\r\n\r\n").answer();
    assert_eq!((answer.status, answer.text()), (404, "mine"));
}
