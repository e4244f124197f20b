//! The layers of the crate, and that its modules use only what is below or beside them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules at the root of the crate and the layer each is in; `docs/architecture.md` says
/// what the layers are for.
const LAYERS: [(&str, u8); 14] = [
    ("decimal", 0),
    ("error", 0),
    ("limits", 0),
    ("http1", 1),
    ("runtime", 2),
    ("net", 2),
    ("handler", 3),
    ("upstream", 3),
    ("logger", 3),
    ("metrics", 3),
    ("policy", 3),
    ("session", 4),
    ("proxy", 5),
    ("admin", 6),
];

fn layer(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer)
}

#[test]
fn arrows_point_down_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let exports = exports(&fs::read_to_string(root.join("lib.rs")).unwrap());
    let mut wrong = Vec::new();
    for file in rust_files(&root) {
        let path = module_path(file.strip_prefix(&root).unwrap());
        let Some(module) = path.first() else {
            continue; // lib.rs names everything
        };
        let Some(own) = layer(module) else {
            wrong.push(format!("{module} is in no layer"));
            continue;
        };
        let text = code(&fs::read_to_string(&file).unwrap());
        for used in used_from_root(&text, path.len()) {
            let target = exports.get(&used).unwrap_or(&used);
            match layer(target) {
                Some(other) if other <= own => {}
                Some(_) => {
                    wrong.push(format!("{} uses {used}, which is above it", path.join("::")))
                }
                None => {
                    wrong.push(format!("{} uses {used}, which is in no layer", path.join("::")))
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// All files of the crate but those that are only compiled for tests.
fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    let for_tests: Vec<PathBuf> = files.iter().flat_map(|file| test_modules(file)).collect();
    files.retain(|file| !for_tests.iter().any(|test| is_part_of(file, test)));
    files
}

/// Whether `file` is that module, or of a module in it.
fn is_part_of(file: &Path, module: &Path) -> bool {
    file == module || file.starts_with(module.with_extension(""))
}

/// The files that `file` declares with `#[cfg(test)] mod name;`.
fn test_modules(file: &Path) -> Vec<PathBuf> {
    let directory = match file.file_stem().and_then(|stem| stem.to_str()) {
        Some("mod" | "lib") => file.parent().unwrap().to_owned(),
        _ => file.with_extension(""),
    };
    let text = fs::read_to_string(file).unwrap();
    let declared = text.split("#[cfg(test)]").skip(1).filter_map(|rest| {
        let (name, _) = rest.trim_start().strip_prefix("mod ")?.split_once(';')?;
        (!name.contains('{')).then(|| directory.join(format!("{name}.rs")))
    });
    declared.collect()
}

/// `session/queue.rs` is `["session", "queue"]`, and `lib.rs` is nothing.
fn module_path(file: &Path) -> Vec<String> {
    let path = file.with_extension("");
    let names = path.iter().map(|name| name.to_str().unwrap().to_owned());
    names.filter(|name| name != "mod" && name != "lib").collect()
}

/// The text without comments and without the tests, which stand last in a file.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    let lines = text[..end].lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// What a module this deep uses from the root of the crate: `crate::a`, `crate::{a::X, b}`, or
/// the same with as many `super`s as it is deep.
fn used_from_root(text: &str, depth: usize) -> Vec<String> {
    let mut used = Vec::new();
    for root in ["crate::".to_owned(), "super::".repeat(depth)] {
        for (at, _) in text.match_indices(&root) {
            let is_path_start =
                !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == ':' || c == '_');
            let rest = &text[at + root.len()..];
            if is_path_start && !rest.starts_with("super::") {
                used.extend(first_names(rest));
            }
        }
    }
    used
}

/// The first name of a path, or of each path in a group.
fn first_names(path: &str) -> Vec<String> {
    let name = |path: &str| {
        path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let (mut names, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(name(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
        if c == '}' && start == at + 1 {
            break;
        }
    }
    names.retain(|name: &String| !name.is_empty());
    names
}

/// What the crate exports, and the module each thing is from.
fn exports(lib: &str) -> HashMap<String, String> {
    let mut exports = HashMap::new();
    for statement in code(lib).split(';') {
        let Some((module, names)) =
            statement.trim().strip_prefix("pub use ").and_then(|path| path.split_once("::"))
        else {
            continue;
        };
        for name in first_names(names) {
            exports.insert(name, module.to_owned());
        }
    }
    exports
}

#[test]
fn paths_are_found_where_they_hide() {
    let text = code(
        "/// [`crate::proxy`]\nuse crate::{error::Reason, http1::{self, Body}, net};\n\
         fn f(x: crate::limits::Limits) {} // crate::session\n\
         use super::super::runtime::Loop;\nuse super::sibling;\n\
         pub(crate) mod x;\n#[cfg(test)]\nmod tests { use crate::proxy; }",
    );
    assert_eq!(used_from_root(&text, 2), ["error", "http1", "net", "limits", "runtime"]);
    assert_eq!(used_from_root("use super::error::Reason;", 1), ["error"]);
    let exports =
        exports("pub mod http1;\npub use error::{Reason, Side};\npub use limits::Limits;\n");
    assert_eq!(exports.len(), 3);
    assert_eq!(exports["Side"], "error");
}
