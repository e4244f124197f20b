//! Lists and tokens: the small grammar that most field values share (RFC 9110 §5.6).

/// The members of a comma-separated list, without the white space around them. Empty members
/// are skipped, as RFC 9110 §5.6.1.2 asks of a recipient.
///
/// For values without quoted strings or comments only: a comma always separates.
pub(crate) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// Whether this is a token (RFC 9110 §5.6.2).
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_token_byte)
}

/// Whether a token may have this byte in it.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    matches!(byte,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9'
        | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_'
        | b'`' | b'|' | b'~')
}

/// Whether a field value may have this byte in it: HTAB, SP, VCHAR and obs-text (RFC 9110 §5.5).
pub(crate) const fn is_text_byte(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// A decimal number, `1*DIGIT`, of any length but below 2⁶³: beyond that, peers that count in
/// signed integers see something else (RFC 9110 §8.6 warns of it).
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    let number = digits.iter().try_fold(0u64, |number, &byte| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })?;
    (number <= i64::MAX as u64).then_some(number)
}

/// The same number with its fewest digits.
pub(crate) fn without_leading_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    &digits[zeros.min(digits.len().saturating_sub(1))..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_trimmed_and_empty_ones_skipped() {
        let found: Vec<_> = members(b" close,, \tkeep-alive\t ,x y,").collect();
        assert_eq!(found, [&b"close"[..], b"keep-alive", b"x y"]);
        assert_eq!(members(b"").count(), 0);
    }

    #[test]
    fn decimals_are_digits_below_two_to_the_63rd() {
        for (text, expected) in [
            ("0", Some(0)),
            ("00012", Some(12)),
            ("9223372036854775807", Some(i64::MAX as u64)),
            ("9223372036854775808", None),
            ("18446744073709551615", None),
            ("18446744073709551617", None),
            ("", None),
            ("+1", None),
            ("-1", None),
            ("1 ", None),
            ("0x1", None),
            ("1,1", None),
            ("1e1", None),
            ("\u{0661}", None),
        ] {
            assert_eq!(decimal(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn tokens_have_no_delimiters() {
        assert!(is_token(b"x-y_z!1"));
        for bad in [&b""[..], b"a b", b"a,b", b"a;b", b"\"a\"", b"a:", b"a\x0b", b"a\x80"] {
            assert!(!is_token(bad), "{}", bad.escape_ascii());
        }
    }
}
