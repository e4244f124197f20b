//! [`Events`]: what comes from `/events`, line by line.

use serde_json::Value;

/// Reads server-sent events, wherever they are cut into pieces.
pub struct Events {
    json: bool,
    rest: Vec<u8>,
    /// The event that is being read is the news of a loss.
    is_loss: bool,
}

impl Events {
    /// As lines for people, or the objects as they come.
    pub fn new(json: bool) -> Events {
        Events { json, rest: Vec::new(), is_loss: false }
    }

    /// Takes the next bytes; gives what there is to show.
    pub fn take(&mut self, piece: &[u8]) -> String {
        self.rest.extend_from_slice(piece);
        let Some(end) = self.rest.iter().rposition(|&byte| byte == b'\n') else {
            return String::new();
        };
        let lines: Vec<u8> = self.rest.drain(..=end).collect();
        let mut shown = String::new();
        for line in String::from_utf8_lossy(&lines).lines() {
            if line.is_empty() {
                self.is_loss = false;
            } else if line == "event: lost" {
                self.is_loss = true;
            } else if let Some(data) = line.strip_prefix("data: ") {
                shown += &self.line(data);
                shown.push('\n');
            }
        }
        shown
    }

    fn line(&self, data: &str) -> String {
        if self.json {
            return data.to_owned();
        }
        let object: Value = serde_json::from_str(data).unwrap_or_default();
        if self.is_loss {
            return format!(
                "({} more were lost: they came faster than they were read)",
                object["lost"]
            );
        }
        let word = |key: &str| match &object[key] {
            Value::String(text) => {
                text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
            }
            Value::Null => "-".to_owned(),
            other => other.to_string(),
        };
        let mut line = format!(
            "{} {:<21} {:>3} {:<7} {:>9} B {:>9} ms  {}",
            word("time"),
            word("client"),
            word("status"),
            word("method"),
            word("bytes_out"),
            word("duration_ms"),
            word("target")
        );
        if object["kind"] == "tunnel" {
            line += if object["event"] == "open" { " OPEN" } else { " CLOSE" };
        }
        for key in ["reason", "rule", "user"] {
            if !object[key].is_null() {
                line += &match key {
                    "reason" => format!(" {}", word(key)),
                    _ => format!(" {key}:{}", word(key)),
                };
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": hello\n\ndata: {\"event\":\"close\",\"kind\":\"exchange\",\
        \"time\":\"2026-11-23T20:25:14.965Z\",\"client\":\"127.0.0.1:5\",\"method\":\"GET\",\
        \"target\":\"http://h/\u{7f}\",\"status\":403,\"reason\":\"denied_by_rule\",\"bytes_out\":12,\
        \"duration_ms\":4.254,\"rule\":\"ads\",\"user\":null}\n\nevent: lost\ndata: {\"lost\":3}\n\n";

    #[test]
    fn pieces_make_no_difference() {
        let whole = Events::new(false).take(STREAM.as_bytes());
        assert_eq!(
            whole,
            "2026-11-23T20:25:14.965Z 127.0.0.1:5           403 GET            12 B     4.254 ms  \
             http://h/? denied_by_rule rule:ads\n\
             (3 more were lost: they came faster than they were read)\n"
        );
        let mut events = Events::new(false);
        let dripped: String = STREAM.bytes().map(|byte| events.take(&[byte])).collect();
        assert_eq!(dripped, whole);
    }

    #[test]
    fn objects_are_shown_as_they_come() {
        let shown = Events::new(true).take(STREAM.as_bytes());
        let lines: Vec<_> = shown.lines().collect();
        assert!(lines[0].starts_with("{\"event\":\"close\"") && lines[0].ends_with("null}"));
        assert_eq!(lines[1..], ["{\"lost\":3}"]);
    }
}
