//! A disk of its own that can be filled to the last byte or the last file: a tmpfs in a name space that a process keeps open. It
//! does not know what lies on it.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::failure::{Because, Outcome, fail};
use crate::janitor::Janitor;
use crate::places;
use crate::processes::Identity;

/// Longer than any fault lasts, so that it ends by itself should nobody end it.
const KEPT_SECONDS: &str = "900";
/// Bytes written at once, at first and for the last rest.
const COARSE: usize = 1024 * 1024;
const FINE: usize = 512;
/// More files than a small disk may have.
const FILES_MAX: usize = 100_000;

/// A disk that exists for as long as this does.
pub(super) struct SmallDisk {
    holder: Child,
    mount: PathBuf,
}

impl SmallDisk {
    /// Mounts one with these limits (as tmpfs takes them: `size=80m`) at `mount`, seen only by what is run by
    /// [`SmallDisk::before`]; none where that is not permitted.
    pub(super) fn mount(
        mount: &Path,
        limits: &str,
        janitor: &mut Janitor,
    ) -> Outcome<Option<Self>> {
        if places::program(&["unshare"]).is_none() || places::program(&["nsenter"]).is_none() {
            return Ok(None);
        }
        fs::create_dir_all(mount).because(format!("making {}", mount.display()))?;
        let script =
            "mount -t tmpfs -o \"$2,mode=0700\" tmpfs \"$1\" && echo mounted && exec sleep \"$3\"";
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount"])
            .args(["sh", "-c", script, "sh"])
            .arg(mount)
            .args([limits, KEPT_SECONDS])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .because("starting unshare")?;
        if let Some(identity) = i32::try_from(holder.id()).ok().and_then(Identity::of) {
            janitor.will_end(identity);
        }
        let mut said = String::new();
        if let Some(out) = holder.stdout.take() {
            BufReader::new(out)
                .read_line(&mut said)
                .because("waiting for the mount")?;
        }
        let disk = Self {
            holder,
            mount: mount.to_owned(),
        };
        if said.trim() == "mounted" {
            return Ok(Some(disk));
        }
        disk.unmount()?;
        Ok(None)
    }

    /// What stands before a command that is to see the disk.
    pub(super) fn before(&self) -> Vec<String> {
        let holder = self.holder.id().to_string();
        let words = [
            "nsenter",
            "--target",
            &holder,
            "--user",
            "--preserve-credentials",
            "--mount",
            "--",
        ];
        words.map(str::to_owned).to_vec()
    }

    /// A path on the disk, as it is seen from outside.
    pub(super) fn seen_from_outside(&self, path: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        let inside = self.mount.strip_prefix("/").unwrap_or(&self.mount);
        root.join(inside).join(path)
    }

    /// Writes until nothing more goes; gives back how many bytes went.
    pub(super) fn fill(&self) -> Outcome<usize> {
        let path = self.seen_from_outside("filler");
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let mut file = file.because(format!("opening {}", path.display()))?;
        let block = vec![0x5a_u8; COARSE];
        let mut written = 0;
        for size in [COARSE, FINE] {
            loop {
                match file.write(&block[..size]) {
                    Ok(0) => break,
                    Ok(some) => written += some,
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => fail!("filling the disk: {error}"),
                }
            }
        }
        Ok(written)
    }

    /// Makes empty files until there can be no further one; gives back how many. They stay: a disk has them for ever.
    pub(super) fn use_up_files(&self) -> Outcome<usize> {
        let folder = self.seen_from_outside("files");
        match fs::create_dir(&folder) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => fail!("making {}: {error}", folder.display()),
        }
        for number in 0..FILES_MAX {
            match fs::File::create_new(folder.join(number.to_string())) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(number),
                Err(error) => fail!("making files: {error}"),
            }
        }
        fail!("the disk takes more than {FILES_MAX} files")
    }

    /// Gives the space back.
    pub(super) fn free(&self) -> Outcome<()> {
        fs::remove_file(self.seen_from_outside("filler")).because("freeing the disk")
    }

    /// Ends the process that keeps it.
    pub(super) fn unmount(mut self) -> Outcome<()> {
        // It may have ended already.
        let _ = self.holder.kill();
        self.holder.wait().because("ending the small disk")?;
        Ok(())
    }
}
