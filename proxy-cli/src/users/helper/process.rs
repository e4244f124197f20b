//! [`Process`]: one process of a helper.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use proxy_core::Password;

/// A process that is asked with a line and answers with a line. Dropped, it is ended.
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    /// Its lines; what it says cannot be waited for with a bound otherwise.
    lines: Receiver<io::Result<String>>,
}

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The password is right.
    Ok,
    /// It is wrong.
    Err,
    /// It cannot tell.
    Broken,
}

/// The longest line that it may say. Only its first word is of interest.
const LONGEST: u64 = 8192;

impl Process {
    /// Starts it. What it says of itself goes where the program says it, too.
    pub fn start(command: &[String]) -> io::Result<Process> {
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        // One answer to one question: a helper that says more waits here, and not in memory.
        let (sender, lines) = mpsc::sync_channel(1);
        let mut process = Process { child, input, lines };
        let output = output.ok_or_else(|| io::Error::other("has no output"))?;
        let reads = move || {
            let mut output = BufReader::new(output);
            while let Some(line) = read_line(&mut output).transpose() {
                let is_lost = line.is_err();
                if sender.send(line).is_err() || is_lost {
                    break;
                }
            }
        };
        let spawned = thread::Builder::new().name("proxy-helper".to_owned()).spawn(reads);
        match spawned {
            Ok(_) => Ok(process),
            Err(error) => {
                process.end();
                Err(error)
            }
        }
    }

    /// Asks whether a password is right.
    pub fn ask(&mut self, user: &str, password: &Password, until: Instant) -> io::Result<Answer> {
        // An answer that nobody has asked for would be taken for that to another question.
        if self.lines.try_recv().is_ok() {
            return Err(io::Error::other("has answered what nobody asked"));
        }
        let mut line = Vec::new();
        encode(user, &mut line);
        line.push(b' ');
        encode(password.expose(), &mut line);
        line.push(b'\n');
        let input = self.input.as_mut().ok_or_else(|| io::Error::other("has no input"))?;
        // It fits into a pipe, which is empty: there is one question at a time.
        let written = input.write_all(&line).and_then(|()| input.flush());
        line.fill(0);
        written?;
        let left = until.saturating_duration_since(Instant::now());
        let answer = self.lines.recv_timeout(left).map_err(|error| match error {
            RecvTimeoutError::Timeout => io::Error::other("has not answered in time"),
            RecvTimeoutError::Disconnected => io::Error::other("has ended"),
        })??;
        match answer.split_ascii_whitespace().next() {
            Some("OK") => Ok(Answer::Ok),
            Some("ERR") => Ok(Answer::Err),
            Some("BH") => Ok(Answer::Broken),
            _ => Err(io::Error::other("has answered neither OK, ERR nor BH")),
        }
    }

    fn end(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// The next line; `None` at the end.
fn read_line(output: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    let length = output.take(LONGEST).read_line(&mut line)?;
    match (length, line.ends_with('\n')) {
        (0, _) => Ok(None),
        (_, true) => Ok(Some(line)),
        (_, false) => Err(io::Error::other("has said half a line, or one without end")),
    }
}

/// Encodes all that could be anything but itself: whoever decodes gets the same again.
fn encode(text: &str, line: &mut Vec<u8>) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            line.push(byte);
        } else {
            line.extend([b'%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
}

fn hex(digit: u8) -> u8 {
    b"0123456789ABCDEF"[usize::from(digit)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_two_words_whatever_is_in_them() {
        let mut line = Vec::new();
        encode("a-B_1.~ %\n\\\"ü+", &mut line);
        assert_eq!(line, b"a-B_1.~%20%25%0A%5C%22%C3%BC%2B");
    }

    #[test]
    fn lines_have_an_end() {
        let read = |text: &str| read_line(&mut text.as_bytes());
        assert_eq!(read("OK\nERR\n").unwrap().as_deref(), Some("OK\n"));
        assert_eq!(read("").unwrap(), None);
        assert!(read("OK").is_err() && read(&"x".repeat(10_000)).is_err());
    }
}
