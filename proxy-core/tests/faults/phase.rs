//! [`Phase`]: the moments of a connection's life at which something can go wrong.

/// Who misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Upstream,
}

impl Side {
    pub const ALL: [Side; 2] = [Side::Client, Side::Upstream];
}

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Length,
    Chunked,
    /// By the end of the connection (RFC 9112 §6.3): responses only.
    Close,
}

/// When. Heads and bodies are those of the message that the one who misbehaves has to send: a
/// client's request, an upstream's response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Connecting,
    BeforeHead,
    InHead,
    BeforeBody(Framing),
    InBody(Framing),
    AtEnd(Framing),
    Idle,
    Tunnel,
    Upgraded,
}
use Framing::{Chunked, Close, Length};

impl Phase {
    pub const ALL: [Phase; 15] = [
        Phase::Connecting,
        Phase::BeforeHead,
        Phase::InHead,
        Phase::BeforeBody(Length),
        Phase::InBody(Length),
        Phase::AtEnd(Length),
        Phase::BeforeBody(Chunked),
        Phase::InBody(Chunked),
        Phase::AtEnd(Chunked),
        Phase::BeforeBody(Close),
        Phase::InBody(Close),
        Phase::AtEnd(Close),
        Phase::Idle,
        Phase::Tunnel,
        Phase::Upgraded,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Phase::Connecting => "connecting",
            Phase::BeforeHead => "before the head",
            Phase::InHead => "in the head",
            Phase::BeforeBody(Length) => "before a body of known length",
            Phase::BeforeBody(Chunked) => "before a chunked body",
            Phase::InBody(Length) => "in a body of known length",
            Phase::InBody(Chunked) => "in a chunk",
            Phase::AtEnd(Length) => "behind a body of known length",
            Phase::AtEnd(Chunked) => "before the last chunk",
            Phase::BeforeBody(Close) => "before a body until the close",
            Phase::InBody(Close) => "in a body until the close",
            Phase::AtEnd(Close) => "before the close",
            Phase::Idle => "idle",
            Phase::Tunnel => "in a tunnel",
            Phase::Upgraded => "in a WebSocket",
        }
    }

    /// How many pieces of a message come before, and how its body ends.
    pub fn in_message(self) -> Option<(usize, Framing)> {
        match self {
            Phase::BeforeHead => Some((0, Length)),
            Phase::InHead => Some((1, Length)),
            Phase::BeforeBody(framing) => Some((2, framing)),
            Phase::InBody(framing) => Some((3, framing)),
            Phase::AtEnd(framing) => Some((4, framing)),
            Phase::Connecting | Phase::Idle | Phase::Tunnel | Phase::Upgraded => None,
        }
    }
}

/// A message of seven bytes, in the pieces between which something can go wrong. Its head, which
/// `start` begins, are the first two.
pub fn message(start: &str, framing: Framing) -> [Vec<u8>; 5] {
    let (field, first, second, last) = match framing {
        Length => ("Content-Length: 7", "hello", "!!", ""),
        Close => ("X-Close: 7", "hello", "!!", ""),
        Chunked => ("Transfer-Encoding: chunked", "7\r\nhello", "!!\r\n", "0\r\n\r\n"),
    };
    [
        format!("{start}\r\nX-A"),
        format!("ny: x\r\n{field}\r\n\r\n"),
        first.into(),
        second.into(),
        last.into(),
    ]
    .map(Vec::from)
}
