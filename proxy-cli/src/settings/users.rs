//! Who is asked for a password.

use std::time::Duration;

use super::kind::UNLIMITED;
use super::{Kind, Setting};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) static SETTINGS: &[Setting] = &[
    Setting {
        name: "users",
        kind: Kind::Source(|config| &mut config.logins.users),
        help: "Serve only users in this file, who say who they are with a password: lines as \
               `htpasswd -B` or `proxy-cli hash-password` write them. In a configuration file, its \
               name is looked for beside that",
        unset: "none",
        reason: "nobody is asked",
        at_limit: "407 `proxy_authentication_required`, in front of an upstream 401 \
                   `authentication_required`",
    },
    Setting {
        name: "authenticator",
        kind: Kind::Command(|config| &mut config.logins.command),
        help: "Have this program tell whether a password is right, in the place of a file of users: \
               each word of the command by itself. It reads and writes as Squid's helpers for Basic do",
        unset: "none",
        reason: "a file needs no other program",
        at_limit: "503 `authenticator_unavailable`",
    },
    Setting {
        name: "authenticator-processes",
        kind: Kind::Count(1..=1000, |config| &mut config.logins.processes),
        help: "How many processes of it there may be",
        unset: "",
        reason: "each answers one question at a time",
        at_limit: "a request waits until one is free",
    },
    Setting {
        name: "authenticator-timeout",
        kind: Kind::Duration(SECOND..=DAY, |config| &mut config.logins.patience),
        help: "How long its answer may take, with the wait for a free process",
        unset: "",
        reason: "a directory across a slow line still answers",
        at_limit: "503 `authenticator_unavailable`; the process is ended and replaced",
    },
    Setting {
        name: "groups",
        kind: Kind::Source(|config| &mut config.logins.groups),
        help: "Who belongs to which group: lines such as `staff: ann bob`. Found as `users` is",
        unset: "none",
        reason: "few users need none",
        at_limit: "",
    },
    Setting {
        name: "realm",
        kind: Kind::Text(|config| &mut config.logins.realm),
        help: "What users are shown where they are asked for a password",
        unset: "proxy",
        reason: "it says what the password is for",
        at_limit: "",
    },
    Setting {
        name: "no-login-from",
        kind: Kind::Networks(|config| &mut config.logins.spared),
        help: "Ask no client in this network for a password; several are possible",
        unset: "none",
        reason: "whoever is to be spared is to be named",
        at_limit: "",
    },
    Setting {
        name: "login-time",
        kind: Kind::Duration(Duration::ZERO..=DAY, |config| &mut config.logins.time),
        help: "How long a password that was right is not looked at again, from the same client; \
               `0s` for each time",
        unset: "",
        reason: "to look at one takes as much work as a thousand requests",
        at_limit: "it is looked at again; after a reload, too",
    },
    Setting {
        name: "login-failures-per-client",
        kind: Kind::Count(1..=UNLIMITED, |config| &mut config.logins.policy.per_client),
        help: "Refuse a client that has been wrong so often",
        unset: "",
        reason: "many people can be behind one address",
        at_limit: "429 `too_many_failed_logins`, until one is forgotten",
    },
    Setting {
        name: "login-failures-per-user",
        kind: Kind::Count(1..=UNLIMITED, |config| &mut config.logins.policy.per_user),
        help: "Look at no more passwords for a user for whom so many were wrong, from wherever",
        unset: "",
        reason: "who has many addresses guesses no faster",
        at_limit: "429 `too_many_failed_logins`, until one is forgotten; who is logged in goes on",
    },
    Setting {
        name: "login-failure-time",
        kind: Kind::Duration(SECOND..=DAY, |config| &mut config.logins.policy.interval),
        help: "How long it takes until one wrong password is forgotten; several are, one after the \
               other",
        unset: "",
        reason: "one guess in a minute finds nothing",
        at_limit: "",
    },
    Setting {
        name: "login-free-failures",
        kind: Kind::Count(0..=1000, |config| &mut config.logins.policy.free),
        help: "Answer so many wrong passwords at once, and each further one later: by 1 s, 2 s, 4 s \
               and so on, up to 16 s",
        unset: "",
        reason: "people mistype",
        at_limit: "",
    },
];
