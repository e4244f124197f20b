//! The data of chunks and what ends it, in requests.

use super::table::{Requests, chunked, post};
use super::{After, Outcome, Reached, RequestRow};

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<RequestRow> {
    let mut rows = Requests::of("chunk data and ends");
    rows.refuse_chunks(&[
        ("longer than its size", "RFC 9112 §7.1; Http11Probe", b"5\r\nhello world\r\n0\r\n\r\n"),
        ("one byte longer", "RFC 9112 §7.1; Http11Probe", b"5\r\nhello!\r\n0\r\n\r\n"),
        ("shorter than its size", "RFC 9112 §7.1", b"6\r\nhello\r\n0\r\n\r\n"),
        ("no line end behind it", "RFC 9112 §7.1; Http11Probe", b"5\r\nhello0\r\n\r\n"),
        ("bare LF behind it", "RFC 9112 §7.1; HTTP Garden", b"5\r\nhello\n0\r\n\r\n"),
        ("bare CR behind it", "RFC 9112 §7.1", b"5\r\nhello\r0\r\n\r\n"),
        ("LF and CR behind it", "RFC 9112 §7.1", b"5\r\nhello\n\r0\r\n\r\n"),
        ("CR twice behind it", "RFC 9112 §7.1", b"5\r\nhello\r\r\n0\r\n\r\n"),
        ("two other bytes behind it", "RFC 9112 §7.1; CVE-2025-43859", b"5\r\nhelloXX0\r\n\r\n"),
        ("NUL twice behind it", "RFC 9112 §7.1; CVE-2025-43859", b"5\r\nhello\0\x000\r\n\r\n"),
        ("an empty line behind it", "RFC 9112 §7.1; HTTP Garden", b"5\r\nhello\r\n\r\n0\r\n\r\n"),
        ("white space behind it", "RFC 9112 §7.1", b"5\r\nhello \r\n0\r\n\r\n"),
        ("two other bytes for the end", "RFC 9112 §7.1; HTTP Garden", b"5\r\nhello\r\n0\r\nXX"),
        ("bare LF for the end", "RFC 9112 §7.1; Http11Probe", b"5\r\nhello\r\n0\r\n\n"),
        ("bare CR for the end", "RFC 9112 §7.1", b"5\r\nhello\r\n0\r\n\rX"),
        ("CR twice at the end", "RFC 9112 §7.1", b"5\r\nhello\r\n0\r\n\r\r\n"),
        ("a request for the end", "RFC 9112 §7.1; http-request-smuggler", b"5\r\nhello\r\n0\r\nGET /x HTTP/1.1\r\n\r\n"),
        ("a NUL for the end", "RFC 9112 §7.1; HTTP Garden", b"5\r\nhello\r\n0\r\n\0\r\n"),
        ("a second last chunk in place of the end", "RFC 9112 §7.1", b"5\r\nhello\r\n0\r\n0\r\n\r\n"),
    ]);
    rows.forward_chunks(&[
        ("line ends in it", "RFC 9112 §7.1", b"8\r\n\r\n0\r\n\r\n\n\r\n0\r\n\r\n", b"8\r\n\r\n0\r\n\r\n\n\r\n0\r\n\r\n"),
        ("all sorts of bytes in it", "RFC 9112 §7.1", b"4\r\n\0\r\xff\n\r\n0\r\n\r\n", b"4\r\n\0\r\xff\n\r\n0\r\n\r\n"),
        ("a request in it", "RFC 9112 §7.1", b"13\r\nGET /x HTTP/1.1\r\n\r\n\r\n0\r\n\r\n", b"13\r\nGET /x HTTP/1.1\r\n\r\n\r\n0\r\n\r\n"),
    ]);
    // The client goes away in the middle: the origin must not take the beginning for the whole.
    for (name, source, sent) in [
        ("the end comes in a body", "RFC 9112 §8; Http11Probe", post(b"Content-Length: 10\r\n", b"hello")),
        ("the end comes before a body", "RFC 9112 §8; Http11Probe", post(b"Content-Length: 10\r\n", b"")),
        ("the end comes before the chunks", "RFC 9112 §8", chunked(b"")),
        ("the end comes in a size", "RFC 9112 §8", chunked(b"5")),
        ("the end comes behind a size", "RFC 9112 §8", chunked(b"5\r\n")),
        ("the end comes in the data", "RFC 9112 §8", chunked(b"5\r\nhel")),
        ("the end comes behind the data", "RFC 9112 §8", chunked(b"5\r\nhello")),
        ("the end comes behind a chunk", "RFC 9112 §8; llhttp, Http11Probe", chunked(b"5\r\nhello\r\n")),
        ("the end comes in the last chunk", "RFC 9112 §8", chunked(b"5\r\nhello\r\n0")),
        ("the end comes behind the last chunk", "RFC 9112 §8; Http11Probe", chunked(b"5\r\nhello\r\n0\r\n")),
        ("the end comes in the last line end", "RFC 9112 §8", chunked(b"5\r\nhello\r\n0\r\n\r")),
        ("the end comes in a trailer", "RFC 9112 §8", chunked(b"5\r\nhello\r\n0\r\nA: b\r\n")),
    ] {
        let outcome = Outcome { origin: Reached::Unfinished, answers: vec![], reason: None, after: After::Closed };
        rows.row(name, source, &sent, outcome).ends = true;
    }
    rows.done()
}
