//! [`StoredHash`]: a password as a file has it.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use sha_crypt::ShaCrypt;

use crate::policy::Password;

/// The hash of a password, in a form that is slow to guess.
#[derive(Debug)]
pub(super) enum StoredHash {
    /// `$2y$`, `$2b$`, `$2a$`.
    Bcrypt(Box<str>),
    /// `$argon2id$`.
    Argon2(Box<PasswordHash>),
    /// `$5$` and `$6$`, with SHA-256 and SHA-512.
    ShaCrypt(Box<str>),
}

/// Why a hash is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HashProblem {
    /// Anybody who sees the file can guess it.
    #[error(
        "{0}: whoever gets to see the file knows the password soon; make the line anew, with \
         `proxy-cli hash-password` or `htpasswd -B`"
    )]
    Weak(&'static str),
    /// It is not a known hash, or breaks its form.
    #[error(
        "expected the hash of a password, as `$argon2id$`, `$2y$`, `$6$` or `$5$` begin one, whole \
         and on one line"
    )]
    Malformed,
    /// To look at it would take a thread, or memory, for too long.
    #[error(
        "it is slower than is of use: at most bcrypt with cost 16, argon2id with m=262144, t=64 and \
         p=16, or SHA-crypt with rounds=5000000"
    )]
    Costly,
}

/// With one more, to look at one takes twice as long: at 16 it is five seconds.
const MOST_COST: u32 = 16;
const MOST_ROUNDS: u32 = 5_000_000;
/// 256 MiB.
const MOST_MEMORY: u32 = 256 * 1024;
const MOST_TIME: u32 = 64;
const MOST_LANES: u32 = 16;

impl StoredHash {
    pub(super) fn parse(text: &str) -> Result<StoredHash, HashProblem> {
        if let Some(weakness) = weakness(text) {
            return Err(HashProblem::Weak(weakness));
        }
        match text.split('$').nth(1).unwrap_or_default() {
            "2y" | "2b" | "2a" => bcrypt(text),
            "argon2id" => argon2id(text),
            "5" | "6" => sha_crypt(text),
            _ => Err(HashProblem::Malformed),
        }
    }

    /// Whether it is the hash of this password. Takes as long as was wanted when it was made.
    pub(super) fn verify(&self, password: &Password) -> bool {
        let password = password.expose();
        match self {
            // As Apache and others do, no more than 72 bytes are looked at.
            StoredHash::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            StoredHash::Argon2(hash) => {
                Argon2::default().verify_password(password.as_bytes(), &**hash).is_ok()
            }
            StoredHash::ShaCrypt(hash) => {
                ShaCrypt::default().verify_password(password.as_bytes(), &**hash).is_ok()
            }
        }
    }
}

/// The hash of a password for a [`PasswordFile`](super::PasswordFile): argon2id, with 19 MiB of
/// memory and a salt of its own. `None` where the system has no randomness to give, or the password
/// is longer than a client could send.
pub fn hash_password(password: &Password) -> Option<String> {
    let password = password.expose().as_bytes();
    if password.len() > 512 {
        return None;
    }
    Argon2::default().hash_password(password).ok().map(|hash: PasswordHash| hash.to_string())
}

/// Why it is too weak, if it is.
fn weakness(text: &str) -> Option<&'static str> {
    if text.starts_with("$apr1$") || text.starts_with("$1$") {
        return Some("it is made with MD5, of which a graphics card makes millions in a second");
    }
    if text.starts_with("{SHA}") || text.starts_with("{SSHA}") {
        return Some("it is made with SHA-1, of which a graphics card makes billions in a second");
    }
    let is_crypt = |byte: u8| byte.is_ascii_alphanumeric() || b"./".contains(&byte);
    if text.len() == 13 && text.bytes().all(is_crypt) {
        return Some("it is made with crypt, which sees eight characters and is from 1979");
    }
    (!text.starts_with('$')).then_some("it is the password itself, or looks like it")
}

fn bcrypt(text: &str) -> Result<StoredHash, HashProblem> {
    let hash: bcrypt::HashParts = text.parse().map_err(|_| HashProblem::Malformed)?;
    if text.len() != 60 {
        return Err(HashProblem::Malformed);
    }
    match hash.get_cost() {
        0..=MOST_COST => Ok(StoredHash::Bcrypt(text.into())),
        _ => Err(HashProblem::Costly),
    }
}

fn argon2id(text: &str) -> Result<StoredHash, HashProblem> {
    let hash = PasswordHash::new(text).map_err(|_| HashProblem::Malformed)?;
    let params = argon2::Params::try_from(&hash).map_err(|_| HashProblem::Malformed)?;
    // Other versions, and what is missing: nothing would ever match.
    if hash.version.is_some_and(|version| version != 19) || hash.hash.is_none() {
        return Err(HashProblem::Malformed);
    }
    let is_bearable = params.m_cost() <= MOST_MEMORY
        && params.t_cost() <= MOST_TIME
        && params.p_cost() <= MOST_LANES;
    if is_bearable { Ok(StoredHash::Argon2(Box::new(hash))) } else { Err(HashProblem::Costly) }
}

