//! The proxy's own error responses: why a request failed, in plain words, as text, HTML or JSON.
//!
//! A page holds the reason, who can mend it and the request's id, by which the access log finds
//! the rest. Nothing that was asked for stands in it, and nothing of where it was sent: no
//! address, no name, no setting.

use std::fmt::Write;

use super::answer::reason_phrase;
use super::transaction::Transaction;
use crate::error::{Reason, Side};
use crate::handler::Response;
use crate::http1::{MediaType, favourite};
use crate::policy::rules::Denial;

const TEXT: MediaType = ("text", "plain");
const HTML: MediaType = ("text", "html");
/// RFC 9457. Most programs ask for plain JSON, and get the same under that name.
const PROBLEM: MediaType = ("application", "problem+json");
const JSON: MediaType = ("application", "json");

/// What is offered; the first is for those who do not care.
const OFFERS: [MediaType; 4] = [TEXT, HTML, PROBLEM, JSON];

/// Seconds after which a passing shortage is worth another try: the queues for the worker pool
/// are short, and connections end all the time.
const RETRY_AFTER: &str = "1";

/// What a page tells of a request that failed.
#[derive(Clone, Copy)]
pub(super) struct Page<'a> {
    reason: Reason,
    id: u64,
    /// What the client is told instead, where a rule has refused.
    denial: Option<&'a Denial>,
}

impl<'a> Page<'a> {
    /// The page about a request that has failed for this reason.
    pub(super) fn of(reason: Reason, transaction: &'a Transaction) -> Page<'a> {
        let refusal = transaction.handler.refusal();
        let refusal = refusal.filter(|_| reason == Reason::DeniedByRule);
        Page { reason, id: transaction.id, denial: refusal.map(|it| &*it.denial) }
    }

    /// The response, in the form that the request's `Accept` fields ask for.
    pub(super) fn in_form(self, accept: &[&[u8]]) -> Response {
        let media_type = favourite(accept, &OFFERS);
        let body = match media_type {
            HTML => self.html(),
            PROBLEM | JSON => self.json(),
            _ => self.text(),
        };
        let (kind, subtype) = media_type;
        // RFC 8259 §11: JSON has no charset parameter.
        let charset = if kind == "text" { "; charset=utf-8" } else { "" };
        let mut response = Response::new(self.status())
            .with_field("Content-Type", format!("{kind}/{subtype}{charset}"))
            // Some of these statuses may be cached by default (RFC 9110 §15.1).
            .with_field("Cache-Control", "no-store");
        let passes = [
            Reason::WorkersBusy,
            Reason::UpstreamBusy,
            Reason::OutOfDescriptors,
            Reason::TooManyConnections,
            Reason::AuthenticatorUnavailable,
            Reason::ConnectionsLimited,
        ];
        if passes.contains(&self.reason) {
            response = response.with_field("Retry-After", RETRY_AFTER);
        }
        if let Some(url) = self.denial.and_then(Denial::redirect) {
            response = response.with_field("Location", url);
        }
        response.with_body(body)
    }

    fn status(self) -> u16 {
        self.denial.map_or(self.reason.status(), Denial::status)
    }

    /// As in "Bad Gateway".
    fn phrase(self) -> &'static str {
        reason_phrase(self.status())
    }

    /// What happened.
    fn words(self) -> &'a str {
        let message = self.denial.and_then(Denial::message);
        message.unwrap_or(self.reason.explanation())
    }

    fn who_can_mend(self) -> &'static str {
        match self.reason.side() {
            Side::Client => "the sender of the request",
            Side::Upstream => "those who run the server",
            Side::Proxy => "those who run this proxy",
        }
    }

    fn text(self) -> String {
        let Page { reason, id, .. } = self;
        format!(
            "{} {}\n\n{}\nThis can be fixed by {}.\n\nreason: {reason}\nrequest: {id}\n",
            self.status(),
            self.phrase(),
            self.words(),
            self.who_can_mend(),
        )
    }

    fn html(self) -> String {
        let Page { reason, id, .. } = self;
        let title = format!("{} {}", self.status(), self.phrase());
        format!(
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{
  max-width: 36rem; margin: 12vh auto 2rem; padding: 0 1.25rem;
  font: 1.1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}}
h1 {{ font-size: 1.6rem; line-height: 1.2; }}
footer {{ margin-top: 2rem; font-size: 0.9rem; opacity: 0.75; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{explanation}</p>
<p>This can be fixed by {who}.</p>
<footer>reason: <code>{reason}</code><br>request: <code>{id}</code></footer>
</body>
</html>
"#,
            explanation = escaped_for_html(self.words()),
            who = self.who_can_mend(),
        )
    }

    /// A problem of RFC 9457 without a `type` of its own, whose `title` is that of the status
    /// (§4.2.1).
    fn json(self) -> String {
        let Page { reason, id, .. } = self;
        format!(
            "{{\"title\":\"{}\",\"status\":{},\"detail\":\"{}\",\"reason\":\"{reason}\",\
             \"side\":\"{}\",\"request\":{id}}}\n",
            self.phrase(),
            self.status(),
            escaped_for_json(self.words()),
            reason.side(),
        )
    }
}

