//! [`Messages`]: what is sent, a message for each line (RFC 5424 §6).

use std::time::SystemTime;

use super::Facility;
use crate::decimal::push_decimal;
use crate::logger::calendar::Calendar;

/// How messages are told apart by who receives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// Each is a datagram.
    Datagrams,
    /// The length stands before each of them (RFC 6587 §3.4.1).
    OctetCounting,
}

/// Datagrams are cut at this length. Servers take 2 KiB at least (RFC 5424 §6.1), and most 8 KiB.
const LONGEST_DATAGRAM: usize = 8 * 1024;
/// What may be kept of the buffer.
const KEPT: usize = 256 * 1024;

/// What stands before each line.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) facility: Facility,
    pub(super) app_name: String,
    host: String,
    process: u32,
    calendar: Calendar,
    /// Put together for the lines that are sent at once.
    text: Vec<u8>,
}

/// Messages on their way, end to end.
#[derive(Debug)]
pub(super) struct Messages {
    pub(super) header: Header,
    framing: Framing,
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    /// How many of them the system has taken.
    taken: usize,
}

impl Messages {
    pub(super) fn new(framing: Framing) -> Messages {
        let header = Header {
            facility: Facility::DAEMON,
            app_name: "proxy".to_owned(),
            host: host_name(),
            process: std::process::id(),
            calendar: Calendar::new(),
            text: Vec::new(),
        };
        Messages { header, framing, bytes: Vec::new(), ends: Vec::new(), taken: 0 }
    }

    /// Makes a message of each line.
    pub(super) fn take(&mut self, lines: &[u8], now: SystemTime) {
        self.clear();
        self.header.write(now);
        for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let header = &self.header.text;
            if self.framing == Framing::OctetCounting {
                push_decimal(&mut self.bytes, (header.len() + line.len()) as u64);
                self.bytes.push(b' ');
            }
            let start = self.bytes.len();
            self.bytes.extend_from_slice(header);
            self.bytes.extend_from_slice(line);
            if self.framing == Framing::Datagrams && self.bytes.len() - start > LONGEST_DATAGRAM {
                let mut end = start + LONGEST_DATAGRAM;
                // Not in the middle of a character.
                while self.bytes[end] & 0b1100_0000 == 0b1000_0000 && end > start {
                    end -= 1;
                }
                self.bytes.truncate(end);
            }
            self.ends.push(self.bytes.len());
        }
    }

    /// What the system has not taken yet, end to end.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.start()..]
    }

    /// The next message.
    pub(super) fn next(&self) -> Option<&[u8]> {
        let end = *self.ends.get(self.taken)?;
        Some(&self.bytes[self.start()..end])
    }

    /// The system has taken the next message.
    pub(super) fn next_taken(&mut self) {
        self.taken += 1;
    }

    /// The system has taken so many bytes of [`rest`](Messages::rest): what it has of a message that
    /// is not whole is worth nothing, should the connection break.
    pub(super) fn bytes_taken(&mut self, count: usize) {
        let until = self.start() + count;
        self.taken += self.ends[self.taken..].iter().take_while(|&&end| end <= until).count();
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.taken = 0;
        if self.bytes.capacity() > KEPT {
            self.bytes = Vec::new();
            self.ends = Vec::new();
        }
    }

    fn start(&self) -> usize {
        self.taken.checked_sub(1).map_or(0, |last| self.ends[last])
    }
}

impl Header {
    /// `<30>1 2026-11-23T18:40:12.123Z host proxy 4711 access - `.
    fn write(&mut self, now: SystemTime) {
        self.text.clear();
        self.text.push(b'<');
        push_decimal(&mut self.text, self.facility.priority().into());
        self.text.extend_from_slice(b">1 ");
        self.text.extend_from_slice(&self.calendar.stamp(now));
        for word in [&self.host, &self.app_name] {
            self.text.push(b' ');
            self.text.extend_from_slice(word.as_bytes());
        }
        self.text.push(b' ');
        push_decimal(&mut self.text, self.process.into());
        self.text.extend_from_slice(b" access - ");
    }
}

/// The name of this machine, where the system has it in a file; else `-`, which says that it is not
/// known. Servers know where a message comes from.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    printable(name.trim(), 255)
}

/// Text as a word of a header, `-` if there is none.
pub(super) fn printable(text: &str, longest: usize) -> String {
    let word = |char: char| if char.is_ascii_graphic() { char } else { '_' };
    match text {
        "" => "-".to_owned(),
        text => text.chars().take(longest).map(word).collect(),
    }
}

