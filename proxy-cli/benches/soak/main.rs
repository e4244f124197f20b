//! The soak run: everything at once for minutes, against the real program, and at the end every
//! request is accounted for.
//!
//! ```text
//! cargo bench -p proxy-cli --bench soak -- [--minutes N] [--seconds N] [--help]
//! ```
//!
//! ```text
//!   actors (clients) ───▶ proxy-cli ───▶ origin, echo, nobody
//!        │                 │  ▲  ▲
//!        │                 │  │  └── SIGUSR1, SIGHUP, SIGTERM; readings of /proc
//!        ▼                 ▼  └── watchers: /metrics, /events, /connections
//!     Ledger            access log
//!        └──── Judge ─────┘
//! ```
//!
//! Each actor enters a request into the ledger before it sends it, with what must come of it; each
//! record of the log is one of these requests, known by the number in its `User-Agent`, or, where
//! nothing was understood, by the client's address. `docs/soak.md` tells how to read the result.

#![forbid(unsafe_code)]

mod actors;
mod content;
mod echo;
mod exchange;
mod fault;
mod figures;
mod flatness;
mod judge;
mod ledger;
mod options;
mod origin;
mod program;
mod reading;
mod record;
mod report;
#[path = "../../../proxy-core/tests/catalogue/rows/mod.rs"]
mod rows;
mod run;
#[path = "../../../proxy-core/tests/catalogue/search.rs"]
#[allow(dead_code)] // each of the programs that include this uses a part of it
mod search;
mod stage;
mod watchers;
mod wire;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use options::{Options, Task};

fn main() -> ExitCode {
    let options = match options::parse(std::env::args().skip(1)) {
        Ok(Task::Run(options)) => options,
        Ok(Task::Help) => {
            println!("{}", options::USAGE);
            return ExitCode::SUCCESS;
        }
        Ok(Task::Nothing) => {
            println!("soak is a benchmark: it runs under cargo bench");
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprintln!("soak: {wrong}\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    if !cfg!(target_os = "linux") {
        eprintln!("soak reads /proc, and has its clients come from many addresses: Linux only");
        return ExitCode::FAILURE;
    }
    match soak(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs it, and tells whether all went well.
fn soak(options: &Options) -> io::Result<bool> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let folder = folder.join(format!("soak-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    println!("{} s of load, seed {}", options.time.as_secs(), options.seed);
    let result = run::run(options, &folder);
    if let Ok(report) = &result {
        println!("{report}");
    }
    let is_good = result.as_ref().is_ok_and(|report| report.is_good());
    if is_good && !options.keeps_logs {
        fs::remove_dir_all(&folder)?;
    } else {
        println!("the logs are in {}", folder.display());
    }
    result.map(|_| is_good)
}
