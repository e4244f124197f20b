//! [`RulesHandler`]: rules in front of another handler.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use super::{
    Action, Admission, Client, ConnectionHandler, Exchange, ForwardHandler, Plan, Reach, Refusal,
    Response, ResponseAction,
};
use crate::error::Reason;
use crate::http1::TargetForm;
use crate::policy::rules::{Decision, Rules, Subject, Verdict};

/// Has [rules](crate::rules) decide, and leaves what they allow to another handler:
/// [`ForwardHandler`], unless told otherwise. The log shows the rule.
///
/// What rules allow is still subject to the [`DestinationGuard`](crate::DestinationGuard), the
/// [`ConnectPorts`](crate::ConnectPorts) and the clients that are served. Where a rule sends
/// requests to an upstream, it has been vouched for.
///
/// ```
/// use proxy_core::rules::{Denial, Rule, RuleSet, Verdict};
/// use proxy_core::{Proxy, RulesHandler};
///
/// let ads = vec![".ads.example".parse()?];
/// let rules = RuleSet::new([
///     Rule::new("no-ads", Verdict::deny(Denial::new())).when(|it| it.hosts = ads),
/// ]);
/// let proxy = Proxy::builder()
///     .listen("127.0.0.1:0")
///     .handler(RulesHandler::new(rules.compile()?))
///     .start()?;
/// # proxy.shutdown(std::time::Duration::ZERO);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Rules about users need somebody in front who finds out who they are: an
/// [`AuthHandler`](super::AuthHandler) [in front of](super::AuthHandler::in_front_of) this one, or a
/// handler that [says so](Exchange::set_user). Until then nobody is known, and they do not match.
///
/// A handler of one's own can have it inside, and decide itself what becomes of what is allowed:
///
/// ```
/// use proxy_core::rules::Verdict;
/// use proxy_core::{Action, ConnectionHandler, Exchange, ForwardHandler, RulesHandler};
///
/// struct Marks(RulesHandler);
///
/// impl ConnectionHandler for Marks {
///     fn request(&self, exchange: &mut Exchange<'_>) -> Action {
///         if *self.0.decide(exchange).verdict() == Verdict::Allow {
///             exchange.request_edits().set("X-Passed", "yes");
///         }
///         self.0.request(exchange)
///     }
/// }
/// ```
pub struct RulesHandler<H = ForwardHandler> {
    rules: Arc<Rules>,
    allowed: H,
    clock: Clock,
    waiting: Arc<AtomicUsize>,
}

type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// One of those who are kept waiting; dropped, it is none any more.
struct Waiting(Arc<AtomicUsize>);

impl RulesHandler {
    /// These rules in front of a [`ForwardHandler`].
    pub fn new(rules: impl Into<Arc<Rules>>) -> RulesHandler {
        RulesHandler {
            rules: rules.into(),
            allowed: ForwardHandler,
            clock: Arc::new(SystemTime::now),
            waiting: Arc::default(),
        }
    }
}

impl<H> RulesHandler<H> {
    /// The same rules in front of another handler.
    pub fn in_front_of<O: ConnectionHandler>(self, handler: O) -> RulesHandler<O> {
        let RulesHandler { rules, clock, waiting, .. } = self;
        RulesHandler { rules, allowed: handler, clock, waiting }
    }

    /// Asks this clock for the time, if any rule is about the hour. It runs on event loops and must
    /// not block.
    pub fn with_clock(self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        RulesHandler { clock: Arc::new(clock), ..self }
    }

    /// What the rules decide about the request of an exchange. Nothing comes of it.
    pub fn decide(&self, exchange: &Exchange<'_>) -> Decision<'_> {
        self.rules.decide(&self.subject(exchange))
    }

    /// The rules.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    fn subject<'e>(&self, exchange: &'e Exchange<'_>) -> Subject<'e> {
        let subject = Subject::new(exchange.client(), exchange.request(), self.now());
        exchange.user().map_or(subject, |user| subject.with_user(user))
    }

