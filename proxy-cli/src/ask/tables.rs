//! Answers as people read them.

use std::fmt::Write;

use serde_json::Value;

use super::Subject;

/// An answer, in words or as a table.
pub fn shown(subject: &Subject, answer: &Value) -> String {
    match subject {
        Subject::Status => status(answer),
        Subject::Connections(_) => connections(answer),
        Subject::Close(id) => format!("connection {id} is being closed\n"),
        Subject::Bans => bans(answer),
        Subject::Ban(network, _) => {
            let time = seconds(number(&answer["seconds_left"]));
            format!("{network} is banned for {time}\n")
        }
        Subject::Lift(network) => format!("{network} is not banned any more\n"),
        Subject::Drain => "it drains: it ends when what is under way has ended\n".to_owned(),
        Subject::Reload => {
            let notes = answer["notes"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let lines = notes.chain(["reloaded: new requests are served by the new configuration"]);
            lines.map(|line| format!("{line}\n")).collect()
        }
        Subject::Events(_) => String::new(),
    }
}

/// Why something was not done.
pub fn refused(status: u16, text: &str) -> String {
    let read = serde_json::from_str::<Value>(text).ok();
    let complaints = read.as_ref().and_then(|answer| answer["complaints"].as_array());
    match complaints {
        Some(complaints) => {
            let lines: Vec<_> = complaints.iter().filter_map(Value::as_str).collect();
            format!("it was not done:\n{}", lines.join("\n"))
        }
        None => format!("{} (status {status})", text.trim_end()),
    }
}

fn status(answer: &Value) -> String {
    let get = |path: &str| number(answer.pointer(path).unwrap_or(&Value::Null));
    let listed = |value: &Value| {
        let items = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        items.collect::<Vec<_>>().join(", ")
    };
    let mut rows = vec![
        ("version", text(&answer["version"])),
        ("up for", seconds(get("/uptime_ms") / 1000)),
        ("listens on", listed(&answer["listeners"])),
        (
            "connections",
            format!(
                "{}: {} idle, {} busy, {} leaving, {} tunnels, {} taken over",
                get("/connections/open"),
                get("/connections/idle"),
                get("/connections/busy"),
                get("/connections/leaving"),
                get("/connections/tunnels"),
                get("/connections/taken_over"),
            ),
        ),
        (
            "upstreams",
            format!(
                "{} busy, {} idle; {} requests wait",
                get("/upstreams/busy"),
                get("/upstreams/idle"),
                get("/upstreams/waiting")
            ),
        ),
        (
            "log",
            format!(
                "{} records logged, {} dropped, {} lost",
                get("/log/logged"),
                get("/log/dropped") + get("/log/panicked"),
                get("/log/lost")
            ),
        ),
        (
            "bans",
            format!(
                "{}; {} connections turned away",
                get("/bans/in_force"),
                get("/bans/turned_away")
            ),
        ),
    ];
    for lane in answer["workers"]["lanes"].as_array().into_iter().flatten() {
        let [running, queued, limit] =
            ["running", "queued", "queue_limit"].map(|key| number(&lane[key]));
        let value = format!("{}: {running} run, {queued} of {limit} wait", text(&lane["name"]));
        rows.push(("workers", value));
    }
    for throttle in answer["throttles"].as_array().into_iter().flatten() {
        let value =
            format!("{}: {} times too much", text(&throttle["name"]), number(&throttle["over"]));
        rows.push(("throttle", value));
    }
    if answer["metrics"] == false {
        rows.push(("metrics", "off: requests are not counted".to_owned()));
    }
    if answer["draining"] == true {
        rows.insert(0, ("draining", "no new connections".to_owned()));
    }
    if get("/loops/missing") > 0 {
        rows.push(("held up", format!("{} event loops do not answer", get("/loops/missing"))));
    }
    let mut shown = String::new();
    for (name, value) in rows {
        writeln!(shown, "{name:<12} {value}").expect("writing to a string succeeds");
    }
    shown
}

fn connections(answer: &Value) -> String {
    let listed: Vec<_> = answer["connections"].as_array().into_iter().flatten().collect();
    let heading = ["id", "client", "state", "for", "user", "in", "out", "request"];
    let mut rows = vec![heading.map(str::to_owned)];
    for one in &listed {
        let request = &one["request"];
        let bytes = |key: &str| match request.is_object() {
            true => number(&request[key]).to_string(),
            false => "-".to_owned(),
        };
        rows.push([
            text(&one["id"]),
            text(&one["client"]),
            text(&one["state"]),
            seconds(number(&one["elapsed_ms"]) / 1000),
            text(&request["user"]),
            bytes("bytes_in"),
            bytes("bytes_out"),
            match request.is_object() {
                true => format!("{} {}", text(&request["method"]), text(&request["target"])),
                false => "-".to_owned(),
            },
        ]);
    }
    let mut shown = table(&rows);
    let total = number(&answer["total"]);
    if total > listed.len() as u64 {
        writeln!(shown, "{total} are open; --most lists more of them")
            .expect("writing to a string succeeds");
    }
    shown
}

fn bans(answer: &Value) -> String {
    let mut rows = vec![["network", "for", "times", "cause"].map(str::to_owned)];
    for ban in answer["bans"].as_array().into_iter().flatten() {
        rows.push([
            text(&ban["network"]),
            seconds(number(&ban["seconds_left"])),
            number(&ban["times"]).to_string(),
            text(&ban["cause"]),
        ]);
    }
    if rows.len() == 1 {
        return "nobody is banned for a time\n".to_owned();
    }
    table(&rows)
}

/// Columns, each as wide as it must be.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    });
    let mut shown = String::new();
    for row in rows {
        let cells: Vec<_> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        shown += cells.join("  ").trim_end();
        shown.push('\n');
    }
    shown
}

