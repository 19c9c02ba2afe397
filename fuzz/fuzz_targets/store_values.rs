//! Any values through the coding of columns and back.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(fault) = tocsin_telemetry::properties::values_come_back(bytes) {
        panic!("{fault}");
    }
});
