//! [`AdminHandler`]: answers the admin address.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::actions::{AdminActions, LogLevel, NoActions};
use super::answer::{self, json, not_done, of_type, turned_away, words, wrong};
use super::endpoint::Endpoint;
use super::event_filter::EventFilter;
use super::events::EventsLogger;
use super::gate::{Gate, Turned};
use super::query::Query;
use super::token::AdminToken;
use super::{page, reports, status};
use crate::error::Reason;
use crate::handler::{
    Action, Admission, Client, ConnectionHandler, Exchange, Reach, Response, body_stream,
};
use crate::limits::{Limits, Timeouts};
use crate::policy::{BanPolicy, Offence, Threshold};
use crate::proxy::{Proxy, ProxyBuilder, ProxyControl};

/// Answers questions about a proxy, and does what is asked of it: see [the module](super).
///
/// It forwards nothing and opens no tunnel, whatever is asked.
#[derive(Clone)]
pub struct AdminHandler(Arc<Parts>);

#[derive(Clone)]
pub(super) struct Parts {
    pub(super) control: ProxyControl,
    pub(super) events: Option<EventsLogger>,
    pub(super) started: SystemTime,
    actions: Arc<dyn AdminActions>,
    gate: Arc<Gate>,
}

/// How many clients may be connected to the admin address at once: those that watch, and as many
/// others. Each takes a descriptor of those that a program has besides its clients'.
const CLIENTS: usize = 32;
/// Threads of its pool: one must be there for names, which are none here, and for connections that
/// are taken over, of which there are none; two can answer.
const WORKERS: usize = 4;
/// How often a client may send a wrong token within a minute, until it is kept out for one.
const WRONG_TOKENS: u32 = 10;
const MINUTE: Duration = Duration::from_secs(60);
/// How long a connection may be without a whole request: there are few, and a client that says
/// nothing needs no token for it. Those who watch are not without one.
const SILENCE: Duration = Duration::from_secs(5);

impl AdminHandler {
    /// About this proxy. Clients of this machine only are served.
    pub fn new(control: ProxyControl) -> AdminHandler {
        AdminHandler(Arc::new(Parts {
            control,
            events: None,
            started: SystemTime::now(),
            actions: Arc::new(NoActions),
            gate: Arc::default(),
        }))
    }

    /// With `/events`, which `events` has from the proxy that it is about.
    #[must_use = "the handler is given back"]
    pub fn with_events(self, events: EventsLogger) -> AdminHandler {
        self.with(|parts| parts.events = Some(events))
    }

    /// With what the program can do.
    #[must_use = "the handler is given back"]
    pub fn with_actions(self, actions: impl AdminActions) -> AdminHandler {
        self.with(|parts| parts.actions = Arc::new(actions))
    }

    /// Serves clients from anywhere, if they bring this token. `/`, `/healthz` and `/readyz` are
    /// answered without: they tell nothing but that something is here.
    #[must_use = "the handler is given back"]
    pub fn with_token(self, token: AdminToken) -> AdminHandler {
        self.with(|parts| Arc::make_mut(&mut parts.gate).token = Some(token))
    }

    /// Can be asked for by this name, too, without a port: by default `Host` must be an address or
    /// `localhost`. Requests with a token may name any.
    #[must_use = "the handler is given back"]
    pub fn with_host(self, name: impl Into<String>) -> AdminHandler {
        let name = name.into().to_ascii_lowercase();
        self.with(|parts| Arc::make_mut(&mut parts.gate).hosts.push(name))
    }

    /// A proxy with this handler, as there is none but where to listen: one event loop, few workers
    /// and few connections, none of which may be without a request for more than 5 s; who sends ten
    /// wrong tokens within a minute is kept out for one.
    pub fn into_builder(self) -> ProxyBuilder {
        let limits = Limits { connections: CLIENTS, ..Limits::default() };
        let mut bans =
            BanPolicy::default().after(Offence::FailedLogin, Threshold::new(WRONG_TOKENS, MINUTE));
        (bans.time, bans.longest) = (MINUTE, MINUTE);
        let mut timeouts = Timeouts::default();
        (timeouts.keep_alive, timeouts.request_head) = (SILENCE, SILENCE);
        Proxy::builder()
            .handler(self)
            .event_loops(1)
            .workers(WORKERS)
            .limits(limits)
            .timeouts(timeouts)
            .ban_policy(bans)
    }

