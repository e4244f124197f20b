//! The invariant everywhere: logged + panicked + dropped = pushed.

use super::*;
use crossbeam_channel::{bounded, unbounded};
use std::sync::Mutex;

/// Longer than any test takes that passes.
const LONG: Duration = Duration::from_secs(60);

/// A logger that says when a record comes, and holds it until it is let go.
struct Held {
    entered: Sender<u64>,
    /// Disconnected: every record may pass.
    hold: Receiver<()>,
    flushed: Sender<()>,
}

impl RequestLogger for Held {
    fn log(&self, record: &AccessRecord<'_>) {
        // The test may have heard enough.
        let _ = self.entered.send(record.id);
        let _ = self.hold.recv();
    }

    fn flush(&self) {
        let _ = self.flushed.send(());
    }
}

/// The test's side of a [`Held`] logger.
struct Holder {
    entered: Receiver<u64>,
    let_go: Sender<()>,
    flushed: Receiver<()>,
}

fn held(limit: usize) -> (LogThread, Holder) {
    let ((entered_in, entered), (let_go, hold), (flushed_in, flushed)) =
        (unbounded(), bounded(0), unbounded());
    let logger = Held { entered: entered_in, hold, flushed: flushed_in };
    (LogThread::start(Arc::new(logger), limit).unwrap(), Holder { entered, let_go, flushed })
}

impl Holder {
    /// Waits until the logger holds a record.
    fn occupied(&self) -> u64 {
        self.entered.recv_timeout(LONG).expect("a record was handed over")
    }

    /// Lets everything pass. What the logger has seen stays here to be read.
    fn release(self) -> (Receiver<u64>, Receiver<()>) {
        drop(self.let_go);
        (self.entered, self.flushed)
    }
}

fn push(sender: &mut LogSender, ids: impl IntoIterator<Item = u64>) {
    let mut record = AccessRecord::new(([127, 0, 0, 1], 5).into());
    for id in ids {
        record.id = id;
        sender.push(&record);
    }
}

#[test]
fn everything_is_logged_in_the_order_of_its_loop() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let logger = {
        let seen = Arc::clone(&seen);
        move |record: &AccessRecord<'_>| seen.lock().unwrap().push(record.id)
    };
    let mut log = LogThread::start(Arc::new(logger), 10_000).unwrap();
    let (mut even, mut odd) = (log.sender(), log.sender());
    for id in (0..2_000).step_by(2) {
        push(&mut even, [id]);
        push(&mut odd, [id + 1]);
    }
    drop((even, odd));
    assert_eq!(log.shutdown(LONG), LogCounts { logged: 2_000, panicked: 0, dropped: 0, lost: 0 });
    for parity in [0, 1] {
        let seen = seen.lock().unwrap();
        assert!(seen.iter().copied().filter(|id| id % 2 == parity).eq((parity..2_000).step_by(2)));
    }
}

#[test]
fn a_batch_goes_when_it_is_full_or_asked_for() {
    let (mut log, holder) = held(10_000);
    let mut sender = log.sender();
    push(&mut sender, 1..BATCH as u64);
    assert_eq!(sender.pending(), BATCH - 1);
    push(&mut sender, [0]);
    assert_eq!(sender.pending(), 0);
    push(&mut sender, [0]);
    sender.flush();
    assert_eq!(sender.pending(), 0);
    sender.flush();
    drop(holder.release());
    drop(sender);
    log.shutdown(LONG);
}

#[test]
fn emptied_batches_come_back() {
    let (log, holder) = held(10_000);
    let mut sender = log.sender();
    let (_, flushed) = {
        push(&mut sender, [1]);
        sender.flush();
        holder.occupied();
        holder.release()
    };
    // The batch is given back before the logger is flushed.
    flushed.recv_timeout(LONG).unwrap();
    assert_eq!(sender.emptied.len(), 1);
    push(&mut sender, [2]);
    sender.flush();
    flushed.recv_timeout(LONG).unwrap();
    assert_eq!(sender.emptied.len(), 1);
}

