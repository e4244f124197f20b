//! Chunk extensions in requests: well-formed ones are dropped, others refused.

use super::RequestRow;
use super::table::Requests;

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<RequestRow> {
    let mut rows = Requests::of("chunk extensions");
    rows.refuse_chunks(&[
        ("a semicolon alone", "RFC 9112 §7.1.1; llhttp, Http11Probe", b"5;\r\nhello\r\n0\r\n\r\n"),
        ("two semicolons", "RFC 9112 §7.1.1", b"5;;a\r\nhello\r\n0\r\n\r\n"),
        ("a semicolon behind it", "RFC 9112 §7.1.1", b"5;a;\r\nhello\r\n0\r\n\r\n"),
        ("white space alone behind the semicolon", "RFC 9112 §7.1.1", b"5; \r\nhello\r\n0\r\n\r\n"),
        ("no semicolon", "RFC 9112 §7.1.1; llhttp", b"5 a=b\r\nhello\r\n0\r\n\r\n"),
        ("no name", "RFC 9112 §7.1.1", b"5;=b\r\nhello\r\n0\r\n\r\n"),
        ("an equals sign and no value", "RFC 9112 §7.1.1", b"5;a=\r\nhello\r\n0\r\n\r\n"),
        ("two equals signs", "RFC 9112 §7.1.1", b"5;a=b=c\r\nhello\r\n0\r\n\r\n"),
        ("a name in quotes", "RFC 9112 §7.1.1", b"5;\"a\"=b\r\nhello\r\n0\r\n\r\n"),
        ("a name of no token", "RFC 9112 §7.1.1; Http11Probe", b"5;[a]=b\r\nhello\r\n0\r\n\r\n"),
        ("two names", "RFC 9112 §7.1.1", b"5;a b\r\nhello\r\n0\r\n\r\n"),
        ("two values", "RFC 9112 §7.1.1", b"5;a=b c\r\nhello\r\n0\r\n\r\n"),
        ("white space behind it", "RFC 9112 §7.1.1", b"5;a \r\nhello\r\n0\r\n\r\n"),
        ("white space behind a value", "RFC 9112 §7.1.1", b"5;a=b\t\r\nhello\r\n0\r\n\r\n"),
        ("quotes that do not end", "RFC 9112 §7.1.1; llhttp", b"5;a=\"b\r\nhello\r\n0\r\n\r\n"),
        ("quotes that end in the next line", "RFC 9110 §5.6.4; ATS", b"5;a=\"\r\nX\r\n0\r\n\r\nGET / HTTP/1.1\r\n\"\r\n"),
        ("a backslash before the line end", "RFC 9110 §5.6.4", b"5;a=\"b\\\r\nhello\r\n0\r\n\r\n"),
        ("bytes behind the quotes", "RFC 9112 §7.1.1; llhttp", b"5;a=\"b\"c\r\nhello\r\n0\r\n\r\n"),
        ("a second string behind the quotes", "RFC 9112 §7.1.1", b"5;a=\"b\"\"c\"\r\nhello\r\n0\r\n\r\n"),
        ("bare LF in it", "RFC 9112 §7.1.1; CVE-2025-55315, Http11Probe", b"5;a\nb\r\nhello\r\n0\r\n\r\n"),
        ("bare LF behind it", "RFC 9112 §7.1.1; CVE-2025-22871", b"5;a\nhello\r\n0\r\n\r\n"),
        ("bare LF behind the semicolon", "RFC 9112 §7.1.1; CVE-2025-55315", b"5;\nxxxxx\r\n0\r\n\r\n"),
        ("bare CR in it", "RFC 9112 §7.1.1; Http11Probe", b"5;a\rb\r\nhello\r\n0\r\n\r\n"),
        ("bare CR behind it", "RFC 9112 §7.1.1; HTTP Garden", b"5;a=b\r\rhello\r\n0\r\n\r\n"),
        ("bare CR before the semicolon", "RFC 9112 §7.1.1; HTTP Garden", b"2\r\r;a\r\n02\r\n41\r\n0\r\n\r\n"),
        ("bare CR behind the semicolon", "RFC 9112 §7.1.1; HTTP Garden", b"5;\ra=b\r\nhello\r\n0\r\n\r\n"),
        ("bare LF in quotes", "RFC 9110 §5.6.4", b"5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"),
        ("bare CR in quotes", "RFC 9110 §5.6.4", b"5;a=\"\r\"\r\nhello\r\n0\r\n\r\n"),
        ("NUL in it", "RFC 9112 §7.1.1; Http11Probe", b"5;a\0b\r\nhello\r\n0\r\n\r\n"),
        ("NUL in quotes", "RFC 9110 §5.6.4", b"5;a=\"\0\"\r\nhello\r\n0\r\n\r\n"),
        ("a control byte in it", "RFC 9112 §7.1.1; Http11Probe", b"5;a\x01b\r\nhello\r\n0\r\n\r\n"),
        ("a vertical tab before it", "RFC 9112 §7.1.1", b"5\x0b;a\r\nhello\r\n0\r\n\r\n"),
        ("DEL in quotes", "RFC 9110 §5.6.4", b"5;a=\"\x7f\"\r\nhello\r\n0\r\n\r\n"),
        ("bytes beyond ASCII in the name", "RFC 9112 §7.1.1", b"5;caf\xc3\xa9\r\nhello\r\n0\r\n\r\n"),
        ("bytes beyond ASCII in a token", "RFC 9112 §7.1.1", b"5;a=caf\xc3\xa9\r\nhello\r\n0\r\n\r\n"),
        ("without a size", "RFC 9112 §7.1.1", b";a=b\r\nhello\r\n0\r\n\r\n"),
        ("malformed at the last", "RFC 9112 §7.1.1", b"5\r\nhello\r\n0;\r\n\r\n"),
        ("bare LF at the last", "RFC 9112 §7.1.1", b"5\r\nhello\r\n0;a\n\r\n"),
        ("300 bytes of it", "RFC 9112 §7.1.1: bounded; CVE-2023-39326, Http11Probe", &[b"5;", &[b'a'; 300][..], b"\r\nhello\r\n0\r\n\r\n"].concat()),
        ("64 KiB of it", "RFC 9112 §7.1.1: bounded; Http11Probe", &[b"5;", &[b'a'; 65_536][..], b"\r\nhello\r\n0\r\n\r\n"].concat()),
    ]);
    for (name, source, extension) in [
        ("a name", "RFC 9112 §7.1.1: dropped; Http11Probe", ";a"),
        ("name and value", "RFC 9112 §7.1.1; llhttp", ";a=b"),
        ("a value in quotes", "RFC 9112 §7.1.1; llhttp", ";a=\"b c\""),
        ("an empty value in quotes", "RFC 9110 §5.6.4", ";a=\"\""),
        ("quotes in quotes", "RFC 9110 §5.6.4; llhttp", ";a=\"\\\"b\\\\\""),
        ("separators in quotes", "RFC 9110 §5.6.4", ";a=\";b=c;\""),
        ("a tab in quotes", "RFC 9110 §5.6.4", ";a=\"\t\""),
        ("bytes beyond ASCII in quotes", "RFC 9110 §5.6.4", ";a=\"caf\u{e9}\""),
        ("several", "RFC 9112 §7.1.1; llhttp", ";a;b=c;d=\"e\""),
        ("white space around everything", "RFC 9112 §7.1.1: may stand there", " ; a = b\t;\tc"),
        ("200 bytes of it", "RFC 9112 §7.1.1", &format!(";{}", "a".repeat(200))),
    ] {
        let sent = format!("5{extension}\r\nhello\r\n0{extension}\r\n\r\n");
        rows.forward_chunks(&[(name, source, sent.as_bytes(), b"5\r\nhello\r\n0\r\n\r\n")]);
    }
    rows.done()
}