/// Makes messages of lines and reads them as a server does: each line is one, and nothing else is.
#[cfg(any(test, fuzzing))]
pub(crate) fn rehearse(lines: &[u8]) {
    let wanted = || lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let text = |message: &[u8]| {
        let mut words = message.splitn(8, |&byte| byte == b' ');
        assert_eq!(words.next(), Some(&b"<30>1"[..]));
        words.nth(6).expect("a header has seven words").to_owned()
    };

    let mut messages = Messages::new(Framing::OctetCounting);
    messages.take(lines, SystemTime::UNIX_EPOCH);
    for line in wanted() {
        let rest = messages.rest().to_owned();
        let (length, rest) = rest.split_at(rest.iter().position(|&byte| byte == b' ').unwrap());
        let count: usize = str::from_utf8(length).unwrap().parse().unwrap();
        assert_eq!(text(&rest[1..][..count]), line);
        messages.bytes_taken(length.len() + 1 + count);
    }
    assert!(messages.rest().is_empty());

    let mut messages = Messages::new(Framing::Datagrams);
    messages.take(lines, SystemTime::UNIX_EPOCH);
    for line in wanted() {
        let message = messages.next().expect("each line is one");
        let text = text(message);
        assert!(line.starts_with(&text) && message.len() <= LONGEST_DATAGRAM);
        assert!(text == line || message.len() > LONGEST_DATAGRAM - 4, "cut where it need not be");
        assert!(str::from_utf8(line).is_err() || str::from_utf8(&text).is_ok());
        messages.next_taken();
    }
    assert_eq!(messages.next(), None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn messages(framing: Framing, lines: &str) -> Messages {
        let mut messages = Messages::new(framing);
        messages.header.host = "host".to_owned();
        messages.header.process = 4711;
        messages.take(lines.as_bytes(), UNIX_EPOCH + Duration::from_millis(1_795_459_212_123));
        messages
    }

    const HEADER: &str = "<30>1 2026-11-23T18:40:12.123Z host proxy 4711 access - ";

    #[test]
    fn each_line_is_a_datagram() {
        let mut messages = messages(Framing::Datagrams, "one\ntwo\n");
        assert_eq!(messages.next(), Some(format!("{HEADER}one").as_bytes()));
        messages.next_taken();
        assert_eq!(messages.next(), Some(format!("{HEADER}two").as_bytes()));
        messages.next_taken();
        assert_eq!((messages.next(), messages.rest()), (None, &b""[..]));
    }

    #[test]
    fn octets_are_counted_and_a_part_counts_for_nothing() {
        let mut messages = messages(Framing::OctetCounting, "one\né\n");
        let (one, two) = (format!("59 {HEADER}one"), format!("58 {HEADER}é"));
        assert_eq!(HEADER.len(), 56);
        assert_eq!(messages.rest(), format!("{one}{two}").as_bytes());
        messages.bytes_taken(one.len() + 5);
        assert_eq!(messages.rest(), two.as_bytes());
        messages.bytes_taken(two.len());
        assert!(messages.rest().is_empty());
    }

    #[test]
    fn long_datagrams_are_cut_between_characters() {
        let long = "é".repeat(8000);
        let messages = messages(Framing::Datagrams, &format!("{long}\nshort\n"));
        let sent = str::from_utf8(messages.next().unwrap()).unwrap();
        assert!(sent.len() >= LONGEST_DATAGRAM - 1 && sent.len() <= LONGEST_DATAGRAM);
        let whole = self::messages(Framing::OctetCounting, &format!("{long}\n"));
        assert!(whole.next().unwrap().len() > 16_000);
    }

    #[test]
    fn a_server_reads_the_lines_that_were_written() {
        let long = format!("{}\n\nshort\n\u{1f600}", "\u{1f600}".repeat(3000));
        for lines in ["", "\n", "one", "one\ntwo 5\n", &long, &format!("x{long}\n")] {
            rehearse(lines.as_bytes());
        }
    }

    #[test]
    fn words_of_a_header_are_words() {
        assert_eq!(printable("my proxy\n1é", 48), "my_proxy_1_");
        assert_eq!(printable("", 48), "-");
        assert_eq!(printable(&"x".repeat(100), 48).len(), 48);
    }
}
