//! How much of everything is accepted.

use super::kind::UNLIMITED;
use super::{Kind, Setting};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;
/// Queues between threads take their memory at once; the library takes no longer ones.
const LONGEST_QUEUE: u64 = 65_536;
/// Of what is kept as it comes: more would be a mistake in the number.
const MOST_KEPT: u64 = 1_000_000;

pub(super) static SETTINGS: &[Setting] = &[
    Setting {
        name: "head-bytes",
        kind: Kind::Size(256..=MIB, |config| &mut config.limits.head_bytes),
        help: "Bytes of the head of a request or response",
        unset: "",
        reason: "more than browsers send with full cookie jars; Apache and nginx take 8 KiB a field",
        at_limit: "431 `request_head_too_large`; of a response 502 `response_head_too_large`",
    },
    Setting {
        name: "fields",
        kind: Kind::Count(1..=256, |config| &mut config.limits.fields),
        help: "Fields in a head",
        unset: "",
        reason: "browsers send about 20",
        at_limit: "431 `too_many_request_fields`; in a response 502 `response_head_too_large`",
    },
    Setting {
        name: "target-bytes",
        kind: Kind::Size(1..=MIB, |config| &mut config.limits.target_bytes),
        help: "Bytes of a request target",
        unset: "",
        reason: "RFC 9112 §3 asks for at least 8,000",
        at_limit: "414 `target_too_long`",
    },
    Setting {
        name: "buffer-bytes",
        kind: Kind::Size(KIB..=MIB, |config| &mut config.limits.buffer_bytes),
        help: "Bytes read at once, and held for a slow receiver in each direction",
        unset: "",
        reason: "few system calls for bulk transfers, and what is read fits a segment of the system's \
                 with a head in front of it",
        at_limit: "reading pauses until the receiver has taken them",
    },
    Setting {
        name: "trailer-bytes",
        kind: Kind::Size(2..=MIB, |config| &mut config.limits.trailer_bytes),
        help: "Bytes of the trailers behind a chunked body",
        unset: "",
        reason: "trailers are checksums and statistics: a few hundred bytes",
        at_limit: "400 `bad_request_body`; a response is cut, `bad_response_body`",
    },
    Setting {
        name: "chunk-line-bytes",
        kind: Kind::Size(3..=64 * KIB, |config| &mut config.limits.chunk_line_bytes),
        help: "Bytes of the line with the size of a chunk",
        unset: "",
        reason: "a size needs 16 digits, and extensions are hardly used",
        at_limit: "400 `bad_request_body`; a response is cut, `bad_response_body`",
    },
    Setting {
        name: "request-body",
        kind: Kind::Size(0..=UNLIMITED, |config| &mut config.limits.request_body),
        help: "Bytes of a request body",
        unset: "",
        reason: "a body is never held in memory, however long it is",
        at_limit: "413 `request_body_too_large`, and the connection is closed",
    },
    Setting {
        name: "discarded-body",
        kind: Kind::Size(0..=GIB, |config| &mut config.limits.discarded_body),
        help: "Bytes of a refused request's body that are read so that the connection can be kept",
        unset: "",
        reason: "reading that much costs less than a new connection",
        at_limit: "the connection is closed after the answer",
    },
    Setting {
        name: "min-rate",
        kind: Kind::Size(0..=GIB, |config| &mut config.limits.min_rate),
        help: "Bytes a second that who sends a request body or is sent something must move; 0: any",
        unset: "",
        reason: "what is slow differs between a data centre and a train; a slow exchange costs little",
        at_limit: "408 `client_too_slow`, 504 `upstream_too_slow`, or the connection is cut",
    },
    Setting {
        name: "interim-responses",
        kind: Kind::Count(0..=10_000, |config| &mut config.limits.interim_responses),
        help: "Interim (1xx) responses before one final response",
        unset: "",
        reason: "one or two are usual; an endless row of them would hold the client for ever",
        at_limit: "502 `too_many_interim`",
    },
    Setting {
        name: "connections",
        kind: Kind::Count(1..=100_000_000, |config| &mut config.connections),
        help: "Client connections at once",
        unset: "what the system's descriptors allow, two for each",
        reason: "there is no more, and a proxy without descriptors could not reach its upstreams",
        at_limit: "accepting pauses: new connections wait in the kernel's backlog",
    },
    Setting {
        name: "connections-per-client",
        kind: Kind::Count(1..=UNLIMITED, |config| &mut config.limits.connections_per_client),
        help: "Client connections at once from one address",
        unset: "",
        reason: "many clients may share an address",
        at_limit: "503 `too_many_connections`, and the connection is closed",
    },
    Setting {
        name: "connections-per-upstream",
        kind: Kind::Count(1..=UNLIMITED, |config| &mut config.limits.connections_per_upstream),
        help: "Connections to one upstream (by its name and port) at once, tunnels and idle ones among \
               them; divided among the event loops, at least one each",
        unset: "",
        reason: "what an upstream bears, only its owner knows",
        at_limit: "a request waits until one becomes idle or ends",
    },
    Setting {
        name: "waiting-per-upstream",
        kind: Kind::Count(0..=MOST_KEPT, |config| &mut config.limits.waiting_per_upstream),
        help: "Requests that wait for a connection to one upstream",
        unset: "",
        reason: "whoever is behind a thousand others would wait too long",
        at_limit: "503 `upstream_busy`",
    },
    Setting {
        name: "loop-inbox",
        kind: Kind::Count(1..=LONGEST_QUEUE, |config| &mut config.limits.loop_inbox),
        help: "Connections handed to an event loop and not yet adopted by it",
        unset: "",
        reason: "what a loop adopts in a few milliseconds",
        at_limit: "accepting waits for the loop",
    },
    Setting {
        name: "lane-queue",
        kind: Kind::Count(1..=LONGEST_QUEUE, |config| &mut config.limits.lane_queue),
        help: "Jobs of one sort that wait for a worker: look-ups, decisions, taken-over clients",
        unset: "",
        reason: "whoever is behind a thousand others would wait too long",
        at_limit: "503 `workers_busy`",
    },
    Setting {
        name: "names",
        kind: Kind::Count(0..=MOST_KEPT, |config| &mut config.limits.names),
        help: "Names whose addresses are remembered",
        unset: "",
        reason: "more than a busy office asks for in a minute, and less than 1 MiB",
        at_limit: "the one to be forgotten first goes",
    },
    Setting {
        name: "idle-upstreams",
        kind: Kind::Count(0..=MOST_KEPT, |config| &mut config.limits.idle_upstreams),
        help: "Idle upstream connections kept by each event loop",
        unset: "",
        reason: "they last seconds only, and each needs a descriptor",
        at_limit: "a connection is closed instead of kept",
    },
    Setting {
        name: "idle-per-upstream",
        kind: Kind::Count(0..=MOST_KEPT, |config| &mut config.limits.idle_per_upstream),
        help: "Idle connections to one upstream kept by each event loop",
        unset: "",
        reason: "one upstream leaves room for others",
        at_limit: "a connection is closed instead of kept",
    },
    Setting {
        name: "log-queue",
        kind: Kind::Count(1..=MOST_KEPT, |config| &mut config.limits.log_queue),
        help: "Access records that wait for the log, for each event loop",
        unset: "",
        reason: "a second or two of full load",
        at_limit: "further records are dropped and counted, unless log-overflow says otherwise",
    },
];
