use std::collections::BTreeSet;

use super::*;
use crate::config_file::ConfigFile;
use crate::descriptors::Descriptors;
use crate::listing;

/// The fields of a structure and their values, as its `Debug` shows them in several lines. That
/// knows fields that were added since: the structures cannot be taken apart outside their crate.
fn fields(value: &impl std::fmt::Debug) -> BTreeSet<String> {
    let shown = format!("{value:#?}");
    let field = |line: &str| Some(line.strip_prefix("    ")?.trim_end_matches(',').to_owned());
    shown.lines().filter_map(field).filter(|line| !line.starts_with(' ')).collect()
}

fn names(fields: &BTreeSet<String>) -> BTreeSet<String> {
    fields.iter().filter_map(|field| Some(field.split_once(':')?.0.to_owned())).collect()
}

/// The names of the fields that differ.
fn changed(before: &BTreeSet<String>, after: &BTreeSet<String>) -> BTreeSet<String> {
    names(&after.difference(before).cloned().collect())
}

/// A value that is not the default.
fn another(setting: &Setting) -> &'static str {
    match setting.kind {
        Kind::Count(..) => "97",
        Kind::Size(..) => "1997",
        Kind::Duration(..) => "77s",
        Kind::Word(field) => field(&mut Config::default()).words().last().unwrap(),
        Kind::Upstream(_) => "http://shop.example:8080",
        Kind::Address(_) => "127.0.0.1:9901",
        Kind::Names(_) => "proxy.example.com",
        Kind::Listen(_) => "127.0.0.1:9797",
        Kind::Networks(_) => "10.0.0.0/8",
        Kind::Destinations(_) => "private",
        Kind::Ports(_) => "8000-8999",
        Kind::Threshold(_) => "20/1m",
        Kind::Switch(field) if *field(&mut Config::default()) => "false",
        Kind::Switch(_) => "true",
        Kind::Text(_) => "the office",
        Kind::Command(_) => "/bin/helper",
        Kind::Path(_) | Kind::Source(_) => "access.log",
        Kind::Zone(_) => "Europe/Berlin",
    }
}

fn set(config: &mut Config, setting: &Setting, value: &str) {
    setting.kind.set(config, &[Given::Text(value)]).unwrap();
}

#[test]
fn names_are_unique() {
    let names: BTreeSet<_> = all().map(|setting| setting.name).collect();
    assert_eq!(names.len(), all().count());
}

#[test]
fn each_limit_and_each_timeout_of_the_library_has_a_setting() {
    let before = Config::default();
    let mut missing = names(&fields(&before.limits));
    missing.extend(names(&fields(&before.timeouts)));
    // Its default depends on the system, so it has a field of its own.
    assert!(missing.remove("connections"));
    for setting in all() {
        let mut after = before.clone();
        set(&mut after, setting, another(setting));
        assert_ne!(after, before, "{}", setting.name);
        for name in changed(&fields(&before.limits), &fields(&after.limits))
            .union(&changed(&fields(&before.timeouts), &fields(&after.timeouts)))
        {
            assert!(missing.remove(name), "{} sets {name} as well", setting.name);
            assert_eq!(of_field(name).unwrap().name, setting.name);
        }
    }
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn each_setting_shows_what_was_set() {
    for setting in all() {
        let mut config = Config::default();
        set(&mut config, setting, another(setting));
        let shown = setting.show(&config).unwrap();
        assert_eq!(shown.replace(['"', '[', ']'], ""), another(setting));
    }
}

#[test]
fn the_library_takes_all_that_the_table_allows() {
    let descriptors = Descriptors::of(u64::MAX);
    for setting in all() {
        let bounds = match &setting.kind {
            Kind::Count(range, _) | Kind::Size(range, _) => {
                [range.start(), range.end()].map(|bound| Given::Integer(i128::from(*bound)))
            }
            _ => continue,
        };
        for bound in bounds {
            let mut config = Config::default();
            setting.kind.set(&mut config, &[bound]).unwrap();
            assert_eq!(config.check(&descriptors), Ok(()), "{} {bound:?}", setting.name);
        }
    }
}

#[test]
fn reasons_that_are_named_exist() {
    for setting in all() {
        for code in setting.at_limit.split('`').skip(1).step_by(2) {
            let known = proxy_core::Reason::ALL.iter().any(|reason| reason.code() == code);
            assert!(known, "{}: {code}", setting.name);
        }
    }
}

#[test]
fn fields_of_the_library_are_found() {
    assert_eq!(of_field("head_bytes").unwrap().name, "head-bytes");
    assert_eq!(of_field("keep_alive").unwrap().name, "keep-alive-timeout");
    assert!(of_field("colour").is_none());
}

#[test]
fn what_was_most_likely_meant_is_found() {
    let meant = |mistyped| nearest(mistyped, all().map(|setting| setting.name));
    for (mistyped, name) in [
        ("lisen", "listen"),
        ("log_format", "log-format"),
        ("LogFormat", "log-format"),
        ("head_bytes", "head-bytes"),
        ("conect-timeout", "connect-timeout"),
        ("keep-alive", "keep-alive-timeout"),
    ] {
        assert_eq!(meant(mistyped), Some(name));
    }
    assert_eq!(meant("xyz"), None);
}

#[test]
fn no_limit_is_a_word_where_there_need_not_be_one() {
    let mut config = Config::default();
    for name in ["request-body", "connections-per-client"] {
        let setting = find(name).unwrap();
        set(&mut config, setting, "5");
        set(&mut config, setting, "unlimited");
        assert_eq!(setting.show(&config).unwrap(), "\"unlimited\"");
    }
    assert_eq!(config, Config::default());
    let refused = find("lane-queue").unwrap().kind.set(&mut config, &[Given::Text("unlimited")]);
    assert_eq!(refused.unwrap_err().problem, "a whole number is expected");
}

#[test]
fn what_is_listed_can_be_read_and_is_the_same() {
    let mut changed = Config::default();
    for setting in all() {
        set(&mut changed, setting, another(setting));
    }
    for config in [Config::default(), changed] {
        let mut read = Config::default();
        ConfigFile::new("f", listing::list(&config)).apply(&mut read).unwrap();
        assert_eq!(read, config);
    }
}
