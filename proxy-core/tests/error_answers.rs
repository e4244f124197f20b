//! What a client is told when something fails: in words it can read, and in fields that
//! programs can.

mod support;

use crossbeam_channel::{Receiver, unbounded};
use proxy_core::{Action, ConnectionHandler, Exchange, ForwardHandler, Limits, Reason, Response};
use support::{Answer, Client, Nobody, Origin, PATIENCE, Stage};

/// What Firefox and Chromium accept when they open a page.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// `Proxy-Status` without the proxy's name, which differs from proxy to proxy.
#[track_caller]
fn status_parameters(answer: &Answer) -> &str {
    let fields = answer.fields("proxy-status");
    let [value] = fields[..] else { panic!("one Proxy-Status, not {fields:?}") };
    let (name, parameters) = value.split_once("; ").unwrap();
    assert!(name.starts_with("proxy-core-"), "{name}");
    parameters
}

/// Asks somebody who refuses connections, with these further fields.
fn asks_nobody(client: &mut Client, nobody: &Nobody, method: &str, fields: &str) {
    let address = nobody.address;
    client.send(format!(
        "{method} http://{address}/secret HTTP/1.1\r\nHost: {address}\r\n{fields}\r\n"
    ));
}

#[test]
fn each_client_is_told_in_the_form_it_accepts() {
    let (stage, nobody) = (Stage::forward(), Nobody::listens());
    let mut client = stage.client();
    for (fields, media_type, begin) in [
        ("", "text/plain; charset=utf-8", "502 Bad Gateway\n\n"),
        ("Accept: */*\r\n", "text/plain; charset=utf-8", "502 Bad Gateway\n\n"),
        ("Accept: image/png\r\n", "text/plain; charset=utf-8", "502 Bad Gateway\n\n"),
        (&format!("Accept: {BROWSER}\r\n"), "text/html; charset=utf-8", "<!doctype html>\n"),
        ("Accept: application/json, text/plain, */*\r\n", "application/json", "{\"title\":"),
        ("Accept: application/problem+json\r\n", "application/problem+json", "{\"title\":"),
        ("accept: text/plain;q=0.1\r\nACCEPT: text/html\r\n", "text/html; charset=utf-8", "<"),
    ] {
        asks_nobody(&mut client, &nobody, "GET", fields);
        let answer = client.answer();
        assert_eq!(answer.status, 502);
        assert_eq!(answer.fields("content-type"), [media_type], "{fields}");
        assert_eq!(answer.fields("cache-control"), ["no-store"]);
        assert!(answer.text().starts_with(begin), "{fields}: {}", answer.text());
        assert_eq!(
            status_parameters(&answer),
            "error=connection_refused; details=\"connect_refused\""
        );

        let record = stage.closed();
        let record = record.as_record();
        assert_eq!(record.bytes_out, answer.body.len() as u64);
        // The log is found by the id, and where the request went stands there alone.
        assert!(answer.text().contains(&record.id.to_string()), "{}", answer.text());
        assert!(answer.text().contains("connect_refused"), "{}", answer.text());
        let everything = format!("{}\n{}", answer.head, answer.text());
        for internal in ["secret", "127.0.0.1", &nobody.address.port().to_string()] {
            assert!(!everything.contains(internal), "{internal} in {everything}");
        }
    }
    stage.survives();
}

