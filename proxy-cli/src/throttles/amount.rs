//! Amounts in a time: `10/s burst 20`, `1 MB/s`, `50 GB/month`.

use std::time::Duration;

use proxy_core::throttle::{Period, Rate};

use crate::{duration, size};

/// Words for a time, beside those that stand behind a number.
const TIMES: [(&str, Duration); 10] = [
    ("s", Duration::from_secs(1)),
    ("sec", Duration::from_secs(1)),
    ("second", Duration::from_secs(1)),
    ("m", Duration::from_secs(60)),
    ("min", Duration::from_secs(60)),
    ("minute", Duration::from_secs(60)),
    ("h", Duration::from_secs(3600)),
    ("hour", Duration::from_secs(3600)),
    ("d", Duration::from_secs(86_400)),
    ("day", Duration::from_secs(86_400)),
];

/// What there is so much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Requests,
    Bytes,
}

impl Of {
    fn parse(self, text: &str) -> Result<u64, String> {
        let text = text.trim();
        let amount = match self {
            Of::Bytes => size::parse(text)?,
            Of::Requests => text.parse().map_err(|_| format!("`{text}` is no number"))?,
        };
        if amount == 0 { Err("nothing at all is no amount".to_owned()) } else { Ok(amount) }
    }

    fn show(self, amount: u64) -> String {
        match self {
            Of::Bytes => size::show(amount),
            Of::Requests => amount.to_string(),
        }
    }

    /// How such a rate is written.
    fn example(self) -> &'static str {
        match self {
            Of::Bytes => "a rate such as \"1 MB/s\" is expected",
            Of::Requests => "a rate such as \"10/s\" or \"600/min burst 50\" is expected",
        }
    }
}

/// Reads so many in a time, and how many may come at once, perhaps.
pub fn parse_rate(text: &str, of: Of) -> Result<Rate, String> {
    let (rate, burst) = match text.split_once("burst") {
        Some((rate, burst)) => (rate, Some(of.parse(burst)?)),
        None => (text, None),
    };
    let (amount, time) = rate.split_once('/').ok_or(of.example())?;
    let (amount, time) = (of.parse(amount)?, time.trim());
    let per = match TIMES.iter().find(|(word, _)| *word == time) {
        Some((_, per)) => *per,
        None if time.starts_with(|c: char| c.is_ascii_digit()) => duration::parse(time)?,
        None => return Err(format!("`{time}` is no time; {}", of.example())),
    };
    if per.is_zero() {
        return Err("no time at all is no time".to_owned());
    }
    let rate = Rate::new(amount, per);
    Ok(burst.map_or(rate, |burst| rate.with_burst(burst)))
}

/// As it can be read again.
pub fn show_rate(rate: Rate, of: Of) -> String {
    let time = match TIMES.iter().find(|(_, per)| *per == rate.per()) {
        Some((word, _)) => (*word).to_owned(),
        None => duration::show(rate.per()),
    };
    let burst = rate.burst().map(|burst| format!(" burst {}", of.show(burst)));
    format!("{}/{time}{}", of.show(rate.amount()), burst.unwrap_or_default())
}

/// Reads so many bytes a day or a month.
pub fn parse_volume(text: &str) -> Result<(u64, Period), String> {
    let expected = "a volume such as \"2 GB/day\" or \"50 GB/month\" is expected";
    let (bytes, period) = text.split_once('/').ok_or(expected)?;
    let period = match period.trim() {
        "day" => Period::Day,
        "month" => Period::Month,
        other => return Err(format!("`{other}` is neither day nor month; {expected}")),
    };
    Ok((Of::Bytes.parse(bytes)?, period))
}

/// As it can be read again.
pub fn show_volume(bytes: u64, period: Period) -> String {
    let period = if period == Period::Day { "day" } else { "month" };
    format!("{}/{period}", size::show(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_people_write_them_and_shown_so_that_they_can_be() {
        for (text, of, shown) in [
            ("10/s", Of::Requests, "10/s"),
            ("600/min burst 50", Of::Requests, "600/m burst 50"),
            ("1 / hour", Of::Requests, "1/h"),
            ("3/10s", Of::Requests, "3/10s"),
            ("1000/day", Of::Requests, "1000/d"),
            ("1 MB/s", Of::Bytes, "1 MB/s"),
            ("64KiB/s burst 1 MiB", Of::Bytes, "64 KiB/s burst 1 MiB"),
            ("4096/250ms", Of::Bytes, "4 KiB/250ms"),
        ] {
            let rate = parse_rate(text, of).unwrap();
            assert_eq!(show_rate(rate, of), shown);
            assert_eq!(parse_rate(shown, of), Ok(rate));
        }
    }

    #[test]
    fn what_is_no_rate_is_told() {
        for (text, expected) in [
            ("", "is expected"),
            ("10", "is expected"),
            ("0/s", "nothing at all"),
            ("ten/s", "`ten` is no number"),
            ("1 MB/s", "`1 MB` is no number"),
            ("10/fortnight", "`fortnight` is no time"),
            ("10/0s", "no time at all"),
            ("10/s burst", "`` is no number"),
            ("10/s burst 0", "nothing at all"),
            ("10/s bursts 3", "`s 3` is no number"),
        ] {
            let problem = parse_rate(text, Of::Requests).unwrap_err();
            assert!(problem.contains(expected), "{text}: {problem}");
        }
        assert!(parse_rate("1 Mbit/s", Of::Bytes).unwrap_err().contains("units are B, KiB"));
    }

    #[test]
    fn volumes_are_of_days_and_months() {
        assert_eq!(parse_volume("50 GB/month"), Ok((50_000_000_000, Period::Month)));
        assert_eq!(parse_volume("2GiB / day"), Ok((2 << 30, Period::Day)));
        assert_eq!(show_volume(2 << 30, Period::Day), "2 GiB/day");
        for text in ["", "50 GB", "50 GB/week", "0/day", "x/day"] {
            assert!(parse_volume(text).is_err(), "{text}");
        }
    }
}
