//! Follows one growing file through rotation and truncation; it knows lines, not what they mean.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::trust::Reader;

/// Longer lines are cut to this.
pub(crate) const LINE_BYTES_MAX: usize = 64 * 1_024;
const READ_BYTES: usize = 64 * 1_024;
/// After a rotation the server writes to the old file until it reloads, and its last requests until they end.
const OLD_FILE_IDLE_MAX: Duration = Duration::from_secs(120);
const OLD_FILES_MAX: usize = 4;
/// What was written while nobody followed is read up to this much.
const CATCH_UP_BYTES_MAX: u64 = 1_024 * 1_024 * 1_024;
/// Files of a folder among which a rotated one is looked for.
const FOLDER_ENTRIES_MAX: usize = 10_000;

/// Where following ended.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Position {
    pub(crate) path: PathBuf,
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// The start of the first line that was not read whole.
    pub(crate) offset: u64,
}

/// A file that is followed by its path.
#[derive(Debug)]
pub(crate) struct Tail {
    path: PathBuf,
    reader: Reader,
    current: Option<Followed>,
    /// Files that had the path before, oldest first.
    old: VecDeque<Followed>,
    buffer: Vec<u8>,
    /// Whether the path has been looked at before: what appears later is read from its start.
    looked: bool,
    /// Whether an earlier run's position was taken up, and the path itself has not been opened since.
    resumed: bool,
}

#[derive(Debug)]
struct Followed {
    file: File,
    device: u64,
    inode: u64,
    offset: u64,
    /// Lines that end at or before this were written while nobody followed.
    old_until: u64,
    /// What there is of a line so far, and whether more of it was thrown away.
    line: Vec<u8>,
    line_bytes: u64,
    grew_at: Instant,
}

/// A line, and whether it was written while nobody followed.
pub(crate) struct Line<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) is_old: bool,
}

impl Tail {
    /// Follows `path` from where `positions` say, or from its present end. Of several the last is that of the file that had
    /// the path when following ended, the others are those of its predecessors.
    pub(crate) fn new<'a>(
        path: &Path,
        reader: Reader,
        positions: impl IntoIterator<Item = &'a Position>,
    ) -> Self {
        let mut tail = Self {
            path: path.to_owned(),
            reader,
            current: None,
            old: VecDeque::new(),
            buffer: vec![0; READ_BYTES],
            looked: false,
            resumed: false,
        };
        for position in positions {
            tail.resume(position);
        }
        tail
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where following stands now, predecessors that may still grow first.
    pub(crate) fn positions(&self) -> impl Iterator<Item = Position> {
        self.old.iter().chain(&self.current).map(|file| Position {
            path: self.path.clone(),
            device: file.device,
            inode: file.inode,
            offset: file.offset.saturating_sub(file.line_bytes),
        })
    }

    /// Reads what is new, about `bytes_max` of it; true when there is more.
    ///
    /// # Errors
    /// When the file is there but cannot be read.
    pub(crate) fn read(
        &mut self,
        bytes_max: u64,
        each: &mut dyn FnMut(Line<'_>),
    ) -> io::Result<bool> {
        self.look_at_path()?;
        let mut left = bytes_max;
        let now = Instant::now();
        for followed in self.old.iter_mut().chain(self.current.as_mut()) {
            if followed.read(&mut left, &mut self.buffer, now, each)? {
                return Ok(true);
            }
        }
        self.old
            .retain(|old| now.duration_since(old.grew_at) < OLD_FILE_IDLE_MAX);
        while self.old.len() > OLD_FILES_MAX {
            self.old.pop_front();
        }
        Ok(false)
    }

    /// Opens the file, or the one that has taken its place.
    fn look_at_path(&mut self) -> io::Result<()> {
        let metadata = match fs::metadata(&self.path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(_) => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "it is not a file",
                ));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.looked = true;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let same = |followed: &Followed| {
            (followed.device, followed.inode) == (metadata.dev(), metadata.ino())
        };
        let resumed = std::mem::take(&mut self.resumed);
        if self.current.as_ref().is_some_and(same) {
            return Ok(());
        }
        let file = self.reader.open(&self.path)?;
        let mut followed = Followed::new(file)?;
        if !self.looked {
            // Nothing is known of what is there already.
            followed.offset = followed.file.metadata()?.size();
        }
        if !self.looked || resumed {
            followed.old_until = followed.file.metadata()?.size();
        }
        self.looked = true;
        self.old.extend(self.current.replace(followed));
        Ok(())
    }

    /// Goes on where an earlier run ended, in this file or in the one that has its old inode now.
    fn resume(&mut self, position: &Position) {
        let matches = |path: &Path| {
            fs::metadata(path).is_ok_and(|found| {
                found.is_file() && (found.dev(), found.ino()) == (position.device, position.inode)
            })
        };
        let path = if matches(&self.path) {
            Some(self.path.clone())
        } else {
            self.renamed(&matches)
        };
        let Some(mut followed) =
            path.and_then(|path| Followed::new(self.reader.open(&path).ok()?).ok())
        else {
            return;
        };
        let Ok(size) = followed.file.metadata().map(|metadata| metadata.size()) else {
            return;
        };
        followed.offset = if position.offset <= size {
            position.offset
        } else {
            0
        };
        let start = size.saturating_sub(CATCH_UP_BYTES_MAX);
        if followed.offset < start {
            tracing::warn!(
                path = %self.path.display(),
                bytes = start - followed.offset,
                "a part of what was written to a log while Tocsin was away is passed over: it is too much to catch up with"
            );
            followed.offset = start;
        }
        followed.old_until = size;
        self.old.extend(self.current.replace(followed));
        self.looked = true;
        self.resumed = true;
    }

    fn renamed(&self, matches: &dyn Fn(&Path) -> bool) -> Option<PathBuf> {
        let name = self.path.file_name()?.to_str()?;
        let entries = fs::read_dir(self.path.parent()?).ok()?;
        entries
            .take(FOLDER_ENTRIES_MAX)
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                path.file_name()
                    .and_then(|other| other.to_str())
                    .is_some_and(|other| other.starts_with(name))
            })
            .find(|path| matches(path))
    }
}

