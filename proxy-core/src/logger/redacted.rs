//! [`Redacted`]: records without what stands in queries, or without users.

use std::fmt::{self, Write};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::RequestLogger;
use super::pseudonyms::Pseudonyms;
use super::record::AccessRecord;

/// Gives a logger records that lack some of what clients tell. Addresses are veiled by
/// [`Veiled`](super::Veiled).
///
/// ```
/// use proxy_core::{JsonLogger, Redacted};
///
/// let logger = Redacted::new(JsonLogger::stdout())
///     .without_parameters(["token", "password"])
///     .with_pseudonyms_of_users();
/// # drop(logger);
/// ```
pub struct Redacted<L> {
    queries: Queries,
    users: Users,
    /// Where texts are put together.
    scratch: Mutex<Scratch>,
    logger: L,
}

enum Queries {
    Whole,
    Without(Vec<String>),
    Hidden,
}

enum Users {
    Named,
    Pseudonyms(Pseudonyms),
    Hidden,
}

#[derive(Default)]
struct Scratch {
    target: String,
    referer: Vec<u8>,
    user: String,
}

/// What stands where something was.
const HIDDEN: &str = "***";
/// What a scratch buffer may keep from one record to the next.
const KEPT: usize = 64 * 1024;

impl<L: RequestLogger> Redacted<L> {
    /// Everything as it is, to begin with.
    pub fn new(logger: L) -> Redacted<L> {
        Redacted { queries: Queries::Whole, users: Users::Named, scratch: Mutex::default(), logger }
    }

    /// Puts `***` in the place of the query of a target, and of a `Referer`.
    #[must_use]
    pub fn without_queries(self) -> Redacted<L> {
        Redacted { queries: Queries::Hidden, ..self }
    }

    /// Puts `***` in the place of the values that these parameters of a query have, in a target and
    /// in a `Referer`. Upper case or lower, and whether a name has its bytes percent-encoded, makes
    /// no difference. Does not bring back queries that are left out.
    #[must_use]
    pub fn without_parameters(
        self,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Redacted<L> {
        let names = names.into_iter().map(Into::into);
        let queries = match self.queries {
            Queries::Hidden => Queries::Hidden,
            Queries::Whole => Queries::Without(names.collect()),
            Queries::Without(before) => Queries::Without(before.into_iter().chain(names).collect()),
        };
        Redacted { queries, ..self }
    }

    /// Leaves out who asked.
    #[must_use]
    pub fn without_users(self) -> Redacted<L> {
        Redacted { users: Users::Hidden, ..self }
    }

    /// Has `user-` and 16 hexadecimal digits in the place of a user's name: the same ones for as long
    /// as a day of UTC lasts and this logger exists. The key they are made with is written nowhere.
    #[must_use]
    pub fn with_pseudonyms_of_users(self) -> Redacted<L> {
        Redacted { users: Users::Pseudonyms(Pseudonyms::default()), ..self }
    }
}

impl Queries {
    /// Says of a target, piece by piece, what may be told of it, and where something is hidden
    /// (`None`). Pieces begin and end beside ASCII characters: text can be cut there.
    fn pieces(&self, target: &[u8], mut put: impl FnMut(Option<Range<usize>>)) {
        let query = match (self, memchr::memchr(b'?', target)) {
            (Queries::Whole, _) | (_, None) => return put(Some(0..target.len())),
            (_, Some(mark)) => mark + 1,
        };
        let end = memchr::memchr(b'#', &target[query..]).map_or(target.len(), |at| query + at);
        put(Some(0..query));
        match self {
            Queries::Without(names) => {
                let mut at = query;
                while at < end {
                    let next = memchr::memchr2(b'&', b';', &target[at..end]);
                    let next = next.map_or(end, |length| at + length + 1);
                    let value = memchr::memchr(b'=', &target[at..next]).map(|it| at + it + 1);
                    match value {
                        Some(value)
                            if names.iter().any(|it| is_named(&target[at..value - 1], it)) =>
                        {
                            put(Some(at..value));
                            put(None);
                            let is_separated = matches!(target[next - 1], b'&' | b';');
                            put(Some(next - usize::from(is_separated)..next));
                        }
                        _ => put(Some(at..next)),
                    }
                    at = next;
                }
            }
            _ if query < end => put(None),
            _ => {}
        }
        put(Some(end..target.len()));
    }
}

/// Whether a parameter has this name, decoded and apart from case.
fn is_named(written: &[u8], name: &str) -> bool {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut rest = written;
    let decoded = std::iter::from_fn(|| {
        let (&first, behind) = rest.split_first()?;
        let digits = (hex(behind.first()), hex(behind.get(1)));
        let byte = match (first, digits) {
            (b'%', (Some(high), Some(low))) => {
                rest = &behind[2..];
                (high << 4 | low) as u8
            }
            (first, _) => {
                rest = behind;
                if first == b'+' { b' ' } else { first }
            }
        };
        Some(byte.to_ascii_lowercase())
    });
    decoded.eq(name.bytes().map(|byte| byte.to_ascii_lowercase()))
}

impl<L: RequestLogger> RequestLogger for Redacted<L> {
    fn log(&self, record: &AccessRecord<'_>) {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let Scratch { target, referer, user } = &mut *scratch;
        target.clear();
        referer.clear();
        user.clear();
        self.queries.pieces(record.target.as_bytes(), |piece| {
            target.push_str(piece.map_or(HIDDEN, |piece| &record.target[piece]));
        });
        let sent = record.referer.unwrap_or_default();
        self.queries.pieces(sent, |piece| {
            referer.extend_from_slice(piece.map_or(HIDDEN.as_bytes(), |piece| &sent[piece]));
        });
        if let (Users::Pseudonyms(pseudonyms), Some(name)) = (&self.users, record.user) {
            let number = pseudonyms.of(name, record.ended());
            write!(user, "user-{number:016x}").expect("a string takes what is written");
        }
        self.logger.log(&AccessRecord {
            target,
            referer: record.referer.map(|_| &**referer),
            user: match self.users {
                Users::Named => record.user,
                Users::Pseudonyms(_) => record.user.map(|_| &**user),
                Users::Hidden => None,
            },
            ..record.clone()
        });
        if target.capacity() + referer.capacity() > KEPT {
            *scratch = Scratch::default();
        }
    }

