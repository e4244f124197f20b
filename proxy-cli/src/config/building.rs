//! [`Config::builder`]: a proxy of what is set.

use std::sync::Arc;

use proxy_core::throttle::Throttle;
use proxy_core::{
    ConnectionHandler, DestinationGuard, FixedUpstreamHandler, ForwardHandler, ForwardingFields,
    ForwardingPolicy, Limits, PacHandler, Proxy, ProxyBuilder, RulesHandler,
};

use super::{Config, Forwarding};
use crate::descriptors::Descriptors;
use crate::privacy::LogAddresses;

impl Config {
    /// A builder with everything but where to listen and what to do with the log.
    pub fn builder(&self, descriptors: &Descriptors) -> ProxyBuilder {
        let mut builder = Proxy::builder()
            .limits(self.limits(descriptors))
            .timeouts(self.timeouts.clone())
            .forwarding(self.forwarding())
            .privacy(self.disclosure.privacy())
            .ban_policy(self.bans.clone())
            .throttles(self.throttles())
            .log_overflow(self.log_overflow)
            .guard(self.guard())
            .workers(self.workers)
            .metrics(self.metrics)
            .metrics_top(self.metrics_top)
            .metrics_clients(self.log_addresses == LogAddresses::Whole);
        if self.reuse_port {
            builder = builder.share_addresses();
        }
        if self.allow_open_proxy {
            builder = builder.allow_open_proxy();
        } else if !self.allow_client.is_empty() {
            builder = builder.allow_clients(self.allow_client.iter().copied());
        }
        if let Some(ports) = &self.connect_port {
            builder = builder.connect_ports(ports.clone());
        }
        builder = self.handle(builder);
        if let Some(event_loops) = self.event_loops {
            builder = builder.event_loops(event_loops);
        }
        builder
    }

    /// Has the builder do with requests what is configured.
    fn handle(&self, builder: ProxyBuilder) -> ProxyBuilder {
        let upstream = self.upstream.clone().map(FixedUpstreamHandler::new);
        match (self.rules_handler(), upstream) {
            (None, None) => self.ask_users(builder, ForwardHandler),
            (None, Some(upstream)) => self.ask_users(builder, upstream),
            (Some(rules), None) => self.ask_users(builder, rules),
            (Some(rules), Some(upstream)) => self.ask_users(builder, rules.in_front_of(upstream)),
        }
    }

    /// The rules, in front of a proxy that goes where it is asked to go.
    pub fn rules_handler(&self) -> Option<RulesHandler> {
        self.ruled.as_ref().map(|ruled| RulesHandler::new(Arc::clone(ruled.rules())))
    }

    /// With a question for the password in front of a handler, if there are users.
    fn ask_users(&self, builder: ProxyBuilder, inner: impl ConnectionHandler) -> ProxyBuilder {
        match &self.door {
            Some(door) => self.tell_browsers(builder, door.in_front_of(&self.logins, inner)),
            None => self.tell_browsers(builder, inner),
        }
    }

    /// With `/proxy.pac` in front of a handler, if that is set: browsers ask for it before they
    /// know of any proxy, so nobody is asked for a password, and no rule is about it.
    fn tell_browsers(&self, builder: ProxyBuilder, inner: impl ConnectionHandler) -> ProxyBuilder {
        if !self.pac {
            return builder.handler(inner);
        }
        let handler = PacHandler::new(inner);
        // What is allowed, although it is inside, is meant to be asked for through the proxy.
        builder.handler(match self.is_on_loopback() || !self.allow_destination.is_empty() {
            true => handler,
            false => handler.leaving_out_inside(),
        })
    }

    /// Throttles for the library.
    fn throttles(&self) -> Vec<Throttle> {
        let zone = self.time_zone.for_rules();
        self.throttles.iter().map(|written| written.throttle(&zone)).collect()
    }

    /// What is allowed and denied, beside what the library does by itself.
    pub fn guard(&self) -> impl FnOnce(DestinationGuard) -> DestinationGuard + Send + 'static {
        let (allowed, denied) = (self.allow_destination.clone(), self.deny_destination.clone());
        move |default| {
            let guard = allowed.into_iter().fold(default, DestinationGuard::allow);
            denied.into_iter().fold(guard, DestinationGuard::deny)
        }
    }

    /// What upstreams are told of clients.
    fn forwarding(&self) -> ForwardingPolicy {
        let fields = match self.forwarded_for {
            Forwarding::Off => return ForwardingPolicy::off(),
            Forwarding::Auto if self.upstream.is_none() => return ForwardingPolicy::off(),
            Forwarding::Auto | Forwarding::XForwardedFor => ForwardingFields::XForwardedFor,
            Forwarding::Forwarded => ForwardingFields::Forwarded,
            Forwarding::Both => ForwardingFields::Both,
        };
        ForwardingPolicy::tell(fields).trusting(self.trusted_proxies.iter().copied())
    }

    fn limits(&self, descriptors: &Descriptors) -> Limits {
        let mut limits = self.limits.clone();
        limits.connections = self.connections(descriptors);
        limits
    }
}
