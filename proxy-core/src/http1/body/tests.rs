use super::*;
use crate::http1::drip::{self, Relayed};

/// Relays a chunked body both ways: the bytes as chunks, and as plain content.
fn chunked(input: &str) -> Result<(String, String), Error> {
    let limits = Limits::default();
    let as_is = drip::relay(BodyLength::Chunked, Coding::AsIs, input.as_bytes(), &limits);
    let decoded = drip::relay(BodyLength::Chunked, Coding::Decoded, input.as_bytes(), &limits);
    assert_eq!(as_is.as_ref().err(), decoded.as_ref().err());
    let (as_is, decoded) = (as_is?, decoded?);
    assert_eq!(as_is.is_done, decoded.is_done);
    assert_eq!(as_is.payload, decoded.payload);
    assert_eq!(as_is.payload, decoded.out.len() as u64);
    if as_is.is_done {
        assert_eq!(as_is.consumed, input.len());
    }
    Ok((String::from_utf8(as_is.out).unwrap(), String::from_utf8(decoded.out).unwrap()))
}

#[test]
fn a_body_that_is_not_there_is_done() {
    for length in [BodyLength::None, BodyLength::Exact(0)] {
        let mut body = Body::new(length, Coding::AsIs);
        assert!(body.is_done());
        assert_eq!((body.remaining(), body.payload()), (Some(0), 0));
        let step = body.advance(b"GET /", &mut Vec::new(), &Limits::default());
        assert_eq!(step, Ok(Step::default()));
        assert_eq!(body.end_of_input(), Ok(()));
    }
}

#[test]
fn an_exact_body_ends_where_it_says() {
    let limits = Limits::default();
    let relayed = drip::relay(BodyLength::Exact(5), Coding::AsIs, b"hello", &limits).unwrap();
    let expected = Relayed { out: b"hello".to_vec(), consumed: 5, payload: 5, is_done: true };
    assert_eq!(relayed, expected);

    let mut body = Body::new(BodyLength::Exact(5), Coding::AsIs);
    let step = body.advance(b"hel", &mut Vec::new(), &limits).unwrap();
    assert_eq!(step, Step { consumed: 3, pass: 0..3 });
    assert_eq!((body.remaining(), body.payload(), body.is_done()), (Some(2), 3, false));
    assert_eq!(body.end_of_input(), Err(Error::Truncated));
}

#[test]
fn a_body_until_close_ends_with_the_input() {
    let mut body = Body::new(BodyLength::UntilClose, Coding::AsIs);
    let step = body.advance(b"all of it", &mut Vec::new(), &Limits::default()).unwrap();
    assert_eq!(step, Step { consumed: 9, pass: 0..9 });
    assert_eq!((body.is_done(), body.remaining()), (false, None));
    assert_eq!(body.end_of_input(), Ok(()));
    assert!(body.is_done());
}

