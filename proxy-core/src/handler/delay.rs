//! [`Delay`]: an action that is taken later.

use std::time::Duration;

use super::Action;

/// An action that is taken later; see [`Exchange::after`](super::Exchange::after).
#[derive(Debug)]
pub struct Delay {
    pub(crate) duration: Duration,
    pub(crate) then: Box<Action>,
}

/// The longest delay. A timer that is set farther ahead is of no use to anybody.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl Delay {
    pub(super) fn new(duration: Duration, then: Action) -> Delay {
        Delay { duration: duration.min(LONGEST), then: Box::new(then) }
    }
}
