//! [`Gate`]: which requests are let in.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::endpoint::Endpoint;
use super::token::AdminToken;
use crate::http1::{RequestHead, TargetForm};

/// Who may ask, and from where.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate {
    /// Names that this address may be called by, in lower case, beside those that nobody can take.
    pub(super) hosts: Vec<String>,
    pub(super) token: Option<AdminToken>,
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned {
    /// It is meant for a proxy.
    NotAProxy,
    /// It names a host that is not this one.
    OtherHost,
    /// A browser sends it for a page of another site.
    OtherSite,
    /// It would change something, and might be a form's.
    MayBeAForm,
    /// It brings no token.
    NoToken,
    /// It brings a wrong one.
    WrongToken,
}

/// The field by which whoever changes something says that it is meant. No form can send it, and a
/// script of another site only if it were allowed here, which it is not: there is no CORS.
pub(super) const MEANT: &str = "Admin-Request";

impl Gate {
    /// Whether a request is let in.
    pub(super) fn check(
        &self,
        head: &RequestHead,
        endpoint: Option<&Endpoint>,
    ) -> Result<(), Turned> {
        if !matches!(head.form(), TargetForm::Origin | TargetForm::Absolute) {
            return Err(Turned::NotAProxy);
        }
        match (&self.token, bearer(head)) {
            // Nobody but who was given it can know it: not a page, whatever it is called.
            (Some(token), Some(given)) if token.is(given) => return Ok(()),
            (Some(_), Some(_)) => return Err(Turned::WrongToken),
            (Some(_), None) if !endpoint.is_some_and(Endpoint::is_open) => {
                return Err(Turned::NoToken);
            }
            _ => {}
        }
        if !self.is_called(head.host()) {
            return Err(Turned::OtherHost);
        }
        if is_of_another_site(head) {
            return Err(Turned::OtherSite);
        }
        if !matches!(head.method(), "GET" | "HEAD") && !is_meant(head) {
            return Err(Turned::MayBeAForm);
        }
        Ok(())
    }

    /// Whether a page of somebody else's cannot be at this host. An address is nobody's to resolve,
    /// and a name below `localhost` never leaves its machine (RFC 6761 §6.3).
    fn is_called(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let name = host.strip_suffix('.').unwrap_or(&host);
        let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        name == "localhost"
            || name.ends_with(".localhost")
            || name.parse::<Ipv4Addr>().is_ok()
            || bare.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
            || self.hosts.iter().any(|own| own == name)
    }
}

/// What a browser says of the page that asks (Fetch Metadata, RFC 6454). Other programs say nothing.
fn is_of_another_site(head: &RequestHead) -> bool {
    // `same-site` is another port of the same machine, and somebody else's page.
    let site = head.field("Sec-Fetch-Site");
    if site.is_some_and(|site| site != b"same-origin" && site != b"none") {
        return true;
    }
    let Some(origin) = head.field("Origin") else { return false };
    let own = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
    !own.is_some_and(|own| own.eq_ignore_ascii_case(head.authority().as_bytes()))
}

fn is_meant(head: &RequestHead) -> bool {
    let is_json = |value: &[u8]| {
        let kind = value.split(|&byte| byte == b';').next().unwrap_or_default();
        kind.trim_ascii().eq_ignore_ascii_case(b"application/json")
    };
    head.field(MEANT).is_some() || head.field("Content-Type").is_some_and(is_json)
}

