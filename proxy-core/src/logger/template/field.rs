//! [`Field`]: what can stand in braces, and its value in a record.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use crate::error::Side;
use crate::logger::json;
use crate::logger::line::Lines;
use crate::logger::record::{AccessRecord, Event, Kind};

macro_rules! fields {
    ($($name:ident = $word:literal,)+) => {
        /// Something that a template can tell of a record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Field {
            $($name,)+
        }

        impl Field {
            /// All fields with their names.
            pub(super) const ALL: &[(&str, Field)] = &[$(($word, Field::$name),)+];
        }
    };
}

fields! {
    Event = "event",
    Kind = "kind",
    Id = "id",
    Time = "time",
    UnixTime = "time.unix",
    ApacheTime = "time.apache",
    End = "time.end",
    Total = "time.total",
    Wait = "time.wait",
    Resolve = "time.resolve",
    Connect = "time.connect",
    FirstByte = "time.first_byte",
    Client = "client",
    ClientIp = "client.ip",
    ClientPort = "client.port",
    ClientReused = "client.reused",
    User = "user",
    Method = "request.method",
    Target = "request.target",
    Host = "request.host",
    Version = "request.version",
    Referer = "request.referer",
    UserAgent = "request.user_agent",
    BytesIn = "request.bytes",
    BytesOut = "response.bytes",
    Status = "status",
    Reason = "reason",
    ReasonSide = "reason.side",
    Rule = "rule",
    Reported = "rule.reported",
    Upstream = "upstream",
    UpstreamIp = "upstream.ip",
    UpstreamPort = "upstream.port",
    UpstreamReused = "upstream.reused",
    Attempts = "upstream.attempts",
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Word,
    Json,
}

/// What a record has for a field.
pub(super) enum Value<'r> {
    Missing,
    Text(&'r [u8]),
    Integer(u64),
    Truth(bool),
    Time(SystemTime),
    UnixTime(SystemTime),
    ApacheTime(SystemTime),
    Duration(Duration),
    Address(SocketAddr),
    Ip(IpAddr),
}

impl Field {
    pub(super) fn value<'r>(self, record: &AccessRecord<'r>) -> Value<'r> {
        match self {
            Field::Event => text(match record.event {
                Event::Open => "open",
                Event::Close => "close",
            }),
            Field::Kind => text(match record.kind {
                Kind::Exchange => "exchange",
                Kind::Tunnel => "tunnel",
            }),
            Field::Id => Value::Integer(record.id),
            Field::Time => Value::Time(record.time),
            Field::UnixTime => Value::UnixTime(record.time),
            Field::ApacheTime => Value::ApacheTime(record.time),
            Field::End => Value::Time(record.ended()),
            Field::Total => Value::Duration(record.duration),
            Field::Wait => or_missing(record.wait, Value::Duration),
            Field::Resolve => or_missing(record.resolve, Value::Duration),
            Field::Connect => or_missing(record.connect, Value::Duration),
            Field::FirstByte => or_missing(record.first_byte, Value::Duration),
            Field::Client => Value::Address(record.client),
            Field::ClientIp => Value::Ip(record.client.ip()),
            Field::ClientPort => Value::Integer(record.client.port().into()),
            Field::ClientReused => Value::Truth(record.client_reused),
            Field::User => or_missing(record.user, text),
            Field::Method => known(record.method),
            Field::Target => known(record.target),
            Field::Host => known(record.host),
            Field::Version => or_missing(record.version, |version| text(version.number())),
            Field::Referer => or_missing(record.referer, Value::Text),
            Field::UserAgent => or_missing(record.user_agent, Value::Text),
            Field::BytesIn => Value::Integer(record.bytes_in),
            Field::BytesOut => Value::Integer(record.bytes_out),
            Field::Status => or_missing(record.status, |status| Value::Integer(status.into())),
            Field::Reason => or_missing(record.reason, |reason| text(reason.code())),
            Field::ReasonSide => or_missing(record.reason, |reason| {
                text(match reason.side() {
                    Side::Client => "client",
                    Side::Upstream => "upstream",
                    Side::Proxy => "proxy",
                })
            }),
            Field::Rule => or_missing(record.rule, text),
            Field::Reported => or_missing(record.reported, text),
            Field::Upstream => or_missing(record.upstream, Value::Address),
            Field::UpstreamIp => or_missing(record.upstream, |it| Value::Ip(it.ip())),
            Field::UpstreamPort => {
                or_missing(record.upstream, |it| Value::Integer(it.port().into()))
            }
            Field::UpstreamReused => Value::Truth(record.upstream_reused),
            Field::Attempts => Value::Integer(record.attempts.into()),
        }
    }
}

fn text(text: &str) -> Value<'_> {
    Value::Text(text.as_bytes())
}

/// Where a record has a dash for what was not understood.
fn known(value: &str) -> Value<'_> {
    match value {
        "" | "-" => Value::Missing,
        value => text(value),
    }
}

fn or_missing<'r, T>(value: Option<T>, make: impl FnOnce(T) -> Value<'r>) -> Value<'r> {
    value.map_or(Value::Missing, make)
}

impl Value<'_> {
    pub(super) fn write(&self, line: &mut Lines, style: Style) {
        match (self, style) {
            (Value::Missing, Style::Word) => line.raw("-"),
            (Value::Missing, Style::Json) => line.raw("null"),
            (Value::Text(text), Style::Word) => line.quotable(text),
            (Value::Text(text), Style::Json) => json::bytes(line, text),
            (Value::Integer(number), _) => line.integer(*number),
            (Value::Truth(truth), _) => line.raw(if *truth { "true" } else { "false" }),
            (Value::UnixTime(time), _) => line.unix_time(*time),
            (Value::Duration(duration), _) => line.milliseconds(*duration),
            (_, Style::Word) => self.write_plain(line),
            (_, Style::Json) => {
                line.raw("\"");
                self.write_plain(line);
                line.raw("\"");
            }
        }
    }

    /// What is text in JSON, and needs no escapes.
    fn write_plain(&self, line: &mut Lines) {
        match self {
            Value::Time(time) => line.time(*time),
            Value::ApacheTime(time) => line.apache_time(*time),
            Value::Address(address) => line.address(*address),
            Value::Ip(address) => line.ip(address.to_canonical()),
            _ => {}
        }
    }
}
