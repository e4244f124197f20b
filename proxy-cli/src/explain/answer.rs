//! [`Answer`]: what the proxy would do, and all that has a say in it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use proxy_core::http1::{RequestHead, TargetForm};
use proxy_core::rules::{Denial, Explanation, Outcome, RuleSet, Rules, Subject, Verdict};
use proxy_core::{ConnectPorts, DestinationGuard, Reason, User};

use super::admission::Admission;
use super::asked::Asked;
use crate::config::Config;
use crate::settings;

/// What would become of a request.
pub struct Answer {
    /// Who asks, if that would be known.
    pub user: Option<User>,
    pub explanation: Explanation,
    /// `None`: it would be let through.
    pub refused: Option<Refused>,
    /// Where it would go, if it went anywhere.
    pub goes_to: Option<String>,
    /// What is to be said of the address that would be connected to.
    pub guard: Option<String>,
    /// The limits that would apply, with their values.
    pub limits: Vec<(&'static str, String)>,
    pub notes: Vec<String>,
}

/// Why it would be refused.
#[derive(Debug)]
pub struct Refused {
    pub reason: Reason,
    pub status: u16,
    /// In the words of the configuration.
    pub because: String,
}

impl Refused {
    /// Whether the connection is closed, and the client told nothing.
    pub fn is_silent(&self) -> bool {
        matches!(self.reason, Reason::Banned | Reason::ClosedByHandler)
    }
}

/// Limits of all that goes anywhere, of plain requests, and of tunnels.
const ALWAYS: [&str; 2] = ["connections-per-client", "connect-timeout"];
const OF_PLAIN: [&str; 3] = ["request-body", "response-head-timeout", "body-idle-timeout"];
const OF_TUNNELS: [&str; 1] = ["tunnel-idle-timeout"];

impl Answer {
    /// Asks the rules, and whatever else there is.
    pub fn new(asked: &Asked, config: &Config) -> Answer {
        let is_answered = config.pac && config.upstream.is_none() && is_pac(&asked.head);
        let Admission { user, refused, notes } = Admission::new(asked, config, is_answered);
        let subject = Subject::new(&asked.client, &asked.head, asked.time);
        let subject = user.as_ref().map_or(subject, |user| subject.with_user(user));
        let subject = match &asked.response {
            Some(response) => subject.with_response(response),
            None => subject,
        };
        let explanation = match &config.ruled {
            Some(ruled) => ruled.rules().explain(&subject),
            None => none().explain(&subject),
        };
        let mut answer = Answer {
            user,
            explanation,
            refused,
            goes_to: None,
            guard: None,
            limits: Vec::new(),
            notes: [&asked.notes[..], &notes].concat(),
        };
        if is_answered {
            let told = "the proxy itself, which answers: no rule is asked";
            answer.goes_to = Some(told.to_owned());
        } else {
            answer.judge(asked, config);
        }
        if answer.refused.is_none() {
            let more = if is_tunnel(asked) { &OF_TUNNELS[..] } else { &OF_PLAIN };
            let names = ALWAYS.iter().chain(more);
            answer.limits = names.filter_map(|name| Some((*name, limit(name, config)?))).collect();
        } else {
            (answer.goes_to, answer.guard) = (None, None);
        }
        answer.note(asked);
        answer
    }

    /// Whether a rule may yet have its say, when there is a response.
    pub fn awaits_response(&self) -> bool {
        self.explanation.steps.iter().any(|step| step.outcome == Outcome::AwaitsResponse)
    }

    /// What a rule has the client told, if it is a rule that refuses.
    pub fn denial(&self) -> Option<&Denial> {
        let is_by_rule =
            self.refused.as_ref().is_some_and(|refused| refused.reason == Reason::DeniedByRule);
        self.explanation.verdict.denial().filter(|_| is_by_rule)
    }

    /// How long it takes until that is told.
    pub fn delay(&self) -> Option<Duration> {
        match self.explanation.verdict {
            Verdict::Tarpit(delay, _) if self.denial().is_some() => Some(delay),
            _ => None,
        }
    }

    fn refuse(&mut self, reason: Reason, because: impl Into<String>) {
        let because = because.into();
        self.refused.get_or_insert(Refused { reason, status: reason.status(), because });
    }

    /// The verdict of the rules, and what stands behind them.
    fn judge(&mut self, asked: &Asked, config: &Config) {
        let rule = match &*self.explanation.rule {
            "default" => "by the default".to_owned(),
            rule => format!("by the rule `{rule}`"),
        };
        match self.explanation.verdict.clone() {
            Verdict::Allow => self.pass(asked, config),
            Verdict::Route(upstream) => {
                let is_http = asked.head.scheme().is_none_or(|it| it.eq_ignore_ascii_case("http"));
                if !is_http {
                    self.refuse(Reason::UnsupportedScheme, "only http:// is sent on");
                }
                self.goes_to = Some(format!("{upstream}, wherever it asks to go"));
                self.guard = Some("not asked: a rule has chosen the upstream".to_owned());
            }
            Verdict::SilentDrop => self.refuse(Reason::ClosedByHandler, rule),
            _ => {
                self.refuse(Reason::DeniedByRule, rule);
                if let Some(status) = self.denial().map(Denial::status)
                    && let Some(refused) = &mut self.refused
                {
                    refused.status = status;
                }
            }
        }
    }

