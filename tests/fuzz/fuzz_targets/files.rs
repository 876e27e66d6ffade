#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kubectl_skvs::fuzz::files(data));
