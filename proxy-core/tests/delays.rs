//! Actions that are taken later.

mod support;

use std::time::{Duration, Instant};

use proxy_core::{
    Action, ConnectionHandler, Exchange, ForwardHandler, Limits, Proxy, Reason, Response,
};
use support::{Origin, PATIENCE, Stage};

const ASKED: &str = "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n";

/// Takes what this closure says.
struct Takes<F>(F);

impl<F> ConnectionHandler for Takes<F>
where
    F: Fn(&mut Exchange<'_>) -> Action + Send + Sync + 'static,
{
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        (self.0)(exchange)
    }
}

fn taking(action: impl Fn(&mut Exchange<'_>) -> Action + Send + Sync + 'static) -> Stage {
    Stage::with(|builder| builder.handler(Takes(action)))
}

/// For ever, as tests go.
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn any_action_can_be_taken_later() {
    let delay = Duration::from_millis(50);
    let origin = Origin::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let stage = taking(move |exchange| {
        let action = match exchange.request().field("x-what") {
            Some(b"answer") => Action::Respond(Response::new(202)),
            Some(b"close") => Action::Close,
            Some(b"again") => exchange.after(delay, Action::Reject(Reason::Denied)),
            Some(b"defer") => exchange.defer(|_, _| Action::Respond(Response::new(203))),
            _ => ForwardHandler.request(exchange),
        };
        exchange.after(delay, action)
    });
    let what = |word: &str| ASKED.replace("\r\n\r\n", &format!("\r\nX-What: {word}\r\n\r\n"));
    let begun = Instant::now();
    let mut client = stage.client();
    assert_eq!(stage.asks(&mut client, &origin.get("/")), (false, false));
    assert_eq!(client.send(what("answer")).answer().status, 202);
    assert_eq!(client.send(what("again")).answer().status, 403);
    assert_eq!(client.send(what("defer")).answer().status, 203);
    client.send(what("close")).expect_end();
    assert!(begun.elapsed() >= 6 * delay);
}

#[test]
fn no_delay_is_none() {
    let stage = taking(|exchange| exchange.after(Duration::ZERO, Action::Reject(Reason::Denied)));
    assert_eq!(stage.client().send(ASKED).answer().status, 403);
}

#[test]
fn a_delay_is_not_bounded_by_the_time_that_decisions_have() {
    let timeouts = support::timeouts(|it| it.response_head = Duration::from_millis(1));
    let delay = Duration::from_millis(100);
    let handler = Takes(move |exchange: &mut Exchange<'_>| {
        exchange.after(delay, Action::Respond(Response::new(204)))
    });
    let stage = Stage::with(|builder| builder.handler(handler).timeouts(timeouts));
    assert_eq!(stage.client().send(ASKED).answer().status, 204);
}

#[test]
fn a_client_that_does_not_wait_is_recorded_and_what_it_sends_meanwhile_is_kept() {
    let stage = taking(|exchange| match exchange.request().path() {
        "/" => exchange.after(HOUR, Action::Reject(Reason::Denied)),
        _ => Action::Respond(Response::new(204)),
    });
    let mut client = stage.client();
    client.send(ASKED).send(ASKED.replace("a.test/ ", "a.test/next "));
    stage.settle();
    client.expect_silence();
    client.reset();
    assert_eq!(stage.outcome(), (None, Some(Reason::ClientClosed)));

    let short = Duration::from_millis(50);
    let stage = taking(move |exchange| match exchange.request().path() {
        "/" => exchange.after(short, Action::Respond(Response::new(203))),
        _ => Action::Respond(Response::new(204)),
    });
    let mut client = stage.client();
    client.send(ASKED).send(ASKED.replace("a.test/ ", "a.test/next "));
    assert_eq!((client.answer().status, client.answer().status), (203, 204));
}

#[test]
fn a_shutdown_takes_at_once_what_was_to_be_taken_later() {
    let mut stage = taking(|exchange| exchange.after(HOUR, Action::Respond(Response::new(204))));
    let mut client = stage.client();
    client.send(ASKED);
    stage.settle();
    assert_eq!(stage.take_handle().shutdown(PATIENCE).cut, 0);
    assert_eq!(client.answer().status, 204);
}

#[test]
fn a_reload_leaves_what_waits_as_it_is() {
    let mut stage = taking(|exchange| exchange.after(HOUR, Action::Respond(Response::new(204))));
    let mut client = stage.client();
    client.send(ASKED);
    stage.settle();
    let mut limits = Limits::default();
    limits.fields = 7;
    let mut handle = stage.take_handle();
    handle.reload(Proxy::builder().limits(limits)).unwrap();
    client.expect_silence();
    client.reset();
    assert_eq!(stage.outcome(), (None, Some(Reason::ClientClosed)));
    handle.shutdown(PATIENCE);
}

#[test]
fn a_client_that_a_reload_does_not_serve_any_more_need_not_wait() {
    let mut stage = taking(|exchange| exchange.after(HOUR, Action::Respond(Response::new(204))));
    let mut client = stage.client();
    client.send(ASKED);
    stage.settle();
    let mut handle = stage.take_handle();
    let elsewhere = "192.0.2.0/24".parse().unwrap();
    handle.reload(Proxy::builder().allow_clients([elsewhere])).unwrap();
    let answer = client.answer();
    assert_eq!((answer.status, answer.field("connection")), (204, Some("close")));
    handle.shutdown(PATIENCE);
}
