//! [`Password`]: a text that is not to be seen.

use std::fmt;
use std::hint::black_box;

/// A password, as a client has sent it. It does not show itself, and its memory is overwritten when
/// it is dropped, as far as that can be had without `unsafe`. (The head of the request, of which it
/// is a part, lies in a buffer that other requests overwrite.)
pub struct Password(Vec<u8>);

impl Password {
    /// Takes over a text.
    pub fn new(text: String) -> Password {
        Password(text.into_bytes())
    }

    /// The text. Do not keep it.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).expect("it was made of a text")
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Overwrites what was secret.
pub(super) fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    // Nobody reads it any more, which the compiler must not find out.
    black_box(bytes);
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_show_itself() {
        let password = Password::new("geheim".to_owned());
        assert_eq!(format!("{password:?}"), "Password");
        assert_eq!(password.expose(), "geheim");
    }

    #[test]
    fn what_is_wiped_is_gone() {
        let mut secret = b"geheim".to_vec();
        wipe(&mut secret);
        assert_eq!(secret, [0; 6]);
    }
}
