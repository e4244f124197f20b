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

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Client => "client",
            Side::Upstream => "upstream",
            Side::Proxy => "proxy",
        })
    }
}

// A line of the table: name, code, status, RFC 9209 error type and side; then what happened,
// and what the side can do about it.
macro_rules! reasons {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident = $code:literal, $status:literal, $error:ident, $side:ident,
            $text:literal, $remedy:literal;
    )+) => {
        /// Why an exchange, a tunnel or a connection ended other than plainly.
        ///
        /// Codes are stable: a code never changes its meaning, new ones may be added.
        /// `docs/reasons.md` has all of them in one table.
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

            /// The registered error type that comes nearest (RFC 9209 §2.3): `error` in a
            /// `Proxy-Status` field.
            pub const fn error_type(self) -> &'static str {
                match self { $(Reason::$name => stringify!($error),)+ }
            }

            /// Who can mend it.
            pub const fn side(self) -> Side {
                match self { $(Reason::$name => Side::$side,)+ }
            }

            /// What happened, in a sentence for people. It is shown to clients.
            pub const fn explanation(self) -> &'static str {
                match self { $(Reason::$name => $text,)+ }
            }

            /// What the [`side`](Self::side) that can mend it may do, in a sentence for people.
            pub const fn remedy(self) -> &'static str {
                match self { $(Reason::$name => $remedy,)+ }
            }
        }
    };
}

