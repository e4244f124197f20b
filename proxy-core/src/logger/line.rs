//! [`Lines`]: the buffer in which log lines are put together, and how their parts are written.
//!
//! No `format!` and no `Display` where it counts: a line is written for each request.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use super::calendar::Calendar;
use crate::decimal::{push_decimal, push_ipv4};

/// Lines that wait to be written out, the last of them perhaps unfinished.
#[derive(Debug)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    calendar: Calendar,
}

impl Lines {
    pub(super) fn new() -> Self {
        Lines { bytes: Vec::new(), calendar: Calendar::new() }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Writes text as it is.
    pub(super) fn raw(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Writes visible ASCII or a space.
    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(super) fn time(&mut self, time: SystemTime) {
        let stamp = self.calendar.stamp(time);
        self.bytes.extend_from_slice(&stamp);
    }

    pub(super) fn apache_time(&mut self, time: SystemTime) {
        let stamp = self.calendar.apache_stamp(time);
        self.bytes.extend_from_slice(&stamp);
    }

    /// Seconds since 1970 to three places, as Squid has them: `1795459212.123`. Times before are 0.
    pub(super) fn unix_time(&mut self, time: SystemTime) {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.thousandths(since.as_millis().try_into().unwrap_or(u64::MAX));
    }

    pub(super) fn integer(&mut self, number: u64) {
        push_decimal(&mut self.bytes, number);
    }

    pub(super) fn address(&mut self, address: SocketAddr) {
        match address {
            SocketAddr::V4(address) => {
                self.ip((*address.ip()).into());
                self.raw(":");
                self.integer(address.port().into());
            }
            SocketAddr::V6(address) => {
                write!(self.bytes, "{address}").expect("a vector takes what is written");
            }
        }
    }

    pub(super) fn ip(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => push_ipv4(&mut self.bytes, address),
            IpAddr::V6(address) => {
                write!(self.bytes, "{address}").expect("a vector takes what is written");
            }
        }
    }

    /// Milliseconds to three places: `34.123`.
    pub(super) fn milliseconds(&mut self, duration: Duration) {
        self.thousandths(micros(duration));
    }

    fn thousandths(&mut self, thousandths: u64) {
        self.integer(thousandths / 1000);
        let places = thousandths % 1000;
        let digit = |n: u64| b'0' + (n % 10) as u8;
        self.bytes.extend_from_slice(&[
            b'.',
            digit(places / 100),
            digit(places / 10),
            digit(places),
        ]);
    }

    /// A number of bytes for people, rounded down: `999 B`, `1.2 kB`, `345 MB`.
    pub(super) fn size(&mut self, bytes: u64) {
        if bytes < 1000 {
            self.integer(bytes);
            return self.raw(" B");
        }
        let mut tenths = bytes / 100;
        let mut unit = 0;
        while tenths >= 10_000 {
            tenths /= 1000;
            unit += 1;
        }
        if tenths < 1000 {
            self.tenths(tenths)
        } else {
            self.integer(tenths / 10)
        }
        self.raw([" kB", " MB", " GB", " TB", " PB", " EB"][unit]);
    }

    /// A duration for people, rounded down: `340 µs`, `1.2 ms`, `34 ms`, `10.0 s`, `2.5 h`.
    pub(super) fn duration(&mut self, duration: Duration) {
        const MILLI: u64 = 1000;
        const SECOND: u64 = 1000 * MILLI;
        const MINUTE: u64 = 60 * SECOND;
        const HOUR: u64 = 60 * MINUTE;
        let micros = micros(duration);
        match micros {
            0..MILLI => {
                self.integer(micros);
                self.raw(" µs");
            }
            MILLI..SECOND => {
                if micros < 10 * MILLI {
                    self.tenths(micros * 10 / MILLI)
                } else {
                    self.integer(micros / MILLI)
                }
                self.raw(" ms");
            }
            SECOND..MINUTE => {
                self.tenths(micros / (SECOND / 10));
                self.raw(" s");
            }
            MINUTE..HOUR => {
                self.tenths(micros / (MINUTE / 10));
                self.raw(" min");
            }
            HOUR.. => {
                self.tenths(micros / (HOUR / 10));
                self.raw(" h");
            }
        }
    }

    fn tenths(&mut self, tenths: u64) {
        self.integer(tenths / 10);
        self.bytes.extend_from_slice(&[b'.', b'0' + (tenths % 10) as u8]);
    }

    /// Text from a client as one word: every byte but visible ASCII is shown as `\x0a`, and so
    /// is the backslash, so that each word stands for one text only. Nothing a client sends can
    /// end the line, begin a column or reach a terminal. Empty text is shown as `-`.
    pub(super) fn word(&mut self, text: &str) {
        if text.is_empty() {
            return self.raw("-");
        }
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        if text.bytes().all(plain) {
            return self.raw(text);
        }
        for byte in text.bytes() {
            if plain(byte) {
                self.bytes.push(byte);
            } else {
                self.raw("\\x");
                self.hex(byte);
            }
        }
    }

    /// The same of what need not be text, with quotes shown so, too: it can be a part of a word, and
    /// stand in quotes or beside some.
    pub(super) fn quotable(&mut self, text: &[u8]) {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        if text.is_empty() {
            return self.raw("-");
        }
        for &byte in text {
            if is_plain(byte) {
                self.bytes.push(byte);
            } else {
                self.raw("\\x");
                self.hex(byte);
            }
        }
    }

    /// Two hexadecimal digits.
    pub(super) fn hex(&mut self, byte: u8) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.bytes
            .extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }

