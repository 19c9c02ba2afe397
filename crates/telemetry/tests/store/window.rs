//! What a file of another store brings in, and what of it does not.

use std::fs;
use std::path::{Path, PathBuf};

use tocsin_domain::write::Write;
use tocsin_promql::{Ask, Matcher};
use tocsin_telemetry::{MaintainError, Options, Refused, Store};

use crate::{EPOCH_MS, at, open};

const YEAR_MS: i64 = 365 * 86_400_000;

/// Writes samples of `m` with a label.
fn write(store: &Store, host: &str, points: &[(i64, f64)], now_ms: i64) -> Refused {
    let mut write = Write::default();
    write.begin([
        ("__name__".into(), "m".into()),
        ("host".into(), host.to_owned().into()),
    ]);
    for (ms, value) in points {
        write.push(at(*ms).as_millis(), *value);
    }
    store.write(&write, "test", at(now_ms)).unwrap().refused
}

/// Samples of all series, by their label and time.
fn stored(store: &Store) -> Vec<(String, i64, f64)> {
    let matchers = [Matcher::equal("__name__", "m")];
    let all = store.samples(&matchers, at(-1_000), at(2 * YEAR_MS));
    let all = all.unwrap().into_iter();
    let points = all.flat_map(|(labels, points)| {
        let points = points.into_iter();
        points.map(move |(ms, value)| (labels["host"].clone(), ms - EPOCH_MS, value))
    });
    points.collect()
}

fn export(store: &Store, file: &Path) {
    let ask = Ask {
        sets: &[],
        from_ms: at(-1_000).as_millis(),
        to_ms: at(2 * YEAR_MS).as_millis(),
    };
    store.export_series(&ask, file).unwrap();
}

/// A merged block of another store, which names blocks and frames of that.
fn foreign_block(folder: &Path) -> PathBuf {
    let (store, _) = open(folder);
    for n in 0..4 {
        write(&store, "other", &[(n, 7.0)], 1_000);
        store.seal_now().unwrap();
    }
    store.compact_now().unwrap();
    let names = fs::read_dir(folder).unwrap();
    let mut paths = names.map(|entry| entry.unwrap().path());
    paths
        .find(|path| path.extension().is_some_and(|end| end == "tcm"))
        .unwrap()
}

#[test]
fn what_a_block_of_another_store_says_of_that_store_removes_and_skips_nothing_here() {
    let other = tempfile::tempdir().unwrap();
    let file = foreign_block(other.path());
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    for n in 0..2 {
        write(&store, "own", &[(n, 1.0)], 1_000);
        store.seal_now().unwrap();
    }
    let imported = store.import_window(&file, at(1_000)).unwrap();
    let taken = imported.taken;
    assert_eq!((taken.series, taken.samples), (1, 4));
    assert_eq!(taken.span_ms, Some((EPOCH_MS, EPOCH_MS + 3)));
    assert_eq!(imported.refused, Refused::default());
    // It is in the log alone when the store is opened again.
    write(&store, "own", &[(500, 1.0)], 1_000);
    let before = stored(&store);
    assert_eq!(before.len(), 7);
    drop(store);
    let (store, report) = open(folder.path());
    assert_eq!((report.blocks, report.samples), (3, 1));
    assert_eq!(stored(&store), before);
}

#[test]
fn samples_far_ahead_and_series_beyond_the_limits_are_refused_and_counted() {
    let other = tempfile::tempdir().unwrap();
    let (store, _) = open(other.path());
    write(&store, "a", &[(0, 1.0)], 0);
    write(&store, "a", &[(YEAR_MS, 2.0)], YEAR_MS);
    write(&store, &"x".repeat(200), &[(0, 1.0)], 0);
    write(&store, "c", &[(0, 1.0), (1, 1.0)], 0);
    write(&store, "d", &[(0, 1.0)], 0);
    let file = other.path().join("window");
    export(&store, &file);
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.limits.label_value_bytes_max = 100;
    options.limits.series_max = 2;
    let (store, _) = Store::open(folder.path(), options).unwrap();
    let imported = store.import_window(&file, at(1_000)).unwrap();
    let expected = Refused {
        too_early: 1,
        labels: 1,
        series_limit: 1,
        ..Refused::default()
    };
    assert_eq!((imported.taken.series, imported.taken.samples), (2, 3));
    assert_eq!(imported.refused, expected);
    // What is written now is not late.
    let refused = write(&store, "a", &[(2_000, 3.0)], 2_000);
    assert_eq!(refused, Refused::default());
}

#[test]
fn the_stores_own_sample_stays_and_what_was_imported_between_its_newest_is_seen_at_once() {
    let other = tempfile::tempdir().unwrap();
    let (store, _) = open(other.path());
    write(&store, "a", &[(0, 9.0), (500, 5.0), (1_000, 9.0)], 1_000);
    let file = other.path().join("window");
    export(&store, &file);
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    write(&store, "a", &[(0, 1.0), (1_000, 1.0), (2_000, 1.0)], 2_000);
    store.import_window(&file, at(2_000)).unwrap();
    let expected = [(0, 1.0), (500, 5.0), (1_000, 1.0), (2_000, 1.0)];
    let expected = expected.map(|(ms, value)| ("a".to_owned(), ms, value));
    assert_eq!(stored(&store), expected);
    drop(store);
    let (store, _) = open(folder.path());
    store.compact_now().unwrap();
    assert_eq!(stored(&store), expected);
}

#[test]
fn a_damaged_window_is_refused_whole() {
    let other = tempfile::tempdir().unwrap();
    let file = foreign_block(other.path());
    let mut bytes = fs::read(&file).unwrap();
    let place = 6 + usize::from(bytes[5]);
    bytes[place] ^= 0xff;
    fs::write(&file, bytes).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    let told = store.import_window(&file, at(1_000)).err().unwrap();
    assert!(matches!(told, MaintainError::Window { .. }), "{told}");
    assert!(told.to_string().contains("checksum"), "{told}");
    assert_eq!(store.stats().blocks, 0);
}