reasons! {
    /// The request line is not `method SP target SP version` (RFC 9112 §3).
    BadRequestLine = "bad_request_line", 400, http_request_error, Client,
        "The request line could not be understood.",
        "Send method, target and version with one space between them, and CR LF behind them.";
    /// A header field breaks the grammar: a bare CR or LF, folding, a control byte, a space
    /// before the colon (RFC 9112 §2.2, §5).
    BadRequestField = "bad_request_field", 400, http_request_error, Client,
        "A header field of the request is malformed.",
        "Send each field as `Name: value` on one line of its own, without control characters.";
    /// The request target is not one this proxy accepts (RFC 9112 §3.2).
    BadTarget = "bad_target", 400, http_request_error, Client,
        "The request target is malformed.",
        "Send a target that is a valid URI, without user name, password and fragment.";
    /// `Host` is missing, repeated, or not a host (RFC 9112 §3.2).
    BadHost = "bad_host", 400, http_request_error, Client,
        "The Host field is missing, repeated or malformed.",
        "Send one Host field, with the host and the port of the target.";
    /// The length of the request body is ambiguous or malformed (RFC 9112 §6.3).
    BadRequestLength = "bad_request_length", 400, http_request_error, Client,
        "The length of the request body is ambiguous or malformed.",
        "Send either one Content-Length, a decimal number, or `Transfer-Encoding: chunked`.";
    /// A transfer coding other than `chunked` (RFC 9112 §6.1).
    UnknownTransferCoding = "unknown_transfer_coding", 501, proxy_internal_response, Client,
        "The request uses a transfer coding other than chunked.",
        "Send the body with `Transfer-Encoding: chunked` alone; compress it with a \
         Content-Encoding.";
    /// `Expect` with anything but `100-continue` (RFC 9110 §10.1.1).
    UnknownExpectation = "unknown_expectation", 417, http_request_error, Client,
        "The request has an expectation other than 100-continue.",
        "Send `Expect: 100-continue` or none.";
    /// Chunk sizes, chunk ends or trailers of the request are malformed (RFC 9112 §7.1).
    BadRequestBody = "bad_request_body", 400, http_request_error, Client,
        "The chunked body of the request is malformed.",
        "Send chunks whose sizes are true, and a last chunk of size 0.";
    /// The body of the request is longer than [`Limits::request_body`](crate::Limits).
    RequestBodyTooLarge = "request_body_too_large", 413, http_request_error, Client,
        "The body of the request is too large.",
        "Send less at once; or raise the limit `request_body`.";
    /// A protocol version other than HTTP/1.0 and HTTP/1.1.
    UnsupportedVersion = "unsupported_version", 505, proxy_internal_response, Client,
        "This port speaks HTTP/1.1 and HTTP/1.0 only.",
        "Send the request as HTTP/1.1.";
    /// The head of the request is longer than [`Limits::head_bytes`](crate::Limits).
    RequestHeadTooLarge = "request_head_too_large", 431, http_request_error, Client,
        "The head of the request is too large.",
        "Send fewer or shorter fields, cookies above all; or raise the limit `head_bytes`.";
    /// The request has more fields than [`Limits::fields`](crate::Limits).
    TooManyRequestFields = "too_many_request_fields", 431, http_request_error, Client,
        "The request has too many header fields.",
        "Send fewer fields; or raise the limit `fields`.";
    /// The request target is longer than [`Limits::target_bytes`](crate::Limits).
    TargetTooLong = "target_too_long", 414, http_request_error, Client,
        "The request target is too long.",
        "Send what is long in a body; or raise the limit `target_bytes`.";
    /// An origin-form request reached a forward proxy.
    NotAProxyRequest = "not_a_proxy_request", 400, http_request_error, Client,
        "This is a forward proxy, not a web server: name it as the proxy of your client, \
         for example `curl -x http://ADDRESS:PORT http://example.com/`.",
        "Set this address as the client's HTTP proxy instead of opening it; to front a web \
         server, run the proxy with a fixed upstream.";
    /// An absolute-form target with a scheme other than `http`.
    UnsupportedScheme = "unsupported_scheme", 400, http_request_error, Client,
        "Only http:// targets can be forwarded as they are: use CONNECT for https://, \
         as clients do that have this proxy set as their HTTPS proxy.",
        "Set the proxy for https:// targets, too (`https_proxy`), so that the client uses CONNECT.";
    /// A TLS handshake on a port that speaks plain HTTP.
    TlsToPlainPort = "tls_to_plain_port", 400, http_request_error, Client,
        "This port speaks plain HTTP and was sent a TLS handshake: name the proxy with \
         http://, also for https:// targets.",
        "Write the proxy's own address with http://, as in `https_proxy=http://ADDRESS:PORT`.";
    /// An HTTP/2 connection preface.
    Http2ToPlainPort = "http2_to_plain_port", 505, proxy_internal_response, Client,
        "This port speaks HTTP/1.1 and was sent an HTTP/2 preface.",
        "Have the client speak HTTP/1.1 to the proxy.";
    /// `CONNECT` where a fixed upstream is served.
    ConnectNotAllowed = "connect_not_allowed", 501, http_request_denied, Client,
        "This server fronts a fixed upstream and opens no tunnels.",
        "Send plain requests; for tunnels use a forward proxy.";
    /// In front of a fixed upstream, a target with a scheme other than `http`: its origin is not
    /// the one served here (RFC 9110 §7.4). A forward proxy never says so (RFC 9110 §15.5.20).
    Misdirected = "misdirected", 421, http_request_error, Client,
        "This server answers for http:// targets only.",
        "Send the request to the server that has the target's scheme.";
    /// The client went away, or reset the connection, before the exchange was over.
    ClientClosed = "client_closed", 499, http_request_error, Client,
        "The client closed the connection before the exchange was over.",
        "Nothing, if the user went away; else give the client more patience.";
    /// The connection ended in the middle of a request.
    RequestIncomplete = "request_incomplete", 400, http_request_error, Client,
        "The connection ended in the middle of the request.",
        "Send the request to its end before closing the connection.";
    /// The head of a request was not complete in time.
    RequestHeadTimeout = "request_head_timeout", 408, http_request_error, Client,
        "The head of the request did not arrive in time.",
        "Send the head at once; or raise the timeout `request_head`.";
    /// The body of a request stalled.
    RequestBodyTimeout = "request_body_timeout", 408, http_request_error, Client,
        "The body of the request stalled.",
        "Send the body without long pauses; or raise the timeout `body_idle`.";
    /// The client sent its request, or read its response, more slowly than
    /// [`Limits::min_rate`](crate::Limits).
    ClientTooSlow = "client_too_slow", 408, http_request_error, Client,
        "The client sent or read more slowly than is allowed here.",
        "Use a faster line; or lower the limit `min_rate`, or raise the timeout `min_rate_window`.";
    /// The client stopped reading its response.
    ClientWriteTimeout = "client_write_timeout", 408, connection_write_timeout, Client,
        "The client stopped reading the response.",
        "Read the response without long pauses; or raise the timeout `body_idle`.";

    /// The name of the upstream could not be resolved.
    DnsFailed = "dns_failed", 502, dns_error, Client,
        "No address was found for the name of the server: it may be misspelled.",
        "Check the spelling of the name and that it resolves on the proxy's machine, for example \
         with `getent hosts NAME`.";
    /// The name of the upstream was not resolved in time.
    DnsTimeout = "dns_timeout", 504, dns_timeout, Upstream,
        "No address was found in time for the name of the server.",
        "Check the name servers of the proxy's machine; or raise the timeout `resolve`.";
    /// The upstream refused the connection.
    ConnectRefused = "connect_refused", 502, connection_refused, Upstream,
        "The server refused the connection.",
        "Start the server, or correct the port: nothing listens there.";
    /// The upstream could not be reached.
    ConnectFailed = "connect_failed", 502, destination_unavailable, Upstream,
        "The server could not be reached.",
        "Check the route and the firewalls between the proxy and the upstream.";
    /// The upstream did not answer the connection attempt in time.
    ConnectTimeout = "connect_timeout", 504, connection_timeout, Upstream,
        "The server did not answer the connection attempt in time.",
        "Check that the upstream is up and that no firewall drops what is sent to it; or raise \
         the timeout `connect`.";
    /// The upstream closed the connection before its response head was complete.
    UpstreamClosed = "upstream_closed", 502, connection_terminated, Upstream,
        "The server closed the connection before it had answered.",
        "Look into the upstream's log: it may have crashed, been restarted, or speak another \
         protocol than HTTP on this port.";
    /// The upstream closed the connection in the middle of its response body.
    UpstreamClosedEarly = "upstream_closed_early", 502, http_response_incomplete, Upstream,
        "The server closed the connection in the middle of its response.",
        "Look into the upstream's log: the response was cut there. Ask again, if the request may \
         be repeated.";
    /// The head of the response is malformed.
    BadResponse = "bad_response", 502, http_protocol_error, Upstream,
        "The response of the server is malformed.",
        "Correct what the upstream sends; it may not speak HTTP/1 on this port.";
    /// The length of the response is ambiguous or malformed (RFC 9112 §6.3).
    BadResponseLength = "bad_response_length", 502, http_protocol_error, Upstream,
        "The length of the server's response is ambiguous or malformed.",
        "Have the upstream send either one Content-Length or `Transfer-Encoding: chunked`.";
    /// Chunk sizes, chunk ends or trailers of the response are malformed.
    BadResponseBody = "bad_response_body", 502, http_response_transfer_coding, Upstream,
        "The chunked body of the server's response is malformed.",
        "Correct the chunks the upstream sends.";
    /// The head of the response is over a limit.
    ResponseHeadTooLarge = "response_head_too_large", 502, http_response_header_section_size, Upstream,
        "The head of the server's response is too large.",
        "Have the upstream send fewer or shorter fields; or raise the limits `head_bytes` and \
         `fields`.";
    /// More interim (1xx) responses than [`Limits::interim_responses`](crate::Limits).
    TooManyInterim = "too_many_interim", 502, http_protocol_error, Upstream,
        "The server sent too many interim responses.",
        "Have the upstream send fewer 1xx responses; or raise the limit `interim_responses`.";
    /// A `101` that nobody asked for, or to another protocol than was asked for.
    UnexpectedUpgrade = "unexpected_upgrade", 502, http_upgrade_failed, Upstream,
        "The server switched to a protocol that was not asked for.",
        "Have the upstream answer 101 only to a request that asks for it, with the protocol that \
         was asked for.";
    /// The upstream did not begin to answer in time.
    ResponseHeadTimeout = "response_head_timeout", 504, http_response_timeout, Upstream,
        "The server did not answer in time.",
        "Find out why the upstream is slow; or raise the timeout `response_head`.";
    /// The response stalled.
    ResponseBodyTimeout = "response_body_timeout", 504, connection_read_timeout, Upstream,
        "The server stopped sending its response.",
        "Find out why the upstream stopped; or raise the timeout `body_idle`.";
    /// The upstream stopped reading the request.
    UpstreamWriteTimeout = "upstream_write_timeout", 504, connection_write_timeout, Upstream,
        "The server stopped reading the request.",
        "Find out why the upstream does not read; or raise the timeout `body_idle`.";
    /// The upstream read the request more slowly than [`Limits::min_rate`](crate::Limits).
    UpstreamTooSlow = "upstream_too_slow", 504, connection_write_timeout, Upstream,
        "The server read the request more slowly than is allowed here.",
        "Find out why the upstream reads slowly; or lower the limit `min_rate`, or raise the \
         timeout `min_rate_window`.";
    /// The upstream reset a tunnel.
    TunnelReset = "tunnel_reset", 502, connection_terminated, Upstream,
        "One end reset the tunnel.",
        "Look into the logs of the two ends: one of them, or something on the way, broke the \
         connection off.";

    /// The handler refused the request.
    Denied = "denied", 403, http_request_denied, Proxy,
        "The request is not allowed here.",
        "Ask for something that is allowed, or change the rule.";
    /// A rule refused the request, or its response.
    DeniedByRule = "denied_by_rule", 403, http_request_denied, Proxy,
        "The request is not allowed here, by a rule.",
        "Find the request in the log, by its id: it names the rule, and `proxy-cli explain` tells \
         why that matched. Ask for something that is allowed, or change the rule.";
    /// The client has been banned since it came.
    Banned = "banned", 403, http_request_denied, Proxy,
        "This proxy does not serve your address for a while.",
        "Find in the log what this address has been banned for, and wait, or have the ban lifted.";
    /// The client has not said who it is, to a proxy that wants to know (RFC 9110 §15.5.8).
    ProxyAuthenticationRequired = "proxy_authentication_required", 407, http_request_error, Client,
        "This proxy serves only those who say who they are: with a user name and a password.",
        "Give the client a user name and a password for the proxy, as in \
         `http://USER:PASSWORD@ADDRESS:PORT`.";
    /// The client's user name or password for the proxy is wrong.
    ProxyAuthenticationFailed = "proxy_authentication_failed", 407, http_request_error, Client,
        "The user name or the password for this proxy is wrong.",
        "Correct the user name or the password that the client has for the proxy.";
    /// In front of a fixed upstream, the client has not said who it is (RFC 9110 §15.5.2).
    AuthenticationRequired = "authentication_required", 401, http_request_error, Client,
        "This server serves only those who say who they are: with a user name and a password.",
        "Send a user name and a password, by the scheme that `WWW-Authenticate` names.";
    /// In front of a fixed upstream, the client's user name or password is wrong.
    AuthenticationFailed = "authentication_failed", 401, http_request_error, Client,
        "The user name or the password is wrong.",
        "Correct the user name or the password.";
    /// Too many passwords were wrong: see [`LoginPolicy`](crate::LoginPolicy).
    TooManyFailedLogins = "too_many_failed_logins", 429, http_request_error, Client,
        "Too many user names or passwords were wrong.",
        "Correct the password where it is kept, and wait some minutes: failures are forgotten one \
         by one.";
    /// The password is right, and the [`User`](crate::User) may not come from there, or go there, or
    /// be served any more.
    UserNotAllowed = "user_not_allowed", 403, http_request_denied, Proxy,
        "This user may not do this: not from here, not to there, or not any more.",
        "Look up what this user may do; the log of the program tells which of it failed, at level \
         debug.";
    /// It cannot be told whether a password is right.
    AuthenticatorUnavailable = "authenticator_unavailable", 503, proxy_internal_error, Proxy,
        "It cannot be told just now whether the password is right.",
        "Ask again later; the log of the program tells what is wrong with the authenticator.";
    /// The client's address is not among those that are served.
    ClientNotAllowed = "client_not_allowed", 403, http_request_denied, Proxy,
        "This proxy does not serve your address.",
        "Add the client's network to those that are served, `--allow-client`, if it is to use \
         this proxy.";
    /// The address of the upstream is refused by the
    /// [`DestinationGuard`](crate::DestinationGuard).
    DestinationNotAllowed = "destination_not_allowed", 403, destination_ip_prohibited, Proxy,
        "The server has an address to which this proxy makes no connections.",
        "Allow the address or its class with `--allow-destination`, if it is meant to be reached \
         through this proxy; the log of the program tells both, at level debug.";
    /// A tunnel to a port that is not among [`ConnectPorts`](crate::ConnectPorts) (RFC 9110
    /// §9.3.6).
    PortNotAllowed = "port_not_allowed", 403, http_request_denied, Proxy,
        "This proxy opens no tunnels to that port.",
        "Add the port to those that tunnels may lead to, `--connect-port`, if it is safe.";
    /// The handler asked for the connection to be closed without an answer, or cut a
    /// [body](crate::BodySender::abort) that it was sending.
    ClosedByHandler = "closed_by_handler", 444, http_request_denied, Proxy,
        "The connection was closed without an answer, or in the middle of it.",
        "Change the handler or its rule, if the request should have been answered.";
    /// The handler failed: it panicked, a deferred decision was dropped, or a
    /// [body](crate::BodySender) that it was sending was left without an end.
    HandlerFailed = "handler_failed", 500, proxy_internal_error, Proxy,
        "The proxy could not decide about the request.",
        "Correct the handler: the log of the program tells if it panicked; else a deferred \
         decision took too long, or a body that it was sending was left without an end.";
    /// The connector failed: it panicked.
    ConnectorFailed = "connector_failed", 500, proxy_internal_error, Proxy,
        "The proxy could not plan a connection.",
        "Correct the connector: the log of the program tells that it panicked.";
    /// The proxy's own code panicked, or what a handler or connector had left with it did.
    InternalError = "internal_error", 500, proxy_internal_error, Proxy,
        "The proxy failed while it served the request.",
        "Report it: it is a bug. The log of the program tells where it panicked.";
    /// The request came back to the proxy that had forwarded it.
    LoopDetected = "loop_detected", 508, proxy_loop_detected, Proxy,
        "The request came back to this proxy: it would go round for ever.",
        "Correct the configuration: a proxy, or a name, leads back to where the request came from.";
    /// The worker pool's queue is full.
    WorkersBusy = "workers_busy", 503, proxy_internal_error, Proxy,
        "The proxy is busy: its queue for this kind of work is full.",
        "Ask again later; if it lasts, find out which jobs are slow, add workers, or raise the \
         limit `lane_queue`.";
    /// The upstream has [`Limits::connections_per_upstream`](crate::Limits) connections, and none
    /// became free in time, or too many requests wait for one.
    UpstreamBusy = "upstream_busy", 503, connection_limit_reached, Proxy,
        "The proxy has as many connections to the server as it may have, and all are in use.",
        "Ask again later; if it lasts, find out why the upstream is slow, or raise the limits \
         `connections_per_upstream` and `waiting_per_upstream`.";
    /// No more descriptors, ports or memory for another connection.
    OutOfDescriptors = "out_of_descriptors", 503, proxy_internal_error, Proxy,
        "The proxy has run out of descriptors for another connection.",
        "Raise the limit of open files (`ulimit -n`), or lower the limit `connections`.";
    /// The client has [`Limits::connections_per_client`](crate::Limits) connections already.
    TooManyConnections = "too_many_connections", 503, http_request_denied, Client,
        "This client has too many connections open.",
        "Close some, or use those there are for several requests.";
    /// More requests than a [throttle](crate::throttle) allows (RFC 6585 §4).
    RateLimited = "rate_limited", 429, http_request_denied, Client,
        "There were too many requests.",
        "Ask again after the time that `Retry-After` says, and less often; or raise the rate of the \
         throttle that the log names.";
    /// More bytes than a [throttle](crate::throttle) allows in a day or a month.
    QuotaExceeded = "quota_exceeded", 429, http_request_denied, Client,
        "The bytes that may be sent and received in this time are used up.",
        "Ask again after the time that `Retry-After` says; or raise the quota of the throttle that \
         the log names.";
    /// More at once than a [throttle](crate::throttle) allows.
    ConnectionsLimited = "connections_limited", 429, connection_limit_reached, Client,
        "There are too many connections or requests at once.",
        "Wait until some have ended; or raise the number of the throttle that the log names.";
    /// A tunnel was idle too long.
    TunnelIdle = "tunnel_idle", 504, connection_read_timeout, Proxy,
        "The tunnel was idle for too long.",
        "Have one end send something now and then; or raise the timeout `tunnel_idle`.";
    /// Somebody who watches the proxy has closed the connection; see
    /// [`ProxyControl::close_connection`](crate::ProxyControl::close_connection).
    ClosedByOperator = "closed_by_operator", 503, proxy_internal_error, Proxy,
        "The connection was closed by whoever runs the proxy.",
        "Ask whoever runs the proxy why.";
    /// The proxy was shut down and the time to drain was over.
    ShutDown = "shut_down", 503, proxy_internal_error, Proxy,
        "The proxy is shutting down.",
        "Ask again when the proxy runs; give it longer to drain, if it cuts too much.";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests;
