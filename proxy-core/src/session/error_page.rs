//! The proxy's own error responses: why a request failed, in plain words, as text, HTML or JSON.
//!
//! A page holds the reason, who can mend it and the request's id, by which the access log finds
//! the rest. Nothing that was asked for stands in it, and nothing of where it was sent: no
//! address, no name, no setting.

use std::fmt::Write;

use super::answer::reason_phrase;
use crate::error::{Reason, Side};
use crate::handler::Response;
use crate::http1::{MediaType, favourite};

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

/// The response to request `id`, which failed, in the form its `Accept` fields ask for.
pub(super) fn error_page(reason: Reason, id: u64, accept: &[&[u8]]) -> Response {
    let media_type = favourite(accept, &OFFERS);
    let body = match media_type {
        HTML => html(reason, id),
        PROBLEM | JSON => json(reason, id),
        _ => text(reason, id),
    };
    let (kind, subtype) = media_type;
    // RFC 8259 §11: JSON has no charset parameter.
    let charset = if kind == "text" { "; charset=utf-8" } else { "" };
    let mut response = Response::new(reason.status())
        .with_field("Content-Type", format!("{kind}/{subtype}{charset}"))
        // Some of these statuses may be cached by default (RFC 9110 §15.1).
        .with_field("Cache-Control", "no-store");
    let passes = [
        Reason::WorkersBusy,
        Reason::UpstreamBusy,
        Reason::OutOfDescriptors,
        Reason::TooManyConnections,
    ];
    if passes.contains(&reason) {
        response = response.with_field("Retry-After", RETRY_AFTER);
    }
    response.with_body(body)
}

/// As in "502 Bad Gateway".
fn title(reason: Reason) -> String {
    format!("{} {}", reason.status(), reason_phrase(reason.status()))
}

fn who_can_mend(reason: Reason) -> &'static str {
    match reason.side() {
        Side::Client => "the sender of the request",
        Side::Upstream => "those who run the server",
        Side::Proxy => "those who run this proxy",
    }
}

fn text(reason: Reason, id: u64) -> String {
    format!(
        "{}\n\n{}\nThis can be fixed by {}.\n\nreason: {reason}\nrequest: {id}\n",
        title(reason),
        reason.explanation(),
        who_can_mend(reason),
    )
}

fn html(reason: Reason, id: u64) -> String {
    let title = title(reason);
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
        explanation = escaped_for_html(reason.explanation()),
        who = who_can_mend(reason),
    )
}

/// A problem of RFC 9457 without a `type` of its own, whose `title` is that of the status (§4.2.1).
fn json(reason: Reason, id: u64) -> String {
    format!(
        "{{\"title\":\"{}\",\"status\":{},\"detail\":\"{}\",\"reason\":\"{reason}\",\
         \"side\":\"{}\",\"request\":{id}}}\n",
        reason_phrase(reason.status()),
        reason.status(),
        escaped_for_json(reason.explanation()),
        reason.side(),
    )
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
        let response = error_page(reason, 7, &[accept.as_bytes()]);
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

    /// Statuses that RFC 9110 §15 allows only with a field that says more:
    /// what to authenticate with, what is allowed, what is there, what to upgrade to.
    #[test]
    fn no_reason_has_a_status_that_demands_another_field() {
        for reason in Reason::ALL {
            assert!(![401, 405, 407, 416, 426].contains(&reason.status()), "{reason}");
        }
    }
}