#[test]
fn a_blocked_logger_costs_records_not_memory() {
    let (mut log, holder) = held(1_000);
    let mut sender = log.sender();
    push(&mut sender, [0]);
    sender.flush();
    assert_eq!(holder.occupied(), 0);
    push(&mut sender, 1..=2_000);
    assert_eq!(log.counts(), LogCounts { logged: 0, panicked: 0, dropped: 1_001, lost: 0 });

    let (seen, _) = holder.release();
    drop(sender);
    assert_eq!(
        log.shutdown(LONG),
        LogCounts { logged: 1_000, panicked: 0, dropped: 1_001, lost: 0 }
    );
    assert!(seen.try_iter().eq(1..1_000), "the oldest are kept");
}

#[test]
fn long_texts_count_for_more() {
    let (mut log, holder) = held(100);
    let mut sender = log.sender();
    push(&mut sender, [0]);
    sender.flush();
    holder.occupied();
    let target = format!("http://example.com/{}", "a".repeat(16_000));
    let mut record = AccessRecord::new(([127, 0, 0, 1], 5).into());
    record.target = &target;
    for _ in 0..10 {
        sender.push(&record);
    }
    // 100 records may have 51,200 bytes.
    assert_eq!((sender.pending(), log.counts().dropped), (4, 6));
    drop(holder.release());
    drop(sender);
    assert_eq!(log.shutdown(LONG), LogCounts { logged: 5, panicked: 0, dropped: 6, lost: 0 });
}

#[test]
fn a_batch_without_a_place_stays_and_grows() {
    let (mut log, holder) = held(10_000);
    let mut sender = log.sender();
    push(&mut sender, [0]);
    sender.flush();
    holder.occupied();
    for id in 1..=HANDED_OVER as u64 + 36 {
        push(&mut sender, [id]);
        sender.flush();
    }
    assert_eq!(sender.pending(), 36);
    let (seen, flushed) = holder.release();
    // The queue is empty when the logger is flushed at last: now there is a place.
    flushed.iter().find(|()| seen.len() == HANDED_OVER).unwrap();
    sender.flush();
    assert_eq!(sender.pending(), 0);
    assert_eq!(log.shutdown(LONG).logged, 101);
    assert!(seen.try_iter().eq(1..=100));
}

#[test]
fn a_panic_costs_its_record_only() {
    let logger = |record: &AccessRecord<'_>| {
        if record.id.is_multiple_of(3) {
            panic::resume_unwind(Box::new("the third"));
        }
    };
    let mut log = LogThread::start(Arc::new(logger), 10_000).unwrap();
    let mut sender = log.sender();
    push(&mut sender, 1..=999);
    drop(sender);
    assert_eq!(log.shutdown(LONG), LogCounts { logged: 666, panicked: 333, dropped: 0, lost: 0 });
}

#[test]
fn shutdown_logs_what_was_handed_over_and_flushes_last() {
    let (mut log, holder) = held(10_000);
    let (mut early, mut late) = (log.sender(), log.sender());
    push(&mut early, 0..300);
    early.flush();
    holder.occupied();
    let (seen, flushed) = holder.release();
    let counts = log.shutdown(LONG);
    assert_eq!((counts.logged, seen.len()), (300, 299));
    assert!(!flushed.is_empty());

    // Loops that have not ended go on, unheard but counted.
    push(&mut early, 300..310);
    early.flush();
    push(&mut late, 310..320);
    drop((early, late));
    assert_eq!(log.counts(), LogCounts { logged: 300, panicked: 0, dropped: 20, lost: 0 });
    assert_eq!(log.shutdown(LONG), log.counts());
}

