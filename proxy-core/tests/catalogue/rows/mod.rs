//! The rows: bytes that are sent, and what must come of them. Plain data, which knows nothing of
//! the library: the comparison with other proxies reads the same rows.
//!
//! `{origin}` stands for the address of the origin, `PROXY` for the name of the proxy in `Via`.
//! Each row says which RFC section decides it, and whose tests or which published fault (CVE)
//! the case is known from.

// Each of the programs that include this uses a part of it.
#![allow(dead_code)]

mod chunk_data;
mod chunk_extensions;
mod chunk_sizes;
mod connection;
mod content_length;
mod field_syntax;
mod host;
mod methods;
mod pipelining;
mod request_line;
mod response_chunks;
mod response_early;
mod response_fields;
mod response_framing;
mod response_interim;
mod response_more;
mod response_status;
mod table;
mod target;
mod trailers;
mod transfer_encoding;
mod upgrade;

/// What a client sends, and what must come of it.
#[derive(Clone, Debug)]
pub struct RequestRow {
    /// The class it belongs to.
    pub class: &'static str,
    /// What is special about it.
    pub name: String,
    /// What decides it, and where it is known from.
    pub source: &'static str,
    /// The bytes.
    pub sent: Vec<u8>,
    /// Whether the client ends its side of the connection behind them.
    pub ends: bool,
    /// What must come of it.
    pub outcome: Outcome,
}

/// What must come of what a client sends.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What the origin gets.
    pub origin: Reached,
    /// The statuses of the answers, in order.
    pub answers: Vec<u16>,
    /// The word for it in the last answer, if the proxy gave that.
    pub reason: Option<&'static str>,
    /// What becomes of the client's connection.
    pub after: After,
}

/// What gets to the far end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// Not a byte.
    Nothing,
    /// Perhaps a beginning, which never looks like a whole message: the fault is in the body.
    Unfinished,
    /// Exactly this.
    Exactly(Vec<u8>),
}

/// What becomes of the client's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It is open for the next request.
    Open,
    /// The same, unless something has come behind this one that cannot be a request.
    OpenIfAlone,
    /// It is closed.
    Closed,
    /// It has become a tunnel.
    Tunnel,
}

/// What an origin sends, and what must come of it.
#[derive(Clone, Debug)]
pub struct ResponseRow {
    /// The class it belongs to.
    pub class: &'static str,
    /// What is special about it.
    pub name: String,
    /// What decides it, and where it is known from.
    pub source: &'static str,
    /// What the client has asked.
    pub request: Vec<u8>,
    /// The bytes.
    pub sent: Vec<u8>,
    /// What the origin does behind them.
    pub then: Then,
    /// What the client gets.
    pub received: Received,
}

/// What an origin does behind a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// It waits for the next request.
    Stays,
    /// It closes the connection.
    Ends,
    /// It has answered as soon as it had the head of the request, and waits.
    Early,
    /// Once the client has its answer, it sends this, which nobody has asked for.
    Adds(&'static [u8]),
}

/// What a client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// An answer of the proxy itself, with this status and reason.
    Refused(u16, &'static str),
    /// Exactly this, and then the connection is as it says.
    Relayed(Vec<u8>, End),
    /// The fault is in the body. If it shows before anything has been sent, an answer with 502
    /// and this reason; else this much at most, which is not whole, and the end.
    Spoilt(Vec<u8>, &'static str),
}

/// What becomes of the connections behind a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Both are used again.
    Kept,
    /// The client's is used again, the origin's is not.
    Dropped,
    /// The client's is closed.
    Closed,
}

/// All rows of requests.
pub fn requests() -> Vec<RequestRow> {
    [
        request_line::rows(),
        methods::rows(),
        target::rows(),
        host::rows(),
        field_syntax::rows(),
        content_length::rows(),
        transfer_encoding::rows(),
        chunk_sizes::rows(),
        chunk_extensions::rows(),
        chunk_data::rows(),
        trailers::rows(),
        connection::rows(),
        upgrade::rows(),
        pipelining::rows(),
    ]
    .concat()
}

/// All rows of responses.
pub fn responses() -> Vec<ResponseRow> {
    [
        response_status::rows(),
        response_fields::rows(),
        response_framing::rows(),
        response_chunks::rows(),
        response_interim::rows(),
        response_more::rows(),
        response_early::rows(),
    ]
    .concat()
}
