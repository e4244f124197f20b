#![no_main]

#[path = "../../tests/support/canonical.rs"]
mod canonical;
#[path = "../checks/response_head.rs"]
mod response_head;

libfuzzer_sys::fuzz_target!(|input: &[u8]| response_head::check(input));
