//! Any bytes as requests of remote write 1.0; what has to hold is said where the tests say it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(fault) = tocsin_wire::prometheus::properties::remote_write_v1(bytes) {
        panic!("{fault}");
    }
});
