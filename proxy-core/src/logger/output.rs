//! [`Output`]: where finished lines go, many at a time.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::line::Lines;

/// A writer behind a buffer of whole lines. Dropping it writes out what is buffered.
#[derive(Debug)]
pub(super) struct Output<W: Write>(Mutex<State<W>>);

#[derive(Debug)]
struct State<W: Write> {
    writer: W,
    lines: Lines,
    /// How many lines were lost in all.
    lost: u64,
    /// What has failed, since the last write failed: told of when it begins and when it is over.
    failing: Option<Failing>,
}

#[derive(Debug)]
struct Failing {
    error: io::Error,
    /// How many lines were given to the writer in vain. It may have written some of them before it
    /// failed.
    lost: u64,
}

/// Lines are written out at the latest when there are this many bytes of them.
const BUFFER: usize = 64 * 1024;

impl<W: Write> Output<W> {
    pub(super) fn new(writer: W) -> Self {
        Output(Mutex::new(State { writer, lines: Lines::new(), lost: 0, failing: None }))
    }

    /// Adds a line.
    pub(super) fn line(&self, write: impl FnOnce(&mut Lines)) {
        let mut state = self.state();
        write(&mut state.lines);
        state.lines.raw("\n");
        if state.lines.as_bytes().len() > BUFFER {
            state.write_out();
        }
    }

    /// Writes out all lines.
    pub(super) fn flush(&self) {
        self.state().write_out();
    }

    /// How many lines the writer could not write, up to those that it has written of a write that
    /// failed.
    pub(super) fn lost(&self) -> u64 {
        self.state().lost
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        // Nothing but the writer can panic in here, and that is tried again.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write> State<W> {
    /// Lines that cannot be written are lost: a full disk must not become full memory.
    fn write_out(&mut self) {
        if self.lines.as_bytes().is_empty() {
            return;
        }
        let written =
            self.writer.write_all(self.lines.as_bytes()).and_then(|()| self.writer.flush());
        match (written, self.failing.take()) {
            (Ok(()), None) => {}
            (Ok(()), Some(Failing { error, lost })) => log::warn!(
                "the access log can be written again, up to {lost} of its lines were lost; it was: {error}"
            ),
            (Err(error), told) => self.fail(error, told),
        }
        self.lines.clear();
    }

    /// Tells of it once. Which sink it is the error says, which is that of the writer.
    fn fail(&mut self, error: io::Error, told: Option<Failing>) {
        let mut failing = told.unwrap_or_else(|| {
            log::error!("the access log cannot be written, its lines are lost: {error}");
            Failing { error, lost: 0 }
        });
        let lost = memchr::memchr_iter(b'\n', self.lines.as_bytes()).count() as u64;
        failing.lost += lost;
        self.lost += lost;
        self.failing = Some(failing);
    }
}

impl<W: Write> Drop for State<W> {
    fn drop(&mut self) {
        self.write_out();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// Each element is one call.
    #[derive(Clone, Default)]
    struct Calls(Arc<Mutex<Vec<Vec<u8>>>>);

    impl Calls {
        fn lengths(&self) -> Vec<usize> {
            self.0.lock().unwrap().iter().map(Vec::len).collect()
        }
    }

    impl Write for Calls {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_leave_together_when_flushed_and_when_dropped() {
        let calls = Calls::default();
        let output = Output::new(calls.clone());
        output.flush();
        output.line(|line| line.raw("one"));
        output.line(|line| line.raw("two"));
        assert!(calls.lengths().is_empty());
        output.flush();
        output.line(|line| line.raw("three"));
        drop(output);
        assert_eq!(*calls.0.lock().unwrap(), [b"one\ntwo\n".to_vec(), b"three\n".to_vec()]);
    }

    #[test]
    fn the_buffer_is_bounded() {
        let calls = Calls::default();
        let output = Output::new(calls.clone());
        let line = "x".repeat(1023);
        for _ in 0..64 {
            output.line(|lines| lines.raw(&line));
        }
        assert!(calls.lengths().is_empty());
        output.line(|lines| lines.raw(&line));
        assert_eq!(calls.lengths(), [65 * 1024]);
    }

    #[test]
    fn a_writer_that_fails_loses_lines_and_may_recover() {
        struct Flaky(Calls, std::vec::IntoIter<bool>);
        impl Write for Flaky {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if self.1.next() == Some(false) {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                self.0.write(bytes)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let calls = Calls::default();
        let output = Output::new(Flaky(calls.clone(), vec![false, false, true].into_iter()));
        let lost = [("lost", Some(1)), ("lost, too", Some(2)), ("kept", None)];
        for (text, lost) in lost {
            output.line(|line| line.raw(text));
            output.flush();
            assert_eq!(output.state().failing.as_ref().map(|it| it.lost), lost);
        }
        assert_eq!(*calls.0.lock().unwrap(), [b"kept\n".to_vec()]);
        assert_eq!(output.lost(), 2);
    }
}
