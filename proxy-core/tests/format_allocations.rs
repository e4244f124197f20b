//! A line of the log allocates nothing, in whichever format, once the buffers have grown to what
//! lines need.
//!
//! One test, alone in its binary: the allocator counts for the whole process.

use std::alloc::System;
use std::time::{Duration, SystemTime};

use proxy_core::http1::Version;
use proxy_core::{
    AccessRecord, ApacheLogger, Facility, JsonLogger, LogfmtLogger, Redacted, RequestLogger,
    SquidLogger, Syslog, Template, TemplateLogger, TextLogger, Veiled,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static MEMORY: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Lines that are written out together, and how often. A buffer of lines is written out when it has
/// 64 KiB, so these find room in it.
const LINES: usize = 50;
const TIMES: usize = 4;

fn record() -> AccessRecord<'static> {
    let mut record = AccessRecord::new(([127, 0, 0, 1], 50412).into());
    record.time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_459_212_123);
    record.method = "GET";
    record.target = "http://example.com/a?token=secret&b=\u{e9}";
    record.host = "example.com";
    record.version = Some(Version::Http11);
    record.status = Some(200);
    record.referer = Some(b"http://example.com/?token=secret");
    record.user_agent = Some(b"caf\xe9 \"1\"");
    record.first_byte = Some(Duration::from_millis(3));
    record.upstream = Some(([192, 0, 2, 1], 80).into());
    record.attempts = 1;
    record.user = Some("ann");
    record
}

#[test]
fn a_line_allocates_nothing() {
    let sink = std::io::sink;
    let server = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let syslog = Syslog::udp(server.local_addr().unwrap().to_string());
    let everything: Vec<_> =
        Template::fields().map(|name| format!("{{{name}}} {{{name}:json}}")).collect();
    let template: Template = everything.join(" ").parse().unwrap();
    let redacted = Redacted::new(SquidLogger::new(sink())).without_parameters(["token"]);
    let loggers: [(&str, Box<dyn RequestLogger>); 9] = [
        ("text", Box::new(TextLogger::new(sink()))),
        ("json", Box::new(JsonLogger::new(sink()))),
        ("logfmt", Box::new(LogfmtLogger::new(sink()))),
        ("combined", Box::new(ApacheLogger::combined(sink()))),
        ("squid", Box::new(SquidLogger::new(sink()))),
        ("template", Box::new(TemplateLogger::new(template, sink()))),
        ("redacted", Box::new(redacted.with_pseudonyms_of_users())),
        ("pseudonyms", Box::new(Veiled::pseudonyms(TextLogger::new(sink())))),
        ("syslog", Box::new(LogfmtLogger::new(syslog.with_facility(Facility::LOCAL0)))),
    ];
    for (name, logger) in &loggers {
        let write = || {
            for _ in 0..LINES {
                logger.log(&record());
            }
            logger.flush();
        };
        write();
        let before = MEMORY.stats();
        (0..TIMES).for_each(|_| write());
        let after = MEMORY.stats();
        let new = after.allocations - before.allocations;
        let grown = after.reallocations - before.reallocations;
        assert_eq!((new, grown), (0, 0), "{name}: {} lines", LINES * TIMES);
    }
}
