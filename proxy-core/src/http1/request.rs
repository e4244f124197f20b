//! [`RequestHead`]: a request line and its fields, understood.

use super::auth_scheme::binds_connection;
use super::authority::HostPort;
use super::field::{Field, FieldKind};
use super::fields::{ConnectionOptions, FIELDS, Fields, Room, Span};
use super::framing::{Framing, Repeats};
use super::target::{Path, Target};
use super::{BodyLength, Error, TargetForm, Version, list, scan, via};
use crate::limits::Limits;

/// The longest method. The longest that is registered has 17 letters, and what is much longer
/// is no method but somebody's probe (RFC 9110 §16.1.1).
const METHOD_BYTES: usize = 32;

/// Methods on which framing depends: whether a response has a body, whether a tunnel begins,
/// whether a body may follow.
const FRAMING_METHODS: [&str; 3] = ["HEAD", "CONNECT", "TRACE"];

/// The head of a request. One value serves many requests, one after another: it keeps its
/// memory.
#[derive(Clone, Debug, Default)]
pub struct RequestHead {
    pub(super) fields: Fields,
    pub(super) method: Span,
    pub(super) target: Span,
    pub(super) form: TargetForm,
    pub(super) version: Version,
    pub(super) scheme: Option<Span>,
    pub(super) authority: Span,
    pub(super) host: Span,
    pub(super) port: Option<u16>,
    pub(super) path: Span,
    pub(super) length: BodyLength,
    pub(super) connection: ConnectionOptions,
    pub(super) max_forwards: Option<u64>,
    pub(super) binds_connection: bool,
}

impl RequestHead {
    /// No request yet.
    pub fn new() -> RequestHead {
        RequestHead::default()
    }

    /// Reads a whole head, as a [`HeadScanner`](super::HeadScanner) found its end, in place of
    /// the one before. After an error there is none.
    ///
    /// # Errors
    ///
    /// All that is malformed, ambiguous or over a limit: see [the module](super).
    pub fn parse(&mut self, head: &[u8], limits: &Limits) -> Result<(), Error> {
        self.clear();
        let result = match self.read(head, limits) {
            Ok(length) if length < head.len() => Err(Error::Field),
            other => other.map(|_| ()),
        };
        if result.is_err() {
            self.clear();
        }
        result
    }

    /// Reads the head that `input` begins with, if all of it is there and nothing is wrong with
    /// it, and says where it ends. `None` is no verdict: then the end is to be looked for with a
    /// [`HeadScanner`](super::HeadScanner), and what is found [parsed](Self::parse). The outcome is
    /// the same; but nearly every head comes whole and well-formed, and need not be looked at
    /// twice.
    pub fn parse_whole(&mut self, input: &[u8], limits: &Limits) -> Option<usize> {
        self.clear();
        let length = self.read(input, limits);
        if length.is_err() {
            self.clear();
        }
        length.ok()
    }

