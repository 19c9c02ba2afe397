//! Whether the disk of the data has room: for bytes, and for files, of which a file system may have a fixed number.

use std::path::Path;

use super::{Check, CheckState};

const NAME: &str = "free space";
/// Less free space than this is a warning, in bytes.
const FREE_BYTES_WARN: u64 = 1_000_000_000;
/// Less than this fails.
const FREE_BYTES_FAIL: u64 = 100_000_000;
/// Room for fewer files than this is a warning.
const FREE_FILES_WARN: u64 = 10_000;
/// Room for fewer than this fails.
const FREE_FILES_FAIL: u64 = 100;

/// What the file system says of itself.
#[derive(Clone, Copy)]
struct Room {
    bytes: u64,
    /// None where files need no number of their own.
    files: Option<u64>,
}

pub(super) fn disk(data_dir: &Path) -> Check {
    match rustix::fs::statvfs(data_dir) {
        Err(error) => Check::warn(
            NAME,
            format!("cannot be told: {error}"),
            "look at the data directory",
        ),
        Ok(numbers) => {
            let room = Room {
                bytes: numbers.f_bavail.saturating_mul(numbers.f_frsize),
                files: (numbers.f_files > 0).then_some(numbers.f_favail),
            };
            judged(room, data_dir)
        }
    }
}

fn judged(room: Room, data_dir: &Path) -> Check {
    let megabytes = room.bytes / 1_000_000;
    let bytes = match room.bytes {
        0..FREE_BYTES_FAIL => Some((
            CheckState::Fail,
            "free some space now: soon nothing can be recorded",
        )),
        FREE_BYTES_FAIL..FREE_BYTES_WARN => Some((CheckState::Warn, "free some space")),
        FREE_BYTES_WARN.. => None,
    };
    let files = match room.files {
        Some(0..FREE_FILES_FAIL) => Some((
            CheckState::Fail,
            "delete files now, wherever on that disk there are many small ones (df -i): soon nothing can be recorded",
        )),
        Some(FREE_FILES_FAIL..FREE_FILES_WARN) => Some((
            CheckState::Warn,
            "look for many small files on that disk (df -i)",
        )),
        Some(FREE_FILES_WARN..) | None => None,
    };
    let few = room.files.filter(|_| files.is_some());
    let few = few.map_or_else(String::new, |left| {
        format!(" and room for {left} more files (inodes)")
    });
    let detail = format!("{megabytes} MB free{few} at {}", data_dir.display());
    let both = [bytes, files];
    let found = || both.iter().flatten();
    let worst = found().find(|one| one.0 == CheckState::Fail);
    let worst = worst.or_else(|| found().next());
    match worst {
        Some((CheckState::Fail, fix)) => Check::fail(NAME, detail, fix),
        Some((CheckState::Warn, fix)) => Check::warn(NAME, detail, fix),
        Some((CheckState::Ok, _)) | None => Check::ok(NAME, detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_for_files_is_as_full_as_one_without_bytes() {
        let (plenty, few, none) = (5_000_000_000, 500_000_000, 5_000_000);
        for (bytes, files, state, words) in [
            (plenty, Some(1_000_000), CheckState::Ok, "5000 MB free at"),
            (plenty, None, CheckState::Ok, "5000 MB free at"),
            (few, Some(1_000_000), CheckState::Warn, "500 MB free at"),
            (none, None, CheckState::Fail, "5 MB free at"),
            (plenty, Some(9_999), CheckState::Warn, "9999 more files"),
            (plenty, Some(0), CheckState::Fail, "0 more files"),
            (few, Some(99), CheckState::Fail, "99 more files"),
            (none, Some(9_999), CheckState::Fail, "9999 more files"),
        ] {
            let check = judged(Room { bytes, files }, Path::new("/data"));
            assert_eq!(check.state, state, "{}", check.detail);
            assert!(check.detail.contains(words), "{}", check.detail);
        }
    }
}
