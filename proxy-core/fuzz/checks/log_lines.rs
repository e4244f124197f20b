//! Lines of the access log: a template is taken or complained of, and whatever a record holds, it is
//! one line of each format, without control characters, and stays in its columns.
//!
//! The input is ten parts with 0xFF between them: a template; a method, a target, a host, a `Referer`,
//! a `User-Agent`, the names of a user and of two rules; and numbers.

use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use proxy_core::http1::Version;
use proxy_core::{
    AccessRecord, ApacheLogger, Event, JsonLogger, Kind, LogfmtLogger, Reason, Redacted,
    RequestLogger, SquidLogger, Template, TemplateLogger, TextLogger, Veiled,
};

pub fn check(input: &[u8]) {
    let mut parts = input.splitn(10, |&byte| byte == 0xFF);
    let template = parts.next().unwrap_or_default();
    let raw: [Option<&[u8]>; 8] = std::array::from_fn(|_| parts.next());
    let text = raw.map(|part| part.map(String::from_utf8_lossy));
    let text = |index: usize| text[index].as_deref();
    let mut record = facts(parts.next().unwrap_or_default());
    record.method = text(0).unwrap_or("-");
    record.target = text(1).unwrap_or("-");
    record.host = text(2).unwrap_or("-");
    (record.referer, record.user_agent) = (raw[3], raw[4]);
    (record.user, record.rule, record.reported) = (text(5), text(6), text(7));

    if let Ok(text) = std::str::from_utf8(template) {
        own(text, &record);
    }
    words(&record);
    json(&record);
    logfmt(&record);
    servers(&record);
    line(&record, TextLogger::new);
    line(&record, |to| {
        let json = JsonLogger::new(to);
        Veiled::pseudonyms(Redacted::new(json).without_queries().with_pseudonyms_of_users())
    });
    line(&record, |to| {
        Veiled::truncated(Redacted::new(TextLogger::new(to)).without_parameters(["token", "a"]))
    });
}

/// The numbers of a record, one after another from these bytes, and 0 behind their end.
fn facts(bytes: &[u8]) -> AccessRecord<'static> {
    let mut bytes = bytes.iter();
    let mut number = |length: usize| {
        (0..length).fold(0, |sum, _| sum << 8 | u64::from(bytes.next().copied().unwrap_or(0)))
    };
    let flags = number(1);
    let has = |flag: u32| flags >> flag & 1 == 1;
    let mut address = |is_new| match is_new {
        true => SocketAddr::new(Ipv6Addr::from_bits(number(8).into()).into(), number(2) as u16),
        false => SocketAddr::new(Ipv4Addr::from_bits(number(4) as u32).into(), number(2) as u16),
    };
    let mut record = AccessRecord::new(address(has(0)));
    record.upstream = has(1).then(|| address(has(0)));
    record.event = if has(2) { Event::Open } else { Event::Close };
    record.kind = if has(3) { Kind::Tunnel } else { Kind::Exchange };
    (record.client_reused, record.upstream_reused) = (has(4), has(5));
    let versions = [None, Some(Version::Http10), Some(Version::Http11), Some(Version::Http11)];
    record.version = versions[(flags >> 6) as usize];
    let mut perhaps = |length| Some(number(length)).filter(|&number| number > 0);
    record.status = perhaps(2).map(|status| status as u16);
    record.reason = perhaps(1).and_then(|number| Reason::ALL.get(number as usize - 1)).copied();
    let mut duration = || match perhaps(8)? {
        u64::MAX => Some(Duration::MAX),
        micros => Some(Duration::from_micros(micros)),
    };
    record.duration = duration().unwrap_or_default();
    (record.wait, record.first_byte) = (duration(), duration());
    (record.resolve, record.connect) = (duration(), duration());
    record.time = SystemTime::UNIX_EPOCH + Duration::from_micros(number(8));
    (record.id, record.bytes_in, record.bytes_out) = (number(8), number(8), number(8));
    record.attempts = number(4) as u32;
    record
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a logger writes of a record, if it writes of it: one line, and another record has the next.
fn line<L: RequestLogger>(
    record: &AccessRecord<'_>,
    logger: impl FnOnce(Written) -> L,
) -> Option<String> {
    let line = any_line(record, logger)?;
    assert!(!line.contains(|char: char| char.is_control()), "{}", line.escape_debug());
    assert!(!line.contains(['\u{2028}', '\u{2029}']), "{}", line.escape_debug());
    Some(line)
}