    /// What becomes of what rules allow.
    fn pass(&mut self, asked: &Asked, config: &Config) {
        let head = &asked.head;
        let is_http = head.scheme().is_none_or(|it| it.eq_ignore_ascii_case("http"));
        if let Some(upstream) = &config.upstream {
            match head.form() {
                TargetForm::Authority => self.refuse(
                    Reason::ConnectNotAllowed,
                    "in front of a fixed upstream there are no tunnels",
                ),
                _ if !is_http => {
                    self.refuse(Reason::Misdirected, "the upstream speaks http:// only")
                }
                _ => {}
            }
            self.goes_to = Some(format!("the upstream, http://{upstream}"));
            self.guard = Some("not asked: the configuration has chosen the upstream".to_owned());
            return;
        }
        match head.form() {
            TargetForm::Origin => self.refuse(
                Reason::NotAProxyRequest,
                "a forward proxy is asked for whole URLs, http://host/path",
            ),
            TargetForm::Asterisk => {
                self.goes_to = Some("the proxy itself, which answers".to_owned());
                return;
            }
            TargetForm::Absolute if !is_http => {
                self.refuse(Reason::UnsupportedScheme, "only http:// is sent on");
            }
            TargetForm::Absolute | TargetForm::Authority => {}
        }
        let port = head.port().unwrap_or(80);
        self.goes_to = Some(format!("{}:{port}, directly", head.host()));
        if is_tunnel(asked) && !connect_ports(config).permit(port) {
            self.refuse(
                Reason::PortNotAllowed,
                format!("tunnels do not lead to port {port} (connect-port)"),
            );
        }
        self.ask_guard(asked, config, port);
    }

    fn ask_guard(&mut self, asked: &Asked, config: &Config, port: u16) {
        let host = asked.head.host();
        let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
        let Ok(address) = bare.parse::<IpAddr>() else {
            let refused = match config.is_on_loopback() {
                true => "metadata and link-local addresses",
                false => "all addresses that are not public",
            };
            let changed =
                !config.allow_destination.is_empty() || !config.deny_destination.is_empty();
            let but = if changed { ", but for allow-destination and deny-destination" } else { "" };
            self.guard = Some(format!("decides when the address is known; refuses {refused}{but}"));
            return;
        };
        let ip = address.to_canonical();
        let own = |it: &String| {
            it.parse().is_ok_and(|own: SocketAddr| {
                let is_all = own.ip().is_unspecified() && ip.is_loopback();
                own.port() == port && (own.ip().to_canonical() == ip || is_all)
            })
        };
        if config.listeners().iter().any(own) {
            self.refuse(Reason::LoopDetected, "the proxy itself listens there");
            return;
        }
        match guard(config).check(address) {
            Ok(()) => self.guard = Some(format!("lets {address} through")),
            Err(class) => self.refuse(
                Reason::DestinationNotAllowed,
                format!("the guard refuses {address}, which is {class} (deny-destination)"),
            ),
        }
    }

    /// What whoever asks should know beside it.
    fn note(&mut self, asked: &Asked) {
        let waits = |it: &proxy_core::rules::Step| it.outcome == Outcome::AwaitsResponse;
        let Some(logged) = &asked.logged else { return };
        let was = logged.outcome.rule.as_deref();
        if was.is_some_and(|was| was != self.explanation.rule) {
            let was = was.unwrap_or_default();
            let why = match self.explanation.steps.iter().any(|it| it.rule == was && waits(it)) {
                true => {
                    "it is about the response, of which the log does not have enough: give it \
                         with --response-status, --response-type or --response-length"
                }
                false => {
                    "the configuration is another one now, or it depends on a header field, of \
                          which the log has two"
                }
            };
            self.notes.push(format!("the log says that the rule `{was}` has decided: {why}"));
        }
    }
}

/// The rules of a proxy that has none.
fn none() -> Rules {
    RuleSet::new([]).compile().expect("there is nothing in it that could be wrong")
}

fn guard(config: &Config) -> DestinationGuard {
    config.guard()(match config.is_on_loopback() {
        true => DestinationGuard::on_loopback(),
        false => DestinationGuard::beyond_loopback(),
    })
}

fn connect_ports(config: &Config) -> ConnectPorts {
    config.connect_port.clone().unwrap_or_else(|| match config.is_on_loopback() {
        true => ConnectPorts::any(),
        false => ConnectPorts::https(),
    })
}

fn is_tunnel(asked: &Asked) -> bool {
    asked.head.form() == TargetForm::Authority
}

/// The file by which browsers set themselves up is not a matter of rules.
fn is_pac(head: &RequestHead) -> bool {
    let path = head.path().split('?').next().unwrap_or_default();
    head.form() == TargetForm::Origin
        && ["GET", "HEAD"].contains(&head.method())
        && ["/proxy.pac", "/wpad.dat"].contains(&path)
}

fn limit(name: &str, config: &Config) -> Option<String> {
    let shown = settings::find(name)?.show(config)?;
    Some(shown.trim_matches('"').to_owned())
}
