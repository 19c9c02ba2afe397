//! A disk that fills up, on a small file system of its own; needs the right to mount one.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tocsin_journal::{Journal, JournalError, RESERVE_BYTES};

use crate::given::{directory, everything, input, opened};

/// A tmpfs that goes away with the test.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// None where mounting is not allowed.
    fn mounted(bytes: u64) -> Option<Self> {
        let path = directory();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tocsin-test"])
            .arg(path.path())
            .output();
        match status {
            Ok(output) if output.status.success() => Some(Self(path)),
            Ok(_) | Err(_) => None,
        }
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// Takes every free byte.
    fn fill(&self) -> PathBuf {
        let ballast = self.0.path().join("ballast");
        let mut file = File::create(&ballast).unwrap();
        let block = [0_u8; 64 * 1024];
        while file.write_all(&block).is_ok() {}
        while file.write_all(&[0]).is_ok() {}
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// Appends until the journal refuses; returns how many events it has and the refusal.
fn append_until_refused(journal: &mut Journal, from: u64) -> (u64, JournalError) {
    let text = "x".repeat(500_000);
    for position in from.. {
        if let Err(refusal) = journal.append(&[input(position, &text)], &[]) {
            return (position - 1, refusal);
        }
        assert!(position < from + 1_000, "the disk never fills up");
    }
    unreachable!("positions do not end")
}

fn free(path: &Path) {
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_full_disk_costs_the_reserve_first_then_says_so_and_loses_nothing() {
    let Some(disk) = SmallDisk::mounted(RESERVE_BYTES * 5 / 2) else {
        let mut stderr = std::io::stderr();
        writeln!(stderr, "skipped: a small disk can be mounted by root alone").unwrap();
        return;
    };
    let (lock, mut journal) = opened(&disk.data());
    assert!(journal.disk_state().reserve_held);
    journal
        .append(&[input(1, "while there is room")], &[])
        .unwrap();

    let ballast = disk.fill();
    let (count, refusal) = append_until_refused(&mut journal, 2);
    assert!(
        matches!(refusal, JournalError::DiskFull { .. }),
        "{refusal}"
    );
    assert!(refusal.to_string().contains("free space"), "{refusal}");
    assert!(count > 5, "the reserve carried only {count} events");
    assert!(!journal.disk_state().reserve_held);
    assert!(
        !journal.reader().restore_reserve(),
        "there is no room for it"
    );
    assert_eq!(journal.last_position().unwrap(), count);
    assert_eq!(everything(&journal).len() as u64, count, "reading goes on");

    // A server that starts on the full disk still has everything.
    drop((journal, lock));
    free(&ballast);
    let (_lock, mut journal) = opened(&disk.data());
    assert_eq!(journal.last_position().unwrap(), count);
    journal
        .append(&[input(count + 1, "there is room again")], &[])
        .unwrap();
    assert!(everything(&journal).len() as u64 == count + 1);
}

#[test]
fn the_reserve_comes_back_when_there_is_room() {
    let Some(disk) = SmallDisk::mounted(RESERVE_BYTES * 4) else {
        return;
    };
    let (_lock, mut journal) = opened(&disk.data());
    let ballast = disk.fill();
    let (count, _) = append_until_refused(&mut journal, 1);
    free(&ballast);
    let (count, refusal) = {
        journal.append(&[input(count + 1, "room")], &[]).unwrap();
        assert!(journal.disk_state().reserve_held);
        let ballast = disk.fill();
        let end = append_until_refused(&mut journal, count + 2);
        free(&ballast);
        end
    };
    assert!(
        matches!(refusal, JournalError::DiskFull { .. }),
        "{refusal}"
    );
    journal.append(&[input(count + 1, "room")], &[]).unwrap();
    assert_eq!(everything(&journal).len() as u64, count + 1);
}

#[test]
fn a_server_that_starts_on_a_full_disk_gives_up_the_reserve_and_can_commit() {
    let Some(disk) = SmallDisk::mounted(RESERVE_BYTES * 5 / 2) else {
        return;
    };
    drop(opened(&disk.data()));
    disk.fill();
    let (_lock, mut journal) = opened(&disk.data());
    assert!(!journal.disk_state().reserve_held);
    journal.append(&[input(1, "on a full disk")], &[]).unwrap();
}
