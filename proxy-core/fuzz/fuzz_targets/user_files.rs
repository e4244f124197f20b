#![no_main]

#[path = "../checks/user_files.rs"]
mod user_files;

libfuzzer_sys::fuzz_target!(|input: &[u8]| user_files::check(input));