#[test]
fn chunks_are_made_canonical() {
    for (input, as_is, decoded) in [
        ("0\r\n\r\n", "0\r\n\r\n", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "hello"),
        (
            "1\r\na\r\nA\r\n0123456789\r\n0\r\n\r\n",
            "1\r\na\r\nA\r\n0123456789\r\n0\r\n\r\n",
            "a0123456789",
        ),
        ("005\r\nhello\r\n000\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5;a=b\r\nhello\r\n0;c\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "hello"),
        (
            "2\r\nhe\r\n3;x\r\nllo\r\n1\r\n!\r\n0\r\n\r\n",
            "2\r\nhe\r\n3\r\nllo\r\n1\r\n!\r\n0\r\n\r\n",
            "hello!",
        ),
        // Data that looks like framing is data.
        ("7\r\n0\r\n\r\nGE\r\n0\r\n\r\n", "7\r\n0\r\n\r\nGE\r\n0\r\n\r\n", "0\r\n\r\nGE"),
        ("2\r\n\r\n\r\n0\r\n\r\n", "2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
    ] {
        assert_eq!(chunked(input), Ok((as_is.to_owned(), decoded.to_owned())), "{input:?}");
    }
}

#[test]
fn trailers_are_sifted() {
    for (input, as_is) in [
        ("1\r\na\r\n0\r\nX: y\r\n\r\n", "1\r\na\r\n0\r\nX: y\r\n\r\n"),
        ("0;e\r\nX:y\t\r\nZ:\r\n\r\n", "0\r\nX: y\r\nZ: \r\n\r\n"),
        ("0\r\nContent-Length: 5\r\nX: y\r\nhost: b\r\n\r\n", "0\r\nX: y\r\n\r\n"),
        ("0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\n\r\n"),
    ] {
        let (passed, decoded) = chunked(input).unwrap();
        assert_eq!(passed, as_is, "{input:?}");
        assert_eq!(decoded, if input.starts_with('1') { "a" } else { "" });
    }
}

#[test]
fn malformed_chunks_are_refused() {
    for input in [
        "\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello!\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r0\r\n\r\n",
        "5\r\nhello\r\n\r\n0\r\n\r\n",
        "x\r\n",
        "-5\r\nhello\r\n",
        "0x5\r\nhello\r\n",
        "5 \r\nhello\r\n",
        " 5\r\nhello\r\n",
        "5\r\r\nhello\r\n",
        "ffffffffffffffffff\r\n",
        "8000000000000000\r\n",
        "5;\na\r\nhello\r\n",
        "5;a=\"\r\nhello\"\r\n",
        "0\n\n",
    ] {
        assert_eq!(chunked(input), Err(Error::Chunk), "{input:?}");
    }
    for input in [
        "0\r\n\rX",
        "0\r\nX: y\n\r\n",
        "0\r\nX: y\r\n\n",
        "0\r\nX\r\n\r\n",
        "0\r\nX : y\r\n\r\n",
        "0\r\n X: y\r\n\r\n",
        "0\r\nX: y\r\n z\r\n\r\n",
        "0\r\n\n",
        "0\r\nX: \0\r\n\r\n",
        "0\r\nGET / HTTP/1.1\r\n\r\n",
    ] {
        assert_eq!(chunked(input), Err(Error::Trailer), "{input:?}");
    }
}

#[test]
fn canonical_chunks_pass_in_one_range() {
    let input = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nnext";
    let (mut body, mut patch) = (Body::new(BodyLength::Chunked, Coding::AsIs), Vec::new());
    let step = body.advance(input, &mut patch, &Limits::default()).unwrap();
    assert_eq!(step, Step { consumed: input.len() - 4, pass: 0..input.len() - 4 });
    assert_eq!((patch.len(), body.payload(), body.is_done()), (0, 11, true));
}

/// A size line that is forwarded before it is whole could not be taken back.
#[test]
fn incomplete_framing_is_held_back() {
    let mut body = Body::new(BodyLength::Chunked, Coding::AsIs);
    let limits = Limits::default();
    for (input, consumed) in [
        ("5", 0),
        ("5\r", 0),
        ("5\r\n", 3),
        ("hel", 3),
        ("lo\r", 2),
        ("\r\n0\r\n", 2),
        ("0\r\n\r", 0),
        ("0\r\n\r\n", 5),
    ] {
        let step = body.advance(input.as_bytes(), &mut Vec::new(), &limits).unwrap();
        assert_eq!(step, Step { consumed, pass: 0..consumed }, "{input:?}");
    }
    assert!(body.is_done());
}

#[test]
fn a_body_that_ends_too_early_is_truncated() {
    for input in ["", "5", "5\r\nhel", "5\r\nhello", "5\r\nhello\r\n", "0\r\n", "0\r\nX: y\r\n"] {
        let mut body = Body::new(BodyLength::Chunked, Coding::AsIs);
        let (mut rest, mut patch) = (input.as_bytes(), Vec::new());
        while let Step { consumed: count @ 1.., .. } =
            body.advance(rest, &mut patch, &Limits::default()).unwrap()
        {
            rest = &rest[count..];
        }
        assert!(!body.is_done(), "{input:?}");
        assert_eq!(body.end_of_input(), Err(Error::Truncated), "{input:?}");
    }
}

#[test]
fn limits_are_exact() {
    let mut limits =
        Limits { chunk_line_bytes: 8, trailer_bytes: 10, fields: 2, ..Limits::default() };
    for (input, expected) in [
        ("0;abcd\r\n\r\n", Ok(())),
        ("0;abcde\r\n\r\n", Err(Error::Chunk)),
        ("0\r\nX: 345\r\n\r\n", Ok(())),
        ("0\r\nX: 3456\r\n\r\n", Err(Error::Trailer)),
        ("0\r\nX:\r\nY:\r\n\r\n", Ok(())),
    ] {
        let input = input.as_bytes();
        let relayed = drip::relay(BodyLength::Chunked, Coding::AsIs, input, &limits);
        assert_eq!(relayed.map(drop), expected, "{}", input.escape_ascii());
    }
    limits.trailer_bytes = 100;
    let input = b"0\r\nX:\r\nY:\r\nZ:\r\n\r\n";
    let relayed = drip::relay(BodyLength::Chunked, Coding::AsIs, input, &limits);
    assert_eq!(relayed, Err(Error::Trailer));
}

#[test]
fn a_body_is_small() {
    assert!(size_of::<Body>() <= 64);
}

#[test]
fn a_long_chunk_size_line_costs_one_look_at_each_byte_however_it_is_cut() {
    let limits = Limits { chunk_line_bytes: 64 * 1024, ..Limits::default() };
    let line = format!("0;a={}", "x".repeat(60_000));
    let mut body = Body::new(BodyLength::Chunked, Coding::AsIs);
    for end in 1..=line.len() {
        let step = body.advance(&line.as_bytes()[..end], &mut Vec::new(), &limits);
        assert_eq!(step, Ok(Step::default()));
    }
    // The body has kept how far it has come, so what was looked at may be anything now.
    let forgotten = [&vec![0; line.len()][..], b"\r\n\r\n"].concat();
    let step = body.advance(&forgotten, &mut Vec::new(), &limits).unwrap();
    assert_eq!((step.consumed, body.is_done()), (forgotten.len(), true));
}

#[test]
fn what_is_wrong_is_found_in_the_input_of_the_step() {
    let limits = Limits::default();
    for (input, rest) in [
        ("5x\r\nhello\r\n", "x\r\n"),
        ("5\r\nhello0\r\n", "0\r\n"),
        ("5\r\nhello\rX", "X"),
        ("5\nhello", "\nhello"),
        ("5\r\nhello\r\n;a\r\n", ";a\r\n"),
        ("5\r\nhello\r\n0\r\nA: b\nC", "\nC"),
        ("0\r\nno colon\r\n\r\n", " colon"),
        ("0\r\nA: \u{1}\r\n\r\n", "\u{1}\r\n"),
    ] {
        let mut body = Body::new(BodyLength::Chunked, Coding::AsIs);
        let (mut at, mut out) = (0, Vec::new());
        let error = loop {
            match body.advance(&input.as_bytes()[at..], &mut out, &limits) {
                Ok(step) => at += step.consumed,
                Err(error) => break error,
            }
            assert_eq!(body.fault(), None);
        };
        let fault = at + body.fault().unwrap();
        assert!(input[fault..].starts_with(rest), "{input:?}: {:?}", &input[fault..]);
        // It does not become right by going on.
        assert_eq!(body.advance(b"0\r\n\r\n", &mut out, &limits), Err(error));
        assert!(!body.is_done() && body.remaining().is_none() && body.unseen() == 0);
        assert_eq!(body.end_of_input(), Err(Error::Truncated));
    }
}
