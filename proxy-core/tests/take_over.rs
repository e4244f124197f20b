//! Blocking code that takes a client's connection over.

mod support;

use std::io::{Read, Write};
use std::time::Duration;

use proxy_core::{Action, ConnectionHandler, Exchange, Reason};
use support::Stage;

/// Speaks a protocol of its own: answers with what it got, in capitals, until the client ends.
struct Capitals;

impl ConnectionHandler for Capitals {
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        match exchange.request().path() {
            "/capitals" => Action::take_over(|mut socket, early| {
                socket.write_all(&early.to_ascii_uppercase()).unwrap();
                let mut block = [0; 64];
                loop {
                    match socket.read(&mut block) {
                        Ok(0) | Err(_) => return,
                        Ok(count) => {
                            socket.write_all(&block[..count].to_ascii_uppercase()).unwrap();
                        }
                    }
                }
            }),
            "/panic" => Action::take_over(|_, _| panic!("on purpose")),
            _ => Action::Reject(Reason::Denied),
        }
    }
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")
}

#[test]
fn blocking_code_speaks_with_the_client_early_bytes_first_and_is_logged_at_its_end() {
    let stage = Stage::with(|builder| builder.handler(Capitals));
    let mut client = stage.client();
    client.send(request("/capitals") + "early");
    assert_eq!(client.bytes(5), b"EARLY");
    assert_eq!(client.send("more").bytes(4), b"MORE");
    client.end().expect_end();
    assert_eq!(stage.outcome(), (None, None));
}

#[test]
fn a_panic_costs_that_connection_only() {
    let stage = Stage::with(|builder| builder.handler(Capitals));
    let mut client = stage.client();
    client.send(request("/panic")).expect_end();
    assert_eq!(stage.outcome(), (None, Some(Reason::HandlerFailed)));
    let mut client = stage.client();
    assert_eq!(client.send(request("/other")).answer().status, 403);
}

#[test]
fn code_that_hangs_holds_up_neither_other_requests_nor_a_shutdown() {
    let stage = Stage::with(|builder| builder.handler(Capitals).workers(3));
    let mut first = stage.client();
    assert_eq!(first.send(request("/capitals") + "a").bytes(1), b"A");
    let mut waiting = stage.client();
    waiting.send(request("/capitals"));
    let mut other = stage.client();
    assert_eq!(other.send(request("/other")).answer().status, 403);
    assert_eq!(stage.outcome(), (Some(403), Some(Reason::Denied)));

    let mut stage = stage;
    stage.take_handle().shutdown(Duration::ZERO);
    let cut = stage.finish();
    assert_eq!(cut.len(), 2);
    assert!(cut.iter().all(|record| record.as_record().reason == Some(Reason::ShutDown)));
}
