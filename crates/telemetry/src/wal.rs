//! The write-ahead log: what is appended is on disk before it is acknowledged. It knows frames and files, no queries.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tocsin_promql::Labels;

use crate::disk::{Disk, LogFile};
use crate::frame::{self, FILE_HEADER, KIND_BATCH, NAMES_ONLY};
use crate::payload;

/// Batches on their way into the log, in order.
pub(crate) struct Queue {
    /// Sequence number of the last batch.
    pub(crate) sequence: u64,
    waiting: VecDeque<Prepared>,
    waiting_bytes_max: usize,
    pub(crate) state: WalState,
}

/// What the log tells about itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct WalState {
    pub(crate) degraded: Option<String>,
    pub(crate) last_error: Option<String>,
    /// Batches that the disk refused.
    pub(crate) refused: usize,
    pub(crate) never_written: u64,
}

/// A batch on its way into the log.
pub(crate) struct Prepared {
    /// Its series.
    series: Vec<u32>,
    /// Its body without the names of series.
    rest: Vec<u8>,
    sequence: u64,
}

impl Queue {
    pub(crate) fn new(sequence: u64, waiting_bytes_max: usize) -> Self {
        Self {
            sequence,
            waiting: VecDeque::new(),
            waiting_bytes_max,
            state: WalState::default(),
        }
    }

    /// Adds a batch; gives its sequence number.
    pub(crate) fn push(&mut self, series: Vec<u32>, rest: Vec<u8>) -> u64 {
        self.sequence += 1;
        self.waiting.push_back(Prepared {
            series,
            rest,
            sequence: self.sequence,
        });
        self.sequence
    }

    /// Takes all that waits.
    pub(crate) fn take(&mut self) -> Vec<Prepared> {
        self.waiting.drain(..).collect()
    }

    /// Says that what was taken is on disk.
    pub(crate) fn written(&mut self) {
        self.state.degraded = None;
        self.state.refused = 0;
    }

    /// Puts back what the disk refused, before all else; what is too much is given up, oldest first. Gives the sequence number
    /// of the last batch that was.
    pub(crate) fn put_back(&mut self, batches: Vec<Prepared>, error: &io::Error) -> Option<u64> {
        let mut given_up = None;
        for batch in batches.into_iter().rev() {
            self.waiting.push_front(batch);
        }
        let mut bytes: usize = self.waiting.iter().map(Prepared::bytes).sum();
        while bytes > self.waiting_bytes_max
            && let Some(oldest) = self.waiting.pop_front()
        {
            bytes -= oldest.bytes();
            self.state.never_written += 1;
            given_up = Some(oldest.sequence);
        }
        self.state.refused = self.waiting.len();
        self.note_error(error);
        given_up
    }

    /// Whether the disk refused what waits.
    pub(crate) fn is_refused(&self) -> bool {
        self.state.refused > 0
    }

    /// Remembers what the disk said.
    pub(crate) fn note_error(&mut self, error: &io::Error) {
        self.state.degraded = Some(error.to_string());
        self.state.last_error = Some(error.to_string());
    }

    /// Forgets a past error of upkeep once that has succeeded.
    pub(crate) fn note_success(&mut self) {
        if !self.is_refused() {
            self.state.degraded = None;
        }
    }
}

impl Prepared {
    fn bytes(&self) -> usize {
        self.series.len() * size_of::<u32>() + self.rest.len()
    }
}

/// Tells the labels of series.
pub(crate) type LabelsOf<'a> = dyn Fn(&[u32]) -> Vec<(u32, Labels)> + 'a;

/// The end of the log, where it grows.
pub(crate) struct LogEnd {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    open: Option<OpenSegment>,
    /// Number of the next file.
    next_segment: u64,
    /// Sequence number of the last batch that is on disk.
    pub(crate) durable: u64,
    /// Sequence number of the last batch that was given up, until a block holds what it brought; 0 for none.
    pub(crate) given_up: u64,
}

/// The file that is written to.
struct OpenSegment {
    file: Box<dyn LogFile>,
    number: u64,
    len: u64,
    /// Bytes that are on disk for certain.
    synced: u64,
    /// Series whose labels stand in this file: each file can be read without the ones before it.
    named: Bits,
}

/// Series that one frame names at most.
const NAMES_MAX: usize = 1_000;
/// Bytes of frames that are gathered before they are handed to the disk.
const GATHERED_BYTES: usize = 8 << 20;

