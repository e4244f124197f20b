//! What holds for every message: proved by examples that nobody thought of.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::drip::{self, Relayed};
use super::*;
use crate::limits::Limits;

/// Messages that are mostly right, so that what is behind the first check is reached too.
fn request_head() -> impl Strategy<Value = Vec<u8>> {
    let line = select(vec![
        "GET /path?query HTTP/1.1",
        "GET http://example.com:8080/x HTTP/1.1",
        "GET http://example.com?q HTTP/1.1",
        "HEAD http://[::1]/ HTTP/1.1",
        "POST / HTTP/1.1",
        "POST /form HTTP/1.0",
        "OPTIONS * HTTP/1.1",
        "OPTIONS http://example.com HTTP/1.1",
        "TRACE / HTTP/1.1",
        "CONNECT example.com:443 HTTP/1.1",
    ]);
    let field = select(vec![
        "Host: example.com",
        "Accept:  */*  ",
        "X-Empty:",
        "X-Named: 1",
        "Cookie: a=b; c=d",
        "Content-Length: 5",
        "Content-Length: 007",
        "Transfer-Encoding: Chunked",
        "Connection: close, x-named",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Keep-Alive: timeout=5",
        "TE: trailers",
        "Trailer: Digest",
        "Expect: 100-continue",
        "Max-Forwards: 0",
        "Proxy-Authorization: Basic eDp5",
        "Via: 1.1 other",
    ]);
    let host =
        select(vec!["Host: a.example\r\n"; 8]).prop_union(select(vec!["", "Host: b:81\r\n"]));
    let damage = prop_oneof![
        4 => Just(None),
        1 => (any::<Index>(), select(b"\r\n\0 \t:,;\"\\#%@/[]0aA\x7f\x80\xff".to_vec())).prop_map(Some),
    ];
    (line, host, vec(field, 0..6), damage).prop_map(|(line, host, fields, damage)| {
        let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
        let mut head = format!("{line}\r\n{host}{fields}\r\n").into_bytes();
        if let Some((place, byte)) = damage {
            let place = place.index(head.len());
            head[place] = byte;
        }
        head
    })
}

/// Where a message of this length is cut, its end included.
fn cuts(length: usize, places: &[Index]) -> Vec<usize> {
    let mut cuts: Vec<_> = places.iter().map(|place| place.index(length + 1)).collect();
    cuts.push(length);
    cuts.sort_unstable();
    cuts
}

/// A chunked body, the content in it, and whether it is canonical.
fn chunked_body() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let zeros = select(vec!["", "", "", "0", "00"]);
    let extension = select(vec!["", "", "", ";a", ";a=b", " ; a = \"x;\\\"y\""]);
    let data = prop_oneof![vec(any::<u8>(), 1..40), Just(b"0\r\n\r\n".to_vec()), Just(vec![b'\r'])];
    let trailer =
        select(vec!["", "", "X: y\r\n", "Host: evil\r\n", "A:b\r\nContent-Length: 1\r\n"]);
    (vec((zeros, extension, data), 0..8), trailer).prop_map(|(chunks, trailer)| {
        let (mut wire, mut content) = (Vec::new(), Vec::new());
        for (zeros, extension, data) in chunks {
            wire.extend_from_slice(format!("{zeros}{:x}{extension}\r\n", data.len()).as_bytes());
            wire.extend_from_slice(&data);
            wire.extend_from_slice(b"\r\n");
            content.extend_from_slice(&data);
        }
        wire.extend_from_slice(format!("0\r\n{trailer}\r\n").as_bytes());
        (wire, content)
    })
}

fn relay(input: &[u8], coding: Coding, cuts: Vec<usize>) -> Result<Relayed, Error> {
    drip::relay_cut(BodyLength::Chunked, coding, input, cuts, &Limits::default())
}

fn write(request: &RequestHead) -> Vec<u8> {
    let mut out = Vec::new();
    request.write_upstream(
        &mut out,
        &RequestRewrite {
            via: "me",
            host: "fallback",
            forwarding: None,
            privacy: None,
            edits: &FieldEdits::default(),
        },
    );
    out
}

