//! What canonical HTTP/1.1 looks like: a judge of what leaves the proxy, on either side.
//!
//! It reads the bytes a far end got, from first to last, and knows one way to write each thing
//! (RFC 9112, and the stricter rules of `docs/http.md`). Whatever is written in another way is a
//! [`Problem`], even where the RFC would allow it: what can be written in two ways can be read
//! in two ways. It shares no code with the proxy and none with its parser, and it is written to
//! be read, not to be fast: a test is worth no more than its judge.
//!
//! Bytes that stop in the middle of a message are no problem, if they are well-formed up to
//! there; [`Ending::Cut`] says so. A caller that knows how the connection ended decides whether
//! that is what its peer would notice, too.
#![allow(dead_code)] // each test that includes it uses its part of it

use std::borrow::Cow;
use std::collections::HashSet;

/// Messages, and how the bytes end behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The messages that are complete. Interim responses are among them.
    pub messages: Vec<Message>,
    pub ending: Ending,
}

/// Where the bytes stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Behind a message, or before the first.
    Whole,
    /// In the body of the last of the messages, which goes on until the connection ends. It is
    /// whole only if the connection ended in order.
    UntilClose,
    /// In a message that begins at this offset: nobody would take it for a whole one.
    Cut(usize),
    /// Not in HTTP any more: from this offset on, the connection is a tunnel.
    Tunnel(usize),
}

/// A message in canonical form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The start line, without its line end.
    pub start: String,
    /// Names as they are written, values without the space before them.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The content, without its coding.
    pub body: Vec<u8>,
    pub trailers: Vec<(String, Vec<u8>)>,
}

/// Why bytes are not canonical.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub at: usize,
    pub what: String,
}

/// What a request for an upgrade to WebSocket leads to; the upstream's answer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// The connection goes on with requests.
    Refused,
    /// The connection is a tunnel from there on.
    Granted,
}

/// Reads what an upstream got.
pub fn requests(bytes: &[u8], upgrade: Upgrade) -> Result<Reading, Problem> {
    let mut reader = Reader { bytes, at: 0 };
    reader.all(|reader| {
        let message = reader.request()?;
        let is_tunnel = message.value("Upgrade").is_some() && upgrade == Upgrade::Granted;
        Ok((message, if is_tunnel { After::Tunnel } else { After::Next }))
    })
}

/// Reads what a client got that has sent requests with these methods, an empty one for a
/// request that was none.
pub fn responses(bytes: &[u8], methods: &[&str]) -> Result<Reading, Problem> {
    let mut reader = Reader { bytes, at: 0 };
    let mut methods = methods.iter();
    reader.all(|reader| {
        let method = methods.clone().next();
        let (message, after) = reader.response(method.copied())?;
        if !message.is_interim() {
            methods.next();
        }
        Ok((message, after))
    })
}

impl Message {
    /// The value of the first field of this name.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        let found = self.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_slice())
    }

    /// The method of a request.
    pub fn method(&self) -> &str {
        self.start.split(' ').next().unwrap_or_default()
    }

    /// The status of a response.
    pub fn status(&self) -> u16 {
        self.start.get(9..12).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// Whether another response to the same request follows (RFC 9110 §15.2).
    pub fn is_interim(&self) -> bool {
        self.start.starts_with("HTTP/1.1 1") && self.status() != 101
    }
}

/// What comes behind a message.
enum After {
    Next,
    Tunnel,
    /// Nothing: it has gone on to the end of the bytes.
    End,
}

/// Why reading stops.
enum Stop {
    /// The bytes are used up.
    Cut,
    Problem(Problem),
}

