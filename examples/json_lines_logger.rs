//! A log for programs, and such a program: [`JsonLogger`] writes a file, line by line; at the
//! end the file is read back and summed up.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use proxy_core::{JsonLogger, Proxy};
use serde::Deserialize;

/// What the consumer needs of a line. The documentation of [`JsonLogger`] lists all keys;
/// those that are not named here are skipped, so new ones do no harm.
#[derive(Deserialize)]
struct Line {
    event: String,
    target: String,
    status: Option<u16>,
    reason: Option<String>,
    bytes_out: u64,
    duration_ms: f64,
}

#[derive(Default)]
struct Summary {
    requests: u64,
    bytes: u64,
    slowest: Option<Line>,
    /// How often each status was sent; `None` where none could be.
    statuses: BTreeMap<Option<u16>, u64>,
    reasons: BTreeMap<String, u64>,
}

impl Summary {
    fn read(path: &Path) -> Result<Summary, Box<dyn Error>> {
        let mut summary = Summary::default();
        for (number, line) in (1..).zip(BufReader::new(File::open(path)?).lines()) {
            let line: Line = serde_json::from_str(&line?)
                .map_err(|error| format!("{}:{number}: {error}", path.display()))?;
            // A tunnel has two lines: one when it opens, and one with all counts when it closes.
            if line.event == "close" {
                summary.add(line);
            }
        }
        Ok(summary)
    }

    fn add(&mut self, line: Line) {
        self.requests += 1;
        self.bytes += line.bytes_out;
        *self.statuses.entry(line.status).or_default() += 1;
        if let Some(reason) = &line.reason {
            *self.reasons.entry(reason.clone()).or_default() += 1;
        }
        if self.slowest.as_ref().is_none_or(|slowest| slowest.duration_ms < line.duration_ms) {
            self.slowest = Some(line);
        }
    }

    fn print(&self) {
        println!("{} requests, {} bytes to clients", self.requests, self.bytes);
        for (status, count) in &self.statuses {
            match status {
                Some(status) => println!("{count:>6} × {status}"),
                None => println!("{count:>6} × no answer"),
            }
        }
        for (reason, count) in &self.reasons {
            println!("{count:>6} × {reason}");
        }
        if let Some(Line { duration_ms, target, .. }) = &self.slowest {
            println!("slowest: {duration_ms} ms for {target}");
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = match std::env::args_os().nth(1) {
        Some(path) => PathBuf::from(path),
        None => std::env::temp_dir().join(format!("requests-{}.jsonl", std::process::id())),
    };
    let logger = JsonLogger::new(File::create(&path)?);
    let proxy = Proxy::builder().listen("127.0.0.1:0").logger(logger).start()?;
    let address = proxy.local_addrs()[0];
    println!("listening on {address}, a line for each request goes to {}", path.display());
    println!("try: curl -x http://{address} http://example.com/ http://no.such.host.invalid/");
    println!("and: tail -f {}", path.display());
    examples::until_enter();
    proxy.shutdown(Duration::from_secs(5)); // all lines are written when it returns

    Summary::read(&path)?.print();
    Ok(())
}
