//! Trailer sections of requests: what must not stand there is dropped, what is malformed refused.

use super::RequestRow;
use super::table::Requests;

#[rustfmt::skip] // a table: a row to a line
pub(super) fn rows() -> Vec<RequestRow> {
    let mut rows = Requests::of("trailers");
    for (source, names) in [
        ("RFC 9110 §6.5.1: frames; Http11Probe", &["Content-Length", "Transfer-Encoding", "Content_Length", "Transfer_Encoding", "Trailer", "TE"][..]),
        ("RFC 9110 §6.5.1: routes; Http11Probe", &["Host", "Max-Forwards", "Expect", "Connection", "Keep-Alive", "Upgrade", "Via", "HTTP2-Settings", "Proxy-Connection", "Alt-Svc", "Alt-Used"]),
        ("RFC 9110 §6.5.1: authenticates; Http11Probe", &["Authorization", "Proxy-Authorization", "Cookie", "Cookie2", "Set-Cookie", "Set-Cookie2", "WWW-Authenticate", "Proxy-Authenticate", "Authentication-Info"]),
        ("RFC 9110 §6.5.1: is about the content; Http11Probe", &["Content-Type", "Content-Encoding", "Content-Range", "Content-Location", "Content-Disposition", "Content-Language"]),
        ("RFC 9110 §6.5.1: modifies the request", &["Cache-Control", "Pragma", "Range", "If-Match", "If-None-Match", "If-Range", "If-Modified-Since", "If-Unmodified-Since", "Accept", "Accept-Encoding", "Prefer"]),
        ("RFC 9110 §6.5.1: says who asks", &["Origin", "Referer", "User-Agent", "From", "Sec-Fetch-Site", "Sec-WebSocket-Key"]),
        ("RFC 9110 §6.5.1: says it to some servers", &["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X_Forwarded_Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Forwarded", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "True-Client-IP", "Client-IP", "CF-Connecting-IP", "X-Host", "X-Originating-IP", "X-Remote-User"]),
        ("RFC 9110 §6.5.1: routes in some servers; http-request-smuggler", &["X-HTTP-Method", "X-HTTP-Method-Override", "X_HTTP_Method_Override", "X-Method-Override", "X-Original-URL", "X-Original-Host", "X-Rewrite-URL", "X-Override-URL", "X-Accel-Redirect", "X-Sendfile", "Destination", "Proxy", "Soapaction"]),
    ] {
        for name in names {
            let sent = format!("5\r\nhello\r\n0\r\nX-Before: 1\r\n{name}: 5\r\nX-Behind: 2\r\n\r\n");
            rows.forward_chunks(&[(name, source, sent.as_bytes(), b"5\r\nhello\r\n0\r\nX-Before: 1\r\nX-Behind: 2\r\n\r\n")]);
        }
    }
    rows.forward_chunks(&[
        ("a checksum", "RFC 9530 §6.3; llhttp, Http11Probe", b"5\r\nhello\r\n0\r\nContent-Digest: sha-256=:x:\r\n\r\n", b"5\r\nhello\r\n0\r\nContent-Digest: sha-256=:x:\r\n\r\n"),
        ("two", "RFC 9112 §7.1.2; ATS", b"5\r\nhello\r\n0\r\nRepr-Digest: a\r\nServer-Timing: b\r\n\r\n", b"5\r\nhello\r\n0\r\nRepr-Digest: a\r\nServer-Timing: b\r\n\r\n"),
        ("gRPC's", "RFC 9110 §6.5.1: known at the end only", b"0\r\ngrpc-status: 0\r\ngrpc-message: ok\r\n\r\n", b"0\r\ngrpc-status: 0\r\ngrpc-message: ok\r\n\r\n"),
        ("white space around a value", "RFC 9112 §5.1", b"0\r\nA: \t b \t\r\n\r\n", b"0\r\nA: b\r\n\r\n"),
        ("no white space", "RFC 9112 §5.1", b"0\r\nA:b\r\n\r\n", b"0\r\nA: b\r\n\r\n"),
        ("an empty value", "RFC 9112 §5", b"0\r\nA:\r\n\r\n", b"0\r\nA: \r\n\r\n"),
        ("bytes beyond ASCII in a value", "RFC 9110 §5.5", b"0\r\nA: caf\xc3\xa9\r\n\r\n", b"0\r\nA: caf\xc3\xa9\r\n\r\n"),
        ("with an extension before them", "RFC 9112 §7.1.1", b"0;a=b\r\nA: b\r\n\r\n", b"0\r\nA: b\r\n\r\n"),
        ("nothing that may go on", "RFC 9110 §6.5.1", b"5\r\nhello\r\n0\r\nHost: b.example\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n"),
    ]);
    rows.refuse_chunks(&[
        ("bare LF behind a field", "RFC 9112 §2.2; ATS, Http11Probe", b"0\r\nA: b\n\r\n"),
        ("bare LF for the end", "RFC 9112 §2.2; ATS, Http11Probe", b"0\r\nA: b\r\n\n"),
        ("bare LFs", "RFC 9112 §2.2; ATS", b"0\r\nA: b\n\n"),
        ("bare CR in a value", "RFC 9112 §2.2", b"0\r\nA: b\rC: d\r\n\r\n"),
        ("CR twice", "RFC 9112 §2.2", b"0\r\nA: b\r\r\n\r\n"),
        ("NUL in a value", "RFC 9110 §5.5", b"0\r\nA: b\0c\r\n\r\n"),
        ("a control byte in a value", "RFC 9110 §5.5", b"0\r\nA: b\x01c\r\n\r\n"),
        ("folded", "RFC 9112 §5.2", b"0\r\nA: b\r\n c\r\n\r\n"),
        ("white space before the first", "RFC 9112 §5.2", b"0\r\n A: b\r\n\r\n"),
        ("a space before the colon", "RFC 9112 §5.1", b"0\r\nA : b\r\n\r\n"),
        ("no colon", "RFC 9112 §5", b"0\r\nA b\r\n\r\n"),
        ("no name", "RFC 9112 §5", b"0\r\n: b\r\n\r\n"),
        ("a name with a space", "RFC 9110 §5.1", b"0\r\nA b: c\r\n\r\n"),
        ("a name beyond ASCII", "RFC 9110 §5.1", b"0\r\ncaf\xc3\xa9: b\r\n\r\n"),
        ("a request line", "RFC 9112 §7.1.2", b"0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("a chunk", "RFC 9112 §7.1.2", b"0\r\n5\r\nhello\r\n0\r\n\r\n"),
        ("10,000 bytes of them", "RFC 9112 §7.1.2: bounded", &[b"0\r\nA: ", &[b'a'; 10_000][..], b"\r\n\r\n"].concat()),
        ("200 of them", "RFC 9112 §7.1.2: bounded", &[b"0\r\n", "A: b\r\n".repeat(200).as_bytes(), b"\r\n"].concat()),
    ]);
    rows.done()
}
