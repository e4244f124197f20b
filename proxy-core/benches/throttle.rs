//! What limits cost: each kind of throttle, bans and the counts of failed logins, for one known client,
//! ten thousand and a million.
//!
//! `cargo bench -p proxy-core --bench throttle` prints a table, and fails if something costs more than
//! was promised. What is measured is what a limit adds to an exchange, and not the exchange: that
//! costs a hundred times as much, and its noise would hide it.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use peak_alloc::PeakAlloc;
use proxy_core::throttle::{Allowance, Asking, Rate, Scope, Throttle, Throttles, Volume};
use proxy_core::{
    BanPolicy, Bans, LoginFailures, LoginPolicy, Network, Offence, Proxy, Threshold, User,
};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// How many clients, hosts or users are known.
const KNOWN: [u32; 3] = [1, 10_000, 1_000_000];
/// How many calls are measured at once.
const CALLS: u32 = 1_000_000;
/// Nanoseconds for each look at a count among a million: some cache misses and a lock or two.
const PROMISED: f64 = 2000.0;
/// Bytes for each that is kept, names included.
const PROMISED_BYTES: f64 = 288.0;
/// How many bans, and how many failed logins of clients and users, are kept.
const KEPT: u32 = 65_536;

/// Does what is measured, for one of those who are known.
type Call = Box<dyn FnMut(u32)>;

