//! Each fault at each moment on each side: the other side gets the right answer or the right cut,
//! there is one record with the right reason, nothing is left behind, and the next request is
//! served. What is right is said in `rule.rs`; the table of it in `docs/faults.md` is made here.

// What a full backlog does, and what is left to be read behind a reset, is the system's affair:
// the rules are those of Linux.
#![cfg(target_os = "linux")]

mod case;
mod exchange;
mod phase;
mod rule;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod tunnel;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use case::Case;
use phase::{Phase, Side};
use support::Fault;

/// Cases that are played at once, each with a proxy of its own.
const PLAYERS: usize = 12;

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for side in Side::ALL {
        for phase in Phase::ALL {
            for fault in Fault::ALL {
                if let Ok(verdict) = rule::rule(side, phase, fault) {
                    cases.push(Case { side, phase, fault, verdict });
                }
            }
        }
    }
    cases
}

/// Plays all cases, and gives what was wrong with those that fail.
fn play(cases: &[Case]) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let player = || {
        let mut failures = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| case.run())) {
                let what = panic.downcast::<String>().map_or_else(
                    |other| other.downcast::<&str>().map_or("?".to_owned(), |it| it.to_string()),
                    |it| *it,
                );
                failures.push(format!("{case:?}: {what}"));
            }
        }
        failures
    };
    thread::scope(|scope| {
        let players: Vec<_> = (0..PLAYERS).map(|_| scope.spawn(player)).collect();
        players.into_iter().flat_map(|player| player.join().unwrap()).collect()
    })
}

/// How many descriptors this process has.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn each_fault_at_each_moment_on_each_side_comes_to_what_the_table_says() {
    let cases = cases();
    let before = descriptors();
    let failures = play(&cases);
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
    // Nothing else runs in this process: what is open now was open before.
    assert_eq!(descriptors(), before, "descriptors are left");
    println!("{} cases are as docs/faults.md says", cases.len());
    table::expect_up_to_date();
}
