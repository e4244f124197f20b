use super::*;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// What becomes of each address when it is tried, counted from there.
#[derive(Clone, Copy)]
enum Fate {
    Connects(u64),
    Refuses(u64),
    Silent,
    /// The system does not even let it be tried.
    Impossible,
}
use Fate::{Connects, Impossible, Refuses, Silent};

/// Runs a race with a clock of its own. Attempts are named after the place of their address.
/// Tells when each address was tried and given up, what came of it all, and when.
fn run(fates: &[Fate], timeouts: &Timeouts) -> (Vec<(u64, String)>, u64, Result<usize, Reason>) {
    let start = Instant::now();
    let port = |place: usize| place as u16 + 1;
    let addresses = (0..fates.len()).map(|place| ([192, 0, 2, 1], port(place)).into()).collect();
    let mut race = Race::new(addresses, timeouts, start);
    let (mut now, mut story, mut pending) = (start, Vec::new(), Vec::<(Instant, usize)>::new());
    loop {
        let at = (now - start).as_millis() as u64;
        match race.next(now) {
            Next::Try(address) => {
                let place = usize::from(address.port()) - 1;
                story.push((at, format!("try {place}")));
                match fates[place] {
                    Connects(after) | Refuses(after) => pending.push((now + ms(after), place)),
                    Silent => {}
                    Impossible => {
                        race.not_begun(Reason::ConnectFailed, now);
                        continue;
                    }
                }
                race.begun(place, now);
            }
            Next::GiveUp(place) => {
                story.push((at, format!("give up {place}")));
                pending.retain(|(_, other)| *other != place);
            }
            Next::Lost(reason) => {
                assert_eq!(race.end().count(), 0, "none is left open");
                return (story, at, Err(reason));
            }
            Next::Wait(until) => {
                assert!(until > now, "waiting gets somewhere");
                let event = pending.iter().copied().min().filter(|(at, _)| *at <= until);
                let Some((at, place)) = event else {
                    now = until;
                    continue;
                };
                now = at;
                pending.retain(|(_, other)| *other != place);
                if let Connects(_) = fates[place] {
                    let mut others: Vec<_> = race.won(place).collect();
                    others.sort_unstable();
                    let at = (now - start).as_millis() as u64;
                    story.extend(others.iter().map(|other| (at, format!("end {other}"))));
                    return (story, at, Ok(place));
                }
                race.failed(place, Reason::ConnectRefused, now);
            }
        }
    }
}

/// A story as it is told below: `0: try 0, 250: try 1`.
fn told(story: &[(u64, String)]) -> String {
    story.iter().map(|(at, what)| format!("{at}: {what}")).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn expect(fates: &[Fate], story: &str, at: u64, outcome: Result<usize, Reason>) {
    let run = run(fates, &Timeouts::default());
    assert_eq!((&*told(&run.0), run.1, run.2), (story, at, outcome));
}

#[test]
fn the_first_address_has_a_head_start() {
    expect(&[Connects(249), Connects(0)], "0: try 0", 249, Ok(0));
}

#[test]
fn an_address_that_does_not_answer_holds_nobody_up() {
    expect(
        &[Silent, Silent, Connects(20)],
        "0: try 0, 250: try 1, 500: try 2, 520: end 0, 520: end 1",
        520,
        Ok(2),
    );
}

#[test]
fn a_late_answer_of_an_early_address_counts() {
    expect(&[Connects(300), Silent], "0: try 0, 250: try 1, 300: end 1", 300, Ok(0));
}

#[test]
fn an_address_that_fails_makes_room_at_once() {
    expect(&[Refuses(10), Refuses(10), Connects(10)], "0: try 0, 10: try 1, 20: try 2", 30, Ok(2));
    expect(&[Impossible, Impossible, Connects(10)], "0: try 0, 0: try 1, 0: try 2", 10, Ok(2));
    // Also where others are still under way.
    expect(
        &[Silent, Refuses(10), Connects(10)],
        "0: try 0, 250: try 1, 260: try 2, 270: end 0",
        270,
        Ok(2),
    );
}

#[test]
fn the_last_failure_is_the_one_that_is_told() {
    expect(&[Refuses(5)], "0: try 0", 5, Err(Reason::ConnectRefused));
    expect(&[Refuses(5), Impossible], "0: try 0, 5: try 1", 5, Err(Reason::ConnectFailed));
}

#[test]
fn each_attempt_has_its_time() {
    expect(&[Silent], "0: try 0, 10000: give up 0", 10_000, Err(Reason::ConnectTimeout));
    expect(
        &[Silent, Silent],
        "0: try 0, 250: try 1, 10000: give up 0, 10250: give up 1",
        10_250,
        Err(Reason::ConnectTimeout),
    );
}

#[test]
fn all_attempts_together_have_their_time() {
    // So far apart that one is over when the next one begins.
    let timeouts = Timeouts { connect: ms(100), connect_stagger: ms(80), ..Timeouts::default() };
    let (story, at, outcome) = run(&[Silent; 9], &timeouts);
    assert_eq!(
        told(&story),
        "0: try 0, 80: try 1, 100: give up 0, 160: try 2, 180: give up 1, 200: give up 2"
    );
    assert_eq!((at, outcome), (200, Err(Reason::ConnectTimeout)));
}

#[test]
fn an_end_far_beyond_the_clock_is_no_accident() {
    let forever =
        Timeouts { connect: Duration::MAX, connect_stagger: Duration::MAX, ..Timeouts::default() };
    assert_eq!(run(&[Refuses(9), Connects(9)], &forever).2, Ok(1));
}
