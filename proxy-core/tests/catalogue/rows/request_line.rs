//! The request line but for its target: white space, line ends, the version.

use super::table::{Requests, forwarded, refused};
use super::{Outcome, RequestRow};

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<RequestRow> {
    let mut rows = Requests::of("request line");
    rows.refuse(
        400,
        "bad_request_line",
        &[
            ("bare LF behind it", "RFC 9112 §2.2; Http11Probe", b"GET http://{origin}/ HTTP/1.1\nHost: {origin}\r\n\r\n"),
            ("bare LF everywhere", "RFC 9112 §2.2; HTTP Garden", b"GET http://{origin}/ HTTP/1.1\nHost: {origin}\n\n"),
            ("bare CR behind it", "RFC 9112 §2.2; Http11Probe", b"GET http://{origin}/ HTTP/1.1\rHost: {origin}\r\n\r\n"),
            ("bare CR everywhere", "RFC 9112 §2.2; llhttp", b"GET http://{origin}/ HTTP/1.1\rHost: {origin}\r\r"),
            ("two CRs before the LF", "RFC 9112 §2.2", b"GET http://{origin}/ HTTP/1.1\r\r\nHost: {origin}\r\n\r\n"),
            ("LF for the space before the version", "RFC 9112 §3; HTTP Garden", b"GET http://{origin}/\nHTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("CR for the space before the version", "RFC 9112 §3", b"GET http://{origin}/\rHTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("LF before it", "RFC 9112 §2.2", b"\nGET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("CR before it", "RFC 9112 §2.2", b"\rGET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("an empty line, then LF", "RFC 9112 §2.2", b"\r\n\nGET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("a space before it", "RFC 9112 §3; Http11Probe", b" GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("a tab before it", "RFC 9112 §3", b"\tGET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("an empty line, then a space", "RFC 9112 §3", b"\r\n GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("a line of white space before it", "RFC 9112 §2.2; Http11Probe", b" \r\nGET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("two spaces behind the method", "RFC 9112 §3; Http11Probe", b"GET  http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("two spaces before the version", "RFC 9112 §3; Http11Probe", b"GET http://{origin}/  HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("a tab behind the method", "RFC 9112 §3; Http11Probe", b"GET\thttp://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("a tab before the version", "RFC 9112 §3", b"GET http://{origin}/\tHTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("a vertical tab behind the method", "RFC 9112 §3", b"GET\x0bhttp://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("a form feed before the version", "RFC 9112 §3", b"GET http://{origin}/\x0cHTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("a space behind the version", "RFC 9112 §3; Http11Probe", b"GET http://{origin}/ HTTP/1.1 \r\nHost: {origin}\r\n\r\n"),
            ("a tab behind the version", "RFC 9112 §3", b"GET http://{origin}/ HTTP/1.1\t\r\nHost: {origin}\r\n\r\n"),
            ("a fourth word", "RFC 9112 §3", b"GET http://{origin}/ HTTP/1.1 x\r\nHost: {origin}\r\n\r\n"),
            ("a space in the target", "RFC 9112 §3.2; ATS, llhttp", b"GET http://{origin}/a b HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("a version as part of the target", "RFC 9112 §3", b"GET http://{origin}/ HTTP/1.1 HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("no version", "RFC 9112 §3; HTTP/0.9, Http11Probe", b"GET http://{origin}/\r\n\r\n"),
            ("no version, with fields", "RFC 9112 §3; llhttp", b"GET http://{origin}/\r\nHost: {origin}\r\n\r\n"),
            ("no version, yet its space", "RFC 9112 §3", b"GET http://{origin}/ \r\nHost: {origin}\r\n\r\n"),
            ("no target", "RFC 9112 §3; Http11Probe", b"GET HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("no target, yet both spaces", "RFC 9112 §3", b"GET  HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("nothing but a method", "RFC 9112 §3; h1spec", b"GET\r\nHost: {origin}\r\n\r\n"),
            ("a field for a request line", "RFC 9112 §3", b"Host: {origin}\r\n\r\n"),
            ("a chunk for a request line", "RFC 9112 §3", b"5\r\nhello\r\n0\r\n\r\n"),
            ("a response for a request", "RFC 9112 §2.1", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("binary nonsense", "RFC 9112 §3; Http11Probe", b"\x01\x02\xff\xfe\x00\x80\r\n\r\n"),
            ("a version in lower case", "RFC 9112 §2.3; Http11Probe, h1spec", b"GET http://{origin}/ http/1.1\r\nHost: {origin}\r\n\r\n"),
            ("a version in mixed case", "RFC 9112 §2.3", b"GET http://{origin}/ HtTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("a version without its minor part", "RFC 9112 §2.3; Http11Probe", b"GET http://{origin}/ HTTP/1\r\nHost: {origin}\r\n\r\n"),
            ("a version without its minor digit", "RFC 9112 §2.3", b"GET http://{origin}/ HTTP/1.\r\nHost: {origin}\r\n\r\n"),
            ("a version without its major digit", "RFC 9112 §2.3", b"GET http://{origin}/ HTTP/.1\r\nHost: {origin}\r\n\r\n"),
            ("a version without digits", "RFC 9112 §2.3; h1spec", b"GET http://{origin}/ HTTP/\r\nHost: {origin}\r\n\r\n"),
            ("zeros before the major digit", "RFC 9112 §2.3; Http11Probe", b"GET http://{origin}/ HTTP/01.1\r\nHost: {origin}\r\n\r\n"),
            ("zeros before the minor digit", "RFC 9112 §2.3; Http11Probe", b"GET http://{origin}/ HTTP/1.01\r\nHost: {origin}\r\n\r\n"),
            ("more than one minor digit", "RFC 9112 §2.3; HTTP Garden, CVE-2023-47627", b"GET http://{origin}/ HTTP/1.10\r\nHost: {origin}\r\n\r\n"),
            ("a longest valid prefix of a version", "RFC 9112 §2.3; HTTP Garden", b"GET http://{origin}/ HTTP/1.32\r\nHost: {origin}\r\n\r\n"),
            ("two major digits", "RFC 9112 §2.3; ATS", b"GET http://{origin}/ HTTP/11.1\r\nHost: {origin}\r\n\r\n"),
            ("a version that overflows to 1.1", "RFC 9112 §2.3; HTTP Garden", b"GET http://{origin}/ HTTP/4294967297.257\r\nHost: {origin}\r\n\r\n"),
            ("a negative version", "RFC 9112 §2.3", b"GET http://{origin}/ HTTP/-1.1\r\nHost: {origin}\r\n\r\n"),
            ("a comma in the version", "RFC 9112 §2.3", b"GET http://{origin}/ HTTP/1,1\r\nHost: {origin}\r\n\r\n"),
            ("spaces in the version", "RFC 9112 §2.3; Http11Probe", b"GET http://{origin}/ HTTP/ 1.1\r\nHost: {origin}\r\n\r\n"),
            ("bare CRs in the version", "RFC 9112 §2.3; HTTP Garden", b"GET http://{origin}/ HTTP/\r\r1.1\r\nHost: {origin}\r\n\r\n"),
            ("three parts of a version", "RFC 9112 §2.3", b"GET http://{origin}/ HTTP/1.1.1\r\nHost: {origin}\r\n\r\n"),
            ("another protocol, misspelled", "RFC 9112 §2.3; ATS", b"GET http://{origin}/ HTP/1.1\r\nHost: {origin}\r\n\r\n"),
            ("another protocol, prefixed", "RFC 9112 §2.3; llhttp", b"GET http://{origin}/ IHTTP/1.0\r\nHost: {origin}\r\n\r\n"),
            ("ICE", "RFC 9112 §2.3; llhttp", b"SOURCE http://{origin}/ ICE/1.0\r\nHost: {origin}\r\n\r\n"),
            ("RTSP", "RFC 9112 §2.3; llhttp", b"PUT http://{origin}/ RTSP/1.0\r\nHost: {origin}\r\n\r\n"),
            ("HTTPS for HTTP", "RFC 9112 §2.3", b"GET http://{origin}/ HTTPS/1.1\r\nHost: {origin}\r\n\r\n"),
        ],
    );
    rows.refuse(
        505,
        "unsupported_version",
        &[
            ("HTTP/0.9 in so many words", "RFC 9110 §2.5; HTTP/0.9", b"GET http://{origin}/ HTTP/0.9\r\nHost: {origin}\r\n\r\n"),
            ("HTTP/1.2", "RFC 9110 §2.5, §15.6.6; Http11Probe", b"GET http://{origin}/ HTTP/1.2\r\nHost: {origin}\r\n\r\n"),
            ("HTTP/1.9", "RFC 9110 §2.5", b"GET http://{origin}/ HTTP/1.9\r\nHost: {origin}\r\n\r\n"),
            ("HTTP/2.0", "RFC 9110 §15.6.6", b"GET http://{origin}/ HTTP/2.0\r\nHost: {origin}\r\n\r\n"),
            ("HTTP/3.0", "RFC 9110 §15.6.6", b"GET http://{origin}/ HTTP/3.0\r\nHost: {origin}\r\n\r\n"),
            ("HTTP/9.9", "RFC 9110 §15.6.6; llhttp", b"GET http://{origin}/ HTTP/9.9\r\nHost: {origin}\r\n\r\n"),
        ],
    );
    // Where it comes in pieces it may be refused for its version before it is recognised.
    rows.row("the preface of HTTP/2", "RFC 9113 §3.4; Http11Probe", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", Outcome { reason: None, ..refused(505, "") });
    rows.refuse(
        400,
        "tls_to_plain_port",
        &[
            ("a TLS handshake", "RFC 8446 §5.1", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03\r\n\r\n"),
        ],
    );
    rows.forward(&[
        ("an empty line before it", "RFC 9112 §2.2; llhttp, Http11Probe", b"\r\nGET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n", b"GET / HTTP/1.1\r\nHost: {origin}\r\nVia: 1.1 PROXY\r\n\r\n"),
        ("five empty lines before it", "RFC 9112 §2.2", b"\r\n\r\n\r\n\r\n\r\nGET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n", b"GET / HTTP/1.1\r\nHost: {origin}\r\nVia: 1.1 PROXY\r\n\r\n"),
    ]);
    for byte in (0..=0xff_u8).filter(|byte| !b" \r\n!#$%&'*+-.^_`|~".contains(byte) && !byte.is_ascii_alphanumeric()) {
        let name = format!("0x{byte:02x} in the method");
        let sent = [b"GE", &[byte][..], b"T http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"].concat();
        rows.row(&name, "RFC 9110 §9.1; HTTP Garden, CVE-2023-47627", &sent, refused(400, "bad_request_line"));
    }
    for (name, source, sent) in [
        ("the end comes in the method", "RFC 9112 §8; Http11Probe", &b"GE"[..]),
        ("the end comes in the target", "RFC 9112 §8", b"GET http://{ori"),
        ("the end comes behind the line", "RFC 9112 §8; llhttp", b"GET http://{origin}/ HTTP/1.1\r\n"),
        ("the end comes in a field", "RFC 9112 §8; llhttp", b"GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\nX"),
        ("the end comes before the empty line", "RFC 9112 §8", b"GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n"),
        ("the end comes in the empty line", "RFC 9112 §8", b"GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r"),
    ] {
        rows.row(name, source, sent, refused(400, "request_incomplete")).ends = true;
    }
    let long = [b"GET http://{origin}/", &[b'a'; 8000][..], b" HTTP/1.1\r\nHost: {origin}\r\n\r\n"].concat();
    let sent_on = [b"GET /", &[b'a'; 8000][..], b" HTTP/1.1\r\nHost: {origin}\r\nVia: 1.1 PROXY\r\n\r\n"].concat();
    rows.row("a target of 8,000 bytes", "RFC 9112 §3; Http11Probe", &long, forwarded(&sent_on));
    let longer = [b"GET http://{origin}/", &[b'a'; 20_000][..], b" HTTP/1.1\r\nHost: {origin}\r\n\r\n"].concat();
    rows.row("a target of 20,000 bytes", "RFC 9110 §15.5.15; Http11Probe", &longer, refused(414, "target_too_long"));
    rows.done()
}