    fn now(&self) -> SystemTime {
        // A reading of the clock costs as much as some rules.
        if self.rules.know_hours() { (self.clock)() } else { SystemTime::UNIX_EPOCH }
    }

    /// Which rules these are.
    fn id(&self) -> usize {
        Arc::as_ptr(&self.rules).addr()
    }

    /// The request passes. Rules about responses must know where.
    fn pass(&self, decision: &Decision<'_>, exchange: &mut Exchange<'_>) {
        if self.rules.know_responses() {
            exchange.state().pass(self.id(), decision.place());
        }
    }

    /// A place among those who are kept waiting, if there is one.
    fn wait(&self) -> Option<Waiting> {
        let most = self.rules.tarpits();
        let taken = self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |waiting| {
            (waiting < most).then_some(waiting + 1)
        });
        taken.ok().map(|_| Waiting(Arc::clone(&self.waiting)))
    }
}

impl<H: ConnectionHandler> ConnectionHandler for RulesHandler<H> {
    fn reach(&self) -> Reach {
        self.allowed.reach()
    }

    fn connected(&self, client: &Client) -> Admission {
        self.allowed.connected(client)
    }

    fn request(&self, exchange: &mut Exchange<'_>) -> Action {
        let decision = self.decide(exchange);
        note(&decision, exchange);
        let refusal = |denial| Action::Refuse(Refusal::new(Arc::clone(denial)));
        match decision.verdict() {
            Verdict::Allow => {
                self.pass(&decision, exchange);
                self.allowed.request(exchange)
            }
            Verdict::Deny(denial) => refusal(denial),
            Verdict::Route(upstream) => {
                self.pass(&decision, exchange);
                route(exchange, Plan::to(Arc::clone(upstream.authority())).vouched())
            }
            Verdict::Tarpit(delay, denial) => match self.wait() {
                Some(waiting) => {
                    exchange.extensions().insert(waiting);
                    exchange.after(*delay, refusal(denial))
                }
                None => refusal(denial),
            },
            Verdict::SilentDrop => Action::Close,
        }
    }

    fn response(&self, exchange: &mut Exchange<'_>) -> ResponseAction {
        let passed = exchange.state().passed(self.id());
        let Some((place, response)) = passed.zip(exchange.response()) else {
            return self.allowed.response(exchange);
        };
        let subject = self.subject(exchange).with_response(response);
        let decision = self.rules.decide_response(&subject, place);
        if let Some(decision) = decision {
            note(&decision, exchange);
            match decision.verdict() {
                Verdict::Deny(denial) => {
                    return ResponseAction::Refuse(Refusal::new(Arc::clone(denial)));
                }
                Verdict::SilentDrop => return ResponseAction::Close,
                // It is too late for the others: no rule about responses has one of them.
                Verdict::Allow | Verdict::Route(_) | Verdict::Tarpit(..) => {}
            }
        }
        self.allowed.response(exchange)
    }

    fn failed(&self, exchange: &mut Exchange<'_>, reason: Reason) -> Option<Response> {
        self.allowed.failed(exchange, reason)
    }
}

/// Has the log show what was decided.
fn note(decision: &Decision<'_>, exchange: &mut Exchange<'_>) {
    exchange.note_rule(decision.rule());
    if let Some(reported) = decision.reported() {
        exchange.note_reported(reported);
    }
}

/// Sends a request to an upstream, whatever its form.
fn route(exchange: &Exchange<'_>, plan: Plan) -> Action {
    let request = exchange.request();
    match request.form() {
        TargetForm::Authority => Action::Tunnel(plan),
        // What was to go by `https` must not go in the clear, wherever it goes.
        TargetForm::Absolute
            if !request.scheme().is_some_and(|scheme| scheme.eq_ignore_ascii_case("http")) =>
        {
            Action::Reject(Reason::UnsupportedScheme)
        }
        _ => Action::Forward(plan),
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<H: fmt::Debug> fmt::Debug for RulesHandler<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RulesHandler")
            .field("rules", &self.rules)
            .field("allowed", &self.allowed)
            .finish_non_exhaustive()
    }
}