    fn clear(&mut self) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        *self = RequestHead { fields, ..RequestHead::default() };
    }

    /// Gives back memory, if an unusually large head has made it grow. Forgets that head.
    pub fn shrink(&mut self) {
        self.clear();
        self.fields.shrink();
    }

    /// Reads the head that `input` begins with, and says where it ends.
    fn read(&mut self, input: &[u8], limits: &Limits) -> Result<usize, Error> {
        // httparse skips empty lines in front of a request, also those of a bare LF.
        if matches!(input, [b'\r' | b'\n', ..]) {
            return Err(Error::StartLine);
        }
        let mut room: Room<'_> = [const { std::mem::MaybeUninit::uninit() }; FIELDS];
        let mut parsed = httparse::Request::new(&mut []);
        let length = match parsed.parse_with_uninit_headers(input, &mut room) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Err(Error::Truncated),
            Err(error) => return Err(refusal(error, input)),
        };
        if length > scan::head_bytes(limits) {
            return Err(Error::HeadTooLarge);
        }
        let head = &input[..length];
        let (Some(method), Some(target), Some(minor)) =
            (parsed.method, parsed.path, parsed.version)
        else {
            return Err(Error::Truncated);
        };
        if parsed.headers.len() > limits.fields {
            return Err(Error::TooManyFields);
        }
        if !is_method(method) {
            return Err(Error::StartLine);
        }
        if target.len() > limits.target_bytes {
            return Err(Error::TargetTooLong);
        }
        let target_start = method.len() + 1;
        let target_end = target_start + target.len();
        // The rest of the line is " HTTP/1.x", and httparse takes a bare LF for its end.
        let line_end = target_end + 9;
        if !head[line_end..].starts_with(b"\r\n") {
            return Err(Error::StartLine);
        }
        self.method = Span::new(0, method.len());
        self.target = Span::new(target_start, target_end);
        self.version = Version::from_minor(minor);
        self.fields.read(head, line_end + 2, parsed.headers)?;
        self.connection = self.fields.connection()?;
        self.read_target(method, target)?;
        self.read_fields(method)?;
        Ok(length)
    }

    /// Settles where the request is for: RFC 9112 §3.2 and §3.3.
    fn read_target(&mut self, method: &str, target: &str) -> Result<(), Error> {
        let parsed = Target::parse(method, target)?;
        let at = method.len() + 1;
        let end = at + target.len();
        self.form = parsed.form;
        self.scheme = parsed.scheme_len.map(|len| Span::new(at, at + len));
        self.path = match parsed.path {
            Path::From(start) => Span::new(at + start, end),
            Path::SlashThenFrom(start) => self.fields.add(b"/", Span::new(at + start, end)),
            Path::Asterisk => self.fields.add(b"*", Span::default()),
            Path::None => Span::default(),
        };

        // §3.2: Host must be there once in 1.1 and must be valid, whatever the target says.
        let mut hosts = self.fields.lines().iter().filter(|line| line.kind == FieldKind::Host);
        let from_field = match (hosts.next(), hosts.next(), self.version) {
            (Some(host), None, _) => {
                let value = self.fields.value(host);
                let checked = HostPort::parse(value).ok_or(Error::Host)?;
                Some((self.fields.value_span(host), value.len(), checked))
            }
            (None, _, Version::Http10) => None,
            _ => return Err(Error::Host),
        };
        // §3.2.2: and is ignored if the target has an authority of its own.
        let (start, len, checked) = match (parsed.authority, from_field) {
            (Some((start, checked)), _) => {
                let len = checked.host_len + checked.port.map_or(0, port_len);
                (at + start, len, checked)
            }
            (None, Some((span, len, checked))) => (span.start(), len, checked),
            (None, None) => return Ok(()),
        };
        self.authority = Span::new(start, start + len);
        self.host = Span::new(start, start + checked.host_len);
        self.port = checked.port;
        Ok(())
    }

    /// Settles what the fields say about the body and about hops.
    fn read_fields(&mut self, method: &str) -> Result<(), Error> {
        let counts_hops = matches!(method, "TRACE" | "OPTIONS");
        let mut framing = Framing::default();
        for line in self.fields.lines() {
            let value = self.fields.value(line);
            match line.kind {
                FieldKind::Other => {}
                FieldKind::Authorization => self.binds_connection |= binds_connection(value),
                // RFC 9110 §10.1.1 allows 417 for any other member. One that is written oddly is
                // met by one recipient and not by the next, which then wait for each other, or
                // take a body for a request.
                FieldKind::Expect if self.version == Version::Http11 => {
                    if list::members(value).any(|member| !is_continue(member)) {
                        return Err(Error::Expectation);
                    }
                }
                // RFC 9110 §7.6.2: for these two methods only. A number that is none would leave
                // a TRACE going round for ever.
                FieldKind::MaxForwards if counts_hops => {
                    let hops = list::decimal(value).ok_or(Error::Field)?;
                    if self.max_forwards.replace(hops).is_some() {
                        return Err(Error::Field);
                    }
                }
                kind => framing.note(kind, value, Repeats::Refuse)?,
            }
        }
        self.length = framing.of_request(method, self.version)?;
        Ok(())
    }

    /// The method, in the case it was sent in: methods are case-sensitive (RFC 9110 §9.1).
    pub fn method(&self) -> &str {
        self.fields.text(self.method)
    }

    /// The same as bytes, without another look at whether they are text.
    pub(crate) fn method_bytes(&self) -> &[u8] {
        self.fields.bytes(self.method)
    }

    /// The request target as it was received.
    pub fn target(&self) -> &str {
        self.fields.text(self.target)
    }

    /// The form of the target.
    pub fn form(&self) -> TargetForm {
        self.form
    }

    /// The scheme of an absolute-form target, in the case it was sent in.
    pub fn scheme(&self) -> Option<&str> {
        self.scheme.map(|scheme| self.fields.text(scheme))
    }

    /// The host the request is for: from the target if it has one, else from `Host`. IPv6 with
    /// its brackets. Empty for an HTTP/1.0 request that has neither.
    pub fn host(&self) -> &str {
        self.fields.text(self.host)
    }

    /// The port that stands beside [`host`](Self::host), if one does. Not 0.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// `host[:port]`, as it is sent on in `Host`.
    pub fn authority(&self) -> &str {
        self.fields.text(self.authority)
    }

    /// Path and query, as they are sent on: in the bytes they came in, but `/` where an
    /// absolute-form target has no path; `*` for the asterisk-form and for an `OPTIONS` of a
    /// whole server in absolute-form (RFC 9112 §3.2.4). Empty for the authority-form.
    pub fn path(&self) -> &str {
        self.fields.text(self.path)
    }

    /// The version of the request line.
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

    /// The length of the body: never [`BodyLength::UntilClose`].
    pub fn body_length(&self) -> BodyLength {
        self.length
    }

    /// Whether the client means to send more requests on this connection (RFC 9112 §9.3). An
    /// HTTP/1.0 client is never believed: what it sends as `Connection: keep-alive` may have
    /// been passed on blindly by a proxy between (RFC 9112 §9.3, C.2.2).
    pub fn wants_persistence(&self) -> bool {
        self.version == Version::Http11 && !self.connection.close
    }

    /// Whether the client may be waiting for a `100` before it sends the body (RFC 9110
    /// §10.1.1). Nothing is to be waited for where there is no body, and a 1.0 client cannot.
    pub fn expects_continue(&self) -> bool {
        self.version == Version::Http11
            && self.has_content()
            && self.fields.values(FieldKind::Expect).flat_map(list::members).any(is_continue)
    }

    pub(super) fn has_content(&self) -> bool {
        !matches!(self.length, BodyLength::None | BodyLength::Exact(0))
    }

    /// Whether the client asks to switch to WebSocket (RFC 6455 §4.1). No other upgrade is
    /// passed on: an `h2c` one would smuggle requests past the rules here (RFC 9110 §7.8 lets
    /// a server ignore any). Nor is one with a body, which would be read by two protocols.
    pub fn asks_websocket(&self) -> bool {
        self.connection.upgrade
            && self.version == Version::Http11
            && self.method() == "GET"
            && !self.has_content()
            && self.fields.upgrade_to_websocket()
    }

    /// Whether it authenticates the connection it is sent on, by NTLM or Negotiate (RFC 4559
    /// §6): whoever sends on that connection is taken for this client from then on.
    pub fn binds_connection(&self) -> bool {
        self.binds_connection
    }

    /// How often this request may still be passed on. Only `TRACE` and `OPTIONS` count (RFC
    /// 9110 §7.6.2). At 0 it must be answered here.
    pub fn max_forwards(&self) -> Option<u64> {
        self.max_forwards
    }

    /// Whether a proxy of this name has passed the request on before (RFC 9110 §7.6.3).
    pub fn via_contains(&self, pseudonym: &str) -> bool {
        self.fields.values(FieldKind::Via).any(|value| via::names(value, pseudonym))
    }

    /// Whether doing it twice is the same as doing it once (RFC 9110 §9.2.2). Of unknown
    /// methods it is not assumed.
    pub fn is_idempotent(&self) -> bool {
        let method = self.fields.bytes(self.method);
        matches!(method, b"GET" | b"HEAD" | b"PUT" | b"DELETE" | b"OPTIONS" | b"TRACE")
    }
}

