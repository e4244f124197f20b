//! The seeds of the fuzzers in `fuzz/`, those that once were findings among them, without a
//! fuzzer. Those of sessions are played in `src/session/rehearsal/tests.rs`, and
//! those of credentials beside what reads them.

#[path = "support/canonical.rs"]
mod canonical;
#[path = "../fuzz/checks/chunked.rs"]
mod chunked;
#[path = "../fuzz/checks/field_lists.rs"]
mod field_lists;
#[path = "../fuzz/checks/lists.rs"]
mod lists;
#[path = "../fuzz/checks/log_lines.rs"]
mod log_lines;
#[path = "../fuzz/checks/request_head.rs"]
mod request_head;
#[path = "../fuzz/checks/response_head.rs"]
mod response_head;
#[path = "../fuzz/checks/target.rs"]
mod target;
#[cfg(feature = "htpasswd")]
#[path = "../fuzz/checks/user_files.rs"]
mod user_files;

use std::fs;
use std::path::Path;

#[test]
fn the_seeds_of_the_fuzzers_still_pass() {
    type Check = (&'static str, fn(&[u8]));
    let checks: &[Check] = &[
        ("chunked", chunked::check),
        ("field_lists", field_lists::check),
        ("lists", lists::check),
        ("log_lines", log_lines::check),
        ("request_head", request_head::check),
        ("response_head", response_head::check),
        ("target", target::check),
        #[cfg(feature = "htpasswd")]
        ("user_files", user_files::check),
    ];
    for (target, check) in checks {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
        let seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()).collect();
        assert!(seeds.len() >= 4, "{target} has too few seeds");
        for seed in seeds {
            println!("{}", seed.path().display()); // is shown if the check fails
            check(&fs::read(seed.path()).unwrap());
        }
    }
}
