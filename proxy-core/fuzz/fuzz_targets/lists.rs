#![no_main]

#[path = "../checks/lists.rs"]
mod lists;

libfuzzer_sys::fuzz_target!(|input: &[u8]| lists::check(input));
