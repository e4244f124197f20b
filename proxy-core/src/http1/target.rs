//! [`TargetForm`]: the four forms of a request target (RFC 9112 §3.2).

use super::Error;
use super::authority::HostPort;

/// The form of a request target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TargetForm {
    /// `/path?query`: to an origin server, or to a proxy in front of one (RFC 9112 §3.2.1).
    #[default]
    Origin,
    /// `http://host/path?query`: to a forward proxy (RFC 9112 §3.2.2).
    Absolute,
    /// `host:port`, with `CONNECT` and only there (RFC 9112 §3.2.3).
    Authority,
    /// `*`, with `OPTIONS` and only there (RFC 9112 §3.2.4).
    Asterisk,
}

/// A request target taken apart: lengths and places in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) form: TargetForm,
    /// Bytes of the scheme, in absolute-form.
    pub(crate) scheme_len: Option<usize>,
    /// Where the authority begins and what it is, in absolute- and authority-form.
    pub(crate) authority: Option<(usize, HostPort)>,
    pub(crate) path: Path,
}

/// What stands in the request line for the next hop, in place of the whole target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// The target, from here to its end.
    From(usize),
    /// The same, with `/` in front: there is a query and no path (RFC 9112 §3.2.1).
    SlashThenFrom(usize),
    /// `*`, which the target does not hold: `OPTIONS` with neither path nor query
    /// (RFC 9112 §3.2.4).
    Asterisk,
    /// Nothing.
    None,
}

impl Target {
    /// Takes `target` apart. A method allows some forms only; `authority-form` and `*` have no
    /// others to be told from.
    pub(crate) fn parse(method: &str, target: &str) -> Result<Target, Error> {
        let text = target.as_bytes();
        // httparse lets bytes above 0x7E pass, and `#`: no target has a fragment.
        if !text.is_ascii() || memchr::memchr(b'#', text).is_some() {
            return Err(Error::Target);
        }
        match (method, text) {
            ("CONNECT", _) => Target::authority_form(text),
            (_, [b'/', ..]) => Some(Target::plain(TargetForm::Origin)),
            ("OPTIONS", b"*") => Some(Target::plain(TargetForm::Asterisk)),
            _ => Target::absolute_form(method, text),
        }
        .ok_or(Error::Target)
    }

    fn plain(form: TargetForm) -> Target {
        Target { form, scheme_len: None, authority: None, path: Path::From(0) }
    }

    fn authority_form(text: &[u8]) -> Option<Target> {
        let authority = HostPort::parse(text)?;
        // RFC 9110 §9.3.6: there is no default port.
        authority.port?;
        Some(Target {
            form: TargetForm::Authority,
            scheme_len: None,
            authority: Some((0, authority)),
            path: Path::None,
        })
    }

    /// `scheme://host[:port][/path][?query]`, whatever the scheme: which ones are served is
    /// not for a parser to say.
    fn absolute_form(method: &str, text: &[u8]) -> Option<Target> {
        let scheme_len = text.iter().take_while(|&&byte| is_scheme_byte(byte)).count();
        if !text.first()?.is_ascii_alphabetic() {
            return None;
        }
        let rest = text[scheme_len..].strip_prefix(b"://")?;
        let authority_len = memchr::memchr2(b'/', b'?', rest).unwrap_or(rest.len());
        let start = text.len() - rest.len();
        let authority = HostPort::parse(&rest[..authority_len])?;
        let end = start + authority_len;
        let path = match text.get(end) {
            Some(b'/') => Path::From(end),
            None if method == "OPTIONS" => Path::Asterisk,
            _ => Path::SlashThenFrom(end),
        };
        Some(Target {
            form: TargetForm::Absolute,
            scheme_len: Some(scheme_len),
            authority: Some((start, authority)),
            path,
        })
    }
}

/// RFC 3986 §3.1.
const fn is_scheme_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_takes_its_forms() {
        for (method, target, expected) in [
            ("GET", "/", Some(TargetForm::Origin)),
            ("GET", "//example.com/x?y=http://z", Some(TargetForm::Origin)),
            ("GET", "/a|b^c{d}\"<>\\`", Some(TargetForm::Origin)),
            ("GET", "/%zz", Some(TargetForm::Origin)),
            ("OPTIONS", "/", Some(TargetForm::Origin)),
            ("OPTIONS", "*", Some(TargetForm::Asterisk)),
            ("OPTIONS", "http://a", Some(TargetForm::Absolute)),
            ("GET", "HTTP://a", Some(TargetForm::Absolute)),
            ("GET", "ftp+x.1-2://a:1/b", Some(TargetForm::Absolute)),
            ("CONNECT", "a:1", Some(TargetForm::Authority)),
            ("CONNECT", "[::1]:443", Some(TargetForm::Authority)),
            ("GET", "*", None),
            ("OPTIONS", "**", None),
            ("GET", "a:1", None),
            ("GET", "example.com", None),
            ("GET", "a/b", None),
            ("GET", "?q", None),
            ("GET", "", None),
            ("GET", "http:/a", None),
            ("GET", "http:a", None),
            ("GET", "http//a", None),
            ("GET", "://a", None),
            ("GET", "1http://a", None),
            ("GET", "ht_tp://a", None),
            ("GET", "http://", None),
            ("GET", "http:///a", None),
            ("GET", "http://?q", None),
            ("GET", "http://:80/", None),
            ("GET", "http://a:/", None),
            ("GET", "http://a:0/", None),
            ("GET", "http://u@a/", None),
            ("GET", "http://u:p@a/", None),
            ("GET", "http://a,b/", None),
            ("GET", "http://a\\b/", None),
            ("GET", "http://a%2eb/", None),
            ("GET", "http://[::1/", None),
            ("GET", "http://a/#f", None),
            ("GET", "/#", None),
            ("GET", "/\u{e9}", None),
            ("GET", "http://\u{e9}/", None),
            ("CONNECT", "a", None),
            ("CONNECT", "a:", None),
            ("CONNECT", "/", None),
            ("CONNECT", "*", None),
            ("CONNECT", "http://a:1/", None),
            ("CONNECT", "a:1/", None),
            ("CONNECT", "u@a:1", None),
            ("connect", "a:1", None),
        ] {
            let form = Target::parse(method, target).ok().map(|target| target.form);
            assert_eq!(form, expected, "{method} {target}");
        }
    }
}
