//! Values of `Authorization` and `Proxy-Authorization`: see `rehearse` in
//! `proxy-core/src/policy/users/credentials.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|value: &[u8]| proxy_core::fuzzing::credentials(value));
