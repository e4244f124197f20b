//! The order of rules, the response, what is refused, and how decisions are told.

use super::*;

#[test]
fn the_first_rule_that_matches_decides_and_otherwise_the_default() {
    let host = |name: &str, verdict, hosts: &[&str]| {
        let hosts = parsed(hosts);
        Rule::new(name, verdict).when(|it| it.hosts = hosts)
    };
    let rules = RuleSet::new([
        host("one", Verdict::Allow, &["one.a.test"]),
        host("all", deny(), &[".a.test"]),
        host("late", Verdict::Allow, &["two.a.test"]),
    ])
    .otherwise(Verdict::SilentDrop)
    .compile()
    .unwrap();
    let client = client("10.0.0.1");
    for (host, rule, place, verdict) in [
        ("one.a.test", "one", 0, Verdict::Allow),
        ("two.a.test", "all", 1, deny()),
        ("b.test", "default", 3, Verdict::SilentDrop),
    ] {
        let request = get(&format!("http://{host}/"));
        let decision = rules.decide(&Subject::new(&client, &request, noon()));
        assert_eq!((&**decision.rule(), decision.place()), (rule, place));
        assert_eq!(decision.verdict(), &verdict);
    }
}

#[test]
fn a_rule_that_reports_decides_nothing() {
    let rules = RuleSet::new([
        Rule::new("trial", deny()).in_mode(Mode::Report),
        Rule::new("second", deny()).in_mode(Mode::Report),
        Rule::new("real", Verdict::Allow),
    ])
    .compile()
    .unwrap();
    let (client, request) = (client("10.0.0.1"), get("http://a.test/"));
    let subject = Subject::new(&client, &request, noon());
    let decision = rules.decide(&subject);
    assert_eq!((&**decision.rule(), decision.reported().map(|it| &**it)), ("real", Some("trial")));
    let outcomes: Vec<_> = rules.explain(&subject).steps.iter().map(|step| step.outcome).collect();
    use Outcome::{Decides, NotReached, Reports};
    assert_eq!(outcomes, [Reports, Reports, Decides, NotReached]);
}

#[test]
fn responses_are_decided_about_by_what_they_say() {
    let (client, asked) = (client("10.0.0.1"), get("http://a.test/"));
    let answer = response(
        &asked,
        "HTTP/1.1 200 OK\r\nContent-Type: Video/MP4; codecs=x\r\nContent-Length: 1000",
    );
    let chunked = response(&asked, "HTTP/1.1 404 Gone\r\nTransfer-Encoding: chunked");
    let decides = |set: fn(&mut Conditions), response: &ResponseHead| {
        let rules = RuleSet::new([Rule::new("it", deny()).when(set)]).compile().unwrap();
        let subject = Subject::new(&client, &asked, noon());
        let before = rules.decide(&subject);
        assert_eq!(&**before.rule(), "default", "it waits");
        assert_eq!(rules.explain(&subject).steps[0].outcome, Outcome::AwaitsResponse);
        let subject = subject.with_response(response);
        let decision = rules.decide_response(&subject, before.place());
        let explained = rules.explain(&subject);
        assert_eq!(decision.map_or("default", |it| &**it.rule()), explained.rule);
        decision.is_some()
    };
    for (set, response, expected) in [
        ((|it| it.content_types = parsed(&["VIDEO/*"])) as fn(&mut Conditions), &answer, true),
        (|it| it.content_types = parsed(&["video/mp4"]), &answer, true),
        (|it| it.content_types = parsed(&["*codecs*"]), &answer, false),
        (|it| it.content_types = parsed(&["video/*"]), &chunked, false),
        (|it| it.longer_than = Some(999), &answer, true),
        (|it| it.longer_than = Some(1000), &answer, false),
        (|it| it.longer_than = Some(0), &chunked, false),
        (|it| it.statuses = vec![StatusRange { first: 400, last: 499 }], &chunked, true),
        (|it| it.statuses = vec![StatusRange { first: 400, last: 499 }], &answer, false),
    ] {
        assert_eq!(decides(set, response), expected);
    }
}

