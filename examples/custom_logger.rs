//! A logger with a format of its own, and a summary of the hosts at the end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proxy_core::{AccessRecord, BuildError, Event, Proxy, RequestLogger};

/// Prints a line for everything that ends, and counts by host.
#[derive(Default)]
struct Summary {
    hosts: Mutex<BTreeMap<String, Host>>,
}

#[derive(Default)]
struct Host {
    requests: u64,
    bytes: u64,
    failures: u64,
}

impl RequestLogger for Summary {
    fn log(&self, record: &AccessRecord<'_>) {
        if record.event == Event::Open {
            return; // a tunnel is counted when it closes
        }
        let outcome = match (record.reason, record.status) {
            (Some(reason), _) => reason.to_string(),
            (None, Some(status)) => status.to_string(),
            (None, None) => "-".to_owned(),
        };
        println!("{:>8.1?}  {outcome:<20} {} {}", record.duration, record.method, record.target);

        let mut hosts = self.hosts.lock().expect("no thread panics while it counts");
        let host = hosts.entry(record.host.to_owned()).or_default();
        host.requests += 1;
        host.bytes += record.bytes_in + record.bytes_out;
        host.failures += u64::from(record.reason.is_some());
    }
}

fn main() -> Result<(), BuildError> {
    let summary = Arc::new(Summary::default());
    let proxy = Proxy::builder().listen("127.0.0.1:0").logger(Arc::clone(&summary)).start()?;
    let address = proxy.local_addrs()[0];
    println!("listening on {address}");
    println!("try: curl -x http://{address} http://example.com/ http://no.such.host.invalid/");
    examples::until_enter();
    proxy.shutdown(Duration::from_secs(5));

    println!("{:<40} {:>8} {:>12} {:>8}", "host", "requests", "bytes", "failures");
    for (name, host) in summary.hosts.lock().expect("no thread panics while it counts").iter() {
        println!("{name:<40} {:>8} {:>12} {:>8}", host.requests, host.bytes, host.failures);
    }
    Ok(())
}
