//! [`Credentials`]: user and password, as RFC 7617 has them sent.

use super::password::{Password, wipe};

/// What stands behind `Basic` in a field: a user and a password.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: Password,
}

/// Why the value of a field holds no [`Credentials`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CredentialsError {
    /// They are for another scheme: the client does not know yet what is wanted.
    OtherScheme,
    /// They are for this one, and not in its form.
    Malformed,
}

/// The longest encoded credentials: 768 bytes decoded. People type less, and programs that keep a
/// token in the place of a password still have room.
const LONGEST: usize = 1024;

impl Credentials {
    /// Reads `Basic <base64 of user:password>` (RFC 7617 §2). Strictly: one space or more, the
    /// standard alphabet with its padding and no stray bits, UTF-8, no control characters, and a
    /// user of at least one character, which cannot hold a colon. So there is one way to write each.
    pub(crate) fn parse(value: &[u8]) -> Result<Credentials, CredentialsError> {
        // RFC 9110 §11.4: the scheme has no case, and one or more spaces stand behind it.
        let scheme_end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
        let (scheme, rest) = value.split_at(scheme_end);
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return Err(CredentialsError::OtherScheme);
        }
        let encoded = rest.trim_ascii_start();
        if encoded.len() > LONGEST {
            return Err(CredentialsError::Malformed);
        }
        let mut decoded = decode(encoded).ok_or(CredentialsError::Malformed)?;
        let credentials = split(&decoded);
        wipe(&mut decoded);
        credentials.ok_or(CredentialsError::Malformed)
    }
}

fn split(decoded: &[u8]) -> Option<Credentials> {
    let text = std::str::from_utf8(decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    if user.is_empty() || text.chars().any(char::is_control) {
        return None;
    }
    Some(Credentials { user: user.to_owned(), password: Password::new(password.to_owned()) })
}

/// Base64 (RFC 4648 §4).
fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
    if encoded.is_empty() || !encoded.len().is_multiple_of(4) {
        return None;
    }
    let padding = encoded.iter().rev().take_while(|byte| **byte == b'=').count();
    if padding > 2 {
        return None;
    }
    let mut decoded = Vec::with_capacity(encoded.len() / 4 * 3);
    for quad in encoded.chunks_exact(4) {
        let is_last = decoded.len() + 3 == encoded.len() / 4 * 3;
        let padding = if is_last { padding } else { 0 };
        let mut bits = 0;
        for byte in &quad[..4 - padding] {
            bits = bits << 6 | sextet(*byte)?;
        }
        bits <<= 6 * padding;
        let [_, bytes @ ..] = u32::to_be_bytes(bits);
        let (used, unused) = bytes.split_at(3 - padding);
        // RFC 4648 §3.5: bits that say nothing are zero, or one text could be written in several
        // ways.
        if unused.iter().any(|byte| *byte != 0) {
            wipe(&mut decoded);
            return None;
        }
        decoded.extend_from_slice(used);
    }
    Some(decoded)
}

fn sextet(byte: u8) -> Option<u32> {
    Some(
        match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        }
        .into(),
    )
}

/// Reads a value and panics over what must not be: for tests and fuzzers.
#[cfg(any(test, fuzzing))]
pub(crate) fn rehearse(value: &[u8]) {
    let scheme = value.split(|byte| *byte == b' ').next().unwrap_or_default();
    let is_basic = scheme.eq_ignore_ascii_case(b"basic");
    match Credentials::parse(value) {
        Ok(Credentials { user, password }) => {
            let password = password.expose();
            assert!(is_basic && !user.is_empty() && !user.contains(':'));
            assert!(!user.contains(char::is_control) && !password.contains(char::is_control));
            // There is one way to write each, but for the scheme and the spaces behind it.
            let written = encode(format!("{user}:{password}").as_bytes());
            assert_eq!(value[scheme.len()..].trim_ascii_start(), written.as_bytes());
        }
        Err(CredentialsError::OtherScheme) => assert!(!is_basic),
        Err(CredentialsError::Malformed) => assert!(is_basic),
    }
    // What anybody sends as a name and a password arrives as that.
    let Ok(text) = std::str::from_utf8(value) else { return };
    let Some((user, password)) = text.split_once(':') else { return };
    let sent = format!("Basic {}", encode(text.as_bytes()));
    if !user.is_empty() && !text.contains(char::is_control) && text.len() <= LONGEST / 4 * 3 {
        let read = Credentials::parse(sent.as_bytes()).expect("it is as RFC 7617 has it");
        assert_eq!((&*read.user, read.password.expose()), (user, password));
    }
}

