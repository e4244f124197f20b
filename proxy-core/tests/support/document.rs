//! [`expect_part`]: a part of a document that is made from the code.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// A document of the repository. `None` in the package, which has no `docs`.
pub fn document(name: &str) -> Option<PathBuf> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    docs.exists().then(|| docs.join(name))
}

/// The part of a document between two lines is what it is `expected` to be: what `source` says. With
/// `BLESS=1` it is written anew where it is not.
#[track_caller]
pub fn expect_part(name: &str, [begin, end]: [&str; 2], expected: &str, source: &str) {
    let Some(path) = document(name) else { return };
    // Git may have been told to check texts out with CR LF.
    let document = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let (before, rest) = document.split_once(begin).expect("the part has its begin");
    let (found, after) = rest.split_once(end).expect("the part has its end");
    if found == expected {
        return;
    }
    if env::var_os("BLESS").is_some() {
        fs::write(&path, [before, begin, expected, end, after].concat()).unwrap();
        return;
    }
    let stale = expected.lines().find(|line| !found.lines().any(|other| other == *line));
    panic!(
        "docs/{name} is not what {source} says, for example of\n{}\n\
         Set BLESS=1 for this test to write it anew.",
        stale.unwrap_or("a line that is too many")
    );
}
