//! The proxy's own responses: those of handlers, and those that tell of a failure.

use std::io::{self, Write};

use super::client::Session;
use super::env::{Env, guarded};
use super::error_page::Page;
use super::proxy_status::{self, proxy_status};
use super::streamed::{StreamEnd, UsedUp};
use super::throttling::seconds;
use super::transaction::{Progress, Stage, Transaction};
use super::wire::{self, Flushed, Input};
use super::{Cx, Step};
use crate::error::Reason;
use crate::handler::Response;
use crate::http1::{self, BodyLength, Persistence, TargetForm, Version};
use crate::runtime::sockets::Close;

/// What a client is asked where a handler does not say it.
const ANY_CHALLENGE: &str = "Basic realm=\"proxy\", charset=\"UTF-8\"";

impl Session {
    /// The exchange cannot go on. Tells the client why, where that is still possible: before
    /// the head of a response has been sent. After it, only the close can say that what the
    /// client got is not the whole of it.
    pub(super) fn fail(
        &mut self,
        mut transaction: Box<Transaction>,
        reason: Reason,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        // The first reason is the cause; what fails after it does so as its consequence.
        transaction.reason.get_or_insert(reason);
        transaction.drop_upstream(cx);
        if reason == Reason::ClientClosed || transaction.status.is_some() {
            env.record_close(&transaction, &self.client.who, cx.now);
            let how = if transaction.shows_its_end() { Close::Orderly } else { Close::Abruptly };
            env.recycle(transaction);
            return Step::End(how);
        }
        if !transaction.understood
            || reason == Reason::BadRequestBody
            || reason == Reason::RequestBodyTooLarge
            || reason == Reason::RequestBodyTimeout
            || reason == Reason::ClientTooSlow
        {
            // Where the next request would begin is not known.
            transaction.persistence = Persistence::Close;
        }
        let response = match transaction.understood {
            true => {
                let settings = &self.settings;
                guarded("ConnectionHandler::failed", || {
                    settings.handler.failed(&mut transaction.view(&self.client.who), reason)
                })
                .flatten()
            }
            false => None,
        };
        let response = response
            .unwrap_or_else(|| Page::of(reason, &transaction).in_form(&transaction.accept()));
        // RFC 9110 §15.5.2, §15.5.8: who is told to say who it is must be told how.
        let challenge = match response.status() {
            401 => Some("WWW-Authenticate"),
            407 => Some("Proxy-Authenticate"),
            _ => None,
        };
        let response = match challenge.filter(|name| !response.has_field(name)) {
            Some(name) => {
                let words = transaction.handler.challenge().unwrap_or(ANY_CHALLENGE);
                response.with_field(name, words)
            }
            None => response,
        };
        // A handler's page tells of the same failure, but what it says of it itself goes first.
        let response = match response.has_field(proxy_status::NAME) {
            true => response,
            false => response
                .with_field(proxy_status::NAME, proxy_status(&self.settings.pseudonym, reason)),
        };
        let known = transaction.handler.retry_after().map(seconds);
        let response = match transaction.throttled.retry_after().or(known) {
            Some(seconds) if !response.has_field("Retry-After") => {
                response.with_field("Retry-After", seconds.to_string())
            }
            _ => response,
        };
        self.send_response(transaction, &response, env, cx)
    }

    /// Answers with a handler's response.
    pub(super) fn respond(
        &mut self,
        mut transaction: Box<Transaction>,
        response: &Response,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        transaction.drop_upstream(cx);
        self.send_response(transaction, response, env, cx)
    }

    fn send_response(
        &mut self,
        mut transaction: Box<Transaction>,
        response: &Response,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let streamed = match self.begin_stream(response, &transaction, env) {
            Ok(streamed) => streamed,
            Err(UsedUp) => {
                log::error!("the handler answers with a body stream that has been sent before");
                transaction.reason.get_or_insert(Reason::HandlerFailed);
                let page = Page::of(Reason::HandlerFailed, &transaction);
                let response = page.in_form(&transaction.accept());
                return self.send_response(transaction, &response, env, cx);
            }
        };
        if !transaction.leaves_next_request_clear(self.settings.limits.discarded_body)
            || self.has_sent_frames(&transaction)
            || self.is_leaving(env)
            || streamed.as_ref().is_some_and(|it| it.end == StreamEnd::OfConnection)
        {
            transaction.persistence = Persistence::Close;
        }
        env.out.clear();
        let without_body = transaction.understood && transaction.request.method() == "HEAD";
        let framing = match (&streamed, response.stream()) {
            (Some(streamed), _) => Framing::Stream(streamed.end),
            (None, Some(_)) => Framing::OmittedStream,
            (None, None) if without_body => Framing::Omitted,
            (None, None) => Framing::Whole,
        };
        env.clock.refresh(cx.now);
        let date = env.clock.date();
        write_response(response, date, framing, transaction.persistence, &mut env.out);
        transaction.stage = Stage::Answering;
        transaction.progress = Progress::Complete;
        transaction.status = Some(response.status());
        transaction.answered = if without_body { 0 } else { response.body().len() as u64 };
        transaction.streamed = streamed;
        match wire::send(self.client.socket, &mut self.client.outbound, &mut env.out, &[], cx) {
            Ok(()) => {
                env.give_back_out();
                self.go_on_answering(transaction, Step::Again, env, cx)
            }
            Err(_) => {
                transaction.reason.get_or_insert(Reason::ClientClosed);
                transaction.status = None;
                env.record_close(&transaction, &self.client.who, cx.now);
                Step::End(Close::Abruptly)
            }
        }
    }

