//! The target `arguments`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| scorpiox_fuzz::arguments::check(input));
