//! `docs/rules.md`: its set-ups are the files of `examples/rules`, and its commands say what it says
//! they do.

#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What stands in the blocks of this kind.
fn blocks<'d>(document: &'d str, kind: &str) -> Vec<&'d str> {
    let begin = format!("\n```{kind}\n");
    let parts = document.split(&*begin).skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default()).collect()
}

/// Runs a command in the root of the repository; gives its output as the document shows it.
fn run(command: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_proxy-cli"));
    let mut path = program.parent().unwrap().as_os_str().to_owned();
    path.push(":/usr/bin:/bin");
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(root())
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "", "{command}");
    let told = String::from_utf8(output.stdout).unwrap();
    let code = if told.contains("\nresult  allowed") { 0 } else { 3 };
    assert_eq!(output.status.code(), Some(code), "{command}\n{told}");
    told
}

#[test]
fn its_commands_say_what_it_says_they_do() {
    let path = root().join("docs/rules.md");
    let document = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let mut tried = document.clone();
    let mut commands = 0;
    for block in blocks(&document, "console") {
        let lines = block.lines().filter_map(|line| line.strip_prefix("$ "));
        let told: Vec<_> = lines.map(|command| format!("$ {command}\n{}", run(command))).collect();
        commands += told.len();
        tried = tried.replace(
            &format!("```console\n{block}```"),
            &format!("```console\n{}```", told.join("\n")),
        );
    }
    assert!(commands >= 30, "{commands} commands were found");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &tried).unwrap();
        return;
    }
    let differ = document.lines().zip(tried.lines()).find(|(written, run)| written != run);
    assert!(
        document == tried,
        "docs/rules.md is out of date, from {differ:?} on: BLESS=1 cargo test -p proxy-cli --test \
         rules_document"
    );
}

#[test]
fn its_set_ups_are_the_files() {
    let document = fs::read_to_string(root().join("docs/rules.md")).unwrap().replace("\r\n", "\n");
    let set_ups = blocks(&document, "toml");
    let mut files = 0;
    for entry in fs::read_dir(root().join("examples/rules")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "toml") {
            let text = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
            assert!(set_ups.contains(&&*text), "{} is another one there", path.display());
            files += 1;
        }
    }
    assert!(files >= 10, "{files} files were found");
}

#[test]
fn each_set_up_is_good_and_there_is_nothing_to_warn_of() {
    for entry in fs::read_dir(root().join("examples/rules")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "toml") {
            let output = Command::new(env!("CARGO_BIN_EXE_proxy-cli"))
                .args(["--test".as_ref(), "--config".as_ref(), path.as_os_str()])
                .output()
                .unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(
                (said.as_str(), output.status.code()),
                ("the configuration is good\n", Some(0))
            );
        }
    }
}
