//! NTLM and Negotiate authenticate a connection. It is never somebody else's.

mod support;

use std::time::Duration;

use proxy_core::{Limits, Timeouts};
use support::{Client, Origin, PATIENCE, Stage};

/// Answers with the number of the connection, and as the request's path asks for.
fn numbered() -> Origin {
    Origin::new(|visit| {
        while let Some((head, _)) = visit.request() {
            let number = visit.number;
            let challenge = match head.split(' ').nth(1) {
                Some("/ntlm") => "WWW-Authenticate: NTLM\r\n",
                Some("/list") => "WWW-Authenticate: Basic realm=\"a\", Negotiate\r\n",
                _ => "",
            };
            let (status, length) = if challenge.is_empty() { (200, 1) } else { (401, 1) };
            visit.send(format!(
                "HTTP/1.1 {status} X\r\n{challenge}Content-Length: {length}\r\n\r\n{number}"
            ));
        }
    })
}

/// With one connection to each upstream. Idle ones stay, so that none ends by itself.
fn limited(change: impl FnOnce(&mut Timeouts)) -> Stage {
    let mut limits = Limits::default();
    limits.connections_per_upstream = 1;
    let timeouts = support::timeouts(|timeouts| {
        timeouts.upstream_idle = 2 * PATIENCE;
        timeouts.upstream_wait = 2 * PATIENCE;
        timeouts.keep_alive = 2 * PATIENCE;
        change(timeouts);
    });
    Stage::with(|builder| builder.limits(limits).timeouts(timeouts))
}

fn ask(client: &mut Client, origin: &Origin, path: &str, field: &str) -> String {
    let request = origin.get(path).replace("\r\n\r\n", &format!("\r\n{field}\r\n"));
    client.send(request).answer().text().to_owned()
}

#[test]
fn a_connection_that_is_authenticated_stays_with_its_client() {
    let origin = numbered();
    for (path, field) in [
        ("/ntlm", ""),
        ("/list", ""),
        ("/", "Authorization: NTLM TlRM\r\n"),
        ("/", "authorization: negotiate YII=\r\n"),
    ] {
        let stage = Stage::forward();
        let (mut one, mut other) = (stage.client(), stage.client());
        let mine = ask(&mut one, &origin, path, field);
        let theirs = ask(&mut other, &origin, "/", "");
        assert_ne!(mine, theirs, "{path} {field}");
        // For as long as it lasts, whatever is asked for on it.
        for _ in 0..2 {
            assert_eq!(ask(&mut one, &origin, "/", ""), mine, "{path} {field}");
            assert_eq!(ask(&mut other, &origin, "/", ""), theirs, "{path} {field}");
        }
        // And no longer.
        one.end().expect_end();
        assert_eq!(ask(&mut stage.client(), &origin, "/", ""), theirs, "{path} {field}");
    }
}

#[test]
fn other_authentication_is_that_of_each_request() {
    let origin = numbered();
    let stage = Stage::forward();
    let basic = "Authorization: Basic bnRsbTpudGxt\r\n";
    assert_eq!(ask(&mut stage.client(), &origin, "/", basic), "0");
    assert_eq!(ask(&mut stage.client(), &origin, "/", ""), "0");
}

#[test]
fn a_connection_of_ones_own_can_end_and_be_replaced() {
    let (ended, told) = crossbeam_channel::unbounded();
    let once = Origin::new(move |visit| {
        visit.tell_when_closed(&ended);
        visit.request();
        visit.send("HTTP/1.1 401 X\r\nWWW-Authenticate: NTLM\r\nContent-Length: 1\r\n\r\nx");
    });
    let stage = Stage::forward();
    let mut client = stage.client();
    for visits in 1..=3 {
        assert_eq!(ask(&mut client, &once, "/", ""), "x");
        assert_eq!(once.visits(), visits);
        told.recv_timeout(PATIENCE).unwrap();
        stage.settle();
    }
    // A tunnel takes the place of everything that was the client's before.
    let other = numbered();
    assert_eq!(ask(&mut client, &other, "/ntlm", ""), "0");
    client.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", other.address));
    assert!(client.head().starts_with("HTTP/1.1 200 "));
    client.end().expect_end();
}

#[test]
fn a_connection_of_ones_own_gives_its_place_back_in_time() {
    let origin = numbered();
    let stage = limited(|timeouts| timeouts.upstream_idle = Duration::from_millis(100));
    let (mut first, mut second) = (stage.client(), stage.client());
    assert_eq!(ask(&mut first, &origin, "/ntlm", ""), "0");
    // The first client stays, and asks for nothing more for now.
    assert_eq!(ask(&mut second, &origin, "/ntlm", ""), "1");
    assert_eq!(ask(&mut first, &origin, "/", ""), "2");
}

#[test]
fn two_clients_that_turn_to_each_others_upstreams_do_not_wait_for_each_other() {
    let (here, there) = (numbered(), numbered());
    let stage = limited(|_| ());
    let (mut one, mut other) = (stage.client(), stage.client());
    assert_eq!(ask(&mut one, &here, "/ntlm", ""), "0");
    assert_eq!(ask(&mut other, &there, "/ntlm", ""), "0");
    one.send(there.get("/"));
    stage.settle();
    assert_eq!(ask(&mut other, &here, "/", ""), "1");
    assert_eq!(one.answer().text(), "1");
}

#[test]
fn a_client_does_not_wait_for_the_place_of_its_own_connection() {
    let origin = numbered();
    let stage = limited(|_| ());
    let mut client = stage.client();
    assert_eq!(ask(&mut client, &origin, "/ntlm", ""), "0");
    client.send(format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", origin.address));
    assert!(client.head().starts_with("HTTP/1.1 200 "));
    assert_eq!(client.send(origin.get("/")).answer().text(), "1");
}
