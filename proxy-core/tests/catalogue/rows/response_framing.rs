//! Where the body of a response ends.

use super::table::{DATE, Responses, ok, ok_relayed};
use super::{End, Received, ResponseRow, Then};

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<ResponseRow> {
    let mut rows = Responses::of("response: framing");
    for (name, source, lines) in [
        ("Content-Length with chunked", "RFC 9112 §6.3; HAProxy", &b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"[..]),
        ("chunked with Content-Length", "RFC 9112 §6.3", b"Transfer-Encoding: chunked\r\nContent-Length: 30\r\n"),
        ("chunked with Content-Length that Connection names", "RFC 9112 §6.3", b"Connection: Content-Length\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        ("two lengths that differ", "RFC 9110 §8.6; nginx-tests", b"Content-Length: 5\r\nContent-Length: 6\r\n"),
        ("a list of lengths that differ", "RFC 9110 §8.6", b"Content-Length: 5, 6\r\n"),
        ("equal lengths, one with a sign", "RFC 9110 §8.6", b"Content-Length: 5\r\nContent-Length: +5\r\n"),
        ("an empty member", "RFC 9110 §8.6", b"Content-Length: 5,\r\n"),
        ("no value", "RFC 9110 §8.6", b"Content-Length:\r\n"),
        ("a plus sign", "RFC 9110 §8.6", b"Content-Length: +5\r\n"),
        ("a minus sign", "RFC 9110 §8.6", b"Content-Length: -5\r\n"),
        ("hexadecimal", "RFC 9110 §8.6", b"Content-Length: 0x5\r\n"),
        ("a longest valid prefix", "RFC 9110 §8.6", b"Content-Length: 5x\r\n"),
        ("two words", "RFC 9110 §8.6", b"Content-Length: 5 5\r\n"),
        ("2^63", "RFC 9110 §8.6", b"Content-Length: 9223372036854775808\r\n"),
        ("2^64 + 5", "RFC 9110 §8.6; llhttp", b"Content-Length: 18446744073709551621\r\n"),
        ("0xa0 behind the length", "RFC 9110 §8.6", b"Content-Length: 5\xa0\r\n"),
        ("chunked twice in a list", "RFC 9112 §6.1; HAProxy", b"Transfer-Encoding: chunked, chunked\r\n"),
        ("chunked twice in lines", "RFC 9112 §6.1; nginx-tests", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        ("chunked before another", "RFC 9112 §6.1; HAProxy, llhttp, ATS", b"Transfer-Encoding: chunked, gzip\r\n"),
        ("chunked around another", "RFC 9112 §6.1; HAProxy", b"Transfer-Encoding: chunked, gzip, chunked\r\n"),
        ("gzip before chunked", "RFC 9112 §6.1: not decoded here", b"Transfer-Encoding: gzip, chunked\r\n"),
        ("gzip", "RFC 9112 §6.1; HAProxy", b"Transfer-Encoding: gzip\r\n"),
        ("identity", "RFC 9112 §6.1: gone since RFC 7230; nginx-tests", b"Transfer-Encoding: identity\r\n"),
        ("chunkedchunked", "RFC 9112 §6.1; llhttp", b"Transfer-Encoding: chunkedchunked\r\n"),
        ("xchunked", "RFC 9112 §6.1", b"Transfer-Encoding: xchunked\r\n"),
        ("a comma before chunked", "RFC 9112 §6.1", b"Transfer-Encoding: ,chunked\r\n"),
        ("a parameter", "RFC 9112 §7", b"Transfer-Encoding: chunked;a=b\r\n"),
        ("no coding", "RFC 9112 §6.1", b"Transfer-Encoding:\r\n"),
        ("0xff around chunked", "RFC 9112 §6.1", b"Transfer-Encoding: \xffchunked\xff\r\n"),
        ("an underscore in Content_Length", "as in requests", b"Content_Length: 5\r\n"),
        ("an underscore in Transfer_Encoding", "as in requests", b"Transfer_Encoding: chunked\r\n"),
    ] {
        rows.refuse("bad_response_length", &[(name, source, &ok(lines, b"0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))]);
    }
    rows.refuse(
        "bad_response_length",
        &[
            ("chunked in HTTP/1.0", "RFC 9112 §6.1; HAProxy", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            ("conflicting lengths with 204", "RFC 9112 §6.3", b"HTTP/1.1 204 No Content\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
            ("a malformed length with 304", "RFC 9110 §8.6", b"HTTP/1.1 304 Not Modified\r\nContent-Length: x\r\n\r\n"),
        ],
    );
    let five = ok_relayed(b"Content-Length: 5\r\n", b"hello");
    rows.relay(&Then::Stays, End::Kept, &[
        ("Content-Length", "RFC 9112 §6.3", &ok(b"Content-Length: 5\r\n", b"hello"), &five),
        ("zeros before it", "RFC 9110 §8.6", &ok(b"Content-Length: 0005\r\n", b"hello"), &five),
        ("equal lengths in lines", "RFC 9110 §8.6: made one", &ok(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"), &five),
        ("equal lengths in a list", "RFC 9110 §8.6: made one", &ok(b"Content-Length: 5, 5\r\n", b"hello"), &five),
        ("equal lengths with zeros", "RFC 9110 §8.6: made one", &ok(b"Content-Length: 05\r\nContent-Length: 5\r\n", b"hello"), &five),
        ("white space around it", "RFC 9112 §5.1; llhttp", &ok(b"Content-Length: \t5\t\r\n", b"hello"), &five),
        ("that Connection names", "RFC 9110 §7.6.1", &ok(b"Connection: Content-Length\r\nContent-Length: 5\r\n", b"hello"), &five),
        ("a longer name beside it", "RFC 9110 §5.1; llhttp", &ok(b"Content-Length-X: 0\r\nContent-Length: 5\r\n", b"hello"), &ok_relayed(b"Content-Length-X: 0\r\nContent-Length: 5\r\n", b"hello")),
        ("no content", "RFC 9112 §6.3; nginx-tests", &ok(b"Content-Length: 0\r\n", b""), &ok_relayed(b"Content-Length: 0\r\n", b"")),
        ("chunked", "RFC 9112 §7.1", &ok(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"), &ok_relayed(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n")),
        ("chunked in mixed case", "RFC 9112 §7", &ok(b"transfer-encoding: cHuNkEd\r\n", b"0\r\n\r\n"), &ok_relayed(b"transfer-encoding: chunked\r\n", b"0\r\n\r\n")),
        ("chunked that Connection names", "RFC 9110 §7.6.1", &ok(b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), &ok_relayed(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n")),
        ("a response for a body", "RFC 9112 §6.3", &ok(b"Content-Length: 19\r\n", b"HTTP/1.1 200 OK\r\n\r\n"), &ok_relayed(b"Content-Length: 19\r\n", b"HTTP/1.1 200 OK\r\n\r\n")),
        ("204", "RFC 9110 §15.3.5; llhttp", &[b"HTTP/1.1 204 No Content\r\n", DATE, b"\r\n"].concat(), &[b"HTTP/1.1 204 No Content\r\n", DATE, b"Via: 1.1 PROXY\r\n\r\n"].concat()),
        ("204 with a length of 0", "RFC 9110 §8.6", &[b"HTTP/1.1 204 No Content\r\n", DATE, b"Content-Length: 0\r\n\r\n"].concat(), &[b"HTTP/1.1 204 No Content\r\n", DATE, b"Via: 1.1 PROXY\r\n\r\n"].concat()),
        ("304", "RFC 9110 §15.4.5", &[b"HTTP/1.1 304 Not Modified\r\n", DATE, b"ETag: \"a\"\r\n\r\n"].concat(), &[b"HTTP/1.1 304 Not Modified\r\n", DATE, b"ETag: \"a\"\r\nVia: 1.1 PROXY\r\n\r\n"].concat()),
        ("304 with the length of another", "RFC 9110 §8.6; llhttp", &[b"HTTP/1.1 304 Not Modified\r\n", DATE, b"Content-Length: 100\r\n\r\n"].concat(), &[b"HTTP/1.1 304 Not Modified\r\n", DATE, b"Content-Length: 100\r\nVia: 1.1 PROXY\r\n\r\n"].concat()),
        ("304 that would have been chunked", "RFC 9112 §6.1; llhttp", &[b"HTTP/1.1 304 Not Modified\r\n", DATE, b"Transfer-Encoding: chunked\r\n\r\n"].concat(), &[b"HTTP/1.1 304 Not Modified\r\n", DATE, b"Via: 1.1 PROXY\r\n\r\n"].concat()),
        ("205 without content", "RFC 9110 §15.3.6", &[b"HTTP/1.1 205 Reset Content\r\n", DATE, b"Content-Length: 0\r\n\r\n"].concat(), &[b"HTTP/1.1 205 Reset Content\r\n", DATE, b"Content-Length: 0\r\nVia: 1.1 PROXY\r\n\r\n"].concat()),
        ("HTTP/1.0 with keep-alive", "RFC 9112 §9.3; llhttp", &[b"HTTP/1.0 200 OK\r\n", DATE, b"Connection: keep-alive\r\nContent-Length: 2\r\n\r\nok"].concat(), &[b"HTTP/1.1 200 OK\r\n", DATE, b"Content-Length: 2\r\nVia: 1.0 PROXY\r\n\r\nok"].concat()),
    ]);
    rows.relay(&Then::Stays, End::Dropped, &[
        ("204 that announces content", "RFC 9110 §15.3.5: what comes is no response", &[b"HTTP/1.1 204 No Content\r\n", DATE, b"Content-Length: 5\r\n\r\n"].concat(), &[b"HTTP/1.1 204 No Content\r\n", DATE, b"Via: 1.1 PROXY\r\n\r\n"].concat()),
        ("204 that is chunked", "RFC 9112 §6.1", &[b"HTTP/1.1 204 No Content\r\n", DATE, b"Transfer-Encoding: chunked\r\n\r\n"].concat(), &[b"HTTP/1.1 204 No Content\r\n", DATE, b"Via: 1.1 PROXY\r\n\r\n"].concat()),
        ("HTTP/1.0", "RFC 9112 §9.3: closes; nginx-tests", &[b"HTTP/1.0 200 OK\r\n", DATE, b"Content-Length: 2\r\n\r\nok"].concat(), &[b"HTTP/1.1 200 OK\r\n", DATE, b"Content-Length: 2\r\nVia: 1.0 PROXY\r\n\r\nok"].concat()),
    ]);
    let until_close = [b"HTTP/1.1 200 OK\r\n", DATE, b"Via: 1.1 PROXY\r\nConnection: close\r\n\r\nhello"].concat();
    rows.relay(&Then::Ends, End::Closed, &[
        ("until the end", "RFC 9112 §6.3; llhttp", &ok(b"", b"hello"), &until_close),
        ("until the end, said so", "RFC 9112 §6.3", &ok(b"Connection: close\r\n", b"hello"), &until_close),
        ("nothing until the end", "RFC 9112 §6.3", &ok(b"", b""), &until_close[..until_close.len() - 5]),
        ("until the end in HTTP/1.0, keep-alive or not", "RFC 9112 §6.3; llhttp", &[b"HTTP/1.0 200 OK\r\n", DATE, b"Connection: keep-alive\r\n\r\nhello"].concat(), &[b"HTTP/1.1 200 OK\r\n", DATE, b"Via: 1.0 PROXY\r\nConnection: close\r\n\r\nhello"].concat()),
    ]);
    let head = b"HEAD http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n".to_vec();
    for (name, source, lines, got, end) in [
        ("HEAD", "RFC 9110 §9.3.2; HAProxy", &b""[..], &b""[..], End::Kept),
        ("HEAD with a length", "RFC 9110 §8.6; HAProxy", b"Content-Length: 100\r\n", b"Content-Length: 100\r\n", End::Kept),
        ("HEAD with chunked", "RFC 9112 §6.1; HAProxy", b"Transfer-Encoding: chunked\r\n", b"", End::Kept),
    ] {
        let received = Received::Relayed(ok_relayed(got, b""), end);
        rows.row(name, source, &ok(lines, b""), Then::Stays, received).request = head.clone();
    }
    rows.row("HEAD with conflicting lengths", "RFC 9112 §6.3", &ok(b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", b""), Then::Stays, Received::Refused(502, "bad_response_length")).request = head;
    rows.done()
}