/// Whether a token is taken for a method. All are, in the case they come in (RFC 9110 §9.1), but
/// for other spellings of those on which framing depends: a recipient that does not heed case
/// would end the message elsewhere.
fn is_method(method: &str) -> bool {
    let is_misspelled = |known: &&str| method.eq_ignore_ascii_case(known) && method != *known;
    method.len() <= METHOD_BYTES && !FRAMING_METHODS.iter().any(is_misspelled)
}

fn is_continue(expectation: &[u8]) -> bool {
    expectation.eq_ignore_ascii_case(b"100-continue")
}

/// The bytes of `:port`.
fn port_len(port: u16) -> usize {
    2 + port.checked_ilog10().unwrap_or_default() as usize
}

/// What httparse's error means. Only for a wrong version does it need another look: httparse
/// says so of anything that stands where one should.
fn refusal(error: httparse::Error, head: &[u8]) -> Error {
    match error {
        httparse::Error::HeaderName | httparse::Error::HeaderValue => Error::Field,
        httparse::Error::TooManyHeaders => Error::TooManyFields,
        httparse::Error::Version if has_other_version(head) => Error::Version,
        httparse::Error::Version
        | httparse::Error::NewLine
        | httparse::Error::Status
        | httparse::Error::Token => Error::StartLine,
    }
}

/// Whether the request line is well-formed but for a version not spoken here.
fn has_other_version(head: &[u8]) -> bool {
    let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|&byte| byte == b' ');
    let version = words.nth(2).unwrap_or_default();
    words.next().is_none()
        && matches!(version, [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'])
}

#[cfg(test)]
mod tests;