    fn flush(&self) {
        self.logger.flush();
    }

    fn lost(&self) -> u64 {
        self.logger.lost()
    }

    fn is_off(&self) -> bool {
        self.logger.is_off()
    }
}

impl<L: fmt::Debug> fmt::Debug for Redacted<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redacted").field("logger", &self.logger).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::{Duration, UNIX_EPOCH};

    /// What a logger behind it gets to see: target, referer and user.
    type Told = (String, Option<String>, Option<String>);

    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<Told>>>);

    impl RequestLogger for Seen {
        fn log(&self, record: &AccessRecord<'_>) {
            self.0.lock().unwrap().push((
                record.target.to_owned(),
                record.referer.map(|referer| String::from_utf8_lossy(referer).into_owned()),
                record.user.map(str::to_owned),
            ));
        }
    }

    fn targets(redact: fn(Redacted<Seen>) -> Redacted<Seen>, targets: &[&str]) -> Vec<String> {
        let seen = Seen::default();
        let logger = redact(Redacted::new(seen.clone()));
        for target in targets {
            let mut record = AccessRecord::new(([127, 0, 0, 1], 5).into());
            record.target = target;
            record.referer = Some(target.as_bytes());
            logger.log(&record);
        }
        let seen = seen.0.lock().unwrap();
        assert!(seen.iter().all(|(target, referer, _)| Some(target) == referer.as_ref()));
        seen.iter().map(|(target, ..)| target.clone()).collect()
    }

    #[test]
    fn a_query_is_hidden_and_nothing_else() {
        assert_eq!(
            targets(
                Redacted::without_queries,
                &["http://h/a?b=c&d", "http://h/a", "/?", "h:443", "http://é/?é#f", "/?a?b"]
            ),
            ["http://h/a?***", "http://h/a", "/?", "h:443", "http://é/?***#f", "/?***"]
        );
    }

    #[test]
    fn named_parameters_lose_their_values_however_they_are_written() {
        assert_eq!(
            targets(
                |logger| logger.without_parameters(["token", "a b"]),
                &[
                    "/?token=s",
                    "/?x=1&token=s&y=2",
                    "/?TOKEN=s;t%6Fken=s=s#f",
                    "/?a+b=s&a%20b=s",
                    "/?token",
                    "/?mytoken=1&tokens=2&x=token",
                    "/?é=ü&token=ö&&",
                    "/token=1",
                    "/?token=",
                    "/?t%6=1&%",
                ]
            ),
            [
                "/?token=***",
                "/?x=1&token=***&y=2",
                "/?TOKEN=***;t%6Fken=***#f",
                "/?a+b=***&a%20b=***",
                "/?token",
                "/?mytoken=1&tokens=2&x=token",
                "/?é=ü&token=***&&",
                "/token=1",
                "/?token=***",
                "/?t%6=1&%",
            ]
        );
    }

    #[test]
    fn what_is_hidden_as_a_whole_does_not_come_back() {
        let both = |logger: Redacted<Seen>| logger.without_queries().without_parameters(["b"]);
        assert_eq!(targets(both, &["/?a=1&b=2"]), ["/?***"]);
        assert_eq!(targets(|logger| logger, &["/?a=1&b=2"]), ["/?a=1&b=2"]);
    }

    #[test]
    fn users_are_left_out_or_have_a_pseudonym_for_a_day() {
        let users = |redact: fn(Redacted<Seen>) -> Redacted<Seen>| -> Vec<Option<String>> {
            let seen = Seen::default();
            let logger = redact(Redacted::new(seen.clone()));
            for (user, day) in
                [(Some("ann"), 0), (Some("ann"), 0), (Some("bob"), 0), (None, 0), (Some("ann"), 1)]
            {
                let mut record = AccessRecord::new(([127, 0, 0, 1], 5).into());
                record.user = user;
                record.time = UNIX_EPOCH + Duration::from_secs(day * 86_400);
                logger.log(&record);
            }
            let seen = seen.0.lock().unwrap();
            seen.iter().map(|(_, _, user)| user.clone()).collect()
        };
        assert_eq!(users(Redacted::without_users), [None, None, None, None, None]);
        let shown = users(Redacted::with_pseudonyms_of_users);
        assert!(shown[0].as_ref().unwrap().starts_with("user-"));
        assert_eq!((shown[0].as_ref().unwrap().len(), &shown[0]), (21, &shown[1]));
        assert!(shown[2] != shown[0] && shown[3].is_none() && shown[4] != shown[0], "{shown:?}");
    }
}
