//! Any bytes as files of the store and as parts of them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    tocsin_telemetry::properties::any_bytes_are_read_or_refused(bytes);
});