/// What is meant to change at each hop is left out.
fn without_hop_counts(head: &[u8]) -> Vec<&str> {
    let lines = std::str::from_utf8(head).map_or(vec![], |text| text.split("\r\n").collect());
    lines.into_iter().filter(|line| !["Via: 1.1 me", "Via: 1.0 me"].contains(line)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_head_ends_where_it_ends_however_it_is_cut(
        head in request_head(),
        places in vec(any::<Index>(), 0..6),
    ) {
        let limits = Limits::default();
        let whole = drip::scan(&head, &limits);
        prop_assert_eq!(drip::scan_cut(&head, cuts(head.len(), &places), &limits), whole);
    }

    #[test]
    fn what_is_accepted_goes_on_with_the_same_meaning(head in request_head()) {
        let limits = Limits::default();
        let mut request = RequestHead::new();
        let Ok(Some(end)) = drip::scan(&head, &limits) else { return Ok(()) };
        if request.parse(&head[..end], &limits).is_err() || request.host().is_empty() {
            return Ok(());
        }
        let out = write(&request);
        prop_assert_eq!(drip::scan(&out, &limits), Ok(Some(out.len())));
        let mut next = RequestHead::new();
        prop_assert_eq!(next.parse(&out, &limits), Ok(()));
        prop_assert_eq!(next.method(), request.method());
        prop_assert_eq!(next.path(), request.path());
        prop_assert_eq!(next.authority(), request.authority());
        prop_assert_eq!(next.body_length(), request.body_length());
        prop_assert_eq!(next.asks_websocket(), request.asks_websocket());
        prop_assert_eq!(next.version(), Version::Http11);

        let again = write(&next);
        prop_assert_eq!(without_hop_counts(&again), without_hop_counts(&out), "not canonical");
    }

    #[test]
    fn no_bytes_are_a_panic(
        bytes in vec(select(b"\r\r\n\n: /1.HTPaG0,;=*[]\0\t\x80\xff".to_vec()), 0..80),
        start in select(vec!["", "GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "POST / HTTP/1.0\r\nHost: a\r\n"]),
    ) {
        let (limits, input) = (Limits::default(), [start.as_bytes(), &bytes].concat());
        let (mut request, mut response) = (RequestHead::new(), ResponseHead::new());
        let _ = drip::scan(&input, &limits);
        let accepted = request.parse(&input, &limits).is_ok();
        prop_assert!(!accepted || drip::scan(&input, &limits) == Ok(Some(input.len())));
        let accepted = response.parse(&input, &request, &limits).is_ok();
        prop_assert!(!accepted || drip::scan(&input, &limits) == Ok(Some(input.len())));
        let _ = drip::relay(BodyLength::Chunked, Coding::AsIs, &bytes, &limits);
    }

    #[test]
    fn a_chunked_body_is_the_same_however_it_is_cut(
        (wire, content) in chunked_body(),
        next in vec(any::<u8>(), 0..10),
        places in vec(any::<Index>(), 0..12),
    ) {
        let input = [&wire[..], &next].concat();
        let whole = relay(&input, Coding::AsIs, vec![input.len()]).unwrap();
        prop_assert!(whole.is_done);
        prop_assert_eq!(whole.consumed, wire.len());
        prop_assert_eq!(whole.payload, content.len() as u64);
        let cut = relay(&input, Coding::AsIs, cuts(input.len(), &places)).unwrap();
        prop_assert_eq!(&cut, &whole);

        // What came out is canonical: it passes unchanged, and its content is the same.
        let again = relay(&whole.out, Coding::AsIs, vec![whole.out.len()]).unwrap();
        prop_assert_eq!(&again.out, &whole.out);
        let decoded = relay(&whole.out, Coding::Decoded, cuts(whole.out.len(), &places)).unwrap();
        prop_assert_eq!(decoded.out, content);
    }

    #[test]
    fn a_damaged_body_is_judged_the_same_however_it_is_cut(
        (mut wire, _) in chunked_body(),
        place in any::<Index>(),
        byte in select(b"\r\n\0 \t:;\"\\0fF\x7f\xff".to_vec()),
        places in vec(any::<Index>(), 0..12),
    ) {
        let place = place.index(wire.len());
        wire[place] = byte;
        let whole = relay(&wire, Coding::AsIs, vec![wire.len()]);
        prop_assert_eq!(relay(&wire, Coding::AsIs, cuts(wire.len(), &places)), whole);
    }
}
