//! The command itself: its signals, and how it ended.

use std::io;
use std::process::{Child, ExitStatus};

/// What a shell ends with if a command is not found, or is found and cannot be run.
const NOT_FOUND: i32 = 127;
const NOT_RUN: i32 = 126;

/// The exit code for a command that could not be started.
pub fn code_of_failure(error: &io::Error) -> i32 {
    if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_RUN }
}

/// The exit code of a command; 128 and the signal, as shells have it, where one has ended it.
pub fn code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(NOT_RUN)
}

/// Attends to a command: it is told of the signals that are sent to this process.
#[cfg(unix)]
pub struct Attendant(signal_hook::iterator::Signals);

#[cfg(unix)]
mod unix {
    use std::fs::File;

    use rustix::process::{Pid, Signal, getpgrp, kill_process};
    use rustix::termios::tcgetpgrp;
    use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

    use super::{Attendant, Child, ExitStatus, io};

    /// Signals that ask a process for something.
    const PASSED_ON: [i32; 6] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];

    impl Attendant {
        /// To be called before the command is started.
        ///
        /// # Errors
        /// If the system refuses a handler.
        pub fn install() -> io::Result<Attendant> {
            let ignored = ignored();
            let heeded = PASSED_ON.into_iter().filter(|signal| ignored & (1 << (signal - 1)) == 0);
            signal_hook::iterator::Signals::new(heeded.chain([SIGCHLD])).map(Attendant)
        }

        /// Waits for the command to end.
        ///
        /// # Errors
        /// If it is no child of this process, which cannot be.
        pub fn wait(mut self, child: &mut Child) -> io::Result<ExitStatus> {
            loop {
                if let Some(status) = child.try_wait()? {
                    return Ok(status);
                }
                for signal in self.0.wait() {
                    pass_on(signal, child);
                }
            }
        }
    }

    /// Nobody but [`Attendant::wait`] takes the status of the child, which does so later: until
    /// then its number is that of no other process.
    fn pass_on(signal: i32, child: &Child) {
        if signal == SIGCHLD || is_typed(signal) {
            return;
        }
        if let Some(signal) = Signal::from_named_raw(signal) {
            // It fails for a command that has become another user, and there it may.
            let _ = kill_process(Pid::from_child(child), signal);
        }
    }

    /// Whether the command has got the signal already: what a terminal makes of Ctrl-C and Ctrl-\
    /// goes to all processes in its foreground. Many programs take a second one for impatience.
    fn is_typed(signal: i32) -> bool {
        [SIGINT, SIGQUIT].contains(&signal)
            && File::open("/dev/tty")
                .ok()
                .and_then(|terminal| tcgetpgrp(terminal).ok())
                .is_some_and(|foreground| foreground == getpgrp())
    }

    /// The signals that this process was started to ignore, as by `nohup`, one bit for each: so
    /// is the command, and a handler here would make it heed them.
    fn ignored() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
    }
}

/// Attends to a command.
#[cfg(not(unix))]
pub struct Attendant;

#[cfg(not(unix))]
impl Attendant {
    /// To be called before the command is started.
    ///
    /// # Errors
    /// If the system refuses a handler.
    pub fn install() -> io::Result<Attendant> {
        // Ctrl-C reaches the command by itself; this process waits for what it makes of it.
        ctrlc::set_handler(|| {}).map_err(io::Error::other)?;
        Ok(Attendant)
    }

    /// Waits for the command to end.
    ///
    /// # Errors
    /// If it is no child of this process, which cannot be.
    pub fn wait(self, child: &mut Child) -> io::Result<ExitStatus> {
        child.wait()
    }
}
