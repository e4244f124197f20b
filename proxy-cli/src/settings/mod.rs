//! [`Setting`]s: the one table of everything that can be set.
//!
//! The configuration file, the flags, `--print-config` and `docs/settings.md` are all made from
//! it. So a new setting is a field of [`Config`] and an entry here, and nothing else; a test
//! sees to it that each limit and each timeout of the library has one.

mod admin;
mod bans;
mod general;
mod kind;
mod limits;
mod privacy;
#[cfg(test)]
mod tests;
mod timeouts;
mod users;

use crate::config::Config;

pub use kind::{Given, Kind, Wrong, quoted};

/// Something that can be set, in the file and by a flag of the same name.
pub struct Setting {
    /// `key = …` in the file, `--key …` as a flag.
    pub name: &'static str,
    /// How it is written, and the field of [`Config`] that it sets.
    pub kind: Kind,
    /// What it is.
    pub help: &'static str,
    /// What holds while nothing is set, where the configuration alone does not tell.
    pub unset: &'static str,
    /// Why the default is what it is.
    pub reason: &'static str,
    /// What happens when a limit is reached, or a time is over.
    pub at_limit: &'static str,
}

/// Settings that belong together.
pub struct Group {
    /// The heading over them.
    pub title: &'static str,
    pub settings: &'static [Setting],
}

/// All settings, in the order in which they are shown.
pub static GROUPS: [Group; 7] = [
    Group { title: "General", settings: general::SETTINGS },
    Group { title: "Privacy", settings: privacy::SETTINGS },
    Group { title: "Bans", settings: bans::SETTINGS },
    Group { title: "Users", settings: users::SETTINGS },
    Group { title: "Administration", settings: admin::SETTINGS },
    Group { title: "Limits", settings: limits::SETTINGS },
    Group { title: "Timeouts", settings: timeouts::SETTINGS },
];

/// All settings, one after the other.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    GROUPS.iter().flat_map(|group| group.settings)
}

/// The setting of this name.
pub fn find(name: &str) -> Option<&'static Setting> {
    all().find(|setting| setting.name == name)
}

/// The setting for a field of the library, as its errors name it: `head_bytes`.
pub fn of_field(field: &str) -> Option<&'static Setting> {
    let name = field.replace('_', "-");
    find(&name).or_else(|| find(&format!("{name}-timeout")))
}

/// The one of `names` that was most likely meant by `mistyped`.
pub fn nearest<'n>(mistyped: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    /// Below it, two names have little more in common than their letters.
    const ALIKE: f64 = 0.75;
    let mistyped = mistyped.to_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::jaro(&mistyped, name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

impl Setting {
    /// What `config` has for it, as it would stand in a file; `None` where nothing is set.
    pub fn show(&self, config: &Config) -> Option<String> {
        self.kind.show(config)
    }

    /// What holds if it is not set.
    pub fn default(&self) -> String {
        match self.unset {
            "" => self.show(&Config::default()).unwrap_or_default(),
            told => told.to_owned(),
        }
    }
}
