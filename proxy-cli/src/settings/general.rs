//! What the program does, and with how many threads.

use super::{Kind, Setting};

pub(super) static SETTINGS: &[Setting] = &[
    Setting {
        name: "listen",
        kind: Kind::Listen(|config| &mut config.listen),
        help: "Where to listen; several are possible. Port 0 takes a free port, which is printed",
        unset: "",
        reason: "loopback: nobody else gets in unless it is said who",
        at_limit: "a port in use: exit code 1, and the port is named",
    },
    Setting {
        name: "reuse-port",
        kind: Kind::Switch(|config| &mut config.reuse_port),
        help: "Listen on addresses that another proxy-cli with this setting listens on: to start a \
               new one before the old one is stopped",
        unset: "",
        reason: "two that share a port by accident would each get a part of the clients",
        at_limit: "",
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
        name: "allow-client",
        kind: Kind::Networks(|config| &mut config.allow_client),
        help: "Serve clients in this network and no others; several are possible. Needed to \
               listen beyond loopback",
        unset: "all clients, if it listens on loopback only",
        reason: "programs on this machine could go there without it, too",
        at_limit: "403 `client_not_allowed`; without it, listening beyond loopback is refused",
    },
    Setting {
        name: "allow-open-proxy",
        kind: Kind::Switch(|config| &mut config.allow_open_proxy),
        help: "Serve everybody who can reach it, wherever it listens",
        unset: "",
        reason: "open proxies are found within hours, and misused",
        at_limit: "",
    },
    Setting {
        name: "allow-destination",
        kind: Kind::Destinations(|config| &mut config.allow_destination),
        help: "Make connections to these addresses, also where they are denied; several are possible",
        unset: "none",
        reason: "whatever else is allowed need not be said",
        at_limit: "",
    },
    Setting {
        name: "deny-destination",
        kind: Kind::Destinations(|config| &mut config.deny_destination),
        help: "Make no connections to these addresses either; several are possible",
        unset: "metadata and link-local; if it listens beyond loopback, all that is not public",
        reason: "no way into the network the proxy stands in, nor to the secrets of its machine",
        at_limit: "403 `destination_not_allowed`",
    },
    Setting {
        name: "connect-port",
        kind: Kind::Ports(|config| &mut config.connect_port),
        help: "Open tunnels to these ports only, as 443 or 8000-8999, or to `any`; several are \
               possible",
        unset: "any; if it listens beyond loopback, 443",
        reason: "through a tunnel to port 25 goes mail (RFC 9110 §9.3.6)",
        at_limit: "403 `port_not_allowed`",
    },
    Setting {
        name: "pac",
        kind: Kind::Switch(|config| &mut config.pac),
        help: "Answer /proxy.pac and /wpad.dat, asked of the proxy itself, with a file by which \
               browsers set themselves up",
        unset: "",
        reason: "most clients are set up in another way, and what is not needed is not answered",
        at_limit: "",
    },
    Setting {
        name: "log-format",
        kind: Kind::Word(|config| &mut config.log_format),
        help: "How the access log is written: for people, one JSON object or `key=value` pairs a line, \
               as Apache or Squid do, or not at all. Several logs, or lines of one's own, are \
               sections of the file",
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
        name: "log-overflow",
        kind: Kind::Word(|config| &mut config.log_overflow),
        help: "What is done while more records wait for the access log than `log-queue` allows: \
               `drop` and count them; or `block`: let nobody in whom it could not log, and lose none",
        unset: "",
        reason: "a slow disk is not to stop a proxy",
        at_limit: "",
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
        unset: "none",
        reason: "anybody can claim anything",
        at_limit: "",
    },
    Setting {
        name: "time-zone",
        kind: Kind::Zone(|config| &mut config.time_zone),
        help: "Whose hours the rules tell, and whose days quotas are of: a zone such as Europe/Berlin, or UTC, or `local`, the one \
               of this machine",
        unset: "",
        reason: "people write down the hours that their clocks show",
        at_limit: "",
    },
    Setting {
        name: "usage-file",
        kind: Kind::Path(|config| &mut config.usage_file),
        help: "Keep in this file over restarts what was used of quotas; it is written every minute \
               and at the end",
        unset: "none",
        reason: "who sets a quota says where it is kept",
        at_limit: "a full disk is told once, and counts go on in memory",
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
    Setting {
        name: "metrics",
        kind: Kind::Switch(|config| &mut config.metrics),
        help: "Count requests, failures, bytes and times for the metrics; without, they tell only \
               what there is at a moment",
        unset: "",
        reason: "it costs next to nothing, and what was not counted cannot be asked for later",
        at_limit: "",
    },
    Setting {
        name: "metrics-top",
        kind: Kind::Count(0..=1000, |config| &mut config.metrics_top),
        help: "Name in the metrics the hosts, clients and users that are served most, so many of \
               each; clients only where `log-addresses` is `whole`",
        unset: "",
        reason: "who reads the metrics need not know who uses the proxy, and for what",
        at_limit: "all others are told of as one",
    },
];
