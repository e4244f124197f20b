//! [`Fields`]: the bytes of one head and where in them its fields are.

use std::mem::MaybeUninit;
use std::ops::Range;

use super::field::{Field, FieldKind};
use super::list;
use super::{Error, Version};

/// The fields there can be in one head, whatever [`Limits::fields`](crate::Limits) says: the
/// room the parser is given on the stack.
pub(crate) const FIELDS: usize = 256;

/// The room for one head's fields.
pub(crate) type Room<'a> = [MaybeUninit<httparse::Header<'a>>; FIELDS];

/// Options that one head's `Connection` may name beside the well-known ones. Each is compared
/// with every field; RFC 9110 §7.6.1 sets no bound, ordinary clients name none or one.
const CONNECTION_OPTIONS: usize = 32;

/// Memory that is kept from one head to the next. Most heads fit in a tenth of it.
const KEPT_BYTES: usize = 16 * 1024;

/// A place in the bytes of a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Span {
        // A head is 1 MiB at most: see `scan::head_bytes`.
        Span { start: start as u32, end: end as u32 }
    }

    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..self.end as usize]
    }
}

/// A copy of one head, and where its field lines are. Used again for the next head, it
/// allocates no more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    bytes: Vec<u8>,
    lines: Vec<FieldLine>,
}

/// One field line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldLine {
    name: Span,
    value: Span,
    pub(crate) kind: FieldKind,
    /// Whether it is `name: value` and CRLF, with one space and no more: nearly all are, and
    /// are copied as they stand.
    is_canonical: bool,
}

/// What `Connection` says (RFC 9112 §9.3, RFC 9110 §7.8).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ConnectionOptions {
    pub(crate) close: bool,
    pub(crate) keep_alive: bool,
    pub(crate) upgrade: bool,
}

impl FieldLine {
    /// Where the line is, with its end, if it can be copied as it stands.
    pub(crate) fn canonical(&self) -> Option<Range<usize>> {
        self.is_canonical.then(|| self.name.start()..self.value.end as usize + 2)
    }
}

