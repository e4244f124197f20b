//! The judge itself is judged: `support/canonical.rs` against messages written by hand.

#[path = "support/canonical.rs"]
mod canonical;

use canonical::{Ending, Upgrade, requests, responses};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn upstream_got(bytes: &str) -> Result<Ending, String> {
    requests(bytes.as_bytes(), Upgrade::Refused)
        .map(|reading| reading.ending)
        .map_err(|problem| problem.what)
}

fn client_got(bytes: &str, methods: &[&str]) -> Result<Ending, String> {
    responses(bytes.as_bytes(), methods)
        .map(|reading| reading.ending)
        .map_err(|problem| problem.what)
}

#[test]
fn canonical_requests_are_read_with_their_bodies() {
    let bytes = "POST /p?q HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\nX-Empty: \r\n\r\nhello\
        PUT / HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\n\r\n\
        a\r\n0123456789\r\n1F\r\n0123456789012345678901234567890\r\n0\r\nX: y\r\n\r\n\
        OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let reading = requests(bytes.as_bytes(), Upgrade::Refused).unwrap();
    assert_eq!(reading.ending, Ending::Whole);
    let [post, put, options] = &reading.messages[..] else { panic!("{reading:?}") };
    assert_eq!((post.method(), &post.body[..]), ("POST", &b"hello"[..]));
    assert_eq!(put.body.len(), 41);
    assert_eq!(put.trailers, [("X".to_owned(), b"y".to_vec())]);
    assert_eq!(options.value("HOST"), Some(&b"a"[..]));
}

#[test]
fn every_prefix_of_canonical_messages_is_a_cut_one() {
    let bytes = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
        3\r\nabc\r\n0\r\nX: y\r\n\r\n";
    let all = format!("{bytes}{GET}");
    for end in 0..=all.len() {
        let expected = match end {
            0 => Ending::Whole,
            _ if end == bytes.len() || end == all.len() => Ending::Whole,
            _ if end > bytes.len() => Ending::Cut(bytes.len()),
            _ => Ending::Cut(0),
        };
        assert_eq!(upstream_got(&all[..end]), Ok(expected), "{:?}", &all[..end]);
    }
}

