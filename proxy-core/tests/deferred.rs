//! Decisions that take time, and are made on the worker pool.

mod support;

use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use proxy_core::{
    Action, ConnectionHandler, DecisionReply, Exchange, ForwardHandler, Limits, Reason, Response,
};
use support::{Origin, PATIENCE, Stage, timeouts};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const LOCAL: &str = "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n";

/// A handler that decides about requests in this way.
struct Decides<F>(F);

impl<F> ConnectionHandler for Decides<F>
where
    F: Fn(&mut Exchange<'_>) -> Action + Send + Sync + 'static,
{
    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        (self.0)(exchange)
    }
}

/// A proxy that decides about requests in this way.
fn deciding(request: impl Fn(&mut Exchange<'_>) -> Action + Send + Sync + 'static) -> Stage {
    Stage::with(|builder| builder.handler(Decides(request)))
}

/// `true` for a request to `path`.
fn asks(exchange: &Exchange<'_>, path: &str) -> bool {
    exchange.request().path() == path
}

#[test]
fn a_decision_that_takes_time_holds_up_nobody_else() {
    let (decide, may_decide) = bounded(0);
    let stage = deciding(move |exchange| {
        let may_decide: Receiver<()> = may_decide.clone();
        match asks(exchange, "/slow") {
            true => exchange.defer(move |request, _| {
                let _ = may_decide.recv_timeout(PATIENCE);
                Action::Respond(Response::new(200).with_body(request.path().to_owned()))
            }),
            false => Action::forward(),
        }
    });
    let mut slow = stage.client();
    slow.send("GET http://a.test/slow HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert_eq!(stage.client().send(Origin::always(OK).get("/")).answer().text(), "ok");
    slow.expect_silence();
    decide.send(()).unwrap();
    assert_eq!(slow.answer().text(), "/slow");
    assert_eq!((stage.outcome(), stage.outcome()), ((Some(200), None), (Some(200), None)));
}

#[test]
fn a_deferred_decision_that_panics_costs_its_exchange() {
    let stage = deciding(|exchange| match asks(exchange, "/") {
        true => exchange.defer(|_, _| panic!("on purpose")),
        false => exchange.defer(|_, _| Action::forward()),
    });
    let mut client = stage.client();
    assert_eq!(client.send(LOCAL).answer().status, 500);
    assert_eq!(stage.outcome(), (Some(500), Some(Reason::HandlerFailed)));
    assert_eq!(client.send(Origin::always(OK).get("/ok")).answer().text(), "ok");
}

/// Deferred decisions that the test makes: each waits for its turn in the channel.
fn waiting(decisions: Receiver<u16>) -> impl Fn(&mut Exchange<'_>) -> Action + Send + Sync {
    move |exchange| {
        let decisions = decisions.clone();
        exchange.defer(move |request, _| {
            let status = decisions.recv_timeout(PATIENCE).unwrap();
            Action::Respond(Response::new(status).with_body(request.path().to_owned()))
        })
    }
}

#[test]
fn when_the_queue_of_decisions_is_full_the_client_is_told_to_come_back() {
    let (decide, decisions) = unbounded();
    let mut limits = Limits::default();
    limits.lane_queue = 1;
    let stage = Stage::with(|builder| builder.handler(Decides(waiting(decisions))).limits(limits));
    let (mut first, mut second) = (stage.client(), stage.client());
    first.send(LOCAL);
    stage.settle();
    assert_eq!(second.send(LOCAL).answer().status, 503);
    assert_eq!(stage.outcome(), (Some(503), Some(Reason::WorkersBusy)));
    decide.send(200).unwrap();
    assert_eq!(first.answer().status, 200);
    decide.send(204).unwrap();
    assert_eq!(second.send(LOCAL).answer().status, 204);
}

#[test]
fn a_decision_that_comes_too_late_does_not_decide_about_the_next_request() {
    let (decisions, stage) = late_decisions();
    let mut client = stage.client();
    client.send("GET http://a.test/first HTTP/1.1\r\nHost: a.test\r\n\r\n");
    let first = decisions.recv_timeout(PATIENCE).unwrap();
    assert_eq!(client.answer().status, 500);
    assert_eq!(stage.outcome(), (Some(500), Some(Reason::HandlerFailed)));
    client.send("GET http://a.test/second HTTP/1.1\r\nHost: a.test\r\n\r\n");
    let second = decisions.recv_timeout(PATIENCE).unwrap();
    first.send(200).unwrap();
    let decided = || stage.handle().worker_stats().lanes.iter().map(|lane| lane.done).sum::<u64>();
    while decided() == 0 {
        thread::yield_now();
    }
    stage.settle();
    second.send(403).unwrap();
    // On a slow machine the time of the second one, too, may be over before.
    assert_ne!(client.answer().text(), "/first");
    assert_ne!(stage.closed().as_record().status, Some(200));
}

/// Each decision that has begun is told of, with a way to make it. The proxy waits for 100 ms.
fn late_decisions() -> (Receiver<Sender<u16>>, Stage) {
    let (waits, waiting) = unbounded();
    let request = move |exchange: &mut Exchange<'_>| {
        let waits = waits.clone();
        exchange.defer(move |request, _| {
            let (decide, decision) = bounded(1);
            waits.send(decide).unwrap();
            let status = decision.recv_timeout(PATIENCE).unwrap();
            Action::Respond(Response::new(status).with_body(request.path().to_owned()))
        })
    };
    let patience = timeouts(|timeouts| timeouts.response_head = Duration::from_millis(100));
    (waiting, Stage::with(|builder| builder.handler(Decides(request)).timeouts(patience)))
}

#[test]
fn whoever_is_consulted_may_leave_the_reply_with_somebody_else() {
    let (left, stage) = leaving();
    let (origin, seen) = Origin::observed(OK);
    let mut client = stage.client();
    client.send(origin.get("/"));
    let reply: DecisionReply = left.recv_timeout(PATIENCE).unwrap();
    let running =
        || stage.handle().worker_stats().lanes.iter().map(|lane| lane.running).sum::<u64>();
    while running() > 0 {
        thread::yield_now();
    }
    client.expect_silence();
    reply.then(|exchange| {
        exchange.request_edits().set("X-Consulted", "yes");
        ForwardHandler.request(exchange)
    });
    assert_eq!(client.answer().text(), "ok");
    assert!(seen.recv_timeout(PATIENCE).unwrap().contains("\r\nX-Consulted: yes\r\n"));
    // Who is not answered is told so at once, not when its time is over.
    client.send(LOCAL);
    drop(left.recv_timeout(PATIENCE).unwrap());
    assert_eq!(client.answer().status, 500);
    assert_eq!(stage.outcome(), (Some(200), None));
    assert_eq!(stage.outcome(), (Some(500), Some(Reason::HandlerFailed)));
}

#[test]
fn what_comes_of_a_consultation_may_panic() {
    let stage = deciding(|exchange| {
        let panics = asks(exchange, "/");
        exchange.consult(move |reply| {
            reply.then(move |exchange| match panics {
                true => panic!("on purpose"),
                false => ForwardHandler.request(exchange),
            });
        })
    });
    let mut client = stage.client();
    assert_eq!(client.send(LOCAL).answer().status, 500);
    assert_eq!(stage.outcome(), (Some(500), Some(Reason::HandlerFailed)));
    assert_eq!(client.send(Origin::always(OK).get("/ok")).answer().text(), "ok");
}

/// A proxy that decides nothing: each reply is left here.
fn leaving() -> (Receiver<DecisionReply>, Stage) {
    let (replies, left) = unbounded();
    let stage = deciding(move |exchange| {
        let replies = replies.clone();
        exchange.consult(move |reply| replies.send(reply).unwrap())
    });
    (left, stage)
}

#[test]
fn a_client_that_has_gone_is_not_decided_about() {
    let (left, stage) = leaving();
    let mut client = stage.client();
    client.send(LOCAL);
    let reply = left.recv_timeout(PATIENCE).unwrap();
    client.reset();
    assert_eq!(stage.outcome(), (None, Some(Reason::ClientClosed)));
    let (run, runs) = unbounded::<()>();
    reply.then(move |_| {
        run.send(()).unwrap();
        Action::Close
    });
    // It is dropped without having run.
    assert!(runs.recv_timeout(PATIENCE).is_err_and(|error| error.is_disconnected()));
    stage.client().send(LOCAL);
    assert!(left.recv_timeout(PATIENCE).is_ok(), "others are served");
}

#[test]
fn a_shutdown_does_not_wait_for_what_is_never_decided() {
    let (left, mut stage) = leaving();
    let mut client = stage.client();
    client.send(LOCAL);
    let reply = left.recv_timeout(PATIENCE).unwrap();
    let report = stage.take_handle().shutdown(Duration::ZERO);
    assert_eq!((report.drained, report.cut), (0, 1));
    assert_eq!(stage.outcome(), (None, Some(Reason::ShutDown)));
    // Nobody is there any more to hear it.
    reply.then(|_| Action::Close);
}
