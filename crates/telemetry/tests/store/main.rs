//! What a store keeps, shows, refuses and survives.
#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod damage;
mod durability;
mod equality;
mod faulty;
mod limits;
mod merging;
mod model;
mod records;
mod retention;
mod upkeep;
mod window;

use std::path::Path;

use tocsin_domain::id::TargetId;
use tocsin_domain::signal::{Batch, Sample, metric};
use tocsin_domain::time::Timestamp;
use tocsin_promql::{Limits, Query, Value};
use tocsin_telemetry::{OpenReport, Options, Store};

/// The instant that times of tests are counted from.
const EPOCH_MS: i64 = 1_723_950_720_000;

fn target() -> TargetId {
    "QAAAAAAAAAAAAA".parse().unwrap()
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(EPOCH_MS + ms)
}

fn open(folder: &Path) -> (Store, OpenReport) {
    Store::open(folder, Options::default()).unwrap()
}

/// `apache_parent_up` of the target at an instant.
fn up(ms: i64, value: f64) -> Sample {
    Sample::of(metric::PARENT_UP, target(), &[], at(ms), value)
}

fn samples(samples: impl IntoIterator<Item = Sample>) -> Batch {
    Batch {
        samples: samples.into_iter().collect(),
        ..Batch::default()
    }
}

/// The values of an instant query.
fn values(store: &Store, query: &str, ms: i64) -> Vec<f64> {
    let query = Query::parse(query).unwrap();
    let at_ms = at(ms).as_millis();
    let answer = query.instant(store, at_ms, &Limits::default()).unwrap();
    match answer.value {
        Value::Vector(samples) => samples.into_iter().map(|one| one.value).collect(),
        Value::Scalar(value) => vec![value],
        Value::Text(_) | Value::Matrix(_) => Vec::new(),
    }
}

#[test]
fn what_is_appended_is_seen_by_the_next_query() {
    let folder = tempfile::tempdir().unwrap();
    let (store, report) = open(folder.path());
    assert_eq!(report, OpenReport::default());
    let first = store.append(&samples([up(0, 1.0)]), at(0)).unwrap();
    let second = store.append(&samples([up(1_000, 0.0)]), at(1_000)).unwrap();
    assert!(second > first);
    assert_eq!(values(&store, "apache_parent_up", 500), [1.0]);
    assert_eq!(values(&store, "apache_parent_up == 0", 1_000), [0.0]);
    assert_eq!(
        store
            .sample_times_since(at(0).as_millis())
            .unwrap()
            .collect::<Vec<_>>(),
        [at(0).as_millis(), at(1_000).as_millis()]
    );
}

#[test]
fn a_folder_is_open_once() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    let second = Store::open(folder.path(), Options::default())
        .err()
        .unwrap();
    assert!(second.to_string().contains("in use"), "{second}");
    drop(store);
    open(folder.path());
}
