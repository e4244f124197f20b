//! The response comes down.

use std::io;

use super::super::Cx;
use super::super::client::Session;
use super::super::env::{Env, guarded};
use super::super::excerpt::Excerpt;
use super::super::story::Asides;
use super::super::transaction::{Progress, Transaction};
use super::super::wire::{self, Flushed, Input};
use super::Relayed;
use crate::error::Reason;
use crate::handler::ResponseAction;
use crate::http1::{
    self, Body, BodyLength, Coding, FieldEdits, Persistence, ResponseRewrite, Version,
};
use crate::limits::Limits;
use crate::policy::throttle::Flow;
use crate::runtime::sockets::SocketId;

impl Session {
    /// Passes one read's worth of the response on.
    pub(super) fn relay_response(
        &mut self,
        transaction: &mut Transaction,
        upstream: SocketId,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Relayed {
        match wire::flush(self.client.socket, &mut self.client.outbound, cx) {
            Ok(Flushed::All) => {}
            Ok(Flushed::Part) => return Relayed::Moved,
            Ok(Flushed::Nothing) => return Relayed::Stuck,
            Err(_) => return Relayed::Failed(Reason::ClientClosed),
        }
        if transaction.progress == Progress::Complete {
            return Relayed::Stuck;
        }
        let most = self.may_read(Flow::Down, transaction, env, cx);
        if most == 0 {
            return Relayed::Stuck;
        }
        let mut count = 0;
        let passed = self.pass_content(transaction, upstream, most, &mut count, cx);
        let looked = passed.unwrap_or_else(|| {
            env.out.clear();
            let mut inbound = std::mem::take(&mut transaction.upstream.inbound);
            let looked = wire::receive_up_to(most, upstream, &mut inbound, cx, |input, cx| {
                transaction.download.note(input.len(), cx);
                let (used, relayed) = self.pass_response(transaction, input, env, cx);
                count = used;
                (used, relayed)
            });
            transaction.upstream.inbound = inbound;
            looked
        });
        let is_all = transaction.progress == Progress::Complete;
        let passed = self.passed(Flow::Down, transaction, count, is_all, env, cx);
        match looked {
            Ok(Input::Looked(Relayed::Moved)) => {
                passed.map_or_else(Relayed::Failed, |()| Relayed::Moved)
            }
            Ok(Input::Looked(relayed)) => relayed,
            Ok(Input::Blocked) => Relayed::Stuck,
            Ok(Input::Ended) => transaction.upstream_ended(),
            Err(_) if transaction.progress == Progress::Awaited => transaction.upstream_ended(),
            // A reset is no end: not even for a body that goes on until the close.
            Err(_) => Relayed::Failed(Reason::UpstreamClosedEarly),
        }
    }

    /// Passes content on that need not be looked at, where that pays.
    fn pass_content(
        &mut self,
        transaction: &mut Transaction,
        upstream: SocketId,
        most: usize,
        passed: &mut usize,
        cx: &mut Cx,
    ) -> Option<io::Result<Input<Relayed>>> {
        let (bulk, client) = (transaction.download, &mut self.client);
        let unseen = transaction.response_body.unseen().min(most as u64);
        if transaction.progress != Progress::Begun
            || !bulk.is_worth_it(unseen, upstream, client.socket, cx)
            || !transaction.upstream.inbound.is_empty()
            || !cx.sockets[upstream].is_readable()
        {
            return None;
        }
        let sent = wire::pass(upstream, client.socket, unseen, &mut client.outbound, cx)?;
        Some(sent.map(|sent| {
            sent.map(|sent| match sent {
                Ok(count) => {
                    *passed = count;
                    transaction.download.note(count, cx);
                    transaction.response_body.pass_unseen(count as u64);
                    if transaction.response_body.is_done() {
                        transaction.progress = Progress::Complete;
                    }
                    Relayed::Moved
                }
                Err(_) => Relayed::Failed(Reason::ClientClosed),
            })
        }))
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
            match transaction.read_response_head(&input[used..], &self.settings.limits) {
                Ok(Some(length)) => used += length,
                Ok(None) => break,
                Err(error) => {
                    let limits = &self.settings.limits;
                    let excerpt = Excerpt::of_response(&input[used..], error, limits);
                    Asides::show(&mut transaction.asides, excerpt);
                    return (used, Relayed::Failed(error.in_response()));
                }
            }
            match self.pass_head(transaction, env, cx) {
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
        if transaction.progress == Progress::Awaited && used == 0 {
            return (0, Relayed::Begun);
        }
        if transaction.progress == Progress::Begun {
            let body = &mut transaction.response_body;
            let mut left = body.payload();
            while !body.is_done() && sent.is_ok() {
                let step = match body.advance(&input[used..], &mut env.out, &self.settings.limits) {
                    Ok(step) => step,
                    Err(error) => {
                        let excerpt = Excerpt::of_fault(&input[used..], body);
                        Asides::show(&mut transaction.asides, excerpt);
                        // What was put together beside it is thrown away.
                        body.take_back_to(left);
                        if head_is_due {
                            // Nothing of this response has left yet: the client can be told.
                            transaction.take_back_head();
                        }
                        return (used, Relayed::Failed(error.in_response()));
                    }
                };
                let pass = &input[used..][step.pass];
                if !wire::gather(&mut env.out, pass) {
                    let client = &mut self.client;
                    sent = wire::send(client.socket, &mut client.outbound, &mut env.out, pass, cx);
                    head_is_due = false;
                    left = body.payload();
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
    fn pass_head(&mut self, transaction: &mut Transaction, env: &mut Env, cx: &mut Cx) -> Relayed {
        let Transaction { request, response, .. } = transaction;
        env.clock.refresh(cx.now);
        let (via, date) = (&*self.settings.pseudonym, env.clock.date());
        if response.is_interim() {
            transaction.interims += 1;
            if transaction.interims > self.settings.limits.interim_responses {
                return Relayed::Failed(Reason::TooManyInterim);
            }
            // RFC 9110 §15.2: a 1.0 client must not be sent one.
            if request.version() == Version::Http11 {
                let rewrite = ResponseRewrite {
                    via,
                    date,
                    persistence: Persistence::Keep,
                    coding: Coding::AsIs,
                    edits: &FieldEdits::default(),
                };
                response.write_client(&mut env.out, &rewrite);
            }
            return Relayed::Moved;
        }
        let switches = response.status() == 101;
        let is_asked_for = request.asks_websocket() && response.switches_to_websocket();
        // One that comes before the request has left answers something else.
        if switches && !(is_asked_for && transaction.upstream.outbound.is_empty()) {
            return Relayed::Failed(Reason::UnexpectedUpgrade);
        }
        let length = response.body_length();
        let old_client = request.version() == Version::Http10;
        let coding = if old_client && length == BodyLength::Chunked {
            Coding::Decoded
        } else {
            Coding::AsIs
        };
        transaction.response_body = Body::new(length, coding);
        transaction.progress = Progress::Begun;

        let settings = &self.settings;
        let action = guarded("ConnectionHandler::response", || {
            settings.handler.response(&mut transaction.view(&self.client.who))
        });
        match action {
            Some(ResponseAction::Pass) => {}
            Some(ResponseAction::Replace(response)) => return Relayed::Replaced(response),
            Some(ResponseAction::Refuse(refusal)) => {
                transaction.handler.refuse(refusal);
                return Relayed::Failed(Reason::DeniedByRule);
            }
            Some(ResponseAction::Close) => return Relayed::Dropped,
            None => return Relayed::Failed(Reason::HandlerFailed),
        }

        // Nothing may follow on the client's connection after a body that ends with it, nor
        // while a request is unfinished that this response may have been an answer to.
        if length == BodyLength::UntilClose
            || !transaction.request_body.is_done()
            || self.has_sent_frames(transaction)
            || self.is_leaving(env)
        {
            transaction.persistence = Persistence::Close;
        }
        transaction.status = Some(transaction.response.status());
        transaction.first_byte = Some(cx.now.saturating_duration_since(transaction.started));
        let rewrite = ResponseRewrite {
            via,
            date,
            persistence: transaction.persistence,
            coding,
            edits: transaction.handler.response_edits(),
        };
        transaction.response.write_client(&mut env.out, &rewrite);
        if switches { Relayed::Switched } else { Relayed::Moved }
    }
}

impl Transaction {
    /// Reads the head of a response, if all of it is there, and says where it ends.
    fn read_response_head(
        &mut self,
        input: &[u8],
        limits: &Limits,
    ) -> Result<Option<usize>, http1::Error> {
        let Transaction { request, response, response_scanner: scanner, .. } = self;
        if scanner.is_fresh()
            && let Some(length) = response.parse_whole(input, request, limits)
        {
            return Ok(Some(length));
        }
        let Some(length) = scanner.scan(input, limits)? else { return Ok(None) };
        scanner.reset();
        response.parse(&input[..length], request, limits)?;
        Ok(Some(length))
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