    /// Writes something and fills its column up behind it.
    pub(super) fn left(&mut self, width: usize, write: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        write(self);
        let padding = self.padding(start, width);
        self.bytes.resize(self.bytes.len() + padding, b' ');
    }

    /// Writes something and fills its column up before it.
    pub(super) fn right(&mut self, width: usize, write: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        write(self);
        let padding = self.padding(start, width);
        self.bytes.resize(self.bytes.len() + padding, b' ');
        self.bytes[start..].rotate_right(padding);
    }

    /// What is missing from `start` to a column's width, in characters.
    fn padding(&self, start: usize, width: usize) -> usize {
        let continues = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
        let written = &self.bytes[start..];
        width.saturating_sub(written.len() - written.iter().filter(continues).count())
    }
}

/// In microseconds; what does not fit is as long as can be told.
fn micros(duration: Duration) -> u64 {
    duration.as_micros().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(write: impl FnOnce(&mut Lines)) -> String {
        let mut lines = Lines::new();
        write(&mut lines);
        String::from_utf8(lines.bytes).unwrap()
    }

    #[test]
    fn addresses_are_written_as_the_standard_library_does() {
        for address in ["0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[2001:db8::ff]:443"] {
            assert_eq!(line(|l| l.address(address.parse().unwrap())), address);
        }
    }

    #[test]
    fn hosts_are_written_without_port_and_brackets() {
        for address in ["0.0.0.0", "255.10.9.1", "::1", "2001:db8::ff"] {
            assert_eq!(line(|l| l.ip(address.parse().unwrap())), address);
        }
    }

    #[test]
    fn sizes() {
        for (bytes, shown) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1299, "1.2 kB"),
            (99_999, "99.9 kB"),
            (100_000, "100 kB"),
            (999_999, "999 kB"),
            (1_000_000, "1.0 MB"),
            (34_500_000_000, "34.5 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(line(|l| l.size(bytes)), shown);
        }
    }

    #[test]
    fn durations() {
        for (micros, shown) in [
            (0, "0 µs"),
            (999, "999 µs"),
            (1000, "1.0 ms"),
            (9_999, "9.9 ms"),
            (34_567, "34 ms"),
            (999_999, "999 ms"),
            (10_000_000, "10.0 s"),
            (90_000_000, "1.5 min"),
            (9_000_000_000, "2.5 h"),
        ] {
            assert_eq!(line(|l| l.duration(Duration::from_micros(micros))), shown);
        }
        assert_eq!(line(|l| l.duration(Duration::MAX)), "5124095576.0 h");
        assert_eq!(line(|l| l.milliseconds(Duration::from_micros(34_056))), "34.056");
    }

    #[test]
    fn seconds_since_1970() {
        let at = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        for (millis, shown) in [(0, "0.000"), (7, "0.007"), (1_795_459_212_123, "1795459212.123")] {
            assert_eq!(line(|l| l.unix_time(at(millis))), shown);
        }
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(line(|l| l.unix_time(before)), "0.000");
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(line(|l| l.right(8, |l| l.raw("340 µs"))), "  340 µs");
        assert_eq!(line(|l| l.left(8, |l| l.raw("340 µs"))), "340 µs  ");
        assert_eq!(line(|l| l.right(2, |l| l.raw("wider"))), "wider");
    }

    #[test]
    fn a_word_is_one_word() {
        for (text, shown) in [
            ("", "-"),
            ("http://h/a?b=c%20", "http://h/a?b=c%20"),
            ("a\nb\r\0\x1b[31m", "a\\x0ab\\x0d\\x00\\x1b[31m"),
            ("a b\t\x7f", "a\\x20b\\x09\\x7f"),
            ("\\x0a", "\\x5cx0a"),
            ("é\u{9b}\u{2028}", "\\xc3\\xa9\\xc2\\x9b\\xe2\\x80\\xa8"),
        ] {
            assert_eq!(line(|l| l.word(text)), shown);
        }
    }
}