/// Base64, once more and from the other side.
#[cfg(any(test, fuzzing))]
fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for group in bytes.chunks(3) {
        let mut bits = group.iter().fold(0, |bits: u32, byte| bits << 8 | u32::from(*byte));
        bits <<= 8 * (3 - group.len());
        for index in 0..4 {
            let sextet = bits >> (18 - 6 * index) & 63;
            let digit = if index <= group.len() { ALPHABET[sextet as usize] } else { b'=' };
            encoded.push(digit.into());
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(value: &str) -> Result<(String, String), CredentialsError> {
        Credentials::parse(value.as_bytes())
            .map(|it| (it.user.clone(), it.password.expose().to_owned()))
    }

    #[test]
    fn what_the_rfc_shows_is_read() {
        for (value, user, password) in [
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"),
            ("bASIC   QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"),
            ("Basic dGVzdDoxMjPCow==", "test", "123£"),
            ("Basic YTo=", "a", ""),
            ("Basic YTpi", "a", "b"),
            ("Basic YTpiOmM=", "a", "b:c"),
            ("Basic YSBiOmM=", "a b", "c"),
        ] {
            assert_eq!(parse(value), Ok((user.to_owned(), password.to_owned())), "{value}");
        }
    }

    #[test]
    fn another_scheme_is_not_this_one() {
        for value in ["", "Bearer abc", "Digest username=\"a\"", "BasicYTpi", "Basic\tYTpi", "YTpi"]
        {
            assert_eq!(parse(value), Err(CredentialsError::OtherScheme), "{value}");
        }
    }

    #[test]
    fn there_is_one_way_to_write_each() {
        for value in [
            "Basic",
            "Basic ",
            "Basic YTo",      // no padding
            "Basic YTo==",    // too much of it
            "Basic YTp=",     // stray bits
            "Basic YQ==YTpi", // padding in the middle
            "Basic YTpi YTpi",
            "Basic YTpi,",
            "Basic YTpi-_==", // the other alphabet
            "Basic ====",
            "Basic YWI=",     // no colon
            "Basic OmI=",     // no user
            "Basic YTpiCg==", // a line feed
            "Basic YTp/",     // DEL
            "Basic YTrCgQ==", // a control character of two bytes
            "Basic YTr/",     // no UTF-8
        ] {
            assert_eq!(parse(value), Err(CredentialsError::Malformed), "{value}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_read_in_one_way(
            text in "[a-z:ü€\\x00-\\x20]{0,24}",
            bytes in prop::collection::vec(any::<u8>(), 0..40),
            alphabet in "[Bb]asic {1,2}[A-Za-f0-9+/]{0,12}={0,2}",
        ) {
            for value in [text.as_bytes(), &bytes, alphabet.as_bytes()] {
                rehearse(value);
            }
        }
    }

    #[test]
    fn the_seeds_of_the_fuzzer_still_pass() {
        let fuzz = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        if !fuzz.exists() {
            return; // this is the crate as it is published, which has no fuzzers
        }
        let seeds = std::fs::read_dir(fuzz.join("seeds/credentials")).unwrap();
        let seeds: Vec<_> = seeds.map(|entry| entry.unwrap().path()).collect();
        assert!(seeds.len() >= 8, "some are missing");
        for seed in seeds {
            println!("{}", seed.display()); // is shown if it does not
            rehearse(&std::fs::read(seed).unwrap());
        }
    }

    #[test]
    fn what_is_too_long_is_not_decoded() {
        let of = |length| format!("Basic {}", "YTpi".repeat(length / 4));
        assert!(parse(&of(LONGEST)).is_ok());
        assert_eq!(parse(&of(LONGEST + 4)), Err(CredentialsError::Malformed));
    }
}
