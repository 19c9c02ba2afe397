//! Measures how fast one core reads remote write 1.0; it knows no network and no store.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measurement takes the time and prints it"
)]

use std::hint::black_box;
use std::time::Instant;

use tocsin_domain::write::{LabelPair, Write};
use tocsin_wire::prometheus::{remote_write::v1, snappy};

/// Series in the request, with one sample each.
const SERIES: usize = 1_000;
/// Samples read in one round, and rounds, of which the fastest and the middle one are told.
const SAMPLES: usize = 2_000_000;
const ROUNDS: usize = 9;

fn main() {
    let request = v1::encode(&write());
    let Ok(block) = snappy::compress(&request) else {
        return;
    };
    println!(
        "{SERIES} series of one sample: {} bytes, {} compressed",
        request.len(),
        block.len()
    );
    measure("parse", || {
        v1::parse(black_box(&request)).map_or(0, |write| black_box(write).points.len())
    });
    let mut plain = Vec::new();
    measure("decompress and parse", || {
        if snappy::decompress(black_box(&block), 1 << 24, &mut plain).is_err() {
            return 0;
        }
        v1::parse(&plain).map_or(0, |write| black_box(write).points.len())
    });
}

fn measure(what: &str, mut read: impl FnMut() -> usize) {
    let mut per_second: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            let mut samples = 0;
            while samples < SAMPLES {
                samples += read().max(1);
            }
            samples as f64 / begun.elapsed().as_secs_f64() / 1e6
        })
        .collect();
    per_second.sort_by(f64::total_cmp);
    println!(
        "{what}: {:.1} million samples/s (fastest {:.1})",
        per_second[ROUNDS / 2],
        per_second[ROUNDS - 1]
    );
}

fn write() -> Write<'static> {
    let mut write = Write::default();
    for number in 0..SERIES {
        let labels: [LabelPair<'static>; 5] = [
            ("__name__".into(), "bench_requests_total".into()),
            ("env".into(), "prod".into()),
            (
                "instance".into(),
                format!("web-{:04}:9117", number / 100).into(),
            ),
            ("job".into(), "apache".into()),
            ("path".into(), format!("/p{:02}", number % 100).into()),
        ];
        write.begin(labels);
        write.push(1_700_000_000_123, number as f64);
    }
    write
}
