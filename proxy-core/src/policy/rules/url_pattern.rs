//! [`UrlPattern`]: what URLs are compared with.

use std::fmt;
use std::str::FromStr;

use super::super::glob::Glob;
use super::super::host_name::HostName;
use super::pattern::{PatternError, is_host_byte};
use super::url::{self, Url};
use crate::http1::HostPort;

/// A pattern for the whole URL of a plain request.
///
/// | written | is |
/// |---|---|
/// | `http://example.com/a/*` | all below `/a/` of this host |
/// | `http://*.example.com/*` | all of its subdomains: a `*` before the path ends at the path |
/// | `*/private/*` | whatever has this anywhere: a `*` at the beginning stands for anything |
///
/// URLs are compared in one form (RFC 3986 §6.2.2, §6.2.3): scheme and host in lower case, no
/// port where it is the usual one, what need not be percent-encoded decoded, `.` and `..` resolved.
/// A pattern may be written in another. Case counts in path and query.
///
/// Where a rule allows, name scheme and host: who asks writes the path, and `*.example.com/*` is
/// like `http://elsewhere.test/.example.com/`, too.
///
/// ```
/// use proxy_core::rules::{PatternError, UrlPattern};
///
/// let pattern: UrlPattern = "HTTP://Example.com:80/%61/*".parse()?;
/// assert_eq!("http://example.com".parse::<UrlPattern>().unwrap_err(), PatternError::UrlPath);
/// # drop(pattern);
/// # Ok::<(), PatternError>(())
/// ```
#[derive(Clone, Debug)]
pub struct UrlPattern {
    text: Box<str>,
    kind: UrlPatternKind,
}

#[derive(Clone, Debug)]
enum UrlPatternKind {
    /// For all of it.
    Whole(Glob),
    /// For what stands before the path, and for the rest.
    Parts(Glob, Glob),
    #[cfg(feature = "regex")]
    Regex(regex::bytes::Regex),
}

impl UrlPattern {
    /// A regular expression, which is looked for anywhere in the URL: `^` and `$` stand for its
    /// ends. Takes time in proportion to the URL. Needs the feature `regex`.
    ///
    /// # Errors
    /// If it is none, or needs more than 1 MiB.
    #[cfg(feature = "regex")]
    pub fn regex(expression: &str) -> Result<UrlPattern, PatternError> {
        let regex = regex::bytes::RegexBuilder::new(expression)
            .unicode(false)
            .size_limit(1 << 20)
            .build()
            .map_err(|error| PatternError::Regex(error.to_string()))?;
        let text = format!("/{expression}/").into();
        Ok(UrlPattern { text, kind: UrlPatternKind::Regex(regex) })
    }

    pub(super) fn matches(&self, url: Url<'_>) -> bool {
        match &self.kind {
            UrlPatternKind::Whole(glob) => glob.matches(url.whole()),
            UrlPatternKind::Parts(front, path) => {
                path.matches(url.path()) && front.matches(url.front())
            }
            #[cfg(feature = "regex")]
            UrlPatternKind::Regex(regex) => regex.is_match(url.whole()),
        }
    }

    /// Whether who asks can write into the path what is looked for in the host.
    pub(super) fn is_for_any_host(&self) -> bool {
        match &self.kind {
            UrlPatternKind::Whole(_) => true,
            UrlPatternKind::Parts(..) => false,
            #[cfg(feature = "regex")]
            UrlPatternKind::Regex(regex) => {
                let text = regex.as_str();
                // `(?i)` and its like come first.
                let flags = text.strip_prefix("(?").and_then(|rest| rest.split_once(')'));
                !flags.map_or(text, |(_, rest)| rest).starts_with('^')
            }
        }
    }
}

impl FromStr for UrlPattern {
    type Err = PatternError;

    /// Reads a [`Glob`]. What no URL can be like is refused.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(PatternError::Url);
        }
        let kind = match text.split_once("://") {
            _ if text.starts_with('*') && !text.starts_with("*://") => {
                UrlPatternKind::Whole(path(text)?)
            }
            None => return Err(PatternError::UrlStart),
            Some((scheme, rest)) => {
                let at = rest.find('/').unwrap_or(rest.len());
                let front = front(scheme, &rest[..at])?;
                let path = match &rest[at..] {
                    "" if front.ends_with('*') => "*".parse()?,
                    "" => return Err(PatternError::UrlPath),
                    rest => path(rest)?,
                };
                UrlPatternKind::Parts(front.parse()?, path)
            }
        };
        Ok(UrlPattern { text: text.into(), kind })
    }
}

/// Scheme and authority in their one form.
fn front(scheme: &str, authority: &str) -> Result<String, PatternError> {
    let scheme = scheme.to_ascii_lowercase();
    let is_scheme_byte = |b: u8| b.is_ascii_alphanumeric() || b"+-.*?".contains(&b);
    if !scheme.bytes().all(is_scheme_byte) || scheme.is_empty() {
        return Err(PatternError::UrlStart);
    }
    let usual = match &*scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let authority = authority.strip_suffix(usual).unwrap_or(authority).to_ascii_lowercase();
    if authority.is_empty() || !authority.bytes().all(is_host_byte) {
        return Err(PatternError::Host);
    }
    if authority.contains(['*', '?']) {
        return Ok(format!("{scheme}://{authority}"));
    }
    let HostPort { host_len, .. } =
        HostPort::parse(authority.as_bytes()).ok_or(PatternError::Host)?;
    let (host, port) = authority.split_at(host_len);
    let name = HostName::new(host);
    Ok(format!("{scheme}://{}{port}", String::from_utf8_lossy(name.bytes())))
}

