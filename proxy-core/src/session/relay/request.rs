//! The request goes up.

use super::super::Cx;
use super::super::client::Session;
use super::super::env::Env;
use super::super::excerpt::Excerpt;
use super::super::story::Asides;
use super::super::transaction::Transaction;
use super::super::wire::{self, Flushed, Input};
use super::Relayed;
use crate::error::Reason;
use crate::http1::RequestRewrite;
use crate::policy::throttle::Flow;
use crate::runtime::sockets::SocketId;

impl Session {
    /// Passes the head of the request on, and then one read's worth of its body.
    pub(super) fn relay_request(
        &mut self,
        transaction: &mut Transaction,
        upstream: SocketId,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Relayed {
        if transaction.upstream.deaf || transaction.has_left() {
            return Relayed::Stuck;
        }
        let side = &mut transaction.upstream;
        match wire::flush(upstream, &mut side.outbound, cx) {
            Ok(Flushed::All) => {}
            Ok(Flushed::Part) => return Relayed::Moved,
            Ok(Flushed::Nothing) => return Relayed::Stuck,
            Err(_) => return transaction.stop_sending(cx),
        }
        let most = self.may_read(Flow::Up, transaction, env, cx);
        if transaction.upstream.head_sent {
            if most == 0 {
                return Relayed::Stuck;
            }
            if let Some(relayed) = self.pass_request_content(transaction, upstream, most, env, cx) {
                return relayed;
            }
        }
        let side = &mut transaction.upstream;
        env.out.clear();
        let head_is_due = !std::mem::replace(&mut side.head_sent, true);
        if head_is_due {
            let settings = &self.settings;
            let rewrite = RequestRewrite {
                via: &settings.pseudonym,
                host: &side.key,
                forwarding: settings.forwarding.of(self.client.who.address.ip()),
                privacy: settings.privacy.as_ref(),
                edits: transaction.handler.request_edits(),
            };
            transaction.request.write_upstream(&mut env.out, &rewrite);
        }
        let mut sent = Ok(());
        let (body, limits) = (&mut transaction.request_body, &self.settings.limits);
        let upload = &mut transaction.upload;
        let (mut passed, mut excerpt) = (0, None);
        if !body.is_done() && most > 0 {
            let looked = wire::receive_up_to(
                most,
                self.client.socket,
                &mut self.client.inbound,
                cx,
                |input, cx| {
                    upload.note(input.len(), cx);
                    let mut used = 0;
                    while !body.is_done() && sent.is_ok() {
                        let step = match body.advance(&input[used..], &mut env.out, limits) {
                            Ok(step) => step,
                            Err(error) => {
                                excerpt = Excerpt::of_fault(&input[used..], body);
                                return (used, Some(error));
                            }
                        };
                        let pass = &input[used..][step.pass];
                        if !wire::gather(&mut env.out, pass) {
                            sent = wire::send(upstream, &mut side.outbound, &mut env.out, pass, cx);
                        }
                        used += step.consumed;
                        if step.consumed == 0 {
                            break;
                        }
                    }
                    passed = used;
                    (used, None)
                },
            );
            match looked {
                Ok(Input::Looked(None)) => {}
                Ok(Input::Looked(Some(error))) => {
                    Asides::show(&mut transaction.asides, excerpt);
                    return Relayed::Failed(error.in_request());
                }
                Ok(Input::Blocked) if !head_is_due => return Relayed::Stuck,
                Ok(Input::Blocked) => {}
                Ok(Input::Ended) | Err(_) => return Relayed::Failed(Reason::ClientClosed),
            }
        }
        if body.payload() > limits.request_body {
            return Relayed::Failed(Reason::RequestBodyTooLarge);
        }
        if sent.is_ok() && !env.out.is_empty() {
            sent = wire::send(upstream, &mut side.outbound, &mut env.out, &[], cx);
        }
        if sent.is_err() {
            return transaction.stop_sending(cx);
        }
        self.count_request(transaction, passed, env, cx)
    }

    /// Bytes of the request have been passed on.
    #[inline]
    fn count_request(
        &self,
        transaction: &mut Transaction,
        bytes: usize,
        env: &mut Env,
        cx: &Cx,
    ) -> Relayed {
        // Where that was the last of it, the answer may come.
        let is_all = transaction.request_body.is_done();
        let passed = self.passed(Flow::Up, transaction, bytes, is_all, env, cx);
        passed.map_or_else(Relayed::Failed, |()| Relayed::Moved)
    }
}

impl Session {
    /// Passes content on that need not be looked at, where that pays.
    fn pass_request_content(
        &self,
        transaction: &mut Transaction,
        upstream: SocketId,
        leave: usize,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Option<Relayed> {
        let (bulk, client) = (transaction.upload, self.client.socket);
        let body = &mut transaction.request_body;
        // One more than may come shows that there are too many.
        let most = self.settings.limits.request_body.saturating_add(1) - body.payload();
        let unseen = body.unseen().min(most).min(leave as u64);
        if !bulk.is_worth_it(unseen, client, upstream, cx)
            || !self.client.inbound.is_empty()
            || !cx.sockets[client].is_readable()
        {
            return None;
        }
        let pending = &mut transaction.upstream.outbound;
        Some(match wire::pass(client, upstream, unseen, pending, cx)? {
            Ok(Input::Looked(Ok(count))) => {
                transaction.upload.note(count, cx);
                body.pass_unseen(count as u64);
                if body.payload() > self.settings.limits.request_body {
                    Relayed::Failed(Reason::RequestBodyTooLarge)
                } else {
                    self.count_request(transaction, count, env, cx)
                }
            }
            Ok(Input::Looked(Err(_))) => transaction.stop_sending(cx),
            Ok(Input::Blocked) => Relayed::Stuck,
            Ok(Input::Ended) | Err(_) => Relayed::Failed(Reason::ClientClosed),
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
}
