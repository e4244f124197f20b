//! [`LineWriter`]: the field lines of a head, on their way to the next hop.

use std::ops::Range;

use super::fields::{FieldLine, Fields};
use super::list;

/// Writes field lines of one head, in order. Those that go on as they stand and follow each other
/// are copied at once: in most heads that is nearly all of them.
pub(super) struct LineWriter<'a> {
    fields: &'a Fields,
    pub(super) out: &'a mut Vec<u8>,
    /// What is to be copied, of the bytes that were received.
    uncopied: Range<usize>,
}

impl<'a> LineWriter<'a> {
    pub(super) fn new(fields: &'a Fields, out: &'a mut Vec<u8>) -> LineWriter<'a> {
        LineWriter { fields, out, uncopied: 0..0 }
    }

    /// A field goes on as it was received, in its canonical form.
    pub(super) fn keep(&mut self, line: &FieldLine) {
        let Some(bytes) = line.canonical() else {
            return self.replace(line, self.fields.value(line));
        };
        if bytes.start != self.uncopied.end {
            self.copy();
            self.uncopied.start = bytes.start;
        }
        self.uncopied.end = bytes.end;
    }

    /// A field goes on with another value.
    pub(super) fn replace(&mut self, line: &FieldLine, value: &[u8]) {
        self.copy();
        for part in [self.fields.name(line), b": ", value, b"\r\n"] {
            self.out.extend_from_slice(part);
        }
    }

    /// A `Content-Length` goes on, in canonical form: one number, no zeros before it.
    pub(super) fn keep_length(&mut self, line: &FieldLine) {
        let value = self.fields.value(line);
        let member = list::members(value).next().unwrap_or_default();
        let number = list::without_leading_zeros(member);
        if number.len() == value.len() { self.keep(line) } else { self.replace(line, number) }
    }

    /// Writes what is not written yet, after which anything else can be appended to `out`.
    pub(super) fn copy(&mut self) {
        let bytes = std::mem::take(&mut self.uncopied);
        self.out.extend_from_slice(self.fields.range(bytes));
    }
}
