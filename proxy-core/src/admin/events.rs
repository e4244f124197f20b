//! [`EventsLogger`]: records as they are made, to whoever watches.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::event_filter::EventFilter;
use crate::handler::{BodySender, BodyStream, TrySendError, body_stream};
use crate::logger::{AccessRecord, JsonText, RequestLogger};

/// A logger that gives each record to those who read `/events` at this moment. To be put beside the
/// log in a [`Tee`](crate::Tee), and given to the [`AdminHandler`](super::AdminHandler). Clones are
/// the same.
///
/// While nobody watches, a record costs a look at a number. Who reads too slowly misses events, and is
/// told how many with the next one that finds room, or at the end; the log and the proxy wait for nobody.
#[derive(Clone, Default)]
pub struct EventsLogger(Arc<Hub>);

#[derive(Default)]
struct Hub {
    /// How many watch, to be looked at without the lock.
    count: AtomicUsize,
    watchers: Mutex<Vec<Watcher>>,
}

struct Watcher {
    filter: EventFilter,
    sender: BodySender,
    /// How many events found no room since the last that did.
    lost: u64,
}

/// Who watches otherwise than by a script of their own is one person at a screen.
const WATCHERS: usize = 16;
/// How much of what happens may wait for one that watches: some hundreds of records.
const WAITING: usize = 256 * 1024;

impl EventsLogger {
    /// Nobody watches yet.
    pub fn new() -> EventsLogger {
        EventsLogger::default()
    }

    /// Ends all streams: each as a whole, so that whoever reads it knows that no more was to come. Who
    /// has read all that waited, and has missed something before, is told so.
    /// For the end of a program, when the proxy that gave the records is no more.
    pub fn end(&self) {
        self.watchers().drain(..).for_each(Watcher::end);
        self.0.count.store(0, Ordering::Relaxed);
    }

    /// How many watch.
    pub(super) fn watching(&self) -> usize {
        let mut watchers = self.watchers();
        watchers.retain(|watcher| !watcher.sender.is_closed());
        self.0.count.store(watchers.len(), Ordering::Relaxed);
        watchers.len()
    }

    /// A stream of what is wanted, from now on. `None` if too many watch already.
    pub(super) fn watch(&self, filter: EventFilter) -> Option<BodyStream> {
        let mut watchers = self.watchers();
        watchers.retain(|watcher| !watcher.sender.is_closed());
        if watchers.len() == WATCHERS {
            return None;
        }
        let (sender, stream) = body_stream(WAITING);
        // Something to begin with: some readers say that they are connected only then.
        drop(sender.try_send(Bytes::from_static(b": records follow as they are made\n\n")));
        watchers.push(Watcher { filter, sender, lost: 0 });
        self.0.count.store(watchers.len(), Ordering::Relaxed);
        Some(stream)
    }

    fn watchers(&self) -> MutexGuard<'_, Vec<Watcher>> {
        self.0.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn each(&self, keep: impl FnMut(&mut Watcher) -> bool) {
        // Whoever has come in this moment gets the next one.
        if self.0.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut watchers = self.watchers();
        watchers.retain_mut(keep);
        self.0.count.store(watchers.len(), Ordering::Relaxed);
    }
}

impl RequestLogger for EventsLogger {
    fn log(&self, record: &AccessRecord<'_>) {
        let mut event = None;
        self.each(|watcher| {
            if !watcher.filter.wants(record) {
                return !watcher.sender.is_closed();
            }
            watcher.tell(event.get_or_insert_with(|| written(record)))
        });
    }
}

impl Watcher {
    /// Tells of a record, if there is room for it. `false` if nobody reads any more.
    fn tell(&mut self, event: &Bytes) -> bool {
        // In one piece with what has come in its place before: alone, the news of each loss would
        // find room, and there would be nothing else.
        let piece = match self.lost {
            0 => event.clone(),
            lost => [&news_of(lost)[..], event].concat().into(),
        };
        match self.sender.try_send(piece) {
            Ok(()) => self.lost = 0,
            Err(TrySendError::Full(_)) => self.lost += 1,
            Err(TrySendError::Closed(_)) => return false,
        }
        true
    }

    /// Ends its stream. Nothing comes any more with which it could be told of what it has missed last.
    fn end(self) {
        if self.lost > 0 {
            // Without room it knows by itself that it is late.
            drop(self.sender.try_send(news_of(self.lost)));
        }
        self.sender.finish();
    }
}

/// That so many events are missing here.
fn news_of(lost: u64) -> Vec<u8> {
    format!("event: lost\ndata: {{\"lost\":{lost}}}\n\n").into_bytes()
}

/// A record as an event (HTML Living Standard, "Server-sent events"). It is one line: JSON here has no
/// others.
fn written(record: &AccessRecord<'_>) -> Bytes {
    let object = JsonText::of_record(record).into_bytes();
    [&b"data: "[..], &object, b"\n\n"].concat().into()
}

impl fmt::Debug for EventsLogger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.count.load(Ordering::Relaxed);
        f.debug_struct("EventsLogger").field("watching", &count).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use mio::Poll;

    use super::*;
    use crate::handler::{Look, Reading};
    use crate::runtime::mailbox::Mailbox;

    /// All that there is to be read now.
    fn read(reading: &mut Reading) -> String {
        let mut text = Vec::new();
        while reading.look() == Look::Ready {
            while let Some(piece) = reading.piece(usize::MAX) {
                text.extend_from_slice(&piece);
            }
            if reading.is_over() {
                break;
            }
        }
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn what_was_missed_last_is_told_at_the_end() {
        const MANY: usize = 1000;
        let events = EventsLogger::new();
        let stream = events.watch(EventFilter::default()).unwrap();
        let mailbox: Mailbox<()> = Mailbox::new(Poll::new().unwrap().registry()).unwrap();
        let mut reading = stream.begin(mailbox.calls().caller(1)).unwrap();
        let target = "x".repeat(1000);
        let mut record = AccessRecord::new(([192, 0, 2, 7], 1).into());
        record.target = &target;
        (0..MANY).for_each(|_| events.log(&record));
        let seen = read(&mut reading).matches("data: {\"event\"").count();
        assert!(0 < seen && seen < MANY, "{seen}");
        events.end();
        let lost = MANY - seen;
        assert_eq!(read(&mut reading), format!("event: lost\ndata: {{\"lost\":{lost}}}\n\n"));
        assert!(reading.is_over());
    }
}
