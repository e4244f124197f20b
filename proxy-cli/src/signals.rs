//! [`Signals`]: being asked to stop, to read the configuration again, or to open the log anew.

use std::io;
use std::process;

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};

/// What the process was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// To read the configuration again; or the terminal was closed.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no SIGHUP"))]
    HangUp,
    /// To stop, by a service manager.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no SIGTERM"))]
    Terminate,
    /// To stop, by a person with Ctrl-C.
    Interrupt,
    /// To open the log file anew.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no SIGUSR1"))]
    Reopen,
}

/// The exit status of a process that did not wait for the end of its work: 128 + SIGINT.
const IMPATIENT: i32 = 130;

/// The signals that ask a process for something.
#[cfg(unix)]
pub struct Signals(signal_hook::iterator::Signals);

#[cfg(unix)]
impl Signals {
    pub fn install() -> io::Result<Signals> {
        signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM, SIGUSR1]).map(Signals)
    }

    /// Blocks until the process is asked for something.
    pub fn wait(&mut self) -> Signal {
        match self.0.forever().next() {
            Some(SIGINT) => Signal::Interrupt,
            Some(SIGHUP) => Signal::HangUp,
            Some(SIGUSR1) => Signal::Reopen,
            _ => Signal::Terminate,
        }
    }

    /// Whoever asks again does not want to wait: from now on the next request to stop ends the
    /// process.
    pub fn exit_on_next(mut self) {
        std::thread::spawn(move || {
            if self.0.forever().any(|signal| [SIGINT, SIGTERM].contains(&signal)) {
                process::exit(IMPATIENT);
            }
        });
    }
}

/// The signals that ask a process for something.
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

    /// Blocks until the process is asked for something.
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
