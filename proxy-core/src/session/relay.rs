//! Both directions of an exchange: the request goes up, the response comes down.
//!
//! Nothing is collected: what one side sends is passed to the other at once, and while that
//! one does not take it, nothing more is read. So a body needs the memory of one read,
//! however long it is.

use std::io;

use super::client::Session;
use super::env::{Env, guarded};
use super::transaction::{Progress, Stage, Transaction};
use super::wire::{self, Input};
use super::{Cx, Step};
use crate::error::Reason;
use crate::handler::{Response, ResponseAction};
use crate::http1::{
    self, Body, BodyLength, Coding, Persistence, RequestRewrite, ResponseRewrite, Version,
};
use crate::runtime::sockets::SocketId;

/// What became of a look at one direction.
#[derive(Debug)]
enum Relayed {
    /// Something was passed on.
    Moved,
    /// Nothing can be passed on now.
    Stuck,
    /// The upstream's connection was lost before it answered.
    Lost,
    /// It is over, for this reason.
    Failed(Reason),
    /// The handler wants another response.
    Replaced(Response),
    /// The handler wants no response.
    Dropped,
    /// The response is a `101` that was asked for.
    Switched,
}

impl Session {
    /// Goes on with a transaction, whatever its stage.
    pub(super) fn exchange(
        &mut self,
        mut transaction: Box<Transaction>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        if cx.sockets[self.client.socket].has_hung_up() {
            return self.fail(transaction, Reason::ClientClosed, env, cx);
        }
        match transaction.stage {
            Stage::Deciding | Stage::Planning => {
                self.transaction = Some(transaction);
                Step::Wait
            }
            Stage::Dialing(_) => self.keep_dialing(transaction, env, cx),
            Stage::Answering => self.finish_answer(transaction, env, cx),
            Stage::Talking(upstream) => {
                let mut moved = false;
                for relay in [Session::relay_request, Session::relay_response] {
                    match relay(self, &mut transaction, upstream, env, cx) {
                        Relayed::Moved => moved = true,
                        Relayed::Stuck => {}
                        Relayed::Lost => return self.lost(transaction, env, cx),
                        Relayed::Failed(reason) => return self.fail(transaction, reason, env, cx),
                        Relayed::Replaced(response) => {
                            transaction.drop_upstream(cx);
                            return self.respond(transaction, &response, env, cx);
                        }
                        Relayed::Dropped => return self.close_silently(transaction, env, cx),
                        Relayed::Switched => return Step::Tunnel(transaction),
                    }
                }
                if transaction.progress == Progress::Complete {
                    self.release_upstream(&mut transaction, env, cx);
                    return self.finish_answer(transaction, env, cx);
                }
                let step = if moved { Step::Again } else { Step::Wait };
                if moved {
                    let timeouts = &env.settings.timeouts;
                    let answer_is_due = transaction.progress == Progress::Awaited
                        && transaction.request_body.is_done();
                    let after =
                        if answer_is_due { timeouts.response_head } else { timeouts.body_idle };
                    cx.timers.arm(&mut self.timer, self.key, cx.now, after);
                }
                self.transaction = Some(transaction);
                step
            }
        }
    }

