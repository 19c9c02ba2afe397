//! Any bytes as Prometheus' text; what has to hold is said where the tests say it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(fault) = tocsin_wire::prometheus::properties::exposition_text(bytes) {
        panic!("{fault}");
    }
});
