#![no_main]

#[path = "../../tests/support/canonical.rs"]
mod canonical;
#[path = "../checks/chunked.rs"]
mod chunked;

libfuzzer_sys::fuzz_target!(|input: &[u8]| chunked::check(input));
