//! [`Batch`]: access records on their way to the log thread.
//!
//! Two buffers that are filled, handed over, read, emptied and filled again: once they have
//! grown to what the traffic needs, a record costs two copies and no allocation.

use super::record::AccessRecord;
use super::userinfo::without_userinfo;

/// Records in the order in which they were pushed.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    entries: Vec<Entry>,
    /// The texts of all entries, end to end.
    text: String,
}

#[derive(Debug)]
struct Entry {
    /// Everything but the texts.
    facts: AccessRecord<'static>,
    /// How long the texts are, in their order in [`Batch::text`].
    method: usize,
    target: usize,
    host: usize,
}

/// What a batch may keep when it is emptied, in records and in bytes of text. One that a
/// blocked logger has let grow beyond it is given back to the allocator.
const KEPT_ENTRIES: usize = 4096;
const KEPT_TEXT: usize = 1 << 20;

impl Batch {
    /// Copies a record. Its target loses its userinfo here: no logger gets to see it.
    pub(crate) fn push(&mut self, record: &AccessRecord<'_>) {
        let (before, after) = without_userinfo(record.target);
        for text in [record.method, before, after, record.host] {
            self.text.push_str(text);
        }
        self.entries.push(Entry {
            facts: record.with_texts("", "", ""),
            method: record.method.len(),
            target: before.len() + after.len(),
            host: record.host.len(),
        });
    }

    /// The records again.
    pub(crate) fn iter(&self) -> impl Iterator<Item = AccessRecord<'_>> {
        let mut text = self.text.as_str();
        self.entries.iter().map(move |entry| {
            let mut take = |length| {
                let (taken, rest) = text.split_at(length);
                text = rest;
                taken
            };
            let (method, target, host) = (take(entry.method), take(entry.target), take(entry.host));
            entry.facts.with_texts(method, target, host)
        })
    }

    /// How many records.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many bytes of text.
    pub(crate) fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Forgets the records and keeps the room, unless that is uncommonly large.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
        if self.entries.capacity() > KEPT_ENTRIES || self.text.capacity() > KEPT_TEXT {
            *self = Batch::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Reason;
    use crate::logger::record::{Event, Kind};
    use std::time::{Duration, SystemTime};

    #[test]
    fn what_goes_in_comes_out_in_order() {
        let mut plain = AccessRecord::new(([127, 0, 0, 1], 5).into());
        plain.method = "GET";
        plain.target = "http://example.com/ü";
        plain.host = "example.com";
        let mut tunnel = AccessRecord::new(([0, 0, 0, 0, 0, 0, 0, 1], 6).into());
        tunnel.event = Event::Open;
        tunnel.kind = Kind::Tunnel;
        tunnel.id = 7;
        tunnel.time = SystemTime::UNIX_EPOCH + Duration::from_secs(8);
        tunnel.method = "";
        tunnel.status = Some(200);
        tunnel.reason = Some(Reason::TunnelReset);
        tunnel.upstream = Some(([192, 0, 2, 1], 443).into());
        tunnel.connect = Some(Duration::from_millis(9));

        let mut batch = Batch::default();
        for _ in 0..2 {
            batch.push(&plain);
            batch.push(&tunnel);
            assert_eq!(batch.len(), 2);
            assert!(batch.iter().eq([plain.clone(), tunnel.clone()]));
            batch.clear();
            assert_eq!((batch.len(), batch.text_len(), batch.iter().count()), (0, 0, 0));
        }
    }

    #[test]
    fn credentials_do_not_enter_a_batch() {
        let mut record = AccessRecord::new(([127, 0, 0, 1], 5).into());
        record.target = "http://user:secret@example.com/";
        record.host = "example.com";
        let mut batch = Batch::default();
        batch.push(&record);
        assert!(!batch.text.contains("secret"));
        let shown: Vec<_> = batch.iter().map(|record| (record.target, record.host)).collect();
        assert_eq!(shown, [("http://example.com/", "example.com")]);
    }

    #[test]
    fn room_is_kept_unless_it_is_uncommonly_large() {
        let record = AccessRecord::new(([127, 0, 0, 1], 5).into());
        let mut batch = Batch::default();
        (0..100).for_each(|_| batch.push(&record));
        let room = batch.entries.capacity();
        batch.clear();
        assert_eq!(batch.entries.capacity(), room);
        (0..=KEPT_ENTRIES).for_each(|_| batch.push(&record));
        batch.clear();
        assert_eq!(batch.entries.capacity(), 0);
    }
}
