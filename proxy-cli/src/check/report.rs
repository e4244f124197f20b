//! [`Report`]: what has become of each field, and what it gives away.

use std::fmt;

/// One request, as it was sent and as it arrived.
pub struct Report {
    lines: Vec<Line>,
}

/// What has become of one field.
struct Line {
    fate: Fate,
    name: String,
    /// What arrived; what was sent, where nothing did.
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    Changed,
    /// By the proxy.
    Added,
    Withheld,
}

/// What fields give away as they are sent, and what is left of it when they are changed. The others
/// are every client's.
const SECRETS: [(&str, &str, &str); 17] = [
    ("user-agent", "the program, its version, the system", ""),
    (
        "accept-language",
        "languages, and so perhaps a country",
        "languages, and so perhaps a country",
    ),
    ("referer", "the page before this one", "the site before this one"),
    ("cookie", "who it is, to whoever has set it", "who it is, to whoever has set it"),
    ("from", "an address for mail", "an address for mail"),
    ("sec-ch-ua", "the program", "the program"),
    ("sec-ch-ua-platform", "the system", "the system"),
    ("sec-ch-ua-platform-version", "the version of the system", "the version of the system"),
    ("sec-ch-ua-model", "the model of the device", "the model of the device"),
    ("device-memory", "the memory of the device", "the memory of the device"),
    ("x-forwarded-for", "an address of the client", "an address of the client"),
    ("x-forwarded-proto", "how the client came", "how the client came"),
    ("forwarded", "an address of the client", "an address of the client"),
    ("x-real-ip", "an address of the client", "an address of the client"),
    ("true-client-ip", "an address of the client", "an address of the client"),
    ("x-uidh", "a number of the subscriber", "a number of the subscriber"),
    ("via", "proxies on the way", "that there are proxies"),
];

impl Report {
    /// Compares two heads of a request, the first as it was sent.
    pub fn new(sent: &str, seen: &str) -> Report {
        let mut arrived: Vec<_> = fields(seen).map(Some).collect();
        let mut take = |name: &str| {
            let is_it = |field: &Option<(&str, &str)>| {
                field.is_some_and(|(other, _)| other.eq_ignore_ascii_case(name))
            };
            arrived.iter_mut().find(|field| is_it(field)).and_then(Option::take)
        };
        let mut lines = Vec::new();
        for (name, value) in fields(sent) {
            let (fate, value) = match take(name) {
                Some((_, now)) if now == value => (Fate::Kept, now),
                Some((_, now)) => (Fate::Changed, now),
                // What is said to the next hop alone always ends there (RFC 9110 §7.6.1).
                None if name == "Connection" => continue,
                None => (Fate::Withheld, value),
            };
            lines.push(Line { fate, name: name.to_owned(), value: value.to_owned() });
        }
        for (name, value) in arrived.into_iter().flatten() {
            let (name, value) = (name.to_owned(), value.to_owned());
            lines.push(Line { fate: Fate::Added, name, value });
        }
        Report { lines }
    }

    fn count(&self, is_counted: impl Fn(&Line) -> bool) -> usize {
        self.lines.iter().filter(|line| is_counted(line)).count()
    }
}

fn fields(head: &str) -> impl Iterator<Item = (&str, &str)> {
    head.lines().skip(1).filter_map(|line| line.split_once(": "))
}

impl Line {
    /// What it gives away, if it does.
    fn secret(&self) -> Option<&'static str> {
        let of_it = SECRETS.iter().find(|(name, ..)| self.name.eq_ignore_ascii_case(name));
        let (_, whole, left) = of_it?;
        let secret = match self.fate {
            Fate::Kept | Fate::Added => whole,
            Fate::Changed => left,
            Fate::Withheld => "",
        };
        (!secret.is_empty()).then_some(secret)
    }
}

/// The width of what is shown of a value.
const SHOWN: usize = 32;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {:<27}{:<SHOWN$}  what it gives away", "field", "what an upstream is told")?;
        for line in &self.lines {
            let Line { fate, name, value } = line;
            let mark = match fate {
                Fate::Kept => ' ',
                Fate::Changed => '~',
                Fate::Added => '+',
                Fate::Withheld => '-',
            };
            let value = match fate {
                Fate::Withheld => "nothing".to_owned(),
                _ if value.chars().count() > SHOWN => {
                    value.chars().take(SHOWN - 1).chain(['…']).collect()
                }
                _ => value.clone(),
            };
            let line = format!("{mark} {name:<27}{value:<SHOWN$}  {}", line.secret().unwrap_or(""));
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(
            f,
            "\n{} give something away; {} changed (~), {} withheld (-), {} added (+).",
            self.count(|line| line.secret().is_some()),
            self.count(|line| line.fate == Fate::Changed),
            self.count(|line| line.fate == Fate::Withheld),
            self.count(|line| line.fate == Fate::Added),
        )?;
        writeln!(
            f,
            "An upstream also sees the address of this proxy. Nothing is withheld from what goes\n\
             through a tunnel (https)."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_its_fate() {
        let sent = "GET / HTTP/1.1\r\nHost: h\r\nReferer: http://a/b\r\nFrom: a@b\r\nVia: 1.1 a\r\n\
                    Connection: close\r\n\r\n";
        let seen = "GET / HTTP/1.1\r\nHost: h\r\nreferer: http://a/\r\nVia: 1.1 hidden\r\n\
                    Via: 1.1 me\r\n\r\n";
        let report = Report::new(sent, seen);
        let told: Vec<_> = report
            .lines
            .iter()
            .map(|line| {
                (line.fate, line.name.as_str(), line.value.as_str(), line.secret().is_some())
            })
            .collect();
        assert_eq!(
            told,
            [
                (Fate::Kept, "Host", "h", false),
                (Fate::Changed, "Referer", "http://a/", true),
                (Fate::Withheld, "From", "a@b", false),
                (Fate::Changed, "Via", "1.1 hidden", true),
                (Fate::Added, "Via", "1.1 me", true),
            ]
        );
        let shown = report.to_string();
        assert!(shown.contains("- From                       nothing\n"), "{shown}");
        assert!(
            shown.contains("3 give something away; 2 changed (~), 1 withheld (-), 1 added (+).")
        );
        assert!(shown.lines().take(7).all(|line| line.chars().count() <= 100), "{shown}");
    }
}