    fn with(mut self, change: impl FnOnce(&mut Parts)) -> AdminHandler {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl ConnectionHandler for AdminHandler {
    fn reach(&self) -> Reach {
        // It goes nowhere at all.
        Reach::Chosen
    }

    fn connected(&self, client: &Client) -> Admission {
        // Nobody comes from an address that is none but by a socket that is a file here.
        let ip = client.address.ip().to_canonical();
        let is_here = ip.is_loopback() || ip.is_unspecified();
        if is_here || self.0.gate.token.is_some() {
            return Admission::Accept;
        }
        log::debug!(
            "{} is turned away: without a token only this machine is served",
            client.address
        );
        Admission::Close
    }

    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let parts = &self.0;
        let head = exchange.request();
        let path = head.path();
        let endpoint = Endpoint::at(path.split_once('?').map_or(path, |(path, _)| path));
        match parts.gate.check(head, endpoint.as_ref()) {
            Ok(()) => {}
            // As failures of logins, so that they are counted.
            Err(Turned::NoToken) => return Action::Reject(Reason::AuthenticationRequired),
            Err(Turned::WrongToken) => return Action::Reject(Reason::AuthenticationFailed),
            Err(turned) => return Action::Respond(turned_away(turned)),
        }
        let Some(endpoint) = endpoint else {
            return Action::Respond(words(404, "there is nothing here; / says what there is"));
        };
        if !endpoint.takes(head.method()) {
            return Action::Respond(answer::other_method(&endpoint));
        }
        let query = match Query::of(path) {
            Ok((_, query)) => query,
            Err(problem) => return Action::Respond(wrong(problem)),
        };
        // What takes no time is answered here, also while all workers are busy.
        match endpoint {
            Endpoint::Page => Action::Respond(page::page()),
            Endpoint::Script => Action::Respond(page::script()),
            Endpoint::Health => Action::Respond(words(200, "ok")),
            Endpoint::Readiness => Action::Respond(parts.readiness()),
            Endpoint::Events => Action::Respond(parts.watch(head.method(), &query)),
            endpoint => {
                let parts = Arc::clone(parts);
                exchange.defer(move |head, _| {
                    Action::Respond(parts.answer(&endpoint, head.method(), &query))
                })
            }
        }
    }

    fn failed(&self, _: &mut Exchange<'_>, reason: Reason) -> Option<Response> {
        match reason {
            Reason::AuthenticationRequired => Some(turned_away(Turned::NoToken)),
            Reason::AuthenticationFailed => Some(turned_away(Turned::WrongToken)),
            _ => None,
        }
    }
}

impl Parts {
    fn readiness(&self) -> Response {
        match self.control.is_draining() {
            false => words(200, "ready"),
            true => words(503, "draining: no new connections"),
        }
    }

    fn watch(&self, method: &str, query: &Query) -> Response {
        let Some(events) = &self.events else {
            return words(501, "this program has no events");
        };
        let filter = match EventFilter::of(query) {
            Ok(filter) => filter,
            Err(problem) => return wrong(problem),
        };
        let response = of_type(200, "text/event-stream");
        if method == "HEAD" {
            // A stream that nobody begins: as with `GET`, no length is claimed (RFC 9110 §8.6).
            return response.with_stream(body_stream(1).1);
        }
        match events.watch(filter) {
            Some(stream) => response.with_stream(stream),
            None => words(503, "as many watch as can").with_field("Retry-After", "10"),
        }
    }

    /// Answers on the worker pool.
    fn answer(&self, endpoint: &Endpoint, method: &str, query: &Query) -> Response {
        let takes_more =
            matches!(endpoint, Endpoint::Connections | Endpoint::Bans | Endpoint::LogLevel);
        if !takes_more && let Err(problem) = query.only(&[]) {
            return wrong(problem);
        }
        let control = &self.control;
        match endpoint {
            Endpoint::Metrics => of_type(200, METRICS).with_body(control.metrics().prometheus()),
            Endpoint::Status => status::status(self),
            Endpoint::Connections => reports::connections(control, query),
            Endpoint::Connection(id) => reports::close(control, *id),
            Endpoint::Bans => match method {
                "POST" => reports::ban(control, query),
                "DELETE" => reports::lift(control, query),
                _ => match query.only(&[]) {
                    Ok(()) => reports::bans(control),
                    Err(problem) => wrong(problem),
                },
            },
            Endpoint::Config => match self.actions.config() {
                Some(text) => of_type(200, "text/plain; charset=utf-8").with_body(text),
                None => words(501, "this program has no such thing"),
            },
            Endpoint::Reload => match self.actions.reload() {
                Ok(notes) => json(200, |json| {
                    json.key("notes").list(&notes, |json, note| json.text(note));
                }),
                Err(error) => not_done(error),
            },
            Endpoint::Drain => match self.actions.drain() {
                Ok(()) => json(202, |json| json.key("draining").truth(true)),
                Err(error) => not_done(error),
            },
            Endpoint::LogLevel => self.log_level(method, query),
            // They were answered on the loop.
            Endpoint::Page
            | Endpoint::Script
            | Endpoint::Health
            | Endpoint::Readiness
            | Endpoint::Events => words(404, "there is nothing here"),
        }
    }

    fn log_level(&self, method: &str, query: &Query) -> Response {
        if method == "POST" || method == "PUT" {
            let level = query.only(&["level"]).and_then(|()| {
                query.get("level").ok_or("level: it must be said")?.parse::<LogLevel>()
            });
            let set = match level {
                Ok(level) => self.actions.set_log_level(level),
                Err(problem) => return wrong(problem),
            };
            if let Err(error) = set {
                return not_done(error);
            }
        } else if let Err(problem) = query.only(&[]) {
            return wrong(problem);
        }
        match self.actions.log_level() {
            Some(level) => json(200, |json| json.key("level").text(level.word())),
            None => words(501, "this program has no such thing"),
        }
    }
}

/// Prometheus' text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

impl fmt::Debug for AdminHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminHandler").field("gate", &self.0.gate).finish_non_exhaustive()
    }
}
