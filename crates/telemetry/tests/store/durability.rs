//! Crashes, damage and full disks.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tocsin_domain::signal::Batch;
use tocsin_domain::write::Write;
use tocsin_telemetry::{Options, Store};

use crate::faulty::FaultyDisk;
use crate::records::{fact, log};
use crate::{at, open, samples, up, values};

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    files.sort();
    files
}

fn batch(number: i64) -> Batch {
    let mut batch = samples([up(number * 250, 1.0), up(number * 250 + 1, 0.5)]);
    batch.facts.push(fact(number * 250));
    batch.logs.push(log(number * 250, 200, "premium"));
    batch
}

fn count(store: &Store) -> Vec<f64> {
    values(store, "count_over_time(apache_parent_up[1h])", 60_000)
}

/// Bytes of a log without the zeros at its end, where these tests' frames have none.
pub(crate) fn written_len(log: &[u8]) -> usize {
    let zeros = log.iter().rev().take_while(|byte| **byte == 0).count();
    log.len() - zeros
}

#[test]
fn a_log_that_is_cut_at_any_byte_keeps_every_append_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    let mut ends = Vec::new();
    for number in 0..3 {
        store.append(&batch(number), at(number * 250)).unwrap();
        let log = files(folder.path(), ".wal").remove(0);
        ends.push(written_len(&fs::read(log).unwrap()) as u64);
    }
    drop(store);
    let log = files(folder.path(), ".wal").remove(0);
    let name = log.file_name().unwrap();
    let bytes = fs::read(&log).unwrap();
    // Behind the last frame are zeros: room for more.
    for cut in (0..=written_len(&bytes)).chain([bytes.len() - 1, bytes.len()]) {
        let copy = tempfile::tempdir().unwrap();
        fs::write(copy.path().join(name), &bytes[..cut]).unwrap();
        let acknowledged = ends.iter().filter(|end| **end <= cut as u64).count();
        let (store, report) = open(copy.path());
        assert_eq!(report.frames, acknowledged, "cut at {cut}");
        assert_eq!(report.set_aside, [], "cut at {cut}");
        // A file that ends with its header, a frame or zeros was not cut in the middle of anything.
        let whole = cut == 5 || ends.contains(&(cut as u64)) || cut > written_len(&bytes);
        assert_eq!(report.torn_tail.is_none(), whole, "cut at {cut}");
        if cut % 16 != 0 {
            continue;
        }
        // What comes next is kept too.
        store.append(&batch(10), at(2_500)).unwrap();
        drop(store);
        let (store, report) = open(copy.path());
        assert_eq!(report.torn_tail, None, "cut at {cut}");
        assert_eq!(count(&store), [2.0 * (acknowledged as f64 + 1.0)]);
    }
}

#[test]
fn a_damaged_file_in_the_middle_is_set_aside_and_its_good_part_kept() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let options = Options {
        disk: Arc::new(disk.clone()),
        ..Options::default()
    };
    let (store, _) = Store::open(folder.path(), options).unwrap();
    for number in 0..3 {
        store.append(&batch(number), at(number * 250)).unwrap();
    }
    // A failed sync begins a new file.
    disk.sync_fails.store(true, Ordering::Relaxed);
    store.append(&batch(3), at(750)).unwrap_err();
    disk.sync_fails.store(false, Ordering::Relaxed);
    store.append(&batch(4), at(1_000)).unwrap();
    drop(store);
    let logs = files(folder.path(), ".wal");
    assert_eq!(logs.len(), 2);
    let mut bytes = fs::read(&logs[0]).unwrap();
    let place = bytes.len() / 2;
    bytes[place] ^= 0x40;
    fs::write(&logs[0], &bytes).unwrap();

    let (store, report) = open(folder.path());
    assert_eq!(report.set_aside.len(), 1, "{report:?}");
    assert_eq!(files(folder.path(), ".corrupt").len(), 1);
    assert_eq!(report.frames, 3, "one before the damage, two behind it");
    assert_eq!(count(&store), [6.0]);
    drop(store);
    let (store, report) = open(folder.path());
    assert_eq!(report.set_aside, []);
    assert_eq!(count(&store), [6.0]);
}

