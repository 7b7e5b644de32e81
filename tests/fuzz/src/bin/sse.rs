//! The target `sse`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| scorpiox_fuzz::sse::check(input));
