//! Values that are lists: `Connection` above all, which says what does not go on. The input is
//! the values of `Connection`, `Via`, `Accept`, `Forwarded` and `X-Forwarded-For`, a line each.

use crate::canonical::Upgrade;
use proxy_core::http1::{
    Claims, FieldEdits, Forwarding, ForwardingFields, RequestHead, RequestRewrite,
};
use proxy_core::{Limits, Network, Privacy};

/// What `Connection` must not take away, with what it is sent with.
const KEPT: [(&str, &str); 5] = [
    ("Host", "a.test"),
    ("Content-Length", "3"),
    ("Expect", "100-continue"),
    ("Max-Forwards", "7"),
    ("Via", "1.0 before"),
];
/// What it may.
const OTHERS: [&str; 5] = ["X-A", "Accept", "Cookie", "Authorization", "Cache-Control"];

pub fn check(input: &[u8]) {
    let mut values = input.split(|&byte| byte == b'\n');
    let mut value = || values.next().unwrap_or_default().to_vec();
    let (connection, via, accept) = (value(), value(), value());
    #[cfg(fuzzing)]
    proxy_core::fuzzing::accept(&accept);
    if let Ok(text) = std::str::from_utf8(&accept)
        && let Ok(network) = text.parse::<Network>()
    {
        assert_eq!(network.to_string().parse::<Network>().as_ref(), Ok(&network));
    }

    let mut head = b"POST http://a.test/ HTTP/1.1\r\n".to_vec();
    let mut field = |name: &str, value: &[u8]| {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            head.extend_from_slice(part);
        }
    };
    KEPT.iter().for_each(|(name, value)| field(name, value.as_bytes()));
    OTHERS.iter().for_each(|name| field(name, b"v"));
    field("Connection", &connection);
    field("Via", &via);
    field("Accept", &accept);
    field("Forwarded", &value());
    field("X-Forwarded-For", &value());
    head.extend_from_slice(b"\r\n");

    let mut request = RequestHead::new();
    let Ok(()) = request.parse(&head, &Limits::default()) else { return };
    for claims in [Claims::Drop, Claims::Keep] {
        let (fields, client) = (ForwardingFields::Both, [192, 0, 2, 1].into());
        let forwarding = Some(Forwarding { fields, client, claims });
        let edits = &FieldEdits::default();
        let mut out = Vec::new();
        let strict = Privacy::strict();
        let privacy = Some(&strict).filter(|_| claims == Claims::Drop);
        let rewrite = RequestRewrite { via: "fuzz", host: "", forwarding, privacy, edits };
        request.write_upstream(&mut out, &rewrite);
        out.extend_from_slice(b"abc");
        let reading = crate::canonical::requests(&out, Upgrade::Refused)
            .unwrap_or_else(|problem| panic!("{problem:?}: {}", out.escape_ascii()));
        let [message] = &reading.messages[..] else { panic!("{reading:?}") };

        for (name, _) in KEPT {
            assert!(message.value(name).is_some(), "{name} is gone");
        }
        assert_eq!(message.value("Max-Forwards"), Some(&b"7"[..]), "it does not count for POST");
        for name in OTHERS {
            let is_named = connection
                .split(|&byte| byte == b',')
                .any(|option| option.trim_ascii().eq_ignore_ascii_case(name.as_bytes()));
            assert_eq!(message.value(name).is_none(), is_named, "{name}");
        }
        let last_of = |wanted: &str| {
            let own =
                message.fields.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            own.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        assert_eq!(last_of("Via"), b"1.1 fuzz");
        assert!(last_of("X-Forwarded-For").ends_with(b"192.0.2.1"));
        assert!(last_of("Forwarded").ends_with(b"for=192.0.2.1;proto=http"));
        if claims == Claims::Drop {
            let hops = message.fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Via"));
            let mut hops = hops.flat_map(|(_, value)| value.split(|&byte| byte == b','));
            let is_hidden = |hop: &[u8]| hop.ends_with(b" hidden") || hop == b"1.1 fuzz";
            assert!(hops.all(|hop| is_hidden(hop) && hop.len() < 12), "{}", out.escape_ascii());
            assert_eq!(last_of("X-Forwarded-For"), b"192.0.2.1");
            assert_eq!(last_of("Forwarded"), b"for=192.0.2.1;proto=http");
        }
    }
    // We recognise ourselves where we stand alone.
    if via.trim_ascii() == b"1.1 fuzz" {
        assert!(request.via_contains("fuzz"));
    }
}
