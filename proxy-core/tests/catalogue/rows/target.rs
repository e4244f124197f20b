//! The request target: its four forms and what is none of them.

use super::table::{Requests, answered, refused};
use super::{RequestRow, table};

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<RequestRow> {
    let mut rows = Requests::of("target");
    for (name, source, method, target) in [
        ("a fragment", "RFC 9112 §3.2; Http11Probe, HAProxy", "GET", "http://{origin}/#top"),
        ("a fragment behind the host", "RFC 9112 §3.2; HAProxy", "GET", "http://{origin}#top"),
        ("a fragment behind a query", "RFC 9112 §3.2; llhttp", "GET", "http://{origin}/?a#b"),
        ("a fragment that hides a host", "RFC 9112 §3.2; CVE-2023-45539", "GET", "http://127.0.0.1:1#@{origin}/"),
        ("an empty fragment", "RFC 9112 §3.2", "GET", "http://{origin}/#"),
        ("a user", "RFC 9110 §4.2.4", "GET", "http://user@{origin}/"),
        ("a user and a password", "RFC 9110 §4.2.4; HAProxy, llhttp", "GET", "http://user:pass@{origin}/"),
        ("an empty user", "RFC 9110 §4.2.4", "GET", "http://@{origin}/"),
        ("two users", "RFC 9110 §4.2.4", "GET", "http://a@b@{origin}/"),
        ("a host for a user", "RFC 9110 §4.2.4; http-request-smuggler", "GET", "http://a.example@{origin}/"),
        ("no host", "RFC 9110 §4.2.1; HAProxy", "GET", "http:///"),
        ("no host, yet a port", "RFC 9110 §4.2.1; HAProxy", "GET", "http://:80/"),
        ("no host and no port, yet a colon", "RFC 9110 §4.2.1; HAProxy", "GET", "http://:/"),
        ("no host, yet a query", "RFC 9110 §4.2.1", "GET", "http://?a"),
        ("nothing behind the scheme", "RFC 9110 §4.2.1", "GET", "http://"),
        ("an empty port", "RFC 3986 §3.2.3: never sent on as it is; HAProxy", "GET", "http://a.example:/"),
        ("port 0", "RFC 9110 §4.2.1", "GET", "http://a.example:0/"),
        ("port 65536", "RFC 9110 §4.2.1", "GET", "http://a.example:65536/"),
        ("a port that overflows to 80", "RFC 9110 §4.2.1", "GET", "http://a.example:4294967376/"),
        ("a port with a sign", "RFC 3986 §3.2.3", "GET", "http://a.example:+80/"),
        ("a negative port", "RFC 3986 §3.2.3", "GET", "http://a.example:-1/"),
        ("a port in hexadecimal", "RFC 3986 §3.2.3", "GET", "http://a.example:0x50/"),
        ("a port with zeros before it", "RFC 3986 §3.2.3: two spellings of one", "GET", "http://a.example:0080/"),
        ("a port that is a word", "RFC 3986 §3.2.3", "GET", "http://a.example:http/"),
        ("two ports", "RFC 3986 §3.2.3; ATS", "GET", "http://a.example:80:81/"),
        ("two hosts", "RFC 3986 §3.2.2", "GET", "http://a.example,b.example/"),
        ("a percent-encoded host", "RFC 3986 §3.2.2", "GET", "http://a%2eexample/"),
        ("a percent-encoded NUL in the host", "RFC 3986 §3.2.2", "GET", "http://a%00.example/"),
        ("a backslash in the host", "RFC 3986 §3.2.2", "GET", "http://a.example\\b.example/"),
        ("backslashes for slashes", "RFC 3986 §3.2", "GET", "http:\\\\{origin}\\"),
        ("a semicolon in the host", "RFC 3986 §3.2.2", "GET", "http://a.example;x/"),
        ("an asterisk for a host", "RFC 3986 §3.2.2", "GET", "http://*/"),
        ("a quote in the host", "RFC 3986 §3.2.2", "GET", "http://\"a.example\"/"),
        ("a host of 300 letters", "RFC 3986 §3.2.2; RFC 1035 §3.1", "GET", &format!("http://{}/", "a".repeat(300))),
        ("an open bracket", "RFC 3986 §3.2.2", "GET", "http://[::1/"),
        ("a closing bracket", "RFC 3986 §3.2.2", "GET", "http://::1]/"),
        ("an IPv6 address without brackets", "RFC 3986 §3.2.2", "GET", "http://::1/"),
        ("empty brackets", "RFC 3986 §3.2.2", "GET", "http://[]/"),
        ("a name in brackets", "RFC 3986 §3.2.2", "GET", "http://[a.example]/"),
        ("an IPv4 address in brackets", "RFC 3986 §3.2.2", "GET", "http://[127.0.0.1]/"),
        ("a zone", "RFC 6874: for the host's own use", "GET", "http://[fe80::1%25lo]/"),
        ("a zone in the old way", "RFC 6874", "GET", "http://[fe80::1%lo]/"),
        ("an address of the future", "RFC 3986 §3.2.2", "GET", "http://[v1.a]/"),
        ("bytes behind the brackets", "RFC 3986 §3.2.2", "GET", "http://[::1]a/"),
        ("digits behind the brackets", "RFC 3986 §3.2.2", "GET", "http://[::1]80/"),
        ("one slash behind the scheme", "RFC 9110 §4.2.1", "GET", "http:/{origin}/"),
        ("no slash behind the scheme", "RFC 9110 §4.2.1", "GET", "http:{origin}/"),
        ("no colon behind the scheme", "RFC 3986 §3.1", "GET", "http//{origin}/"),
        ("no scheme", "RFC 3986 §3.1", "GET", "://{origin}/"),
        ("a scheme that begins with a digit", "RFC 3986 §3.1", "GET", "1http://{origin}/"),
        ("a scheme with an underscore", "RFC 3986 §3.1", "GET", "ht_tp://{origin}/"),
        ("a scheme with a percent sign", "RFC 3986 §3.1", "GET", "%68ttp://{origin}/"),
        ("host and port for a target", "RFC 9112 §3.2.3: with CONNECT only; HAProxy", "GET", "{origin}"),
        ("a host for a target", "RFC 9112 §3.2; llhttp", "GET", "a.example"),
        ("a relative path", "RFC 9112 §3.2.1; HAProxy", "GET", "admin/a/b"),
        ("a query for a target", "RFC 9112 §3.2.1", "GET", "?a=b"),
        ("an exclamation mark for a target", "RFC 9112 §3.2; HTTP Garden", "GET", "!"),
        ("dots for a target", "RFC 9112 §3.2", "GET", "../a"),
        ("a backslash for a slash", "RFC 9112 §3.2.1; Http11Probe", "GET", "\\a"),
        ("a percent-encoded slash for a slash", "RFC 9112 §3.2.1", "GET", "%2fa"),
        ("a user for a target", "RFC 9112 §3.2; http-request-smuggler", "GET", "@{origin}/"),
        ("an asterisk with GET", "RFC 9112 §3.2.4; HAProxy, Http11Probe", "GET", "*"),
        ("an asterisk and a path", "RFC 9112 §3.2.4; HAProxy", "OPTIONS", "*/test"),
        ("two asterisks", "RFC 9112 §3.2.4", "OPTIONS", "**"),
        ("CONNECT without a port", "RFC 9110 §9.3.6; HAProxy", "CONNECT", "a.example"),
        ("CONNECT with an empty port", "RFC 9110 §9.3.6; HAProxy", "CONNECT", "a.example:"),
        ("CONNECT to port 0", "RFC 9110 §9.3.6", "CONNECT", "a.example:0"),
        ("CONNECT to port 65536", "RFC 9110 §9.3.6", "CONNECT", "a.example:65536"),
        ("CONNECT to a long port", "RFC 9110 §9.3.6", "CONNECT", "a.example:99999999999999999999"),
        ("CONNECT to a path", "RFC 9112 §3.2.3; HAProxy", "CONNECT", "/"),
        ("CONNECT to an asterisk", "RFC 9112 §3.2.3", "CONNECT", "*"),
        ("CONNECT in absolute-form", "RFC 9112 §3.2.3; HAProxy", "CONNECT", "http://{origin}"),
        ("CONNECT in absolute-form with a path", "RFC 9112 §3.2.3", "CONNECT", "http://{origin}/"),
        ("CONNECT with a path behind the port", "RFC 9112 §3.2.3", "CONNECT", "{origin}/"),
        ("CONNECT with a query behind the port", "RFC 9112 §3.2.3", "CONNECT", "{origin}?a"),
        ("CONNECT with a user", "RFC 9112 §3.2.3", "CONNECT", "user@{origin}"),
        ("CONNECT to no host", "RFC 9112 §3.2.3", "CONNECT", ":443"),
        ("CONNECT to two hosts", "RFC 9112 §3.2.3", "CONNECT", "a.example:443,b.example:443"),
        ("CONNECT to an IPv6 address without brackets", "RFC 9112 §3.2.3", "CONNECT", "::1:443"),
    ] {
        let sent = format!("{method} {target} HTTP/1.1\r\nHost: {{origin}}\r\n\r\n");
        rows.row(name, source, sent.as_bytes(), refused(400, "bad_target"));
    }
    for byte in [0x00_u8, 0x01, 0x08, 0x0b, 0x0c, 0x1b, 0x1f, 0x7f] {
        let name = format!("0x{byte:02x} in the path");
        let sent = [b"GET http://{origin}/a", &[byte][..], b"b HTTP/1.1\r\nHost: {origin}\r\n\r\n"].concat();
        rows.row(&name, "RFC 9112 §3.2; Http11Probe", &sent, refused(400, "bad_request_line"));
        // The parser looks at 16 or 32 bytes at once where there are so many.
        let name = format!("0x{byte:02x} in a long path");
        let sent = [b"GET http://{origin}/", &[b'a'; 77][..], &[byte], &[b'b'; 77], b" HTTP/1.1\r\nHost: {origin}\r\n\r\n"].concat();
        rows.row(&name, "RFC 9112 §3.2; Http11Probe", &sent, refused(400, "bad_request_line"));
    }
    for (name, source, path) in [
        ("UTF-8 in the path", "RFC 3986 §2; Http11Probe, llhttp", &b"/caf\xc3\xa9"[..]),
        ("UTF-8 in the query", "RFC 3986 §2", b"/?q=\xe2\x82\xac"),
        ("U+0085 in the path", "RFC 3986 §2", b"/\xc2\x85"),
        ("U+00A0 in the path", "RFC 3986 §2", b"/\xc2\xa0"),
    ] {
        let sent = [b"GET http://{origin}", path, b" HTTP/1.1\r\nHost: {origin}\r\n\r\n"].concat();
        rows.row(name, source, &sent, refused(400, "bad_target"));
    }
    for (name, source, path) in [
        ("Latin-1 in the path", "RFC 3986 §2", &b"/caf\xe9"[..]),
        ("an overlong slash", "RFC 3986 §2; Http11Probe", b"/\xc0\xaf"),
        ("a byte order mark in half", "RFC 3986 §2", b"/\xef\xbb"),
        ("0xff in the path", "RFC 3986 §2", b"/\xff"),
    ] {
        let sent = [b"GET http://{origin}", path, b" HTTP/1.1\r\nHost: {origin}\r\n\r\n"].concat();
        rows.row(name, source, &sent, refused(400, "bad_request_line"));
    }
    for (name, source, path, got) in [
        ("no path", "RFC 9112 §3.2.1; HAProxy", "", "/"),
        ("a query without a path", "RFC 9112 §3.2.1; llhttp", "?hail=all", "/?hail=all"),
        ("a question mark alone", "RFC 9112 §3.2.1", "?", "/?"),
        ("two slashes", "RFC 9112 §3.2.1", "//b.example/", "//b.example/"),
        ("another target in the query", "RFC 9112 §3.2.1; llhttp", "/?u=http://b.example/", "/?u=http://b.example/"),
        ("two question marks", "RFC 3986 §3.4; llhttp", "/a?b?c", "/a?b?c"),
        ("dot segments", "RFC 3986 §6: not ours to resolve", "/a/../../b/./c", "/a/../../b/./c"),
        ("percent-encoded dots", "RFC 3986 §6", "/%2e%2e/%2E", "/%2e%2e/%2E"),
        ("a percent-encoded CRLF", "RFC 3986 §2.1; Http11Probe", "/%0d%0aX:%20y", "/%0d%0aX:%20y"),
        ("a percent-encoded NUL", "RFC 3986 §2.1; Http11Probe", "/%00", "/%00"),
        ("a stray percent sign", "RFC 3986 §2.1: browsers send it", "/100%", "/100%"),
        ("quotes", "RFC 3986 §2: browsers send them; llhttp", "/with_\"lovely\"_quotes", "/with_\"lovely\"_quotes"),
        ("a vertical bar", "RFC 3986 §2: browsers send it; llhttp", "/?q=a|b", "/?q=a|b"),
        ("braces, caret and grave", "RFC 3986 §2: browsers send them", "/{a}^`b`", "/{a}^`b`"),
        ("angle brackets", "RFC 3986 §2; ATS", "/bob<>", "/bob<>"),
        ("brackets", "RFC 3986 §2: browsers send them in queries", "/?a[]=b", "/?a[]=b"),
        ("a backslash in the path", "RFC 3986 §2: browsers send it in queries; Http11Probe", "/a\\b", "/a\\b"),
        ("an at sign in the path", "RFC 3986 §3.3", "/@a:b", "/@a:b"),
    ] {
        let sent = format!("GET http://{{origin}}{path} HTTP/1.1\r\nHost: {{origin}}\r\n\r\n");
        let got = format!("GET {got} HTTP/1.1\r\nHost: {{origin}}\r\nVia: 1.1 PROXY\r\n\r\n");
        rows.forward(&[(name, source, sent.as_bytes(), got.as_bytes())]);
    }
    rows.forward(&[
        ("a scheme in capitals", "RFC 3986 §3.1", b"GET HTTP://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n", &table::get_sent_on(b"")),
        ("a scheme in mixed case", "RFC 3986 §3.1", b"GET hTTp://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n", &table::get_sent_on(b"")),
    ]);
    for scheme in ["https", "HTTPS", "ftp", "ws", "gopher", "file", "javascript", "h2c+http.x-1"] {
        let sent = format!("GET {scheme}://{{origin}}/ HTTP/1.1\r\nHost: {{origin}}\r\n\r\n");
        rows.row(&format!("the scheme {scheme}"), "RFC 9110 §4.3.3: a proxy serves http only", sent.as_bytes(), answered(400, Some("unsupported_scheme")));
    }
    for (name, target) in [("origin-form", "/"), ("origin-form with a host in it", "//{origin}/"), ("origin-form with a target in it", "/http://{origin}/"), ("origin-form at the destination's own address", "/?http://{origin}/")] {
        let sent = format!("GET {target} HTTP/1.1\r\nHost: {{origin}}\r\n\r\n");
        rows.row(name, "RFC 9112 §3.2.2: what is meant for a proxy is in absolute-form", sent.as_bytes(), answered(400, Some("not_a_proxy_request")));
    }
    rows.done()
}
