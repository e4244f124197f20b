//! [`FieldEdits`]: what a handler changes of the fields that go on.

use super::field::FieldKind;
use super::list;

/// Changes to the fields of a head on its way to the next hop.
///
/// Fields that frame, route or belong to one hop are the proxy's: `Content-Length`, `Host`,
/// `Connection` and their like cannot be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldEdits {
    dropped: Vec<Box<str>>,
    added: Vec<(Box<str>, Box<str>)>,
}

/// No changes.
pub(crate) static NO_EDITS: FieldEdits = FieldEdits { dropped: Vec::new(), added: Vec::new() };

impl FieldEdits {
    /// Drops all received fields of this name and those added here.
    ///
    /// # Panics
    ///
    /// If the name is not a token (RFC 9110 §5.6.2), or the field is the proxy's.
    pub fn remove(&mut self, name: &str) {
        assert_editable(name);
        self.added.retain(|(added, _)| !added.eq_ignore_ascii_case(name));
        if !self.drops(name.as_bytes()) {
            self.dropped.push(name.into());
        }
    }

    /// Adds a field behind those that were received, also where there is one of this name.
    ///
    /// # Panics
    ///
    /// As [`remove`](Self::remove) does, and if the value holds anything but visible ASCII,
    /// spaces and tabs.
    pub fn add(&mut self, name: &str, value: &str) {
        assert_editable(name);
        assert_field(name, value);
        self.added.push((name.into(), value.into()));
    }

    /// Puts one field of this name in the place of all that were received.
    ///
    /// # Panics
    ///
    /// As [`add`](Self::add) does.
    pub fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.add(name, value);
    }

    /// Whether a received field of this name is dropped.
    pub(super) fn drops(&self, name: &[u8]) -> bool {
        self.dropped.iter().any(|dropped| dropped.as_bytes().eq_ignore_ascii_case(name))
    }

    /// Whether a field of this name is added.
    pub(super) fn adds(&self, name: &str) -> bool {
        self.added.iter().any(|(added, _)| added.eq_ignore_ascii_case(name))
    }

    /// Appends the added fields.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for (name, value) in &self.added {
            for part in [name.as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
    }
}

fn assert_editable(name: &str) {
    let editable = FieldKind::of(name.as_bytes()).is_editable();
    assert!(editable, "{name} is set by the proxy");
}

/// A field that is made here must not be able to break out of its line.
pub(crate) fn assert_field(name: &str, value: &str) {
    assert!(list::is_token(name.as_bytes()), "{name:?} is not a field name");
    let is_text = value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    assert!(is_text, "{value:?} is not a field value");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_on_a_name_counts() {
        let mut edits = FieldEdits::default();
        edits.add("X-A", "1");
        edits.set("x-a", "2");
        edits.add("X-A", "3");
        edits.remove("X-B");
        let mut out = Vec::new();
        edits.write(&mut out);
        assert_eq!(out, b"x-a: 2\r\nX-A: 3\r\n");
        assert!(edits.drops(b"X-a") && edits.drops(b"x-B") && !edits.drops(b"X-C"));
    }

    #[test]
    #[should_panic(expected = "is set by the proxy")]
    fn framing_is_the_proxys() {
        FieldEdits::default().set("content-length", "5");
    }

    #[test]
    #[should_panic(expected = "is not a field value")]
    fn a_value_cannot_smuggle_a_line() {
        FieldEdits::default().add("X-A", "b\r\nc: d");
    }
}
