//! [`Limit`]: a throttle that counts a request.

use proxy_core::throttle::{Asking, Excess, Mode, Scope};
use serde::Serialize;

use super::answer::Answer;
use super::asked::Asked;
use crate::config::Config;
use crate::duration;
use crate::throttles::{Amount, WrittenThrottle, scope_word};

/// A throttle that counts a request.
pub struct Limit<'c> {
    throttle: &'c WrittenThrottle,
    /// Whose count it is.
    whose: String,
}

/// The same for programs.
#[derive(Serialize)]
pub struct Shown<'l> {
    name: &'l str,
    r#for: &'static str,
    whose: &'l str,
    users: &'l [String],
    groups: &'l [String],
    of: &'static str,
    amount: String,
    over: &'static str,
    delay_ms: Option<u128>,
    reason: Option<&'static str>,
    mode: &'static str,
}

/// The throttles that count a request, in the order of the file. What is refused is not counted.
pub fn of<'c>(answer: &Answer, asked: &Asked, config: &'c Config) -> Vec<Limit<'c>> {
    if answer.refused.is_some() {
        return Vec::new();
    }
    let zone = config.time_zone.for_rules();
    let mut asking = Asking::client(asked.client.address.ip()).to(asked.head.host());
    // Where there are no rules, none is what has let it pass.
    asking.rule = config.ruled.as_ref().map(|_| &*answer.explanation.rule);
    asking.user = answer.user.as_ref();
    let limit = |throttle: &'c WrittenThrottle| {
        let whose = throttle.throttle(&zone).whose(&asking)?;
        Some(Limit { throttle, whose })
    };
    config.throttles.iter().filter_map(limit).collect()
}

impl Limit<'_> {
    /// In words.
    pub fn text(&self) -> String {
        let WrittenThrottle { name, mode, .. } = self.throttle;
        let over = match mode {
            Mode::Report => "more is only reported".to_owned(),
            _ => self.over(),
        };
        format!("`{name}`: {} {}; {over}", self.amount(), self.whose())
    }

    /// For programs.
    pub fn shown(&self) -> Shown<'_> {
        let WrittenThrottle { name, scope, members, amount, over, mode, .. } = self.throttle;
        let always_waits = matches!(amount, Amount::Upload(_) | Amount::Download(_));
        Shown {
            name,
            r#for: scope_word(*scope),
            whose: &self.whose,
            users: &members.users,
            groups: &members.groups,
            of: amount.word(),
            amount: amount.to_string(),
            over: match over {
                _ if always_waits => "wait",
                Excess::Delay(_) => "delay",
                Excess::Drop => "drop",
                _ => "refuse",
            },
            delay_ms: match over {
                Excess::Delay(most) => Some(most.as_millis()),
                _ => None,
            },
            reason: self.reason(),
            mode: if *mode == Mode::Report { "report" } else { "enforce" },
        }
    }

    fn amount(&self) -> String {
        let amount = self.throttle.amount;
        match (amount, self.throttle.scope) {
            (Amount::Connections(_), Scope::All | Scope::Client { .. }) => {
                format!("{amount} connections at once")
            }
            (Amount::Connections(_), _) => format!("{amount} requests and tunnels at once"),
            (Amount::Volume(..), _) => format!("{amount}, both ways together,"),
            _ => format!("{} {amount}", amount.word()),
        }
    }

    fn whose(&self) -> String {
        let whose = &*self.whose;
        match self.throttle.scope {
            Scope::Client { v4: 32, .. } if whose.contains('.') => format!("of the client {whose}"),
            Scope::Client { v4, v6 } => {
                let prefix = if whose.contains(':') { v6 } else { v4 };
                format!("of the clients in {whose}/{prefix}")
            }
            Scope::Host => format!("to {whose}"),
            Scope::User => format!("of the user {whose}"),
            Scope::Rule => format!("by the rule `{whose}`"),
            _ => "of all together".to_owned(),
        }
    }

    fn over(&self) -> String {
        let refused = format!("refused with 429 {}", self.reason().unwrap_or_default());
        match (self.throttle.amount, self.throttle.over) {
            (Amount::Upload(_) | Amount::Download(_), _) => "more waits".to_owned(),
            (_, Excess::Delay(most)) => {
                format!("more waits, for {} at most, or is {refused}", duration::show(most))
            }
            (_, Excess::Drop) => "more is dropped without an answer".to_owned(),
            _ => format!("more is {refused}"),
        }
    }

    /// What the log says where it is refused or dropped.
    fn reason(&self) -> Option<&'static str> {
        match self.throttle.amount {
            Amount::Connections(_) => Some("connections_limited"),
            Amount::Requests(_) => Some("rate_limited"),
            Amount::Volume(..) => Some("quota_exceeded"),
            Amount::Upload(_) | Amount::Download(_) => None,
        }
    }
}
