//! Authentication schemes, as far as a proxy has to know them.

use super::list;

/// Whether the value of an `Authorization` or a `WWW-Authenticate` says that a connection is, or is
/// to be, authenticated as a whole: by NTLM, by Negotiate, or by its successor Nego2. RFC 9110 §11.1
/// has each request stand for itself, but these three authenticate whoever sends on the connection
/// (RFC 4559 §6), so that it must never be shared.
pub(crate) fn binds_connection(value: &[u8]) -> bool {
    // A comma within a quoted string can make one too many of them: that does no harm.
    list::members(value).any(|challenge| {
        // Some servers take a tab for a space, or a colon before what they mean by it.
        let scheme = challenge.split(|byte| b" \t:".contains(byte)).next().unwrap_or_default();
        ["ntlm", "negotiate", "nego2"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_schemes_bind_a_connection() {
        for (value, expected) in [
            ("NTLM", true),
            ("negotiate YII=", true),
            ("Nego2", true),
            ("NTLM\tTlRM", true),
            ("Negotiate:Kerberos", true),
            ("Basic realm=\"a, b\", Negotiate", true),
            ("Basic bnRsbQ==", false),
            ("Digest username=\"ntlm\"", false),
            ("NTLMX", false),
            ("", false),
        ] {
            assert_eq!(binds_connection(value.as_bytes()), expected, "{value}");
        }
    }
}
