//! Durations as people write them: `30s`, `250ms`, `1h`.

use std::time::Duration;

/// Units in milliseconds, the larger ones first.
const UNITS: [(&str, u64); 6] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1), ("min", 60_000)];

/// Reads a whole number of a unit.
pub fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = (&text[..digits], text[digits..].trim_start());
    if number.is_empty() {
        return Err("a time such as \"30s\", \"250ms\" or \"1h\" is expected".to_owned());
    }
    if unit.is_empty() {
        return Err(format!("a time needs a unit, such as \"{number}s\""));
    }
    let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err("the units of time are ms, s, m, h and d".to_owned());
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(*factor))
        .map(Duration::from_millis)
        .ok_or_else(|| "is too long".to_owned())
}

/// In the largest unit of which it is a multiple. What is below a millisecond is left out.
pub fn show(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    match UNITS[..4].iter().find(|(_, factor)| millis > 0 && millis.is_multiple_of(*factor)) {
        Some((name, factor)) => format!("{}{name}", millis / factor),
        None if millis == 0 => "0s".to_owned(),
        None => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit() {
        for (text, millis) in [
            ("250ms", 250),
            ("30s", 30_000),
            ("30 s", 30_000),
            ("5m", 300_000),
            ("5min", 300_000),
            ("1h", 3_600_000),
            ("2d", 172_800_000),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for (text, expected) in [
            ("", "is expected"),
            ("soon", "is expected"),
            ("-1s", "is expected"),
            ("30", "needs a unit, such as \"30s\""),
            ("1.5s", "the units of time are"),
            ("1h30m", "the units of time are"),
            ("10 parsecs", "the units of time are"),
            ("99999999999999999999s", "is too long"),
            ("9999999999999999d", "is too long"),
        ] {
            assert!(parse(text).unwrap_err().contains(expected), "{text}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read() {
        for (millis, text) in
            [(0, "0s"), (250, "250ms"), (1500, "1500ms"), (90_000, "90s"), (300_000, "5m")]
        {
            let duration = Duration::from_millis(millis);
            assert_eq!(show(duration), text);
            assert_eq!(parse(text), Ok(duration));
        }
    }
}
