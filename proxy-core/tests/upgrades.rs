//! `Upgrade`: a WebSocket (RFC 6455) becomes a tunnel, nothing else is passed on.

mod support;

use proxy_core::{Kind, Reason};
use support::{Nobody, Origin, Stage, Visit, fields};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const ASKS_WEBSOCKET: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const SWITCHES: &str =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

#[test]
fn a_websocket_is_a_tunnel_from_its_101_on() {
    let script = |visit: &mut Visit| {
        let head = visit.head().unwrap();
        assert!(head.starts_with("GET /chat HTTP/1.1\r\n"), "{head}");
        assert_eq!(fields(&head, "upgrade"), ["websocket"]);
        assert_eq!(fields(&head, "connection"), ["Upgrade"]);
        assert_eq!(fields(&head, "sec-websocket-version"), ["13"]);
        visit.send(SWITCHES.to_owned() + "from the server");
        assert_eq!(visit.bytes(5), b"early");
        assert_eq!(visit.rest().unwrap(), b", later");
        visit.send("last");
    };
    let origin = Origin::new(script);
    let forward = format!("GET {} HTTP/1.1\r\nHost: x\r\n", origin.url("/chat"));
    let fixed = "GET /chat HTTP/1.1\r\nHost: x\r\n".to_owned();
    for (stage, request) in [(Stage::forward(), forward), (Stage::in_front_of(&origin), fixed)] {
        let mut client = stage.client();
        let head = client.send(request + ASKS_WEBSOCKET + "early").head();
        assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");
        assert_eq!(
            (fields(&head, "upgrade"), fields(&head, "connection")),
            (vec!["websocket"], vec!["Upgrade"])
        );
        assert_eq!(client.bytes(15), b"from the server");
        client.send(", later").end();
        assert_eq!(client.rest().unwrap(), b"last");
        let record = stage.logged_one_tunnel();
        let record = record.as_record();
        assert_eq!((record.method, record.status, record.reason), ("GET", Some(101), None));
        assert_eq!((record.bytes_in, record.bytes_out), (12, 19));
    }
}

#[test]
fn a_websocket_that_is_refused_is_an_ordinary_exchange() {
    let stage = Stage::forward();
    let origin = Origin::always("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    let mut client = stage.client();
    for _ in 0..2 {
        client.send(format!("GET {} HTTP/1.1\r\nHost: x\r\n{ASKS_WEBSOCKET}", origin.url("/")));
        assert_eq!(client.answer().text(), "no");
    }
    let kinds: Vec<_> = stage.finish().iter().map(|record| record.as_record().kind).collect();
    assert_eq!((kinds, origin.visits()), (vec![Kind::Exchange, Kind::Exchange], 1));
}

#[test]
fn what_is_sent_behind_a_handshake_that_is_refused_is_no_request() {
    let origin = Origin::always("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    let nobody = Nobody::listens();
    let stage = Stage::forward();
    for (url, status) in [(origin.url("/"), 403), (format!("http://{}/", nobody.address), 502)] {
        let mut client = stage.client();
        let behind = origin.get("/behind");
        client.send(format!("GET {url} HTTP/1.1\r\nHost: x\r\n{ASKS_WEBSOCKET}{behind}"));
        let answer = client.answer();
        assert_eq!((answer.status, answer.field("connection")), (status, Some("close")));
        client.expect_end();
    }
    assert_eq!(origin.visits(), 1);
}

#[test]
fn a_switch_that_nobody_asked_for_is_not_believed() {
    let other = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n";
    for (asks, switches) in [("\r\n", SWITCHES), (ASKS_WEBSOCKET, other)] {
        let (stage, origin) = (Stage::forward(), Origin::always(switches));
        let mut client = stage.client();
        client.send(format!("GET {} HTTP/1.1\r\nHost: x\r\n{asks}", origin.url("/")));
        assert_eq!(client.answer().status, 502);
        assert_eq!(stage.outcome(), (Some(502), Some(Reason::UnexpectedUpgrade)));
        stage.survives();
    }
}

#[test]
fn an_upgrade_to_http_2_is_not_passed_on() {
    let stage = Stage::forward();
    let origin = Origin::new(|visit| {
        let head = visit.head().unwrap();
        for name in ["upgrade", "connection", "http2-settings"] {
            assert_eq!(fields(&head, name), [""; 0], "{head}");
        }
        visit.send(OK);
    });
    let mut client = stage.client();
    client.send(format!("GET {} HTTP/1.1\r\nHost: x\r\n", origin.url("/")));
    client.send("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
    assert_eq!(client.answer().text(), "ok");
    assert_eq!(stage.outcome(), (Some(200), None));
}