fn escaped_for_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

fn escaped_for_json(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => escaped.extend(['\\', c]),
            '\0'..='\x1f' => {
                write!(escaped, "\\u{:04x}", u32::from(c)).expect("writing to a string succeeds");
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(reason: Reason, accept: &str) -> (String, String) {
        let page = Page { reason, id: 7, denial: None };
        let response = page.in_form(&[accept.as_bytes()]);
        let fields: Vec<_> =
            response.fields().map(|(name, value)| format!("{name}: {value}")).collect();
        let body = std::str::from_utf8(response.body()).unwrap().to_owned();
        assert_eq!(response.status(), reason.status());
        (fields.join(", "), body)
    }

    #[test]
    fn text_is_for_those_who_do_not_ask() {
        let (fields, body) = page(Reason::ConnectRefused, "*/*");
        assert_eq!(fields, "Content-Type: text/plain; charset=utf-8, Cache-Control: no-store");
        assert_eq!(
            body,
            "502 Bad Gateway\n\nThe server refused the connection.\n\
             This can be fixed by those who run the server.\n\n\
             reason: connect_refused\nrequest: 7\n"
        );
    }

    #[test]
    fn json_is_a_problem_by_either_name() {
        let problem = "{\"title\":\"Forbidden\",\"status\":403,\
                       \"detail\":\"The request is not allowed here.\",\"reason\":\"denied\",\
                       \"side\":\"proxy\",\"request\":7}\n";
        for name in ["application/json", "application/problem+json"] {
            let (fields, body) = page(Reason::Denied, name);
            assert_eq!(fields, format!("Content-Type: {name}, Cache-Control: no-store"));
            assert_eq!(body, problem);
        }
    }

    #[test]
    fn a_rule_has_words_and_a_status_of_its_own() {
        let denial = Denial::new().with_message("Not <now>.").with_status(451);
        let page = Page { reason: Reason::DeniedByRule, id: 7, denial: Some(&denial) };
        let [text, html, json] = ["text/plain", "text/html", "application/json"].map(|accept| {
            let response = page.in_form(&[accept.as_bytes()]);
            assert_eq!((response.status(), response.has_field("location")), (451, false));
            String::from_utf8(response.body().to_vec()).unwrap()
        });
        assert!(text.starts_with("451 Unavailable For Legal Reasons\n\nNot <now>.\n"), "{text}");
        assert!(html.contains("<p>Not &lt;now&gt;.</p>") && html.contains("<code>7</code>"));
        assert!(
            json.contains("\"status\":451,\"detail\":\"Not <now>.\",\"reason\":\"denied_by_rule\"")
        );
        let denial = Denial::new().with_redirect("http://a.test/why?x");
        let response = Page { denial: Some(&denial), ..page }.in_form(&[]);
        assert_eq!(response.status(), 302);
        assert!(response.fields().any(|field| field == ("Location", "http://a.test/why?x")));
    }

    #[test]
    fn html_fits_a_phone_and_is_escaped() {
        let (fields, body) = page(Reason::NotAProxyRequest, "text/html,*/*;q=0.8");
        assert_eq!(fields, "Content-Type: text/html; charset=utf-8, Cache-Control: no-store");
        assert!(body.starts_with("<!doctype html>\n<html lang=\"en\">"));
        assert!(body.contains("<meta name=\"viewport\" content=\"width=device-width,"));
        assert!(body.contains("<title>400 Bad Request</title>"));
        assert!(body.contains("<code>not_a_proxy_request</code>"));
        assert_eq!(
            escaped_for_html("a < b && \"c\" > 'd'"),
            "a &lt; b &amp;&amp; &quot;c&quot; &gt; &#39;d&#39;"
        );
        assert_eq!(escaped_for_json("a \"b\" \\c\n"), "a \\\"b\\\" \\\\c\\u000a");
    }

    #[test]
    fn every_reason_has_a_page_in_every_form() {
        for &reason in Reason::ALL {
            for accept in ["text/plain", "text/html", "application/json"] {
                let (_, body) = page(reason, accept);
                assert!(body.contains(reason.code()) && body.contains('7'), "{body}");
                assert!(body.contains(reason_phrase(reason.status())));
                assert!(body.len() < 2048);
            }
        }
    }

    #[test]
    fn passing_shortages_are_worth_another_try() {
        let (fields, _) = page(Reason::WorkersBusy, "*/*");
        assert!(fields.ends_with(", Retry-After: 1"), "{fields}");
    }

    /// Statuses that RFC 9110 §15 allows only with a field that says more: what is allowed, what is
    /// there, what to upgrade to. (What to authenticate with is added where there is a client to
    /// be told.)
    #[test]
    fn no_reason_has_a_status_that_demands_another_field() {
        for reason in Reason::ALL {
            assert!(![405, 416, 426].contains(&reason.status()), "{reason}");
        }
    }
}
