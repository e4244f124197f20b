//! Chunk sizes in requests: hexadecimal digits.

use super::RequestRow;
use super::table::{Requests, chunked, chunked_sent_on, forwarded};

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<RequestRow> {
    let mut rows = Requests::of("chunk sizes");
    rows.refuse_chunks(&[
        ("a prefix", "RFC 9112 §7.1; HTTP Garden, Http11Probe", b"0x5\r\nhello\r\n0\r\n\r\n"),
        ("a prefix in capitals", "RFC 9112 §7.1", b"0X5\r\nhello\r\n0\r\n\r\n"),
        ("a plus sign", "RFC 9112 §7.1; HTTP Garden, CVE-2022-24761, Http11Probe", b"+5\r\nhello\r\n0\r\n\r\n"),
        ("a minus sign", "RFC 9112 §7.1; HTTP Garden, Http11Probe", b"-5\r\nhello\r\n0\r\n\r\n"),
        ("minus zero", "RFC 9112 §7.1", b"-0\r\n\r\n"),
        ("minus, prefix and zero", "RFC 9112 §7.1; HTTP Garden", b"-0x0\r\n\r\n"),
        ("plus zero", "RFC 9112 §7.1", b"+0\r\n\r\n"),
        ("an underscore", "RFC 9112 §7.1; HTTP Garden, Http11Probe", b"0_5\r\nhello\r\n0\r\n\r\n"),
        ("an underscore that hides a request", "RFC 9112 §7.1; HTTP Garden", b"0_2e\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
        ("a space before it", "RFC 9112 §7.1; HTTP Garden, Http11Probe", b" 5\r\nhello\r\n0\r\n\r\n"),
        ("a tab before it", "RFC 9112 §7.1", b"\t5\r\nhello\r\n0\r\n\r\n"),
        ("many spaces before the last", "RFC 9112 §7.1; HTTP Garden", b"           0\r\n\r\n"),
        ("a space behind it", "RFC 9112 §7.1: no such white space; Http11Probe, llhttp", b"5 \r\nhello\r\n0\r\n\r\n"),
        ("a tab behind it", "RFC 9112 §7.1", b"5\t\r\nhello\r\n0\r\n\r\n"),
        ("a space behind the last", "RFC 9112 §7.1", b"5\r\nhello\r\n0 \r\n\r\n"),
        ("a space inside", "RFC 9112 §7.1; llhttp", b"5 5\r\nhello\r\n0\r\n\r\n"),
        ("a comma inside", "RFC 9112 §7.1", b"5,5\r\nhello\r\n0\r\n\r\n"),
        ("a fraction", "RFC 9112 §7.1", b"5.0\r\nhello\r\n0\r\n\r\n"),
        ("quotes", "RFC 9112 §7.1", b"\"5\"\r\nhello\r\n0\r\n\r\n"),
        ("a longest valid prefix", "RFC 9112 §7.1; HTTP Garden", b"5these-bytes-are-no-digits\r\nhello\r\n0\r\n\r\n"),
        ("no hexadecimal digit", "RFC 9112 §7.1; ATS, HTTP Garden", b"z\r\nabc\r\n0\r\n\r\n"),
        ("a digit, then none", "RFC 9112 §7.1", b"5g\r\nhello\r\n0\r\n\r\n"),
        ("none", "RFC 9112 §7.1; HTTP Garden", b"\r\nhello\r\n0\r\n\r\n"),
        ("none for the last", "RFC 9112 §7.1; HTTP Garden", b"5\r\nhello\r\n\r\n\r\n"),
        ("an empty line before it", "RFC 9112 §7.1", b"\r\n5\r\nhello\r\n0\r\n\r\n"),
        ("a word that is a request", "RFC 9112 §7.1; HTTP Garden", b"INVALID!!!\r\nGET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n"),
        ("2^63", "RFC 9112 §7.1", b"8000000000000000\r\nhello\r\n0\r\n\r\n"),
        ("2^64 - 1", "RFC 9112 §7.1", b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
        ("2^64", "RFC 9112 §7.1; Http11Probe", b"10000000000000000\r\nhello\r\n0\r\n\r\n"),
        ("2^64 + 5", "RFC 9112 §7.1", b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
        ("17 digits", "RFC 9112 §7.1: bounded", b"00000000000000005\r\nhello\r\n0\r\n\r\n"),
        ("300 zeros", "RFC 9112 §7.1: bounded", &[&[b'0'; 300][..], b"5\r\nhello\r\n0\r\n\r\n"].concat()),
        ("other digits than ASCII's", "RFC 9112 §7.1", b"\xd9\xa5\r\nhello\r\n0\r\n\r\n"),
        ("0xa0 behind it", "RFC 9112 §7.1", b"5\xa0\r\nhello\r\n0\r\n\r\n"),
        ("NUL behind it", "RFC 9112 §7.1", b"5\0\r\nhello\r\n0\r\n\r\n"),
        ("NUL before it", "RFC 9112 §7.1", b"\x005\r\nhello\r\n0\r\n\r\n"),
        ("a vertical tab behind it", "RFC 9112 §7.1", b"5\x0b\r\nhello\r\n0\r\n\r\n"),
        ("a form feed before it", "RFC 9112 §7.1", b"\x0c5\r\nhello\r\n0\r\n\r\n"),
        ("bare LF behind it", "RFC 9112 §7.1; CVE-2025-22871, Http11Probe", b"5\nhello\r\n0\r\n\r\n"),
        ("bare LF behind the last", "RFC 9112 §7.1", b"5\r\nhello\r\n0\n\r\n"),
        ("bare LF twice behind the last", "RFC 9112 §7.1; Http11Probe", b"5\r\nhello\r\n0\n\n"),
        ("bare CR behind it", "RFC 9112 §7.1; Http11Probe, HTTP Garden", b"5\rhello\r\n0\r\n\r\n"),
        ("CR and a byte behind it", "RFC 9112 §7.1; HTTP Garden", b"5\r\r;ABCD\r\n34\r\nE\r\n0\r\n\r\n"),
        ("CR twice behind it", "RFC 9112 §7.1", b"5\r\r\nhello\r\n0\r\n\r\n"),
        ("CR and LF around a digit", "RFC 9112 §7.1; HTTP Garden", b"1\r0\n"),
    ]);
    rows.forward_chunks(&[
        ("small letters", "RFC 9112 §7.1; llhttp", b"a\r\n0123456789\r\n0\r\n\r\n", b"a\r\n0123456789\r\n0\r\n\r\n"),
        ("capitals", "RFC 9112 §7.1; llhttp, Http11Probe", b"A\r\n0123456789\r\n0\r\n\r\n", b"A\r\n0123456789\r\n0\r\n\r\n"),
        ("zeros before it", "RFC 9112 §7.1: dropped", b"0005\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n"),
        ("16 digits", "RFC 9112 §7.1", b"0000000000000005\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n"),
        ("zeros before the last", "RFC 9112 §7.1; llhttp", b"5\r\nhello\r\n6\r\n world\r\n000\r\n\r\n", b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
        ("several chunks", "RFC 9112 §7.1; Http11Probe", b"1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", b"1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n"),
    ]);
    let data = "x".repeat(0x1234);
    let body = format!("1234\r\n{data}\r\n0\r\n\r\n");
    rows.row("four digits", "RFC 9112 §7.1", &chunked(body.as_bytes()), forwarded(&chunked_sent_on(body.as_bytes())));
    rows.done()
}
