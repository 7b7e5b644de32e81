//! The target `patch`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| scorpiox_fuzz::patch::check(input));
