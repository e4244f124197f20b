//! What a client is told that is refused, and what becomes of its connection.

use super::*;

#[test]
fn who_is_refused_is_told_by_whose_word_and_the_log_by_which_rule() {
    let denial = Denial::new().with_message("Not during <lessons>.").with_status(451);
    let stage = ruled(Verdict::deny(denial), |_| ());
    for request in [PLAIN, TUNNEL] {
        for (accept, form) in [
            ("*/*", "451 Unavailable For Legal Reasons\n\nNot during <lessons>.\n"),
            ("text/html", "<p>Not during &lt;lessons&gt;.</p>"),
            ("application/json", "\"status\":451,\"detail\":\"Not during <lessons>.\""),
        ] {
            let accepting = request.replace("\r\n\r\n", &format!("\r\nAccept: {accept}\r\n\r\n"));
            let answer = stage.client().send(accepting).answer();
            assert_eq!(answer.status, 451);
            assert!(answer.text().contains(form), "{}", answer.text());
            let status = answer.field("proxy-status").unwrap();
            assert!(status.ends_with("; error=http_request_denied; details=\"denied_by_rule\""));
            let id = logs(&stage, Some(451), Some(Reason::DeniedByRule), "it");
            let ids =
                [format!("request: {id}\n"), format!("<code>{id}<"), format!("\"request\":{id}}}")];
            assert!(ids.iter().any(|id| answer.text().contains(id)), "{id} in {}", answer.text());
        }
    }
}

#[test]
fn a_message_is_text_in_every_form() {
    let hostile = "<script>alert(\"x\")</script> & 'y' \\ \u{fc}\nnext";
    let stage = ruled(Verdict::deny(Denial::new().with_message(hostile)), |_| ());
    for (accept, form) in [
        ("text/plain", hostile),
        (
            "text/html",
            "<p>&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;y&#39; \\ \u{fc}\nnext</p>",
        ),
        (
            "application/problem+json",
            "\"<script>alert(\\\"x\\\")</script> & 'y' \\\\ \u{fc}\\u000anext\"",
        ),
    ] {
        let accepting = PLAIN.replace("\r\n\r\n", &format!("\r\nAccept: {accept}\r\n\r\n"));
        let answer = stage.client().send(accepting).answer();
        assert!(answer.text().contains(form), "{accept}: {}", answer.text());
        let kind = answer.field("content-type").unwrap();
        assert!(kind.starts_with(accept), "{kind}");
    }
}

#[test]
fn a_client_of_before_is_refused_and_its_connection_ends() {
    let stage = ruled(Verdict::deny(Denial::new()), |_| ());
    // With `keep-alive`, too: between a proxy and such a client it means nothing (RFC 9112 §C.2.2).
    for field in ["", "Connection: keep-alive\r\n"] {
        let mut client = stage.client();
        client.send(format!("GET http://a.test/ HTTP/1.0\r\n{field}\r\n"));
        let answer = client.answer();
        assert_eq!((answer.status, answer.field("connection")), (403, Some("close")));
        client.expect_end();
        logs(&stage, Some(403), Some(Reason::DeniedByRule), "it");
    }
}

#[test]
fn what_a_refused_client_sends_behind_its_head_is_not_taken_for_a_request() {
    let stage = ruled(Verdict::deny(Denial::new()), |it| it.methods = vec!["POST".to_owned()]);
    let mut client = stage.client();
    let body = "GET http://b.test/ HTTP/1.1\r\nHost: b.test\r\n\r\n";
    let length = body.len();
    let post =
        format!("POST http://a.test/ HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n");
    client.send(post + body);
    assert_eq!(client.answer().status, 403);
    logs(&stage, Some(403), Some(Reason::DeniedByRule), "it");
    client.send("POST http://a.test/ HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.answer().status, 403);
    logs(&stage, Some(403), Some(Reason::DeniedByRule), "it");
}

#[test]
fn a_web_socket_is_a_kind_of_its_own() {
    let origin = Origin::always(OK);
    let stage = ruled(Verdict::deny(Denial::new()), |it| it.kinds = vec![RequestKind::WebSocket]);
    let plain = origin.get("/");
    let socket = plain.replace(
        "\r\n\r\n",
        "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    assert_eq!(stage.client().send(plain).answer().status, 200);
    logs(&stage, Some(200), None, "default");
    assert_eq!(stage.client().send(socket).answer().status, 403);
    logs(&stage, Some(403), Some(Reason::DeniedByRule), "it");
}

#[test]
fn an_address_in_other_numbers_is_refused_like_itself() {
    let set = |it: &mut Conditions| it.hosts = vec!["127.0.0.1".parse().unwrap()];
    let stage = ruled(Verdict::deny(Denial::new()), set);
    for host in ["127.0.0.1", "2130706433", "127.1", "0x7f.0.0.1", "[::ffff:127.0.0.1]"] {
        let plain = format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let tunnel = format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}\r\n\r\n");
        for request in [plain, tunnel] {
            assert_eq!(stage.client().send(&request).answer().status, 403, "{request}");
            logs(&stage, Some(403), Some(Reason::DeniedByRule), "it");
        }
    }
}

#[test]
fn a_refusal_can_lead_elsewhere() {
    let denial = Denial::new().with_redirect("http://intranet.test/blocked");
    let stage = ruled(Verdict::deny(denial), |_| ());
    let answer = stage.client().send(PLAIN).answer();
    assert_eq!(
        (answer.status, answer.field("location")),
        (302, Some("http://intranet.test/blocked"))
    );
    logs(&stage, Some(302), Some(Reason::DeniedByRule), "it");
}

#[test]
fn a_refused_client_may_ask_for_something_else_on_the_same_connection() {
    let origin = Origin::always(OK);
    let stage = ruled(Verdict::deny(Denial::new()), |it| it.hosts = vec![".test".parse().unwrap()]);
    let mut client = stage.client();
    assert_eq!(client.send(PLAIN).answer().status, 403);
    logs(&stage, Some(403), Some(Reason::DeniedByRule), "it");
    assert_eq!(client.send(origin.get("/")).answer().status, 200);
    logs(&stage, Some(200), None, "default");
}