    /// Whether the client has sent anything behind a WebSocket handshake that has failed: it had
    /// to wait (RFC 6455 §4.1), and whatever that is, it is no request.
    pub(super) fn has_sent_frames(&self, transaction: &Transaction) -> bool {
        transaction.request.asks_websocket() && !self.client.inbound.is_empty()
    }

    /// The upstream is done with: sends the rest of the response, reads the rest of a request
    /// that was refused, and completes.
    pub(super) fn finish_answer(
        &mut self,
        mut transaction: Box<Transaction>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        match wire::flush(self.client.socket, &mut self.client.outbound, cx) {
            Ok(Flushed::All) => {}
            Ok(Flushed::Part) => return self.go_on_answering(transaction, Step::Wait, env, cx),
            Ok(Flushed::Nothing) => {
                self.transaction = Some(transaction);
                return Step::Wait;
            }
            Err(_) => return self.fail(transaction, Reason::ClientClosed, env, cx),
        }
        if transaction.persistence == Persistence::Close || transaction.request_body.is_done() {
            return self.complete(transaction, env, cx);
        }
        match self.discard_request(&mut transaction, env, cx) {
            // All that is left has the time of one pause: a trickle must not hold on to a
            // connection whose request was answered.
            Ok(Input::Looked(Ok(()))) => {
                self.transaction = Some(transaction);
                Step::Again
            }
            Ok(Input::Blocked) => {
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

    /// Something of the answer has left.
    pub(super) fn go_on_answering(
        &mut self,
        mut transaction: Box<Transaction>,
        step: Step,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let after = self.settings.timeouts.body_idle;
        match self.keep_pace(&mut transaction, after, cx) {
            Ok(()) => {
                self.transaction = Some(transaction);
                step
            }
            Err(reason) => self.end_answer(transaction, reason, env, cx),
        }
    }

    /// The answer takes too long: the client does not take it, or does not send the rest of its
    /// request.
    pub(super) fn end_answer(
        &mut self,
        mut transaction: Box<Transaction>,
        reason: Reason,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        if !self.client.outbound.is_empty() || transaction.streamed.is_some() {
            return self.fail(transaction, reason, env, cx);
        }
        // It was answered: that the rest of its body did not come costs it the connection and
        // nothing else.
        transaction.persistence = Persistence::Close;
        self.complete(transaction, env, cx)
    }

    fn discard_request(
        &mut self,
        transaction: &mut Transaction,
        env: &mut Env,
        cx: &mut Cx,
    ) -> io::Result<Input<Result<(), http1::Error>>> {
        let (body, out, limits) =
            (&mut transaction.request_body, &mut env.out, &self.settings.limits);
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
    /// Whether the client can tell from the response's own framing that it was cut. Where it
    /// cannot, only a reset tells; and a reset may cost the client bytes it has not read yet.
    fn shows_its_end(&self) -> bool {
        if let Some(streamed) = &self.streamed {
            return streamed.end == StreamEnd::LastChunk;
        }
        let old_client = self.request.version() == Version::Http10;
        match self.response_body.remaining() {
            Some(left) => left > 0,
            None => self.response.body_length() == BodyLength::Chunked && !old_client,
        }
    }

    /// The values of the request's `Accept` fields, if it was understood.
    fn accept(&self) -> Vec<&[u8]> {
        let fields = self.request.fields();
        fields
            .filter(|field| self.understood && field.name.eq_ignore_ascii_case("accept"))
            .map(|field| field.value)
            .collect()
    }

    /// Whether it is known where the next request begins, and what is left of this one is
    /// little enough to be read and thrown away: then the connection can be kept.
    fn leaves_next_request_clear(&self, most: u64) -> bool {
        // What comes behind a CONNECT is meant for the tunnel, and may have been chosen by
        // somebody who must not make requests in the client's name.
        let is_connect = self.request.form() == TargetForm::Authority;
        // A client that waits for `100 Continue` may or may not send the body after another
        // answer (RFC 9110 §10.1.1): what comes next cannot be told apart.
        self.understood
            && !is_connect
            && (self.request_body.is_done()
                || self.request_body.remaining().is_some_and(|left| left <= most)
                    && !self.request.expects_continue())
    }
}

/// What a client is told of a response's body, and gets of it (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// Its length, and all of it.
    Whole,
    /// Its length, and nothing of it: the answer to `HEAD`.
    Omitted,
    /// How it will end. It comes later.
    Stream(StreamEnd),
    /// Nothing of one whose length nobody knows.
    OmittedStream,
}

fn write_response(
    response: &Response,
    date: &str,
    framing: Framing,
    persistence: Persistence,
    out: &mut Vec<u8>,
) {
    let status = response.status();
    write_line(out, format_args!("HTTP/1.1 {status} {}", reason_phrase(status)));
    // RFC 9110 §6.6.1: an origin server with a clock must say when it answered.
    write_line(out, format_args!("Date: {date}"));
    for (name, value) in response.fields() {
        write_line(out, format_args!("{name}: {value}"));
    }
    // RFC 9110 §8.6: 204 has no Content-Length, and that of a 304 would be another one's.
    let has_body = !matches!(status, 204 | 304);
    match framing {
        Framing::Whole | Framing::Omitted if has_body => {
            write_line(out, format_args!("Content-Length: {}", response.body().len()));
        }
        Framing::Stream(StreamEnd::LastChunk) => {
            write_line(out, format_args!("Transfer-Encoding: chunked"));
        }
        _ => {}
    }
    if persistence == Persistence::Close {
        write_line(out, format_args!("Connection: close"));
    }
    out.extend_from_slice(b"\r\n");
    if has_body && framing == Framing::Whole {
        out.extend_from_slice(response.body());
    }
}

pub(super) fn write_line(out: &mut Vec<u8>, line: std::fmt::Arguments<'_>) {
    out.write_fmt(line).expect("writing to memory does not fail");
    out.extend_from_slice(b"\r\n");
}

/// The usual words for a status (RFC 9110 §15). Clients must not rely on them.
pub(super) fn reason_phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        508 => "Loop Detected",
        _ => match status / 100 {
            2 => "Success",
            3 => "Redirection",
            4 => "Client Error",
            _ => "Server Error",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(response: &Response, framing: Framing, persistence: Persistence) -> String {
        let mut out = Vec::new();
        write_response(response, "today", framing, persistence, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\r\nDate: today\r\n"));
        text.replace("Date: today\r\n", "")
    }

    #[test]
    fn a_response_is_framed() {
        let response = Response::new(200).with_field("X", "y").with_body("hello");
        assert_eq!(
            written(&response, Framing::Whole, Persistence::Keep),
            "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nhello"
        );
        assert_eq!(
            written(&response, Framing::Omitted, Persistence::Close),
            "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"
        );
    }

    #[test]
    fn statuses_without_a_body_have_no_length() {
        let response = Response::new(204).with_body("ignored");
        let all = [Framing::Whole, Framing::Omitted, Framing::OmittedStream];
        for framing in all {
            let written = written(&response, framing, Persistence::Keep);
            assert_eq!(written, "HTTP/1.1 204 No Content\r\n\r\n");
        }
    }

    #[test]
    fn a_stream_has_no_length() {
        let response = Response::new(200);
        for (framing, told) in [
            (Framing::Stream(StreamEnd::LastChunk), "Transfer-Encoding: chunked\r\n"),
            (Framing::Stream(StreamEnd::OfConnection), ""),
            (Framing::OmittedStream, ""),
        ] {
            let expected = format!("HTTP/1.1 200 OK\r\n{told}\r\n");
            assert_eq!(written(&response, framing, Persistence::Keep), expected);
        }
    }

    #[test]
    fn every_reason_has_a_phrase() {
        for reason in Reason::ALL {
            let phrase = reason_phrase(reason.status());
            let only_logged = [Reason::ClientClosed, Reason::ClosedByHandler].contains(reason);
            assert!(
                only_logged || !phrase.ends_with(" Error") || reason.status() == 500,
                "{phrase}"
            );
        }
    }
}
