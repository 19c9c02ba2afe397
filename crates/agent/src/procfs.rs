//! Looks at processes through `/proc`, with a limit on every read; it does not judge what it sees.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::proc_text::{self, Stat};

/// Processes that one scan looks at.
const PROCESSES_MAX: usize = 100_000;
/// Files that one process may have open and still be looked at.
const OPEN_FILES_MAX: usize = 65_536;
const STAT_BYTES_MAX: u64 = 4 * 1_024;
const WORDS_BYTES_MAX: u64 = 128 * 1_024;

/// A process for good: process ids are used again, pairs with the start time are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ProcessKey {
    pub(crate) pid: u32,
    pub(crate) start_ticks: u64,
}

/// A process as one scan saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) pid: u32,
    pub(crate) stat: Stat,
}

impl Seen {
    pub(crate) fn key(&self) -> ProcessKey {
        ProcessKey {
            pid: self.pid,
            start_ticks: self.stat.start_ticks,
        }
    }
}

/// Reads at most `limit` bytes of a file; what is beyond is cut off.
///
/// # Errors
/// When it cannot be read or is no file: a pipe would never end.
pub(crate) fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_file(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens what is a file; a pipe or a device in its place is refused at once.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let without_waiting = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(without_waiting)
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a file",
        ))
    }
}

/// Reads at most `limit` bytes of a file as text, invalid UTF-8 replaced; empty when it cannot be read.
pub(crate) fn text_at_most(path: &Path, limit: u64) -> String {
    read_at_most(path, limit).map_or_else(
        |_| String::new(),
        |bytes| String::from_utf8_lossy(&bytes).into_owned(),
    )
}

fn of(pid: u32, entry: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{entry}"))
}

/// The process with this id, if there is one (a zombie is one).
pub(crate) fn stat(pid: u32) -> Option<Stat> {
    proc_text::stat(&text_at_most(&of(pid, "stat"), STAT_BYTES_MAX))
}

/// Whether exactly this process still runs.
pub(crate) fn is_alive(key: ProcessKey) -> bool {
    stat(key.pid).is_some_and(|stat| stat.start_ticks == key.start_ticks && stat.is_alive())
}

/// Ids of all processes.
pub(crate) fn pids() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .take(PROCESSES_MAX)
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// All processes whose name is one of `names`.
pub(crate) fn named(names: &[&str]) -> Vec<Seen> {
    let seen = |pid| {
        Some(Seen {
            pid,
            stat: stat(pid)?,
        })
    };
    pids()
        .into_iter()
        .filter_map(seen)
        .filter(|seen| names.contains(&seen.stat.comm.as_str()))
        .collect()
}

/// Command line, empty for a zombie.
pub(crate) fn cmdline(pid: u32) -> Vec<String> {
    proc_text::words(&read_at_most(&of(pid, "cmdline"), WORDS_BYTES_MAX).unwrap_or_default())
}

/// Environment at the start of the process, where it may be read.
pub(crate) fn environ(pid: u32) -> Vec<(String, String)> {
    let words =
        proc_text::words(&read_at_most(&of(pid, "environ"), WORDS_BYTES_MAX).unwrap_or_default());
    words
        .into_iter()
        .filter_map(|word| {
            word.split_once('=')
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        })
        .collect()
}

/// The program it runs, where that may be seen; a program replaced by an upgrade keeps its path.
pub(crate) fn exe(pid: u32) -> Option<PathBuf> {
    let path = fs::read_link(of(pid, "exe")).ok()?;
    let text = path.to_str()?;
    Some(PathBuf::from(
        text.strip_suffix(" (deleted)").unwrap_or(text),
    ))
}

/// Effective user and group of a process.
pub(crate) fn owner(pid: u32) -> Option<(u32, u32)> {
    let metadata = fs::metadata(format!("/proc/{pid}")).ok()?;
    // A process that may not be dumped shows as root's: its status file tells the truth.
    let status = text_at_most(&of(pid, "status"), 16 * 1_024);
    let id = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().nth(1)?.parse().ok()
    };
    Some((
        id("Uid:").unwrap_or(metadata.uid()),
        id("Gid:").unwrap_or(metadata.gid()),
    ))
}

/// Whether the process sees the same file tree as we do; `None` when that cannot be seen.
pub(crate) fn shares_our_root(pid: u32) -> Option<bool> {
    let theirs = fs::metadata(of(pid, "root/.")).ok()?;
    let ours = fs::metadata("/").ok()?;
    Some((theirs.dev(), theirs.ino()) == (ours.dev(), ours.ino()))
}

/// Whether the process sees the same network as we do; `None` when that cannot be seen.
pub(crate) fn shares_our_network(pid: u32) -> Option<bool> {
    let theirs = fs::read_link(of(pid, "ns/net")).ok()?;
    Some(theirs == fs::read_link("/proc/self/ns/net").ok()?)
}

/// Text of its cgroup file.
pub(crate) fn cgroup(pid: u32) -> String {
    text_at_most(&of(pid, "cgroup"), 16 * 1_024)
}

/// Inodes of the sockets that a process has open, where they may be seen.
pub(crate) fn socket_inodes(pid: u32) -> Vec<u64> {
    let Ok(entries) = fs::read_dir(of(pid, "fd")) else {
        return Vec::new();
    };
    let inode = |path: PathBuf| {
        path.to_str()?
            .strip_prefix("socket:[")?
            .strip_suffix(']')?
            .parse()
            .ok()
    };
    entries
        .take(OPEN_FILES_MAX)
        .filter_map(|entry| inode(fs::read_link(entry.ok()?.path()).ok()?))
        .collect()
}

/// Its living children, by the kernel's list.
pub(crate) fn children(pid: u32) -> Vec<Seen> {
    let is_child = |seen: &Seen| seen.stat.ppid == pid && seen.stat.is_alive();
    let seen = |pid| {
        Some(Seen {
            pid,
            stat: stat(pid)?,
        })
    };
    let Ok(list) = read_at_most(&of(pid, &format!("task/{pid}/children")), WORDS_BYTES_MAX) else {
        // Kernels without CONFIG_PROC_CHILDREN have no such list.
        return pids()
            .into_iter()
            .filter_map(seen)
            .filter(is_child)
            .collect();
    };
    let list = String::from_utf8_lossy(&list);
    let listed = list
        .split_ascii_whitespace()
        .filter_map(|word| word.parse().ok());
    listed.filter_map(seen).filter(is_child).collect()
}

/// When the process started, in milliseconds before now; from the uptime at 100 ticks a second.
pub(crate) fn age_ms(stat: &Stat) -> Option<u64> {
    let uptime = text_at_most(Path::new("/proc/uptime"), 128);
    let first = uptime.split_ascii_whitespace().next()?;
    let (seconds, hundredths) = first.split_once('.')?;
    let now_ms = seconds.parse::<u64>().ok()?.saturating_mul(1_000)
        + hundredths.parse::<u64>().ok()?.min(99) * 10;
    Some(now_ms.saturating_sub(stat.start_ticks.saturating_mul(10)))
}
