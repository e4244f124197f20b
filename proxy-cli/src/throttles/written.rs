//! [`WrittenThrottle`]: a `[[throttle]]` of the file, as plain data.

use std::fmt::{self, Write};

use proxy_core::throttle::{
    Allowance, Excess, Members, Mode, Period, Rate, Scope, Throttle, Volume, Zone,
};

use super::amount::{Of, show_rate, show_volume};
use crate::duration;
use crate::settings::quoted;

/// A throttle, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenThrottle {
    pub name: String,
    pub scope: Scope,
    /// The users it is about, where it is about some only.
    pub members: Members,
    pub amount: Amount,
    pub over: Excess,
    pub mode: Mode,
    pub entries: Option<usize>,
}

/// How much there may be of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    Connections(u64),
    Requests(Rate),
    Upload(Rate),
    Download(Rate),
    Volume(u64, Period),
}

impl WrittenThrottle {
    /// For the library; days and months are those of a zone.
    pub fn throttle(&self, zone: &Zone) -> Throttle {
        let allowance = match self.amount {
            Amount::Connections(most) => Allowance::Connections(most),
            Amount::Requests(rate) => Allowance::Requests(rate),
            Amount::Upload(rate) => Allowance::Upload(rate),
            Amount::Download(rate) => Allowance::Download(rate),
            Amount::Volume(bytes, period) => Allowance::Volume(
                match period {
                    Period::Day => Volume::daily(bytes),
                    _ => Volume::monthly(bytes),
                }
                .with_zone(zone.clone()),
            ),
        };
        let throttle = Throttle::new(&*self.name, self.scope, allowance);
        let throttle = throttle.over(self.over).in_mode(self.mode);
        let throttle = throttle.only_for(self.members.clone());
        self.entries.into_iter().fold(throttle, Throttle::with_entries)
    }

    /// As it would stand in a file.
    pub fn show(&self) -> String {
        let mut lines = format!("[[throttle]]\nname = {}\n", quoted(&self.name));
        let mut line = |key: &str, value: String| {
            writeln!(lines, "{key} = {value}").expect("writing to a string does not fail");
        };
        line("for", quoted(scope_word(self.scope)));
        if let Scope::Client { v4, v6 } = self.scope {
            line("prefix-v4", v4.to_string());
            line("prefix-v6", v6.to_string());
        }
        for (key, names) in [("users", &self.members.users), ("groups", &self.members.groups)] {
            if !names.is_empty() {
                let names: Vec<_> = names.iter().map(|name| quoted(name)).collect();
                line(key, format!("[{}]", names.join(", ")));
            }
        }
        let amount = self.amount.to_string();
        line(
            self.amount.word(),
            match self.amount {
                Amount::Connections(_) => amount,
                _ => quoted(&amount),
            },
        );
        match self.over {
            Excess::Delay(most) => {
                line("over", quoted("delay"));
                line("delay", quoted(&duration::show(most)));
            }
            Excess::Drop => line("over", quoted("drop")),
            _ => {}
        }
        if self.mode == Mode::Report {
            line("mode", quoted("report"));
        }
        if let Some(entries) = self.entries {
            line("entries", entries.to_string());
        }
        lines
    }
}

impl Amount {
    /// The key under which it stands in a file.
    pub fn word(self) -> &'static str {
        match self {
            Amount::Connections(_) => "connections",
            Amount::Requests(_) => "requests",
            Amount::Upload(_) => "upload",
            Amount::Download(_) => "download",
            Amount::Volume(..) => "volume",
        }
    }
}

/// As it can be read again.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match *self {
            Amount::Connections(most) => most.to_string(),
            Amount::Requests(rate) => show_rate(rate, Of::Requests),
            Amount::Upload(rate) | Amount::Download(rate) => show_rate(rate, Of::Bytes),
            Amount::Volume(bytes, period) => show_volume(bytes, period),
        })
    }
}

/// The word for whose count it is.
pub fn scope_word(scope: Scope) -> &'static str {
    match scope {
        Scope::Client { .. } => "client",
        Scope::Host => "host",
        Scope::User => "user",
        Scope::Rule => "rule",
        _ => "all",
    }
}
