//! What is told of clients.

use super::{Kind, Setting};

pub(super) static SETTINGS: &[Setting] = &[
    Setting {
        name: "privacy",
        kind: Kind::Word(|config| &mut config.disclosure.level),
        help: "How much of what clients tell of themselves is kept from upstreams; the settings \
               below say otherwise for one thing. It reaches what goes in the clear, no tunnels",
        unset: "",
        reason: "a proxy changes nothing unasked (RFC 9110 §7.7)",
        at_limit: "",
    },
    Setting {
        name: "privacy-claims",
        kind: Kind::Word(|config| &mut config.disclosure.claims),
        help: "Fields that claim a client's address or a subscriber's number: Forwarded, \
               X-Forwarded-For, X-Real-IP, X-UIDH and their like. What `forwarded-for` tells is \
               told all the same",
        unset: "",
        reason: "`auto` is what `privacy` says",
        at_limit: "",
    },
    Setting {
        name: "privacy-hops",
        kind: Kind::Word(|config| &mut config.disclosure.hops),
        help: "Names of proxies between clients and this one, in Via",
        unset: "",
        reason: "`auto` is what `privacy` says",
        at_limit: "",
    },
    Setting {
        name: "privacy-from",
        kind: Kind::Word(|config| &mut config.disclosure.from),
        help: "From, an address for mail",
        unset: "",
        reason: "`auto` is what `privacy` says",
        at_limit: "",
    },
    Setting {
        name: "privacy-referer",
        kind: Kind::Word(|config| &mut config.disclosure.referer),
        help: "Referer, the page that led here: `origin` tells other sites the site alone",
        unset: "",
        reason: "`auto` is what `privacy` says",
        at_limit: "",
    },
    Setting {
        name: "privacy-user-agent",
        kind: Kind::Word(|config| &mut config.disclosure.user_agent),
        help: "User-Agent: `general` puts `Mozilla/5.0` in its place",
        unset: "",
        reason: "`auto` is what `privacy` says",
        at_limit: "",
    },
    Setting {
        name: "privacy-client-hints",
        kind: Kind::Word(|config| &mut config.disclosure.client_hints),
        help: "Sec-CH-… and older hints about the device: `basic` leaves those that browsers send \
               unasked",
        unset: "",
        reason: "`auto` is what `privacy` says",
        at_limit: "",
    },
    Setting {
        name: "log-addresses",
        kind: Kind::Word(|config| &mut config.log_addresses),
        help: "Clients in the access log: `whole`; `truncated`, to 24 bits of IPv4 and 48 of IPv6; \
               or `pseudonyms`, another set each day and after each start",
        unset: "",
        reason: "to find out what went wrong one needs to know with whom",
        at_limit: "",
    },
];