/// How the length of a body is told (RFC 9112 §6.3).
enum Length {
    None,
    Exact(usize),
    Chunked,
    UntilClose,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// These end at each hop (RFC 9110 §7.6.1, §11.7), are `Content-Length` and `Transfer-Encoding` to
/// those that do not tell `_` from `-`, or a setting to those of the CGI kind (CVE-2016-5385).
const NEVER: [&str; 10] = [
    "Proxy",
    "Keep-Alive",
    "TE",
    "Proxy-Connection",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Authentication-Info",
    "HTTP2-Settings",
    "Content_Length",
    "Transfer_Encoding",
];

/// These frame, route or authenticate a message: too late behind it (RFC 9110 §6.5.1).
const NEVER_IN_TRAILERS: [&str; 20] = [
    "Content-Length",
    "Transfer-Encoding",
    "Trailer",
    "Connection",
    "Upgrade",
    "Host",
    "Max-Forwards",
    "Expect",
    "Via",
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "Authorization",
    "WWW-Authenticate",
    "Authentication-Info",
    "Cookie",
    "Set-Cookie",
    "Content-Type",
];

impl<'a> Reader<'a> {
    fn all(
        &mut self,
        mut message: impl FnMut(&mut Reader<'a>) -> Result<(Message, After), Stop>,
    ) -> Result<Reading, Problem> {
        let mut messages = Vec::new();
        while self.at < self.bytes.len() {
            let began = self.at;
            let ending = match message(self) {
                Ok((message, after)) => {
                    messages.push(message);
                    match after {
                        After::Next => continue,
                        After::Tunnel => Ending::Tunnel(self.at),
                        After::End => Ending::UntilClose,
                    }
                }
                Err(Stop::Cut) => Ending::Cut(began),
                Err(Stop::Problem(problem)) => return Err(problem),
            };
            return Ok(Reading { messages, ending });
        }
        Ok(Reading { messages, ending: Ending::Whole })
    }

    fn request(&mut self) -> Result<Message, Stop> {
        let began = self.at;
        let start = self.line()?;
        let (method, target) = match start.split(' ').collect::<Vec<_>>()[..] {
            [method, target, "HTTP/1.1"] => (method, target),
            _ => return problem(began, "a request line is: method, target, HTTP/1.1"),
        };
        if !is_token(method) || method == "CONNECT" {
            return problem(began, "no method that is sent to an origin");
        }
        let takes_asterisk = target == "*" && method == "OPTIONS";
        let is_visible = target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if !(takes_asterisk || target.starts_with('/') && is_visible) {
            return problem(began, "the target is neither a path nor the asterisk of OPTIONS");
        }
        let fields_begin = self.at;
        let fields = self.fields()?;
        let hosts = fields.iter().filter(|(name, _)| is(name, "Host")).count();
        match fields.first() {
            Some((name, host)) if is(name, "Host") && is_host(host) && hosts == 1 => {}
            _ => return problem(fields_begin, "there is not one Host, as the first field"),
        }
        let mut message = Message { start: start.to_string(), fields, ..Message::default() };
        let length = message.length(fields_begin, Length::None)?;
        message.hop_by_hop(fields_begin)?;
        if let Some(protocol) = message.value("Upgrade") {
            let plain = matches!(length, Length::None | Length::Exact(0)) && method == "GET";
            if protocol != b"websocket" || !plain {
                return problem(fields_begin, "an upgrade other than to WebSocket by GET");
            }
        }
        self.body(&mut message, length)?;
        Ok(message)
    }

    fn response(&mut self, method: Option<&str>) -> Result<(Message, After), Stop> {
        let began = self.at;
        let start = self.line()?;
        let mut message = Message { start: start.to_string(), ..Message::default() };
        let bytes = start.as_bytes();
        let has_code = bytes.len() >= 13 && bytes[9..12].iter().all(u8::is_ascii_digit);
        if !(start.starts_with("HTTP/1.1 ") && has_code && bytes[12] == b' ')
            || message.status() < 100
        {
            return problem(began, "a status line is: HTTP/1.1, three digits, a phrase");
        }
        let Some(method) = method else {
            return problem(began, "a response that nobody has asked for");
        };
        let fields_begin = self.at;
        message.fields = self.fields()?;
        let status = message.status();
        let is_tunnel = status == 101 || method == "CONNECT" && (200..300).contains(&status);
        let told = message.length(fields_begin, Length::UntilClose)?;
        message.hop_by_hop(fields_begin)?;
        if message.value("Upgrade").is_some() != (status == 101) {
            return problem(fields_begin, "101 and Upgrade go together");
        }
        let has_none = is_tunnel || status < 200 || status == 204;
        if has_none && !matches!(told, Length::UntilClose) {
            return problem(fields_begin, "a length where there can be no content");
        }
        let length = match has_none || method == "HEAD" || status == 304 {
            true => Length::None,
            false => told,
        };
        let after = match length {
            _ if is_tunnel => After::Tunnel,
            Length::UntilClose => After::End,
            _ => After::Next,
        };
        if matches!(after, After::End) && message.value("Connection") != Some(b"close") {
            return problem(fields_begin, "a body until the close, and no word of a close");
        }
        self.body(&mut message, length)?;
        Ok((message, after))
    }

    fn body(&mut self, message: &mut Message, length: Length) -> Result<(), Stop> {
        match length {
            Length::None => {}
            Length::Exact(count) => message.body = self.take(count)?.to_vec(),
            Length::UntilClose => message.body = self.take(self.bytes.len() - self.at)?.to_vec(),
            Length::Chunked => {
                while let Some(size) = self.chunk_size()? {
                    message.body.extend_from_slice(self.take(size)?);
                    let at = self.at;
                    if !self.line()?.is_empty() {
                        return problem(at, "a chunk is longer than its size");
                    }
                }
                let at = self.at;
                message.trailers = self.fields()?;
                let never = NEVER.iter().chain(&NEVER_IN_TRAILERS);
                for (name, _) in &message.trailers {
                    if never.clone().any(|other| is(name, other)) {
                        return problem(at, format!("{name} in a trailer"));
                    }
                }
            }
        }
        Ok(())
    }

    /// The size of a chunk, or `None` for the last one.
    fn chunk_size(&mut self) -> Result<Option<usize>, Stop> {
        let at = self.at;
        // Digits are judged as they come: in a line that is cut, too.
        let digits = self.bytes[at..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let behind = self.bytes.get(at + digits);
        if behind.is_some_and(|&byte| byte != b'\r') || digits > 16 {
            return problem(at, "a chunk size is up to 16 hexadecimal digits, and no more");
        }
        match &*self.line()? {
            "0" => Ok(None),
            size if size.starts_with('0') || size.is_empty() => {
                problem(at, "a chunk size begins with zero, or is missing")
            }
            size => match i64::from_str_radix(size, 16) {
                Ok(size) => Ok(Some(size as usize)),
                Err(_) => problem(at, "a chunk size from 2^63"),
            },
        }
    }

    fn fields(&mut self) -> Result<Vec<(String, Vec<u8>)>, Stop> {
        let mut fields = Vec::new();
        loop {
            let at = self.at;
            let line = self.raw_line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            let Some(colon) = line.iter().position(|&byte| byte == b':') else {
                return problem(at, "a field without a colon");
            };
            let name = String::from_utf8_lossy(&line[..colon]).into_owned();
            if !is_token(&name) {
                return problem(at, format!("{name:?} is no name of a field"));
            }
            let Some(value) = line[colon + 1..].strip_prefix(b" ") else {
                return problem(at, "a colon without the space behind it");
            };
            if value.trim_ascii() != value {
                return problem(at, "white space around a value");
            }
            fields.push((name, value.to_vec()));
        }
    }

    /// A line as text: only reason phrases and values may have bytes beyond ASCII (RFC 9112 §4).
    fn line(&mut self) -> Result<Cow<'a, str>, Stop> {
        self.raw_line().map(String::from_utf8_lossy)
    }

    /// A line without its CRLF, which is the only line end there is.
    fn raw_line(&mut self) -> Result<&'a [u8], Stop> {
        let began = self.at;
        loop {
            match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
                (None, _) | (Some(b'\r'), None) => return Err(Stop::Cut),
                (Some(b'\r'), Some(b'\n')) => {
                    self.at += 2;
                    return Ok(&self.bytes[began..self.at - 2]);
                }
                (Some(&byte), _) if byte != b'\t' && byte.is_ascii_control() => {
                    return problem(self.at, format!("the byte {byte:#04x} in a line"));
                }
                _ => self.at += 1,
            }
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Stop> {
        let taken = self.bytes[self.at..].get(..count).ok_or(Stop::Cut)?;
        self.at += count;
        Ok(taken)
    }
}

impl Message {
    /// How long the body is, as the fields have it.
    fn length(&self, at: usize, otherwise: Length) -> Result<Length, Stop> {
        let values = |wanted: &str| -> Vec<&[u8]> {
            let of_name = self.fields.iter().filter(|(name, _)| is(name, wanted));
            of_name.map(|(_, value)| value.as_slice()).collect()
        };
        match (&values("Content-Length")[..], &values("Transfer-Encoding")[..]) {
            ([], []) => Ok(otherwise),
            ([], [b"chunked"]) => Ok(Length::Chunked),
            ([digits], []) => {
                let text = String::from_utf8_lossy(digits);
                match text.parse::<u64>() {
                    Ok(number) if number.to_string() == text && number < 1 << 63 => {
                        Ok(Length::Exact(number as usize))
                    }
                    _ => problem(at, format!("Content-Length: {text}")),
                }
            }
            ([], _) => problem(at, "Transfer-Encoding is not exactly chunked"),
            (_, []) => problem(at, "more than one Content-Length"),
            _ => problem(at, "Content-Length and Transfer-Encoding"),
        }
    }

    /// Checks that nothing goes on that ends at this hop.
    fn hop_by_hop(&self, at: usize) -> Result<(), Stop> {
        let mut seen = HashSet::new();
        for (name, _) in &self.fields {
            if NEVER.iter().any(|never| is(name, never)) {
                return problem(at, format!("{name} goes no further than one hop"));
            }
            let once = ["Connection", "Upgrade"].iter().any(|once| is(name, once));
            if once && !seen.insert(name.to_ascii_lowercase()) {
                return problem(at, format!("{name} twice"));
            }
        }
        match (self.value("Connection"), self.value("Upgrade")) {
            (None | Some(b"close"), None) | (Some(b"Upgrade"), Some(b"websocket")) => Ok(()),
            _ => problem(at, "Connection says something other than close or the upgrade"),
        }
    }
}

fn problem<T>(at: usize, what: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Problem(Problem { at, what: what.into() }))
}

fn is(name: &str, known: &str) -> bool {
    name.eq_ignore_ascii_case(known)
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

/// One host, perhaps with a port (RFC 9110 §7.2): no list, no userinfo, no path.
fn is_host(value: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:[]".contains(byte);
    !value.is_empty() && value.iter().all(is_part)
}
