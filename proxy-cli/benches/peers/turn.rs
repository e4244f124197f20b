//! [`play`]: all rounds of one scenario.

use crate::closed_loop::ClosedLoop;
use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::scenario::{Load, Request, Scenario};
use crate::suite::Effort;
use crate::table::{Entry, Table};
use crate::{bulk, calls, memory, paced, short};
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::time::Duration;

/// Has all entrants take turns in random order.
pub(crate) fn play(
    scenario: &'static Scenario,
    effort: Effort,
    origin: SocketAddr,
    machine: &Machine,
) -> Table {
    let mut table = Table::new(scenario);
    let mut contestants = Vec::new();
    for &entrant in scenario.entrants {
        match Contestant::start(entrant, scenario, origin, machine) {
            Ok(contestant) => {
                contestants.push(contestant);
                table.entries.push(Entry { entrant, samples: Vec::new() });
            }
            Err(error) => table.absent.push(format!("{}: {error}", entrant.name)),
        }
    }
    let fresh = scenario.suite.wants_fresh();
    if fresh {
        // It was to be seen that they can.
        contestants.clear();
    }
    for round in 1..=effort.rounds {
        eprint!("\r{}: round {round} of {} ", scenario.name, effort.rounds);
        for turn in shuffled(table.entries.len()) {
            let entrant = table.entries[turn].entrant;
            let sample = if fresh {
                let started = Contestant::start(entrant, scenario, origin, machine);
                started
                    .map_err(|error| error.to_string())
                    .and_then(|contestant| measure(&contestant, scenario, effort.seconds, machine))
            } else {
                measure(&contestants[turn], scenario, effort.seconds, machine)
            };
            table.entries[turn].samples.push(sample);
        }
    }
    eprintln!();
    table
}

fn measure(
    contestant: &Contestant,
    scenario: &Scenario,
    seconds: u32,
    machine: &Machine,
) -> Result<Vec<f64>, String> {
    match scenario.load {
        Load::Closed { request, connections } => {
            ClosedLoop { request, connections, seconds, machine }.measure(contestant)
        }
        Load::Short { connections } => short::measure(contestant, connections, seconds, machine),
        Load::Bulk(transfer) => bulk::measure(contestant, transfer, machine),
        Load::Paced { beside } => paced::measure(contestant, beside, seconds, machine),
        Load::Crowd(crowd, count) => memory::measure(contestant, crowd, count, machine),
        Load::Counted { connections } => {
            let load = ClosedLoop { request: Request::SMALL, connections, seconds, machine };
            calls::measure(contestant, &load)
        }
        Load::Start => Ok(vec![contestant.took.as_secs_f64() * 1e3]),
    }
}

/// How long all rounds take, about: there is more to a turn than its load.
pub(crate) fn estimate(scenario: &Scenario, effort: Effort) -> Duration {
    let turns = (effort.rounds * scenario.entrants.len()) as f64;
    let load = f64::from(effort.seconds);
    Duration::from_secs_f64(match scenario.load {
        Load::Closed { .. } | Load::Short { .. } => turns * (load + 0.3),
        Load::Bulk(_) => turns * load * 0.6,
        Load::Paced { .. } => turns * (load + 1.0),
        Load::Crowd(..) => turns * load,
        Load::Counted { .. } => turns * (2.0 * load + 0.5),
        Load::Start => turns * 0.1,
    })
}

/// The numbers below `count` in random order (Fisher and Yates).
fn shuffled(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        // A fresh `RandomState` is the standard library's own source of randomness; its bias
        // over a handful of contestants is of no account.
        let random = RandomState::new().hash_one(last) as usize;
        order.swap(last, random % (last + 1));
    }
    order
}
