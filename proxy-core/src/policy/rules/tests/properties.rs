//! Whatever the rules: a decision is what the conditions say by definition, and explanations tell of
//! it.

use proptest::prelude::*;

use super::*;

const HOSTS: [&str; 4] = ["a.test", ".a.test", "*.test", "192.0.2.1"];
const LISTS: [&str; 2] = ["a.test", "b.test\n192.0.2.1"];
const CLIENTS: [&str; 3] = ["10.0.0.0/8", "192.168.0.0/16", "::1"];
const NETWORKS: [&str; 2] = ["10.0.0.0/8\n!10.1.0.0/16", "0.0.0.0/0"];
const PORTS: [&str; 2] = ["80", "443-8080"];
const URLS: [&str; 4] = ["*/x", "http://a.test/*", "http://*.a.test/*", "http://b.test:443/x"];
const METHODS: [&str; 2] = ["GET", "CONNECT"];
const TYPES: [&str; 2] = ["video/*", "text/plain"];
const KINDS: [RequestKind; 2] = [RequestKind::Plain, RequestKind::Connect];
const USERS: [&str; 2] = ["ann", "bob"];
const GROUPS: [&str; 2] = ["staff", "pupils"];
/// Who asks, with their groups. Nobody is known without a name.
const PEOPLE: [(&str, &[&str]); 4] =
    [("", &[]), ("ann", &["staff"]), ("bob", &["pupils", "staff"]), ("cy", &[])];
const TARGETS: [&str; 7] = [
    "GET http://a.test/x",
    "GET http://x.A.test./y/../x",
    "GET http://b.test:443/x",
    "GET http://3221225985/",
    "POST http://c.test/?/x",
    "CONNECT a.test:443",
    "CONNECT [::ffff:192.0.2.1]:8443",
];
const ADDRESSES: [&str; 5] = ["10.0.0.1", "10.1.0.1", "192.168.0.1", "::1", "::ffff:10.0.0.2"];

/// Which values a rule has of each condition: a number for each.
type Seeds = [u8; 14];

/// One of several values, or none: most rules have few conditions.
fn one<T: Clone>(values: &[T], seed: u8) -> Vec<T> {
    values.get(usize::from(seed)).cloned().into_iter().collect()
}

fn rule(index: usize, seeds: &Seeds) -> Rule {
    let [verdict, mode, rest @ ..] = seeds;
    let verdict = if verdict % 2 == 0 { Verdict::Allow } else { deny() };
    let mode = if mode % 4 == 0 { Mode::Report } else { Mode::Enforce };
    Rule::new(format!("r{index}"), verdict).in_mode(mode).when(|it| {
        let [
            hosts,
            lists,
            clients,
            networks,
            ports,
            urls,
            methods,
            kinds,
            types,
            length,
            users,
            groups,
        ] = *rest;
        it.users = words(&one(&USERS, users));
        it.groups = words(&one(&GROUPS, groups));
        it.hosts = parsed(&one(&HOSTS, hosts));
        let lists = one(&LISTS, lists);
        it.domain_lists =
            lists.iter().map(|text| Arc::new(DomainList::parse(text).unwrap())).collect();
        it.clients = parsed(&one(&CLIENTS, clients));
        let networks = one(&NETWORKS, networks);
        it.client_lists =
            networks.iter().map(|text| Arc::new(NetworkList::parse(text).unwrap())).collect();
        it.ports = parsed(&one(&PORTS, ports));
        it.urls = parsed(&one(&URLS, urls));
        it.methods = words(&one(&METHODS, methods));
        it.kinds = one(&KINDS, kinds);
        it.content_types = parsed(&one(&TYPES, types));
        it.longer_than = one(&[10, 100], length).first().copied();
    })
}

