//! Whole sessions in memory: arbitrary bytes, pieces and ends from both sides. See
//! `proxy-core/src/session/rehearsal`.

#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| proxy_core::fuzzing::session(script));
