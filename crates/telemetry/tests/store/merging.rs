//! What stands in the way of merging and removing, and what goes on none the less.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tocsin_domain::write::Write;
use tocsin_telemetry::{
    Disk, Draft, LogFile, MaintainError, Options, RealDisk, SealSamples, Store,
};

use crate::{at, values};

const HOUR_MS: i64 = 3_600_000;

/// What is done when a draft is begun.
type Meanwhile = Box<dyn FnOnce() + Send>;

/// The real disk, but some files cannot be removed, and something may happen when the next draft is begun.
#[derive(Clone, Default)]
struct StubbornDisk {
    stuck: Arc<Mutex<BTreeSet<String>>>,
    meanwhile: Arc<Mutex<Option<Meanwhile>>>,
}

impl StubbornDisk {
    fn stick(&self, names: &[&str]) {
        let names = names.iter().map(|name| (*name).to_owned());
        *self.stuck.lock().unwrap() = names.collect();
    }

    fn store(&self, folder: &Path, seal_min: u64) -> Store {
        let options = Options {
            retention_ms: 24 * 3_600_000,
            seal_samples: SealSamples {
                min: seal_min,
                per_series: 0,
                ..SealSamples::default()
            },
            disk: Arc::new(self.clone()),
            ..Options::default()
        };
        Store::open(folder, options).unwrap().0
    }
}

impl Disk for StubbornDisk {
    fn create_log(&self, path: &Path) -> io::Result<Box<dyn LogFile>> {
        RealDisk.create_log(path)
    }

    fn extend_log(&self, path: &Path, len: u64) -> io::Result<Box<dyn LogFile>> {
        RealDisk.extend_log(path, len)
    }

    fn write_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        RealDisk.write_whole(path, bytes)
    }

    fn draft(&self, path: &Path) -> io::Result<Box<dyn Draft>> {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        RealDisk.draft(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if self.stuck.lock().unwrap().contains(&name) {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied));
        }
        RealDisk.remove(path)
    }
}

/// Writes one sample of `m`.
fn write(store: &Store, ms: i64) {
    let mut write = Write::default();
    write.begin([("__name__".into(), "m".into())]);
    write.push(at(ms).as_millis(), 1.0);
    store.write(&write, "test", at(ms)).unwrap();
}

/// One block with a sample for each of these instants.
fn seal_each(store: &Store, instants: impl IntoIterator<Item = i64>) {
    for ms in instants {
        write(store, ms);
        store.seal_now().unwrap();
    }
}

fn files(folder: &Path, start: &str) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(start)).collect();
    names.sort();
    names
}

/// Changes a byte of the first page of a file.
fn damage(path: &Path) {
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.unwrap();
    let head = fs::read(path).unwrap();
    // Behind the mark, the version and pco's header.
    let place = 6 + u64::from(head[5]);
    let byte = head[usize::try_from(place).unwrap()] ^ 0xff;
    file.write_all_at(&[byte], place).unwrap();
}

#[test]
fn a_damaged_block_is_told_once_and_keeps_nothing_else_from_being_merged_or_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let disk = StubbornDisk::default();
    let store = disk.store(folder.path(), 1_000);
    seal_each(&store, [0]);
    // What is below is of other blocks, and of another series than what is too old by then.
    seal_each(&store, (0..3).map(|n| 24 * HOUR_MS + n * 1_000));
    let path = folder.path().join("samples-0000000003.tcm");
    damage(&path);
    seal_each(&store, [24 * HOUR_MS + 3_000]);
    let now = at(25 * HOUR_MS);
    let told = store.maintain(now, &[]).err().unwrap();
    let is_it = matches!(&told, MaintainError::Unmergeable { path: of, .. } if *of == path);
    assert!(is_it, "{told}");
    assert!(told.to_string().contains("checksum"), "{told}");
    // The oldest block is past its time: it is gone in the same step.
    assert_eq!(files(folder.path(), "samples-").len(), 4);
    let again = store.maintain(now, &[]).unwrap();
    assert_eq!(again.merged_blocks, 0);
    seal_each(&store, (0..3).map(|n| 25 * HOUR_MS + n * 1_000));
    let merged = store.maintain(at(25 * HOUR_MS + 3_000), &[]).unwrap();
    assert_eq!(merged.merged_blocks, 4);
    assert_eq!(files(folder.path(), "samples-").len(), 4);
    assert_eq!(values(&store, "m", 25 * HOUR_MS + 2_000), [1.0]);
    // Once its time is over it goes as others do.
    store.maintain(at(60 * HOUR_MS), &[]).unwrap();
    let stats = store.stats();
    assert_eq!((stats.blocks, stats.series), (0, 0));
}