/// What a request is, told once more and without the parser of heads.
struct Told {
    method: String,
    /// In lower case, without a dot at the end, an address as such.
    host: String,
    port: u16,
    /// `None` for a tunnel.
    url: Option<String>,
    client: std::net::IpAddr,
    length: u64,
    person: (&'static str, &'static [&'static str]),
}

fn told(
    target: &str,
    client: &str,
    length: u64,
    person: (&'static str, &'static [&'static str]),
) -> Told {
    let (host, port, url) = match target {
        "GET http://a.test/x" => ("a.test", 80, Some("http://a.test/x")),
        "GET http://x.A.test./y/../x" => ("x.a.test", 80, Some("http://x.a.test/x")),
        "GET http://b.test:443/x" => ("b.test", 443, Some("http://b.test:443/x")),
        "GET http://3221225985/" => ("192.0.2.1", 80, Some("http://192.0.2.1/")),
        "POST http://c.test/?/x" => ("c.test", 80, Some("http://c.test/?/x")),
        "CONNECT a.test:443" => ("a.test", 443, None),
        "CONNECT [::ffff:192.0.2.1]:8443" => ("192.0.2.1", 8443, None),
        other => unreachable!("{other}"),
    };
    let client: std::net::IpAddr = client.parse().unwrap();
    Told {
        method: target.split(' ').next().unwrap().to_owned(),
        host: host.to_owned(),
        port,
        url: url.map(str::to_owned),
        client: client.to_canonical(),
        length,
        person,
    }
}

impl Told {
    /// Whether a rule matches, by what its values mean.
    fn matches(&self, seeds: &Seeds, is_answered: bool) -> bool {
        let [_, _, rest @ ..] = seeds;
        let [
            hosts,
            lists,
            clients,
            networks,
            ports,
            urls,
            methods,
            kinds,
            types,
            length,
            users,
            groups,
        ] = *rest;
        let (name, own_groups) = self.person;
        let host = &*self.host;
        let client = self.client.to_string();
        let url = self.url.as_deref();
        let is_a = host == "a.test" || host.ends_with(".a.test");
        let in_ten = client.starts_with("10.");
        let all = [
            one(&[host == "a.test", is_a, host.ends_with(".test"), host == "192.0.2.1"], hosts),
            one(&[is_a, host == "b.test" || host == "192.0.2.1"], lists),
            one(&[in_ten, client.starts_with("192.168."), client == "::1"], clients),
            one(&[in_ten && !client.starts_with("10.1."), client != "::1"], networks),
            one(&[self.port == 80, (443..=8080).contains(&self.port)], ports),
            one(
                &[
                    url.is_some_and(|url| url.ends_with("/x")),
                    url.is_some_and(|url| url.starts_with("http://a.test/")),
                    url == Some("http://x.a.test/x"),
                    url == Some("http://b.test:443/x"),
                ],
                urls,
            ),
            one(&[self.method == "GET", self.method == "CONNECT"], methods),
            one(&[url.is_some(), url.is_none()], kinds),
            // Each answer is text.
            one(&[false, is_answered], types),
            one(&[is_answered && self.length > 10, is_answered && self.length > 100], length),
            one(&USERS.map(|user| user == name), users),
            one(&GROUPS.map(|group| own_groups.contains(&group)), groups),
        ];
        all.iter().flatten().all(|&holds| holds)
    }
}

fn waits(seeds: &Seeds) -> bool {
    seeds[10] < 2 || seeds[11] < 2
}

/// A decision by definition: the first rule that matches, and the first before it that reports. As
/// long as there is no response, those that wait for it are not asked.
fn naive(rules: &[Seeds], told: &Told, is_answered: bool) -> (String, Option<String>) {
    let mut reported = None;
    for (index, seeds) in rules.iter().enumerate() {
        if !told.matches(seeds, is_answered) || !is_answered && waits(seeds) {
            continue;
        }
        let name = format!("r{index}");
        if seeds[1] % 4 != 0 {
            return (name, reported);
        }
        reported.get_or_insert(name);
    }
    ("default".to_owned(), reported)
}

fn asked(target: &str) -> RequestHead {
    request(&format!("{target} HTTP/1.1\r\nHost: h.test"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// What decides, what explains, and what is meant: three ways that must come to the same, before
    /// there is a response and afterwards.
    #[test]
    fn a_decision_is_what_its_conditions_mean_and_is_told_so(
        seeds in prop::collection::vec(prop::array::uniform14(0_u8..12), 0..12),
        target in prop::sample::select(&TARGETS[..]),
        address in prop::sample::select(&ADDRESSES[..]),
        length in 0_u64..200,
        person in prop::sample::select(&PEOPLE[..]),
    ) {
        let rules = seeds.iter().enumerate().map(|(index, seeds)| rule(index, seeds));
        let rules = RuleSet::new(rules).compile().unwrap();
        let (client, asked) = (client(address), asked(target));
        let user = (!person.0.is_empty()).then(|| {
            let mut user = User::new(person.0);
            user.groups = words(person.1);
            user
        });
        let subject = Subject::new(&client, &asked, noon());
        let subject = user.as_ref().map_or(subject, |user| subject.with_user(user));
        let decision = rules.decide(&subject);
        let told = told(target, address, length, person);
        let (rule, reported) = naive(&seeds, &told, false);
        prop_assert_eq!(&**decision.rule(), &*rule);
        prop_assert_eq!(decision.reported().map(|it| &**it), reported.as_deref());

        let explained = rules.explain(&subject);
        prop_assert_eq!(&explained.rule, &rule);
        let reports = explained.steps.iter().find(|step| step.outcome == Outcome::Reports);
        prop_assert_eq!(reports.map(|step| &step.rule), reported.as_ref());

        if asked.method() == "CONNECT" {
            return Ok(()); // what comes through a tunnel is not seen
        }
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}");
        let answer = response(&asked, &head);
        let subject = subject.with_response(&answer);
        let later = rules.decide_response(&subject, decision.place()).unwrap_or(decision);
        let (rule, _) = naive(&seeds, &told, true);
        prop_assert_eq!(&**later.rule(), &*rule);
        prop_assert_eq!(&rules.explain(&subject).rule, &rule);
    }
}

#[test]
fn more_lists_than_are_remembered_are_looked_into_all_the_same() {
    let number_of = |index: usize| Arc::new(DomainList::parse(&format!("d{index}.test")).unwrap());
    let lists: Vec<_> = (0..300).map(number_of).collect();
    let rules = lists.iter().enumerate().map(|(index, list)| {
        // Its own and one that all have: remembered and not remembered, mixed.
        let both = vec![Arc::clone(&lists[299]), Arc::clone(list)];
        Rule::new(format!("r{index}"), deny()).when(|it| it.domain_lists = both)
    });
    let rules = RuleSet::new(rules).compile().unwrap();
    let client = client("10.0.0.1");
    for (host, rule) in [
        ("d0", "r0"),
        ("d63", "r63"),
        ("d64", "r64"),
        ("d298", "r298"),
        ("d299", "r0"),
        ("d300", "default"),
    ] {
        let request = get(&format!("http://{host}.test/"));
        let decision = rules.decide(&Subject::new(&client, &request, noon()));
        assert_eq!(&**decision.rule(), rule, "{host}");
    }
}
