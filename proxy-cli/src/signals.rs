//! [`Signals`]: being asked to stop, to read the configuration again, or to open the log anew.

use std::io;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

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
    fn wait(&mut self) -> Signal {
        match self.0.forever().next() {
            Some(SIGINT) => Signal::Interrupt,
            Some(SIGHUP) => Signal::HangUp,
            Some(SIGUSR1) => Signal::Reopen,
            _ => Signal::Terminate,
        }
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
    fn wait(&mut self) -> Signal {
        let _ = self.0.recv();
        Signal::Interrupt
    }
}

impl Signals {
    /// Has `take` told of each, on a thread of its own; but once there is an end to `patience`, whoever
    /// asks for a stop uses it up. `take` must not wait.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn forward(
        mut self,
        patience: Patience,
        mut take: impl FnMut(Signal) + Send + 'static,
    ) -> io::Result<()> {
        let thread = thread::Builder::new().name("proxy-signals".into());
        let forward = move || {
            loop {
                let signal = self.wait();
                // Held until it has been taken: see `end_after`.
                let mut left = patience.lock();
                match &mut *left {
                    Some(left) if signal.is_stop() => {
                        *left -= 1;
                        if *left == 0 {
                            exit();
                        }
                    }
                    _ => take(signal),
                }
            }
        };
        thread.spawn(forward).map(drop)
    }
}

/// How often a stop may still be asked for until the process ends at once. It has no end at first.
#[derive(Clone, Debug, Default)]
pub struct Patience(Arc<Mutex<Option<u32>>>);

impl Patience {
    /// So often from now on, at least once. Each signal was taken before this, or is counted.
    pub fn end_after(&self, times: u32) {
        *self.lock() = Some(times);
    }

    fn lock(&self) -> MutexGuard<'_, Option<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Signal {
    /// Whether it asks for an end.
    pub fn is_stop(self) -> bool {
        matches!(self, Signal::Interrupt | Signal::Terminate)
    }
}

/// Ends the process at once, for somebody who did not want to wait.
pub fn exit() -> ! {
    process::exit(IMPATIENT);
}