fn main() -> ExitCode {
    // `cargo test --benches` wants to know whether it runs, not how fast.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    println!("| what | of 1 | of 10,000 | of 1,000,000 | bytes for each that is kept |");
    println!("|---|---|---|---|---|");
    let many = Rate::per_second(1 << 40);
    let (requests, download) = (Allowance::Requests(many), Allowance::Download(many));
    let volume = Allowance::Volume(Volume::monthly(1 << 60));
    let at_once = Allowance::Connections(1 << 60);
    let (each, all) = (Scope::client(), KNOWN[2]);
    let is_kept = [
        row("requests of all", 1, |_| asks(Scope::All, &requests)),
        row("requests of a client", all, |_| asks(each, &requests)),
        row("requests to a host", all, |_| asks(Scope::Host, &requests)),
        row("requests of a user", all, |_| asks(Scope::User, &requests)),
        row("a connection of a client, and its end", all, |known| holds(each, &at_once, known)),
        row("a request to a host at once, and its end", all, |known| {
            holds(Scope::Host, &at_once, known)
        }),
        row("a download of a client", all, |_| loads(each, &download)),
        row("a volume of a client, looked at", all, |known| looks(each, &volume, known)),
        row("a volume of a client, used", all, |_| loads(each, &volume)),
        row("whether a client is banned", KEPT, is_banned),
        row("an offence of a client", KEPT, |_| offends()),
        row("whether a client may log in", KEPT, may_log_in),
        row("a failed login of a client and a user", KEPT, |_| fails_to_log_in()),
    ];
    println!("\npromised: at most {PROMISED} ns, and {PROMISED_BYTES} bytes");
    if is_kept.iter().all(|&is| is) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Measures a call, and prints it; at most so many of those who are known are kept. Says whether it is
/// what was promised.
fn row(what: &str, most: u32, prepare: impl Fn(u32) -> Call) -> bool {
    let mut bytes = 0.0;
    let times = KNOWN.map(|known| {
        let before = MEMORY.current_usage();
        let mut call = prepare(known);
        // All of them are known before it is measured, and no page is touched for the first time.
        (0..known).for_each(&mut call);
        // In no order to speak of.
        let mut round = || {
            (0..CALLS).for_each(|number| call(number.wrapping_mul(0x9E37_79B1) % known));
        };
        round();
        let used = MEMORY.current_usage().saturating_sub(before);
        bytes = used as f64 / f64::from(known.min(most));
        let measure = |_| {
            let begun = Instant::now();
            round();
            begun.elapsed()
        };
        let shortest = (0..3).map(measure).min().unwrap_or(Duration::MAX);
        shortest.as_nanos() as f64 / f64::from(CALLS)
    });
    let [one, some, all] = times;
    let shown = if most > 1 { format!("{bytes:.0}") } else { "–".to_owned() };
    println!("| {what} | {one:.0} ns | {some:.0} ns | {all:.0} ns | {shown} |");
    times.iter().all(|time| *time <= PROMISED) && (most == 1 || bytes <= PROMISED_BYTES)
}

/// One throttle, with room for all, wherever chance puts them.
fn throttle(scope: Scope, allowance: &Allowance) -> Throttles {
    let throttle = Throttle::new("it", scope, allowance.clone()).with_entries(2_000_000);
    Throttles::new([throttle]).expect("it can work")
}

fn client(number: u32) -> IpAddr {
    IpAddr::from(Ipv4Addr::from_bits(0x0A00_0000 + number))
}

/// Writes a number of seven digits to the beginning of a name.
fn rename(name: &mut String, number: u32) {
    let digits: [u8; 7] =
        std::array::from_fn(|place| b'0' + (number / 10_u32.pow(6 - place as u32) % 10) as u8);
    name.replace_range(..7, std::str::from_utf8(&digits).expect("digits are ASCII"));
}

/// Has somebody do something who is told apart in this scope.
fn by(scope: Scope, mut act: impl FnMut(&Asking<'_>) + 'static) -> Call {
    let (mut host, mut user) = (String::from("0000000.example.net"), User::new("0000000"));
    Box::new(move |number| {
        let asking = Asking::client(client(number));
        match scope {
            Scope::Host => {
                rename(&mut host, number);
                act(&asking.to(&host));
            }
            Scope::User => {
                rename(&mut user.name, number);
                act(&asking.by(&user));
            }
            _ => act(&asking),
        }
    })
}

fn asks(scope: Scope, allowance: &Allowance) -> Call {
    let (throttles, now, today) = (throttle(scope, allowance), Instant::now(), SystemTime::now());
    by(scope, move |asking| {
        black_box(throttles.take_request(asking, now, today)).expect("there is enough");
    })
}

fn loads(scope: Scope, allowance: &Allowance) -> Call {
    let (throttles, now, today) = (throttle(scope, allowance), Instant::now(), SystemTime::now());
    by(scope, move |asking| {
        black_box(throttles.take_download(asking, 16_384, now, today)).expect("there is enough");
    })
}

/// A volume that nobody has used has no count to be looked at.
fn looks(scope: Scope, allowance: &Allowance, known: u32) -> Call {
    let (throttles, now, today) = (throttle(scope, allowance), Instant::now(), SystemTime::now());
    for number in 0..known {
        let asking = Asking::client(client(number));
        throttles.take_download(&asking, 1, now, today).expect("there is enough");
    }
    by(scope, move |asking| {
        black_box(throttles.take_request(asking, now, today)).expect("there is enough");
    })
}

/// Each has one place already.
fn holds(scope: Scope, allowance: &Allowance, known: u32) -> Call {
    let throttles = throttle(scope, allowance);
    let mut host = String::from("0000000.example.net");
    let mut first = |number| {
        rename(&mut host, number);
        let asking = Asking::client(client(number)).to(&host);
        throttles.take_places(&asking).expect("there is enough")
    };
    let held: Vec<_> = (0..known).map(&mut first).collect();
    by(scope, move |asking| {
        black_box(&held);
        black_box(throttles.take_places(asking)).expect("there is enough");
    })
}

/// The bans of a proxy, which never bans anybody by itself.
fn bans() -> Bans {
    let policy = BanPolicy::default()
        .after(Offence::Malformed, Threshold::new(1_000_000_000, Duration::from_secs(3600)));
    let proxy = Proxy::builder().listen("127.0.0.1:0").event_loops(1).ban_policy(policy);
    let proxy = proxy.start().expect("there is a port");
    let bans = proxy.bans().clone();
    proxy.shutdown(Duration::ZERO);
    bans
}

/// As many are banned as are known, or can be.
fn is_banned(known: u32) -> Call {
    let bans = bans();
    for number in 0..known {
        let network: Network = format!("{}/32", client(number)).parse().expect("it is one");
        bans.ban(network, Duration::from_secs(3600));
    }
    Box::new(move |number| {
        black_box(bans.has(client(number)));
    })
}

fn offends() -> Call {
    let bans = bans();
    Box::new(move |number| {
        black_box(bans.report(client(number), Offence::Malformed));
    })
}

/// All who are known have failed once.
fn may_log_in(known: u32) -> Call {
    let (failures, policy, now) =
        (LoginFailures::default(), LoginPolicy::default(), Instant::now());
    for number in 0..known {
        failures.note(client(number), None, &policy, now);
    }
    Box::new(move |number| {
        black_box(failures.refuse_client(client(number), &policy, now));
    })
}

fn fails_to_log_in() -> Call {
    let (failures, policy, now) =
        (LoginFailures::default(), LoginPolicy::default(), Instant::now());
    let mut name = String::from("0000000");
    Box::new(move |number| {
        rename(&mut name, number);
        black_box(failures.note(client(number), Some(&name), &policy, now));
    })
}
