//! Each verdict, and rules that only report.

use super::*;

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
    let both = |stage: &Stage| {
        let record = stage.closed();
        let record = record.as_record();
        (record.rule.map(str::to_owned), record.reported.map(str::to_owned))
    };
    let expected = || (Some("default".to_owned()), Some("trial".to_owned()));
    assert_eq!(both(&stage), expected());
    let mut tunnel = stage.client();
    tunnel.send(format!("CONNECT {} HTTP/1.1\r\nHost: h\r\n\r\n", origin.address));
    assert!(tunnel.head().starts_with("HTTP/1.1 200 "));
    drop(tunnel);
    assert_eq!(both(&stage), expected());
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