#[test]
fn a_damaged_block_is_set_aside_and_the_rest_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    store.append(&batch(0), at(0)).unwrap();
    store.seal_now().unwrap();
    store.append(&batch(1), at(250)).unwrap();
    drop(store);
    let block = files(folder.path(), ".tcm").remove(0);
    let mut bytes = fs::read(&block).unwrap();
    let place = bytes.len() - 20;
    bytes[place] ^= 1;
    fs::write(&block, bytes).unwrap();
    let (store, report) = open(folder.path());
    assert_eq!(report.set_aside.len(), 1);
    assert_eq!(count(&store), [2.0]);
}

#[test]
fn a_full_disk_is_told_and_what_it_refused_is_seen_and_written_later() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let options = Options {
        disk: Arc::new(disk.clone()),
        ..Options::default()
    };
    let (store, _) = Store::open(folder.path(), options).unwrap();
    store.append(&batch(0), at(0)).unwrap();
    disk.full.store(true, Ordering::Relaxed);
    for number in 1..4 {
        let error = store.append(&batch(number), at(number * 250)).unwrap_err();
        assert!(error.to_string().contains("not on disk"), "{error}");
    }
    assert_eq!(count(&store), [8.0], "monitors go on");
    let stats = store.stats();
    assert_eq!(stats.waiting, 3);
    assert!(stats.degraded.is_some());
    disk.full.store(false, Ordering::Relaxed);
    store.append(&batch(4), at(1_000)).unwrap();
    let stats = store.stats();
    assert_eq!((stats.waiting, stats.degraded), (0, None));
    assert!(stats.last_disk_error.is_some());
    drop(store);
    let (store, _) = open(folder.path());
    assert_eq!(count(&store), [10.0]);
    let facts = store.facts(crate::target(), at(0), at(60_000)).unwrap();
    assert_eq!(facts.len(), 5, "each is there once");
}

#[test]
fn batches_that_wait_too_long_are_given_up_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let mut options = Options {
        disk: Arc::new(disk.clone()),
        ..Options::default()
    };
    options.limits.waiting_bytes_max = 4_000;
    let (store, _) = Store::open(folder.path(), options).unwrap();
    disk.full.store(true, Ordering::Relaxed);
    for number in 0..50 {
        store.append(&batch(number), at(number * 250)).unwrap_err();
    }
    let stats = store.stats();
    assert!(stats.waiting < 50 && stats.never_written > 0, "{stats:?}");
    assert_eq!(stats.waiting as u64 + stats.never_written, 50);
    assert_eq!(count(&store), [100.0]);
}

#[test]
fn what_was_given_up_is_acknowledged_to_who_sends_it_again_only_once_a_block_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let mut options = Options {
        disk: Arc::new(disk.clone()),
        ..Options::default()
    };
    options.limits.waiting_bytes_max = 400;
    let (store, _) = Store::open(folder.path(), options).unwrap();
    let write = |number: i64| {
        let mut write = Write::default();
        write.begin([("__name__".into(), format!("m{number}").into())]);
        for second in 0..20 {
            write.push(at(second * 1_000).as_millis(), number as f64);
        }
        write
    };
    disk.full.store(true, Ordering::Relaxed);
    for number in 0..5 {
        store.write(&write(number), "a", at(20_000)).unwrap_err();
    }
    assert!(store.stats().never_written > 0);
    disk.full.store(false, Ordering::Relaxed);
    store.write(&write(5), "b", at(20_000)).unwrap();
    store.write(&write(0), "a", at(20_000)).unwrap_err();
    assert!(store.is_sealing_due());
    store.maintain(at(21_000), &[]).unwrap();
    assert_eq!(store.write(&write(0), "a", at(20_000)).unwrap().samples, 20);
    assert!(!store.is_sealing_due());
    drop(store);
    let (store, _) = open(folder.path());
    assert_eq!(values(&store, "count_over_time(m0[1h])", 20_000), [20.0]);
}

