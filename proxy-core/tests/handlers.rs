//! Handlers of an embedder: what they may decide, and what their mistakes cost.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{Sender, unbounded};
use proxy_core::{
    Action, Admission, Client, ConnectionHandler, Exchange, ForwardHandler, Reason, Response,
    ResponseAction,
};
use support::{Nobody, Origin, PATIENCE, Stage};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const LOCAL: &str = "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n";

type OnFailure = Box<dyn Fn(&mut Exchange<'_>, Reason) -> Option<Response> + Send + Sync>;

/// A handler made of closures; what is not set is left to the defaults.
struct Hooks {
    connected: Box<dyn Fn(&Client) -> Admission + Send + Sync>,
    request: Box<dyn Fn(&mut Exchange<'_>) -> Action + Send + Sync>,
    response: Box<dyn Fn(&mut Exchange<'_>) -> ResponseAction + Send + Sync>,
    failed: OnFailure,
}

impl Default for Hooks {
    fn default() -> Self {
        Hooks {
            connected: Box::new(|_| Admission::Accept),
            request: Box::new(|exchange| ForwardHandler.request(exchange)),
            response: Box::new(|_| ResponseAction::Pass),
            failed: Box::new(|_, _| None),
        }
    }
}

impl ConnectionHandler for Hooks {
    fn connected(&self, client: &Client) -> Admission {
        (self.connected)(client)
    }

    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        (self.request)(exchange)
    }

    fn response(&self, exchange: &mut Exchange<'_>) -> ResponseAction {
        (self.response)(exchange)
    }

    fn failed(&self, exchange: &mut Exchange<'_>, reason: Reason) -> Option<Response> {
        (self.failed)(exchange, reason)
    }
}

/// A proxy that decides about requests in this way.
fn deciding(request: impl Fn(&mut Exchange<'_>) -> Action + Send + Sync + 'static) -> Stage {
    Stage::with(|builder| builder.handler(Hooks { request: Box::new(request), ..Hooks::default() }))
}

/// A forward proxy that treats responses in this way.
fn responding(
    response: impl Fn(&mut Exchange<'_>) -> ResponseAction + Send + Sync + 'static,
) -> Stage {
    Stage::with(|builder| {
        builder.handler(Hooks { response: Box::new(response), ..Hooks::default() })
    })
}

/// `true` for a request to `path`.
fn asks(exchange: &Exchange<'_>, path: &str) -> bool {
    exchange.request().path() == path
}

#[test]
fn a_handler_can_answer_by_itself() {
    let stage = deciding(|_| {
        Action::Respond(Response::new(201).with_field("X-Made", "here").with_body("hello"))
    });
    let mut client = stage.client();
    let answer = client.send(LOCAL).answer();
    assert_eq!(
        (answer.status, answer.text(), answer.field("x-made")),
        (201, "hello", Some("here"))
    );
    assert_eq!((answer.fields("content-length"), answer.fields("date").len()), (vec!["5"], 1));
    let record = stage.closed();
    let record = record.as_record();
    assert_eq!((record.status, record.reason, record.bytes_out), (Some(201), None, 5));
    assert_eq!((record.upstream, record.attempts), (None, 0));

    let head = client.send(LOCAL.replace("GET", "HEAD")).head();
    assert!(
        head.starts_with("HTTP/1.1 201 Created\r\n") && head.contains("\r\nContent-Length: 5"),
        "{head}"
    );
    assert_eq!(stage.closed().as_record().bytes_out, 0);
    client.end().expect_end();
}

#[test]
fn a_handler_that_looks_at_no_scheme_sends_nothing_in_the_clear_that_was_not_to_be() {
    let stage = deciding(|_| Action::forward());
    let origin = Origin::always(OK);
    let mut client = stage.client();
    assert_eq!(client.send(origin.get("/")).answer().status, 200);
    assert_eq!(stage.outcome(), (Some(200), None));
    let answer = client.send(origin.get("/").replace("http://", "https://")).answer();
    assert_eq!(answer.status, Reason::UnsupportedScheme.status());
    assert_eq!(stage.outcome(), (Some(answer.status), Some(Reason::UnsupportedScheme)));
}

#[test]
fn a_handler_can_refuse_and_the_client_is_told_why() {
    let stage = deciding(|_| Action::Reject(Reason::Denied));
    let mut client = stage.client();
    for _ in 0..2 {
        let answer = client.send(LOCAL).answer();
        assert_eq!(answer.status, 403);
        assert!(answer.text().contains("reason: denied\n"), "{}", answer.text());
        assert_eq!(stage.outcome(), (Some(403), Some(Reason::Denied)));
    }
}

#[test]
fn a_handler_can_close_without_a_word() {
    let stage =
        deciding(|exchange| if asks(exchange, "/") { Action::Close } else { Action::forward() });
    stage.client().send(LOCAL).expect_end();
    assert_eq!(stage.outcome(), (None, Some(Reason::ClosedByHandler)));
    assert_eq!(stage.client().send(Origin::always(OK).get("/ok")).answer().text(), "ok");
}

#[test]
fn a_handler_can_turn_a_client_away_before_it_has_said_anything() {
    let seen = AtomicUsize::new(0);
    let first_is_refused = move |client: &Client| {
        assert!(client.address.ip().is_loopback() && client.listener == 0);
        if seen.fetch_add(1, Ordering::SeqCst) == 0 { Admission::Close } else { Admission::Accept }
    };
    let hooks = Hooks { connected: Box::new(first_is_refused), ..Hooks::default() };
    let stage = Stage::with(|builder| builder.handler(hooks));
    stage.client().expect_end();
    assert_eq!(stage.client().send(Origin::always(OK).get("/")).answer().text(), "ok");
    assert_eq!(stage.finish().len(), 1, "a client that was not let in made no request");
}

#[test]
fn a_response_can_be_replaced() {
    let stage = responding(|exchange| match exchange.response().unwrap().status() {
        200 => ResponseAction::Pass,
        status => {
            ResponseAction::Replace(Response::new(503).with_body(format!("instead of {status}")))
        }
    });
    let bad = Origin::always("HTTP/1.1 500 Oh\r\nContent-Length: 6\r\n\r\nsecret");
    let mut client = stage.client();
    for _ in 0..2 {
        let answer = client.send(bad.get("/")).answer();
        assert_eq!((answer.status, answer.text()), (503, "instead of 500"));
        let record = stage.closed();
        let record = record.as_record();
        assert_eq!((record.status, record.reason, record.bytes_out), (Some(503), None, 14));
    }
    assert_eq!(client.send(Origin::always(OK).get("/")).answer().text(), "ok");
    assert_eq!(bad.visits(), 2, "the rest of a replaced response is not waited for");
}

#[test]
fn a_response_can_be_withheld() {
    let stage = responding(|exchange| match exchange.response().unwrap().field("x-secret") {
        Some(_) => ResponseAction::Close,
        None => ResponseAction::Pass,
    });
    let secret =
        Origin::always("HTTP/1.1 200 OK\r\nX-Secret: 1\r\nContent-Length: 6\r\n\r\nsecret");
    stage.client().send(secret.get("/")).expect_end();
    assert_eq!(stage.outcome(), (None, Some(Reason::ClosedByHandler)));
    assert_eq!(stage.client().send(Origin::always(OK).get("/")).answer().text(), "ok");
}

#[test]
fn a_failure_can_be_told_in_the_embedders_words() {
    let hooks = Hooks {
        failed: Box::new(|exchange, reason| {
            let text = format!("{} failed: {reason}", exchange.request().path());
            (!asks(exchange, "/plain")).then(|| Response::new(599).with_body(text))
        }),
        ..Hooks::default()
    };
    let stage = Stage::with(|builder| builder.handler(hooks));
    let nobody = Nobody::listens();
    let mut client = stage.client();
    let answer = client
        .send(format!("GET http://{}/x HTTP/1.1\r\nHost: x\r\n\r\n", nobody.address))
        .answer();
    assert_eq!((answer.status, answer.text()), (599, "/x failed: connect_refused"));
    assert_eq!(stage.outcome(), (Some(599), Some(Reason::ConnectRefused)));
    assert_eq!(
        client
            .send(format!("GET http://{}/plain HTTP/1.1\r\nHost: x\r\n\r\n", nobody.address))
            .answer()
            .status,
        502
    );
    assert_eq!(stage.outcome(), (Some(502), Some(Reason::ConnectRefused)));
}

#[test]
fn a_panic_in_a_hook_costs_that_exchange_and_nothing_else() {
    let bad = |exchange: &Exchange<'_>, hook: &str| exchange.request().path().contains(hook);
    let seen = AtomicUsize::new(0);
    let hooks = Hooks {
        connected: Box::new(move |_| match seen.fetch_add(1, Ordering::SeqCst) {
            0 => panic!("on purpose"),
            _ => Admission::Accept,
        }),
        request: Box::new(move |exchange| match bad(exchange, "request") {
            true => panic!("on purpose"),
            false => Action::forward(),
        }),
        response: Box::new(move |exchange| match bad(exchange, "response") {
            true => panic!("on purpose"),
            false => ResponseAction::Pass,
        }),
        failed: Box::new(move |exchange, _| match bad(exchange, "failed") {
            true => panic!("on purpose"),
            false => None,
        }),
    };
    let stage = Stage::with(|builder| builder.handler(hooks));
    let origin = Origin::always(OK);
    stage.client().expect_end();
    let mut client = stage.client();
    for path in ["/request", "/response", "/request-and-failed", "/response-and-failed"] {
        assert_eq!(client.send(origin.get(path)).answer().status, 500, "{path}");
        assert_eq!(stage.outcome(), (Some(500), Some(Reason::HandlerFailed)), "{path}");
        assert_eq!(client.send(origin.get("/ok")).answer().text(), "ok");
        assert_eq!(stage.outcome(), (Some(200), None));
    }
}

#[test]
fn what_a_handler_keeps_with_an_exchange_is_there_until_its_end_and_no_longer() {
    struct Mark(String, Sender<String>);
    impl Drop for Mark {
        fn drop(&mut self) {
            self.1.send(self.0.clone()).unwrap();
        }
    }

    let (end, ends) = unbounded();
    let hooks = Hooks {
        request: Box::new(move |exchange| {
            assert!(
                exchange.extensions().get::<Mark>().is_none(),
                "nothing is left from the request before"
            );
            let mark = Mark(exchange.request().path().to_owned(), end.clone());
            exchange.extensions().insert(mark);
            Action::forward()
        }),
        response: Box::new(|exchange| {
            let path = exchange.request().path();
            match exchange.extensions().get::<Mark>() {
                Some(mark) if mark.0 == path => ResponseAction::Pass,
                _ => ResponseAction::Close,
            }
        }),
        failed: Box::new(|exchange, _| {
            let mark = exchange.extensions().remove::<Mark>()?;
            Some(Response::new(599).with_body(mark.0.clone()))
        }),
        ..Hooks::default()
    };
    let stage = Stage::with(|builder| builder.handler(hooks));
    let origin = Origin::new(|visit| {
        while let Some((head, _)) = visit.request() {
            if head.contains("/lost") {
                return;
            }
            if !head.contains("/held") {
                visit.send(OK);
            }
        }
    });
    let mut client = stage.client();
    assert_eq!(client.send(origin.get("/1")).answer().text(), "ok");
    assert_eq!(client.send(origin.get("/lost")).answer().text(), "/lost");
    client.send(origin.get("/held")).bytes(0);
    stage.settle();
    client.reset();
    for path in ["/1", "/lost", "/held"] {
        assert_eq!(ends.recv_timeout(PATIENCE).unwrap(), path);
    }
    let outcomes: Vec<_> = (0..3).map(|_| stage.outcome()).collect();
    let lost = (Some(599), Some(Reason::UpstreamClosed));
    assert_eq!(outcomes, [(Some(200), None), lost, (None, Some(Reason::ClientClosed))]);
}

#[test]
fn fields_are_edited_in_both_directions() {
    let (sender, heads) = crossbeam_channel::bounded(1);
    let origin = Origin::new(move |visit| {
        sender.send(visit.head().unwrap()).unwrap();
        visit.send("HTTP/1.1 204 No Content\r\nServer: secret\r\nX-Kept: 1\r\n\r\n");
    });

    struct Editor;
    impl ConnectionHandler for Editor {
        fn request(&self, exchange: &mut Exchange<'_>) -> Action {
            exchange.request_edits().set("user-agent", "edited");
            exchange.request_edits().remove("Cookie");
            exchange.request_edits().add("X-Added", "1");
            ForwardHandler.request(exchange)
        }

        fn response(&self, exchange: &mut Exchange<'_>) -> ResponseAction {
            exchange.response_edits().remove("server");
            ResponseAction::Pass
        }
    }

    let stage = Stage::with(|builder| builder.handler(Editor));
    let mut client = stage.client();
    let url = origin.url("/");
    client.send(format!(
        "GET {url} HTTP/1.1\r\nHost: h\r\nUser-Agent: original\r\nCookie: a\r\ncookie: b\r\n\r\n"
    ));
    let answer = client.answer();
    assert_eq!((answer.field("server"), answer.field("x-kept")), (None, Some("1")));
    let head = heads.recv().unwrap();
    assert_eq!(support::fields(&head, "user-agent"), ["edited"]);
    assert_eq!(support::fields(&head, "x-added"), ["1"]);
    assert!(support::fields(&head, "cookie").is_empty());
}
