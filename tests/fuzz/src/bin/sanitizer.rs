//! The target `sanitizer`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| scorpiox_fuzz::sanitizer::check(input));
