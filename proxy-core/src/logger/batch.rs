//! [`Batch`]: access records on their way to the log thread.
//!
//! Three buffers that are filled, handed over, read, emptied and filled again: once they have
//! grown to what the traffic needs, a record costs copies and no allocation.

use super::record::{AccessRecord, Texts};
use super::userinfo::userinfo;

/// Records in the order in which they were pushed.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    entries: Vec<Entry>,
    /// The texts of all entries, end to end.
    text: String,
    /// Those that need not be text.
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct Entry {
    /// Everything but the texts.
    facts: AccessRecord<'static>,
    /// How long the texts are, in their order in [`Batch::text`].
    method: usize,
    target: usize,
    host: usize,
    /// The same in [`Batch::bytes`].
    referer: Option<usize>,
    user_agent: Option<usize>,
    /// And in [`Batch::text`] again, behind the others.
    rule: Option<usize>,
    reported: Option<usize>,
    user: Option<usize>,
}

/// What a batch may keep when it is emptied, in records and in bytes of text. One that a
/// blocked logger has let grow beyond it is given back to the allocator.
const KEPT_ENTRIES: usize = 4096;
const KEPT_TEXT: usize = 1 << 20;

impl Batch {
    /// Copies a record. Its target and its referer lose their userinfo here: no logger gets to
    /// see it.
    pub(crate) fn push(&mut self, record: &AccessRecord<'_>) {
        let AccessRecord { method, target, host, .. } = *record;
        let secret = userinfo(target.as_bytes());
        for text in [method, &target[..secret.start], &target[secret.end..], host] {
            self.text.push_str(text);
        }
        let [rule, reported, user] = [record.rule, record.reported, record.user].map(|name| {
            name.map(|name| {
                self.text.push_str(name);
                name.len()
            })
        });
        let referer = record.referer.map(|referer| {
            let secret = userinfo(referer);
            self.bytes.extend_from_slice(&referer[..secret.start]);
            self.bytes.extend_from_slice(&referer[secret.end..]);
            referer.len() - secret.len()
        });
        let user_agent = record.user_agent.map(|user_agent| {
            self.bytes.extend_from_slice(user_agent);
            user_agent.len()
        });
        self.entries.push(Entry {
            facts: record.with_texts(Texts::default()),
            method: method.len(),
            target: target.len() - secret.len(),
            host: host.len(),
            referer,
            user_agent,
            rule,
            reported,
            user,
        });
    }

    /// The records again.
    pub(crate) fn iter(&self) -> impl Iterator<Item = AccessRecord<'_>> {
        let mut text = self.text.as_str();
        let mut bytes = self.bytes.as_slice();
        self.entries.iter().map(move |entry| {
            let mut take = |length| {
                let (taken, rest) = text.split_at(length);
                text = rest;
                taken
            };
            let mut take_bytes = |length| {
                let (taken, rest) = bytes.split_at(length);
                bytes = rest;
                taken
            };
            entry.facts.with_texts(Texts {
                method: take(entry.method),
                target: take(entry.target),
                host: take(entry.host),
                referer: entry.referer.map(&mut take_bytes),
                user_agent: entry.user_agent.map(&mut take_bytes),
                rule: entry.rule.map(&mut take),
                reported: entry.reported.map(&mut take),
                user: entry.user.map(&mut take),
            })
        })
    }

    /// How many records.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many bytes of text.
    pub(crate) fn text_len(&self) -> usize {
        self.text.len() + self.bytes.len()
    }

    /// Forgets the records and keeps the room, unless that is uncommonly large.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
        self.bytes.clear();
        if self.entries.capacity() > KEPT_ENTRIES
            || self.text.capacity() + self.bytes.capacity() > KEPT_TEXT
        {
            *self = Batch::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Reason;
    use crate::http1::Version;
    use crate::logger::record::{Event, Kind};
    use std::time::{Duration, SystemTime};

    #[test]
    fn what_goes_in_comes_out_in_order() {
        let mut plain = AccessRecord::new(([127, 0, 0, 1], 5).into());
        plain.method = "GET";
        plain.target = "http://example.com/ü";
        plain.host = "example.com";
        plain.version = Some(Version::Http11);
        plain.referer = Some(b"http://example.com/");
        plain.user_agent = Some(b"caf\xe9/1.0");
        plain.rule = Some("default");
        plain.reported = Some("trial");
        let mut tunnel = AccessRecord::new(([0, 0, 0, 0, 0, 0, 0, 1], 6).into());
        tunnel.event = Event::Open;
        tunnel.kind = Kind::Tunnel;
        tunnel.id = 7;
        tunnel.time = SystemTime::UNIX_EPOCH + Duration::from_secs(8);
        tunnel.method = "";
        tunnel.status = Some(200);
        tunnel.reason = Some(Reason::TunnelReset);
        tunnel.upstream = Some(([192, 0, 2, 1], 443).into());
        tunnel.user_agent = Some(b"");
        tunnel.rule = Some("office");
        tunnel.wait = Some(Duration::from_millis(7));
        tunnel.resolve = Some(Duration::from_millis(8));
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
        record.referer = Some(b"http://user:secret@example.org/caf\xe9@");
        record.user_agent = Some(b"curl/8");
        let mut batch = Batch::default();
        batch.push(&record);
        assert!(!batch.text.contains("secret"));
        assert!(memchr::memmem::find(&batch.bytes, b"secret").is_none());
        record.target = "http://example.com/";
        record.referer = Some(b"http://example.org/caf\xe9@");
        assert!(batch.iter().eq([record]));
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
