//! [`AdminToken`]: the word that lets in from anywhere.

use std::fmt;
use std::hint::black_box;
use std::sync::Arc;

/// A secret that requests have to bring: `Authorization: Bearer …` (RFC 6750 §2.1). With one, clients
/// from beyond this machine are served, too.
///
/// ```
/// use proxy_core::admin::AdminToken;
///
/// let token = AdminToken::new("c2VjcmV0IHdvcmQgb2YgdGhlIGRheQ==")?;
/// assert_eq!(format!("{token:?}"), "AdminToken");
/// assert!(AdminToken::new("secret").is_err(), "it can be guessed");
/// # Ok::<(), proxy_core::admin::AdminTokenError>(())
/// ```
#[derive(Clone)]
pub struct AdminToken(Arc<[u8]>);

/// Why a text is no [`AdminToken`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdminTokenError {
    /// It could be guessed.
    #[error("a token has at least {LEAST} characters, so that it cannot be guessed")]
    TooShort,
    /// It cannot be sent.
    #[error("a token has letters, digits and -._~+/ only, and perhaps = at its end")]
    Character,
}

/// 96 bits, where they are chosen by chance.
const LEAST: usize = 16;

impl AdminToken {
    /// This token.
    ///
    /// # Errors
    /// If it is shorter than 16 characters, or has others than RFC 6750 §2.1 allows.
    pub fn new(text: &str) -> Result<AdminToken, AdminTokenError> {
        let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        if !text.trim_end_matches('=').bytes().all(is_ours) {
            return Err(AdminTokenError::Character);
        }
        if text.len() < LEAST {
            return Err(AdminTokenError::TooShort);
        }
        Ok(AdminToken(text.as_bytes().into()))
    }

    /// Whether `given` is this token. How long that takes depends on how long `given` is, and on
    /// nothing else: not on how much of it is right.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        let mut difference = usize::from(given.len() != self.0.len());
        for (at, byte) in given.iter().enumerate() {
            // Opaque to the compiler, which would otherwise be free to stop at the first one.
            difference |= black_box(usize::from(byte ^ self.0[at % self.0.len()]));
        }
        black_box(difference) == 0
    }
}

/// Compared in the same way: so that it cannot be guessed bit by bit.
impl PartialEq for AdminToken {
    fn eq(&self, other: &AdminToken) -> bool {
        self.is(&other.0)
    }
}

impl Eq for AdminToken {}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORD: &str = "0123456789abcdef-._~+/=";

    #[test]
    fn a_token_is_itself_and_nothing_else() {
        let token = AdminToken::new(WORD).unwrap();
        assert!(token.is(WORD.as_bytes()));
        let twice = format!("{WORD}{WORD}");
        for other in ["", "0", &WORD[1..], &WORD[..22], &twice, "0123456789abcdeF-._~+/="] {
            assert!(!token.is(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn what_can_be_guessed_or_not_be_sent_is_none() {
        for (text, error) in [
            ("", AdminTokenError::TooShort),
            ("0123456789abcde", AdminTokenError::TooShort),
            ("0123456789 abcdef", AdminTokenError::Character),
            ("0123456789=abcdef", AdminTokenError::Character),
            ("0123456789abcdéf", AdminTokenError::Character),
        ] {
            assert_eq!(AdminToken::new(text).unwrap_err(), error, "{text}");
        }
    }
}