fn sha_crypt(text: &str) -> Result<StoredHash, HashProblem> {
    let mut parts = text.split('$').skip(2).peekable();
    if let Some(rounds) = parts.next_if(|part| part.starts_with("rounds=")) {
        let rounds = rounds["rounds=".len()..].parse().map_err(|_| HashProblem::Malformed)?;
        match rounds {
            1000..=MOST_ROUNDS => {}
            0..1000 => return Err(HashProblem::Malformed),
            _ => return Err(HashProblem::Costly),
        }
    }
    let (Some(salt), Some(hash), None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(HashProblem::Malformed);
    };
    let is_crypt = |byte: u8| byte.is_ascii_alphanumeric() || b"./".contains(&byte);
    let length = if text.starts_with("$5$") { 43 } else { 86 };
    if salt.is_empty() || hash.len() != length || !hash.bytes().all(is_crypt) {
        return Err(HashProblem::Malformed);
    }
    Ok(StoredHash::ShaCrypt(text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(hash: &str, password: &str) -> bool {
        StoredHash::parse(hash).unwrap().verify(&Password::new(password.to_owned()))
    }

    const HASHES: [(&str, &str); 8] = [
        ("$2b$05$abcdefghijklmnopqrstuu8xaCxxL82bnl.UY74PMksDxIJShppPC", "right"),
        ("$2y$05$abcdefghijklmnopqrstuu8xaCxxL82bnl.UY74PMksDxIJShppPC", "right"),
        ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
        (
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "password",
        ),
        (
            "$6$saltstring$sWxm9GdnWvq354Rrr3cJ49bnU42uWlCgjcwLSQEwSw4oss4XrvyKNtQ0I48ftPb9O6s9ikPaKT\
             H42CwjipwvU.",
            "right",
        ),
        (
            "$6$rounds=1000$longsalt12345678$BEiMe6iOQlGW5501bNFSZwRXNRl2fbs4aHSeD.Zw./70K2v7ChUmFnTJ\
             mOXtMWNHsKnCJDIHF/7MG9EZnP9sq0",
            "rïght: 1",
        ),
        ("$5$abcdefgh$C7VyRZs0npbCFai/XpQEnaVXYbZWFch0rqUEsU32AU/", "right"),
        ("$5$rounds=1000$s$oscHk3Y3kDrDktDAwrqjE5mbhU6gfkxaOUEhOrk6I06", LONG),
    ];
    const LONG: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
                        xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

    #[test]
    fn each_kind_of_hash_knows_its_password() {
        // From the programs that make them: htpasswd, openssl passwd, mkpasswd, argon2.
        for (hash, password) in HASHES {
            assert!(is(hash, password), "{hash}");
            assert!(!is(hash, "other") && !is(hash, ""), "{hash}");
        }
    }

    #[test]
    fn what_is_made_here_can_be_read_here() {
        let password = Password::new("grün und lang".to_owned());
        let [one, two] = [0, 1].map(|_| hash_password(&password).unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && one != two);
        assert!(is(&one, password.expose()) && !is(&two, "grün und kurz"));
        assert_eq!(hash_password(&Password::new("x".repeat(513))), None);
    }

    #[test]
    fn weak_hashes_are_refused_with_a_reason() {
        for (hash, expected) in [
            ("$apr1$abcdefgh$sBrn9TlUb3D.FlxgqW4Ux0", "MD5"),
            ("$1$abcdefgh$sBrn9TlUb3D.FlxgqW4Ux0", "MD5"),
            ("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1"),
            ("rqXexS6ZhobKA", "crypt"),
            ("secret", "the password itself"),
            ("", "the password itself"),
        ] {
            let problem = StoredHash::parse(hash).unwrap_err();
            assert!(matches!(problem, HashProblem::Weak(why) if why.contains(expected)), "{hash}");
            assert!(problem.to_string().contains("htpasswd -B"));
        }
    }

    #[test]
    fn what_would_never_match_or_takes_for_ever_is_refused() {
        for (hash, expected) in [
            (
                "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
                HashProblem::Malformed,
            ),
            ("$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe", HashProblem::Malformed),
            ("$2y$17$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", HashProblem::Costly),
            ("$2y$", HashProblem::Malformed),
            ("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ", HashProblem::Malformed),
            (
                "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
                HashProblem::Malformed,
            ),
            (
                "$argon2id$v=19$m=262145,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
                HashProblem::Costly,
            ),
            ("$5$salt$short", HashProblem::Malformed),
            ("$5$rounds=x$salt$short", HashProblem::Malformed),
            ("$5$rounds=5000001$salt$short", HashProblem::Costly),
            ("$y$j9T$abc$def", HashProblem::Malformed),
            ("$", HashProblem::Malformed),
        ] {
            assert_eq!(StoredHash::parse(hash).unwrap_err(), expected, "{hash}");
        }
    }
}
