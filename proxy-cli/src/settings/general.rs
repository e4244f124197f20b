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
        help: "How the access log is written: for people, or one JSON object a line",
        unset: "",
        reason: "people read it first",
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
