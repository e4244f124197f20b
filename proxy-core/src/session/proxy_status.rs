//! `Proxy-Status`: which proxy made a response, and why (RFC 9209).
//!
//! It goes on responses that tell of a failure, and on no others: those that were relayed are
//! the upstream's, with whatever members upstream proxies put there. RFC 9209 §2 leaves that
//! to each intermediary. Nor is it sent as a trailer, for which each response would need it
//! as a field, too.

use crate::error::Reason;

/// The field's name.
pub(super) const NAME: &str = "Proxy-Status";

/// The field's value: our name, the registered error type, and our own word for it. Where the
/// request was sent, which RFC 9209 §2.1.2 has a parameter for, is nobody's business (§4).
pub(super) fn proxy_status(pseudonym: &str, reason: Reason) -> String {
    format!("{}; error={}; details=\"{}\"", item(pseudonym), reason.error_type(), reason.code())
}

/// A name as a structured field has it: a token, or else a string (RFC 8941 §3.3). Not each token
/// of HTTP is one there: `1st` is none.
fn item(name: &str) -> String {
    let starts_like_one = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '*');
    let is_token_byte = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&b);
    if starts_like_one && name.bytes().all(is_token_byte) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_proxy_the_type_and_the_reason() {
        assert_eq!(
            proxy_status("proxy-1", Reason::DnsFailed),
            "proxy-1; error=dns_error; details=\"dns_failed\""
        );
    }

    #[test]
    fn names_are_tokens_or_strings() {
        for (name, expected) in [
            ("proxy-core-1a2b", "proxy-core-1a2b"),
            ("proxy.example:80/x", "proxy.example:80/x"),
            ("1st", "\"1st\""),
            ("two words", "\"two words\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
            ("", "\"\""),
        ] {
            assert_eq!(item(name), expected);
        }
    }
}
