//! HTTP/1.1 and HTTP/1.0 messages, as a proxy sees them: bytes in, decisions and counts out.
//!
//! # What is here, and what is not
//!
//! Here: where a head ends, what it means, where its body ends, whether the connection can be
//! used again, and the bytes for the next hop (RFC 9110, RFC 9112). Not here: sockets, clocks,
//! threads, buffers, policy. Nothing in this module reads, writes or waits; the caller shows it
//! bytes and is told how many of them are done with. Once a head's memory is warm, nothing
//! allocates.
//!
//! # Strict in, canonical out
//!
//! What could be read in two ways is refused, since the next hop might read it the other way;
//! what is accepted goes on in the one form that everybody reads alike.
//!
//! | received | |
//! |---|---|
//! | bare CR, bare LF, NUL, a folded line, white space before a colon | refused |
//! | more than one space in a request line; a lower-case `http/1.1` | refused |
//! | `Content-Length` with `Transfer-Encoding`; either of them twice in a request | refused |
//! | `Content-Length` that is not digits, or not below 2⁶³ | refused |
//! | equal `Content-Length`s in a response | made one |
//! | `Transfer-Encoding` other than `chunked`, or in HTTP/1.0 | refused |
//! | `Content_Length`, `Transfer_Encoding`, `Content.Length` | refused |
//! | a method of more than 32 bytes; `head`, `Connect`, `trace` | refused |
//! | `Expect` with anything but `100-continue` | refused |
//! | `Host` missing, twice, empty, a list, with userinfo or percent-encoding | refused |
//! | a target with a fragment or with bytes beyond ASCII; a form its method does not take | refused |
//! | a chunk size of more than 16 digits; a malformed chunk extension | refused |
//! | leading zeros, well-formed chunk extensions | dropped |
//! | trailer fields that frame, route or authenticate; the field `Proxy` | dropped |
//! | a status line without the space before its missing reason | mended |
//! | empty lines before a request | dropped |
//! | white space around field values | made one space |
//!
//! # One exchange
//!
//! ```text
//!  client's bytes                                                   upstream's bytes
//!        │                                                                 │
//!  skip_empty_lines, sniff                                                 │
//!        ▼                                                                 ▼
//!  HeadScanner::scan ◀─┐ more bytes                       more bytes ┌▶ HeadScanner::scan ◀─┐
//!        │ Some(n)  └──┘                                             └──┘  │ Some(n)        │
//!        ▼                                                                 ▼                │
//!  RequestHead::parse ──┬─ write_upstream ──▶           ◀── write_client ─ ResponseHead::parse
//!        │              └──────── request ───────────────────────────────▶ │    is_interim ─┘
//!        ▼                                                                 ▼
//!  Body::advance ◀─┐ ─ patch, pass ─────▶               ◀─── patch, pass ─ Body::advance ◀─┐
//!        │ is_done └┘ more bytes                                           │ is_done     └─┘
//!        ▼                                                                 ▼
//!  wants_persistence: the next request                 wants_persistence: the next exchange
//!
//!  Error, anywhere: in_request() or in_response() is the Reason; the connection is over.
//! ```
//!
//! ```
//! use proxy_core::Limits;
//! use proxy_core::http1::*;
//!
//! let limits = Limits::default();
//!
//! // A client asks its proxy. The last bytes are of the next request.
//! let client = b"POST http://example.com/form HTTP/1.1\r\nHost: example.com\r\n\
//!     Proxy-Connection: keep-alive\r\nTransfer-Encoding: chunked\r\nAccept:  */*\r\n\r\n\
//!     05;name=value\r\nhello\r\n0\r\n\r\nGET";
//! let mut scanner = HeadScanner::new();
//! assert_eq!(scanner.scan(&client[..50], &limits)?, None);
//! let head = scanner.scan(client, &limits)?.unwrap();
//!
//! let mut request = RequestHead::new();
//! request.parse(&client[..head], &limits)?;
//! assert_eq!((request.method(), request.host(), request.path()), ("POST", "example.com", "/form"));
//! assert_eq!(request.body_length(), BodyLength::Chunked);
//! assert!(request.wants_persistence());
//!
//! // What goes to the upstream: the head made anew, then the body.
//! let mut out = Vec::new();
//! request.write_upstream(&mut out, &RequestRewrite { via: "proxy", host: "example.com", forwarding: None, privacy: None, edits: &FieldEdits::default() });
//! let (mut body, mut at) = (Body::new(request.body_length(), Coding::AsIs), head);
//! while !body.is_done() {
//!     let step = body.advance(&client[at..], &mut out, &limits)?;
//!     assert_ne!(step.consumed, 0, "else, more bytes would be needed");
//!     out.extend_from_slice(&client[at..][step.pass]);
//!     at += step.consumed;
//! }
//! assert_eq!(
//!     String::from_utf8_lossy(&out),
//!     "POST /form HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\
//!      Accept: */*\r\nVia: 1.1 proxy\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
//! );
//! assert_eq!(&client[at..], b"GET");
//!
//! // The upstream answers.
//! let upstream = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
//! scanner.reset();
//! let head = scanner.scan(upstream, &limits)?.unwrap();
//! let mut response = ResponseHead::new();
//! response.parse(&upstream[..head], &request, &limits)?;
//! assert_eq!((response.status(), response.body_length()), (200, BodyLength::Exact(2)));
//! assert!(!response.wants_persistence());
//!
//! // Its connection ends, the client's does not.
//! out.clear();
//! let (persistence, coding) = (Persistence::Keep, Coding::AsIs);
//! let (edits, date) = (&FieldEdits::default(), "Tue, 15 Nov 1994 08:12:31 GMT");
//! let rewrite = ResponseRewrite { via: "proxy", date, persistence, coding, edits };
//! response.write_client(&mut out, &rewrite);
//! assert_eq!(
//!     String::from_utf8_lossy(&out),
//!     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\n\
//!      Via: 1.1 proxy\r\n\r\n",
//! );
//! # Ok::<(), Error>(())
//! ```

mod accept;
mod auth_scheme;
mod authority;
mod body;
mod chunk;
mod edits;
mod error;
pub(crate) mod fault;
mod field;
mod fields;
mod forwarding;
mod framing;
mod line_writer;
mod list;
mod privacy;
mod request;
mod response;
mod rewrite;
mod scan;
mod sniff;
mod target;
mod trailer;
mod version;
mod via;

pub(crate) use accept::{MediaType, favourite};
pub(crate) use authority::HostPort;
pub use body::{Body, Coding, Step};
pub use edits::FieldEdits;
pub(crate) use edits::NO_EDITS;
pub(crate) use edits::assert_field;
pub use error::Error;
pub use field::Field;
pub use forwarding::{Claims, Forwarding, ForwardingFields};
pub use framing::BodyLength;
pub(crate) use list::is_token;
pub use privacy::{ClientHints, Privacy, Referer, Telling, UserAgent};
pub use request::RequestHead;
pub use response::ResponseHead;
pub use rewrite::{Persistence, RequestRewrite, ResponseRewrite};
pub use scan::{HeadScanner, skip_empty_lines};
pub use sniff::{Sniff, sniff};
pub use target::TargetForm;
pub use version::Version;

#[cfg(test)]
mod drip;
#[cfg(test)]
mod tests;
