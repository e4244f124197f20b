//! Small programs built on `proxy-core`, one a file beside this package's manifest:
//!
//! | | shows |
//! |---|---|
//! | `cargo run --example minimal` | the fewest lines that make a proxy |
//! | `cargo run --example custom_logger` | a logger with a format and a summary of its own |
//! | `cargo run --example allowlist` | a handler that refuses |
//! | `cargo run --example mock_responses` | a handler that answers some URLs itself, from a table |
//! | `cargo run --example rewrite_headers` | a handler that changes fields, in both directions |
//! | `cargo run --example deferred_decision` | a decision that asks somebody slow, on the worker pool |
//! | `cargo run --example event_stream` | a page that says what happens as it happens: server-sent events |
//! | `cargo run --example take_over` | a protocol of one's own, in plain blocking code |
//! | `cargo run --example custom_connector` | all traffic through a Unix socket, or to a fixed address |
//! | `cargo run --example two_proxies` | two proxies in one process, one behind the other |
//! | `cargo run --example metrics` | a page where Prometheus finds what a proxy does |
//! | `cargo run --example json_lines_logger` | a log for programs, and a program that reads it |
//! | `cargo run --example sqlite_logger` | records in an SQLite database, and what to ask it |
//! | `cargo test -p examples --test in_a_test` | a proxy inside a test, to see what a client sends |
//!
//! This library holds only what they share.

use std::io::{self, BufRead};

/// Blocks until Enter is pressed or standard input ends.
pub fn until_enter() {
    println!("press Enter to stop");
    // An input that cannot be read has ended, too.
    let _ = io::stdin().lock().read_line(&mut String::new());
}

/// Runs the programs in the documents as tests. Here and not in `proxy-core`, since a published
/// package cannot read what lies outside of it.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../README.md")]
    struct Readme;

    #[doc = include_str!("../../docs/embedding.md")]
    struct Embedding;

    #[doc = include_str!("../../docs/bans.md")]
    struct Bans;

    #[doc = include_str!("../../docs/limits-and-users.md")]
    struct LimitsAndUsers;

    #[doc = include_str!("../../docs/metrics.md")]
    struct Metrics;

    #[doc = include_str!("../../docs/privacy.md")]
    struct Privacy;

    #[doc = include_str!("../../docs/rules.md")]
    struct Rules;

    #[doc = include_str!("../../proxy-core/README.md")]
    struct PackageReadme;
}
