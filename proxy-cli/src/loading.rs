//! From arguments to a [`Config`]: the defaults, over them the file, over it the flags.

use std::net::SocketAddr;

use crate::args::Args;
use crate::complaint::{Complaint, did_you_mean};
use crate::config::{Config, Impossible};
use crate::config_file::{ConfigFile, Found};
use crate::descriptors::Descriptors;
use crate::rules::Ruled;
use crate::settings::{self, Given};
use crate::throttles;

/// The configuration in effect, found to be possible. `passed` is where sockets listen that were
/// passed: they are used in the place of the default of `listen`, and in the place of any `listen`
/// that names the same address.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(
    args: &Args,
    descriptors: &Descriptors,
    passed: Vec<SocketAddr>,
) -> Result<Config, Vec<Complaint>> {
    let mut config = Config::default();
    let mut file = None;
    if let Some(path) = &args.config {
        let read = ConfigFile::read(path).map_err(|complaint| vec![complaint])?;
        let found = read.apply(&mut config)?;
        file = Some((read, found));
    }
    for (name, values) in &args.flags {
        let setting = settings::find(name).expect("flags are made from the settings");
        let given: Vec<_> = values.iter().map(|value| Given::Text(value)).collect();
        setting.kind.set(&mut config, &given).map_err(|wrong| {
            let complaint = Complaint::about(flag(name, &values[wrong.index]), wrong.problem);
            vec![complaint.note(wrong.meant.as_deref().map(did_you_mean))]
        })?;
    }
    if !passed.is_empty() {
        let is_given = args.flags.iter().any(|(name, _)| *name == "listen")
            || file.as_ref().is_some_and(|(_, found)| found.spans.contains_key("listen"));
        let is_passed = |address: &String| address.parse().is_ok_and(|it| passed.contains(&it));
        config.listen.retain(|address| is_given && !is_passed(address));
        config.passed = passed;
    }
    // Before the rules, which name users and groups.
    config.door = config.logins.open(|user, problem| match &file {
        Some((file, found)) => {
            let span = found.users.get(user).cloned().unwrap_or_default();
            file.complaint(span, problem)
        }
        None => Complaint::about(format!("[user.{user}]"), problem),
    })?;
    if let Some((file, found)) = &file {
        config.ruled = Ruled::build(&found.written, file, &config)?;
    }
    config
        .check(descriptors)
        .map_err(|impossible| vec![locate(impossible, args, file.as_ref())])?;
    config.admin_token = config.admin.token().map_err(|complaint| vec![complaint])?;
    let complaints = throttles::check(&config.throttles, config.door.as_ref());
    if complaints.is_empty() { Ok(config) } else { Err(complaints) }
}

/// Says where the setting that cannot work has its value from.
fn locate(impossible: Impossible, args: &Args, file: Option<&(ConfigFile, Found)>) -> Complaint {
    let Impossible { setting, problem } = impossible;
    let name = settings::of_field(setting).map_or(setting, |setting| setting.name);
    if let Some((_, values)) = args.flags.iter().find(|(given, _)| *given == name) {
        return Complaint::about(flag(name, &values.join(" ")), problem);
    }
    match file.and_then(|(file, found)| Some((file, found.spans.get(name)?))) {
        Some((file, span)) => file.complaint(span.clone(), format!("{name}: {problem}")),
        None => Complaint::about(name, problem),
    }
}

fn flag(name: &str, value: &str) -> String {
    format!("--{name} {value}")
}