#[test]
fn a_rule_about_responses_has_no_say_behind_the_one_that_let_the_request_pass() {
    let (client, asked) = (client("10.0.0.1"), get("http://a.test/"));
    let answer = response(&asked, "HTTP/1.1 200 OK\r\nContent-Length: 1000");
    let long = || Rule::new("long", deny()).when(|it| it.longer_than = Some(1));
    let own = || Rule::new("own", Verdict::Allow).when(|it| it.hosts = parsed(&["a.test"]));
    for (order, refused) in [([own(), long()], false), ([long(), own()], true)] {
        let rules = RuleSet::new(order).compile().unwrap();
        let subject = Subject::new(&client, &asked, noon());
        let before = rules.decide(&subject);
        assert_eq!(&**before.rule(), "own");
        let subject = subject.with_response(&answer);
        let decision = rules.decide_response(&subject, before.place());
        assert_eq!(decision.is_some(), refused);
        assert_eq!(rules.explain(&subject).verdict.lets_pass(), !refused);
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let problem = |rules: Vec<Rule>| {
        let error = RuleSet::new(rules).compile().unwrap_err();
        (error.place, error.part)
    };
    let named = |name: &str| Rule::new(name, Verdict::Allow);
    let (long, denial) = ("x".repeat(65), Denial::new);
    for name in ["", "a b", "default", "\u{fc}", &long] {
        assert_eq!(problem(vec![named("a"), named(name)]), (1, RulePart::Name), "{name}");
    }
    assert_eq!(problem(vec![named("a"), named("a")]), (1, RulePart::Name));
    for denial in [
        denial().with_status(200),
        denial().with_status(407),
        denial().with_status(451).with_redirect("http://a.test/"),
        denial().with_redirect("/blocked"),
        denial().with_redirect("http://a.test/\r\nX: y"),
    ] {
        assert_eq!(problem(vec![Rule::new("a", Verdict::deny(denial))]), (0, RulePart::Denial));
    }
    for seconds in [0, 3601] {
        let tarpit = Verdict::tarpit(Duration::from_secs(seconds), denial());
        assert_eq!(problem(vec![Rule::new("a", tarpit)]), (0, RulePart::Delay));
    }
    let late = Rule::new("a", Verdict::tarpit(Duration::from_secs(1), denial()));
    assert_eq!(problem(vec![late.when(|it| it.longer_than = Some(1))]), (0, RulePart::Verdict));
    let range = StatusRange { first: 300, last: 200 };
    let wrong = named("a").when(|it| it.statuses = vec![range]);
    assert_eq!(problem(vec![wrong]), (0, RulePart::When(Condition::Status)));
}

#[test]
fn an_explanation_tells_what_was_wanted_and_what_was_found() {
    let rules = RuleSet::new([
        Rule::new("office", Verdict::Allow).when(|it| {
            it.ports = parsed(&["80", "443"]);
            it.clients = parsed(&["192.168.0.0/16"]);
        }),
        Rule::new("no-ads", Verdict::deny(Denial::new().with_message("No advertising.")))
            .when(|it| it.hosts = parsed(&[".ads.test"])),
    ])
    .compile()
    .unwrap();
    let (client, request) = (client("10.0.0.1"), get("http://x.ads.test/"));
    let explanation = rules.explain(&Subject::new(&client, &request, noon()));
    assert_eq!(
        explanation.to_string(),
        "office   does not match\n\
         \x20          + port 80 (wanted: 80, 443)\n\
         \x20          - client 10.0.0.1 (wanted: 192.168.0.0/16)\n\
         no-ads   matches and decides\n\
         \x20          + host x.ads.test (wanted: .ads.test)\n\
         default  is not looked at\n\
         verdict: deny: No advertising. (rule `no-ads`)"
    );
}
