//! Decides as whom a server's own program may be run; it runs nothing.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::procfs;

/// User and group that a program is run as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunAs {
    /// As this process is.
    Ourselves,
    /// As someone with fewer rights.
    User { uid: u32, gid: u32 },
}

/// Who is involved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parties {
    /// Our own effective user.
    pub(crate) ours: u32,
    /// User and group of the server's parent process.
    pub(crate) parent: (u32, u32),
    /// User and group of its children, where there are any.
    pub(crate) child: Option<(u32, u32)>,
}

/// As whom the program may be run, given whether the program and its whole configuration are writable by root alone, or
/// by root and ourselves alone; `None` when it may not be run at all.
pub(crate) fn run_as(parties: Parties, root_alone: bool, root_and_us_alone: bool) -> Option<RunAs> {
    let (parent_uid, parent_gid) = parties.parent;
    if parties.ours != 0 {
        // Someone else's program must not get our rights.
        return root_and_us_alone.then_some(RunAs::Ourselves);
    }
    if parent_uid != 0 {
        return Some(RunAs::User {
            uid: parent_uid,
            gid: parent_gid,
        });
    }
    if root_alone {
        return Some(RunAs::Ourselves);
    }
    // Root's server with files that others can write: what they write runs with the rights of the children at most.
    let (uid, gid) = parties.child.filter(|(uid, _)| *uid != 0)?;
    Some(RunAs::User { uid, gid })
}

/// For whom a server's files are read: what its own user could not see is not shown to those who look at Tocsin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Root wrote the configuration, or we have no more rights than who wrote it.
    Anyone,
    /// This user and group wrote it.
    User { uid: u32, gid: u32 },
}

impl Reader {
    /// Who wrote the configuration.
    pub(crate) fn of(main_file: &Path) -> Self {
        let Ok(metadata) = fs::metadata(main_file) else {
            return Self::Anyone;
        };
        let (uid, gid) = (metadata.uid(), metadata.gid());
        if uid == 0 || uid == rustix::process::geteuid().as_raw() {
            Self::Anyone
        } else {
            Self::User { uid, gid }
        }
    }

    /// Opens a file that this user could open as well.
    ///
    /// # Errors
    /// When it cannot be opened, is no file, or is not theirs to read.
    pub(crate) fn open(self, path: &Path) -> io::Result<File> {
        let file = procfs::open_file(path)?;
        let Self::User { uid, gid } = self else {
            return Ok(file);
        };
        let real = path.canonicalize()?;
        let is_reached = real
            .ancestors()
            .skip(1)
            .all(|folder| fs::metadata(folder).is_ok_and(|metadata| may(&metadata, uid, gid, 0o1)));
        if is_reached && may(&file.metadata()?, uid, gid, 0o4) {
            Ok(file)
        } else {
            let why = format!(
                "the user who wrote the configuration ({uid}) may not read it, so it is not read for them"
            );
            Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
        }
    }
}

/// Whether the mode gives this user and group a right (1 to enter, 4 to read).
fn may(metadata: &Metadata, uid: u32, gid: u32, right: u32) -> bool {
    let shift = if metadata.uid() == uid {
        6
    } else if metadata.gid() == gid {
        3
    } else {
        0
    };
    metadata.mode() >> shift & right != 0
}

/// Whether `path`, where its links lead and every folder above it can be written by nobody but `owners`.
pub(crate) fn writable_only_by(path: &Path, owners: &[u32]) -> bool {
    let Ok(real) = path.canonicalize() else {
        return false;
    };
    let chain_holds = |path: &Path| path.ancestors().all(|part| part_holds(part, owners));
    chain_holds(path) && chain_holds(&real)
}

fn part_holds(path: &Path, owners: &[u32]) -> bool {
    if path.as_os_str().is_empty() {
        return false;
    }
    fs::symlink_metadata(path).is_ok_and(|metadata| holds(&metadata, owners))
}

fn holds(metadata: &Metadata, owners: &[u32]) -> bool {
    const WRITABLE_BY_OTHERS: u32 = 0o022;
    const STICKY: u32 = 0o1000;
    // In a sticky folder (`/tmp`) nobody can replace what belongs to another; a link's own mode means nothing.
    let shared = metadata.mode() & WRITABLE_BY_OTHERS != 0;
    let guarded = metadata.is_symlink() || (metadata.is_dir() && metadata.mode() & STICKY != 0);
    owners.contains(&metadata.uid()) && (!shared || guarded)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: (u32, u32) = (0, 0);
    const WWW: (u32, u32) = (33, 33);

    #[test]
    fn only_what_root_alone_can_write_runs_as_root() {
        let check = |ours, parent, child, root_alone, expected: Option<RunAs>| {
            assert_eq!(
                run_as(
                    Parties {
                        ours,
                        parent,
                        child
                    },
                    root_alone,
                    root_alone
                ),
                expected
            );
        };
        let www = Some(RunAs::User { uid: 33, gid: 33 });
        check(0, ROOT, Some(WWW), true, Some(RunAs::Ourselves));
        check(0, ROOT, Some(WWW), false, www);
        check(0, ROOT, None, false, None);
        check(0, ROOT, Some(ROOT), false, None);
        check(0, WWW, None, true, www);
        check(1_000, ROOT, None, true, Some(RunAs::Ourselves));
        check(1_000, ROOT, None, false, None);
    }

    #[test]
    fn a_file_is_read_only_for_who_could_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        let file = inner.join("a.conf");
        fs::create_dir(&inner).unwrap();
        fs::write(&file, "x").unwrap();
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(folder.path(), 0o755);
        let theirs = Reader::User {
            uid: 4_242,
            gid: 4_242,
        };
        for (of_folder, of_file, expected) in [
            (0o755, 0o644, true),
            (0o755, 0o640, false),
            (0o700, 0o644, false),
        ] {
            mode(&inner, of_folder);
            mode(&file, of_file);
            assert_eq!(theirs.open(&file).is_ok(), expected, "{of_file:o}");
            assert!(Reader::Anyone.open(&file).is_ok());
        }
        assert_eq!(Reader::of(&file), Reader::Anyone);
        assert!(Reader::Anyone.open(&inner).is_err());
    }

    #[test]
    fn a_file_that_others_can_write_is_not_held() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.conf");
        fs::write(&file, "x").unwrap();
        let us = fs::metadata(&file).unwrap().uid();
        assert!(writable_only_by(&file, &[0, us]));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(!writable_only_by(&file, &[0, us]));
        assert!(!writable_only_by(&folder.path().join("none"), &[0, us]));
    }
}
