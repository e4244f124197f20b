#![no_main]

#[path = "../checks/log_lines.rs"]
mod log_lines;

libfuzzer_sys::fuzz_target!(|input: &[u8]| log_lines::check(input));