/// Path and query in their one form.
fn path(text: &str) -> Result<Glob, PatternError> {
    // What is behind a `?` may be the query, in which dots are dots.
    let path = text.split('?').next().unwrap_or_default();
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(PatternError::UrlDots);
    }
    let mut form = Vec::new();
    url::decode(text.as_bytes(), &mut form);
    Ok(String::from_utf8_lossy(&form).parse()?)
}

impl PartialEq for UrlPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for UrlPattern {}

impl fmt::Display for UrlPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, host: &str, port: u16, path: &str) -> bool {
        let mut text = Vec::new();
        let path_at = url::write("http", HostName::new(host).bytes(), port, path, &mut text);
        pattern.parse::<UrlPattern>().unwrap().matches(Url::new(&text, path_at))
    }

    #[test]
    fn a_star_before_the_path_ends_at_the_path() {
        // Who asks writes the path: it must not pass for a host.
        assert!(matches("http://*.a.test/*", "www.a.test", 80, "/x"));
        assert!(!matches("http://*.a.test/*", "evil.test", 80, "/.a.test/x"));
        assert!(!matches("http://*.a.test/*", "evil.test", 80, "/?x.a.test/"));
        assert!(!matches("http://*/private/*", "a.test", 80, "/x/private/y"));
        assert!(matches("http://*/private/*", "a.test", 80, "/private/y"));
        assert!(matches("*/private/*", "a.test", 80, "/x/private/y"));
        assert!(matches("*://a.test/*", "a.test", 80, "/x"));
        assert!(!matches("*://a.test/*", "evil.test", 80, "/://a.test/x"));
        assert!(matches("http://*", "a.test", 80, "*") && matches("http://*", "a.test", 80, "/x"));
    }

    #[test]
    fn a_pattern_may_be_written_in_another_form_than_urls_are_compared_in() {
        for (pattern, host, port, path) in [
            ("HTTP://A.Test:80/x", "a.test", 80, "/x"),
            ("http://a.test./x", "a.test", 80, "/x"),
            ("http://a.test:8080/x", "a.test", 8080, "/x"),
            ("http://*.test:80/x", "a.test", 80, "/x"),
            ("http://[2001:DB8:0::1]/x", "[2001:db8::1]", 80, "/x"),
            ("http://3221225985/x", "192.0.2.1", 80, "/x"),
            ("http://a.test/%70rivate/%2f*", "a.test", 80, "/private/%2Fx"),
            ("*/%70rivate", "a.test", 80, "/private"),
            ("http://a.test/x?y=/../z", "a.test", 80, "/x?y=/../z"),
        ] {
            assert!(matches(pattern, host, port, path), "{pattern}");
            assert_eq!(pattern.parse::<UrlPattern>().unwrap().to_string(), pattern);
        }
        assert!(!matches("http://a.test/Private", "a.test", 80, "/private"));
    }

    #[test]
    fn what_no_url_can_be_like_is_refused() {
        for (text, problem) in [
            ("http://a.test/\u{fc}", PatternError::Url),
            ("http://a.test/ x", PatternError::Url),
            ("", PatternError::UrlStart),
            ("a.test/x", PatternError::UrlStart),
            ("/private/*", PatternError::UrlStart),
            ("ht_tp://a.test/", PatternError::UrlStart),
            ("://a.test/", PatternError::UrlStart),
            ("http://a.test", PatternError::UrlPath),
            ("http://a.test?x", PatternError::UrlPath),
            ("http:///x", PatternError::Host),
            ("http://user@a.test/", PatternError::Host),
            ("http://a.test:x/", PatternError::Host),
            ("http://a.test/x/../y", PatternError::UrlDots),
            ("*/.", PatternError::UrlDots),
        ] {
            assert_eq!(text.parse::<UrlPattern>(), Err(problem), "{text}");
        }
        let long = format!("*{}", "a".repeat(256));
        assert!(matches!(long.parse::<UrlPattern>(), Err(PatternError::Glob(_))));
    }

    #[test]
    fn who_asks_writes_the_path() {
        let is_for_any_host = |text: &str| text.parse::<UrlPattern>().unwrap().is_for_any_host();
        assert!(is_for_any_host("*.a.test/*") && !is_for_any_host("http://*.a.test/*"));
        #[cfg(feature = "regex")]
        for (expression, expected) in
            [("a", true), ("^a", false), ("(?i)^a", false), ("(?i)a^", true), ("(?:^a|b)", true)]
        {
            let pattern = UrlPattern::regex(expression).unwrap();
            assert_eq!(pattern.is_for_any_host(), expected, "{expression}");
        }
    }
}
