//! [`Reason`]: the one vocabulary for everything that ends other than plainly.
//!
//! The same word stands in the access log, in the error response and in the debug log, so
//! that "why did it fail?" has one answer wherever it is asked. Each reason knows the status
//! the client is told and the side that can mend it.

use std::fmt;

/// The side on which a failure lies: who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Side {
    /// The client sent something wrong, or went away.
    Client,
    /// The upstream, or the way to it, failed.
    Upstream,
    /// The proxy decided so, or ran out of something.
    Proxy,
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $status:literal, $side:ident, $text:literal;)+) => {
        /// Why an exchange, a tunnel or a connection ended other than plainly.
        ///
        /// Codes are stable: a code never changes its meaning, new ones may be added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Reason {
            /// Every reason there is, in the order of this table.
            pub const ALL: &[Reason] = &[$(Reason::$name,)+];

            /// The stable word for it, in `snake_case`: what logs and metrics show.
            pub const fn code(self) -> &'static str {
                match self { $(Reason::$name => $code,)+ }
            }

            /// The status code a client is told, if it can still be told one.
            pub const fn status(self) -> u16 {
                match self { $(Reason::$name => $status,)+ }
            }

            /// Who can mend it.
            pub const fn side(self) -> Side {
                match self { $(Reason::$name => Side::$side,)+ }
            }

            /// One sentence for people: what happened and what to do about it.
            pub const fn explanation(self) -> &'static str {
                match self { $(Reason::$name => $text,)+ }
            }
        }
    };
}

