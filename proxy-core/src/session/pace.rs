//! [`Pace`]: whether those who are waited for move fast enough.
//!
//! Three are watched, where a rate is asked for at all: the client while it sends a request body,
//! the client while something is pending for it, and the upstream while something is pending for
//! it. An upstream that computes, or has an event to tell now and then, is not: it is not slow,
//! it has nothing to say.
//!
//! Each of them falls behind by the time it is waited for, and catches up by the time its bytes
//! are worth at the least rate. Who is behind by more than the window is too slow:
//!
//! ```text
//!   behind
//!   window ┤- - - - - - - - - - - - - - -╱- - too slow
//!          │        ╱│      ╱│      ╱│  ╱
//!          │      ╱  │    ╱  │    ╱  │╱
//!        0 ┼────╱────┴──╱────┴──╱───────────▶ time
//!            waits   bytes, worth what was waited
//! ```
//!
//! So a pause is forgiven, a trickle is not, and time in which nobody waits does not count. No
//! clock is read here.

use std::time::{Duration, Instant};

use super::Cx;
use super::client::Session;
use super::settings::Settings;
use super::transaction::{Stage, Transaction};
use crate::error::Reason;
use crate::http1::Persistence;

/// The least rate, and how far behind it one may fall.
#[derive(Clone, Copy, Debug)]
struct Rule {
    /// Bytes a second.
    rate: u64,
    window: Duration,
}

/// How those who are waited for in one exchange keep up.
#[derive(Debug)]
pub(super) struct Pace {
    looked: Instant,
    peers: [Peer; PEERS],
    /// When nothing at all has moved for too long, whoever is to blame.
    due: Instant,
}

const PEERS: usize = 3;
const CLIENT_SENDS: usize = 0;
const CLIENT_READS: usize = 1;
const UPSTREAM_READS: usize = 2;

#[derive(Clone, Copy, Debug)]
struct Peer {
    seen: Seen,
    /// Nanoseconds; below zero it is ahead.
    behind: i64,
}

/// What is seen of a peer.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// It is waited for.
    awaited: bool,
    /// Bytes it has sent, or taken, but for a constant.
    moved: i64,
}

/// Bytes by which a reader may be ahead: what the system's own buffer may hold for it. They
/// count when the buffer takes them, all at once and long before the reader has seen the last
/// one. 4 MiB is as far as Linux lets a buffer grow by itself.
const SYSTEM_BUFFER: u64 = 4 * 1024 * 1024;

impl Pace {
    fn new(now: Instant, seen: [Seen; PEERS], rule: Rule) -> Pace {
        let mut peers = seen.map(|seen| Peer { seen, behind: 0 });
        // A reader is waited for only once the system's buffer is full: that much it may have
        // before it yet, and it is not slow for being in the middle of it.
        for peer in &mut peers[CLIENT_READS..] {
            peer.behind = -rule.worth(peer.seen.moved.clamp(0, SYSTEM_BUFFER as i64));
        }
        Pace { looked: now, peers, due: now }
    }

    /// Looks at what has become of the peers. Gives the one that is too slow.
    fn look(&mut self, now: Instant, seen: [Seen; PEERS], rule: Rule) -> Option<usize> {
        let passed = now.saturating_duration_since(std::mem::replace(&mut self.looked, now));
        for (number, (peer, seen)) in self.peers.iter_mut().zip(seen).enumerate() {
            let ahead = if number == CLIENT_SENDS { 0 } else { rule.worth(SYSTEM_BUFFER as i64) };
            let waited = if peer.seen.awaited { nanos(passed) } else { 0 };
            let worth = rule.worth(seen.moved.saturating_sub(peer.seen.moved));
            peer.behind = peer.behind.saturating_add(waited).saturating_sub(worth).max(-ahead);
            peer.seen = seen;
        }
        self.peers.iter().position(|peer| peer.seen.awaited && peer.behind > nanos(rule.window))
    }

    /// How long to wait until somebody will be too slow who does not move.
    fn patience(&self, rule: Rule) -> Duration {
        let awaited = self.peers.iter().filter(|peer| peer.seen.awaited);
        let left = awaited.map(|peer| nanos(rule.window).saturating_sub(peer.behind)).min();
        // One more, so that it is not exactly in time then.
        left.map_or(Duration::MAX, |left| Duration::from_nanos(left.max(0) as u64 + 1))
    }
}

