//! Sealing and merging by several threads, and what counts when two blocks have a sample at one instant.

use std::borrow::Cow;

use tocsin_domain::write::Write;
use tocsin_promql::Matcher;
use tocsin_telemetry::Store;

use crate::{EPOCH_MS, at, open};

fn write(store: &Store, points: &[(i64, f64)]) {
    let mut write = Write::default();
    write.begin([(Cow::Borrowed("__name__"), Cow::Borrowed("m"))]);
    for (ms, value) in points {
        write.push(EPOCH_MS + ms, *value);
    }
    store.write(&write, "test", at(10_000)).unwrap();
}

fn stored(store: &Store) -> Vec<(i64, f64)> {
    let all = store
        .samples(&[Matcher::equal("__name__", "m")], at(-1), at(1_000_000))
        .unwrap();
    let points = all.into_iter().flat_map(|(_, points)| points);
    points.map(|(ms, value)| (ms - EPOCH_MS, value)).collect()
}

#[test]
fn a_merge_does_not_change_which_of_two_values_counts() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    for points in [
        &[(0, 1.0), (1_000, 1.0)][..],
        &[(500, 1.0)],
        &[(600, 1.0)],
        &[(700, 1.0)],
    ] {
        write(&store, points);
        store.seal_now().unwrap();
    }
    drop(store);
    let (store, _) = open(folder.path());
    // The sample at 1,000 is in a block alone by now: that another one stands there is found when they are read.
    write(&store, &[(1_000, 9.0)]);
    store.seal_now().unwrap();
    let before = stored(&store);
    assert_eq!(before.last(), Some(&(1_000, 1.0)));
    assert_eq!(store.maintain(at(10_000), &[]).unwrap().merged_blocks, 4);
    assert_eq!(stored(&store), before);
    drop(store);
    let (store, _) = open(folder.path());
    assert_eq!(stored(&store), before);
}

#[test]
fn threads_that_seal_and_merge_at_once_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..400 {
                write(&store, &[(n, f64::from(u32::try_from(n).unwrap()))]);
            }
        });
        for n in 0..2 {
            let store = &store;
            scope.spawn(move || {
                for _ in 0..40 {
                    store.seal_now().unwrap();
                    if n == 1 {
                        store.compact_now().unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(stored(&store).len(), 400);
    assert_eq!(store.stats().samples, 400);
}