reasons! {
    /// The request line is not `method SP target SP version` (RFC 9112 §3).
    BadRequestLine = "bad_request_line", 400, Client,
        "The request line could not be understood.";
    /// A header field breaks the grammar: a bare CR or LF, folding, a control byte, a space
    /// before the colon (RFC 9112 §2.2, §5).
    BadRequestField = "bad_request_field", 400, Client,
        "A header field of the request is malformed.";
    /// The request target is not one this proxy accepts (RFC 9112 §3.2).
    BadTarget = "bad_target", 400, Client,
        "The request target is malformed.";
    /// `Host` is missing, repeated, or not a host (RFC 9112 §3.2).
    BadHost = "bad_host", 400, Client,
        "The Host field is missing, repeated or malformed.";
    /// The length of the request body is ambiguous or malformed (RFC 9112 §6.3).
    BadRequestLength = "bad_request_length", 400, Client,
        "The length of the request body is ambiguous or malformed.";
    /// A transfer coding other than `chunked` (RFC 9112 §6.1).
    UnknownTransferCoding = "unknown_transfer_coding", 501, Client,
        "The request uses a transfer coding other than chunked.";
    /// Chunk sizes, chunk ends or trailers of the request are malformed (RFC 9112 §7.1).
    BadRequestBody = "bad_request_body", 400, Client,
        "The chunked body of the request is malformed.";
    /// A protocol version other than HTTP/1.0 and HTTP/1.1.
    UnsupportedVersion = "unsupported_version", 505, Client,
        "This port speaks HTTP/1.1 and HTTP/1.0 only.";
    /// The head of the request is longer than [`Limits::head_bytes`](crate::Limits).
    RequestHeadTooLarge = "request_head_too_large", 431, Client,
        "The head of the request is too large.";
    /// The request has more fields than [`Limits::fields`](crate::Limits).
    TooManyRequestFields = "too_many_request_fields", 431, Client,
        "The request has too many header fields.";
    /// The request target is longer than [`Limits::target_bytes`](crate::Limits).
    TargetTooLong = "target_too_long", 414, Client,
        "The request target is too long.";
    /// An origin-form request reached a forward proxy.
    NotAProxyRequest = "not_a_proxy_request", 400, Client,
        "This is a forward proxy, not a web server: name it as the proxy of your client, \
         for example `curl -x http://ADDRESS:PORT http://example.com/`.";
    /// An absolute-form target with a scheme other than `http`.
    UnsupportedScheme = "unsupported_scheme", 400, Client,
        "Only http:// targets can be forwarded as they are: use CONNECT for https://, \
         as clients do that have this proxy set as their HTTPS proxy.";
    /// A TLS handshake on a port that speaks plain HTTP.
    TlsToPlainPort = "tls_to_plain_port", 400, Client,
        "This port speaks plain HTTP and was sent a TLS handshake: name the proxy with \
         http://, also for https:// targets.";
    /// An HTTP/2 connection preface.
    Http2ToPlainPort = "http2_to_plain_port", 505, Client,
        "This port speaks HTTP/1.1 and was sent an HTTP/2 preface.";
    /// `CONNECT` where a fixed upstream is served.
    ConnectNotAllowed = "connect_not_allowed", 501, Client,
        "This server fronts a fixed upstream and opens no tunnels.";
    /// The client went away, or reset the connection, before the exchange was over.
    ClientClosed = "client_closed", 499, Client,
        "The client closed the connection before the exchange was over.";
    /// The connection ended in the middle of a request.
    RequestIncomplete = "request_incomplete", 400, Client,
        "The connection ended in the middle of the request.";
    /// The head of a request was not complete in time.
    RequestHeadTimeout = "request_head_timeout", 408, Client,
        "The head of the request did not arrive in time.";
    /// The body of a request stalled.
    RequestBodyTimeout = "request_body_timeout", 408, Client,
        "The body of the request stalled.";
    /// The client stopped reading its response.
    ClientWriteTimeout = "client_write_timeout", 408, Client,
        "The client stopped reading the response.";

    /// The name of the upstream could not be resolved.
    DnsFailed = "dns_failed", 502, Upstream,
        "The name of the upstream could not be resolved.";
    /// The name of the upstream was not resolved in time.
    DnsTimeout = "dns_timeout", 504, Upstream,
        "The name of the upstream was not resolved in time.";
    /// The upstream refused the connection.
    ConnectRefused = "connect_refused", 502, Upstream,
        "The upstream refused the connection.";
    /// The upstream could not be reached.
    ConnectFailed = "connect_failed", 502, Upstream,
        "The upstream could not be reached.";
    /// The upstream did not answer the connection attempt in time.
    ConnectTimeout = "connect_timeout", 504, Upstream,
        "The upstream did not answer the connection attempt in time.";
    /// The upstream closed the connection before its response head was complete.
    UpstreamClosed = "upstream_closed", 502, Upstream,
        "The upstream closed the connection before it had answered.";
    /// The upstream closed the connection in the middle of its response body.
    UpstreamClosedEarly = "upstream_closed_early", 502, Upstream,
        "The upstream closed the connection in the middle of its response.";
    /// The head of the response is malformed.
    BadResponse = "bad_response", 502, Upstream,
        "The response of the upstream is malformed.";
    /// The length of the response is ambiguous or malformed (RFC 9112 §6.3).
    BadResponseLength = "bad_response_length", 502, Upstream,
        "The length of the upstream's response is ambiguous or malformed.";
    /// Chunk sizes, chunk ends or trailers of the response are malformed.
    BadResponseBody = "bad_response_body", 502, Upstream,
        "The chunked body of the upstream's response is malformed.";
    /// The head of the response is over a limit.
    ResponseHeadTooLarge = "response_head_too_large", 502, Upstream,
        "The head of the upstream's response is too large.";
    /// More interim (1xx) responses than [`Limits::interim_responses`](crate::Limits).
    TooManyInterim = "too_many_interim", 502, Upstream,
        "The upstream sent too many interim responses.";
    /// A `101` that nobody asked for, or to another protocol than was asked for.
    UnexpectedUpgrade = "unexpected_upgrade", 502, Upstream,
        "The upstream switched to a protocol that was not asked for.";
    /// The upstream did not begin to answer in time.
    ResponseHeadTimeout = "response_head_timeout", 504, Upstream,
        "The upstream did not answer in time.";
    /// The response stalled.
    ResponseBodyTimeout = "response_body_timeout", 504, Upstream,
        "The upstream stopped sending its response.";
    /// The upstream stopped reading the request.
    UpstreamWriteTimeout = "upstream_write_timeout", 504, Upstream,
        "The upstream stopped reading the request.";
    /// The upstream reset a tunnel.
    TunnelReset = "tunnel_reset", 502, Upstream,
        "One end reset the tunnel.";

    /// The handler refused the request.
    Denied = "denied", 403, Proxy,
        "The request is not allowed here.";
    /// The handler asked for the connection to be closed without an answer.
    ClosedByHandler = "closed_by_handler", 444, Proxy,
        "The connection was closed without an answer.";
    /// The handler failed: it panicked, or a deferred decision was dropped.
    HandlerFailed = "handler_failed", 500, Proxy,
        "The proxy could not decide about the request.";
    /// The connector failed: it panicked.
    ConnectorFailed = "connector_failed", 500, Proxy,
        "The proxy could not plan a connection.";
    /// The request came back to the proxy that had forwarded it.
    LoopDetected = "loop_detected", 508, Proxy,
        "The request came back to this proxy: it would go round for ever.";
    /// The worker pool's queue is full.
    WorkersBusy = "workers_busy", 503, Proxy,
        "The proxy is busy: its queue for this kind of work is full.";
    /// No more descriptors, ports or memory for another connection.
    OutOfDescriptors = "out_of_descriptors", 503, Proxy,
        "The proxy has run out of descriptors for another connection.";
    /// A tunnel was idle too long.
    TunnelIdle = "tunnel_idle", 504, Proxy,
        "The tunnel was idle for too long.";
    /// The proxy was shut down and the time to drain was over.
    ShutDown = "shut_down", 503, Proxy,
        "The proxy is shutting down.";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_distinct_snake_case_words() {
        let mut seen = HashSet::new();
        for reason in Reason::ALL {
            let code = reason.code();
            assert!(seen.insert(code), "{code} stands twice");
            assert!(
                code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            );
        }
    }

    #[test]
    fn statuses_are_errors_and_explanations_are_sentences() {
        for reason in Reason::ALL {
            assert!((400..600).contains(&reason.status()), "{reason}");
            assert!(
                reason.explanation().ends_with(['.', '/']) || reason.explanation().ends_with("`.")
            );
        }
    }
}