/// The same with whatever characters it has.
fn any_line<L: RequestLogger>(
    record: &AccessRecord<'_>,
    logger: impl FnOnce(Written) -> L,
) -> Option<String> {
    let written = Written::default();
    let logger = logger(written.clone());
    let other = AccessRecord::new(([192, 0, 2, 1], 1).into());
    logger.log(record);
    logger.log(&other);
    logger.flush();
    let bytes = std::mem::take(&mut *written.0.lock().unwrap());
    #[cfg(fuzzing)]
    proxy_core::fuzzing::syslog(&bytes);
    let text = String::from_utf8(bytes).expect("it is text");
    let lines: Vec<_> = text.strip_suffix('\n').expect("it ends").split('\n').collect();
    match lines[..] {
        [line, _] => Some(line.to_owned()),
        // Some know only of ends.
        [_] if record.event == Event::Open => None,
        _ => panic!("{text}"),
    }
}

/// A template of somebody's own.
fn own(text: &str, record: &AccessRecord<'_>) {
    let template = match text.parse::<Template>() {
        Ok(template) => template,
        Err(error) => {
            assert!(text.get(error.span()).is_some(), "{error}");
            assert!(!error.to_string().is_empty());
            let is_there = |name| Template::fields().any(|field| field == name);
            assert!(error.suggestion().is_none_or(is_there), "{error}");
            return;
        }
    };
    assert_eq!(template.as_str(), text);
    let Some(line) = any_line(record, |to| TemplateLogger::new(template, to)) else { return };
    let odd = |text: &str| text.matches(|char: char| !char.is_ascii() || char == '\t').count();
    assert!(!line.contains(|char: char| char.is_control() && char != '\t'), "{line:?}");
    // What is odd is its own, unless values are JSON.
    assert!(text.contains(":json}") || odd(&line) == odd(text), "{line:?}");
}

/// Values of a template are words.
fn words(record: &AccessRecord<'_>) {
    const TEXTS: &str = "{request.method} {request.target} {request.host} {request.referer} \
                         {request.user_agent} {user} {rule} {rule.reported}";
    let all: Vec<_> = Template::fields().map(|name| format!("{{{name}}}")).collect();
    for template in [TEXTS.to_owned(), all.join(" ")] {
        let count = template.split(' ').count();
        let template: Template = template.parse().expect("it has fields");
        let Some(line) = line(record, |to| TemplateLogger::new(template, to)) else { continue };
        // Apache's time has a space.
        let words = line.split(' ').filter(|word| *word != "+0000]" && *word != "+0000");
        assert_eq!(words.filter(|word| !word.is_empty()).count(), count, "{line}");
        assert!(!line.contains('"'), "{line}");
    }
    let all: Vec<_> = Template::fields().map(|name| format!("{{{name}:json}}")).collect();
    let template: Template = all.join(" ").parse().expect("it has fields");
    let line = line(record, |to| TemplateLogger::new(template, to)).expect("it has events");
    strings(&line);
}

/// All strings in what is like JSON, as they are meant.
fn strings(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        if char != '"' {
            let is_plain = char.is_ascii_alphanumeric() || "{}:,._= -".contains(char);
            assert!(is_plain, "{char} is in no string: {line}");
            continue;
        }
        let mut string = String::new();
        loop {
            match chars.next().expect("a string ends") {
                '"' => break,
                '\\' => string.push(match chars.next() {
                    Some(plain @ ('"' | '\\')) => plain,
                    Some('u') => {
                        let digits: String = chars.by_ref().take(4).collect();
                        let code = u32::from_str_radix(&digits, 16).expect("four digits");
                        char::from_u32(code).expect("no surrogates")
                    }
                    other => panic!("{other:?} is escaped: {line}"),
                }),
                char => string.push(char),
            }
        }
        found.push(string);
    }
    found
}

