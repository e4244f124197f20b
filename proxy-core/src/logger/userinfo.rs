//! Keeping credentials out of logs and answers.

use std::ops::Range;

/// Where a request target, or the URI in a `Referer`, has its userinfo and the `@` behind it
/// (RFC 3986 §3.2.1). What stands before it and what follows it, joined, is what may be shown.
///
/// Anything can be given; nothing is cut out of what has no authority. Both ends of the range
/// lie beside ASCII characters or at an end: text can be cut there.
pub(crate) fn userinfo(target: &[u8]) -> Range<usize> {
    // Hardly any target holds an `@`. Origin-form has no authority to hold userinfo. (A `Referer`
    // may be a reference that begins with one, RFC 3986 §4.2. A path that begins with `//` looks
    // the same: it may lose a name that is none.)
    let is_path = target.starts_with(b"/") && !target.starts_with(b"//");
    if memchr::memchr(b'@', target).is_none() || is_path {
        return 0..0;
    }
    // Absolute-form has its authority behind the scheme, authority-form begins with it. Browsers
    // take any number of slashes for two.
    let slashes = match memchr::memmem::find(target, b":/") {
        Some(at) if end_of_authority(&target[..at]) == at => at + 1,
        _ => 0,
    };
    let start = slashes + target[slashes..].iter().take_while(|&&byte| byte == b'/').count();
    let authority = &target[start..][..end_of_authority(&target[start..])];
    // The last one: a password may hold an `@` that should have been escaped.
    match memchr::memrchr(b'@', authority) {
        Some(at) => start..start + at + 1,
        None => 0..0,
    }
}

fn end_of_authority(bytes: &[u8]) -> usize {
    memchr::memchr3(b'/', b'?', b'#', bytes).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn userinfo_is_cut_out_wherever_an_authority_stands() {
        for (target, shown) in [
            ("http://u:p@h/", "http://h/"),
            ("http://u@h", "http://h"),
            ("http://u:p@ss@h:8080/a@b?c@d", "http://h:8080/a@b?c@d"),
            ("http://@h/", "http://h/"),
            ("http://ü:p@h/", "http://h/"),
            ("u:p@h:443", "h:443"),
            ("u:p@h:443/?next=http://x", "h:443/?next=http://x"),
            ("//u:p@h/a", "//h/a"),
            ("http:/u:p@h/", "http:/h/"),
            ("http:////u:p@h/", "http:////h/"),
            ("http:u:p@h/", "h/"),
            ("http:\\\\u:p@h/", "h/"),
        ] {
            let cut = userinfo(target.as_bytes());
            assert_eq!(target[..cut.start].to_owned() + &target[cut.end..], shown, "{target}");
        }
    }

    #[test]
    fn an_at_sign_elsewhere_stays() {
        for target in [
            "",
            "-",
            "*",
            "/a@b",
            "//a/@b",
            "http:/a/@b",
            "http://h/a@b",
            "http://h?a@b",
            "http://h#a@b",
            "h:443",
        ] {
            assert_eq!(userinfo(target.as_bytes()), 0..0, "{target}");
        }
    }
}
