//! The heads for the next hop: what was received, made anew in canonical form.

use super::field::FieldKind;
use super::fields::{self, FieldLine};
use super::line_writer::LineWriter;
use super::privacy::{self, Privacy, Told};
use super::response::Announced;
use super::{BodyLength, Coding, FieldEdits, Forwarding, RequestHead, ResponseHead, TargetForm};

/// What is to be changed on the way to the next hop, beyond what HTTP asks for.
#[derive(Clone, Copy, Debug)]
pub struct RequestRewrite<'a> {
    /// The name of this proxy in `Via` (RFC 9110 §7.6.3).
    pub via: &'a str,
    /// What `Host` says where the request names no host, as one of HTTP/1.0 need not: 1.1 asks
    /// for one (RFC 9112 §3.2).
    pub host: &'a str,
    /// What the upstream is told of the client. `None`: nothing, and what the client says of
    /// itself goes on as it is.
    pub forwarding: Option<Forwarding>,
    /// What else it is not told of the client, although the client says it. `None`: all goes on.
    pub privacy: Option<&'a Privacy>,
    /// What else is to be changed.
    pub edits: &'a FieldEdits,
}

/// What is to be changed on the way to the client, beyond what HTTP asks for.
#[derive(Clone, Copy, Debug)]
pub struct ResponseRewrite<'a> {
    /// The name of this proxy in `Via` (RFC 9110 §7.6.3).
    pub via: &'a str,
    /// What `Date` says of a final response that comes without one: now (RFC 9110 §6.6.1).
    pub date: &'a str,
    /// What the client is told of its connection.
    pub persistence: Persistence,
    /// The coding in which a chunked body goes on. When it is decoded, no length is left to
    /// tell, so the connection must be closed.
    pub coding: Coding,
    /// What else is to be changed.
    pub edits: &'a FieldEdits,
}

/// Whether the connection is to be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// It is.
    Keep,
    /// It ends with this message, which says so (RFC 9112 §9.6).
    Close,
}

