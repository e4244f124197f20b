//! [`Signals`]: being asked to stop.

use std::io;
use std::process;

/// How the process was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// By a service manager.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no SIGTERM"))]
    Terminate,
    /// By a person, with Ctrl-C.
    Interrupt,
}

/// The exit status of a process that did not wait for the end of its work: 128 + SIGINT.
const IMPATIENT: i32 = 130;

/// The signals that ask a process to stop.
#[cfg(unix)]
pub struct Signals(signal_hook::iterator::Signals);

#[cfg(unix)]
impl Signals {
    pub fn install() -> io::Result<Signals> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        signal_hook::iterator::Signals::new([SIGINT, SIGTERM]).map(Signals)
    }

    /// Blocks until the process is asked to stop.
    pub fn wait(&mut self) -> Signal {
        match self.0.forever().next() {
            Some(signal_hook::consts::SIGINT) => Signal::Interrupt,
            _ => Signal::Terminate,
        }
    }

    /// Whoever asks again does not want to wait: from now on the next signal ends the process.
    pub fn exit_on_next(mut self) {
        std::thread::spawn(move || {
            self.0.forever().next();
            process::exit(IMPATIENT);
        });
    }
}

/// The signals that ask a process to stop.
#[cfg(not(unix))]
pub struct Signals(std::sync::mpsc::Receiver<()>);

#[cfg(not(unix))]
impl Signals {
    pub fn install() -> io::Result<Signals> {
        let (sender, receiver) = std::sync::mpsc::channel();
        ctrlc::set_handler(move || {
            // It fails only when nobody waits any more.
            let _ = sender.send(());
        })
        .map_err(io::Error::other)?;
        Ok(Signals(receiver))
    }

    /// Blocks until the process is asked to stop.
    pub fn wait(&mut self) -> Signal {
        let _ = self.0.recv();
        Signal::Interrupt
    }

    /// Whoever asks again does not want to wait: from now on the next signal ends the process.
    pub fn exit_on_next(self) {
        std::thread::spawn(move || {
            let _ = self.0.recv();
            process::exit(IMPATIENT);
        });
    }
}
