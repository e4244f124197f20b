//! Every condition: when it holds, and when it does not.

use super::*;

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
fn who_the_user_is() {
    let mut ann = User::new("ann");
    ann.groups = words(&["staff", "admins"]);
    let (ann, bob) = (Some(ann), Some(User::new("bob")));
    let holds = |user: &Option<User>, set: &dyn Fn(&mut Conditions)| {
        let rules = RuleSet::new([Rule::new("it", deny()).when(set)]).compile().unwrap();
        let (client, request) = (client("10.1.2.3"), connect("a.test:443"));
        let subject = Subject::new(&client, &request, noon());
        let subject = user.as_ref().map_or(subject, |user| subject.with_user(user));
        let (decision, explanation) = (rules.decide(&subject), rules.explain(&subject));
        assert_eq!(&**decision.rule(), &*explanation.rule);
        assert!(rules.know_users() && rules.warnings().is_empty());
        let finding = &explanation.steps[0].findings[0];
        (&**decision.rule() == "it", format!("{} {}", finding.condition, finding.found))
    };
    for (user, names, groups) in [
        (&ann, (true, "user ann"), (true, "group staff, admins")),
        (&bob, (false, "user bob"), (false, "group none")),
        (&None, (false, "user none"), (false, "group none")),
    ] {
        let (holds_by_name, told) = holds(user, &|it| it.users = words(&["cy", "ann", "Bob"]));
        assert_eq!((holds_by_name, &*told), names);
        let (holds_by_group, told) = holds(user, &|it| it.groups = words(&["pupils", "admins"]));
        assert_eq!((holds_by_group, &*told), groups);
        // Case counts, and nothing is the beginning of a name.
        assert!(!holds(user, &|it| it.users = words(&["Ann", "an", "annie", ""])).0);
        assert!(!holds(user, &|it| it.groups = words(&["Staff", "admin", ""])).0);
    }
    // Many names are looked through in another way.
    let many = |own: &str| {
        let others = (0..40).rev().map(|number| format!("user{number}"));
        others.chain([own.to_owned()]).collect::<Vec<_>>()
    };
    assert!(holds(&ann, &|it| it.users = many("ann")).0);
    assert!(!holds(&ann, &|it| it.users = many("anna")).0);
    assert!(holds(&ann, &|it| it.groups = many("admins")).0);
    assert!(!holds(&ann, &|it| it.groups = many("admin")).0);
    let both = |it: &mut Conditions| {
        (it.users, it.groups) = (words(&["ann", "bob"]), words(&["staff"]));
    };
    assert!(holds(&ann, &both).0 && !holds(&bob, &both).0);
    assert!(!RuleSet::new([]).compile().unwrap().know_users());
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
