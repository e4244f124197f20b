//! URLs in the one form by which they are compared (RFC 3986 §6.2.2, §6.2.3).
//!
//! Two that mean the same to a server, and differ in how they are written, must not fare
//! differently: `/%70rivate` and `/x/../private` are `/private`.

/// A URL in its one form.
#[derive(Clone, Copy)]
pub(super) struct Url<'a> {
    text: &'a [u8],
    path_at: usize,
}

impl<'a> Url<'a> {
    /// A URL that has been [written](write), and where its path begins.
    pub(super) fn new(text: &'a [u8], path_at: usize) -> Url<'a> {
        Url { text, path_at }
    }

    pub(super) fn whole(self) -> &'a [u8] {
        self.text
    }

    /// Scheme and authority.
    pub(super) fn front(self) -> &'a [u8] {
        &self.text[..self.path_at]
    }

    /// Path and query.
    pub(super) fn path(self) -> &'a [u8] {
        &self.text[self.path_at..]
    }
}

/// Memory that is kept from one URL to the next.
const KEPT: usize = 16 * 1024;

/// Writes a URL in place of what is in `url`. `path` is what follows the authority, as it was
/// received. `*` in its place stands for the server itself (RFC 9112 §3.2.4), and is left out.
/// Returns where the path begins.
pub(super) fn write(scheme: &str, host: &[u8], port: u16, path: &str, url: &mut Vec<u8>) -> usize {
    if url.capacity() > KEPT {
        *url = Vec::new();
    }
    url.clear();
    url.extend_from_slice(scheme.as_bytes());
    url.make_ascii_lowercase();
    url.extend_from_slice(b"://");
    url.extend_from_slice(host);
    let usual = if url.starts_with(b"https:") { 443 } else { 80 };
    if port != usual {
        url.push(b':');
        url.extend_from_slice(crate::decimal::Decimal::new(port.into()).digits());
    }
    let path_at = url.len();
    if path == "*" {
        return path_at;
    }
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    write_path(path.as_bytes(), url);
    if let Some(query) = query {
        url.push(b'?');
        decode(query.as_bytes(), url);
    }
    path_at
}

/// Resolves `.` and `..` (RFC 3986 §5.2.4).
fn write_path(path: &[u8], url: &mut Vec<u8>) {
    let root = url.len();
    let mut segments = path.strip_prefix(b"/").unwrap_or(path).split(|&b| b == b'/').peekable();
    while let Some(segment) = segments.next() {
        let before = url.len();
        url.push(b'/');
        decode(segment, url);
        let is_last = segments.peek().is_none();
        let keep = match &url[before + 1..] {
            b"." => before,
            b".." => {
                url[root..before].iter().rposition(|&b| b == b'/').map_or(root, |at| root + at)
            }
            _ => continue,
        };
        url.truncate(keep);
        if is_last {
            url.push(b'/');
        }
    }
}

/// Decodes what need not be encoded, and writes the rest of what is with upper-case digits.
pub(super) fn decode(mut text: &[u8], url: &mut Vec<u8>) {
    while let Some((&byte, rest)) = text.split_first() {
        let encoded = match (byte, rest) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        let Some((high, low)) = encoded else {
            url.push(byte);
            text = rest;
            continue;
        };
        let meant = high << 4 | low;
        if meant.is_ascii_alphanumeric() || b"-._~".contains(&meant) {
            url.push(meant);
        } else {
            url.extend([b'%', rest[0].to_ascii_uppercase(), rest[1].to_ascii_uppercase()]);
        }
        text = &rest[2..];
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(scheme: &str, host: &str, port: u16, path: &str) -> String {
        let mut url = b"left over".to_vec();
        let path_at = write(scheme, host.as_bytes(), port, path, &mut url);
        let parts = Url::new(&url, path_at);
        assert_eq!([parts.front(), parts.path()].concat(), parts.whole());
        assert!(matches!(parts.path(), [] | [b'/', ..]));
        String::from_utf8(url).unwrap()
    }

    #[test]
    fn authorities_name_a_port_where_it_is_not_the_usual_one() {
        assert_eq!(written("HTTP", "a.test", 80, "/"), "http://a.test/");
        assert_eq!(written("http", "a.test", 443, "/"), "http://a.test:443/");
        assert_eq!(written("https", "a.test", 443, "/"), "https://a.test/");
        assert_eq!(written("http", "[::1]", 8080, "*"), "http://[::1]:8080");
    }

    #[test]
    fn a_path_has_one_form_however_it_is_written() {
        for (path, form) in [
            ("/", "/"),
            ("/private", "/private"),
            ("/%70rivate", "/private"),
            ("/x/../private", "/private"),
            ("/x/%2E%2e/private", "/private"),
            ("/./private/.", "/private/"),
            ("/../../private", "/private"),
            ("/a/b/..", "/a/"),
            ("/a//b", "/a//b"),
            ("/a%2fb%3F", "/a%2Fb%3F"),
            ("/100%", "/100%"),
            ("/%zz%4", "/%zz%4"),
            ("/a?x=/../%41&y=%26", "/a?x=/../A&y=%26"),
            ("/Case", "/Case"),
        ] {
            assert_eq!(written("http", "h", 80, path), format!("http://h{form}"), "{path}");
        }
    }
}
