//! Who looks after it.

use super::{Kind, Setting};

pub(super) static SETTINGS: &[Setting] = &[
    Setting {
        name: "admin",
        kind: Kind::Address(|config| &mut config.admin.address),
        help: "Answer at this address to who looks after the proxy: status, connections, bans, \
               events, reload, drain. Whoever reaches it sees all requests",
        unset: "none",
        reason: "what is not needed is not answered",
        at_limit: "a port in use: exit code 1; beyond loopback it needs a token",
    },
    Setting {
        name: "admin-token-file",
        kind: Kind::Path(|config| &mut config.admin.token_file),
        help: "Ask at the admin address for the token in this file: `Authorization: Bearer TOKEN`",
        unset: "none",
        reason: "on loopback there is nobody but this machine",
        at_limit: "401 without it; ten wrong ones within a minute: a minute without an answer",
    },
    Setting {
        name: "admin-host",
        kind: Kind::Names(|config| &mut config.admin.hosts),
        help: "Answer at the admin address also to who asks for this name; several are possible",
        unset: "none: addresses and `localhost`",
        reason: "a web page could have a name of its own lead here",
        at_limit: "421",
    },
];
