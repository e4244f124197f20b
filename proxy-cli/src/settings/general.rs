//! What the program does, and with how many threads.

use super::{Kind, Setting};

pub(super) static SETTINGS: &[Setting] = &[
    Setting {
        name: "listen",
        kind: Kind::Listen(|config| &mut config.listen),
        help: "Where to listen; several are possible. Port 0 takes a free port, which is printed",
        unset: "",
        reason: "loopback: nobody else gets in before there are rules",
        at_limit: "a port in use: exit code 1, and the port is named",
    },
    Setting {
        name: "upstream",
        kind: Kind::Upstream(|config| &mut config.upstream),
        help: "Front this upstream instead of going where clients ask; their Host is kept",
        unset: "none",
        reason: "a forward proxy",
        at_limit: "",
    },
    Setting {
        name: "log-format",
        kind: Kind::Word(|config| &mut config.log_format),
        help: "How the access log is written: for people, one JSON object a line, or as Apache does",
        unset: "",
        reason: "people read it first",
        at_limit: "",
    },
    Setting {
        name: "log-file",
        kind: Kind::Path(|config| &mut config.log_file),
        help: "Append the access log to this file; SIGUSR1 opens it anew, for log rotation",
        unset: "standard output",
        reason: "whoever starts it sees what it does",
        at_limit: "a file that cannot be opened: exit code 1",
    },
    Setting {
        name: "forwarded-for",
        kind: Kind::Word(|config| &mut config.forwarded_for),
        help: "Tell upstreams the client's address in X-Forwarded-For, Forwarded (RFC 7239) or both",
        unset: "",
        reason: "off in a forward proxy, where clients stay private; X-Forwarded-For with an upstream",
        at_limit: "",
    },
    Setting {
        name: "trusted-proxies",
        kind: Kind::Networks(|config| &mut config.trusted_proxies),
        help: "Networks whose word about other clients is kept, as 10.0.0.0/8; several are possible",
        unset: "",
        reason: "anybody can claim anything",
        at_limit: "",
    },
    Setting {
        name: "event-loops",
        kind: Kind::Count(1..=1024, |config| &mut config.event_loops),
        help: "Threads that carry connections",
        unset: "one for each core",
        reason: "a loop waits for nothing but its connections, so more of them gain nothing",
        at_limit: "",
    },
    Setting {
        name: "workers",
        kind: Kind::Count(3..=4096, |config| &mut config.workers),
        help: "Threads for what may block, such as resolving names",
        unset: "",
        reason: "a few look-ups may hang, and others still run",
        at_limit: "jobs wait in the queue of their lane",
    },
];