#[test]
fn requests_that_are_not_canonical() {
    let head = |fields: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let chunks = |body: &str| head("Transfer-Encoding: chunked\r\n") + body;
    for bytes in [
        "GET / HTTP/1.0\r\nHost: a\r\n\r\n".to_owned(),
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "GET * HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "G(T / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\nHost: a\r\n\r\n".to_owned(),
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nX: y\r\nHost: a\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: \r\n\r\n".to_owned(),
        head("Host: a\r\n"),
        head("X : y\r\n"),
        head("X:y\r\n"),
        head("X: y \r\n"),
        head("X: \ty\r\n"),
        head("X: y\r\n folded\r\n"),
        head("X: a\rb\r\n"),
        head("X: a\nb\r\n"),
        head("X: a\0b\r\n"),
        head("X: a\x7fb\r\n"),
        head("nothing\r\n"),
        head(": y\r\n"),
        head("Content-Length: 0\r\nContent-Length: 0\r\n"),
        head("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n",
        head("Content-Length: 00\r\n"),
        head("Content-Length: +0\r\n"),
        head("Content-Length: 0, 0\r\n"),
        head("Content-Length: \r\n"),
        head("Content-Length: 9223372036854775808\r\n"),
        head("Transfer-Encoding: Chunked\r\n") + "0\r\n\r\n",
        head("Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n",
        head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n",
        head("Transfer_Encoding: chunked\r\n"),
        head("Connection: keep-alive\r\n"),
        head("Connection: close, x\r\n"),
        head("Connection: close\r\nConnection: close\r\n"),
        head("Keep-Alive: timeout=5\r\n"),
        head("TE: trailers\r\n"),
        head("Proxy-Authorization: x\r\n"),
        head("HTTP2-Settings: x\r\n"),
        head("Upgrade: websocket\r\n"),
        head("Connection: Upgrade\r\n"),
        head("Connection: Upgrade\r\nUpgrade: websocket\r\n"), // by POST
        chunks("3;x=y\r\nabc\r\n0\r\n\r\n"),
        chunks("03\r\nabc\r\n0\r\n\r\n"),
        chunks("0x3\r\nabc\r\n0\r\n\r\n"),
        chunks("3 \r\nabc\r\n0\r\n\r\n"),
        chunks("3\nabc\r\n0\r\n\r\n"),
        chunks("3\r\nabcd\r\n0\r\n\r\n"),
        chunks("3\r\nabc\n0\r\n\r\n"),
        chunks("\r\n"),
        chunks("00\r\n\r\n"),
        chunks("8000000000000000\r\n"),
        chunks("10000000000000000"),
        chunks("0\r\nContent-Length: 3\r\n\r\n"),
        chunks("0\r\nHost: b\r\n\r\n"),
        chunks("0\r\nTE: trailers\r\n\r\n"),
        chunks("0\r\nAuthorization: x\r\n\r\n"),
        chunks("0\r\nX : y\r\n\r\n"),
        format!("{GET}trash\r\n"),
    ] {
        assert!(upstream_got(&bytes).is_err(), "{bytes:?}");
        assert!(upstream_got(&format!("{GET}{bytes}{GET}")).is_err(), "{bytes:?}");
    }
}

#[test]
fn canonical_responses_are_read_by_what_was_asked() {
    let length = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
    let chunked = "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    let until_close = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    let switch = "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    for (bytes, methods, ending) in [
        (format!("{length}abc{chunked}"), &["GET", "GET"][..], Ending::Whole),
        (length.to_owned(), &["HEAD"], Ending::Whole),
        (length.to_owned(), &["GET"], Ending::Cut(0)),
        (format!("{interim}{length}abc"), &["POST"], Ending::Whole),
        ("HTTP/1.1 204 No Content\r\n\r\n".repeat(2), &["GET", "GET"], Ending::Whole),
        (length.replace("200", "304"), &["GET"], Ending::Whole),
        (format!("{until_close}rest"), &["GET"], Ending::UntilClose),
        (format!("{switch}\0\n"), &["GET"], Ending::Tunnel(switch.len())),
        ("HTTP/1.1 200 OK\r\n\r\n\n".to_owned(), &["CONNECT"], Ending::Tunnel(19)),
        ("HTTP/1.1 204 \r\n\r\nHTT".to_owned(), &["GET", "GET"], Ending::Cut(17)),
        (String::new(), &["GET"], Ending::Whole),
    ] {
        assert_eq!(client_got(&bytes, methods), Ok(ending), "{bytes:?}");
    }
    let phrase = b"HTTP/1.1 404 Introuvabl\xe9\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(responses(phrase, &["GET"]).unwrap().messages[0].status(), 404);
}

#[test]
fn responses_that_are_not_canonical() {
    let ok = "HTTP/1.1 204 No Content\r\n\r\n";
    for bytes in [
        "HTTP/1.0 204 No Content\r\n\r\n",
        "HTTP/1.1 204\r\n\r\n",
        "HTTP/1.1 099 x\r\n\r\n",
        "HTTP/1.1 2040 x\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "\r\nHTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 426 U\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nuntil the close, which it does not tell of",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nProxy-Authenticate: x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nSet-Cookie: x\r\n\r\n",
    ] {
        assert!(client_got(bytes, &["GET"]).is_err(), "{bytes:?}");
        assert!(client_got(&format!("{ok}{bytes}"), &["GET", "GET"]).is_err(), "{bytes:?}");
    }
    assert!(client_got(&ok.repeat(2), &["GET"]).is_err(), "nobody has asked for the second");
}

#[test]
fn an_upgrade_that_is_granted_ends_the_requests() {
    let ask = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let bytes = format!("{GET}{ask}\x01\x02\n");
    let reading = requests(bytes.as_bytes(), Upgrade::Granted).unwrap();
    assert_eq!(reading.ending, Ending::Tunnel(GET.len() + ask.len()));
    assert_eq!(reading.messages.len(), 2);
    assert!(requests(bytes.as_bytes(), Upgrade::Refused).is_err());
}

#[test]
fn a_problem_has_its_place() {
    let bytes = format!("{GET}GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n");
    let problem = requests(bytes.as_bytes(), Upgrade::Refused).unwrap_err();
    assert_eq!(Some(problem.at), bytes.find('\0'));
}
