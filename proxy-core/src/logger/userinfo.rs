//! Keeping credentials out of the log.

/// Cuts the userinfo out of a request target (RFC 3986 §3.2.1): what stands before it, and
/// what follows its `@`. The two joined are the target to show.
///
/// Any target can be given; one that has no authority is returned whole.
pub(super) fn without_userinfo(target: &str) -> (&str, &str) {
    // Hardly any target holds an `@`. Origin-form has no authority to hold userinfo.
    if !target.contains('@') || target.starts_with('/') {
        return (target, "");
    }
    // Absolute-form has its authority behind the scheme, authority-form begins with it.
    let start = match target.split_once("://") {
        Some((scheme, _)) if !scheme.contains(['/', '?', '#']) => scheme.len() + "://".len(),
        _ => 0,
    };
    let authority = &target[start..];
    let authority = &authority[..authority.find(['/', '?', '#']).unwrap_or(authority.len())];
    // The last one: a password may hold an `@` that should have been escaped.
    match authority.rfind('@') {
        Some(at) => (&target[..start], &target[start + at + 1..]),
        None => (target, ""),
    }
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
        ] {
            let (before, after) = without_userinfo(target);
            assert_eq!(format!("{before}{after}"), shown, "{target}");
        }
    }

    #[test]
    fn an_at_sign_elsewhere_stays() {
        for target in [
            "",
            "-",
            "*",
            "/a@b",
            "//a@b/",
            "http://h/a@b",
            "http://h?a@b",
            "http://h#a@b",
            "h:443",
        ] {
            assert_eq!(without_userinfo(target), (target, ""));
        }
    }
}
