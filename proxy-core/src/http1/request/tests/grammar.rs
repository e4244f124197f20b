//! What is accepted, and as what the rest is refused.

use super::*;

#[test]
fn request_lines() {
    for (line, expected) in [
        ("GET / HTTP/1.1", Ok(())),
        ("GET / HTTP/1.0", Ok(())),
        ("X-!#$%&'*+.^_`|~0 / HTTP/1.1", Ok(())),
        ("get / HTTP/1.1", Ok(())),
        ("head / HTTP/1.1", Err(Error::StartLine)),
        ("Trace / HTTP/1.1", Err(Error::StartLine)),
        ("CONNECt a:1 HTTP/1.1", Err(Error::StartLine)),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1", Ok(())),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1", Err(Error::StartLine)),
        ("GET  / HTTP/1.1", Err(Error::StartLine)),
        ("GET /  HTTP/1.1", Err(Error::StartLine)),
        ("GET\t/ HTTP/1.1", Err(Error::StartLine)),
        ("GET /\tHTTP/1.1", Err(Error::StartLine)),
        (" GET / HTTP/1.1", Err(Error::StartLine)),
        ("GET / HTTP/1.1 ", Err(Error::StartLine)),
        ("GET / x HTTP/1.1", Err(Error::StartLine)),
        ("GET /\u{b}x HTTP/1.1", Err(Error::StartLine)),
        ("GET /\x7f HTTP/1.1", Err(Error::StartLine)),
        ("GET /", Err(Error::StartLine)),
        ("GET", Err(Error::StartLine)),
        ("GET / ", Err(Error::StartLine)),
        ("GET HTTP/1.1", Err(Error::StartLine)),
        (" / HTTP/1.1", Err(Error::StartLine)),
        ("/ HTTP/1.1", Err(Error::StartLine)),
        ("G(T / HTTP/1.1", Err(Error::StartLine)),
        ("G\u{e9}T / HTTP/1.1", Err(Error::StartLine)),
        ("\"GET\" / HTTP/1.1", Err(Error::StartLine)),
        ("GET: / HTTP/1.1", Err(Error::StartLine)),
        ("GET / http/1.1", Err(Error::StartLine)),
        ("GET / HTTP/1.10", Err(Error::StartLine)),
        ("GET / HTTP/01.1", Err(Error::StartLine)),
        ("GET / HTTP/1", Err(Error::StartLine)),
        ("GET / HTTP /1.1", Err(Error::StartLine)),
        ("GET / HTTP/1.x", Err(Error::StartLine)),
        ("GET / HTTP/-1.1", Err(Error::StartLine)),
        ("GET / ICY/1.1", Err(Error::StartLine)),
        ("GET / HTTP/0.9", Err(Error::Version)),
        ("GET / HTTP/1.2", Err(Error::Version)),
        ("GET / HTTP/2.0", Err(Error::Version)),
        ("PRI * HTTP/2.0", Err(Error::Version)),
        ("GET /# HTTP/1.1", Err(Error::Target)),
        ("GET /\u{e9} HTTP/1.1", Err(Error::Target)),
    ] {
        let result = parse(format!("{line}\r\nHost: a\r\n\r\n"));
        assert_eq!(result.map(drop), expected, "{line:?}");
    }
    let not_utf8 = parse(b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(not_utf8.map(drop), Err(Error::StartLine));
}

#[test]
fn field_lines() {
    for (line, expected) in [
        ("A: b", Ok(())),
        ("A:b", Ok(())),
        ("A:", Ok(())),
        ("A:  \t ", Ok(())),
        ("A: \tb\tc \t", Ok(())),
        ("A: b: c", Ok(())),
        ("A: caf\u{e9}", Ok(())),
        ("!#$%&'*+-.^_`|~: x", Ok(())),
        ("A : b", Err(Error::Field)),
        ("A\t: b", Err(Error::Field)),
        (" A: b", Err(Error::Field)),
        ("\tA: b", Err(Error::Field)),
        ("A: b\r\n c", Err(Error::Field)),
        ("A: b\r\n\tc", Err(Error::Field)),
        ("A:\r\n b", Err(Error::Field)),
        ("A: b\r\n ", Err(Error::Field)),
        (": b", Err(Error::Field)),
        ("A", Err(Error::Field)),
        ("A b: c", Err(Error::Field)),
        ("A\u{e9}: b", Err(Error::Field)),
        ("A;: b", Err(Error::Field)),
        ("A: b\x01", Err(Error::Field)),
        ("A: \x0bb", Err(Error::Field)),
        ("A: b\x0c", Err(Error::Field)),
        ("A: \x1b[0m", Err(Error::Field)),
        ("A: b\x7f", Err(Error::Field)),
    ] {
        // First, between others, and last.
        for head in [
            format!("GET / HTTP/1.1\r\n{line}\r\nHost: a\r\nX: y\r\n\r\n"),
            format!("GET / HTTP/1.1\r\nHost: a\r\n{line}\r\nX: y\r\n\r\n"),
            format!("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n{line}\r\n\r\n"),
        ] {
            assert_eq!(parse(&head).map(drop), expected, "{head:?}");
        }
    }
}

