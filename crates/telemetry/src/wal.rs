//! The write-ahead log: what is appended is on disk before it is acknowledged. It knows frames and files, no queries.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tocsin_promql::Labels;

use crate::disk::{Disk, LogFile};
use crate::frame::{self, FILE_HEADER, KIND_BATCH};
use crate::payload::{self, Point};

/// The log of a store.
pub(crate) struct Wal {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    open: Option<OpenSegment>,
    /// Number of the next file.
    next_segment: u64,
    /// Sequence number of the last frame that was made.
    sequence: u64,
    /// Batches that the disk refused, oldest first.
    waiting: VecDeque<Prepared>,
    waiting_bytes_max: usize,
    state: WalState,
}

/// What the log tells about itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct WalState {
    pub(crate) degraded: Option<String>,
    pub(crate) last_error: Option<String>,
    pub(crate) waiting: usize,
    pub(crate) never_written: u64,
}

/// The file that is written to.
struct OpenSegment {
    file: Box<dyn LogFile>,
    number: u64,
    len: u64,
    /// Series whose labels stand in this file: each file can be read without the ones before it.
    named: HashSet<u32>,
}

/// A batch on its way into the log.
pub(crate) struct Prepared {
    pub(crate) points: Vec<Point>,
    pub(crate) facts: Vec<u8>,
    pub(crate) logs: Vec<u8>,
    sequence: u64,
}

impl Prepared {
    pub(crate) fn new(points: Vec<Point>, facts: Vec<u8>, logs: Vec<u8>) -> Self {
        Self {
            points,
            facts,
            logs,
            sequence: 0,
        }
    }

    fn bytes(&self) -> usize {
        self.points.len() * size_of::<Point>() + self.facts.len() + self.logs.len()
    }
}

/// Where the log goes on after opening.
pub(crate) struct Resume {
    /// The last file, its whole length, if it can be extended.
    pub(crate) segment: Option<(u64, u64)>,
    pub(crate) next_segment: u64,
    pub(crate) sequence: u64,
}

impl Wal {
    pub(crate) fn resume(
        disk: Arc<dyn Disk>,
        folder: &Path,
        waiting_bytes_max: usize,
        resume: &Resume,
    ) -> io::Result<Self> {
        let open = match resume.segment {
            None => None,
            Some((number, len)) => Some(OpenSegment {
                file: disk.extend_log(&segment_path(folder, number), len)?,
                number,
                len,
                // Numbers of series are new in this process: all are named again.
                named: HashSet::new(),
            }),
        };
        Ok(Self {
            disk,
            folder: folder.to_owned(),
            open,
            next_segment: resume.next_segment,
            sequence: resume.sequence,
            waiting: VecDeque::new(),
            waiting_bytes_max,
            state: WalState::default(),
        })
    }

    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(crate) fn state(&self) -> &WalState {
        &self.state
    }

    /// Bytes in the file that is written to.
    pub(crate) fn segment_len(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.len)
    }

    /// Writes batches, and those that wait before them, with one sync. After an error all of them wait.
    pub(crate) fn append(
        &mut self,
        batches: Vec<Prepared>,
        labels_of: &dyn Fn(u32) -> Option<Labels>,
    ) -> io::Result<()> {
        for mut batch in batches {
            self.sequence += 1;
            batch.sequence = self.sequence;
            self.waiting.push_back(batch);
        }
        match self.write_waiting(labels_of) {
            Ok(()) => {
                self.waiting.clear();
                self.state.degraded = None;
                self.state.waiting = 0;
                Ok(())
            }
            Err(error) => {
                self.give_up_surplus();
                self.note_error(&error);
                Err(error)
            }
        }
    }

    fn write_waiting(&mut self, labels_of: &dyn Fn(u32) -> Option<Labels>) -> io::Result<()> {
        let segment = match &mut self.open {
            Some(segment) => segment,
            None => {
                let number = self.next_segment;
                // Counted before: a file that was left half made must not be in the way of the next attempt.
                self.next_segment += 1;
                let segment = create(&*self.disk, &self.folder, number)?;
                self.open.insert(segment)
            }
        };
        let mut bytes = Vec::new();
        let mut newly_named = HashSet::new();
        for batch in &self.waiting {
            let mut to_name = Vec::new();
            for point in &batch.points {
                let number = point.series;
                if !segment.named.contains(&number) && newly_named.insert(number) {
                    to_name.extend(labels_of(number).map(|labels| (number, labels)));
                }
            }
            let body = payload::encode(&to_name, &batch.points, &batch.facts, &batch.logs);
            bytes.extend(frame::encode(KIND_BATCH, batch.sequence, &body));
        }
        let written = segment.file.append(&bytes);
        let synced = written.and_then(|()| segment.file.sync());
        if let Err(error) = synced {
            // After a failed sync the system may have dropped the pages: what was written since the last one is written
            // again, into a new file. Sequence numbers tell the copies apart.
            if let Some(mut failed) = self.open.take() {
                // If this fails too, opening the store finds the same torn tail and cuts it.
                let _ = failed.file.cut(failed.len);
            }
            return Err(error);
        }
        segment.len += bytes.len() as u64;
        segment.named.extend(newly_named);
        Ok(())
    }

    fn give_up_surplus(&mut self) {
        let mut bytes: usize = self.waiting.iter().map(Prepared::bytes).sum();
        while bytes > self.waiting_bytes_max
            && let Some(oldest) = self.waiting.pop_front()
        {
            bytes -= oldest.bytes();
            self.state.never_written += 1;
        }
        self.state.waiting = self.waiting.len();
    }

    /// Remembers what the disk said.
    pub(crate) fn note_error(&mut self, error: &io::Error) {
        self.state.degraded = Some(error.to_string());
        self.state.last_error = Some(error.to_string());
    }

    /// Forgets a past error of upkeep once that has succeeded.
    pub(crate) fn note_success(&mut self) {
        if self.waiting.is_empty() {
            self.state.degraded = None;
        }
    }

    /// Closes the file: what comes next goes to a new one. Returns the number of the closed one.
    pub(crate) fn rotate(&mut self) -> Option<u64> {
        self.open.take().map(|segment| segment.number)
    }
}

fn create(disk: &dyn Disk, folder: &Path, number: u64) -> io::Result<OpenSegment> {
    let path = segment_path(folder, number);
    let mut file = disk.create_log(&path)?;
    if let Err(error) = file.append(&FILE_HEADER) {
        drop(file);
        // An empty file would not be in the way of a later number; removing it only keeps the folder tidy.
        let _ = disk.remove(&path);
        return Err(error);
    }
    Ok(OpenSegment {
        file,
        number,
        len: FILE_HEADER.len() as u64,
        named: HashSet::new(),
    })
}

/// The file of a number.
pub(crate) fn segment_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("log-{number:010}.wal"))
}

/// The number of a file, if it is one of the log.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    name.strip_prefix("log-")?
        .strip_suffix(".wal")?
        .parse()
        .ok()
}
