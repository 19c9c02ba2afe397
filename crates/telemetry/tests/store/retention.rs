//! Sealing by age and size, and what is dropped when.

use tocsin_telemetry::{Maintained, Options, Pin, SealSamples, Store};

use crate::{at, samples, target, up, values};

const HOUR_MS: i64 = 3_600_000;

fn store(folder: &std::path::Path) -> Store {
    let options = Options {
        retention_ms: 24 * 3_600_000,
        ..Options::default()
    };
    Store::open(folder, options).unwrap().0
}

#[test]
fn what_was_logged_two_hours_ago_is_sealed_and_what_is_past_its_time_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    store.append(&samples([up(0, 1.0)]), at(0)).unwrap();
    let early = store.maintain(at(HOUR_MS), &[]).unwrap();
    assert_eq!(early, Maintained::default());
    let due = store.maintain(at(2 * HOUR_MS), &[]).unwrap();
    assert_eq!(due.sealed_samples, 1);
    assert_eq!(store.stats().segments, 0);
    store
        .append(&samples([up(3 * HOUR_MS, 0.0)]), at(3 * HOUR_MS))
        .unwrap();
    let late = store.maintain(at(25 * HOUR_MS), &[]).unwrap();
    assert_eq!((late.sealed_samples, late.dropped_blocks), (1, 1));
    assert_eq!(values(&store, "apache_parent_up", 0), Vec::<f64>::new());
    assert_eq!(values(&store, "apache_parent_up", 3 * HOUR_MS), [0.0]);
    store.maintain(at(100 * HOUR_MS), &[]).unwrap();
    let stats = store.stats();
    assert_eq!((stats.series, stats.samples, stats.blocks), (0, 0, 0));
    // A series that was dropped can come again.
    store
        .append(&samples([up(101 * HOUR_MS, 1.0)]), at(101 * HOUR_MS))
        .unwrap();
    assert_eq!(values(&store, "apache_parent_up", 101 * HOUR_MS), [1.0]);
}

#[test]
fn what_is_pinned_outlives_the_retention() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    store.append(&samples([up(0, 1.0)]), at(0)).unwrap();
    store.seal_now().unwrap();
    let pin = Pin {
        target: target(),
        from: at(-HOUR_MS),
        to: at(HOUR_MS),
    };
    let kept = store.maintain(at(1_000 * HOUR_MS), &[pin]).unwrap();
    assert_eq!(kept.dropped_blocks, 0);
    assert_eq!(values(&store, "apache_parent_up", 0), [1.0]);
    let dropped = store.maintain(at(1_000 * HOUR_MS), &[]).unwrap();
    assert_eq!(dropped.dropped_blocks, 1);
}

#[test]
fn a_log_that_grew_large_is_sealed_before_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        seal_samples: SealSamples {
            min: 100,
            per_series: 0,
            ..SealSamples::default()
        },
        ..Options::default()
    };
    let (store, _) = Store::open(folder.path(), options).unwrap();
    for n in 0..100 {
        store
            .append(&samples([up(n * 250, 1.0)]), at(n * 250))
            .unwrap();
    }
    let done = store.maintain(at(30_000), &[]).unwrap();
    assert_eq!(done.sealed_samples, 100);
    let expected = [100.0];
    let counted = values(&store, "count_over_time(apache_parent_up[1h])", 60_000);
    assert_eq!(counted, expected);
}
