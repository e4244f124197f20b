//! [`Field`]: a name and a value; and what a proxy has to do with it.

/// A header field as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name, in the case it was sent in.
    pub name: &'a str,
    /// The value, without the white space around it. Not always text: bytes above 0x7F are
    /// allowed (RFC 9110 §5.5).
    pub value: &'a [u8],
}

/// The fields that a proxy acts on, told apart once, when a head is parsed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// Anything else: goes on as it is.
    #[default]
    Other,
    /// One that [can be named](FieldKind::can_be_named), and that `Connection` names: ends here
    /// (RFC 9110 §7.6.1).
    Named,
    Authorization,
    Connection,
    ContentLength,
    Date,
    Expect,
    Forwarded,
    /// Says something of the client or of an earlier hop, as `X-Forwarded-Proto` does.
    ForwardingClaim,
    Host,
    /// Belongs to the upgrade to h2c (RFC 7540 §3.2.1), which is never made.
    Http2Settings,
    KeepAlive,
    MaxForwards,
    /// `Proxy`, which is no field of HTTP. CGI programs find it as `HTTP_PROXY`, and take it for
    /// the proxy that they are to use themselves (CVE-2016-5385).
    Proxy,
    ProxyAuthenticate,
    ProxyAuthenticationInfo,
    ProxyAuthorization,
    ProxyConnection,
    Te,
    Trailer,
    TransferEncoding,
    Upgrade,
    Via,
    WwwAuthenticate,
    XForwardedFor,
    /// `Content_Length`, `Transfer.Encoding` and their like. Upstreams of the CGI kind do not
    /// tell `_` from `-`, and old ones make `_` of everything but letters and digits: they would
    /// find in such a field the length that this proxy did not.
    FramingLookalike,
}

impl FieldKind {
    /// The kind of a field with this name. The length leaves one or two candidates, so that an
    /// ordinary field costs one comparison at most.
    pub(crate) fn of(name: &[u8]) -> FieldKind {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        let looks_like = |known: &str| {
            name.iter().zip(known.as_bytes()).all(|(&byte, &known)| match known {
                b'-' => !byte.is_ascii_alphanumeric(),
                _ => byte.eq_ignore_ascii_case(&known),
            })
        };
        match name.len() {
            2 if is("te") => FieldKind::Te,
            3 if is("via") => FieldKind::Via,
            4 if is("host") => FieldKind::Host,
            4 if is("date") => FieldKind::Date,
            5 if is("proxy") => FieldKind::Proxy,
            6 if is("expect") => FieldKind::Expect,
            7 if is("trailer") => FieldKind::Trailer,
            7 if is("upgrade") => FieldKind::Upgrade,
            10 if is("connection") => FieldKind::Connection,
            10 if is("keep-alive") => FieldKind::KeepAlive,
            12 if is("max-forwards") => FieldKind::MaxForwards,
            13 if is("authorization") => FieldKind::Authorization,
            14 if is("content-length") => FieldKind::ContentLength,
            14 if looks_like("content-length") => FieldKind::FramingLookalike,
            14 if is("http2-settings") => FieldKind::Http2Settings,
            16 if is("www-authenticate") => FieldKind::WwwAuthenticate,
            16 if is("proxy-connection") => FieldKind::ProxyConnection,
            17 if is("transfer-encoding") => FieldKind::TransferEncoding,
            17 if looks_like("transfer-encoding") => FieldKind::FramingLookalike,
            18 if is("proxy-authenticate") => FieldKind::ProxyAuthenticate,
            19 if is("proxy-authorization") => FieldKind::ProxyAuthorization,
            25 if is("proxy-authentication-info") => FieldKind::ProxyAuthenticationInfo,
            9 if is("forwarded") => FieldKind::Forwarded,
            15 if is("x-forwarded-for") => FieldKind::XForwardedFor,
            _ if is_forwarding_claim(name) => FieldKind::ForwardingClaim,
            _ => FieldKind::Other,
        }
    }

    /// Whether `Connection` can name it: then it ends here. What frames or routes, what the proxy
    /// sets itself, and what tells of clients stays all the same.
    pub(crate) fn can_be_named(self) -> bool {
        matches!(self, FieldKind::Other | FieldKind::Authorization | FieldKind::WwwAuthenticate)
    }

    /// Whether it tells for whom a request is passed on.
    pub(crate) fn is_forwarding(self) -> bool {
        matches!(self, FieldKind::Forwarded | FieldKind::XForwardedFor | FieldKind::ForwardingClaim)
    }

    /// Whether a handler may change it: it neither frames nor routes, and does not end here.
    pub(crate) fn is_editable(self) -> bool {
        matches!(
            self,
            FieldKind::Other
                | FieldKind::Authorization
                | FieldKind::Date
                | FieldKind::WwwAuthenticate
        ) || self.is_forwarding()
    }
}

/// `X-Forwarded-…` and `X-Real-IP`, also with `_`, which upstreams of the CGI kind do not tell
/// from `-`.
fn is_forwarding_claim(name: &[u8]) -> bool {
    let begins = |with: &[u8]| {
        let same = |(byte, known): (&u8, &u8)| {
            byte.eq_ignore_ascii_case(known) || (*byte == b'_' && *known == b'-')
        };
        name.len() >= with.len() && name.iter().zip(with).all(same)
    };
    matches!(name, [b'x' | b'X', b'-' | b'_', ..])
        && (begins(b"x-forwarded-") || name.len() == 9 && begins(b"x-real-ip"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_do_not_depend_on_case() {
        for (name, kind) in [
            ("Host", FieldKind::Host),
            ("hOST", FieldKind::Host),
            ("DATE", FieldKind::Date),
            ("AUTHORIZATION", FieldKind::Authorization),
            ("WWW-authenticate", FieldKind::WwwAuthenticate),
            ("content-LENGTH", FieldKind::ContentLength),
            ("Transfer-Encoding", FieldKind::TransferEncoding),
            ("transfer_Encoding", FieldKind::FramingLookalike),
            ("Content.Length", FieldKind::FramingLookalike),
            ("content~length", FieldKind::FramingLookalike),
            ("ContentxLength", FieldKind::Other),
            ("proxy", FieldKind::Proxy),
            ("PROXY-AUTHORIZATION", FieldKind::ProxyAuthorization),
            ("Proxy-Authentication-Info", FieldKind::ProxyAuthenticationInfo),
            ("proxy-authenticate", FieldKind::ProxyAuthenticate),
            ("proxy-connection", FieldKind::ProxyConnection),
            ("HTTP2-Settings", FieldKind::Http2Settings),
            ("Keep-Alive", FieldKind::KeepAlive),
            ("max-forwards", FieldKind::MaxForwards),
            ("TE", FieldKind::Te),
            ("Forwarded", FieldKind::Forwarded),
            ("x-forwarded-FOR", FieldKind::XForwardedFor),
            ("X_Forwarded_For", FieldKind::ForwardingClaim),
            ("X-Forwarded-Proto", FieldKind::ForwardingClaim),
            ("X-Real-IP", FieldKind::ForwardingClaim),
            ("X-Real-IPs", FieldKind::Other),
            ("X-Forwarded", FieldKind::Other),
            ("X-Host", FieldKind::Other),
            ("Hosts", FieldKind::Other),
            ("Cookie", FieldKind::Other),
        ] {
            assert_eq!(FieldKind::of(name.as_bytes()), kind, "{name}");
        }
    }
}
