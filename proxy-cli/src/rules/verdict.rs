//! The keys of a rule that say what it decides.

use proxy_core::rules::{Denial, Mode, Verdict};

use crate::complaint::did_you_mean;
use crate::duration;
use crate::section::{Placed, Problem, Section, name, text};
use crate::settings::{Given, nearest};

/// What a rule decides.
pub enum Read {
    /// This.
    Verdict(Verdict),
    /// To send the request to the route of this name.
    Route(Placed<String>),
}

const WORDS: [&str; 5] = ["allow", "deny", "route", "tarpit", "silent_drop"];

/// The keys of a refusal.
const DENIAL: [&str; 3] = ["message", "status", "redirect"];

/// The verdict of a rule, or of the default. Where something is wrong with it, that is a complaint
/// of the section.
pub fn read(section: &Section) -> Read {
    let word = section.one("verdict", |given| {
        let word = text(given, "a word in quotes")?;
        match WORDS.iter().find(|known| **known == word) {
            Some(known) => Ok(*known),
            None => Err(Problem::no_word(word, &WORDS)),
        }
    });
    if !section.has("verdict") {
        section.miss(&format!("a verdict is missing, one of {}", WORDS.join(", ")));
    }
    let denial = denial(section);
    let delay =
        section.one("delay", |given| Ok(duration::parse(text(given, "a time such as \"10s\"")?)?));
    let to = section.one("to", name);
    let word = word.map(|it| it.value);
    let only = |keys: &[&'static str], owners: &[&str]| {
        let Some(word) = word.filter(|word| !owners.contains(word)) else { return };
        for key in keys.iter().filter(|key| section.has(key)) {
            let problem = format!("`{word}` has no such thing; `{}` has", owners.join("` and `"));
            section.complain(key, section.place(key), problem.into());
        }
    };
    only(&DENIAL, &["deny", "tarpit"]);
    only(&["delay"], &["tarpit"]);
    only(&["to"], &["route"]);
    Read::Verdict(match word {
        None | Some("allow") => Verdict::Allow,
        Some("silent_drop") => Verdict::SilentDrop,
        Some("tarpit") => match delay {
            Some(delay) => Verdict::tarpit(delay.value, denial),
            None if section.has("delay") => Verdict::Allow,
            None => {
                section.miss("`tarpit` needs a delay, such as delay = \"10s\"");
                Verdict::Allow
            }
        },
        Some("route") => match to {
            Some(name) => return Read::Route(name),
            None if section.has("to") => Verdict::Allow,
            None => {
                section.miss("`route` needs the name of a [route.NAME], such as to = \"cache\"");
                Verdict::Allow
            }
        },
        Some(_) => Verdict::deny(denial),
    })
}

fn denial(section: &Section) -> Denial {
    let mut denial = Denial::new();
    let written = |given: Given| match text(given, "text in quotes")?.trim() {
        "" => Err("there is nothing in it".into()),
        text => Ok(text.to_owned()),
    };
    if let Some(message) = section.one("message", written) {
        denial = denial.with_message(message.value);
    }
    let number = |given: Given| match given {
        Given::Integer(number) => {
            u16::try_from(number).map_err(|_| "the status of a refusal is from 400 to 599".into())
        }
        other => Err(Problem::unexpected("a number such as 451", other)),
    };
    if let Some(status) = section.one("status", number) {
        denial = denial.with_status(status.value);
    }
    if let Some(url) = section.one("redirect", written) {
        denial = denial.with_redirect(url.value);
    }
    denial
}

/// Whether a rule decides or only reports.
pub fn mode(section: &Section) -> Mode {
    const WORDS: [&str; 2] = ["enforce", "report"];
    let read = section.one("mode", |given| match text(given, "a word in quotes")? {
        "enforce" => Ok(Mode::Enforce),
        "report" => Ok(Mode::Report),
        other => {
            let meant = nearest(other, WORDS).map(did_you_mean);
            Err(Problem::from("must be `enforce` or `report`").note(meant))
        }
    });
    read.map(|it| it.value).unwrap_or_default()
}
