//! [`Wish`]: what the program is asked for while it runs, by signals and at the admin address.

use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

use log::LevelFilter;
use proxy_core::admin::{ActionError, AdminActions, LogLevel};

use crate::signals::Signal;

/// What the program is asked for.
pub enum Wish {
    Signal(Signal),
    /// To read the configuration again, and say what came of it.
    Reload(SyncSender<Done>),
    /// To stop when what is under way has ended.
    Drain,
}

/// What came of a reload: what there is to say about it, or what is wrong.
pub type Done = Result<Vec<String>, Vec<String>>;

/// By which the program is asked. No more wait in it than there are signals and workers of the admin
/// address.
pub type Wishes = Sender<Wish>;

/// A way to ask, and the other end of it.
pub fn wishes() -> (Wishes, Receiver<Wish>) {
    mpsc::channel()
}

/// What the admin address can ask for.
pub struct Actions {
    wishes: Wishes,
    /// The configuration in effect, as it may be shown.
    shown: Arc<Mutex<String>>,
}

impl Actions {
    pub fn new(wishes: Wishes, shown: Arc<Mutex<String>>) -> Actions {
        Actions { wishes, shown }
    }

    fn wish(&self, wish: Wish) -> Result<(), ActionError> {
        self.wishes.send(wish).map_err(|_| stopping())
    }
}

impl AdminActions for Actions {
    fn config(&self) -> Option<String> {
        Some(self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn reload(&self) -> Result<Vec<String>, ActionError> {
        let (reply, outcome) = mpsc::sync_channel(1);
        self.wish(Wish::Reload(reply))?;
        outcome.recv().map_err(|_| stopping())?.map_err(ActionError::Failed)
    }

    fn drain(&self) -> Result<(), ActionError> {
        self.wish(Wish::Drain)
    }

    fn log_level(&self) -> Option<LogLevel> {
        Some(match log::max_level() {
            LevelFilter::Off => LogLevel::Off,
            LevelFilter::Error => LogLevel::Error,
            LevelFilter::Warn => LogLevel::Warn,
            LevelFilter::Info => LogLevel::Info,
            LevelFilter::Debug => LogLevel::Debug,
            LevelFilter::Trace => LogLevel::Trace,
        })
    }

    fn set_log_level(&self, level: LogLevel) -> Result<(), ActionError> {
        log::set_max_level(match level {
            LogLevel::Off => LevelFilter::Off,
            LogLevel::Error => LevelFilter::Error,
            LogLevel::Warn => LevelFilter::Warn,
            LogLevel::Info => LevelFilter::Info,
            LogLevel::Debug => LevelFilter::Debug,
            LogLevel::Trace => LevelFilter::Trace,
        });
        Ok(())
    }
}

/// Nobody takes wishes any more.
fn stopping() -> ActionError {
    ActionError::Failed(vec!["it stops already".to_owned()])
}