impl RequestHead {
    /// Appends the head for the next hop to `out`, made anew in canonical form:
    ///
    /// - the request line with [`path`](Self::path) (or, in authority-form, with
    ///   [`authority`](Self::authority)) and HTTP/1.1, then `Host`;
    /// - the other fields in their order and case, without those that end here: `Connection`
    ///   and what it names, `Keep-Alive`, `TE`, `Upgrade`, `Proxy-Connection` and those by which
    ///   clients and proxies authenticate (RFC 9110 §7.6.1, §11.7), and `Proxy`;
    /// - one `Content-Length` or `Transfer-Encoding: chunked`, in its place, or neither;
    /// - `Max-Forwards` less one where it counts; one `Expect: 100-continue` at most, and only
    ///   if there is a body and the client speaks 1.1 (RFC 9110 §10.1.1);
    /// - a `Via` of its own, and the upgrade to WebSocket if that is asked for.
    pub fn write_upstream(&self, out: &mut Vec<u8>, rewrite: &RequestRewrite<'_>) {
        let target = if self.form == TargetForm::Authority { self.authority } else { self.path };
        let host = match self.fields.bytes(self.authority) {
            b"" => rewrite.host.as_bytes(),
            own => own,
        };
        for part in [
            self.fields.bytes(self.method),
            b" ",
            self.fields.bytes(target),
            b" HTTP/1.1\r\nHost: ",
            host,
            b"\r\n",
        ] {
            out.extend_from_slice(part);
        }
        let has_length = matches!(self.length, BodyLength::Exact(_));
        let is_chunked = self.length == BodyLength::Chunked;
        let mut expects = self.expects_continue();
        let mut lines = LineWriter::new(&self.fields, out);
        for line in self.fields.lines() {
            match line.kind {
                kind if kind.is_editable() && rewrite.edits.drops(self.fields.name(line)) => {}
                _ if self.has_hidden(line, rewrite, &mut lines) => {}
                FieldKind::Other
                | FieldKind::Authorization
                | FieldKind::Date
                | FieldKind::Via
                | FieldKind::WwwAuthenticate => lines.keep(line),
                kind if kind.is_forwarding()
                    && rewrite.forwarding.is_none_or(|forwarding| forwarding.keeps(line.kind)) =>
                {
                    lines.keep(line);
                }
                FieldKind::ContentLength if has_length => lines.keep_length(line),
                FieldKind::TransferEncoding => lines.replace(line, b"chunked"),
                FieldKind::Trailer if is_chunked => lines.keep(line),
                FieldKind::Expect if expects => {
                    lines.replace(line, b"100-continue");
                    expects = false;
                }
                FieldKind::MaxForwards => match self.max_forwards {
                    // Rare enough for a number to be made a string.
                    Some(hops) => {
                        let left = hops.saturating_sub(1).to_string();
                        lines.replace(line, left.as_bytes());
                    }
                    None => lines.keep(line),
                },
                // Host stands above; the others end here.
                _ => {}
            }
        }
        lines.copy();
        rewrite.edits.write(out);
        if let Some(forwarding) = rewrite.forwarding {
            forwarding.write(&self.fields, out);
        }
        fields::write_via(self.version, rewrite.via, out);
        if self.asks_websocket() {
            out.extend_from_slice(fields::UPGRADE);
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Whether a field does not go on as it came, since it tells too much of the client. Writes what
    /// does.
    fn has_hidden(
        &self,
        line: &FieldLine,
        rewrite: &RequestRewrite<'_>,
        lines: &mut LineWriter<'_>,
    ) -> bool {
        let Some(privacy) = rewrite.privacy else { return false };
        // What is told of clients in these fields has been settled.
        if rewrite.forwarding.is_some() && line.kind.is_forwarding() {
            return false;
        }
        let value = self.fields.value(line);
        match privacy.of(line.kind, self.fields.name(line), value, self) {
            Told::Whole => return false,
            Told::Instead(value) => lines.replace(line, value),
            Told::WithoutNames => {
                lines.copy();
                privacy::write_via_without_names(value, lines.out);
            }
            Told::Nothing => {}
        }
        true
    }
}

impl ResponseHead {
    /// Appends the head for the client to `out`, made anew in canonical form:
    ///
    /// - the status line, always with HTTP/1.1 (RFC 9110 §2.5), and the reason phrase;
    /// - the fields in their order and case, without those that end here: `Connection` and
    ///   what it names, `Keep-Alive`, `TE`, `Upgrade`, `Proxy-Connection` and those by which
    ///   clients and proxies authenticate (RFC 9110 §7.6.1, §11.7), and `Proxy`;
    /// - one `Content-Length` or `Transfer-Encoding: chunked`, in its place, or neither. To
    ///   `HEAD`, and with 304, the length stays though no body follows; with 1xx and 204 it
    ///   goes (RFC 9110 §8.6);
    /// - a `Date`, if it has none and is final (RFC 9110 §6.6.1);
    /// - a `Via` of its own, `Connection: close` if it ends here, the switch to WebSocket if
    ///   there is one.
    pub fn write_client(&self, out: &mut Vec<u8>, rewrite: &ResponseRewrite<'_>) {
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(&digits(self.status));
        for part in [b" ", self.reason_phrase(), b"\r\n"] {
            out.extend_from_slice(part);
        }
        let is_chunked = self.length == BodyLength::Chunked && rewrite.coding == Coding::AsIs;
        let mut has_length =
            matches!(self.length, BodyLength::Exact(_)) || self.announced == Announced::Elsewhere;
        let mut is_dated = rewrite.edits.adds("date");
        let mut lines = LineWriter::new(&self.fields, out);
        for line in self.fields.lines() {
            match line.kind {
                kind if kind.is_editable() && rewrite.edits.drops(self.fields.name(line)) => {}
                FieldKind::Date => {
                    is_dated = true;
                    lines.keep(line);
                }
                FieldKind::Other
                | FieldKind::Authorization
                | FieldKind::WwwAuthenticate
                | FieldKind::Via
                | FieldKind::Expect
                | FieldKind::MaxForwards
                | FieldKind::Forwarded
                | FieldKind::XForwardedFor
                | FieldKind::ForwardingClaim => lines.keep(line),
                // Repeated ones say the same, or this would not have been accepted.
                FieldKind::ContentLength if has_length => {
                    lines.keep_length(line);
                    has_length = false;
                }
                FieldKind::TransferEncoding if is_chunked => {
                    lines.replace(line, b"chunked");
                }
                FieldKind::Trailer if is_chunked => lines.keep(line),
                // The others end here.
                _ => {}
            }
        }
        lines.copy();
        rewrite.edits.write(out);
        if !is_dated && self.status >= 200 {
            for part in ["Date: ", rewrite.date, "\r\n"] {
                out.extend_from_slice(part.as_bytes());
            }
        }
        fields::write_via(self.version, rewrite.via, out);
        if self.switches_to_websocket() {
            out.extend_from_slice(fields::UPGRADE);
        } else if rewrite.persistence == Persistence::Close {
            out.extend_from_slice(b"Connection: close\r\n");
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// A status code's three digits.
fn digits(status: u16) -> [u8; 3] {
    [status / 100, status / 10, status].map(|number| b'0' + (number % 10) as u8)
}

#[cfg(test)]
mod tests;