impl Fields {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
    }

    /// Gives back the memory that an unusually large head needed.
    pub(crate) fn shrink(&mut self) {
        if self.bytes.capacity() > KEPT_BYTES {
            self.bytes = Vec::new();
        }
        if self.lines.capacity() * size_of::<FieldLine>() > KEPT_BYTES {
            self.lines = Vec::new();
        }
    }

    /// Takes over a head, whose first field line begins at `at`, as httparse has read it.
    ///
    /// httparse vouches for the bytes of names and values; it takes a bare LF for a line end,
    /// and does not say where its lines end. So the lines are laid out here once more, end to
    /// end: what is between two of them must be white space and CRLF, and the last must be
    /// followed by the empty line and nothing else.
    pub(crate) fn read(
        &mut self,
        head: &[u8],
        mut at: usize,
        parsed: &[httparse::Header<'_>],
    ) -> Result<(), Error> {
        self.bytes.extend_from_slice(head);
        for field in parsed {
            let name_end = at + field.name.len();
            let (mut start, mut end) = (name_end + 2, name_end + 2 + field.value.len());
            // A value begins and ends with what is no white space, or is empty: if CRLF is where this
            // says, there is nothing else between.
            let is_canonical = head.get(start - 1) == Some(&b' ')
                && head.get(end..end + 2) == Some(b"\r\n")
                && !matches!(head[start], b' ' | b'\t');
            let mut line_end = end;
            if !is_canonical {
                start = skip_white_space(head, name_end + 1);
                end = start + field.value.len();
                line_end = skip_white_space(head, end);
                if !head.get(line_end..).is_some_and(|rest| rest.starts_with(b"\r\n")) {
                    return Err(Error::Field);
                }
            }
            let kind = FieldKind::of(field.name.as_bytes());
            let (name, value) = (Span::new(at, name_end), Span::new(start, end));
            self.lines.push(FieldLine { name, value, kind, is_canonical });
            at = line_end + 2;
        }
        if head.get(at..) == Some(b"\r\n") { Ok(()) } else { Err(Error::Field) }
    }

    /// Adds bytes that were not received, as a place to point to.
    pub(crate) fn add(&mut self, before: &[u8], copied: Span) -> Span {
        let start = self.bytes.len();
        // Else a few bytes could cost as many again as the whole head has.
        self.bytes.reserve_exact(before.len() + (copied.end - copied.start) as usize);
        self.bytes.extend_from_slice(before);
        self.bytes.extend_from_within(copied.start as usize..copied.end as usize);
        Span::new(start, self.bytes.len())
    }

    pub(crate) fn range(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }

    pub(crate) fn bytes(&self, span: Span) -> &[u8] {
        span.of(&self.bytes)
    }

    /// Text that was found to be ASCII when it was parsed.
    pub(crate) fn text(&self, span: Span) -> &str {
        std::str::from_utf8(self.bytes(span)).expect("checked to be ASCII when parsed")
    }

    pub(crate) fn lines(&self) -> &[FieldLine] {
        &self.lines
    }

    pub(crate) fn name(&self, line: &FieldLine) -> &[u8] {
        self.bytes(line.name)
    }

    pub(crate) fn value(&self, line: &FieldLine) -> &[u8] {
        self.bytes(line.value)
    }

    pub(crate) fn value_span(&self, line: &FieldLine) -> Span {
        line.value
    }

    /// The values of all fields of one kind, in order.
    pub(crate) fn values(&self, kind: FieldKind) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().filter(move |line| line.kind == kind).map(|line| self.value(line))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Field<'_>> + Clone {
        self.lines.iter().map(|line| Field { name: self.text(line.name), value: self.value(line) })
    }

    pub(crate) fn first(&self, name: &str) -> Option<&[u8]> {
        self.lines
            .iter()
            .find(|line| self.bytes(line.name).eq_ignore_ascii_case(name.as_bytes()))
            .map(|line| self.value(line))
    }

    /// Whether there is exactly one `Upgrade`, to WebSocket (RFC 6455 §4.2.1).
    pub(crate) fn upgrade_to_websocket(&self) -> bool {
        let mut upgrades = self.values(FieldKind::Upgrade);
        let first = upgrades.next();
        first.is_some_and(|value| value.eq_ignore_ascii_case(b"websocket"))
            && upgrades.next().is_none()
    }

    /// Reads `Connection`, and marks the fields it names (RFC 9110 §7.6.1). Those that frame,
    /// route or identify the message keep their own kind and cannot be named away: a client
    /// that lists `Host` or `Content-Length` there is up to no good.
    pub(crate) fn connection(&mut self) -> Result<ConnectionOptions, Error> {
        let Fields { bytes, lines } = self;
        let mut options = ConnectionOptions::default();
        let mut named = 0;
        for index in 0..lines.len() {
            if lines[index].kind != FieldKind::Connection {
                continue;
            }
            for option in list::members(lines[index].value.of(bytes)) {
                if option.eq_ignore_ascii_case(b"keep-alive") {
                    options.keep_alive = true;
                } else if option.eq_ignore_ascii_case(b"close") {
                    options.close = true;
                } else if option.eq_ignore_ascii_case(b"upgrade") {
                    options.upgrade = true;
                } else {
                    named += 1;
                    if named > CONNECTION_OPTIONS {
                        return Err(Error::Field);
                    }
                    for line in lines.iter_mut().filter(|line| line.kind.can_be_named()) {
                        if line.name.of(bytes).eq_ignore_ascii_case(option) {
                            line.kind = FieldKind::Named;
                        }
                    }
                }
            }
        }
        Ok(options)
    }
}

/// The switch to WebSocket, as it is asked for and as it is granted (RFC 6455 §4).
pub(crate) const UPGRADE: &[u8] = b"Connection: Upgrade\r\nUpgrade: websocket\r\n";

/// Writes by whom a message was passed on, and in which version it had come (RFC 9110 §7.6.3).
pub(crate) fn write_via(version: Version, via: &str, out: &mut Vec<u8>) {
    for part in ["Via: ", version.number(), " ", via, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

fn skip_white_space(head: &[u8], from: usize) -> usize {
    let rest = head.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|&&byte| byte == b' ' || byte == b'\t').count()
}
