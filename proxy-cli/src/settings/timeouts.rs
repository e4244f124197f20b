//! How long everything may take.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Kind, Setting};

/// A year: the library takes no more.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
/// With no time at all nothing would ever succeed.
const SOME: RangeInclusive<Duration> = Duration::from_millis(1)..=LONGEST;
/// Where no time means "not at all".
const NONE_OR_SOME: RangeInclusive<Duration> = Duration::ZERO..=LONGEST;

pub(super) static SETTINGS: &[Setting] = &[
    Setting {
        name: "request-head-timeout",
        kind: Kind::Duration(SOME, |config| &mut config.timeouts.request_head),
        help: "From the first byte of a request to the end of its head",
        unset: "",
        reason: "a head is one packet or a few, even over the worst line",
        at_limit: "408 `request_head_timeout`",
    },
    Setting {
        name: "keep-alive-timeout",
        kind: Kind::Duration(SOME, |config| &mut config.timeouts.keep_alive),
        help: "A client connection without a request",
        unset: "",
        reason: "people read a page that long; an idle connection costs some hundred bytes",
        at_limit: "the connection is closed",
    },
    Setting {
        name: "resolve-timeout",
        kind: Kind::Duration(SOME, |config| &mut config.timeouts.resolve),
        help: "Resolving a name",
        unset: "",
        reason: "two tries of the system's resolver, at 5 s each",
        at_limit: "504 `dns_timeout`",
    },
    Setting {
        name: "name-ttl",
        kind: Kind::Duration(NONE_OR_SOME, |config| &mut config.timeouts.name_ttl),
        help: "How long the addresses of a name are remembered",
        unset: "",
        reason: "the system's resolver does not tell; browsers assume a minute, too",
        at_limit: "the name is looked up again",
    },
    Setting {
        name: "name-failure-ttl",
        kind: Kind::Duration(NONE_OR_SOME, |config| &mut config.timeouts.name_failure_ttl),
        help: "How long it is remembered that a name could not be resolved",
        unset: "",
        reason: "all requests of one page fail at once, and a mended mistake is soon seen",
        at_limit: "the name is looked up again",
    },
    Setting {
        name: "upstream-wait-timeout",
        kind: Kind::Duration(SOME, |config| &mut config.timeouts.upstream_wait),
        help: "Waiting for a connection to an upstream that has as many as it may have",
        unset: "",
        reason: "a user who has waited that long goes away or asks again",
        at_limit: "503 `upstream_busy`",
    },
    Setting {
        name: "connect-timeout",
        kind: Kind::Duration(SOME, |config| &mut config.timeouts.connect),
        help: "Connecting to one address of an upstream; all its addresses get twice as long",
        unset: "",
        reason: "three lost packets, sent again after 1, 2 and 4 s",
        at_limit: "the next address is tried; 504 `connect_timeout` if there is none",
    },
    Setting {
        name: "connect-stagger",
        kind: Kind::Duration(SOME, |config| &mut config.timeouts.connect_stagger),
        help: "Between the starts of attempts to two addresses of an upstream",
        unset: "",
        reason: "what RFC 8305 §5 recommends",
        at_limit: "the next address is tried beside the one before",
    },
    Setting {
        name: "response-head-timeout",
        kind: Kind::Duration(SOME, |config| &mut config.timeouts.response_head),
        help: "From the end of a request to the head of its response",
        unset: "",
        reason: "servers may compute for a while; Apache and nginx wait 60 s, too",
        at_limit: "504 `response_head_timeout`",
    },
    Setting {
        name: "body-idle-timeout",
        kind: Kind::Duration(SOME, |config| &mut config.timeouts.body_idle),
        help: "Between two pieces of a body, and for a peer that does not read what it is sent",
        unset: "",
        reason: "a line that is dead so long does not come back",
        at_limit: "408 `request_body_timeout`, or the connection is cut: `response_body_timeout`, \
                   `client_write_timeout`, `upstream_write_timeout`",
    },
    Setting {
        name: "min-rate-window",
        kind: Kind::Duration(SOME, |config| &mut config.timeouts.min_rate_window),
        help: "How far a peer may fall behind the least rate: one that moves nothing has this time",
        unset: "",
        reason: "more than a handover between two radio cells takes",
        at_limit: "`client_too_slow` or `upstream_too_slow`",
    },
    Setting {
        name: "upstream-idle-timeout",
        kind: Kind::Duration(SOME, |config| &mut config.timeouts.upstream_idle),
        help: "An upstream connection without a request, if the upstream announces nothing shorter",
        unset: "",
        reason: "common servers close theirs after 5 s",
        at_limit: "the connection is closed",
    },
    Setting {
        name: "tunnel-idle-timeout",
        kind: Kind::Duration(SOME, |config| &mut config.timeouts.tunnel_idle),
        help: "A tunnel without a byte in either direction",
        unset: "",
        reason: "long polls and terminals are quiet for long",
        at_limit: "the tunnel is closed, `tunnel_idle`",
    },
    Setting {
        name: "tunnel-half-closed-timeout",
        kind: Kind::Duration(SOME, |config| &mut config.timeouts.tunnel_half_closed),
        help: "A tunnel without a byte, one end of which has ended",
        unset: "",
        reason: "the other end most often has no more to say",
        at_limit: "the tunnel is closed, `tunnel_idle`",
    },
    Setting {
        name: "linger-timeout",
        kind: Kind::Duration(SOME, |config| &mut config.timeouts.linger),
        help: "Waiting for a client to close after its last response (RFC 9112 §9.6)",
        unset: "",
        reason: "closing earlier could take the response away from a client that still sends",
        at_limit: "the connection is closed",
    },
    Setting {
        name: "drain-timeout",
        kind: Kind::Duration(NONE_OR_SOME, |config| &mut config.drain),
        help: "For what is under way when the program is asked to stop",
        unset: "",
        reason: "most requests end within seconds, and service managers wait 90 s",
        at_limit: "what is left is cut, `shut_down`, and counted",
    },
];