impl Rule {
    fn of(settings: &Settings) -> Option<Rule> {
        let rate = settings.limits.min_rate;
        (rate > 0).then_some(Rule { rate, window: settings.timeouts.min_rate_window })
    }

    /// The time in which so many bytes move at the least rate.
    fn worth(self, bytes: i64) -> i64 {
        let nanos = i128::from(bytes) * 1_000_000_000 / i128::from(self.rate);
        nanos.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

impl Session {
    /// Something has moved: if nothing more does, that is noticed `after` some time; earlier, if
    /// it does not move fast enough. An error is the reason why it must end now.
    pub(super) fn keep_pace(
        &mut self,
        transaction: &mut Transaction,
        after: Duration,
        cx: &mut Cx,
    ) -> Result<(), Reason> {
        let mut patience = Duration::MAX;
        if let Some(rule) = Rule::of(&self.settings) {
            let seen = self.seen(transaction, cx);
            if transaction.pace.is_none() && seen.iter().any(|seen| seen.awaited) {
                transaction.pace = Some(Box::new(Pace::new(cx.now, seen, rule)));
            }
            if let Some(pace) = &mut transaction.pace {
                if let Some(slow) = pace.look(cx.now, seen, rule) {
                    return Err(reason(slow));
                }
                pace.due = cx.now + after;
                patience = pace.patience(rule);
            }
        }
        cx.timers.arm(&mut self.timer, self.key, cx.now, after.min(patience));
        Ok(())
    }

    /// The timer has come up in the stage in which bytes move. `Some` where it was only to look
    /// at the pace: an error is the reason why it must end now, else it goes on.
    pub(super) fn look_at_pace(
        &mut self,
        transaction: &mut Transaction,
        cx: &mut Cx,
    ) -> Option<Result<(), Reason>> {
        let left = transaction.pace.as_ref()?.due.saturating_duration_since(cx.now);
        if left.is_zero() {
            return None;
        }
        Some(self.keep_pace(transaction, left, cx))
    }

    fn seen(&self, transaction: &Transaction, cx: &Cx) -> [Seen; PEERS] {
        let Transaction { upstream, request_body, .. } = transaction;
        let for_upstream = !upstream.outbound.is_empty();
        let for_client = !self.client.outbound.is_empty();
        let taken_at = |socket| cx.sockets[socket].written() as i64;
        let (client_sends, upstream_took) = match transaction.stage {
            Stage::Talking(socket) => (
                !for_upstream
                    && !upstream.deaf
                    && !transaction.waits_to_be_told()
                    && !transaction.throttled.holds_up(),
                taken_at(socket),
            ),
            // The rest of a body that nobody wants, read so that the connection can be kept.
            _ => {
                let is_read = !for_client && transaction.streamed.is_none();
                (is_read && transaction.persistence == Persistence::Keep, 0)
            }
        };
        let mut seen = [Seen::default(); PEERS];
        // Who sends can make framing as long as it likes: it is no progress. Who reads has to take
        // it as it comes.
        seen[CLIENT_SENDS] = Seen {
            awaited: client_sends && !request_body.is_done(),
            moved: request_body.payload() as i64,
        };
        seen[CLIENT_READS] = Seen { awaited: for_client, moved: taken_at(self.client.socket) };
        seen[UPSTREAM_READS] = Seen { awaited: for_upstream, moved: upstream_took };
        seen
    }
}

fn reason(slow: usize) -> Reason {
    match slow {
        UPSTREAM_READS => Reason::UpstreamTooSlow,
        _ => Reason::ClientTooSlow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { rate: 1000, window: Duration::from_secs(5) };
    const SECOND: Duration = Duration::from_secs(1);

    /// An exchange on virtual time.
    struct Watch {
        pace: Pace,
        now: Instant,
        seen: [Seen; PEERS],
    }

    impl Watch {
        fn waiting_for(peer: usize) -> Watch {
            let mut seen = [Seen::default(); PEERS];
            seen[peer].awaited = true;
            let now = Instant::now();
            Watch { pace: Pace::new(now, seen, RULE), now, seen }
        }

        fn after(&mut self, passed: Duration) -> Option<usize> {
            self.now += passed;
            self.pace.look(self.now, self.seen, RULE)
        }

        /// Has `peer` move so many bytes each `step`, and gives when it is too slow.
        fn moves(&mut self, peer: usize, bytes: i64, step: Duration) -> Option<Duration> {
            let start = self.now;
            for _ in 0..60_000 {
                self.seen[peer].moved += bytes;
                if self.after(step) == Some(peer) {
                    return Some(self.now - start);
                }
            }
            None
        }
    }

    #[test]
    fn who_moves_nothing_has_the_time_of_the_window() {
        let mut watch = Watch::waiting_for(CLIENT_SENDS);
        assert_eq!(watch.after(RULE.window), None);
        assert_eq!(watch.pace.patience(RULE), Duration::from_nanos(1));
        assert_eq!(watch.after(watch.pace.patience(RULE)), Some(CLIENT_SENDS));
    }

    #[test]
    fn a_trickle_is_too_slow_in_whatever_pieces_it_comes() {
        let micro = Duration::from_micros;
        // Nothing, looked at ten thousand times a second; then a tenth of the least rate.
        for (bytes, step) in
            [(0, micro(100)), (1, micro(10_000)), (10, micro(100_000)), (100, SECOND)]
        {
            let until = Watch::waiting_for(CLIENT_SENDS).moves(CLIENT_SENDS, bytes, step).unwrap();
            assert!((5 * SECOND..=7 * SECOND).contains(&until), "{step:?}: {until:?}");
        }
    }

    #[test]
    fn the_least_rate_is_fast_enough() {
        for (bytes, step) in [(1, SECOND / 1000), (1000, SECOND), (4000, 4 * SECOND)] {
            for peer in 0..PEERS {
                assert_eq!(Watch::waiting_for(peer).moves(peer, bytes, step), None);
            }
        }
    }

    #[test]
    fn a_fast_beginning_does_not_pay_for_a_slow_end() {
        let mut watch = Watch::waiting_for(CLIENT_SENDS);
        assert_eq!(watch.moves(CLIENT_SENDS, 1_000_000, SECOND), None);
        let until = watch.moves(CLIENT_SENDS, 100, SECOND).unwrap();
        assert!(until <= 7 * SECOND, "{until:?}");
    }

    #[test]
    fn a_reader_has_what_the_systems_buffer_took_to_its_credit() {
        for peer in [CLIENT_READS, UPSTREAM_READS] {
            let mut watch = Watch::waiting_for(peer);
            watch.seen[peer].moved += 3 * SYSTEM_BUFFER as i64;
            assert_eq!(watch.after(SECOND), None);
            let until = watch.moves(peer, 0, SECOND).unwrap();
            let credit = Duration::from_secs(SYSTEM_BUFFER / RULE.rate);
            assert!(until >= credit && until <= credit + 7 * SECOND, "{until:?}");
        }
    }

    #[test]
    fn what_the_systems_buffer_took_before_anybody_waited_counts_too() {
        for (taken, credit) in [(0, 0), (60_000, 60), (1 << 40, SYSTEM_BUFFER / RULE.rate)] {
            let mut seen = [Seen { awaited: true, moved: taken }; PEERS];
            seen[CLIENT_SENDS].awaited = false;
            let now = Instant::now();
            let mut watch = Watch { pace: Pace::new(now, seen, RULE), now, seen };
            let until = watch.moves(CLIENT_READS, 0, SECOND).unwrap();
            let credit = Duration::from_secs(credit);
            assert!(until >= credit && until <= credit + 7 * SECOND, "{taken}: {until:?}");
        }
    }

    #[test]
    fn time_in_which_nobody_waits_does_not_count() {
        let mut watch = Watch::waiting_for(CLIENT_SENDS);
        for _ in 0..100 {
            // Now the client is waited for, now the upstream; a second each.
            watch.seen[CLIENT_SENDS].awaited ^= true;
            watch.seen[CLIENT_SENDS].moved += 500;
            assert_eq!(watch.after(SECOND), None);
        }
        watch.seen = [Seen::default(); PEERS];
        assert_eq!(watch.after(1000 * SECOND), None);
        assert_eq!(watch.pace.patience(RULE), Duration::MAX);
    }

    #[test]
    fn who_is_too_slow_is_named() {
        for (peer, expected) in [
            (CLIENT_SENDS, Reason::ClientTooSlow),
            (CLIENT_READS, Reason::ClientTooSlow),
            (UPSTREAM_READS, Reason::UpstreamTooSlow),
        ] {
            let slow = Watch::waiting_for(peer).after(2 * RULE.window);
            assert_eq!((slow, slow.map(reason)), (Some(peer), Some(expected)));
        }
    }
}
