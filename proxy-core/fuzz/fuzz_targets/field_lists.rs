#![no_main]

#[path = "../../tests/support/canonical.rs"]
mod canonical;
#[path = "../checks/field_lists.rs"]
mod field_lists;

libfuzzer_sys::fuzz_target!(|input: &[u8]| field_lists::check(input));