#[test]
fn head_is_told_the_length_of_a_page_it_does_not_get() {
    let (stage, nobody) = (Stage::forward(), Nobody::listens());
    let mut client = stage.client();
    // Ids are part of the page: those of these two requests have the same length.
    let accept = format!("Accept: {BROWSER}\r\n");
    asks_nobody(&mut client, &nobody, "GET", &accept);
    let length = client.answer().body.len();
    stage.logs("GET 502 connect_refused", 0, length);

    asks_nobody(&mut client, &nobody, "HEAD", &accept);
    let head = client.head();
    assert_eq!(support::fields(&head, "content-length"), [length.to_string()]);
    assert_eq!(support::fields(&head, "content-type"), ["text/html; charset=utf-8"]);
    assert_eq!(support::fields(&head, "proxy-status").len(), 1);
    stage.logs("HEAD 502 connect_refused", 0, 0);

    assert_eq!(client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").answer().status, 200);
    stage.logs("OPTIONS 200 -", 0, 0);
    stage.survives();
}

#[test]
fn a_request_that_is_not_understood_is_answered_in_text() {
    let stage = Stage::forward();
    let mut client = stage.client();
    client.send("GET  http://a/ HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n");
    let answer = client.answer();
    assert_eq!(
        (answer.status, answer.field("content-type")),
        (400, Some("text/plain; charset=utf-8"))
    );
    assert_eq!(
        status_parameters(&answer),
        "error=http_request_error; details=\"bad_request_line\""
    );
    client.expect_end();
    stage.logs("- 400 bad_request_line", 0, answer.body.len());
    stage.survives();
}

#[test]
fn a_tunnel_that_cannot_be_opened_is_explained_too() {
    let (stage, nobody) = (Stage::forward(), Nobody::listens());
    let mut client = stage.client();
    client.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", nobody.address));
    let answer = client.answer();
    assert_eq!(answer.status, 502);
    assert_eq!(status_parameters(&answer), "error=connection_refused; details=\"connect_refused\"");
    stage.logs("CONNECT 502 connect_refused", 0, answer.body.len());
    stage.survives();
}

#[test]
fn the_name_in_proxy_status_is_the_one_in_via() {
    let origin = Origin::new(|visit| {
        visit.request();
        visit.send("HTTP/1.1 204 No Content\r\n\r\n");
        visit.request();
        visit.send("nonsense\r\n\r\n");
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    let relayed = client.send(origin.get("/")).answer();
    let name = relayed.field("via").unwrap().strip_prefix("1.1 ").unwrap().to_owned();
    let failed = client.send(origin.get("/")).answer();
    assert_eq!(
        failed.fields("proxy-status"),
        [format!("{name}; error=http_protocol_error; details=\"bad_response\"")]
    );
}

#[test]
fn what_is_no_failure_of_this_proxy_has_no_status_from_it() {
    let upstream = "HTTP/1.1 502 Bad Gateway\r\nProxy-Status: other; error=dns_timeout\r\n\
                    Content-Length: 4\r\n\r\ngone";
    let origin = Origin::always(upstream);
    let stage = Stage::forward();
    let mut client = stage.client();
    let answer = client.send(origin.get("/")).answer();
    assert_eq!((answer.status, answer.text()), (502, "gone"));
    assert_eq!(answer.fields("proxy-status"), ["other; error=dns_timeout"]);
    assert_eq!(answer.field("cache-control"), None);

    let answer = client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").answer();
    assert_eq!((answer.status, answer.field("proxy-status")), (200, None));
}

/// Has a page of its own for what fails.
struct OwnPages;

impl ConnectionHandler for OwnPages {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        ForwardHandler.request(exchange)
    }

    fn failed(&self, exchange: &mut Exchange<'_>, reason: Reason) -> Option<Response> {
        let page = Response::new(reason.status()).with_body("oh");
        match exchange.request().path() {
            "/page" => Some(page),
            "/status" => Some(page.with_field("proxy-status", "mine")),
            _ => None,
        }
    }
}

#[test]
fn a_handlers_page_says_the_same_in_its_fields_unless_it_has_its_own() {
    let stage = Stage::with(|builder| builder.handler(OwnPages));
    let nobody = Nobody::listens();
    let mut client = stage.client();
    let mut ask = |path: &str| {
        client.send(format!("GET http://{}{path} HTTP/1.1\r\nHost: a\r\n\r\n", nobody.address));
        client.answer()
    };
    let answer = ask("/page");
    assert_eq!((answer.status, answer.text()), (502, "oh"));
    assert_eq!(status_parameters(&answer), "error=connection_refused; details=\"connect_refused\"");
    assert_eq!(answer.field("content-type"), None);

    let answer = ask("/status");
    assert_eq!((answer.text(), answer.fields("proxy-status")), ("oh", vec!["mine"]));

    assert!(ask("/").text().contains("\nreason: connect_refused\n"));
}

/// Decides when it is told to.
struct Waits(Receiver<()>);

impl ConnectionHandler for Waits {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let told = self.0.clone();
        exchange.defer(move |_, _| {
            told.recv_timeout(PATIENCE).unwrap();
            Action::Respond(Response::new(204))
        })
    }
}

#[test]
fn who_meets_a_full_queue_is_told_when_to_come_back() {
    let (go_on, told) = unbounded();
    let mut limits = Limits::default();
    limits.lane_queue = 1;
    let stage = Stage::with(|builder| builder.handler(Waits(told)).limits(limits));
    let request = "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n";
    let mut first = stage.client();
    first.send(request);
    stage.settle();
    let answer = stage.client().send(request).answer();
    assert_eq!((answer.status, answer.fields("retry-after")), (503, vec!["1"]));
    assert_eq!(status_parameters(&answer), "error=proxy_internal_error; details=\"workers_busy\"");
    go_on.send(()).unwrap();
    assert_eq!(first.answer().status, 204);
}

#[test]
fn only_a_gateway_calls_a_request_misdirected() {
    let request = "GET https://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n";
    let origin = Origin::always("HTTP/1.1 204 No Content\r\n\r\n");
    for (stage, status, reason) in [
        (Stage::in_front_of(&origin), 421, "misdirected"),
        (Stage::forward(), 400, "unsupported_scheme"),
    ] {
        let answer = stage.client().send(request).answer();
        assert_eq!(answer.status, status);
        assert_eq!(
            status_parameters(&answer),
            format!("error=http_request_error; details=\"{reason}\"")
        );
        stage.logs(&format!("GET {status} {reason}"), 0, answer.body.len());
    }
}
