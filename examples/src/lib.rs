//! Small programs built on `proxy-core`, one a file beside this package's manifest:
//!
//! | | shows |
//! |---|---|
//! | `cargo run --example minimal` | the fewest lines that make a proxy |
//! | `cargo run --example custom_logger` | a logger with a format and a summary of its own |
//! | `cargo run --example allowlist` | a handler that refuses |
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
