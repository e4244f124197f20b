//! `Connection`, the fields it names, and those that end at each hop.

use super::table::{Requests, forwarded, get, get_sent_on, post, post_sent_on, refused};
use super::{After, Outcome, RequestRow};

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<RequestRow> {
    let mut rows = Requests::of("connection and hop-by-hop");
    rows.forward_lines(&[
        ("keep-alive", "RFC 9112 §9.3; llhttp", b"Connection: keep-alive\r\n", b""),
        ("a field it names", "RFC 9110 §7.6.1; ATS", b"Connection: X-Internal-Auth\r\nX-Internal-Auth: admin\r\nA: b\r\n", b"A: b\r\n"),
        ("two fields it names", "RFC 9110 §7.6.1; ATS", b"Connection: X-Foo, X-Bar\r\nX-Foo: a\r\nX-Bar: b\r\nA: b\r\n", b"A: b\r\n"),
        ("a field named behind it", "RFC 9110 §7.6.1", b"X-Foo: a\r\nConnection: X-Foo\r\n", b""),
        ("a field named in another case", "RFC 9110 §7.6.1", b"Connection: x-FOO\r\nX-foo: a\r\n", b""),
        ("a named field several times", "RFC 9110 §7.6.1", b"Connection: X-Foo\r\nX-Foo: a\r\nx-foo: b\r\nX-Foo: c\r\n", b""),
        ("two of it", "RFC 9110 §5.3", b"Connection: X-Foo\r\nconnection: X-Bar\r\nX-Foo: a\r\nX-Bar: b\r\n", b""),
        ("empty members", "RFC 9110 §5.6.1; llhttp", b"Connection: ,, X-Foo ,\t,keep-alive,\r\nX-Foo: a\r\n", b""),
        ("names nothing that is there", "RFC 9110 §7.6.1", b"Connection: X-Foo\r\nX-Food: a\r\n", b"X-Food: a\r\n"),
        ("names itself", "RFC 9110 §7.6.1", b"Connection: Connection, keep-alive\r\n", b""),
        ("empty", "RFC 9110 §7.6.1", b"Connection:\r\nA: b\r\n", b"A: b\r\n"),
        ("white space in an option", "RFC 9110 §7.6.1: no token, names nothing; llhttp", b"Connection: X Foo\r\nX-Foo: a\r\n", b"X-Foo: a\r\n"),
        ("clos", "RFC 9112 §9.3: another word; llhttp", b"Connection: clos\r\n", b""),
        ("closed", "RFC 9112 §9.3: another word", b"Connection: closed\r\n", b""),
        ("close in quotes", "RFC 9112 §9.3: another word", b"Connection: \"close\"\r\n", b""),
        ("names Via", "RFC 9110 §7.6.1: ours stays", b"Connection: Via\r\nVia: 1.1 b\r\n", b"Via: 1.1 b\r\n"),
        ("names Via and there is none", "RFC 9110 §7.6.1", b"Connection: Via\r\n", b""),
        ("names Forwarded and its like", "RFC 9110 §7.6.1: they tell of clients; CVE-2022-31813", b"Connection: X-Forwarded-For, X-Real-IP, Forwarded\r\nX-Forwarded-For: 1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\n", b"X-Forwarded-For: 1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\n"),
        ("names Cookie", "RFC 9110 §7.6.1: must go, strange as it is", b"Connection: Cookie\r\nCookie: a=b\r\n", b""),
        ("TE", "RFC 9110 §10.1.4; HAProxy, ATS", b"Connection: TE\r\nTE: trailers\r\n", b""),
        ("TE not named", "RFC 9110 §10.1.4", b"TE: trailers, gzip;q=0.5\r\n", b""),
        ("Keep-Alive", "RFC 9110 §7.6.1", b"Keep-Alive: timeout=5, max=100\r\nConnection: keep-alive\r\n", b""),
        ("Keep-Alive not named", "RFC 9110 §7.6.1", b"Keep-Alive: 300\r\n", b""),
        ("Proxy-Connection", "RFC 9112 §C.2.2; llhttp", b"Proxy-Connection: keep-alive\r\n", b""),
        ("Proxy-Connection: close", "RFC 9112 §C.2.2: without effect", b"Proxy-Connection: close\r\n", b""),
        ("Proxy-Authorization", "RFC 9110 §11.7.1", b"Proxy-Authorization: Basic c2VjcmV0\r\nA: b\r\n", b"A: b\r\n"),
        ("Proxy-Authorization twice, folded by case", "RFC 9110 §11.7.1", b"proxy-authorization: a\r\nPROXY-AUTHORIZATION: b\r\n", b""),
        ("Proxy-Authenticate", "RFC 9110 §11.7.1", b"Proxy-Authenticate: Basic\r\n", b""),
        ("Authorization", "RFC 9110 §11.6.2: for the origin", b"Authorization: Basic c2VjcmV0\r\n", b"Authorization: Basic c2VjcmV0\r\n"),
        ("Trailer without chunks", "RFC 9110 §6.6.2", b"Trailer: Digest\r\n", b""),
        ("Via of others", "RFC 9110 §7.6.3", b"Via: 1.0 fred, 1.1 p.example (Apache/1.1)\r\n", b"Via: 1.0 fred, 1.1 p.example (Apache/1.1)\r\n"),
        ("Expect with no body", "RFC 9110 §10.1.1: nothing is to be waited for", b"Expect: 100-continue\r\n", b""),
    ]);
    for (name, source, lines) in [
        ("close", "RFC 9112 §9.6; llhttp", "Connection: close\r\n"),
        ("close in capitals", "RFC 9112 §9.6; llhttp", "Connection: CLOSE\r\n"),
        ("close and a tab", "RFC 9112 §5.1; llhttp", "Connection: close\t\r\n"),
        ("close with others", "RFC 9112 §9.6", "Connection: X-Foo, close, keep-alive\r\n"),
        ("keep-alive, then close", "RFC 9112 §9.3: close counts", "Connection: keep-alive\r\nConnection: close\r\n"),
    ] {
        let outcome = Outcome { after: After::Closed, ..forwarded(&get_sent_on(b"")) };
        rows.row(name, source, &get(lines.as_bytes()), outcome);
    }
    rows.forward(&[
        ("Trailer with chunks", "RFC 9110 §6.6.2", &post(b"Trailer: Digest\r\nTransfer-Encoding: chunked\r\n", b"0\r\nDigest: a\r\n\r\n"), &post_sent_on(b"Trailer: Digest\r\nTransfer-Encoding: chunked\r\n", b"0\r\nDigest: a\r\n\r\n")),
        ("Expect with a body", "RFC 9110 §10.1.1", &post(b"Expect: 100-continue\r\nContent-Length: 1\r\n", b"a"), &post_sent_on(b"Expect: 100-continue\r\nContent-Length: 1\r\n", b"a")),
        ("Expect in capitals", "RFC 9110 §10.1.1: without case", &post(b"Expect: 100-CONTINUE\r\nContent-Length: 1\r\n", b"a"), &post_sent_on(b"Expect: 100-continue\r\nContent-Length: 1\r\n", b"a")),
        ("Expect twice", "RFC 9110 §10.1.1: once is enough", &post(b"Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 1\r\n", b"a"), &post_sent_on(b"Expect: 100-continue\r\nContent-Length: 1\r\n", b"a")),
        ("Expect named by Connection", "RFC 9110 §7.6.1, §10.1.1", &post(b"Connection: Expect\r\nExpect: 100-continue\r\nContent-Length: 1\r\n", b"a"), &post_sent_on(b"Expect: 100-continue\r\nContent-Length: 1\r\n", b"a")),
        ("Expect that is empty", "RFC 9110 §5.6.1: an empty list", &post(b"Expect:\r\nContent-Length: 1\r\n", b"a"), &post_sent_on(b"Content-Length: 1\r\n", b"a")),
    ]);
    for (name, source, lines) in [
        ("another expectation", "RFC 9110 §10.1.1; Http11Probe", &b"Expect: 200-ok\r\nContent-Length: 1\r\n"[..]),
        ("another expectation with no body", "RFC 9110 §10.1.1", b"Expect: x\r\n"),
        ("another expectation beside the known", "RFC 9110 §10.1.1", b"Expect: 100-continue, x\r\nContent-Length: 1\r\n"),
        ("a word before the expectation", "RFC 9110 §10.1.1; http-request-smuggler", b"Expect: x 100-continue\r\nContent-Length: 1\r\n"),
        ("a parameter behind the expectation", "RFC 9110 §10.1.1", b"Expect: 100-continue;a=b\r\nContent-Length: 1\r\n"),
        ("an expectation in quotes", "RFC 9110 §10.1.1", b"Expect: \"100-continue\"\r\nContent-Length: 1\r\n"),
        ("0xa0 behind the expectation", "RFC 9110 §10.1.1", b"Expect: 100-continue\xa0\r\nContent-Length: 1\r\n"),
        ("another expectation in another line", "RFC 9110 §10.1.1", b"Expect: 100-continue\r\nExpect: y\r\nContent-Length: 1\r\n"),
    ] {
        rows.row(name, source, &post(lines, b""), refused(417, "unknown_expectation"));
    }
    let options = |count: usize| {
        let names: Vec<_> = (0..count).map(|number| format!("x{number}")).collect();
        format!("Connection: {}\r\n", names.join(", ")).into_bytes()
    };
    rows.row("32 options", "RFC 9110 §7.6.1: bounded", &get(&options(32)), forwarded(&get_sent_on(b"")));
    rows.row("33 options", "RFC 9110 §7.6.1: bounded", &get(&options(33)), refused(400, "bad_request_field"));
    rows.done()
}