/// The token that a request brings. The scheme has no case (RFC 9110 §11.1).
fn bearer(head: &RequestHead) -> Option<&[u8]> {
    let value = head.field("Authorization")?;
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    const TOKEN: &str = "0123456789abcdef";

    fn check(gate: &Gate, head: &str) -> Result<(), Turned> {
        let mut request = RequestHead::new();
        let head = format!("{}\r\n\r\n", head.replace('\n', "\r\n"));
        request.parse(head.as_bytes(), &Limits::default()).unwrap();
        check_head(gate, &request)
    }

    fn check_head(gate: &Gate, request: &RequestHead) -> Result<(), Turned> {
        gate.check(request, Endpoint::at(request.path()).as_ref())
    }

    #[test]
    fn a_name_that_somebody_may_own_is_not_ours() {
        let gate = Gate { hosts: vec!["proxy.office.example".to_owned()], token: None };
        for (host, is_ours) in [
            ("127.0.0.1:9901", true),
            ("192.0.2.1", true),
            ("[::1]:9901", true),
            ("localhost", true),
            ("LOCALHOST.:9901", true),
            ("me.localhost", true),
            ("Proxy.Office.Example:9901", true),
            ("rebinding.example", false),
            ("127.0.0.1.rebinding.example", false),
            ("notlocalhost", false),
            ("2130706433", false),
            ("office.example", false),
        ] {
            let outcome = check(&gate, &format!("GET /status.json HTTP/1.1\nHost: {host}"));
            let expected = if is_ours { Ok(()) } else { Err(Turned::OtherHost) };
            assert_eq!(outcome, expected, "{host}");
            let whole = format!("GET http://{host}/status.json HTTP/1.1\nHost: localhost");
            assert_eq!(check(&gate, &whole), expected, "the target says {host}");
        }
    }

    #[test]
    fn it_is_no_proxy() {
        let gate = Gate::default();
        let connect = "CONNECT localhost:80 HTTP/1.1\nHost: localhost:80";
        assert_eq!(check(&gate, connect), Err(Turned::NotAProxy));
        let all = "OPTIONS * HTTP/1.1\nHost: localhost";
        assert_eq!(check(&gate, all), Err(Turned::NotAProxy));
        let elsewhere = "GET http://example.com/ HTTP/1.1\nHost: example.com";
        assert_eq!(check(&gate, elsewhere), Err(Turned::OtherHost));
        assert_eq!(check(&gate, "GET / HTTP/1.0"), Err(Turned::OtherHost), "it does not say");
    }

    #[test]
    fn pages_of_other_sites_are_turned_away() {
        let gate = Gate::default();
        for (fields, is_ours) in [
            ("Sec-Fetch-Site: same-origin", true),
            ("Sec-Fetch-Site: none", true),
            ("Sec-Fetch-Site: same-site", false),
            ("Sec-Fetch-Site: cross-site", false),
            ("Origin: http://127.0.0.1:9901", true),
            ("Origin: http://127.0.0.1:8000", false),
            ("Origin: http://localhost:9901", false),
            ("Origin: http://evil.example", false),
            ("Origin: null", false),
            ("Origin: http://127.0.0.1:9901\nSec-Fetch-Site: cross-site", false),
        ] {
            let head = format!("GET /events HTTP/1.1\nHost: 127.0.0.1:9901\n{fields}");
            let expected = if is_ours { Ok(()) } else { Err(Turned::OtherSite) };
            assert_eq!(check(&gate, &head), expected, "{fields}");
        }
    }

    #[test]
    fn a_form_changes_nothing() {
        let gate = Gate::default();
        for (fields, is_meant) in [
            ("Accept: */*", false),
            ("Content-Type: application/x-www-form-urlencoded", false),
            ("Content-Type: text/plain", false),
            ("Content-Type: text/plain; application/json", false),
            ("Content-Type: application/json; charset=utf-8", true),
            ("Admin-Request: 1", true),
        ] {
            let expected = if is_meant { Ok(()) } else { Err(Turned::MayBeAForm) };
            for request in ["POST /drain", "DELETE /connections/0-1-1", "PUT /loglevel?level=off"] {
                let head = format!("{request} HTTP/1.1\nHost: localhost\n{fields}");
                assert_eq!(check(&gate, &head), expected, "{request} {fields}");
            }
        }
    }

    #[test]
    fn a_token_lets_in_and_nothing_else_does() {
        let gate = Gate { hosts: Vec::new(), token: Some(AdminToken::new(TOKEN).unwrap()) };
        let ask = |request: &str, fields: &str| {
            check(&gate, &format!("{request} HTTP/1.1\nHost: proxy.example{fields}"))
        };
        let right = format!("\nAuthorization: bearer {TOKEN}");
        assert_eq!(ask("GET /status.json", &right), Ok(()));
        assert_eq!(ask("POST /drain", &right), Ok(()));
        assert_eq!(ask("GET /status.json", ""), Err(Turned::NoToken));
        assert_eq!(ask("GET /x", ""), Err(Turned::NoToken));
        assert_eq!(ask("GET /x", "\nAuthorization: Basic YTpi"), Err(Turned::NoToken));
        let wrong = format!("\nAuthorization: Bearer {TOKEN}0");
        assert_eq!(ask("GET /status.json", &wrong), Err(Turned::WrongToken));
        assert_eq!(ask("GET /healthz", &wrong), Err(Turned::WrongToken));
        // Open to all who may ask at all.
        assert_eq!(ask("GET /healthz", ""), Err(Turned::OtherHost));
        assert_eq!(check(&gate, "GET /healthz HTTP/1.1\nHost: 192.0.2.1"), Ok(()));
    }
}
