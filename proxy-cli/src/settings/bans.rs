//! Who is kept out.

use std::time::Duration;

use proxy_core::Offence;

use super::{Kind, Setting};

const SECOND: Duration = Duration::from_secs(1);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

pub(super) static SETTINGS: &[Setting] = &[
    Setting {
        name: "ban",
        kind: Kind::Networks(|config| &mut config.bans.always),
        help: "Keep out clients in this network: their connections are closed at once; several are \
               possible",
        unset: "none",
        reason: "nobody has done anything yet",
        at_limit: "",
    },
    Setting {
        name: "never-ban",
        kind: Kind::Networks(|config| &mut config.bans.never),
        help: "Never ban clients in this network, whatever they do; several are possible",
        unset: "none",
        reason: "bans are off",
        at_limit: "",
    },
    Setting {
        name: "ban-malformed",
        kind: Kind::Threshold(|config| config.bans.threshold_mut(Offence::Malformed)),
        help: "Ban a client after so many malformed requests within a time, as 20/1m",
        unset: "never",
        reason: "a broken program of one's own looks alike",
        at_limit: "its connections are closed at once; 403 `banned` on those that are open",
    },
    Setting {
        name: "ban-refused",
        kind: Kind::Threshold(|config| config.bans.threshold_mut(Offence::Refused)),
        help: "Ban a client after so many refused requests within a time",
        unset: "never",
        reason: "whom a filter refuses much is not a foe",
        at_limit: "the same",
    },
    Setting {
        name: "ban-failed-logins",
        kind: Kind::Threshold(|config| config.bans.threshold_mut(Offence::FailedLogin)),
        help: "Ban a client after so many wrong passwords within a time",
        unset: "never",
        reason: "several people may share an address",
        at_limit: "the same",
    },
    Setting {
        name: "ban-rate-exceeded",
        kind: Kind::Threshold(|config| config.bans.threshold_mut(Offence::RateExceeded)),
        help: "Ban a client after it has asked for more than it may have so often within a time",
        unset: "never",
        reason: "to be refused is enough for most",
        at_limit: "the same",
    },
    Setting {
        name: "ban-time",
        kind: Kind::Duration(SECOND..=YEAR, |config| &mut config.bans.time),
        help: "How long the first ban of a client lasts; each within a day after another lasts twice \
               as long as that",
        unset: "",
        reason: "long enough to make guessing hopeless, short enough for a mistake",
        at_limit: "",
    },
    Setting {
        name: "ban-longest",
        kind: Kind::Duration(SECOND..=YEAR, |config| &mut config.bans.longest),
        help: "How long a ban lasts at most",
        unset: "",
        reason: "addresses change hands",
        at_limit: "",
    },
    Setting {
        name: "ban-file",
        kind: Kind::Path(|config| &mut config.ban_file),
        help: "Keep bans in this file over restarts; it is written every minute and at the end",
        unset: "none",
        reason: "a restart forgives",
        at_limit: "a full disk is told once, and bans go on in memory",
    },
];
