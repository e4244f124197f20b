use super::*;
use Error::{Length, TransferCoding as Coding};

/// The framing of a head with these fields, one to a line.
fn framing(fields: &str, repeats: Repeats) -> Result<Framing, Error> {
    let mut framing = Framing::default();
    for (name, value) in fields.lines().filter_map(|line| line.split_once(": ")) {
        framing.note(FieldKind::of(name.as_bytes()), value.as_bytes(), repeats)?;
    }
    Ok(framing)
}

#[test]
fn requests() {
    for (fields, expected) in [
        ("", Ok(BodyLength::None)),
        ("Content-Length: 0", Ok(BodyLength::Exact(0))),
        ("Content-Length: 007", Ok(BodyLength::Exact(7))),
        ("Transfer-Encoding: chunked", Ok(BodyLength::Chunked)),
        ("Transfer-Encoding: cHuNkEd", Ok(BodyLength::Chunked)),
        ("Content-Length: ", Err(Length)),
        ("Content-Length: +1", Err(Length)),
        ("Content-Length: -1", Err(Length)),
        ("Content-Length: 0x1", Err(Length)),
        ("Content-Length: 1 2", Err(Length)),
        ("Content-Length: 1,1", Err(Length)),
        ("Content-Length: 1;", Err(Length)),
        ("Content-Length: 9223372036854775808", Err(Length)),
        ("Content-Length: 18446744073709551616", Err(Length)),
        ("Content-Length: 1\ncontent-length: 1", Err(Length)),
        ("Content-Length: 1\nContent-Length: 2", Err(Length)),
        ("Content-Length: 1\nTransfer-Encoding: chunked", Err(Length)),
        ("Transfer-Encoding: chunked\nContent-Length: 0", Err(Length)),
        ("Transfer-Encoding: nonsense\nContent-Length: 0", Err(Length)),
        ("Transfer-Encoding: chunked\nTransfer-Encoding: chunked", Err(Length)),
        ("Transfer-Encoding: gzip\nTransfer-Encoding: chunked", Err(Length)),
        ("Transfer-Encoding: chunked\nTransfer-Encoding: identity", Err(Length)),
        ("Transfer-Encoding: chunked, chunked", Err(Length)),
        ("Transfer-Encoding: chunked, gzip", Err(Length)),
        ("Transfer-Encoding: ", Err(Length)),
        ("Transfer-Encoding: ,chunked", Err(Length)),
        ("Transfer-Encoding: chunked,", Err(Length)),
        ("Transfer-Encoding: \"chunked\"", Err(Length)),
        ("Transfer-Encoding: chunked;a=b", Err(Length)),
        ("Transfer-Encoding: chunked chunked", Err(Length)),
        ("Transfer-Encoding: \u{b}chunked", Err(Length)),
        ("Transfer-Encoding: gzip", Err(Coding)),
        ("Transfer-Encoding: identity", Err(Coding)),
        ("Transfer-Encoding: xchunked", Err(Coding)),
        ("Transfer-Encoding: gzip, chunked", Err(Coding)),
        ("Transfer-Encoding: identity , CHUNKED", Err(Coding)),
        ("Content_Length: 5", Err(Length)),
        ("transfer_encoding: chunked", Err(Length)),
    ] {
        let length = framing(fields, Repeats::Refuse)
            .and_then(|framing| framing.of_request("POST", Version::Http11));
        assert_eq!(length, expected, "{fields}");
    }
}

#[test]
fn http_1_0_has_no_transfer_codings() {
    for coding in ["chunked", "gzip", "nonsense, "] {
        let framing = framing(&format!("Transfer-Encoding: {coding}"), Repeats::Refuse).unwrap();
        assert_eq!(framing.of_request("POST", Version::Http10), Err(Length));
        assert_eq!(framing.of_response(ResponseTo::Other, 200, Version::Http10), Err(Length));
    }
}

#[test]
fn methods_without_content() {
    for (method, fields, expected) in [
        ("CONNECT", "", Ok(BodyLength::None)),
        ("CONNECT", "Content-Length: 0", Ok(BodyLength::None)),
        ("CONNECT", "Content-Length: 1", Err(Length)),
        ("CONNECT", "Transfer-Encoding: chunked", Err(Length)),
        ("TRACE", "Content-Length: 0", Ok(BodyLength::Exact(0))),
        ("TRACE", "Content-Length: 1", Err(Length)),
        ("TRACE", "Transfer-Encoding: chunked", Err(Length)),
        ("GET", "Content-Length: 1", Ok(BodyLength::Exact(1))),
        ("DELETE", "Transfer-Encoding: chunked", Ok(BodyLength::Chunked)),
    ] {
        let length = framing(fields, Repeats::Refuse)
            .and_then(|framing| framing.of_request(method, Version::Http11));
        assert_eq!(length, expected, "{method} {fields}");
    }
}

#[test]
fn responses() {
    use ResponseTo::{Connect, Head, Other};
    for (to, status, fields, expected) in [
        (Other, 200, "", Ok(BodyLength::UntilClose)),
        (Other, 200, "Content-Length: 5", Ok(BodyLength::Exact(5))),
        (Other, 200, "Transfer-Encoding: chunked", Ok(BodyLength::Chunked)),
        (Other, 200, "Content-Length: 5, 5", Ok(BodyLength::Exact(5))),
        (Other, 200, "Content-Length: 5\nContent-Length: 05", Ok(BodyLength::Exact(5))),
        (Other, 200, "Content-Length: 5, 6", Err(Length)),
        (Other, 200, "Content-Length: 5,", Err(Length)),
        (Other, 200, "Content-Length: 5\nContent-Length: 6", Err(Length)),
        (Other, 200, "Content-Length: 5\nTransfer-Encoding: chunked", Err(Length)),
        (Other, 200, "Transfer-Encoding: gzip, chunked", Err(Coding)),
        (Other, 200, "Transfer-Encoding: chunked, chunked", Err(Length)),
        (Other, 100, "", Ok(BodyLength::None)),
        (Other, 100, "Content-Length: 0", Ok(BodyLength::None)),
        (Other, 100, "Content-Length: 5", Err(Length)),
        (Other, 103, "Transfer-Encoding: chunked", Err(Length)),
        (Head, 103, "Content-Length: 5", Err(Length)),
        (Other, 101, "Content-Length: 5", Ok(BodyLength::None)),
        (Other, 204, "Content-Length: 5", Ok(BodyLength::None)),
        (Other, 304, "Content-Length: 5", Ok(BodyLength::None)),
        (Other, 304, "Content-Length: x", Err(Length)),
        (Head, 200, "Content-Length: 5", Ok(BodyLength::None)),
        (Head, 200, "Transfer-Encoding: chunked", Ok(BodyLength::None)),
        (Head, 404, "", Ok(BodyLength::None)),
        (Head, 200, "Content-Length: 5\nTransfer-Encoding: chunked", Err(Length)),
        (Connect, 200, "Content-Length: 5", Ok(BodyLength::None)),
        (Connect, 299, "Transfer-Encoding: chunked", Ok(BodyLength::None)),
        (Connect, 407, "Content-Length: 5", Ok(BodyLength::Exact(5))),
        (Connect, 302, "", Ok(BodyLength::UntilClose)),
    ] {
        let length = framing(fields, Repeats::Collapse)
            .and_then(|framing| framing.of_response(to, status, Version::Http11));
        assert_eq!(length, expected, "{to:?} {status} {fields}");
    }
}
