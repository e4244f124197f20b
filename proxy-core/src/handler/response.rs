//! [`Response`]: an answer that does not come from an upstream.

use bytes::Bytes;

use super::BodyStream;
use crate::http1::assert_field;

/// A whole response, made by a handler.
///
/// The proxy adds `Date`, `Connection`, and `Content-Length` or `Transfer-Encoding`, and leaves the
/// body out where the request or the status allows none. Some statuses demand a field that only the handler
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
    stream: Option<BodyStream>,
}

impl Response {
    /// An empty response.
    ///
    /// # Panics
    /// If `status` is not from 200 to 599: an interim response is no answer.
    pub fn new(status: u16) -> Response {
        assert!((200..600).contains(&status), "a response has a final status, {status} is none");
        Response { status, fields: Vec::new(), body: Bytes::new(), stream: None }
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
        self.stream = None;
        self
    }

    /// Has the body made while it is sent; see [`body_stream`](super::body_stream).
    ///
    /// A client of HTTP/1.1 gets it in chunks, one of HTTP/1.0 until its connection ends (RFC 9112
    /// §6.3). Whatever timeout there is for a client that takes nothing holds; while there is
    /// nothing to take, the response may last as long as it likes. A client that has ended its side
    /// of the connection gets what there is, and is not waited with for more: it counts as gone, with
    /// [`Reason::ClientClosed`](crate::Reason::ClientClosed). The rest of a request's body is read
    /// when the response is over. A shutdown waits for the end of the stream until its deadline.
    ///
    /// A body can be sent once: a clone of a response that has been sent is answered with
    /// [`Reason::HandlerFailed`](crate::Reason::HandlerFailed). Where the request or the status
    /// allows no body, the sender is told that nobody takes it.
    pub fn with_stream(mut self, stream: BodyStream) -> Response {
        self.stream = Some(stream);
        self.body = Bytes::new();
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

    /// The body that is made while it is sent.
    pub(crate) fn stream(&self) -> Option<&BodyStream> {
        self.stream.as_ref()
    }

    /// The body; empty for one that is made while it is sent.
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
