//! [`ResponseHead`]: a status line and its fields, understood.

use super::auth_scheme::binds_connection;
use super::field::{Field, FieldKind};
use super::fields::{ConnectionOptions, FIELDS, Fields, Room, Span};
use super::framing::{Framing, Repeats, ResponseTo};
use super::{BodyLength, Error, RequestHead, TargetForm, Version, list, scan};
use crate::limits::Limits;

/// The head of a response. One value serves many responses, one after another: it keeps its
/// memory.
#[derive(Clone, Debug, Default)]
pub struct ResponseHead {
    pub(super) fields: Fields,
    pub(super) status: u16,
    pub(super) reason: Span,
    pub(super) version: Version,
    pub(super) length: BodyLength,
    pub(super) announced: Announced,
    pub(super) connection: ConnectionOptions,
    pub(super) binds_connection: bool,
}

/// What becomes of a `Content-Length` that no body follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Announced {
    /// It is dropped: the status allows none, or there is none.
    #[default]
    Nothing,
    /// It tells of the response that a `GET` would have had, or that the client has already
    /// (RFC 9110 §8.6): it is kept.
    Elsewhere,
    /// The status allows none, and yet content is announced: the upstream may send it, and
    /// its connection cannot be used again.
    Wrongly,
}

impl ResponseHead {
    /// No response yet.
    pub fn new() -> ResponseHead {
        ResponseHead::default()
    }

    /// Reads a whole head, as a [`HeadScanner`](super::HeadScanner) found its end, in place of
    /// the one before. It is the answer to `request`, on which the length of its body depends.
    /// After an error there is none.
    ///
    /// # Errors
    ///
    /// All that is malformed, ambiguous or over a limit: see [the module](super).
    pub fn parse(
        &mut self,
        head: &[u8],
        request: &RequestHead,
        limits: &Limits,
    ) -> Result<(), Error> {
        self.clear();
        let result = match self.read(head, ResponseTo::of(request), limits) {
            Ok(length) if length < head.len() => Err(Error::Field),
            other => other.map(|_| ()),
        };
        if result.is_err() {
            self.clear();
        }
        result
    }

    /// Reads the head that `input` begins with, if all of it is there and nothing is wrong with
    /// it: as [`RequestHead::parse_whole`] does.
    pub fn parse_whole(
        &mut self,
        input: &[u8],
        request: &RequestHead,
        limits: &Limits,
    ) -> Option<usize> {
        self.clear();
        let length = self.read(input, ResponseTo::of(request), limits);
        if length.is_err() {
            self.clear();
        }
        length.ok()
    }