impl Followed {
    fn new(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            file,
            offset: 0,
            old_until: 0,
            line: Vec::new(),
            line_bytes: 0,
            grew_at: Instant::now(),
        })
    }

    /// Reads what is new; true when the allowance ended first.
    fn read(
        &mut self,
        left: &mut u64,
        buffer: &mut [u8],
        now: Instant,
        each: &mut dyn FnMut(Line<'_>),
    ) -> io::Result<bool> {
        if self.file.metadata()?.size() < self.offset {
            // It was truncated in place: it begins anew.
            self.offset = 0;
            self.old_until = 0;
            self.line.clear();
            self.line_bytes = 0;
        }
        loop {
            if *left == 0 {
                return Ok(true);
            }
            let size = self.file.read_at(buffer, self.offset)?;
            if size == 0 {
                return Ok(false);
            }
            self.grew_at = now;
            let size_bytes = u64::try_from(size).unwrap_or(u64::MAX);
            *left = left.saturating_sub(size_bytes);
            self.take(buffer.get(..size).unwrap_or_default(), each);
        }
    }

    fn take(&mut self, bytes: &[u8], each: &mut dyn FnMut(Line<'_>)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            self.offset += length;
            self.line_bytes += length;
            let content = piece.strip_suffix(b"\n");
            let room = LINE_BYTES_MAX.saturating_sub(self.line.len());
            let part = content.unwrap_or(piece);
            self.line
                .extend_from_slice(part.get(..part.len().min(room)).unwrap_or_default());
            if content.is_some() {
                each(Line {
                    bytes: &self.line,
                    is_old: self.offset <= self.old_until,
                });
                self.line.clear();
                self.line_bytes = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;

    use super::*;

    struct Log {
        folder: tempfile::TempDir,
    }

    impl Log {
        fn new(text: &str) -> Self {
            let log = Self {
                folder: tempfile::tempdir().unwrap(),
            };
            log.append(text);
            log
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("access.log")
        }

        fn append(&self, text: &str) {
            let mut file = OpenOptions::new()
                .append(true)
                .create(true)
                .open(self.path())
                .unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        fn rotate(&self) {
            fs::rename(self.path(), self.folder.path().join("access.log.1")).unwrap();
        }
    }

    fn read(tail: &mut Tail) -> Vec<String> {
        let mut lines = Vec::new();
        let mut each = |line: Line<'_>| {
            let mark = if line.is_old { "old " } else { "" };
            lines.push(format!("{mark}{}", String::from_utf8_lossy(line.bytes)));
        };
        while tail.read(u64::MAX, &mut each).unwrap() {}
        lines
    }

    #[test]
    fn following_begins_at_the_end_and_waits_for_whole_lines() {
        let log = Log::new("before\n");
        let mut tail = Tail::new(&log.path(), Reader::Anyone, []);
        assert!(read(&mut tail).is_empty());
        log.append("one\ntw");
        assert_eq!(read(&mut tail), ["one"]);
        log.append("o\n");
        assert_eq!(read(&mut tail), ["two"]);
    }

    #[test]
    fn no_line_is_missed_when_the_file_is_renamed() {
        let log = Log::new("");
        let mut tail = Tail::new(&log.path(), Reader::Anyone, []);
        read(&mut tail);
        let mut server = OpenOptions::new().append(true).open(log.path()).unwrap();
        server.write_all(b"one\n").unwrap();
        log.rotate();
        server.write_all(b"two\n").unwrap();
        log.append("three\n");
        assert_eq!(read(&mut tail), ["one", "two", "three"]);
        server.write_all(b"late\n").unwrap();
        log.append("four\n");
        assert_eq!(read(&mut tail), ["late", "four"]);
    }

    #[test]
    fn a_truncated_file_begins_anew() {
        let log = Log::new("");
        let mut tail = Tail::new(&log.path(), Reader::Anyone, []);
        log.append("one long line\n");
        read(&mut tail);
        fs::write(log.path(), "new\n").unwrap();
        assert_eq!(read(&mut tail), ["new"]);
    }

    #[test]
    fn a_file_that_appears_later_is_read_from_its_start() {
        let log = Log::new("");
        fs::remove_file(log.path()).unwrap();
        let mut tail = Tail::new(&log.path(), Reader::Anyone, []);
        assert!(read(&mut tail).is_empty());
        log.append("first\n");
        assert_eq!(read(&mut tail), ["first"]);
    }

    #[test]
    fn a_second_run_goes_on_where_the_first_ended_also_through_a_rotation() {
        let log = Log::new("");
        let mut tail = Tail::new(&log.path(), Reader::Anyone, []);
        read(&mut tail);
        log.append("one\ntw");
        assert_eq!(read(&mut tail), ["one"]);
        let positions: Vec<Position> = tail.positions().collect();
        log.append("o\n");
        log.rotate();
        log.append("three\n");
        let mut second = Tail::new(&log.path(), Reader::Anyone, &positions);
        assert_eq!(read(&mut second), ["old two", "old three"]);
    }

    #[test]
    fn a_second_run_goes_on_with_a_predecessor_that_still_grows() {
        let log = Log::new("");
        let mut tail = Tail::new(&log.path(), Reader::Anyone, []);
        read(&mut tail);
        let mut server = OpenOptions::new().append(true).open(log.path()).unwrap();
        log.rotate();
        log.append("new\n");
        assert_eq!(read(&mut tail), ["new"]);
        let positions: Vec<Position> = tail.positions().collect();
        server.write_all(b"late\n").unwrap();
        let mut second = Tail::new(&log.path(), Reader::Anyone, &positions);
        assert_eq!(read(&mut second), ["old late"]);
        server.write_all(b"later\n").unwrap();
        log.append("newer\n");
        assert_eq!(read(&mut second), ["later", "newer"]);
    }

    #[test]
    fn an_endless_line_is_cut_and_the_next_one_is_whole() {
        let log = Log::new("");
        let mut tail = Tail::new(&log.path(), Reader::Anyone, []);
        read(&mut tail);
        log.append(&"x".repeat(3 * LINE_BYTES_MAX));
        assert!(read(&mut tail).is_empty());
        log.append("\nnext\n");
        let lines = read(&mut tail);
        assert_eq!(lines[0].len(), LINE_BYTES_MAX);
        assert_eq!(lines[1], "next");
    }
}