#[test]
fn shutdown_returns_at_its_deadline_when_the_logger_blocks() {
    for waiting in [0, 2 * HANDED_OVER as u64] {
        let (mut log, holder) = held(10_000);
        let mut sender = log.sender();
        // With many batches waiting there is no place even for the word to stop.
        for id in 0..=waiting {
            push(&mut sender, [id]);
            sender.flush();
        }
        holder.occupied();
        let (deadline, begun) = (Duration::from_millis(20), Instant::now());
        assert_eq!(log.shutdown(deadline).logged, 0);
        assert!(begun.elapsed() >= deadline);

        // Left behind, the thread goes on when it can, and ends.
        let (alive, totals) = (log.alive.clone(), Arc::clone(&log.totals));
        drop((log, sender));
        drop(holder.release());
        assert_eq!(alive.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
        let counts = totals.counts();
        assert_eq!(counts.logged + counts.panicked + counts.dropped, waiting + 1);
    }
}

#[test]
fn under_many_loops_the_counts_add_up() {
    const LOOPS: u64 = 4;
    const RECORDS: u64 = 5_000;
    let logger = |record: &AccessRecord<'_>| {
        if record.id % 100 == 99 {
            panic::resume_unwind(Box::new("the hundredth"));
        }
    };
    // A limit that is met again and again.
    let mut log = LogThread::start(Arc::new(logger), 300).unwrap();
    thread::scope(|scope| {
        for _ in 0..LOOPS {
            let mut sender = log.sender();
            scope.spawn(move || push(&mut sender, 0..RECORDS));
        }
    });
    let counts = log.shutdown(LONG);
    assert_eq!(counts.logged + counts.panicked + counts.dropped, LOOPS * RECORDS);
    assert!(counts.logged > 0);
}

#[test]
fn where_none_may_be_lost_a_full_log_says_so_and_takes_everything() {
    let (log, holder) = held(100);
    let mut log = log.with_overflow(LogOverflow::Block);
    let mut sender = log.sender();
    let backlog = log.backlog();
    push(&mut sender, [0]);
    sender.flush();
    holder.occupied();
    push(&mut sender, 1..99);
    assert!(!backlog.is_full() && !sender.holds_up());
    push(&mut sender, [99]);
    assert!(backlog.is_full() && sender.holds_up());
    // Those who were let in before.
    push(&mut sender, 100..200);
    assert_eq!(log.counts().dropped, 0);

    drop((holder.release(), sender));
    assert_eq!(log.shutdown(LONG), LogCounts { logged: 200, panicked: 0, dropped: 0, lost: 0 });
    assert!(!backlog.is_full(), "it has caught up");
}

#[test]
fn where_none_may_be_lost_the_last_records_wait_for_a_place() {
    let (log, holder) = held(10_000);
    let mut log = log.with_overflow(LogOverflow::Block);
    let mut sender = log.sender();
    // One with the logger, all places taken, and some without a place.
    for id in 0..=HANDED_OVER as u64 + 10 {
        push(&mut sender, [id]);
        sender.flush();
        if id == 0 {
            holder.occupied();
        }
    }
    assert_eq!(sender.pending(), 10);
    let (_seen, _flushed) = thread::scope(|scope| {
        let ends = scope.spawn(move || drop(sender));
        let seen = holder.release();
        ends.join().unwrap();
        seen
    });
    let counts = log.shutdown(LONG);
    assert_eq!((counts.logged, counts.dropped), (HANDED_OVER as u64 + 11, 0));
}

#[test]
fn a_log_that_drops_holds_up_nobody() {
    let (mut log, holder) = held(1);
    let mut sender = log.sender();
    push(&mut sender, 0..10);
    assert!(!log.backlog().is_full() && !sender.holds_up());
    drop((holder.release(), sender));
    assert_eq!(log.shutdown(LONG).dropped, 9);
}

/// A logger that loses every other record.
#[derive(Default)]
struct Forgetful(AtomicU64);

impl RequestLogger for Forgetful {
    fn log(&self, _: &AccessRecord<'_>) {
        self.0.fetch_add(1, Relaxed);
    }

    fn lost(&self) -> u64 {
        self.0.load(Relaxed) / 2
    }
}

#[test]
fn what_loggers_have_lost_is_counted_also_of_those_that_were_replaced() {
    let mut log = LogThread::start(Arc::new(Forgetful::default()), 1_000).unwrap();
    let mut sender = log.sender();
    push(&mut sender, 0..20);
    sender.flush();
    assert!(log.replace(Arc::new(Forgetful::default()), LONG));
    push(&mut sender, 20..26);
    drop(sender);
    let counts = LogCounts { logged: 26, panicked: 0, dropped: 0, lost: 10 + 3 };
    assert_eq!(log.shutdown(LONG), counts);
}