    fn clear(&mut self) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        *self = ResponseHead { fields, ..ResponseHead::default() };
    }

    /// Gives back memory, if an unusually large head has made it grow. Forgets that head.
    pub fn shrink(&mut self) {
        self.clear();
        self.fields.shrink();
    }

    /// Reads the head that `input` begins with, and says where it ends.
    fn read(&mut self, input: &[u8], to: ResponseTo, limits: &Limits) -> Result<usize, Error> {
        // httparse skips empty lines in front of a response too, where none are allowed.
        if matches!(input, [b'\r' | b'\n', ..]) {
            return Err(Error::StartLine);
        }
        let mut room: Room<'_> = [const { std::mem::MaybeUninit::uninit() }; FIELDS];
        let mut parsed = httparse::Response::new(&mut []);
        let outcome = httparse::ParserConfig::default().parse_response_with_uninit_headers(
            &mut parsed,
            input,
            &mut room,
        );
        let length = match outcome {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Err(Error::Truncated),
            Err(error) => return Err(refusal(error)),
        };
        if length > scan::head_bytes(limits) {
            return Err(Error::HeadTooLarge);
        }
        let head = &input[..length];
        let (Some(status), Some(minor)) = (parsed.code, parsed.version) else {
            return Err(Error::Truncated);
        };
        // RFC 9110 §15: three digits, and the first tells the class. Classes above 5 do not
        // exist, yet are in use, and mean no more to a proxy than a 500.
        if status < 100 {
            return Err(Error::StartLine);
        }
        if parsed.headers.len() > limits.fields {
            return Err(Error::TooManyFields);
        }
        // The line is "HTTP/1.x nnn", then a space and the reason. The space is a MUST (RFC
        // 9112 §4) that common servers forget; nothing can be misread without it.
        // And httparse takes a bare LF for its end.
        let line_end = memchr::memchr2(b'\r', b'\n', head).ok_or(Error::StartLine)?;
        if !head[line_end..].starts_with(b"\r\n") {
            return Err(Error::StartLine);
        }
        if line_end + 2 > scan::first_line_bytes(limits) {
            return Err(Error::TargetTooLong);
        }
        self.reason = Span::new(line_end.min("HTTP/1.x nnn ".len()), line_end);
        self.status = status;
        self.version = Version::from_minor(minor);
        self.fields.read(head, line_end + 2, parsed.headers)?;
        self.connection = self.fields.connection()?;
        let mut framing = Framing::default();
        for line in self.fields.lines() {
            let value = self.fields.value(line);
            match line.kind {
                FieldKind::Other => {}
                FieldKind::WwwAuthenticate => self.binds_connection |= binds_connection(value),
                kind => framing.note(kind, value, Repeats::Collapse)?,
            }
        }
        self.length = framing.of_response(to, status, self.version)?;
        self.announced = match (status, to) {
            (101 | 204, _) if framing.announces_content() => Announced::Wrongly,
            (100..=199 | 204, _) => Announced::Nothing,
            (304, _) | (_, ResponseTo::Head) => Announced::Elsewhere,
            _ => Announced::Nothing,
        };
        Ok(length)
    }

    /// The status code, 100 to 999.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The reason phrase: often empty, not always text.
    pub fn reason_phrase(&self) -> &[u8] {
        self.fields.bytes(self.reason)
    }

    /// The version of the status line.
    pub fn version(&self) -> Version {
        self.version
    }

    /// All fields as they were received, in order: also those that are not sent on.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> + Clone {
        self.fields.iter()
    }

    /// The value of the first field of this name. Names have no case.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields.first(name)
    }

    /// The length of the body.
    pub fn body_length(&self) -> BodyLength {
        self.length
    }

    /// Whether another response follows to the same request (RFC 9110 §15.2). `101` is final
    /// for HTTP.
    pub fn is_interim(&self) -> bool {
        matches!(self.status, 100 | 102..=199)
    }

    /// Whether the upstream's connection can be used again after this response (RFC 9112
    /// §9.3): it must want so, and the end of the body must be known.
    pub fn wants_persistence(&self) -> bool {
        let wanted = match self.version {
            Version::Http11 => true,
            Version::Http10 => self.connection.keep_alive,
        };
        wanted
            && !self.connection.close
            && self.length != BodyLength::UntilClose
            && self.announced != Announced::Wrongly
    }

    /// Whether the upstream has switched to WebSocket, and said so properly (RFC 6455 §4.2.2).
    /// Any other `101` answers what was not asked for.
    pub fn switches_to_websocket(&self) -> bool {
        self.status == 101
            && self.version == Version::Http11
            && self.connection.upgrade
            && self.fields.upgrade_to_websocket()
    }

    /// Whether it offers to authenticate the connection it comes on, by NTLM or Negotiate (RFC
    /// 4559 §6), or is a step of that.
    pub fn binds_connection(&self) -> bool {
        self.binds_connection
    }

    /// The seconds that the upstream says it keeps an idle connection: `Keep-Alive:
    /// timeout=5`. Known from usage, RFC 2068 §19.7.1.1 had left the parameters open.
    pub fn keep_alive_timeout(&self) -> Option<u64> {
        self.fields.values(FieldKind::KeepAlive).flat_map(list::members).find_map(|parameter| {
            let (name, value) = parameter.split_at_checked("timeout=".len())?;
            if name.eq_ignore_ascii_case(b"timeout=") { list::decimal(value) } else { None }
        })
    }
}

impl ResponseTo {
    fn of(request: &RequestHead) -> ResponseTo {
        match request.method_bytes() {
            b"HEAD" => ResponseTo::Head,
            _ if request.form() == TargetForm::Authority => ResponseTo::Connect,
            _ => ResponseTo::Other,
        }
    }
}

/// What httparse's error means.
fn refusal(error: httparse::Error) -> Error {
    match error {
        httparse::Error::HeaderName | httparse::Error::HeaderValue => Error::Field,
        httparse::Error::TooManyHeaders => Error::TooManyFields,
        httparse::Error::Version => Error::Version,
        httparse::Error::NewLine | httparse::Error::Status | httparse::Error::Token => {
            Error::StartLine
        }
    }
}

#[cfg(test)]
mod tests;
