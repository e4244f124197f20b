//! A password that somebody types.

use std::io::{self, Write};

use proxy_core::Password;

#[cfg(unix)]
pub fn ask(prompt: &str) -> io::Result<Password> {
    use std::io::Read;

    let _silence = Silence::begin()?;
    let mut stderr = io::stderr();
    stderr.write_all(prompt.as_bytes())?;
    stderr.flush()?;
    let typed = line(io::stdin().lock().bytes());
    stderr.write_all(b"\n")?;
    typed
}

/// Elsewhere it is shown, which is told before.
#[cfg(not(unix))]
pub fn ask(prompt: &str) -> io::Result<Password> {
    io::stderr().write_all(format!("(it is shown on this system) {prompt}").as_bytes())?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(Password::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// A terminal that shows nothing and gives every byte at once; dropped, it is as it was.
#[cfg(unix)]
struct Silence(rustix::termios::Termios);

#[cfg(unix)]
impl Silence {
    fn begin() -> io::Result<Silence> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        // Without signals, too: nobody would be left to set it right after a Ctrl-C.
        silent.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Silence(before))
    }
}

#[cfg(unix)]
impl Drop for Silence {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};

        // What cannot be set right cannot be told either.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}

/// Reads keys until the line ends, or somebody gives up.
#[cfg(unix)]
fn line(keys: impl Iterator<Item = io::Result<u8>>) -> io::Result<Password> {
    /// More is dropped, so that nobody fills the memory.
    const MOST: usize = 4096;
    const CTRL_C: u8 = 3;
    const CTRL_D: u8 = 4;
    const CTRL_U: u8 = 21;
    const BACKSPACE: [u8; 2] = [8, 127];

    let mut typed = Vec::new();
    for key in keys {
        match key? {
            CTRL_C => return Err(io::ErrorKind::Interrupted.into()),
            CTRL_D | b'\r' | b'\n' => break,
            CTRL_U => typed.clear(),
            key if BACKSPACE.contains(&key) => {
                // One character of UTF-8: what continues it, and what begins it.
                while typed.pop().is_some_and(|byte: u8| byte & 0xc0 == 0x80) {}
            }
            key if typed.len() < MOST => typed.push(key),
            _ => {}
        }
    }
    let text = String::from_utf8(typed);
    text.map(Password::new).map_err(|_| io::Error::other("what was typed is not UTF-8"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> io::Result<String> {
        line(keys.iter().map(|key| Ok(*key))).map(|password| password.expose().to_owned())
    }

    #[test]
    fn keys_become_a_line() {
        for (keys, expected) in [
            (&b"right\rmore"[..], "right"),
            (b"right\n", "right"),
            (b"right\x04", "right"),
            (b"right", "right"),
            (b"wrong\x15right\r", "right"),
            (b"rix\x7fg\x08ght\r", "right"),
            (b"\x7f\x7f", ""),
            ("rü\u{7f}ight\r".as_bytes(), "right"),
            ("a€\u{7f}\r".as_bytes(), "a"),
        ] {
            assert_eq!(typed(keys).unwrap(), expected, "{keys:?}");
        }
    }

    #[test]
    fn who_gives_up_has_no_password() {
        assert_eq!(typed(b"rig\x03ht\r").unwrap_err().kind(), io::ErrorKind::Interrupted);
        assert!(typed(b"\xff\r").is_err());
        assert_eq!(typed(&[b'x'; 10_000]).unwrap().len(), 4096);
    }
}
