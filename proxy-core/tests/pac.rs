//! The auto-configuration file for browsers.

mod support;

use proxy_core::{ConnectionHandler, FixedUpstreamHandler, ForwardHandler, PacHandler, Reach};
use support::{Answer, Origin, Stage, fields};

fn with_pac() -> Stage {
    Stage::with(|builder| builder.handler(PacHandler::new(ForwardHandler)))
}

fn asks(stage: &Stage, method: &str, path: &str, host: &str) -> Answer {
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    stage.client().send(request).answer()
}

#[test]
fn it_names_the_proxy_as_its_client_does() {
    let stage = with_pac();
    for (path, host, proxy) in [
        ("/proxy.pac", "127.0.0.1:8888", "127.0.0.1:8888"),
        ("/wpad.dat", "wpad", "wpad:80"),
        ("/proxy.pac?x", "[::1]:3128", "[::1]:3128"),
    ] {
        let answer = asks(&stage, "GET", path, host);
        assert_eq!(answer.status, 200);
        let kind = fields(&answer.head, "content-type");
        assert_eq!(kind, ["application/x-ns-proxy-autoconfig"]);
        let text = answer.text();
        assert!(text.starts_with("function FindProxyForURL(url, host) {\n"), "{text}");
        assert!(text.ends_with(&format!("  return \"PROXY {proxy}\";\n}}\n")), "{text}");
        stage.logs("GET 200 -", 0, text.len());
    }
    stage.survives();
}

#[test]
fn what_else_is_asked_of_the_proxy_itself_is_refused_as_before() {
    let stage = with_pac();
    for (method, path) in
        [("GET", "/"), ("GET", "/proxy.pac/"), ("GET", "/PROXY.PAC"), ("POST", "/proxy.pac")]
    {
        let answer = asks(&stage, method, path, "127.0.0.1");
        assert_eq!(answer.status, 400, "{method} {path}");
        stage.logs(&format!("{method} 400 not_a_proxy_request"), 0, answer.body.len());
    }
    let answer = stage.client().send("GET /proxy.pac HTTP/1.0\r\n\r\n").answer();
    assert_eq!(answer.status, 400, "who the proxy is has not been said");
    stage.logs("GET 400 not_a_proxy_request", 0, answer.body.len());
    stage.survives();
}

#[test]
fn nobody_has_one_who_did_not_ask_for_it() {
    let stage = Stage::forward();
    assert_eq!(asks(&stage, "GET", "/proxy.pac", "127.0.0.1").status, 400);
    stage.finish();
}

#[test]
fn a_file_of_that_name_elsewhere_is_asked_for_there() {
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ntheirs");
    let stage = with_pac();
    assert_eq!(stage.client().send(origin.get("/proxy.pac")).answer().text(), "theirs");
    stage.finish();
}

#[test]
fn inner_addresses_are_left_out_if_the_proxy_would_refuse_them() {
    let handler = || PacHandler::new(ForwardHandler);
    let lines = |handler| {
        let stage = Stage::with(|builder| builder.handler(handler));
        let text = asks(&stage, "GET", "/proxy.pac", "h").text().to_owned();
        stage.finish();
        text
    };
    let (plain, narrow) = (lines(handler()), lines(handler().leaving_out_inside()));
    assert!(!plain.contains("192") && narrow.contains("/^192\\.168(\\.\\d+){2}$/"), "{narrow}");
}

#[test]
fn it_goes_where_the_handler_behind_it_goes() {
    assert_eq!(PacHandler::new(ForwardHandler).reach(), Reach::AsAsked);
    let fixed = FixedUpstreamHandler::new("127.0.0.1:1".parse().unwrap());
    assert_eq!(PacHandler::new(fixed).reach(), Reach::Chosen);
}