impl OpenSegment {
    /// Appends batches, and the labels of those of their series that the file has not named yet. Where there are many, frames
    /// of their own name them first: no frame grows with what all senders together have.
    fn append(&mut self, batches: &[Prepared], labels_of: &LabelsOf<'_>) -> io::Result<()> {
        let few: usize = batches.iter().map(|one| one.rest.len() + 64).sum();
        let mut bytes = Vec::with_capacity(few.min(GATHERED_BYTES));
        for batch in batches {
            let mut unnamed = Vec::new();
            for series in &batch.series {
                if !self.named.has(*series) {
                    self.named.set(*series, true);
                    unnamed.push(*series);
                }
            }
            let split = unnamed.len() - unnamed.len().min(NAMES_MAX);
            let (before, with) = unnamed.split_at(split);
            for some in before.chunks(NAMES_MAX) {
                let names = payload::encode_names(&labels_of(some));
                frame::encode(
                    &mut bytes,
                    KIND_BATCH,
                    NAMES_ONLY,
                    &[&names, &payload::empty_rest()],
                );
                self.hand_over(&mut bytes, GATHERED_BYTES)?;
            }
            let names = payload::encode_names(&labels_of(with));
            frame::encode(
                &mut bytes,
                KIND_BATCH,
                batch.sequence,
                &[&names, &batch.rest],
            );
            self.hand_over(&mut bytes, GATHERED_BYTES)?;
        }
        self.hand_over(&mut bytes, 0)
    }

    /// Hands bytes to the disk when there are more than so many.
    fn hand_over(&mut self, bytes: &mut Vec<u8>, above: usize) -> io::Result<()> {
        if bytes.len() > above {
            self.file.append(bytes)?;
            self.len += bytes.len() as u64;
            bytes.clear();
        }
        Ok(())
    }
}

/// A set of small numbers.
#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn has(&self, number: u32) -> bool {
        let word = self.0.get(number as usize / 64);
        word.is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    fn set(&mut self, number: u32, on: bool) {
        let place = number as usize / 64;
        if place >= self.0.len() {
            self.0.resize(place + 1, 0);
        }
        if on {
            self.0[place] |= 1 << (number % 64);
        } else {
            self.0[place] &= !(1 << (number % 64));
        }
    }
}

/// Where the log goes on after opening.
pub(crate) struct Resume {
    /// The last file, its whole length, if it can be extended.
    pub(crate) segment: Option<(u64, u64)>,
    pub(crate) next_segment: u64,
    pub(crate) sequence: u64,
}

impl LogEnd {
    pub(crate) fn resume(disk: Arc<dyn Disk>, folder: &Path, resume: &Resume) -> io::Result<Self> {
        let open = match resume.segment {
            None => None,
            Some((number, len)) => Some(OpenSegment {
                file: disk.extend_log(&segment_path(folder, number), len)?,
                number,
                len,
                synced: len,
                // Numbers of series are new in this process: all are named again.
                named: Bits::default(),
            }),
        };
        Ok(Self {
            disk,
            folder: folder.to_owned(),
            open,
            next_segment: resume.next_segment,
            durable: resume.sequence,
            given_up: 0,
        })
    }

    /// Bytes in the file that is written to.
    pub(crate) fn segment_len(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.len)
    }

    /// Writes batches with one sync. After an error none of them is there.
    pub(crate) fn write(
        &mut self,
        batches: &[Prepared],
        labels_of: &LabelsOf<'_>,
    ) -> io::Result<()> {
        let Some(last) = batches.last() else {
            return Ok(());
        };
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
        let written = segment.append(batches, labels_of);
        if let Err(error) = written.and_then(|()| segment.file.sync()) {
            // After a failed sync the system may have dropped the pages: what was written since the last one is written
            // again, into a new file. Sequence numbers tell the copies apart.
            if let Some(mut failed) = self.open.take() {
                // If this fails too, opening the store finds the same torn tail and cuts it.
                let _ = failed.file.cut(failed.synced);
            }
            return Err(error);
        }
        segment.synced = segment.len;
        self.durable = last.sequence;
        Ok(())
    }

    /// Forgets that the open file names a series: its number will stand for another one.
    pub(crate) fn forget_name(&mut self, series: u32) {
        if let Some(segment) = &mut self.open {
            segment.named.set(series, false);
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
        synced: FILE_HEADER.len() as u64,
        named: Bits::default(),
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
