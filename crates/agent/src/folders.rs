//! Keeps watches of the kernel on folders by their paths: a folder that was replaced is watched anew. It reads no events.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use inotify::{Inotify, WatchDescriptor, WatchMask};

/// The folders that are watched. The kernel follows what a path led to when it was added, not the path.
#[derive(Debug, Default)]
pub(crate) struct Folders(BTreeMap<PathBuf, Held>);

#[derive(Debug)]
struct Held {
    device: u64,
    inode: u64,
    watch: WatchDescriptor,
}

impl Folders {
    /// Watches what `folder` leads to now; true when that is another folder than before. One that is not there, or
    /// cannot be watched, is tried again at the next call.
    pub(crate) fn watch(&mut self, inotify: &Inotify, folder: &Path, mask: WatchMask) -> bool {
        let Ok(found) = fs::metadata(folder) else {
            return false;
        };
        let (device, inode) = (found.dev(), found.ino());
        let before = self.0.get(folder);
        if before.is_some_and(|held| (held.device, held.inode) == (device, inode)) {
            return false;
        }
        let Ok(watch) = inotify.watches().add(folder, mask) else {
            return false;
        };
        let held = Held {
            device,
            inode,
            watch,
        };
        let Some(before) = self.0.insert(folder.to_owned(), held) else {
            return false;
        };
        // Another path may still lead to the old folder, and both share one descriptor then.
        if !self.0.values().any(|held| held.watch == before.watch) {
            // The kernel has dropped it already when the folder is gone.
            let _ = inotify.watches().remove(before.watch);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_takes_anothers_place_is_watched_too() {
        let folder = tempfile::tempdir().unwrap();
        let (live, next) = (folder.path().join("live"), folder.path().join("next"));
        fs::create_dir(&live).unwrap();
        fs::create_dir(&next).unwrap();
        let mut inotify = Inotify::init().unwrap();
        let mut folders = Folders::default();
        let mut look = |inotify: &Inotify| folders.watch(inotify, &live, WatchMask::CREATE);
        assert!(!look(&inotify), "the first one takes nobody's place");
        assert!(!look(&inotify));
        fs::rename(&live, folder.path().join("old")).unwrap();
        assert!(!look(&inotify), "nothing is there");
        fs::rename(&next, &live).unwrap();
        assert!(look(&inotify));
        fs::write(live.join("site.conf"), "x").unwrap();
        let mut buffer = [0; 4_096];
        let names: Vec<_> = inotify
            .read_events(&mut buffer)
            .unwrap()
            .filter_map(|event| event.name.map(ToOwned::to_owned))
            .collect();
        assert_eq!(names, ["site.conf"]);
    }
}
