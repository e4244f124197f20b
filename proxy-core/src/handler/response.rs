//! [`Response`]: an answer that does not come from an upstream.

use bytes::Bytes;

use crate::http1::assert_field;

/// A whole response, made by a handler.
///
/// The proxy adds `Date`, `Content-Length` and `Connection`, and leaves the body out where
/// the request or the status allows none. Some statuses demand a field that only the handler
/// can know: 401 `WWW-Authenticate`, 405 `Allow`, 407 `Proxy-Authenticate`, 426 `Upgrade`
/// (RFC 9110 §15.5).
///
/// ```
/// use proxy_core::Response;
///
/// let response = Response::new(200).with_field("content-type", "text/plain").with_body("hello\n");
/// assert_eq!(response.status(), 200);
/// ```
#[derive(Clone, Debug)]
pub struct Response {
    status: u16,
    fields: Vec<(String, String)>,
    body: Bytes,
}

impl Response {
    /// An empty response.
    ///
    /// # Panics
    /// If `status` is not from 200 to 599: an interim response is no answer.
    pub fn new(status: u16) -> Response {
        assert!((200..600).contains(&status), "a response has a final status, {status} is none");
        Response { status, fields: Vec::new(), body: Bytes::new() }
    }

    /// Adds a header field.
    ///
    /// # Panics
    /// If the name is not a token (RFC 9110 §5.6.2), the value holds anything but visible
    /// ASCII, spaces and tabs, or the field is one that the proxy sets.
    pub fn with_field(mut self, name: impl Into<String>, value: impl Into<String>) -> Response {
        let (name, value) = (name.into(), value.into());
        assert_field(&name, &value);
        let reserved = ["content-length", "transfer-encoding", "connection", "date"];
        assert!(
            !reserved.iter().any(|r| name.eq_ignore_ascii_case(r)),
            "{name} is set by the proxy"
        );
        self.fields.push((name, value));
        self
    }

    /// Sets the body.
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Response {
        self.body = body.into();
        self
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The header fields, without those that the proxy adds.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn has_field(&self, name: &str) -> bool {
        self.fields().any(|(own, _)| own.eq_ignore_ascii_case(name))
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_keeps_what_it_is_given() {
        let response =
            Response::new(404).with_field("X-A", "1").with_field("X-A", "2").with_body("gone");
        assert_eq!(response.fields().collect::<Vec<_>>(), [("X-A", "1"), ("X-A", "2")]);
        assert_eq!(response.body(), "gone");
    }

    #[test]
    #[should_panic(expected = "is not a field value")]
    fn a_field_cannot_smuggle_a_line() {
        drop(Response::new(200).with_field("a", "b\r\nc: d"));
    }

    #[test]
    #[should_panic(expected = "is set by the proxy")]
    fn framing_is_the_proxys() {
        drop(Response::new(200).with_field("Content-Length", "5"));
    }
}
