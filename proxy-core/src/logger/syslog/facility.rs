//! [`Facility`]: which kind of program a message is of.

use std::fmt;
use std::str::FromStr;

/// Which kind of program a message is of, as servers of syslog sort them (RFC 5424 §6.2.1).
///
/// ```
/// use proxy_core::Facility;
///
/// assert_eq!("local3".parse(), Ok(Facility::LOCAL3));
/// assert_eq!(Facility::DAEMON.to_string(), "daemon");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Facility(u8);

macro_rules! facilities {
    ($($name:ident = $number:literal, $word:literal;)+) => {
        impl Facility {
            $(
                #[doc = concat!("`", $word, "`, ", stringify!($number), ".")]
                pub const $name: Facility = Facility($number);
            )+

            const WORDS: &[(&str, Facility)] = &[$(($word, Facility::$name),)+];
        }
    };
}

facilities! {
    USER = 1, "user";
    DAEMON = 3, "daemon";
    LOCAL0 = 16, "local0";
    LOCAL1 = 17, "local1";
    LOCAL2 = 18, "local2";
    LOCAL3 = 19, "local3";
    LOCAL4 = 20, "local4";
    LOCAL5 = 21, "local5";
    LOCAL6 = 22, "local6";
    LOCAL7 = 23, "local7";
}

/// The severity of all messages.
const INFO: u8 = 6;

impl Facility {
    /// All of them by their words.
    pub fn words() -> impl Iterator<Item = &'static str> {
        Facility::WORDS.iter().map(|(word, _)| *word)
    }

    /// The number at the head of a message.
    pub(super) fn priority(self) -> u8 {
        self.0 * 8 + INFO
    }
}

impl fmt::Display for Facility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Facility::WORDS.iter().find(|(_, facility)| facility == self);
        f.write_str(known.map_or("daemon", |(word, _)| word))
    }
}

impl FromStr for Facility {
    type Err = String;

    /// By its word.
    fn from_str(text: &str) -> Result<Facility, String> {
        let known = Facility::WORDS.iter().find(|(word, _)| *word == text);
        known.map(|(_, facility)| *facility).ok_or_else(|| {
            let words: Vec<_> = Facility::words().collect();
            format!("must be one of {}", words.join(", "))
        })
    }
}
