//! What rows are written with: templates of messages around the bytes that matter.

use super::{After, End, Outcome, Reached, Received, RequestRow, ResponseRow, Then};

/// Name, source, bytes.
pub(super) type Case<'a> = (&'a str, &'static str, &'a [u8]);

/// Name, source, bytes, and what the far end gets.
pub(super) type Passed<'a> = (&'a str, &'static str, &'a [u8], &'a [u8]);

/// A body that is a request if it is read as one, and a whole chunked body too.
pub(super) const SMUGGLED: &[u8] =
    b"0\r\n\r\nGET http://{origin}/smuggled HTTP/1.1\r\nHost: {origin}\r\n\r\n";

/// The date that responses here come with.
pub(super) const DATE: &[u8] = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

/// A GET request with these field lines.
pub(super) fn get(lines: &[u8]) -> Vec<u8> {
    [b"GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n", lines, b"\r\n"].concat()
}

/// The same at the origin.
pub(super) fn get_sent_on(lines: &[u8]) -> Vec<u8> {
    [b"GET / HTTP/1.1\r\nHost: {origin}\r\n", lines, b"Via: 1.1 PROXY\r\n\r\n"].concat()
}

/// A POST request with these field lines and this body.
pub(super) fn post(lines: &[u8], body: &[u8]) -> Vec<u8> {
    [b"POST http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n", lines, b"\r\n", body].concat()
}

/// The same at the origin.
pub(super) fn post_sent_on(lines: &[u8], body: &[u8]) -> Vec<u8> {
    [b"POST / HTTP/1.1\r\nHost: {origin}\r\n", lines, b"Via: 1.1 PROXY\r\n\r\n", body].concat()
}

/// A request with this chunked body.
pub(super) fn chunked(body: &[u8]) -> Vec<u8> {
    post(b"Transfer-Encoding: chunked\r\n", body)
}

/// The same at the origin.
pub(super) fn chunked_sent_on(body: &[u8]) -> Vec<u8> {
    post_sent_on(b"Transfer-Encoding: chunked\r\n", body)
}

/// Rows of one class.
pub(super) struct Requests {
    class: &'static str,
    rows: Vec<RequestRow>,
}

impl Requests {
    pub(super) fn of(class: &'static str) -> Requests {
        Requests { class, rows: Vec::new() }
    }

    pub(super) fn done(self) -> Vec<RequestRow> {
        self.rows
    }

    /// A row in full.
    pub(super) fn row(
        &mut self,
        name: &str,
        source: &'static str,
        sent: &[u8],
        outcome: Outcome,
    ) -> &mut RequestRow {
        let (class, name, sent) = (self.class, name.to_owned(), sent.to_vec());
        self.rows.push(RequestRow { class, name, source, sent, ends: false, outcome });
        self.rows.last_mut().expect("one was added")
    }

    /// Refused: nothing reaches the origin, and the connection is closed.
    pub(super) fn refuse(&mut self, status: u16, reason: &'static str, cases: &[Case<'_>]) {
        for (name, source, sent) in cases {
            self.row(name, source, sent, refused(status, reason));
        }
    }

    /// The same, of field lines in a GET request.
    pub(super) fn refuse_lines(&mut self, status: u16, reason: &'static str, cases: &[Case<'_>]) {
        for (name, source, lines) in cases {
            self.row(name, source, &get(lines), refused(status, reason));
        }
    }

    /// The same, of field lines that say where a body ends, in a POST request whose body would
    /// be another request for who sees another end.
    pub(super) fn refuse_framing(&mut self, status: u16, reason: &'static str, cases: &[Case<'_>]) {
        for (name, source, lines) in cases {
            self.row(name, source, &post(lines, SMUGGLED), refused(status, reason));
        }
    }

    /// Chunked bodies that are refused; another request follows.
    pub(super) fn refuse_chunks(&mut self, cases: &[Case<'_>]) {
        for (name, source, body) in cases {
            let sent = [&chunked(body), &get(b"X: smuggled\r\n")[..]].concat();
            let outcome =
                Outcome { origin: Reached::Unfinished, ..refused(400, "bad_request_body") };
            self.row(name, source, &sent, outcome);
        }
    }

    /// Accepted: the origin gets exactly this.
    pub(super) fn forward(&mut self, cases: &[Passed<'_>]) {
        for (name, source, sent, got) in cases {
            self.row(name, source, sent, forwarded(got));
        }
    }

    /// The same, of field lines in a GET request.
    pub(super) fn forward_lines(&mut self, cases: &[Passed<'_>]) {
        for (name, source, sent, got) in cases {
            self.row(name, source, &get(sent), forwarded(&get_sent_on(got)));
        }
    }

    /// The same, of chunked bodies.
    pub(super) fn forward_chunks(&mut self, cases: &[Passed<'_>]) {
        for (name, source, sent, got) in cases {
            self.row(name, source, &chunked(sent), forwarded(&chunked_sent_on(got)));
        }
    }
}

/// Refused, and closed.
pub(super) fn refused(status: u16, reason: &'static str) -> Outcome {
    Outcome {
        origin: Reached::Nothing,
        answers: vec![status],
        reason: Some(reason),
        after: After::Closed,
    }
}

/// Answered by the proxy itself, which goes on.
pub(super) fn answered(status: u16, reason: Option<&'static str>) -> Outcome {
    Outcome { origin: Reached::Nothing, answers: vec![status], reason, after: After::Open }
}

/// Sent on, answered by the origin.
pub(super) fn forwarded(got: &[u8]) -> Outcome {
    Outcome {
        origin: Reached::Exactly(got.to_vec()),
        answers: vec![200],
        reason: None,
        after: After::Open,
    }
}

/// Rows of one class.
pub(super) struct Responses {
    class: &'static str,
    rows: Vec<ResponseRow>,
}

impl Responses {
    pub(super) fn of(class: &'static str) -> Responses {
        Responses { class, rows: Vec::new() }
    }

    pub(super) fn done(self) -> Vec<ResponseRow> {
        self.rows
    }

    /// A row in full.
    pub(super) fn row(
        &mut self,
        name: &str,
        source: &'static str,
        sent: &[u8],
        then: Then,
        received: Received,
    ) -> &mut ResponseRow {
        let (class, name, sent) = (self.class, name.to_owned(), sent.to_vec());
        let request = get(b"");
        self.rows.push(ResponseRow { class, name, source, request, sent, then, received });
        self.rows.last_mut().expect("one was added")
    }

    /// Refused with 502.
    pub(super) fn refuse(&mut self, reason: &'static str, cases: &[Case<'_>]) {
        for (name, source, sent) in cases {
            self.row(name, source, sent, Then::Stays, Received::Refused(502, reason));
        }
    }

    /// Relayed as this.
    pub(super) fn relay(&mut self, then: &Then, end: End, cases: &[Passed<'_>]) {
        for (name, source, sent, got) in cases {
            let received = Received::Relayed(got.to_vec(), end);
            self.row(name, source, sent, then.clone(), received);
        }
    }
}

/// A response with these field lines and this body.
pub(super) fn ok(lines: &[u8], body: &[u8]) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\n", DATE, lines, b"\r\n", body].concat()
}

/// The same at the client.
pub(super) fn ok_relayed(lines: &[u8], body: &[u8]) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\n", DATE, lines, b"Via: 1.1 PROXY\r\n\r\n", body].concat()
}
