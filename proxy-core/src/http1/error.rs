//! [`Error`]: what can be wrong with a message.

use crate::error::Reason;

/// Why a message is refused. Once returned, the place where the next message would begin is
/// unknown: the connection must be closed after the answer, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request line or status line breaks the grammar (RFC 9112 §3, §4).
    #[error("malformed start line")]
    StartLine,
    /// A well-formed version that is neither HTTP/1.0 nor HTTP/1.1.
    #[error("unsupported protocol version")]
    Version,
    /// The request target has none of the four forms, or not the one its method needs
    /// (RFC 9112 §3.2).
    #[error("malformed request target")]
    Target,
    /// The request target is longer than [`Limits::target_bytes`](crate::Limits).
    #[error("request target too long")]
    TargetTooLong,
    /// `Host` is missing, repeated or not a host (RFC 9112 §3.2).
    #[error("missing, repeated or malformed host")]
    Host,
    /// A field line breaks the grammar (RFC 9112 §5), or a field that is acted on has a
    /// value without a meaning.
    #[error("malformed field")]
    Field,
    /// `Expect` with anything but `100-continue` (RFC 9110 §10.1.1).
    #[error("unknown expectation")]
    Expectation,
    /// More fields than [`Limits::fields`](crate::Limits).
    #[error("too many fields")]
    TooManyFields,
    /// The head is longer than [`Limits::head_bytes`](crate::Limits).
    #[error("head too large")]
    HeadTooLarge,
    /// The length of the body is malformed, said twice, or said where there can be none
    /// (RFC 9112 §6).
    #[error("malformed or ambiguous body length")]
    Length,
    /// A well-formed transfer coding other than `chunked` (RFC 9112 §6.1).
    #[error("unknown transfer coding")]
    TransferCoding,
    /// A chunk's size line or its end is malformed (RFC 9112 §7.1).
    #[error("malformed chunk")]
    Chunk,
    /// The trailer section is malformed or too long (RFC 9112 §7.1.2).
    #[error("malformed trailer section")]
    Trailer,
    /// The bytes ended before the message did (RFC 9112 §8).
    #[error("incomplete message")]
    Truncated,
}

impl Error {
    #[cfg(test)]
    pub(crate) const ALL: [Error; 14] = [
        Error::StartLine,
        Error::Version,
        Error::Target,
        Error::TargetTooLong,
        Error::Host,
        Error::Field,
        Error::Expectation,
        Error::TooManyFields,
        Error::HeadTooLarge,
        Error::Length,
        Error::TransferCoding,
        Error::Chunk,
        Error::Trailer,
        Error::Truncated,
    ];

    /// What it means when the client sent it.
    pub const fn in_request(self) -> Reason {
        match self {
            Error::StartLine => Reason::BadRequestLine,
            Error::Version => Reason::UnsupportedVersion,
            Error::Target => Reason::BadTarget,
            Error::TargetTooLong => Reason::TargetTooLong,
            Error::Host => Reason::BadHost,
            Error::Field => Reason::BadRequestField,
            Error::Expectation => Reason::UnknownExpectation,
            Error::TooManyFields => Reason::TooManyRequestFields,
            Error::HeadTooLarge => Reason::RequestHeadTooLarge,
            Error::Length => Reason::BadRequestLength,
            Error::TransferCoding => Reason::UnknownTransferCoding,
            Error::Chunk | Error::Trailer => Reason::BadRequestBody,
            Error::Truncated => Reason::RequestIncomplete,
        }
    }

    /// What it means when the upstream sent it.
    pub const fn in_response(self) -> Reason {
        match self {
            Error::StartLine
            | Error::Version
            | Error::Target
            | Error::Host
            | Error::Field
            | Error::Expectation => Reason::BadResponse,
            Error::TargetTooLong | Error::TooManyFields | Error::HeadTooLarge => {
                Reason::ResponseHeadTooLarge
            }
            Error::Length | Error::TransferCoding => Reason::BadResponseLength,
            Error::Chunk | Error::Trailer => Reason::BadResponseBody,
            Error::Truncated => Reason::UpstreamClosedEarly,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Side;

    #[test]
    fn each_side_is_blamed_for_what_it_sent() {
        for error in Error::ALL {
            assert_eq!(error.in_request().side(), Side::Client, "{error}");
            assert!((400..=505).contains(&error.in_request().status()), "{error}");
            assert_eq!(error.in_response().side(), Side::Upstream, "{error}");
            assert_eq!(error.in_response().status(), 502, "{error}");
        }
    }
}
