#![no_main]

#[path = "../../tests/support/canonical.rs"]
mod canonical;
#[path = "../checks/request_head.rs"]
mod request_head;

libfuzzer_sys::fuzz_target!(|input: &[u8]| request_head::check(input));
