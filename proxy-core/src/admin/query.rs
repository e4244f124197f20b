//! [`Query`]: what stands behind the question mark.

use std::time::Duration;

/// Names and values, decoded, in their order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Parts a target into its path and its query.
    ///
    /// # Errors
    /// What is wrong with the query, in words.
    pub(super) fn of(target: &str) -> Result<(&str, Query), String> {
        let Some((path, text)) = target.split_once('?') else {
            return Ok((target, Query::default()));
        };
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let pair = (decoded(name)?, decoded(value)?);
            if pairs.iter().any(|(name, _)| *name == pair.0) {
                return Err(format!("`{}` is there twice", pair.0));
            }
            pairs.push(pair);
        }
        Ok((path, Query(pairs)))
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// Says so if anything else is asked than what is `known`: it would be without effect, and
    /// whoever asks it believes that it is not.
    ///
    /// # Errors
    /// What is not known, in words.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), String> {
        match self.pairs().find(|(name, _)| !known.contains(name)) {
            None => Ok(()),
            Some((name, _)) if known.is_empty() => {
                Err(format!("nothing is known of `{name}` here"))
            }
            Some((name, _)) => {
                Err(format!("`{name}` is not known here; there is {}", known.join(", ")))
            }
        }
    }
}

/// A time with its unit: `250ms`, `30s`, `5m`, `1h`, `1d`.
///
/// # Errors
/// That it is none.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time: expected one such as 250ms, 30s, 5m, 1h or 1d");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(factor).map(Duration::from_millis).ok_or_else(wrong)
}

/// Percent-encoding undone (RFC 3986 §2.1), and `+` for a space, as forms and many a tool have it.
pub(super) fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
                match (digit(), digit()) {
                    (Some(high), Some(low)) => (high << 4 | low) as u8,
                    _ => return Err(format!("`{text}` has a % without two digits behind it")),
                }
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| format!("`{text}` is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_path_and_a_query() {
        for (target, path, pairs) in [
            ("/a", "/a", &[][..]),
            ("/a?", "/a", &[]),
            ("/a?b", "/a", &[("b", "")]),
            ("/a?b=c=d&&e=%66%2F+g", "/a", &[("b", "c=d"), ("e", "f/ g")]),
            ("/a?x=%c3%A9", "/a", &[("x", "é")]),
        ] {
            let (own, query) = Query::of(target).unwrap();
            assert_eq!((own, query.pairs().collect::<Vec<_>>()), (path, pairs.to_vec()));
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (target, words) in [
            ("/?a=1&a=2", "`a` is there twice"),
            ("/?a=%2", "without two digits"),
            ("/?%zz", "without two digits"),
            ("/?a=%ff", "not UTF-8"),
        ] {
            assert!(Query::of(target).unwrap_err().contains(words), "{target}");
        }
        let (_, query) = Query::of("/?host=a&hots=b").unwrap();
        assert_eq!(query.get("host"), Some("a"));
        assert!(query.only(&["host"]).unwrap_err().contains("`hots` is not known"));
        assert_eq!(query.only(&["hots", "host"]), Ok(()));
    }

    #[test]
    fn times_have_units() {
        for (text, millis) in [("250ms", 250), ("30s", 30_000), ("5m", 300_000), ("1d", 86_400_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)));
        }
        for text in
            ["", "5", "s", "-1s", "1.5s", "1w", "99999999999999999999s", "9999999999999999d"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
