//! `Via`: who passed a message on (RFC 9110 §7.6.3).

/// Whether one of the members of a `Via` value was `received-by` this name: the message has
/// been here before. Commas in comments separate nothing.
pub(crate) fn names(value: &[u8], pseudonym: &str) -> bool {
    let mut depth = 0usize;
    let mut escaped = false;
    let is_separator = |&byte: &u8| {
        match byte {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' => escaped = depth > 0,
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        byte == b',' && depth == 0
    };
    value.split(is_separator).any(|member| {
        let mut words =
            member.split(|&byte| byte == b' ' || byte == b'\t').filter(|w| !w.is_empty());
        let _protocol = words.next();
        words.next().is_some_and(|by| by.eq_ignore_ascii_case(pseudonym.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_received_by_counts() {
        for (value, expected) in [
            ("1.1 me", true),
            ("1.0 other, HTTP/1.1 ME (a comment)", true),
            ("1.1 other,1.1\t me", true),
            ("", false),
            ("me", false),
            ("1.1 other (1.1 me)", false),
            ("1.1 other (says, 1.1 me), 1.1 third", false),
            ("1.1 other (\\), 1.1 me), 1.1 third", false),
            ("1.1 other (nested (a), 1.1 me), 1.1 third", false),
            ("1.1 other (nested (a)), 1.1 me", true),
            ("1.1 mee", false),
            ("1.1 me:80", false),
        ] {
            assert_eq!(names(value.as_bytes(), "me"), expected, "{value}");
        }
    }
}