#[test]
fn compacting_merges_what_is_on_either_side_of_a_damaged_block_and_tells_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = StubbornDisk::default().store(folder.path(), 1_000);
    seal_each(&store, 0..5);
    damage(&folder.path().join("samples-0000000003.tcm"));
    let told = store.compact_now().err().unwrap();
    assert!(told.to_string().contains("samples-0000000003.tcm"));
    assert_eq!(store.stats().sample_blocks, 3);
}

#[test]
fn what_becomes_due_while_blocks_are_merged_is_sealed_before_the_merge_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let disk = StubbornDisk::default();
    let store = Arc::new(disk.store(folder.path(), 10));
    seal_each(&store, 0..4);
    let writer = Arc::downgrade(&store);
    *disk.meanwhile.lock().unwrap() = Some(Box::new(move || {
        let store = writer.upgrade().unwrap();
        (10..20).for_each(|ms| write(&store, ms));
    }));
    let done = store.maintain(at(1_000), &[]).unwrap();
    assert_eq!((done.merged_blocks, done.sealed_samples), (4, 10));
    let stats = store.stats();
    assert_eq!((stats.samples, stats.samples_in_head), (14, 0));
}

#[test]
fn files_of_the_log_that_cannot_be_removed_are_tried_again_and_the_others_go() {
    let folder = tempfile::tempdir().unwrap();
    let disk = StubbornDisk::default();
    let store = disk.store(folder.path(), 1_000);
    disk.stick(&["log-0000000001.wal", "log-0000000002.wal"]);
    for ms in 0..2 {
        write(&store, ms);
        assert!(store.seal_now().is_err());
    }
    let before = files(folder.path(), "log-");
    assert_eq!(before, ["log-0000000001.wal", "log-0000000002.wal"]);
    disk.stick(&[&before[0]]);
    write(&store, 10);
    let told = store.maintain(at(3 * HOUR_MS), &[]).err().unwrap();
    assert!(matches!(told, MaintainError::Remove { .. }), "{told}");
    assert_eq!(files(folder.path(), "log-"), before[..1]);
    // Each step tries again, and what came meanwhile is not sealed before its time.
    write(&store, 3 * HOUR_MS);
    let told = store.maintain(at(3 * HOUR_MS), &[]).err().unwrap();
    assert!(told.to_string().contains(&before[0]), "{told}");
    disk.stick(&[]);
    store.maintain(at(3 * HOUR_MS), &[]).unwrap();
    assert_eq!(files(folder.path(), "log-"), ["log-0000000004.wal"]);
    let stats = store.stats();
    assert_eq!((stats.samples, stats.samples_in_head), (4, 1));
}

#[test]
fn a_merged_block_that_could_not_be_removed_does_not_come_back_after_a_second_merge() {
    let folder = tempfile::tempdir().unwrap();
    let disk = StubbornDisk::default();
    let store = disk.store(folder.path(), 1_000);
    let stuck = "samples-0000000002.tcm";
    seal_each(&store, 0..4);
    disk.stick(&[stuck]);
    for _ in 0..2 {
        // A stuck file is told, and does not keep blocks from being merged.
        let told = store.compact_now().err().unwrap();
        assert!(told.to_string().contains(stuck), "{told}");
        write(&store, 10);
        let _ = store.seal_now();
        let _ = store.compact_now();
    }
    assert_eq!(store.stats().sample_blocks, 1);
    let samples = store.stats().samples;
    drop(store);
    let store = disk.store(folder.path(), 1_000);
    assert_eq!(store.stats().samples, samples);
    // The block that names it stays until it is gone: without it, what it holds would count again.
    let told = store.maintain(at(60 * HOUR_MS), &[]).err().unwrap();
    assert!(told.to_string().contains(stuck), "{told}");
    assert_eq!(files(folder.path(), "samples-").len(), 2);
    disk.stick(&[]);
    store.maintain(at(60 * HOUR_MS), &[]).unwrap();
    assert_eq!(files(folder.path(), "samples-"), Vec::<String>::new());
}