/// Keys and values stand where they belong, and say what was sent.
fn json(record: &AccessRecord<'_>) {
    let line = line(record, JsonLogger::new).expect("it has events");
    assert!(line.starts_with('{') && line.ends_with('}'), "{line}");
    let strings = strings(&line);
    let expected =
        ["method", record.method, "target", record.target, "host", record.host, "version"];
    assert_eq!(strings[9..16], expected, "{line}");
    let place = |key: &str| strings.iter().rposition(|string| string == key).expect("it is there");
    if let Some(user) = record.user {
        assert_eq!(strings.last().map(|it| &**it), Some(user), "{line}");
    } else {
        assert_eq!(place("user"), strings.len() - 1, "{line}");
    }
}

fn logfmt(record: &AccessRecord<'_>) {
    const KEYS: [&str; 25] = [
        "event",
        "kind",
        "id",
        "time",
        "client",
        "method",
        "target",
        "host",
        "version",
        "status",
        "reason",
        "bytes_in",
        "bytes_out",
        "duration_ms",
        "wait_ms",
        "resolve_ms",
        "connect_ms",
        "first_byte_ms",
        "upstream",
        "client_reused",
        "upstream_reused",
        "attempts",
        "referer",
        "user_agent",
        "rule",
    ];
    let line = line(record, LogfmtLogger::new).expect("it has events");
    let mut keys = KEYS.iter().chain(&["reported", "user"]);
    let mut rest = &*line;
    loop {
        let (key, behind) = rest.split_once('=').unwrap_or_else(|| panic!("{rest} of {line}"));
        assert!(keys.any(|own| *own == key), "{key} is no key, or not in its place: {line}");
        let end = match behind.starts_with('"') {
            true => end_of_string(behind),
            false => behind.find(' ').unwrap_or(behind.len()),
        };
        let value = &behind[..end];
        let meant = match value.starts_with('"') {
            true => strings(value).remove(0),
            false => {
                assert!(!value.contains(['"', '=', '\\']), "{value} in {line}");
                value.to_owned()
            }
        };
        match key {
            "method" => assert_eq!(meant, record.method),
            "target" => assert_eq!(meant, record.target),
            "host" => assert_eq!(meant, record.host),
            "user" => assert_eq!(Some(&*meant), record.user),
            _ => {}
        }
        rest = match behind[end..].strip_prefix(' ') {
            Some(rest) => rest,
            None => return assert_eq!(end, behind.len(), "{line}"),
        };
    }
}

/// Where a string ends that this begins with.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.char_indices().skip(1).find(|(_, char)| {
        let is_end = *char == '"' && !is_escaped;
        is_escaped = *char == '\\' && !is_escaped;
        is_end
    });
    end.expect("a string ends").0 + 1
}

/// The formats of other servers have so many columns.
fn servers(record: &AccessRecord<'_>) {
    if let Some(line) = line(record, SquidLogger::new) {
        assert!(line.is_ascii(), "{line}");
        assert_eq!(line.split_ascii_whitespace().count(), 10, "{line}");
    }
    let quoted =
        [(1, line(record, ApacheLogger::common)), (3, line(record, ApacheLogger::combined))];
    for (count, line) in quoted {
        let Some(line) = line else { continue };
        assert!(line.is_ascii(), "{line}");
        let (mut rest, mut found) = (&*line, 0);
        while let Some(begin) = rest.find('"') {
            rest = &rest[begin..][end_of_string(&rest[begin..])..];
            found += 1;
        }
        assert_eq!(found, count, "{line}");
        let before = line.split_once('"').expect("it was counted").0;
        assert_eq!(before.split_ascii_whitespace().count(), 5, "{line}");
    }
}
