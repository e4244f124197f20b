//! `proxy-cli check --privacy`, as it is run by hand.

use std::path::PathBuf;
use std::process::{Command, Output};

/// Checks with a configuration of its own for each test.
fn check(name: &str, configuration: &str) -> Output {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("check-{name}.toml"));
    std::fs::write(&path, configuration).unwrap();
    Command::new(env!("CARGO_BIN_EXE_proxy-cli"))
        .args(["check", "--privacy", "--config"])
        .arg(&path)
        .output()
        .unwrap()
}

/// What is shown of a field, once for each time that it is there.
fn shown(output: &Output, field: &str) -> Vec<String> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_it =
        |line: &&str| line.get(2..).is_some_and(|rest| rest.starts_with(&format!("{field} ")));
    text.lines()
        .filter(is_it)
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn without_privacy_all_is_told() {
    let output = check("off", "");
    assert_eq!(shown(&output, "From"), ["From person@mail.example an address for mail"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("17 give something away; 0 changed"));
}

#[test]
fn strict_withholds_what_is_not_needed() {
    let output = check("strict", "privacy = \"strict\"\nprivacy-from = \"keep\"");
    assert_eq!(shown(&output, "User-Agent"), ["~ User-Agent Mozilla/5.0"]);
    assert_eq!(shown(&output, "Referer"), ["- Referer nothing"]);
    assert_eq!(shown(&output, "From"), ["From person@mail.example an address for mail"]);
}

#[test]
fn an_upstream_that_is_told_addresses_is_shown_to_be() {
    let upstream = "privacy = \"standard\"\nupstream = \"http://192.0.2.1:80\"";
    let output = check("upstream", upstream);
    let address = "~ X-Forwarded-For 127.0.0.1 an address of the client";
    assert_eq!(shown(&output, "X-Forwarded-For"), [address]);
    assert_eq!(shown(&output, "Via").len(), 2);
}

#[test]
fn a_wrong_configuration_is_told_and_nothing_is_sent() {
    let output = check("wrong", "privacy = \"stric\"");
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("did you mean `strict`"), "{told}");
}
