//! Chunked bodies of responses. The head has been sent when a fault shows: the client's
//! connection is closed before the last chunk.

use super::table::{Responses, ok, ok_relayed};
use super::{End, Received, ResponseRow, Then};

const CHUNKED: &[u8] = b"Transfer-Encoding: chunked\r\n";
const GOOD: &[u8] = b"5\r\nhello\r\n";

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<ResponseRow> {
    let mut rows = Responses::of("response: chunks and trailers");
    for (name, source, bad) in [
        ("no hexadecimal digit", "RFC 9112 §7.1; ATS", &b"z\r\nabc\r\n0\r\n\r\n"[..]),
        ("a prefix", "RFC 9112 §7.1", b"0x3\r\nabc\r\n0\r\n\r\n"),
        ("a plus sign", "RFC 9112 §7.1", b"+3\r\nabc\r\n0\r\n\r\n"),
        ("a minus sign", "RFC 9112 §7.1; nginx-tests", b"-3\r\nabc\r\n0\r\n\r\n"),
        ("a space before it", "RFC 9112 §7.1", b" 3\r\nabc\r\n0\r\n\r\n"),
        ("a space behind it", "RFC 9112 §7.1: no such white space; llhttp, HTTP/1 of old Apaches", b"3 \r\nabc\r\n0\r\n\r\n"),
        ("none", "RFC 9112 §7.1", b"\r\nabc\r\n0\r\n\r\n"),
        ("2^64", "RFC 9112 §7.1", b"10000000000000000\r\nabc\r\n0\r\n\r\n"),
        ("2^63", "RFC 9112 §7.1; nginx-tests", b"8000000000000000\r\nabc\r\n0\r\n\r\n"),
        ("bare LF behind it", "RFC 9112 §7.1; CVE-2025-22871", b"3\nabc\r\n0\r\n\r\n"),
        ("bare CR behind it", "RFC 9112 §7.1", b"3\rabc\r\n0\r\n\r\n"),
        ("longer than its size", "RFC 9112 §7.1", b"3\r\nabcd\r\n0\r\n\r\n"),
        ("no line end behind the data", "RFC 9112 §7.1", b"3\r\nabc0\r\n\r\n"),
        ("bare LF behind the data", "RFC 9112 §7.1", b"3\r\nabc\n0\r\n\r\n"),
        ("other bytes behind the data", "RFC 9112 §7.1; CVE-2025-43859", b"3\r\nabcXX0\r\n\r\n"),
        ("bare LF for the end", "RFC 9112 §7.1", b"0\r\n\n"),
        ("other bytes for the end", "RFC 9112 §7.1", b"0\r\nXX\r\n\r\n"),
        ("an extension that is none", "RFC 9112 §7.1.1; llhttp", b"3;\r\nabc\r\n0\r\n\r\n"),
        ("an extension without a semicolon", "RFC 9112 §7.1.1; llhttp", b"3 a\r\nabc\r\n0\r\n\r\n"),
        ("quotes that do not end", "RFC 9112 §7.1.1; llhttp", b"3;a=\"b\r\nabc\r\n0\r\n\r\n"),
        ("bare LF in an extension", "RFC 9112 §7.1.1; CVE-2025-55315", b"3;a\nb\r\nabc\r\n0\r\n\r\n"),
        ("300 bytes of an extension", "bounded", &[b"3;", &[b'a'; 300][..], b"\r\nabc\r\n0\r\n\r\n"].concat()),
        ("a folded trailer", "RFC 9112 §5.2", b"0\r\nA: b\r\n c\r\n\r\n"),
        ("a space before a trailer's colon", "RFC 9112 §5.1", b"0\r\nA : b\r\n\r\n"),
        ("bare LF in a trailer", "RFC 9112 §2.2", b"0\r\nA: b\n\r\n"),
        ("NUL in a trailer", "RFC 9110 §5.5", b"0\r\nA: \0\r\n\r\n"),
        ("a response for a trailer", "RFC 9112 §7.1.2", b"0\r\nHTTP/1.1 200 OK\r\n\r\n"),
        ("10,000 bytes of trailers", "bounded", &[b"0\r\nA: ", &[b'a'; 10_000][..], b"\r\n\r\n"].concat()),
    ] {
        let received = Received::Spoilt(ok_relayed(CHUNKED, GOOD), "bad_response_body");
        rows.row(name, source, &ok(CHUNKED, &[GOOD, bad].concat()), Then::Stays, received);
    }
    for (name, source, part) in [
        ("the end comes before the chunks", "RFC 9112 §8", &b""[..]),
        ("the end comes behind a chunk", "RFC 9112 §8; nginx-tests", b"5\r\nhello\r\n"),
        ("the end comes in the data", "RFC 9112 §8", b"5\r\nhel"),
        ("the end comes behind the data", "RFC 9112 §8", b"5\r\nhello"),
    ] {
        rows.relay(&Then::Ends, End::Closed, &[(name, source, &ok(CHUNKED, part), &ok_relayed(CHUNKED, part))]);
    }
    for (name, source, part) in [
        ("the end comes in a size", "RFC 9112 §8", &b"5"[..]),
        ("the end comes in the last chunk", "RFC 9112 §8", b"0"),
        ("the end comes behind the last chunk", "RFC 9112 §8", b"0\r\n"),
        ("the end comes in the last line end", "RFC 9112 §8", b"0\r\n\r"),
        ("the end comes in a trailer", "RFC 9112 §8", b"0\r\nA: b\r\n"),
    ] {
        rows.relay(&Then::Ends, End::Closed, &[(name, source, &ok(CHUNKED, &[GOOD, part].concat()), &ok_relayed(CHUNKED, GOOD))]);
    }
    for (name, source, body, got) in [
        ("zeros before a size", "RFC 9112 §7.1; nginx-tests", &b"0005\r\nhello\r\n000\r\n\r\n"[..], &b"5\r\nhello\r\n0\r\n\r\n"[..]),
        ("sizes in capitals", "RFC 9112 §7.1", b"A\r\n0123456789\r\n0\r\n\r\n", b"A\r\n0123456789\r\n0\r\n\r\n"),
        ("extensions", "RFC 9112 §7.1.1: dropped; llhttp", b"5;a=\"b\"\r\nhello\r\n0;c\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n"),
        ("a trailer", "RFC 9112 §7.1.2; nginx-tests", b"5\r\nhello\r\n0\r\nDigest:a\r\n\r\n", b"5\r\nhello\r\n0\r\nDigest: a\r\n\r\n"),
        ("a trailer that sets a cookie", "RFC 9110 §6.5.1", b"0\r\nSet-Cookie: a=b\r\n\r\n", b"0\r\n\r\n"),
        ("a trailer that frames", "RFC 9110 §6.5.1", b"0\r\nContent-Length: 5\r\nA: b\r\n\r\n", b"0\r\nA: b\r\n\r\n"),
        ("a trailer that routes", "RFC 9110 §6.5.1", b"0\r\nLocation: http://b.example/\r\n\r\n", b"0\r\n\r\n"),
        ("a trailer about the content", "RFC 9110 §6.5.1", b"0\r\nContent-Type: text/html\r\nContent-Security-Policy: a\r\n\r\n", b"0\r\n\r\n"),
        ("a trailer for caches", "RFC 9110 §6.5.1", b"0\r\nCache-Control: public\r\nAge: 1\r\nVary: *\r\n\r\n", b"0\r\n\r\n"),
        ("a trailer for scripts of others", "RFC 9110 §6.5.1", b"0\r\nAccess-Control-Allow-Origin: *\r\n\r\n", b"0\r\n\r\n"),
        ("line ends in the data", "RFC 9112 §7.1", b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"4\r\n\r\n\r\n\r\n0\r\n\r\n"),
    ] {
        rows.relay(&Then::Stays, End::Kept, &[(name, source, &ok(CHUNKED, body), &ok_relayed(CHUNKED, got))]);
    }
    rows.done()
}
