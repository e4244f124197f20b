//! Each reason has a story: a test with a `Stage`, which looks at the record. Such a test ends with what
//! was counted beside what was recorded, each exchange once (`Stage::expect_counted`).
//!
//! What is looked for is the name of the reason or its code, in a program of tests that uses a `Stage`.
//! So a reason that nobody has provoked is found here, as soon as it is there.

use std::fs;
use std::path::Path;

use proxy_core::Reason;

/// The text of each program of tests, without comments.
fn programs() -> Vec<String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut programs = Vec::new();
    for entry in fs::read_dir(tests).unwrap() {
        let path = entry.unwrap().path();
        let own = path.file_stem().is_some_and(|name| name == "stories");
        if path.join("main.rs").exists() {
            programs.push(text(&path));
        } else if path.is_file() && !own {
            programs.push(code(&path));
        }
    }
    programs
}

/// All files of a folder.
fn text(folder: &Path) -> String {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| if path.is_dir() { text(&path) } else { code(&path) }).collect()
}

fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| [line, "\n"]).collect()
}

/// Whether `word` stands there, and not only as a part of another.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part)
    })
}

#[test]
fn each_reason_has_a_story() {
    let stories: Vec<_> = programs().into_iter().filter(|text| text.contains("Stage::")).collect();
    assert!(stories.len() > 20, "the stories are not where they were");
    let is_told = |reason: &Reason| {
        let name = format!("Reason::{reason:?}");
        stories.iter().any(|text| has_word(text, &name) || has_word(text, reason.code()))
    };
    let untold: Vec<_> = Reason::ALL.iter().filter(|reason| !is_told(reason)).collect();
    assert!(untold.is_empty(), "nothing shows what becomes of {untold:?}");
}