/// httparse tests many bytes at a time, on some machines: no position may let a byte pass.
#[test]
fn every_byte_at_every_place_of_a_value() {
    let limits = Limits::default();
    let mut request = RequestHead::new();
    for byte in 0..=u8::MAX {
        let is_allowed = matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
        for place in 0..70 {
            let mut head = b"GET / HTTP/1.1\r\nHost: a\r\nA: ".to_vec();
            let start = head.len();
            head.extend_from_slice(&[b'x'; 70]);
            head.extend_from_slice(b"\r\n\r\n");
            head[start + place] = byte;
            let result = request.parse(&head, &limits);
            assert_eq!(result.is_ok(), is_allowed, "{byte:#04x} at {place}");
        }
    }
}

/// Without a scanner before it, the parser is as strict.
#[test]
fn a_parser_alone_takes_no_bare_line_feed() {
    let limits = Limits::default();
    for head in [
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "GET / HTTP/1.1\r\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\nA:\nB: c\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nA: b \nB: c\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\0\r\n\r\n",
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nmore",
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "GET",
        "",
    ] {
        let mut request = RequestHead::new();
        assert!(request.parse(head.as_bytes(), &limits).is_err(), "{head:?}");
    }
}

#[test]
fn limits_are_exact() {
    let mut limits = Limits { target_bytes: 10, fields: 2, ..Limits::default() };
    for (head, expected) in [
        ("GET /123456789 HTTP/1.1\r\nHost: a\r\n\r\n", Ok(())),
        ("GET /1234567890 HTTP/1.1\r\nHost: a\r\n\r\n", Err(Error::TargetTooLong)),
        ("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n", Ok(())),
        ("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nA: b\r\n\r\n", Err(Error::TooManyFields)),
    ] {
        assert_eq!(parse_within(head, &limits).map(drop), expected, "{head:?}");
        // The parser does not rely on the scanner for it.
        assert_eq!(RequestHead::new().parse(head.as_bytes(), &limits), expected, "{head:?}");
    }
    limits.head_bytes = 20;
    let result = RequestHead::new().parse(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &limits);
    assert_eq!(result, Err(Error::HeadTooLarge));

    let limits = Limits { fields: usize::MAX, ..Limits::default() };
    let most = |count| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(count));
    assert_eq!(parse_within(most(FIELDS - 1), &limits).map(drop), Ok(()));
    assert_eq!(parse_within(most(FIELDS), &limits).map(drop), Err(Error::TooManyFields));
}

#[test]
fn hosts() {
    for (fields, version, expected) in [
        ("Host: a\r\n", "1.1", Ok(())),
        ("hOsT: A.example:80\r\n", "1.1", Ok(())),
        ("Host: a\r\n", "1.0", Ok(())),
        ("", "1.0", Ok(())),
        ("", "1.1", Err(Error::Host)),
        ("Host: a\r\nHost: a\r\n", "1.1", Err(Error::Host)),
        ("Host: a\r\nX: y\r\nhost: b\r\n", "1.1", Err(Error::Host)),
        ("Host: a\r\nHost: b\r\n", "1.0", Err(Error::Host)),
        ("Host: a\r\nHost:\r\n", "1.1", Err(Error::Host)),
        ("Host:\r\n", "1.1", Err(Error::Host)),
        ("Host:\r\n", "1.0", Err(Error::Host)),
        ("Host: a b\r\n", "1.1", Err(Error::Host)),
        ("Host: a, b\r\n", "1.1", Err(Error::Host)),
        ("Host: a:0\r\n", "1.1", Err(Error::Host)),
        ("Host: a/b\r\n", "1.1", Err(Error::Host)),
        ("Host: u@a\r\n", "1.1", Err(Error::Host)),
        ("Host: http://a\r\n", "1.1", Err(Error::Host)),
    ] {
        // Whatever the target says, Host must be right.
        for line in ["GET /", "GET http://example.com/", "CONNECT example.com:443", "OPTIONS *"] {
            let head = format!("{line} HTTP/{version}\r\n{fields}\r\n");
            assert_eq!(parse(&head).map(drop), expected, "{head:?}");
        }
    }
}
