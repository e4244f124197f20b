//! What rules cost: loading a million domains, looking into lists, deciding.
//!
//! `cargo bench -p proxy-core --bench rules` prints a table, and fails if something costs more than
//! was promised. A harness of a few lines: what is measured lies far above what a clock can tell, and
//! a framework would be compiled for every test run.

use std::fmt::Write;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use proxy_core::http1::RequestHead;
use proxy_core::rules::{
    Conditions, Denial, DomainList, NetworkList, Rule, RuleSet, Rules, Subject, Verdict,
};
use proxy_core::{Client, Limits, User};

const DOMAINS: u64 = 1_000_000;
const NETWORKS: u64 = 10_000;

fn main() -> ExitCode {
    // `cargo test --benches` wants to know whether it runs, not how fast.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let mut table = Table { is_kept: true };
    println!("| what | measured | promised |\n|---|---|---|");
    let domains = domains(&mut table);
    let networks = networks(&mut table);
    decisions(&mut table, &domains, &networks);
    if table.is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Table {
    is_kept: bool,
}

impl Table {
    fn row(&mut self, what: &str, measured: f64, unit: &str, promised: Option<f64>) {
        let promise = promised.map_or("–".to_owned(), |most| format!("≤ {most} {unit}"));
        println!("| {what} | {measured:.1} {unit} | {promise} |");
        self.is_kept &= promised.is_none_or(|most| measured <= most);
    }
}

/// Numbers that look like chance, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// The shortest time that one call took, of several rounds of many.
fn nanoseconds(mut call: impl FnMut()) -> f64 {
    const CALLS: u32 = 200_000;
    let round = |call: &mut dyn FnMut()| {
        let begun = Instant::now();
        for _ in 0..CALLS {
            call();
        }
        begun.elapsed()
    };
    let shortest = (0..7).map(|_| round(&mut call)).min().unwrap_or(Duration::MAX);
    shortest.as_nanos() as f64 / f64::from(CALLS)
}

/// As long as names in public lists are, 20 bytes and a half in the middle.
fn domain(number: u64) -> String {
    let mut dice = Dice(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut name = String::new();
    for _ in 0..5 + dice.roll() % 12 {
        name.push(char::from(b'a' + (dice.roll() % 26) as u8));
    }
    let ends = ["com", "net", "example.org", "co.uk", "cdn.example.net"];
    let _ = write!(name, "{number:x}.{}", ends[(dice.roll() % 5) as usize]);
    name
}

fn domains(table: &mut Table) -> Arc<DomainList> {
    let mut text = String::from("# a list as they are published\n");
    for number in 0..DOMAINS {
        let _ = writeln!(text, "0.0.0.0 {}", domain(number));
    }
    let load = || {
        let begun = Instant::now();
        let list = DomainList::parse(&text).expect("the list is well-formed");
        (begun.elapsed(), list)
    };
    let loads = (0..3).map(|_| load());
    let (time, list) = loads.min_by_key(|(time, _)| *time).expect("there are three");
    table.row("loading 1,000,000 domains", time.as_secs_f64(), "s", Some(2.0));
    let memory = list.memory() as f64 / list.len() as f64;
    table.row("memory for each", memory, "bytes", Some(64.0));
    let mut dice = Dice(7);
    let listed: Vec<_> =
        (0..4096).map(|_| format!("www.{}", domain(dice.roll() % DOMAINS))).collect();
    let others: Vec<_> = (0..4096).map(|_| format!("www.{}", domain(dice.roll()))).collect();
    for (what, hosts) in [("a host that is in it", &listed), ("a host that is not", &others)] {
        let mut at = 0;
        let time = nanoseconds(|| {
            at = (at + 1) % hosts.len();
            black_box(list.contains(&hosts[at]));
        });
        table.row(&format!("looking for {what}"), time, "ns", Some(500.0));
    }
    Arc::new(list)
}

fn networks(table: &mut Table) -> Arc<NetworkList> {
    let mut dice = Dice(11);
    let mut text = String::new();
    for number in 0..NETWORKS {
        let prefix = 12 + dice.roll() % 21;
        let address = (dice.roll() as u32) & (u32::MAX << (32 - prefix));
        let sign = if number % 8 == 0 { "!" } else { "" };
        let _ = writeln!(text, "{sign}{}/{prefix}", std::net::Ipv4Addr::from_bits(address));
    }
    let begun = Instant::now();
    let list = NetworkList::parse(&text).expect("the list is well-formed");
    table.row("loading 10,000 networks", begun.elapsed().as_secs_f64() * 1000.0, "ms", None);
    let time = nanoseconds(|| {
        black_box(list.contains(std::net::Ipv4Addr::from_bits(dice.roll() as u32).into()));
    });
    table.row("looking for an address by longest prefix", time, "ns", None);
    Arc::new(list)
}

/// 200 rules, of which none matches the request: all of them are looked at.
fn rules(set: impl Fn(usize, &mut Conditions)) -> Rules {
    let rules = (0..200).map(|number| {
        let rule = Rule::new(format!("rule-{number}"), Verdict::deny(Denial::new()));
        rule.when(|it| set(number, it))
    });
    RuleSet::new(rules).compile().expect("the rules can be meant")
}

fn hosts(number: usize) -> Vec<proxy_core::rules::HostPattern> {
    let host = |at| format!(".{}", domain((number * 3 + at) as u64));
    (0..3).map(|at| host(at).parse().expect("it is a pattern")).collect()
}

fn decisions(table: &mut Table, domains: &Arc<DomainList>, networks: &Arc<NetworkList>) {
    let client = Client::new(([10, 1, 2, 3], 50412).into(), 0);
    let everybody = Arc::new(NetworkList::parse("0.0.0.0/0\n::/0").expect("they are networks"));
    let mut request = RequestHead::new();
    let head = b"GET http://www.not-in-any-list.example.com/index.html HTTP/1.1\r\n\
                 Host: www.not-in-any-list.example.com\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";
    request.parse(head, &Limits::default()).expect("the request is well-formed");
    let mut user = User::new("user7");
    user.groups = ["staff", "group8", "readers"].map(str::to_owned).into();
    let subject = Subject::new(&client, &request, SystemTime::UNIX_EPOCH).with_user(&user);
    let mut measure = |what: &str, rules: &Rules, promised| {
        assert_eq!(&**rules.decide(&subject).rule(), "default");
        let time = nanoseconds(|| {
            black_box(rules.decide(black_box(&subject)).place());
        });
        table.row(what, time, "ns", promised);
    };
    let none = RuleSet::new([]).compile().expect("no rules are rules");
    measure("deciding without rules", &none, None);
    let both = rules(|number, it| match number % 4 {
        0 => it.hosts = hosts(number),
        1 => {
            it.client_lists = vec![Arc::clone(networks)];
            it.hosts = hosts(number);
        }
        2 => {
            it.client_lists = vec![Arc::clone(&everybody)];
            it.domain_lists = vec![Arc::clone(domains)];
        }
        _ => {
            it.ports = vec!["443".parse().expect("it is a port")];
            it.domain_lists = vec![Arc::clone(domains)];
        }
    });
    measure("200 rules with both lists", &both, Some(1000.0));
    let only_lists = rules(|_, it| {
        it.client_lists = vec![Arc::clone(&everybody)];
        it.domain_lists = vec![Arc::clone(domains)];
    });
    measure("200 rules, each with both lists", &only_lists, Some(1000.0));
    let only_hosts = rules(|number, it| it.hosts = hosts(number));
    measure("200 rules with three hosts each", &only_hosts, Some(1000.0));
    let only_urls = rules(|number, it| {
        it.urls = vec![format!("http://*/private{number}/*").parse().expect("it is a pattern")];
    });
    measure("200 rules with a URL each", &only_urls, None);
    for (what, groups) in [("two groups", 2), ("thirty groups", 30)] {
        let only_groups = rules(|number, it| {
            it.groups = (0..groups).map(|at| format!("group{number}-{at}")).collect();
        });
        measure(&format!("200 rules with {what} each"), &only_groups, None);
    }
}
