//! [`Helper`]: another program that knows passwords, as Squid's helpers for `Basic` are.
//!
//! ```text
//! check ──▶ an idle process, a new one, or a wait for one ──▶ "ann p%20w\n" ──▶ OK, ERR or BH
//! ```
//!
//! A process that ends, does not answer in time or answers nonsense is replaced, after a pause that
//! grows while that goes on; meanwhile there is nobody who could tell.

mod process;

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use proxy_core::{Authentication, Authenticator, Login, User};

use process::{Answer, Process};

/// A command, and the processes of it.
pub struct Helper {
    command: Vec<String>,
    /// How many there may be.
    most: usize,
    /// How long an answer may take, and the wait for a process.
    patience: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Process>,
    /// Idle and busy ones.
    processes: usize,
    /// How many have failed, one after the other, and until when there is to be no new one.
    failures: u32,
    pause_until: Option<Instant>,
}

/// The first pause before a process is replaced; each further one is twice as long, up to the longest.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Helper {
    pub fn new(command: Vec<String>, most: usize, patience: Duration) -> Helper {
        let (state, changed) = (Mutex::default(), Condvar::new());
        Helper { command, most, patience, state, changed }
    }

    /// An idle process, or a new one. `None` where there is none to be had in time.
    fn take(&self, until: Instant) -> Option<Process> {
        let mut state = self.lock();
        loop {
            if let Some(process) = state.idle.pop() {
                return Some(process);
            }
            let now = Instant::now();
            if state.pause_until.is_some_and(|pause| now < pause) && state.processes == 0 {
                return None;
            }
            if state.processes < self.most && state.pause_until.is_none_or(|pause| pause <= now) {
                state.processes += 1;
                break;
            }
            let left = until.saturating_duration_since(now);
            if left.is_zero() {
                return None;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        match Process::start(&self.command) {
            Ok(process) => Some(process),
            Err(error) => {
                self.lost(&error);
                None
            }
        }
    }

    /// A process has answered.
    fn give_back(&self, process: Process) {
        let mut state = self.lock();
        state.idle.push(process);
        (state.failures, state.pause_until) = (0, None);
        drop(state);
        self.changed.notify_one();
    }

    /// A process is of no use any more.
    fn lost(&self, error: &io::Error) {
        let mut state = self.lock();
        state.processes -= 1;
        let pause = PAUSE.saturating_mul(1 << state.failures.min(16)).min(LONGEST_PAUSE);
        state.failures = state.failures.saturating_add(1);
        state.pause_until = Some(Instant::now() + pause);
        drop(state);
        self.changed.notify_all();
        log::error!("the authenticator {}: {error}; another one in {pause:?}", self.command[0]);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Authenticator for Helper {
    fn check(&self, login: &Login<'_>) -> Authentication {
        let until = Instant::now() + self.patience;
        let Some(mut process) = self.take(until) else { return Authentication::Unavailable };
        let answer = process.ask(login.user, login.password, until);
        match answer {
            Ok(answer) => {
                self.give_back(process);
                match answer {
                    Answer::Ok => Authentication::Accepted(User::new(login.user)),
                    Answer::Err => Authentication::Rejected,
                    Answer::Broken => Authentication::Unavailable,
                }
            }
            Err(error) => {
                drop(process);
                self.lost(&error);
                Authentication::Unavailable
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use proxy_core::{Client, Password};

    use super::*;

    /// For ever, as tests go.
    const PATIENCE: Duration = Duration::from_secs(60);

    fn helper(script: &str, most: usize, patience: Duration) -> Helper {
        let command = ["/bin/sh", "-c", script].map(str::to_owned).into();
        Helper::new(command, most, patience)
    }

    fn check(helper: &Helper, user: &str, password: &str) -> Authentication {
        let client = Client::new("192.0.2.1:1".parse().unwrap(), 0);
        helper.check(&Login::new(user, &Password::new(password.to_owned()), &client))
    }

    fn accepted(user: &str) -> Authentication {
        Authentication::Accepted(User::new(user))
    }

    /// How many processes there are, and how many have failed one after the other.
    fn counts(helper: &Helper) -> (usize, u32) {
        let state = helper.lock();
        (state.processes, state.failures)
    }

    #[test]
    fn a_helper_of_squids_is_understood() {
        // Two words, percent-encoded.
        let script = "while IFS= read -r line; do case $line in
            'ann p%20w%25') echo OK user=other;;
            'b%C3%BC%3A '*) echo 'ERR no';;
            *) echo BH broken;;
        esac; done";
        let helper = helper(script, 1, PATIENCE);
        for _ in 0..3 {
            assert_eq!(check(&helper, "ann", "p w%"), accepted("ann"));
            assert_eq!(check(&helper, "bü:", ""), Authentication::Rejected);
            assert_eq!(check(&helper, "cy", "x"), Authentication::Unavailable);
        }
        assert_eq!((counts(&helper), helper.lock().idle.len()), ((1, 0), 1));
    }

    #[test]
    fn several_are_asked_at_once_and_never_more_than_there_may_be() {
        let helper = helper("while read -r user _; do echo OK; done", 3, PATIENCE);
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| assert_eq!(check(&helper, "ann", "x"), accepted("ann")));
            }
        });
        let state = helper.lock();
        assert!((1..=3).contains(&state.processes) && state.idle.len() == state.processes);
    }

    #[test]
    fn one_that_ends_is_replaced_after_a_pause() {
        let helper = helper("read -r line; echo OK", 1, PATIENCE);
        assert_eq!(check(&helper, "ann", "x"), accepted("ann"));
        // It has ended; that it has is found out only by asking it.
        assert_eq!(check(&helper, "ann", "x"), Authentication::Unavailable);
        let pause = helper.lock().pause_until.unwrap();
        assert_eq!(counts(&helper), (0, 1));
        assert!(pause <= Instant::now() + PAUSE);
        helper.lock().pause_until = Some(Instant::now() + PATIENCE);
        assert_eq!(check(&helper, "ann", "x"), Authentication::Unavailable);
        helper.lock().pause_until = Some(Instant::now());
        assert_eq!(check(&helper, "ann", "x"), accepted("ann"));
        assert_eq!(helper.lock().failures, 0);
    }

    #[test]
    fn one_that_does_not_answer_is_not_waited_for() {
        let helper = helper("while :; do read -r line || exit; done", 1, Duration::from_millis(50));
        assert_eq!(check(&helper, "ann", "x"), Authentication::Unavailable);
        assert_eq!(helper.lock().processes, 0);
    }

    #[test]
    fn nonsense_and_endless_lines_are_failures() {
        for script in ["echo hello", "while :; do printf xxxxxxxxxxxxxxxxxxxxxxxx; done", "exit 1"]
        {
            let helper = helper(script, 1, PATIENCE);
            assert_eq!(check(&helper, "ann", "x"), Authentication::Unavailable, "{script}");
            assert_eq!(helper.lock().processes, 0);
        }
        let nobody = Helper::new(vec!["/nonexistent/helper".to_owned()], 1, PATIENCE);
        assert_eq!(check(&nobody, "ann", "x"), Authentication::Unavailable);
        assert_eq!(counts(&nobody), (0, 1));
    }
}
