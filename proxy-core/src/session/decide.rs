//! From a request to an action, and from an action to a stage.

use super::client::Session;
use super::env::{Env, guarded};
use super::transaction::Transaction;
use super::{Cx, Step};
use crate::error::Reason;
use crate::handler::{Action, Plan, Response, Route};
use crate::http1::{Body, BodyLength, Coding, Persistence, TargetForm};
use crate::logger::userinfo;
use crate::policy::Guarding;
use crate::runtime::sockets::Close;
use crate::upstream::write_key;

/// The port of an `http` URI that names none (RFC 9110 §4.2.1).
const DEFAULT_PORT: u16 = 80;

impl Session {
    /// A well-formed request is there: what is to become of it?
    pub(super) fn decide(
        &mut self,
        mut transaction: Box<Transaction>,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        transaction.request_body = Body::new(transaction.request.body_length(), Coding::AsIs);
        transaction.persistence =
            match transaction.request.wants_persistence() && !self.is_leaving(env) {
                true => Persistence::Keep,
                false => Persistence::Close,
            };
        if matches!(transaction.request.body_length(), BodyLength::Exact(length) if length > self.settings.limits.request_body)
        {
            return self.fail(transaction, Reason::RequestBodyTooLarge, env, cx);
        }
        if self.has_been_banned() {
            transaction.persistence = Persistence::Close;
            return self.fail(transaction, Reason::Banned, env, cx);
        }
        let settings = &self.settings;
        let action = guarded("ConnectionHandler::request", || {
            settings.handler.request(&mut transaction.view(&self.client.who))
        });
        match action {
            Some(action) => self.act(transaction, action, env, cx),
            None => self.fail(transaction, Reason::HandlerFailed, env, cx),
        }
    }

    /// Whether the client has been banned since it came.
    fn has_been_banned(&mut self) -> bool {
        let bans = &self.settings.bans;
        let version = bans.version();
        std::mem::replace(&mut self.client.bans, version) != version
            && bans.has(self.client.who.address.ip())
    }

    /// Does what the handler has decided.
    pub(super) fn act(
        &mut self,
        mut transaction: Box<Transaction>,
        action: Action,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        if self.is_to_be_admitted(&transaction, &action) {
            return self.admit(transaction, action, env, cx);
        }
        let is_connect = transaction.request.form() == TargetForm::Authority;
        match action {
            Action::Forward(plan) => self.route(transaction, &plan, env, cx),
            Action::Tunnel(plan) if is_connect => self.route(transaction, &plan, env, cx),
            Action::Tunnel(_) => {
                log::error!("the handler wants a tunnel for a request that is not CONNECT");
                self.fail(transaction, Reason::HandlerFailed, env, cx)
            }
            Action::Respond(response) => self.respond(transaction, &response, env, cx),
            Action::Refuse(refusal) => {
                transaction.handler.refuse(refusal);
                self.fail(transaction, Reason::DeniedByRule, env, cx)
            }
            Action::After(delay) => self.delay(transaction, delay, env, cx),
            Action::Reject(reason) => self.fail(transaction, reason, env, cx),
            Action::TakeOver(take_over) => self.hand_over(transaction, take_over, env, cx),
            Action::Close => self.close_silently(transaction, Reason::ClosedByHandler, env, cx),
            Action::Defer(decision) => self.defer(transaction, decision, env, cx),
        }
    }

    /// Sends a request on its way, unless it has come to its end here.
    fn route(
        &mut self,
        mut transaction: Box<Transaction>,
        plan: &Plan,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        let request = &transaction.request;
        if request.via_contains(&self.settings.pseudonym) {
            return self.fail(transaction, Reason::LoopDetected, env, cx);
        }
        // RFC 9110 §7.6.2: at zero the request must not be forwarded; this is its last stop.
        if request.max_forwards() == Some(0) {
            let response = last_stop(&transaction);
            return self.respond(transaction, &response, env, cx);
        }
        // Whatever the handler thinks: what was to go by `https` must not go in the clear.
        let is_http = request.scheme().is_none_or(|scheme| scheme.eq_ignore_ascii_case("http"));
        if matches!(plan.route, Route::AsAsked) && !is_http {
            return self.fail(transaction, Reason::UnsupportedScheme, env, cx);
        }
        let port = match &plan.route {
            Route::AsAsked => {
                let (host, port) = (request.host(), request.port().unwrap_or(DEFAULT_PORT));
                if host.is_empty() {
                    return self.fail(transaction, Reason::BadHost, env, cx);
                }
                write_key(host, port, &mut transaction.upstream.key);
                port
            }
            Route::To(upstream) => {
                transaction.upstream.key.clear();
                transaction.upstream.key.push_str(upstream.as_str());
                upstream.port()
            }
        };
        let is_tunnel = request.form() == TargetForm::Authority;
        if is_tunnel
            && plan.guarding == Guarding::Guarded
            && !self.settings.connect_ports.permit(port)
        {
            return self.fail(transaction, Reason::PortNotAllowed, env, cx);
        }
        transaction.upstream.guarding = plan.guarding;
        self.connect(transaction, env, cx)
    }

    /// Ends the connection for this reason; only the log is told.
    pub(super) fn close_silently(
        &mut self,
        mut transaction: Box<Transaction>,
        reason: Reason,
        env: &mut Env,
        cx: &mut Cx,
    ) -> Step {
        transaction.reason = Some(reason);
        transaction.drop_upstream(cx);
        env.record_close(&transaction, &self.client.who, cx.now);
        Step::End(Close::Orderly)
    }
}

/// Answers `TRACE` and `OPTIONS` in the place of the server they were meant for.
fn last_stop(transaction: &Transaction) -> Response {
    let request = &transaction.request;
    if request.method() != "TRACE" {
        return Response::new(200);
    }
    // RFC 9110 §9.3.8: the request as received, without fields that may hold secrets.
    let mut echo = format!("{} {} HTTP/1.1\r\n", request.method(), request.target()).into_bytes();
    for field in request.fields().filter(|field| !is_secret(field.name)) {
        echo.extend_from_slice(field.name.as_bytes());
        echo.extend_from_slice(b": ");
        let cut =
            if field.name.eq_ignore_ascii_case("referer") { userinfo(field.value) } else { 0..0 };
        echo.extend_from_slice(&field.value[..cut.start]);
        echo.extend_from_slice(&field.value[cut.end..]);
        echo.extend_from_slice(b"\r\n");
    }
    echo.extend_from_slice(b"\r\n");
    Response::new(200).with_field("Content-Type", "message/http").with_body(echo)
}

fn is_secret(name: &str) -> bool {
    ["authorization", "proxy-authorization", "cookie"]
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
}