    /// Passes the head of the request on, and then one read's worth of its body.
    fn relay_request(
        &mut self,
        transaction: &mut Transaction,
        upstream: SocketId,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Relayed {
        let side = &mut transaction.upstream;
        if side.deaf
            || side.head_sent && transaction.request_body.is_done() && side.outbound.is_empty()
        {
            return Relayed::Stuck;
        }
        match wire::flush(upstream, &mut side.outbound, cx) {
            Ok(true) => {}
            Ok(false) => return Relayed::Stuck,
            Err(_) => return transaction.stop_sending(cx),
        }
        env.out.clear();
        let head_is_due = !std::mem::replace(&mut side.head_sent, true);
        if head_is_due {
            let rewrite = RequestRewrite { via: &env.settings.pseudonym, host: &side.key };
            transaction.request.write_upstream(&mut env.out, &rewrite);
        }
        let mut sent = Ok(());
        let (body, limits) = (&mut transaction.request_body, &env.settings.limits);
        if !body.is_done() {
            let looked =
                wire::receive(self.client.socket, &mut self.client.inbound, cx, |input, cx| {
                    let mut used = 0;
                    while !body.is_done() && sent.is_ok() {
                        let step = match body.advance(&input[used..], &mut env.out, limits) {
                            Ok(step) => step,
                            Err(error) => return (used, Some(error)),
                        };
                        let pass = &input[used..][step.pass];
                        sent = wire::send(upstream, &mut side.outbound, &mut env.out, pass, cx);
                        used += step.consumed;
                        if step.consumed == 0 {
                            break;
                        }
                    }
                    (used, None)
                });
            match looked {
                Ok(Input::Looked(None)) => {}
                Ok(Input::Looked(Some(error))) => return Relayed::Failed(error.in_request()),
                Ok(Input::Blocked) if !head_is_due => return Relayed::Stuck,
                Ok(Input::Blocked) => {}
                Ok(Input::Ended) | Err(_) => return Relayed::Failed(Reason::ClientClosed),
            }
        }
        if sent.is_ok() && !env.out.is_empty() {
            sent = wire::send(upstream, &mut side.outbound, &mut env.out, &[], cx);
        }
        match sent {
            Ok(()) => Relayed::Moved,
            Err(_) => transaction.stop_sending(cx),
        }
    }

    /// Passes one read's worth of the response on.
    fn relay_response(
        &mut self,
        transaction: &mut Transaction,
        upstream: SocketId,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Relayed {
        match wire::flush(self.client.socket, &mut self.client.outbound, cx) {
            Ok(true) => {}
            Ok(false) => return Relayed::Stuck,
            Err(_) => return Relayed::Failed(Reason::ClientClosed),
        }
        if transaction.progress == Progress::Complete {
            return Relayed::Stuck;
        }
        env.out.clear();
        let mut inbound = std::mem::take(&mut transaction.upstream.inbound);
        let looked = wire::receive(upstream, &mut inbound, cx, |input, cx| {
            self.pass_response(transaction, input, env, cx)
        });
        transaction.upstream.inbound = inbound;
        match looked {
            Ok(Input::Looked(relayed)) => relayed,
            Ok(Input::Blocked) => Relayed::Stuck,
            Ok(Input::Ended) => transaction.upstream_ended(),
            Err(_) if transaction.progress == Progress::Awaited => transaction.upstream_ended(),
            // A reset is no end: not even for a body that goes on until the close.
            Err(_) => Relayed::Failed(Reason::UpstreamClosedEarly),
        }
    }

    /// Looks at bytes of the response, and sends the client what they have become. Says how
    /// many were used.
    fn pass_response(
        &mut self,
        transaction: &mut Transaction,
        input: &[u8],
        env: &mut Env,
        cx: &mut Cx,
    ) -> (usize, Relayed) {
        let mut used = 0;
        let mut sent = Ok(());
        let mut head_is_due = transaction.progress == Progress::Awaited;
        while transaction.progress == Progress::Awaited {
            let length =
                match transaction.response_scanner.scan(&input[used..], &env.settings.limits) {
                    Ok(Some(length)) => length,
                    Ok(None) => break,
                    Err(error) => return (used, Relayed::Failed(error.in_response())),
                };
            let head = &input[used..used + length];
            used += length;
            transaction.response_scanner.reset();
            match self.pass_head(transaction, head, env, cx) {
                Relayed::Moved => {}
                Relayed::Switched => {
                    let sent = wire::send(
                        self.client.socket,
                        &mut self.client.outbound,
                        &mut env.out,
                        &[],
                        cx,
                    );
                    return (
                        used,
                        sent.map_or(Relayed::Failed(Reason::ClientClosed), |()| Relayed::Switched),
                    );
                }
                other => return (used, other),
            }
        }
        if transaction.progress == Progress::Begun {
            let body = &mut transaction.response_body;
            while !body.is_done() && sent.is_ok() {
                let step = match body.advance(&input[used..], &mut env.out, &env.settings.limits) {
                    Ok(step) => step,
                    Err(error) => {
                        if head_is_due {
                            // Nothing of this response has left yet: the client can be told.
                            transaction.take_back_head();
                        }
                        return (used, Relayed::Failed(error.in_response()));
                    }
                };
                let pass = &input[used..][step.pass];
                if !(env.out.is_empty() && pass.is_empty()) {
                    sent = wire::send(
                        self.client.socket,
                        &mut self.client.outbound,
                        &mut env.out,
                        pass,
                        cx,
                    );
                    head_is_due = false;
                }
                used += step.consumed;
                if step.consumed == 0 {
                    break;
                }
            }
            if body.is_done() {
                transaction.progress = Progress::Complete;
            }
        }
        if sent.is_ok() && !env.out.is_empty() {
            sent = wire::send(self.client.socket, &mut self.client.outbound, &mut env.out, &[], cx);
        }
        (used, sent.map_or(Relayed::Failed(Reason::ClientClosed), |()| Relayed::Moved))
    }

    /// A response head is there: writes what the client is to get of it to `env.out`.
    fn pass_head(
        &mut self,
        transaction: &mut Transaction,
        head: &[u8],
        env: &mut Env,
        cx: &mut Cx,
    ) -> Relayed {
        let Transaction { request, response, .. } = transaction;
        if let Err(error) = response.parse(head, request, &env.settings.limits) {
            return Relayed::Failed(error.in_response());
        }
        let via = &*env.settings.pseudonym;
        if response.is_interim() {
            transaction.interims += 1;
            if transaction.interims > env.settings.limits.interim_responses {
                return Relayed::Failed(Reason::TooManyInterim);
            }
            // RFC 9110 §15.2: a 1.0 client must not be sent one.
            if request.version() == Version::Http11 {
                let rewrite =
                    ResponseRewrite { via, persistence: Persistence::Keep, coding: Coding::AsIs };
                response.write_client(&mut env.out, &rewrite);
            }
            return Relayed::Moved;
        }
        if response.status() == 101
            && !(request.asks_websocket() && response.switches_to_websocket())
        {
            return Relayed::Failed(Reason::UnexpectedUpgrade);
        }
        let switches = response.status() == 101;
        let length = response.body_length();
        let old_client = request.version() == Version::Http10;
        let coding = if old_client && length == BodyLength::Chunked {
            Coding::Decoded
        } else {
            Coding::AsIs
        };
        transaction.response_body = Body::new(length, coding);
        transaction.progress = Progress::Begun;

        let settings = &env.settings;
        let action = guarded("ConnectionHandler::response", || {
            settings.handler.response(&mut transaction.view(&self.client.who))
        });
        match action {
            Some(ResponseAction::Pass) => {}
            Some(ResponseAction::Replace(response)) => return Relayed::Replaced(response),
            Some(ResponseAction::Close) => return Relayed::Dropped,
            None => return Relayed::Failed(Reason::HandlerFailed),
        }

        // Nothing may follow on the client's connection after a body that ends with it, nor
        // while a request is unfinished that this response may have been an answer to.
        if length == BodyLength::UntilClose
            || !transaction.request_body.is_done()
            || env.draining.is_some()
        {
            transaction.persistence = Persistence::Close;
        }
        transaction.status = Some(transaction.response.status());
        transaction.first_byte = Some(cx.now.saturating_duration_since(transaction.started));
        let rewrite = ResponseRewrite { via, persistence: transaction.persistence, coding };
        transaction.response.write_client(&mut env.out, &rewrite);
        if switches { Relayed::Switched } else { Relayed::Moved }
    }

    /// The upstream is done with: sends the rest of the response, reads the rest of a request
    /// that was refused, and completes.
    fn finish_answer(
        &mut self,
        mut transaction: Box<Transaction>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        match wire::flush(self.client.socket, &mut self.client.outbound, cx) {
            Ok(true) => {}
            Ok(false) => {
                cx.timers.arm(&mut self.timer, self.key, cx.now, env.settings.timeouts.body_idle);
                self.transaction = Some(transaction);
                return Step::Wait;
            }
            Err(_) => return self.fail(transaction, Reason::ClientClosed, env, cx),
        }
        if transaction.persistence == Persistence::Close || transaction.request_body.is_done() {
            return self.complete(transaction, env, cx);
        }
        match self.discard_request(&mut transaction, env, cx) {
            Ok(Input::Looked(Ok(()))) => {
                self.transaction = Some(transaction);
                Step::Again
            }
            Ok(Input::Blocked) => {
                cx.timers.arm(&mut self.timer, self.key, cx.now, env.settings.timeouts.body_idle);
                self.transaction = Some(transaction);
                Step::Wait
            }
            // The answer has been sent; what is lost is only the connection.
            Ok(Input::Looked(Err(_)) | Input::Ended) | Err(_) => {
                transaction.persistence = Persistence::Close;
                self.complete(transaction, env, cx)
            }
        }
    }

    fn discard_request(
        &mut self,
        transaction: &mut Transaction,
        env: &mut Env,
        cx: &mut Cx,
    ) -> io::Result<Input<Result<(), http1::Error>>> {
        let (body, out, limits) =
            (&mut transaction.request_body, &mut env.out, &env.settings.limits);
        wire::receive(self.client.socket, &mut self.client.inbound, cx, |input, _| {
            let step = body.advance(input, out, limits);
            out.clear();
            match step {
                Ok(step) => (step.consumed, Ok(())),
                Err(error) => (0, Err(error)),
            }
        })
    }
}

impl Transaction {
    /// The upstream takes no more of the request. It may have answered before it closed, so
    /// what it has sent is still read.
    fn stop_sending(&mut self, cx: &mut Cx) -> Relayed {
        self.upstream.deaf = true;
        self.upstream.outbound.clear(&mut cx.spares);
        Relayed::Moved
    }

    /// The head of the response was not sent after all.
    fn take_back_head(&mut self) {
        self.progress = Progress::Awaited;
        self.status = None;
        self.first_byte = None;
    }

    /// The upstream has ended its side.
    fn upstream_ended(&mut self) -> Relayed {
        match self.progress {
            Progress::Awaited if self.upstream.inbound.is_empty() && self.interims == 0 => {
                Relayed::Lost
            }
            Progress::Awaited => Relayed::Failed(Reason::UpstreamClosed),
            Progress::Begun => match self.response_body.end_of_input() {
                Ok(()) => {
                    self.progress = Progress::Complete;
                    Relayed::Moved
                }
                Err(_) => Relayed::Failed(Reason::UpstreamClosedEarly),
            },
            Progress::Complete => Relayed::Stuck,
        }
    }
}
