//! Rules at work: every condition, the order, and the two tellings of a decision.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;
use crate::handler::Client;
use crate::http1::{RequestHead, ResponseHead};
use crate::limits::Limits;

/// 2026-11-25, a Wednesday, at noon.
fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_564_800 + 12 * 3600)
}

fn request(head: &str) -> RequestHead {
    let mut request = RequestHead::new();
    request.parse(format!("{head}\r\n\r\n").as_bytes(), &Limits::default()).unwrap();
    request
}

fn get(url: &str) -> RequestHead {
    request(&format!("GET {url} HTTP/1.1\r\nHost: h.test"))
}

fn connect(authority: &str) -> RequestHead {
    request(&format!("CONNECT {authority} HTTP/1.1\r\nHost: h.test"))
}

fn response(to: &RequestHead, head: &str) -> ResponseHead {
    let mut response = ResponseHead::new();
    response.parse(format!("{head}\r\n\r\n").as_bytes(), to, &Limits::default()).unwrap();
    response
}

fn client(address: &str) -> Client {
    Client::new((address.parse::<std::net::IpAddr>().unwrap(), 50412).into(), 1)
}

fn deny() -> Verdict {
    Verdict::deny(Denial::new())
}

/// Whether a rule with these conditions matches.
fn matches(request: &RequestHead, set: impl FnOnce(&mut Conditions)) -> bool {
    let rules = RuleSet::new([Rule::new("it", deny()).when(set)]).compile().unwrap();
    let client = client("10.1.2.3");
    let subject = Subject::new(&client, request, noon());
    let decision = rules.decide(&subject);
    let explanation = rules.explain(&subject);
    assert_eq!(
        (&**decision.rule(), decision.verdict()),
        (&*explanation.rule, &explanation.verdict)
    );
    &**decision.rule() == "it"
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(texts: &[&str]) -> Vec<T> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn words(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn where_the_client_is() {
    let any = get("http://a.test/");
    for (networks, expected) in
        [(&["10.0.0.0/8"][..], true), (&["192.168.0.0/16", "10.1.2.3"], true), (&["::/0"], false)]
    {
        assert_eq!(matches(&any, |it| it.clients = parsed(networks)), expected, "{networks:?}");
    }
    let list = |text: &str| vec![Arc::new(NetworkList::parse(text).unwrap())];
    assert!(matches(&any, |it| it.client_lists = list("10.0.0.0/8")));
    assert!(!matches(&any, |it| it.client_lists = list("10.0.0.0/8\n!10.1.0.0/16")));
    assert!(matches(&any, |it| it.listeners = vec![0, 1]));
    assert!(!matches(&any, |it| it.listeners = vec![0]));
}

#[test]
fn what_kind_of_request_it_is() {
    let plain = get("http://a.test/");
    let tunnel = connect("a.test:443");
    let socket = request(
        "GET http://a.test/ HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket",
    );
    let kinds = [RequestKind::Plain, RequestKind::Connect, RequestKind::WebSocket];
    for (index, request) in [&plain, &tunnel, &socket].into_iter().enumerate() {
        for (other, kind) in kinds.into_iter().enumerate() {
            assert_eq!(matches(request, |it| it.kinds = vec![kind]), index == other, "{kind:?}");
        }
    }
    assert!(matches(&plain, |it| it.methods = words(&["PUT", "GET"])));
    assert!(!matches(&plain, |it| it.methods = words(&["get"])));
    assert!(matches(&plain, |it| it.schemes = words(&["HTTP"])));
    assert!(!matches(&tunnel, |it| it.schemes = words(&["http", "https"])));
    assert!(matches(&get("https://a.test/"), |it| it.schemes = words(&["https"])));
}

#[test]
fn where_it_is_to_go() {
    for (request, port) in [
        (get("http://a.test/"), "80"),
        (get("http://a.test:8080/"), "8080"),
        (get("https://a.test/"), "443"),
        (connect("a.test:8443"), "8443"),
    ] {
        assert!(matches(&request, |it| it.ports = parsed(&[port])), "{port}");
        assert!(!matches(&request, |it| it.ports = parsed(&["1-79"])), "{port}");
    }
    for request in [get("http://WWW.a.TEST./"), connect("www.a.test:443")] {
        for (hosts, expected) in [
            (&["www.a.test"][..], true),
            (&["b.test", ".a.test"], true),
            (&["w??.*.test"], true),
            (&["a.test"], false),
            (&[".ww.a.test", "*.b.test", "[::1]"], false),
        ] {
            assert_eq!(matches(&request, |it| it.hosts = parsed(hosts)), expected, "{hosts:?}");
        }
        let list = |text: &str| vec![Arc::new(DomainList::parse(text).unwrap())];
        assert!(matches(&request, |it| it.domain_lists = list("b.test\na.test")));
        assert!(!matches(&request, |it| it.domain_lists = list("x.www.a.test\nb.test")));
    }
    assert!(matches(&connect("[2001:DB8::0:1]:443"), |it| it.hosts = parsed(&["[2001:db8::1]"])));
}

#[test]
fn a_host_field_is_not_the_host_where_the_target_has_one() {
    // RFC 9112 §3.2.2: it is ignored; a rule that went by it could be led by the nose.
    let odd = request("GET http://evil.test/ HTTP/1.1\r\nHost: good.test");
    assert!(!matches(&odd, |it| it.hosts = parsed(&["good.test"])));
    assert!(matches(&odd, |it| it.hosts = parsed(&["evil.test"])));
    let origin = request("GET /x HTTP/1.1\r\nHost: good.test");
    assert!(matches(&origin, |it| it.hosts = parsed(&["good.test"])));
    assert!(matches(&origin, |it| it.urls = parsed(&["http://good.test/x"])));
}

#[test]
fn what_its_url_is_like() {
    let url = get("http://A.test:80/x/../%70rivate/a?b=c");
    for (patterns, expected) in [
        (&["http://a.test/private/*"][..], true),
        (&["http://b.test/*", "HTTP://A.TEST/private/a?b=c"], true),
        (&["*/private/*"], true),
        (&["*/Private/*"], false),
        (&["http://a.test/private"], false),
    ] {
        assert_eq!(matches(&url, |it| it.urls = parsed(patterns)), expected, "{patterns:?}");
    }
    assert!(!matches(&connect("a.test:443"), |it| it.urls = parsed(&["*"])));
}

#[cfg(feature = "regex")]
#[test]
fn its_url_can_be_compared_with_a_regular_expression() {
    let url = get("http://a.test/x/../Setup.EXE?x");
    let regex = |text: &str| vec![UrlPattern::regex(text).unwrap()];
    assert!(matches(&url, |it| it.urls = regex(r"(?i)^http://[^/]+/[^?]*\.(exe|msi)(\?|$)")));
    assert!(!matches(&url, |it| it.urls = regex(r"/x/")));
    assert!(UrlPattern::regex("(").is_err() && UrlPattern::regex("x{1000}{1000}").is_err());
}

#[test]
fn which_fields_it_has() {
    let fields = request(
        "GET http://a.test/ HTTP/1.1\r\nHost: h\r\nUser-Agent: curl/8.1\r\nX-A: 1\r\nx-a: 2",
    );
    let present = |name| vec![FieldPattern::present(name).unwrap()];
    let with = |name, value| vec![FieldPattern::with_value(name, value).unwrap()];
    assert!(matches(&fields, |it| it.fields = present("user-agent")));
    assert!(!matches(&fields, |it| it.fields = present("user")));
    assert!(matches(&fields, |it| it.fields = with("User-Agent", "curl/*")));
    assert!(!matches(&fields, |it| it.fields = with("User-Agent", "curl")));
    // A second field of the name must not hide from the rule.
    assert!(matches(&fields, |it| it.fields = with("X-A", "2")));
    let both = |second| [with("X-A", "1"), with("User-Agent", second)].concat();
    assert!(matches(&fields, |it| it.fields = both("curl*")));
    assert!(!matches(&fields, |it| it.fields = both("wget*")));
}

#[test]
fn when_it_is() {
    let any = get("http://a.test/");
    let schedule = |days: &[&str], hours: &[&str]| {
        Some(Schedule::new(parsed::<Days>(days), parsed::<Span>(hours)))
    };
    assert!(matches(&any, |it| it.schedule = schedule(&["wed"], &["12:00-12:01"])));
    assert!(!matches(&any, |it| it.schedule = schedule(&["wed"], &["13:00-14:00"])));
    let rule = || Rule::new("one", deny()).when(|it| it.schedule = schedule(&[], &["13:00-14:00"]));
    let (there, east) = (client("10.0.0.1"), Zone::by(|_| 3600));
    let rules = RuleSet::new([rule()]).in_zone(east).compile().unwrap();
    assert!(rules.know_hours());
    assert_eq!(&**rules.decide(&Subject::new(&there, &any, noon())).rule(), "one");
}

#[test]
fn all_conditions_must_hold() {
    let any = get("http://a.test/");
    let set = |port: &'static str| {
        move |it: &mut Conditions| {
            it.hosts = parsed(&[".test"]);
            it.ports = parsed(&[port]);
            it.clients = parsed(&["10.0.0.0/8"]);
        }
    };
    assert!(matches(&any, set("80")) && !matches(&any, set("81")));
}

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

/// A rule with some conditions, chosen by bits.
fn some_rule(index: usize, bits: u16) -> Rule {
    let verdict = if bits & 1 == 0 { Verdict::Allow } else { deny() };
    let mode = if bits & 2 == 0 { Mode::Enforce } else { Mode::Report };
    Rule::new(format!("r{index}"), verdict).in_mode(mode).when(|it| {
        if bits & 4 != 0 {
            it.hosts = parsed(&[[".a.test", "b.test", "*.test"][usize::from(bits >> 8) % 3]]);
        }
        if bits & 8 != 0 {
            it.ports = parsed(&[["80", "443"][usize::from(bits >> 9) % 2]]);
        }
        if bits & 16 != 0 {
            it.clients = parsed(&[["10.0.0.0/8", "192.168.0.0/16"][usize::from(bits >> 10) % 2]]);
        }
        if bits & 32 != 0 {
            it.urls = parsed(&[["*/x", "http://a.test/*"][usize::from(bits >> 11) % 2]]);
        }
        if bits & 64 != 0 {
            it.longer_than = Some(u64::from(bits >> 12) * 10);
        }
    })
}

proptest! {
    /// What decides and what explains are two ways through the same checks: they must agree, before
    /// there is a response and afterwards.
    #[test]
    fn an_explanation_tells_of_the_decision_that_was_made(
        bits in prop::collection::vec(any::<u16>(), 0..12),
        target in prop::sample::select(vec![
            "http://a.test/x", "http://x.a.test/y", "http://b.test:443/x", "http://c.test/",
        ]),
        address in prop::sample::select(vec!["10.0.0.1", "192.168.0.1", "::1"]),
        length in 0_u64..200,
    ) {
        let rules = bits.iter().enumerate().map(|(index, &bits)| some_rule(index, bits));
        let rules = RuleSet::new(rules).compile().unwrap();
        let (client, asked) = (client(address), get(target));
        let subject = Subject::new(&client, &asked, noon());
        let decision = rules.decide(&subject);
        let told = rules.explain(&subject);
        prop_assert_eq!(&**decision.rule(), &*told.rule);
        let reports = told.steps.iter().find(|step| step.outcome == Outcome::Reports);
        prop_assert_eq!(decision.reported().map(|it| &**it), reports.map(|step| &*step.rule));

        let answer = response(&asked, &format!("HTTP/1.1 200 OK\r\nContent-Length: {length}"));
        let subject = subject.with_response(&answer);
        let later = rules.decide_response(&subject, decision.place()).unwrap_or(decision);
        prop_assert_eq!(&**later.rule(), &*rules.explain(&subject).rule);
    }
}
