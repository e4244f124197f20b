//! Sizes in bytes: `4096`, `32 KiB`.

/// Units, the larger ones of each sort first.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1000),
    ("B", 1),
];

/// Reads a whole number of bytes, or of a unit.
pub fn parse(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = (&text[..digits], text[digits..].trim_start());
    let factor = if unit.is_empty() {
        1
    } else {
        UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
            .map(|(_, factor)| *factor)
            .filter(|_| !number.is_empty())
            .ok_or("a size such as 4096 or \"32 KiB\" is expected; units are B, KiB, MiB, GiB, TiB, KB, MB, GB, TB")?
    };
    match number.parse::<u64>() {
        Ok(number) => number.checked_mul(factor).ok_or_else(|| "is too large".to_owned()),
        Err(_) if number.is_empty() => {
            Err("a size such as 4096 or \"32 KiB\" is expected".to_owned())
        }
        Err(_) => Err("is too large".to_owned()),
    }
}

/// The way to write it exactly that has the smallest number.
pub fn show(bytes: u64) -> String {
    let exact = UNITS.iter().filter(|(_, factor)| bytes.is_multiple_of(*factor) && bytes > 0);
    match exact.min_by_key(|(_, factor)| bytes / factor) {
        None | Some((_, 1)) => bytes.to_string(),
        Some((name, factor)) => format!("{} {name}", bytes / factor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_or_none() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("7B", 7),
            ("32 KiB", 32 * 1024),
            ("1mib", 1 << 20),
            ("5 MB", 5_000_000),
            ("3GiB", 3 << 30),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "KiB", "-1", "1.5 MiB", "32 K", "32 KiB more", "1 2", "many"] {
            assert!(parse(text).unwrap_err().contains("is expected"), "{text}");
        }
        for text in ["99999999999999999999", "99999999999 GiB"] {
            assert_eq!(parse(text).unwrap_err(), "is too large", "{text}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read() {
        for (bytes, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1 KB"),
            (1024, "1 KiB"),
            (1536, "1536"),
            (1_024_000, "1000 KiB"),
            (50_000_000_000, "50 GB"),
        ] {
            assert_eq!(show(bytes), text);
        }
        for bytes in [0, 1, 1023, 1024, 1025, 1 << 20, 10 << 30, (1 << 40) + 1, u64::MAX] {
            assert_eq!(parse(&show(bytes)), Ok(bytes));
        }
    }
}
