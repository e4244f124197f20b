//! [`Leash`]: a bound on how long a program may run.

use std::process::{Child, Command};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// No test takes as long as this: it is for the day when something hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Kills a program that runs for too long, where there is a command `kill`. Whoever waits for its words or its end then finds that it
/// has ended, and fails.
pub struct Leash {
    let_go: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Leash {
    pub fn on(child: &Child) -> Leash {
        let (let_go, is_let_go) = mpsc::channel::<()>();
        let pid = child.id().to_string();
        let thread = thread::spawn(move || {
            if is_let_go.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-KILL", &pid]).status();
            }
        });
        Leash { let_go: Some(let_go), thread: Some(thread) }
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.let_go = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
