//! A page for people: what the proxy does, at this moment.

use super::answer::of_type;
use crate::handler::Response;

/// Nothing from elsewhere, and in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The page. There is nothing in it but what anybody may know.
pub(super) fn page() -> Response {
    of_type(200, "text/html; charset=utf-8")
        .with_field("Content-Security-Policy", POLICY)
        .with_field("Referrer-Policy", "no-referrer")
        .with_body(include_str!("page.html"))
}

/// Its script.
pub(super) fn script() -> Response {
    of_type(200, "text/javascript; charset=utf-8").with_body(include_str!("live.js"))
}
