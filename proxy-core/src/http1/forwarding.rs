//! For whom a request is passed on: `X-Forwarded-For`, and `Forwarded` (RFC 7239).

use std::io::Write;
use std::net::IpAddr;

use super::field::FieldKind;
use super::fields::Fields;
use crate::decimal::push_ipv4;

/// Which fields tell the upstream who the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardingFields {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// Both.
    Both,
}

/// What becomes of forwarding fields that a request already has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claims {
    /// They are dropped: anybody can claim anything.
    Drop,
    /// They are kept, and ours is added behind them: they come from a proxy that is trusted.
    Keep,
}

/// What the upstream is told of the client.
#[derive(Clone, Copy, Debug)]
pub struct Forwarding {
    /// In which fields.
    pub fields: ForwardingFields,
    /// The client's address.
    pub client: IpAddr,
    /// What becomes of what the client says itself.
    pub claims: Claims,
}

impl Forwarding {
    fn writes(&self, kind: FieldKind) -> bool {
        use ForwardingFields as Told;
        match kind {
            FieldKind::XForwardedFor => matches!(self.fields, Told::XForwardedFor | Told::Both),
            FieldKind::Forwarded => matches!(self.fields, Told::Forwarded | Told::Both),
            _ => false,
        }
    }

    /// Whether a field that was received goes on as it is.
    pub(super) fn keeps(&self, kind: FieldKind) -> bool {
        match self.claims {
            Claims::Drop => false,
            // One of those that are written anew goes on as a part of ours.
            Claims::Keep => !self.writes(kind),
        }
    }

    /// Appends our fields.
    pub(super) fn write(&self, received: &Fields, out: &mut Vec<u8>) {
        // A client of a socket that takes both families shows as an IPv6 address otherwise.
        let client = self.client.to_canonical();
        if self.writes(FieldKind::XForwardedFor) {
            out.extend_from_slice(b"X-Forwarded-For: ");
            self.write_claims(FieldKind::XForwardedFor, received, out);
            match client {
                IpAddr::V4(client) => push_ipv4(out, client),
                IpAddr::V6(client) => text(out, format_args!("{client}")),
            }
            out.extend_from_slice(b"\r\n");
        }
        if self.writes(FieldKind::Forwarded) {
            out.extend_from_slice(b"Forwarded: ");
            self.write_claims(FieldKind::Forwarded, received, out);
            // RFC 7239 §6: an IPv6 address stands in brackets, and hence in quotes.
            match client {
                IpAddr::V4(client) => {
                    out.extend_from_slice(b"for=");
                    push_ipv4(out, client);
                }
                IpAddr::V6(client) => text(out, format_args!("for=\"[{client}]\"")),
            }
            out.extend_from_slice(b";proto=http\r\n");
        }
    }

    fn write_claims(&self, kind: FieldKind, received: &Fields, out: &mut Vec<u8>) {
        if self.claims == Claims::Keep {
            for value in received.values(kind).filter(|value| !value.is_empty()) {
                out.extend_from_slice(value);
                out.extend_from_slice(b", ");
            }
        }
    }
}

fn text(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to memory does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::http1::{FieldEdits, RequestHead, RequestRewrite};

    const CLAIMS: &str = "X-Forwarded-For: 1.1.1.1\r\nA: b\r\nforwarded: for=2.2.2.2\r\n\
                          X-Forwarded-Proto: https\r\nX_Forwarded_Host: x\r\nX-Real-IP: 3.3.3.3\r\n";

    /// The fields behind `Host`, of a request that makes claims.
    fn told(forwarding: Option<Forwarding>) -> String {
        let mut request = RequestHead::new();
        let head = format!("GET / HTTP/1.1\r\nHost: h\r\n{CLAIMS}\r\n");
        request.parse(head.as_bytes(), &Limits::default()).unwrap();
        let mut out = Vec::new();
        let rewrite = RequestRewrite {
            via: "me",
            host: "",
            forwarding,
            privacy: None,
            edits: &FieldEdits::default(),
        };
        request.write_upstream(&mut out, &rewrite);
        let text = String::from_utf8(out).unwrap();
        let fields = text.strip_prefix("GET / HTTP/1.1\r\nHost: h\r\n").unwrap();
        fields.strip_suffix("Via: 1.1 me\r\n\r\n").unwrap().to_owned()
    }

    fn forwarding(fields: ForwardingFields, client: &str, claims: Claims) -> Option<Forwarding> {
        Some(Forwarding { fields, client: client.parse().unwrap(), claims })
    }

    #[test]
    fn without_forwarding_nothing_is_added_and_nothing_dropped() {
        assert_eq!(told(None), CLAIMS);
    }

    #[test]
    fn claims_of_anybody_are_dropped_whichever_field_is_written() {
        for (fields, client, expected) in [
            (ForwardingFields::XForwardedFor, "192.0.2.1", "X-Forwarded-For: 192.0.2.1\r\n"),
            (ForwardingFields::XForwardedFor, "::ffff:192.0.2.1", "X-Forwarded-For: 192.0.2.1\r\n"),
            (ForwardingFields::Forwarded, "192.0.2.1", "Forwarded: for=192.0.2.1;proto=http\r\n"),
            (
                ForwardingFields::Both,
                "2001:db8::1",
                "X-Forwarded-For: 2001:db8::1\r\nForwarded: for=\"[2001:db8::1]\";proto=http\r\n",
            ),
        ] {
            let told = told(forwarding(fields, client, Claims::Drop));
            assert_eq!(told, format!("A: b\r\n{expected}"));
        }
    }

    #[test]
    fn claims_of_a_trusted_proxy_come_first() {
        assert_eq!(
            told(forwarding(ForwardingFields::Both, "192.0.2.1", Claims::Keep)),
            "A: b\r\nX-Forwarded-Proto: https\r\nX_Forwarded_Host: x\r\nX-Real-IP: 3.3.3.3\r\n\
             X-Forwarded-For: 1.1.1.1, 192.0.2.1\r\n\
             Forwarded: for=2.2.2.2, for=192.0.2.1;proto=http\r\n"
        );
    }
}
