//! What templates say of records, and what is said of wrong templates.

use super::*;
use crate::error::Reason;
use crate::http1::Version;
use crate::logger::written::Written;
use crate::logger::{Kind, RequestLogger};
use std::time::{Duration, SystemTime};

fn record() -> AccessRecord<'static> {
    let mut record = AccessRecord::new(([127, 0, 0, 1], 50412).into());
    record.id = 7;
    record.time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_459_212_123);
    record.method = "GET";
    record.target = "http://example.com/a";
    record.host = "example.com";
    record.version = Some(Version::Http11);
    record.user_agent = Some(b"caf\xc3\xa9 \"1\"");
    record.status = Some(504);
    record.reason = Some(Reason::ResponseHeadTimeout);
    record.bytes_in = 1;
    record.bytes_out = 2;
    record.duration = Duration::from_millis(1_000);
    record.first_byte = Some(Duration::from_micros(33_100));
    record.upstream = Some(([192, 0, 2, 1], 80).into());
    record.attempts = 2;
    record
}

fn line(template: &str, record: &AccessRecord<'_>) -> String {
    let mut lines = Lines::new();
    template.parse::<Template>().unwrap().write(&mut lines, record);
    String::from_utf8(lines.as_bytes().to_vec()).unwrap()
}

#[test]
fn text_and_fields() {
    assert_eq!(
        line(
            "{time} {client} {request.host} {status} {reason} {time.first_byte} {{{id}}} é",
            &record()
        ),
        "2026-11-23T18:40:12.123Z 127.0.0.1:50412 example.com 504 response_head_timeout 33.100 \
         {7} é"
    );
}

#[test]
fn each_field_has_a_value_and_none_when_nothing_is_known() {
    let unknown = AccessRecord::new(([0, 0, 0, 0, 0, 0, 0, 1], 80).into());
    let mut known = record();
    known.kind = Kind::Tunnel;
    known.wait = Some(Duration::ZERO);
    known.resolve = Some(Duration::ZERO);
    known.connect = Some(Duration::ZERO);
    known.referer = Some(b"http://example.org/");
    known.rule = Some("office");
    known.reported = Some("trial");
    known.user = Some("ann");
    for name in Template::fields() {
        assert_ne!(line(&format!("{{{name}}}"), &known), "-", "{name}");
        let of_nothing = line(&format!("{{{name}}}"), &unknown);
        let in_json = line(&format!("{{{name}:json}}"), &unknown);
        assert_eq!(of_nothing == "-", in_json == "null", "{name}: {of_nothing} {in_json}");
    }
    for (field, expected) in [
        ("time.unix", "1795459212.123"),
        ("time.apache", "23/Nov/2026:18:40:12 +0000"),
        ("time.end", "2026-11-23T18:40:13.123Z"),
        ("time.total", "1000.000"),
        ("client.ip", "127.0.0.1"),
        ("client.port", "50412"),
        ("client.reused", "false"),
        ("reason.side", "upstream"),
        ("request.user_agent", "caf\\xc3\\xa9\\x20\\x221\\x22"),
        ("request.bytes", "1"),
        ("response.bytes", "2"),
        ("upstream.ip", "192.0.2.1"),
        ("upstream.attempts", "2"),
        ("rule.reported", "trial"),
    ] {
        assert_eq!(line(&format!("{{{field}}}"), &known), expected, "{field}");
    }
}

#[test]
fn json_of_ones_own() {
    assert_eq!(
        line(
            r#"{{"a":{request.user_agent:json},"s":{status:json},"r":{rule:json},"t":{time:json}}}"#,
            &record()
        ),
        "{\"a\":\"caf\u{e9} \\\"1\\\"\",\"s\":504,\"r\":null,\"t\":\"2026-11-23T18:40:12.123Z\"}"
    );
}

#[test]
fn a_client_cannot_forge_a_line_a_column_or_the_end_of_a_quotation() {
    let mut forged = record();
    forged.target = "/\r\n\" 200 \\ {status}";
    assert_eq!(
        line("\"{request.target}\" {status}", &forged),
        r#""/\x0d\x0a\x22\x20200\x20\x5c\x20{status}" 504"#
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_was_meant() {
    for (template, span, expected) in [
        ("{stats}", 1..6, "there is no field `stats`, in column 2; did you mean `status`?"),
        ("é {host}", 4..8, "there is no field `host`, in column 4; did you mean `request.host`?"),
        ("{first_byte}", 1..11, "did you mean `time.first_byte`?"),
        ("{zzzzzz}", 1..7, "there is no field `zzzzzz`, in column 2"),
        ("{}", 1..1, "there is no field ``, in column 2"),
        ("{status:jason}", 8..13, "`jason` in column 9 is no way to write a field: `json` is"),
        ("a {status", 2..9, "the brace in column 3 is not closed; {{ is a brace itself"),
        ("{status}}", 8..9, "the brace in column 9 was not opened; }} is a brace itself"),
        ("{status}\n", 8..9, "there is a control character in column 9: a record is one line"),
        ("no", 0..2, "there is no field in it, such as {status}"),
        ("", 0..0, "there is no field in it, such as {status}"),
    ] {
        let error = template.parse::<Template>().unwrap_err();
        assert!(error.to_string().contains(expected), "{template}: {error}");
        assert_eq!(error.span(), span, "{template}");
    }
    let error = "{zzzzzz}".parse::<Template>().unwrap_err();
    assert_eq!(error.suggestion(), None);
}

#[test]
fn a_tunnel_that_is_opened_has_a_line_where_the_line_can_say_so() {
    for (template, expected) in [("{id}", "7\n"), ("{event} {id}", "open 7\nclose 7\n")] {
        let written = Written::default();
        let logger = TemplateLogger::new(template.parse().unwrap(), written.clone());
        let mut tunnel = record();
        for event in [Event::Open, Event::Close] {
            tunnel.event = event;
            logger.log(&tunnel);
        }
        logger.flush();
        assert_eq!(written.text(), expected);
    }
}

#[test]
fn the_document_names_every_field() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/logs.md");
    let document = std::fs::read_to_string(path).unwrap();
    for name in Template::fields() {
        assert!(document.contains(&format!("`{name}`")), "docs/logs.md does not name {name}");
    }
}