/// A write of so many series whose labels are as long as is allowed.
fn of_long_labels(first: usize, count: usize, value: &str) -> Write<'_> {
    let mut write = Write::default();
    for number in first..first + count {
        let labels = (0..7).map(|label| (format!("l{label}").into(), value.into()));
        let name = [("__name__".into(), format!("m{number}").into())];
        write.begin(name.into_iter().chain(labels));
        write.push(at(1_000).as_millis(), number as f64);
    }
    write
}

#[test]
fn series_with_long_labels_in_any_number_are_logged_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let value = "x".repeat(2_000);
    let (store, _) = open(folder.path());
    let written = store.write(&of_long_labels(0, 3_000, &value), "a", at(2_000));
    assert_eq!(written.unwrap().samples, 3_000);
    // Known series, in a file that has not named them yet.
    let last = of_long_labels(3_000, 1, &value);
    store.write(&last, "a", at(2_000)).unwrap();
    drop(store);
    let (store, report) = open(folder.path());
    assert_eq!(report.set_aside, []);
    assert_eq!(report.samples, 3_001);
    assert_eq!(values(&store, "count({l0=~\".+\"})", 2_000), [3_001.0]);
}

#[test]
fn a_disk_that_refuses_for_long_costs_log_lines_then_facts_but_no_sample_and_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let mut options = Options {
        disk: Arc::new(disk.clone()),
        ..Options::default()
    };
    options.limits.unwritten_record_bytes_max = 20_000;
    let (store, _) = Store::open(folder.path(), options).unwrap();
    disk.full.store(true, Ordering::Relaxed);
    for number in 0..1_000 {
        let mut logged = batch(number);
        logged.logs = vec![log(number * 250, 200, "premium"); 20];
        store.append(&logged, at(number * 250)).unwrap_err();
    }
    let kept = |store: &Store| {
        let mut lines = 0;
        let facts = store.facts(crate::target(), at(0), at(250_000)).unwrap();
        store
            .each_log(crate::target(), at(0), at(250_000), &mut |_| {
                lines += 1;
                true
            })
            .unwrap();
        (lines, facts.len() as u64)
    };
    let stats = store.stats();
    let (lines, facts) = kept(&store);
    assert!(lines > 0 && lines < 500, "{lines}");
    assert!(facts > 0 && facts < 500, "{facts}");
    assert_eq!(lines + stats.dropped_logs, 20_000);
    assert_eq!(facts + stats.dropped_facts, 1_000);
    assert_eq!(stats.samples, 2_000);

    disk.full.store(false, Ordering::Relaxed);
    store.append(&batch(1_000), at(250_000)).unwrap();
    assert_eq!(store.stats().degraded, None);
    store.seal_now().unwrap();
    drop(store);
    let (store, _) = open(folder.path());
    assert_eq!(store.stats().samples, 2_002);
}

#[test]
fn a_block_that_cannot_be_written_is_written_by_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let options = Options {
        disk: Arc::new(disk.clone()),
        ..Options::default()
    };
    let (store, _) = Store::open(folder.path(), options).unwrap();
    store.append(&batch(0), at(0)).unwrap();
    disk.full.store(true, Ordering::Relaxed);
    store.seal_now().unwrap_err();
    assert_eq!(count(&store), [2.0]);
    assert!(store.stats().degraded.is_some());
    disk.full.store(false, Ordering::Relaxed);
    store.append(&batch(1), at(250)).unwrap();
    store.seal_now().unwrap();
    let stats = store.stats();
    assert_eq!((stats.sample_blocks, stats.degraded), (1, None));
    assert_eq!(
        stats.samples_in_head, 2,
        "what came meanwhile waits for the next block"
    );
    assert_eq!(count(&store), [4.0]);
    drop(store);
    let (store, _) = open(folder.path());
    assert_eq!(count(&store), [4.0]);
}
