//! The [`Family`] of each metric: its name, what it is, and its labels.

/// What kind of number a metric is, as Prometheus has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FamilyKind {
    /// It only ever grows, from the start of the proxy on.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Times, counted by how long they are.
    Histogram,
}

impl FamilyKind {
    /// The word for it in the text format.
    pub const fn word(self) -> &'static str {
        match self {
            FamilyKind::Counter => "counter",
            FamilyKind::Gauge => "gauge",
            FamilyKind::Histogram => "histogram",
        }
    }
}

/// A metric: one number, or one for each value of its labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Family {
    /// Its name. It does not change.
    pub name: &'static str,
    /// What kind of number it is.
    pub kind: FamilyKind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it means, in a sentence.
    pub help: &'static str,
}

// A line: a constant, the name, the kind, the labels; then what it means.
macro_rules! families {
    ($($constant:ident = $name:literal, $kind:ident, [$($label:literal),*], $help:literal;)+) => {
        $(
            pub(super) const $constant: Family = Family {
                name: $name,
                kind: FamilyKind::$kind,
                labels: &[$($label),*],
                help: $help,
            };
        )+

        /// Each metric there is, in the order in which they are told.
        pub const FAMILIES: &[Family] = &[$($constant),+];
    };
}

families! {
    BUILD_INFO = "proxy_build_info", Gauge, ["version"],
        "1, with the version of the library as a label.";
    START_TIME = "proxy_start_time_seconds", Gauge, [],
        "When the proxy started, in seconds of Unix time.";

    REQUESTS = "proxy_requests_total", Counter, ["method", "status"],
        "Exchanges that are over, by method and by the class of the status the client was sent.";
    FAILURES = "proxy_failures_total", Counter, ["reason", "side"],
        "Exchanges that ended other than plainly, by reason and by the side that can mend it.";
    CONTENT_BYTES = "proxy_content_bytes_total", Counter, ["direction"],
        "Content bytes from clients (in) and to clients (out), and all bytes inside of tunnels.";
    WAIT = "proxy_request_wait_seconds", Histogram, [],
        "Time from the first byte of a request until an upstream was looked for, and in the queue for it.";
    RESOLVE = "proxy_request_resolve_seconds", Histogram, [],
        "Time that the connector took on the worker pool, most often to resolve a name.";
    CONNECT = "proxy_request_connect_seconds", Histogram, [],
        "Time that an upstream was dialed.";
    FIRST_BYTE = "proxy_request_first_byte_seconds", Histogram, [],
        "Time from the first byte of a request to the head of the response of its upstream.";
    DURATION = "proxy_request_duration_seconds", Histogram, [],
        "Time from the first byte of a request to the end of its exchange or tunnel.";
    TUNNELS_OPENED = "proxy_tunnels_opened_total", Counter, [],
        "Tunnels that were opened.";

    CONNECTIONS = "proxy_connections", Gauge, ["state"],
        "Client connections by what they do.";
    CONNECTIONS_OPEN = "proxy_connections_open", Gauge, [],
        "Client connections in all.";
    CONNECTIONS_LIMIT = "proxy_connections_limit", Gauge, [],
        "How many client connections there may be.";
    ACCEPTED = "proxy_connections_accepted_total", Counter, [],
        "Clients that have connected and were served.";
    REFUSED = "proxy_connections_refused_total", Counter, ["how"],
        "Clients that have connected and were not served: they were told so (answered), or not (closed), or are banned.";

    UPSTREAMS = "proxy_upstream_connections", Gauge, ["state"],
        "Connections to upstreams that are attempted or in use (busy), or kept for later (idle).";
    UPSTREAMS_OPENED = "proxy_upstream_connections_opened_total", Counter, [],
        "Connections to upstreams that were made.";
    UPSTREAMS_REUSED = "proxy_upstream_connections_reused_total", Counter, [],
        "Requests that went out on a connection that had been used before.";
    PLACES = "proxy_upstream_places", Gauge, [],
        "Places taken, where connections to an upstream are limited.";
    QUEUED = "proxy_upstream_waiting_requests", Gauge, [],
        "Requests that wait for such a place.";
    BUFFERS = "proxy_buffers", Gauge, [],
        "Buffers with bytes that wait for a slow receiver, or for the rest of a head.";
    BUFFERED_BYTES = "proxy_buffered_bytes", Gauge, [],
        "The bytes in these buffers.";

    LOOPS = "proxy_event_loops", Gauge, ["state"],
        "Event loops that have said what they hold (running), and those that were held up too long to (held_up).";
    LOOP_BUSY = "proxy_event_loop_busy_seconds_total", Counter, ["loop"],
        "Time that an event loop has worked, and not waited; estimated from samples.";
    LOOP_WAKES = "proxy_event_loop_wakes_total", Counter, ["loop"],
        "How often an event loop has woken.";
    WORKERS = "proxy_workers", Gauge, [],
        "Threads of the worker pool.";
    JOBS_RUNNING = "proxy_worker_jobs_running", Gauge, ["lane"],
        "Jobs that a thread of the worker pool has begun.";
    JOBS_QUEUED = "proxy_worker_jobs_queued", Gauge, ["lane"],
        "Jobs that wait for a thread of the worker pool.";
    JOBS_LIMIT = "proxy_worker_queue_limit", Gauge, ["lane"],
        "How many jobs may wait.";
    JOBS = "proxy_worker_jobs_total", Counter, ["lane", "outcome"],
        "Jobs that are over: they ended (done, panicked), or were not begun (refused by a full queue, dropped at the end).";

    NAMES = "proxy_names", Gauge, [],
        "Names whose look-up is remembered.";
    NAMES_LIMIT = "proxy_names_limit", Gauge, [],
        "How many may be.";
    NAMES_UNDER_WAY = "proxy_names_under_way", Gauge, [],
        "Names that are being looked up.";
    NAME_HITS = "proxy_name_hits_total", Counter, [],
        "How often a name was known, and no look-up was needed.";
    NAME_LOOKUPS = "proxy_name_lookups_total", Counter, ["outcome"],
        "Look-ups that found addresses (found), and those that did not (failed).";

    BANS = "proxy_bans", Gauge, [],
        "Bans in force, but for those for good.";
    THROTTLE_OVER = "proxy_throttle_over_total", Counter, ["throttle"],
        "How often something was too much for a throttle, be it only reported.";
    THROTTLE_ENTRIES = "proxy_throttle_entries", Gauge, ["throttle"],
        "Counts that a throttle keeps.";
    THROTTLE_FORGOTTEN = "proxy_throttle_forgotten_total", Counter, ["throttle"],
        "Counts that had to go to make room although they owed something.";
    THROTTLE_MEMORY = "proxy_throttle_memory_bytes", Gauge, ["throttle"],
        "Memory that these counts occupy, but for the names of hosts and rules.";

    LOG_RECORDS = "proxy_log_records_total", Counter, ["outcome"],
        "Access records: the logger has taken them (logged), has panicked over them (panicked), or was too slow for them (dropped).";
    LOG_LOST = "proxy_log_records_lost_total", Counter, [],
        "Access records that were logged and yet are missing in a log, each once for every log: it could not be written, or was too slow beside others.";
    LOG_QUEUED = "proxy_log_records_queued", Gauge, [],
        "Access records that wait for the logger.";
    LOG_LIMIT = "proxy_log_queue_limit", Gauge, [],
        "How many may wait, of all event loops together.";

    HOST_REQUESTS = "proxy_host_requests", Gauge, ["host"],
        "Requests since the start to the hosts that have the most, and to all others.";
    HOST_BYTES = "proxy_host_bytes", Gauge, ["host"],
        "Content bytes since the start of the hosts that have the most, and of all others.";
    CLIENT_REQUESTS = "proxy_client_requests", Gauge, ["client"],
        "Requests since the start of the addresses that have the most, and of all others.";
    CLIENT_BYTES = "proxy_client_bytes", Gauge, ["client"],
        "Content bytes since the start of the addresses that have the most, and of all others.";
    USER_REQUESTS = "proxy_user_requests", Gauge, ["user"],
        "Requests since the start of the users who have the most, and of all others.";
    USER_BYTES = "proxy_user_bytes", Gauge, ["user"],
        "Content bytes since the start of the users who have the most, and of all others.";
    OVERESTIMATE = "proxy_top_overestimate", Gauge, ["metric"],
        "By how much a number of one of these metrics may be too high at most.";

    PROCESS_START = "process_start_time_seconds", Gauge, [],
        "When the process started, in seconds of Unix time.";
    PROCESS_CPU = "process_cpu_seconds_total", Counter, [],
        "Processor time of the process, its own and the system's for it.";
    PROCESS_FDS = "process_open_fds", Gauge, [],
        "Descriptors that are open.";
    PROCESS_MAX_FDS = "process_max_fds", Gauge, [],
        "How many descriptors may be open.";
    PROCESS_RESIDENT = "process_resident_memory_bytes", Gauge, [],
        "Memory that the process occupies.";
    PROCESS_VIRTUAL = "process_virtual_memory_bytes", Gauge, [],
        "The size of its address space.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_prometheus_wants_them() {
        for (number, family) in FAMILIES.iter().enumerate() {
            let name = family.name;
            assert!(FAMILIES[..number].iter().all(|other| other.name != name), "{name} twice");
            assert!(name.starts_with("proxy_") || name.starts_with("process_"), "{name}");
            assert!(name.bytes().all(|it| it.is_ascii_lowercase() || it == b'_'), "{name}");
            let counts = family.kind == FamilyKind::Counter;
            assert_eq!(counts, name.ends_with("_total"), "{name}");
            assert!(family.kind != FamilyKind::Histogram || name.ends_with("_seconds"), "{name}");
            assert!(family.help.ends_with('.') && !family.help.contains('\n'), "{name}");
            assert!(!family.labels.contains(&"le") && family.labels.len() <= 2, "{name}");
        }
    }
}
