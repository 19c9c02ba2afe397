//! One damaged byte, anywhere in any file: the store opens, tells what it set aside, and other series still answer.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tocsin_domain::write::Write;
use tocsin_promql::Matcher;
use tocsin_telemetry::{OpenError, OpenReport, Options, Store};

use crate::at;
use crate::durability::written_len;

/// The version of a file's layout stands there; a larger one means that a newer Tocsin wrote it, which is never set aside.
const VERSION_AT: usize = 4;
const NOW_MS: i64 = 1_000_000;
const SAMPLES: i64 = 40;

/// Samples as their time and bits.
type Points = Vec<(i64, u64)>;

/// Where a series lies: in one of two blocks, or in the log alone.
const PLACES: [&str; 3] = ["first", "second", "log"];

fn write(place: &str, number: u64) -> Write<'_> {
    let mut write = Write::default();
    for series in ["x", "y"] {
        write.begin([
            ("__name__".into(), "kept".into()),
            ("place".into(), place.into()),
            ("series".into(), series.into()),
        ]);
        for n in 0..SAMPLES {
            let bits = (n.unsigned_abs() + number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            write.push(at(n * 1_000).as_millis(), f64::from_bits(bits >> 2));
        }
    }
    write
}

/// A folder with two blocks and a log.
fn fill(folder: &Path) {
    let (store, _) = Store::open(folder, Options::default()).unwrap();
    for (number, place) in PLACES.iter().enumerate() {
        let write = write(place, number as u64);
        store.write(&write, place, at(NOW_MS)).unwrap();
        if *place != "log" {
            store.seal_now().unwrap();
        }
    }
}

fn read(store: &Store, place: &str) -> Result<BTreeMap<String, Points>, String> {
    let matchers = [
        Matcher::equal("__name__", "kept"),
        Matcher::equal("place", place),
    ];
    let all = store.samples(&matchers, at(0), at(NOW_MS));
    let all = all.map_err(|error| error.to_string())?.into_iter();
    Ok(all
        .map(|(labels, points)| {
            let points = points.iter().map(|(time, value)| (*time, value.to_bits()));
            (labels["series"].clone(), points.collect())
        })
        .collect())
}

fn expected(place: &str, number: u64) -> BTreeMap<String, Points> {
    let write = write(place, number);
    let series = write.series.iter().map(|series| {
        let points = write.points_of(series).iter();
        let points = points.map(|point| (point.at_ms, point.value.to_bits()));
        (write.labels_of(series)[2].1.to_string(), points.collect())
    });
    series.collect()
}

/// Opens a copy of `folder` in which one byte of one file is another.
fn open_damaged(
    folder: &Path,
    copy: &Path,
    name: &str,
    place: usize,
    mask: u8,
) -> Result<(Store, OpenReport), OpenError> {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let mut bytes = fs::read(entry.path()).unwrap();
        if entry.file_name() == name {
            bytes[place] ^= mask;
        }
        fs::write(copy.join(entry.file_name()), bytes).unwrap();
    }
    Store::open(copy, Options::default())
}

/// What must hold with one byte of `name` damaged, whose series are those of `hit`.
fn check(folder: &Path, name: &str, hit: &str, place: usize, mask: u8) {
    let copy = tempfile::tempdir().unwrap();
    let case = format!("byte {place} of {name} under {mask:#x}");
    let opened = open_damaged(folder, copy.path(), name, place, mask);
    if place == VERSION_AT && matches!(opened, Err(OpenError::Newer { .. })) {
        return;
    }
    let (store, report) = match opened {
        Ok(opened) => opened,
        Err(error) => panic!("{case}: the store does not open: {error}"),
    };
    let mut told = !report.set_aside.is_empty() || report.torn_tail.is_some();
    for (number, place) in PLACES.iter().enumerate() {
        let expected = expected(place, number as u64);
        let found = read(&store, place);
        if *place != hit {
            assert_eq!(found.as_ref(), Ok(&expected), "{case}: series of {place}");
            continue;
        }
        match found {
            // A whole write stands or falls with its checksum; nothing else than what was written is ever seen.
            Ok(found) => {
                let is_right = |(series, points)| expected.get(series) == Some(points);
                assert!(found.iter().all(is_right), "{case}: {found:?}");
                told |= found.len() == expected.len();
            }
            Err(_) => told = true,
        }
    }
    assert!(told, "{case}: samples are gone, and nothing says so");
    // It goes on: what is written now is kept, also when what is damaged is in the way of merging.
    store
        .write(&write("after", 7), "after", at(NOW_MS))
        .unwrap();
    store.seal_now().unwrap();
    let _ = store.compact_now();
    drop(store);
    let (store, _) = Store::open(copy.path(), Options::default()).unwrap();
    assert_eq!(read(&store, "after"), Ok(expected("after", 7)), "{case}");
}

/// All bytes where a file begins and ends, and some between.
fn places(len: usize) -> impl Iterator<Item = usize> {
    (0..len).filter(move |place| *place < 8 || place + 20 > len || place % 29 == 0)
}

#[test]
fn a_damaged_byte_costs_what_stands_there_and_never_the_store() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let names = fs::read_dir(folder.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "lock").collect();
    names.sort();
    // The log comes first by its name, then the blocks in the order they were written.
    let hits = ["log", "first", "second"];
    assert_eq!(
        names.len(),
        hits.len(),
        "other files than expected: {names:?}"
    );
    for (name, hit) in names.iter().zip(hits) {
        let len = written_len(&fs::read(folder.path().join(name)).unwrap());
        for place in places(len) {
            let mask = [0x01, 0x80, 0xff][place % 3];
            check(folder.path(), name, hit, place, mask);
        }
    }
}