/// Text of an answer, as one word on a terminal: whatever a client has sent.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_f64().map(|number| number as u64)).unwrap_or_default()
}

/// `7 s`, `3 min`, `2 h`, `5 d`: whoever looks wants to know about how long.
fn seconds(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_are_as_wide_as_they_must_be_and_hold_no_control_characters() {
        let answer = json!({"total": 3, "connections": [
            {"id": "0-1-7", "client": "127.0.0.1:50412", "state": "tunnel", "elapsed_ms": 125_000.5,
             "request": {"user": "ann", "bytes_in": 5, "bytes_out": 1234567, "method": "CONNECT",
                         "target": "a.example:443"}},
            {"id": "0-1-12", "client": "[::1]:5", "state": "id\u{1b}le", "elapsed_ms": 0.0,
             "request": null}]});
        assert_eq!(
            connections(&answer),
            "id      client           state   for    user  in  out      request\n\
             0-1-7   127.0.0.1:50412  tunnel  2 min  ann   5   1234567  CONNECT a.example:443\n\
             0-1-12  [::1]:5          id?le   0 s    -     -   -        -\n\
             3 are open; --most lists more of them\n"
        );
    }

    #[test]
    fn what_was_not_done_is_told_as_it_was_told() {
        let complaints = r#"{"complaints":["f:1:1: unknown setting `x`","f:2:1: too"]}"#;
        assert_eq!(
            refused(422, complaints),
            "it was not done:\nf:1:1: unknown setting `x`\nf:2:1: too"
        );
        assert_eq!(refused(401, "the token is wrong\n"), "the token is wrong (status 401)");
    }

    #[test]
    fn no_bans_are_no_table() {
        assert_eq!(bans(&json!({"bans": []})), "nobody is banned for a time\n");
        let ban = json!({"network": "192.0.2.7/32", "seconds_left": 600, "times": 2,
            "cause": "malformed"});
        assert_eq!(
            bans(&json!({"bans": [ban]})),
            "network       for     times  cause\n192.0.2.7/32  10 min  2      malformed\n"
        );
    }
}
