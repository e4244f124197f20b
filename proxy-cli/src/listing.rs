//! A configuration as a file that sets all of it: what `--print-config` shows.

use std::fmt::Write;

use crate::config::Config;
use crate::settings::{GROUPS, Setting};

/// Each setting with what it is and its default. What is not set stands in a comment.
pub fn list(config: &Config) -> String {
    let mut listing = format!(
        "# All settings of proxy-cli {} as they are in effect, with their defaults.\n\
         # It can be used as a file for --config.\n",
        env!("CARGO_PKG_VERSION")
    );
    for group in &GROUPS {
        write!(listing, "\n# {0}\n# {1:=<2$}\n", group.title, "", group.title.len())
            .expect("writing to a string does not fail");
        for setting in group.settings {
            listing.push('\n');
            entry(setting, config, &mut listing).expect("writing to a string does not fail");
        }
    }
    if !config.sections.is_empty() {
        write!(listing, "\n# Rules\n# =====\n{}", config.sections)
            .expect("writing to a string does not fail");
    }
    listing += &config.logins.sections.to_string();
    if !config.throttles.is_empty() {
        listing += "\n# Throttles\n# =========\n";
    }
    for throttle in &config.throttles {
        write!(listing, "\n{}", throttle.show()).expect("writing to a string does not fail");
    }
    if !config.logs.is_empty() {
        listing += "\n# Logs\n# ====\n";
    }
    for log in &config.logs {
        write!(listing, "\n{}", log.show()).expect("writing to a string does not fail");
    }
    listing
}

fn entry(setting: &Setting, config: &Config, listing: &mut String) -> std::fmt::Result {
    writeln!(listing, "# {}.", setting.help)?;
    if !setting.at_limit.is_empty() {
        writeln!(listing, "# At the limit: {}.", setting.at_limit)?;
    }
    writeln!(listing, "# Default: {} ({}).", setting.default(), setting.reason)?;
    if let Some(range) = setting.kind.range() {
        writeln!(listing, "# Possible: {range}.")?;
    }
    match setting.show(config) {
        Some(value) => writeln!(listing, "{} = {value}", setting.name),
        None => writeln!(listing, "# {} =", setting.name),
    }
}
