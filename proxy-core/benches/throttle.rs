//! What throttles cost: each of them, for one known client, ten thousand and a million.
//!
//! `cargo bench -p proxy-core --bench throttle` prints a table, and fails if something costs more than
//! was promised. What is measured is what a throttle adds to an exchange, and not the exchange: that
//! costs a hundred times as much, and its noise would hide it.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use proxy_core::throttle::{Allowance, Rate, Scope, Throttle, Throttles, Volume};

/// How many clients are known.
const KNOWN: [u32; 3] = [1, 10_000, 1_000_000];
/// Nanoseconds for each look at a count among a million: two cache misses and a lock.
const PROMISED: f64 = 1000.0;
/// Bytes for each count.
const PROMISED_BYTES: f64 = 112.0;

fn main() -> ExitCode {
    // `cargo test --benches` wants to know whether it runs, not how fast.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let many = Rate::per_second(1 << 40);
    let volume = Allowance::Volume(Volume::monthly(1 << 60));
    let each = Scope::client();
    let limits: [(&str, Scope, Allowance, Take); 6] = [
        ("requests of all", Scope::All, Allowance::Requests(many), request),
        ("requests of a client", each, Allowance::Requests(many), request),
        ("requests to a host", Scope::Host, Allowance::Requests(many), request),
        ("a download of a client", each, Allowance::Download(many), download),
        ("a volume of a client, looked at", each, volume.clone(), request),
        ("a volume of a client, used", each, volume, download),
    ];
    let mut is_kept = true;
    println!("| what | of 1 | of 10,000 | of 1,000,000 | bytes for each of a million |");
    println!("|---|---|---|---|---|");
    for (what, scope, allowance, take) in limits {
        let mut bytes = 0.0;
        let times = KNOWN.map(|known| {
            let throttle = Throttle::new("it", scope, allowance.clone());
            // With room for all, wherever chance puts them.
            let throttle = throttle.with_entries(2_000_000);
            let throttles = Throttles::new([throttle]).expect("it can work");
            let time = nanoseconds(&throttles, known, take);
            let state = &throttles.states()[0];
            bytes = state.bytes as f64 / state.entries.max(1) as f64;
            is_kept &= time <= PROMISED && state.forgotten == 0;
            time
        });
        let [one, some, all] = times;
        let is_many = scope != Scope::All && scope != Scope::Host;
        let shown = if is_many { format!("{bytes:.0}") } else { "–".to_owned() };
        println!("| {what} | {one:.0} ns | {some:.0} ns | {all:.0} ns | {shown} |");
        is_kept &= !is_many || bytes <= PROMISED_BYTES;
    }
    println!("\npromised: at most {PROMISED} ns, and {PROMISED_BYTES} bytes");
    if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Counts something, of a client and a host.
type Take = fn(&Throttles, IpAddr, &str, Instant, SystemTime) -> bool;

fn request(
    throttles: &Throttles,
    client: IpAddr,
    host: &str,
    now: Instant,
    today: SystemTime,
) -> bool {
    throttles.take_request(client, host, now, today).is_ok()
}

fn download(
    throttles: &Throttles,
    client: IpAddr,
    host: &str,
    now: Instant,
    today: SystemTime,
) -> bool {
    throttles.take_download(client, host, 16_384, now, today).is_ok()
}

/// How long one takes, of many by so many clients in no order.
fn nanoseconds(throttles: &Throttles, known: u32, take: Take) -> f64 {
    const CALLS: u32 = 1_000_000;
    let (now, today) = (Instant::now(), SystemTime::now());
    let mut host = String::from("0000000.example.net");
    let mut call = |take: Take, number: u32| {
        // An odd factor and a power of two: each of them once, in no order to speak of.
        let number = number.wrapping_mul(0x9E37_79B1) % known;
        let digits: [u8; 7] =
            std::array::from_fn(|place| b'0' + (number / 10_u32.pow(6 - place as u32) % 10) as u8);
        host.replace_range(..7, std::str::from_utf8(&digits).expect("digits are ASCII"));
        let client = IpAddr::from(Ipv4Addr::from_bits(0x0A00_0000 + number));
        black_box(take(throttles, client, &host, now, today));
    };
    // All of them are known before it is measured, and no page is touched for the first time.
    for number in 0..known.max(CALLS) {
        call(take, number);
        // A volume that nobody has used has no count to be looked at.
        call(download, number);
    }
    let mut round = || {
        let begun = Instant::now();
        (0..CALLS).for_each(|number| call(take, number));
        begun.elapsed()
    };
    let shortest = (0..3).map(|_| round()).min().unwrap_or(Duration::MAX);
    shortest.as_nanos() as f64 / f64::from(CALLS)
}
